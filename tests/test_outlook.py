"""What a page says before a run: who, how long, at what cost, and what stands in the way."""

from __future__ import annotations

import time
from dataclasses import asdict

import pytest

from zega_core import db, teachers
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.outlook import ahead
from zega_core.providers import limits as windows
from zega_core.providers.base import Call
from zega_core.settings import Settings
from zega_core.store import checks, ledger, limits, teaching, writers
from zega_core.tables import CallOutcome
from zega_core.teacher_checks import Look

GROQ = "openai/gpt-oss-20b"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "a-key-for-this-test")


def found(provider: str, state: str, *models: str, message: str = "") -> None:
    with db.session() as session:
        look = Look(state, message, list(models), list(models))  # type: ignore[arg-type]
        checks.finish(session, checks.ask(session, "default", provider).id or 0, asdict(look))


def choose(**more: object) -> None:
    with db.session() as session:
        teaching.save(session, "default", TeachingConfig(**more))  # type: ignore[arg-type]


def test_while_nothing_is_known_nothing_is_promised(config: Settings):
    one = ahead(config, "default", 20)
    assert one.who == "Built-in storyteller"
    assert one.sentences == []
    assert [place.key for place in one.places] == ["ollama", "groq"]


def test_a_service_that_is_there_is_forecast_by_its_catalog(config: Settings):
    found("groq", "ready", GROQ)
    one = ahead(config, "default", 20)
    assert one.who == f"Groq · {GROQ}, Built-in storyteller"
    assert one.sentences[0].startswith("Takes ")
    assert any("list price" in sentence for sentence in one.sentences)


def test_past_calls_replace_the_guess(config: Settings):
    found("groq", "ready", GROQ)
    before = ahead(config, "default", 500).sentences[0]
    with db.session() as session:
        writers.ensure(session, "default")
        calls = [Call("groq", GROQ, CallOutcome.ok, 200, 60_000, 100, 200, 0.001) for _ in range(20)]
        ledger.add(session, "default", calls, role="teacher")
    assert ahead(config, "default", 500).sentences[0] != before


def test_what_is_left_of_the_day_counts(config: Settings):
    found("groq", "ready", GROQ)
    place = teachers.place(config, TeachingConfig(), "groq")
    mine = teachers.limits_of(place, GROQ)
    with db.session() as session:
        row = limits.locked(session, place.scope)
        usage, wait = windows.take(windows.Usage(), [one for one in mine if "day" in one.name], time.time(), 1, 995)
        assert not wait
        limits.save(session, row, usage)
    choose(storyteller=False)
    said = " ".join(ahead(config, "default", 100).sentences)
    assert "limit of the day after about 5 examples" in said
    assert "Nobody is left after about 5 of 100" in said


def test_what_stands_in_the_way_is_said(config: Settings):
    found("ollama", "unreachable", message="Ollama cannot be reached.")
    found("groq", "refused", message="Groq refused the key.")
    assert ahead(config, "default", 20).troubles == ["Ollama cannot be reached.", "Groq refused the key."]


def test_a_service_without_a_price_is_not_counted_on_under_a_budget(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", "a-key-for-this-test")
    found("huggingface", "ready", "google/gemma-4-26B-A4B-it")
    choose(teachers=(TeacherChoice(provider="huggingface"),))  # type: ignore[arg-type]
    assert "Hugging Face" in ahead(config, "default", 20).who
    assert "not known" in " ".join(ahead(config, "default", 20).sentences)
    choose(teachers=(TeacherChoice(provider="huggingface"),), budget=1.0)  # type: ignore[arg-type]
    assert "Hugging Face" not in ahead(config, "default", 20).who


def test_a_budget_that_is_too_small_is_said(config: Settings):
    found("groq", "ready", GROQ)
    choose(budget=0.0005, storyteller=False)
    assert "budget is used up" in " ".join(ahead(config, "default", 500).sentences)
