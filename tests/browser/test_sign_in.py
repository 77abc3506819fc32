"""Signing in by OpenID Connect, in a real browser, by a provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.app import Server, Visitor, serving
from tests.support.axe import violations
from tests.support.oidc import Provider
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.settings import Settings
from zega_core.store import sessions, sign_ins, writers
from zega_core.tables import Example, RunStatus

pytestmark = pytest.mark.browser
PEOPLE = {
    "Ana": {"sub": "1", "email": "ana@example.org"},
    "Ben": {"sub": "2", "email": "ben@example.org"},
    **{who: {"sub": "1"} for who in ("Nonce", "Issuer", "Audience", "Expired", "Unsigned")},
}
TAMPERED = {
    "Nonce": {"nonce": "of another request"},
    "Issuer": {"iss": "https://another.example"},
    "Audience": {"aud": "another program"},
    "Expired": {"iat": 1, "exp": 2},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider.started(PEOPLE, TAMPERED, frozenset({"Unsigned"})) as running:
        yield running


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("signing") / "home")


@pytest.fixture(scope="module")
def server(settings: Settings, provider: Provider) -> Iterator[Server]:
    user = settings.prepare_home() / "user"
    (user / ".streamlit").mkdir(parents=True)
    (user / ".streamlit" / "secrets.toml").write_text(provider.secrets, encoding="utf-8")
    with serving(settings, {"HOME": str(user)}) as running:
        yield running


def sign_in(visitor: Visitor, who: str) -> None:
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.get_by_role("link", name=who, exact=True).click()
    visitor.idle()


def session_of(settings: Settings, writer: str, text: str) -> str:
    """A session with a piece, as a run leaves it."""
    with db.session(settings) as session:
        ask = AutoTrainConfig(writer_id=writer, num_examples=1)
        row = sessions.create(session, ask, teacher="storyteller", order_seed=1)
        row.status, row.recorded = RunStatus.done, True
        piece = {"genre": "mystery", "element": "scene", "prompt": "p", "status": "kept", "quality": 8.0}
        session.add(Example(user_id=writer, session_id=row.id, idx=0, completion=text, text_hash=text, **piece))
    return row.session_id


def shut(visitor: Visitor) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(visitor.page.get_by_test_id("stSidebarNavLink")).to_have_count(0)


def test_the_page_to_sign_in_is_whole(visitor: Visitor):
    visitor.page.goto("/history", wait_until="commit")
    shut(visitor)
    visitor.idle()
    assert visitor.overflow() <= 0
    assert violations(visitor.page) == []


def test_two_people_each_see_their_own(chromium: Browser, server: Server, settings: Settings, provider: Provider):
    ana, ben = Visitor(chromium, server), Visitor(chromium, server)
    for one in (ana, ben):
        one.page.set_default_timeout(60_000)  # each opens pages that this server has not drawn before
    for visitor, who in ((ana, "Ana"), (ben, "Ben")):
        visitor.open("/")
        shut(visitor)
        sign_in(visitor, who)
        expect(visitor.page.get_by_text(f"Writer: {who.lower()}")).to_be_visible()
        expect(visitor.page.get_by_text(f"{who.lower()}@example.org")).to_be_visible()
        expect(visitor.page.get_by_role("combobox", name="Writer")).to_have_count(0)
    key = session_of(settings, "ana", "Only Ana wrote of the lighthouse.")
    for visitor in (ana, ben):
        visitor.open(f"/history?session={key}")
    expect(ana.page.get_by_text("Only Ana wrote of the lighthouse.").first).to_be_visible()
    assert "lighthouse" not in ben.page.content()
    ana.page.get_by_role("button", name="Sign out").click()
    shut(ana)
    ana.open(f"/history?session={key}")
    shut(ana)
    assert "lighthouse" not in ana.page.content()
    # The same window, now Ben: nothing of Ana's stays behind.
    sign_in(ana, "Ben")
    expect(ana.page.get_by_text("Writer: ben")).to_be_visible()
    ana.open(f"/history?session={key}")
    expect(ana.page.get_by_text("Writer: ben")).to_be_visible()
    assert "lighthouse" not in ana.page.content()
    ana.close()
    ben.close()
    assert not provider.refused
    with db.reading(settings) as session:
        assert {writer.id for writer, person in sign_ins.every(session) if person} == {"ana", "ben"}


def test_a_token_that_is_not_for_this_request_is_refused(chromium: Browser, server: Server, settings: Settings):
    with db.session(settings) as session:
        before = writers.ids(session)
    visitor = Visitor(chromium, server)
    visitor.open("/")
    for who in ("Nonce", "Issuer", "Audience", "Expired", "Unsigned"):
        said = len(server.said)
        sign_in(visitor, who)
        shut(visitor)
        assert "OAuth token exchange failed" in server.said[said:], who
        assert not [one for one in visitor.context.cookies() if one.get("name") == "_streamlit_user"]
    visitor.close()
    with db.session(settings) as session:
        assert writers.ids(session) == before
