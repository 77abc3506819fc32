"""Who signs in, and whose writer they are; a broken set-up opens nothing."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest

from tests.support import secrets
from tests.support.command import Command
from tests.support.secrets import ISSUER, PROVIDER, SHARED, WHOLE
from zega_core import db, sign_in
from zega_core.errors import ConfigError, InvalidInput, NotFound
from zega_core.settings import Settings
from zega_core.sign_in import Person
from zega_core.store import sign_ins, writers


def come_in(subject: str, name: str = "", email: str = "", issuer: str = ISSUER) -> str:
    return sign_in.writer_for(Person(issuer, subject, email, name))


def test_without_secrets_nobody_signs_in(config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sign_in, "files", lambda: [tmp_path / "none.toml"])
    assert not sign_in.is_configured()
    secrets.write(tmp_path / "other.toml", '[other]\nkey = "x"', monkeypatch)
    assert not sign_in.is_configured()


def test_the_file_beside_the_app_outweighs_the_users(config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    mine, apps = tmp_path / "mine.toml", tmp_path / "apps.toml"
    mine.write_text("[auth]\n", encoding="utf-8")
    apps.write_text(WHOLE, encoding="utf-8")
    monkeypatch.setattr(sign_in, "files", lambda: [mine, apps])
    assert sign_in.providers() == ["default"]
    apps.write_text("[other]\n", encoding="utf-8")
    assert sign_in.is_configured()
    with pytest.raises(ConfigError, match="redirect_uri"):
        sign_in.providers()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (WHOLE, ["default"]),
        (f"{SHARED}[auth.google]{PROVIDER}[auth.my-school]{PROVIDER}", ["google", "my-school"]),
        (f"{WHOLE}[auth.google]{PROVIDER}", ["default", "google"]),
        (f'{WHOLE}client_kwargs = {{ prompt = "login" }}', ["default"]),
    ],
)
def test_whoever_is_set_up_can_be_asked(
    text: str, names: list[str], config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    secrets.write(tmp_path / "secrets.toml", text, monkeypatch)
    assert sign_in.is_configured()
    assert sign_in.providers() == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[auth]", "redirect_uri"),
        ('auth = "yes"', "must be a section"),
        ("[auth\n", "cannot be read"),
        (SHARED, "client_id is missing"),
        (WHOLE.replace("client_secret", "secret"), "client_secret is missing"),
        (WHOLE.replace('"between the two"', '" "'), "client_secret is missing"),
        (WHOLE.replace("https://id", "http://id"), "begins with https"),
        (WHOLE.replace("localhost", "example.org"), "https:// address of this app"),
        (WHOLE.replace("/oauth2callback", "/"), "https:// address of this app"),
        (WHOLE.replace("http://localhost:{port}", "http://[::"), "https:// address of this app"),
        (WHOLE.replace("0123456789abcdef0123456789abcdef", "xxx"), "cookie_secret"),
        (f"{SHARED}[auth.my_school]{PROVIDER}", "underscore"),
        (f"{SHARED}[auth.google]\nclient_id = 7", r"client_id is missing in \[auth.google\]"),
    ],
)
def test_a_broken_set_up_is_said_and_still_counts_as_one(
    text: str, said: str, config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    secrets.write(tmp_path / "secrets.toml", text, monkeypatch)
    assert sign_in.is_configured()
    with pytest.raises(ConfigError, match=said) as caught:
        sign_in.providers()
    assert "between the two" not in str(caught.value) and "0123456789" not in str(caught.value)


def test_a_file_that_is_not_ours_to_read_counts_as_one(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "secrets.toml").mkdir()
    monkeypatch.setattr(sign_in, "files", lambda: [tmp_path / "secrets.toml"])
    assert sign_in.is_configured()


def test_without_authlib_nobody_is_sent_to_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    secrets.write(tmp_path / "secrets.toml", WHOLE, monkeypatch)
    find = importlib.util.find_spec
    monkeypatch.setattr(sign_in, "find_spec", lambda name: None if name == "authlib" else find(name))
    with pytest.raises(ConfigError, match="package authlib"):
        sign_in.providers()


@pytest.mark.parametrize("said", [{}, {"is_logged_in": False}, {"is_logged_in": "yes", "iss": "a", "sub": "b"}])
def test_nobody_is_nobody(said: dict[str, object]):
    assert sign_in.person_of(said) is None


@pytest.mark.parametrize("claim", [None, "", 7, "a\x00b", "x" * 301, ["a"]])
@pytest.mark.parametrize("which", ["iss", "sub"])
def test_a_person_without_a_name_to_know_them_by_is_refused(which: str, claim: object):
    with pytest.raises(InvalidInput, match="who you are"):
        sign_in.person_of(secrets.claims("1") | {which: claim})


def test_what_is_only_shown_is_cleaned_not_refused():
    person = sign_in.person_of(secrets.claims("1", "Ana\x00\nMaria", "a@" + "b" * 400))
    assert person is not None
    assert (person.name, len(person.email)) == ("AnaMaria", 254)
    assert sign_in.person_of(secrets.claims("1") | {"name": 7, "email": None}) == Person(ISSUER, "1")


@pytest.mark.parametrize(
    ("name", "email", "slug"),
    [
        ("Ana María Núñez", "", "ana-maria-nunez"),
        ("", "Ben.Ng@example.org", "ben-ng"),
        ("李白", "li@example.org", "li"),
        ("李白", "", "writer"),
        ("--", "", "writer"),
        ("x" * 90, "", "x" * 40),
        ("Default", "", "default-2"),
    ],
)
def test_a_new_person_gets_a_writer_called_after_them(name: str, email: str, slug: str, config: Settings):
    assert come_in("1", name, email) == slug


def test_never_an_existing_writer_and_the_same_at_every_visit(config: Settings, database: str):
    with db.session() as session:
        writers.ensure(session, "ana")
    first = come_in("1", "Ana", "ana@example.org")
    assert first == "ana-2"
    assert come_in("2", "Ana", "ana@example.org") == "ana-3"
    assert come_in("1", "Ana", issuer="https://other.example") == "ana-4"
    assert come_in("1", "Another name", "new@example.org") == first
    with db.reading() as session:
        person = sign_ins.of_writer(session, first)
        assert person is not None and person.email == "new@example.org"
        assert len(sign_ins.every(session)) == 4


def test_two_tabs_at_once_make_one_writer(config: Settings, database: str):
    with db.session() as session:
        writers.ensure(session, "ana")  # both find the first name taken
    gate, found = threading.Barrier(6), []

    def tab(subject: str) -> None:
        gate.wait()
        found.append((subject, come_in(subject, "Ana")))

    tabs = [threading.Thread(target=tab, args=(subject,)) for subject in "111222"]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert len(found) == 6
    assert len({writer for subject, writer in found if subject == "1"}) == 1
    assert {writer for _, writer in found} == {"ana-2", "ana-3"}
    with db.reading() as session:
        assert sorted(writers.ids(session)) == ["ana", "ana-2", "ana-3"]


def test_a_local_writer_is_handed_to_a_person(config: Settings, called: Command):
    with db.session() as session:
        writers.ensure(session, "ana")
    assert come_in("1", "Ana", "ana@example.org") == "ana-2"
    given = called("writers", "assign", "--writer", "ana", "--issuer", ISSUER, "--subject", "1")
    assert given.returncode == 0
    assert given.stdout == "ana is now the writer of 1. ana-2 is nobody's now.\n"
    assert come_in("1", "Ana", "ana@example.org") == "ana"
    again = called("writers", "assign", "--writer", "ana", "--issuer", ISSUER, "--subject", "1", "--json")
    assert again.stdout.strip() == f'{{"writer": "ana", "issuer": "{ISSUER}", "subject": "1", "before": null}}'
    listed = called("writers", "list")
    assert listed.stdout == f"ana: ana@example.org, 1 of {ISSUER}\nana-2: nobody's\n"
    assert called("writers", "list", "--json").stdout.startswith(f'[{{"writer": "ana", "issuer": "{ISSUER}", ')


def test_a_writer_of_one_person_is_not_given_to_another(config: Settings, called: Command):
    ana = come_in("1", "Ana")
    refused = called("writers", "assign", "--writer", ana, "--issuer", ISSUER, "--subject", "2")
    assert refused.returncode == 2
    assert "zega writers release --writer ana" in refused.stderr
    assert called("writers", "release", "--writer", ana).returncode == 0
    assert called("writers", "release", "--writer", ana).returncode == 1
    assert called("writers", "assign", "--writer", ana, "--issuer", ISSUER, "--subject", "2").returncode == 0
    assert come_in("2", "Ben") == ana
    assert come_in("1", "Ana") == "ana-2"


def test_nobody_is_given_a_writer_that_is_not_there(config: Settings, called: Command):
    assert called("writers", "assign", "--writer", "ana", "--issuer", ISSUER, "--subject", "1").returncode == 1
    assert called("writers", "assign", "--writer", "ana", "--issuer", "", "--subject", "1").returncode == 2
    with db.session() as session, pytest.raises(NotFound):
        sign_ins.assign(session, "ana", ISSUER, "1")
