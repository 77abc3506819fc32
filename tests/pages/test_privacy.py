"""The Privacy page: what would leave, what has left, and what stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from zega_core import db, keys, teacher_words
from zega_core.configs import TeachingConfig
from zega_core.providers.base import Call
from zega_core.settings import Settings
from zega_core.store import ledger, teaching, writers
from zega_core.tables import CallOutcome

KEY = "gsk_never-to-be-shown-0123456789"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in teacher_words.KEY_VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)


def privacy_page(app: AppTest) -> str:
    app.switch_page("pages/privacy.py").run()
    assert not app.exception
    return all_text(app)


def store(**values: Any) -> None:
    with db.session() as session:
        teaching.save(session, "default", TeachingConfig.model_validate(values))


def sent(provider: str, number: int, chars: int, writer: str = "default", *, remote: bool = True) -> None:
    calls = [Call(provider, "a-model", CallOutcome.ok, sent_chars=chars, remote=remote) for _ in range(number)]
    with db.session() as session:
        writers.ensure(session, writer)
        ledger.add(session, writer, calls, role="teacher")


def test_nothing_has_left_at_first(app: AppTest, home: Path):
    text = privacy_page(app)
    assert "Nothing has left this machine." in text
    assert "It is not asked\\: no key\\." in text
    assert "It is not asked\\: no address\\." in text
    assert "None is stored" in text
    assert str(home / "zega.db") in text
    assert "Nothing you wrote." in text
    assert "your brief, the text to work on, hints on your style, and remembered texts" in text


def test_what_was_sent_is_counted_by_service(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    sent("groq", 3, 500)
    sent("ollama", 2, 100, remote=False)
    sent("storyteller", 9, 0, remote=False)
    sent("gemini", 50, 50, writer="ana")
    text = privacy_page(app)
    assert "3 requests with 1,500 characters left this machine so far, to Groq" in text
    assert "2 requests with 200 characters on this machine so far, the last at " in text
    assert "[Terms of Groq](https://" in text
    assert "Nothing sent so far · [Terms of Gemini]" in text
    assert KEY not in text


def test_what_stayed_on_this_machine_has_not_left_it(app: AppTest):
    sent("ollama", 2, 100, remote=False)
    assert "Nothing has left this machine." in privacy_page(app)


def test_what_left_the_machine_stays_counted_when_the_address_changes(app: AppTest):
    sent("ollama", 2, 100)
    sent("ollama", 1, 100, remote=False)
    text = privacy_page(app)
    assert "2 requests with 200 characters left this machine so far, to Ollama" in text
    assert "1 request with 100 characters on this machine so far" in text


def test_a_server_elsewhere_is_said_to_be_elsewhere(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OLLAMA_HOST", "http://name:secret@ollama.example:11434")
    sent("ollama", 1, 1)
    text = privacy_page(app)
    assert "Sends text to ollama\\.example\\:11434" in text
    assert "secret" not in text
    assert "1 request with 1 character left this machine so far, to Ollama" in text


def test_a_model_in_the_cloud_is_named(app: AppTest):
    store(teachers=[{"provider": "ollama", "models": ["gpt-oss:120b-cloud", "llama3.2"]}])
    text = privacy_page(app)
    assert "gpt\\-oss\\:120b\\-cloud runs in Ollama\\'s cloud" in text
    assert "llama3\\.2 runs" not in text


def test_local_only_is_the_same_switch_as_in_settings(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    assert "Off: services elsewhere" in privacy_page(app)
    app.toggle(key="privacy_local_only").set_value(True).run()
    with db.reading() as session:
        assert teaching.load(session, "default").local_only
    assert "It is not asked\\: turned off by Local only\\." in all_text(app)
    app.switch_page("pages/settings.py").run()
    assert app.toggle(key="local_only").value


def test_keys_that_others_can_read_are_said(app: AppTest, config: Settings, home: Path):
    keys.save_key(config, "groq", KEY)
    assert "in a file that only you can read\\." in privacy_page(app)
    (home / "keys.json").chmod(0o644)
    assert "Others can read this file" in privacy_page(app)


def test_a_database_elsewhere_is_named_without_its_password():
    settings = Settings(database_url="postgresql://me:secret@db.example/zega")  # type: ignore[arg-type]
    kept = str(teacher_words.kept_here(settings))
    assert "PostgreSQL on db.example" in kept
    assert "secret" not in kept
