"""Asking for memory, and taking up what was asked for."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.test_memory import LANTERN, ORCHARD, add, held
from zega_core import db, meaning, memory
from zega_core.jobs import client, queues, reconcile, workflows, writing
from zega_core.settings import Settings
from zega_core.store import writing_choices
from zega_core.tables import now
from zega_core.writing_tables import WritingChoice


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The identities of what is handed over to workers."""
    found: list[str] = []
    monkeypatch.setattr(meaning, "why_not", lambda: "The package is not installed.")
    monkeypatch.setattr(queues, "hand_over", lambda settings, workflow, queue, identity, *rest: found.append(identity))
    return found


def choose(settings: Settings, *sources: str) -> None:
    with db.session(settings) as session:
        memory.choose(session, "ana", sources)


def asked(settings: Settings) -> list[str]:
    with db.reading(settings) as session:
        return [writer for writer, _ in writing_choices.memory_asked(session)]


def long_ago(settings: Settings, seconds: float) -> None:
    with db.session(settings) as session:
        row = session.get_one(WritingChoice, "ana")
        row.memory_asked_at = now() - timedelta(seconds=seconds)
        session.add(row)


def workflow(monkeypatch: pytest.MonkeyPatch, status: str | None) -> None:
    found: Any = None if status is None else SimpleNamespace(status=status, updated_at=0)
    monkeypatch.setattr(reconcile, "_workflow", lambda identity, settings: found)


def test_where_nothing_is_chosen_nothing_is_asked(config: Settings, handed: list[str]):
    add(LANTERN)
    client.refresh_memory("ana", config)
    assert (handed, asked(config)) == ([], [])


def test_what_is_chosen_is_asked_for_and_answered(config: Settings, handed: list[str]):
    add(LANTERN)
    choose(config, "conversation")
    client.refresh_memory("ana", config)
    assert len(handed) == 1
    assert handed[0].startswith("memory:ana:")
    assert asked(config) == ["ana"]
    memory.refresh("ana", config)
    assert (held(), asked(config)) == ({LANTERN}, [])
    client.refresh_memory("ana", config)
    assert len(handed) == 1


def test_what_was_asked_before_there_was_a_queue_is_taken_up(
    config: Settings, handed: list[str], monkeypatch: pytest.MonkeyPatch
):
    with db.session(config) as session:
        moment = writing_choices.ask_for_memory(session, "ana")
    workflow(monkeypatch, None)
    reconcile.reconcile(config)
    assert handed == [writing.memory_id("ana", moment)]


@pytest.mark.parametrize(
    ("status", "seconds", "again"),
    [
        ("ENQUEUED", 100_000, False),
        ("PENDING", 3_600, False),
        ("PENDING", 100_000, True),
        ("SUCCESS", 60, False),
        ("SUCCESS", 700, True),
        ("ERROR", 700, True),
    ],
)
def test_what_came_to_nothing_is_asked_for_again_after_a_while(
    config: Settings, handed: list[str], monkeypatch: pytest.MonkeyPatch, status: str, seconds: float, again: bool
):
    with db.session(config) as session:
        writing_choices.ask_for_memory(session, "ana")
    long_ago(config, seconds)
    workflow(monkeypatch, status)
    reconcile.reconcile(config)
    assert bool(handed) == again


def test_texts_that_came_in_without_a_request_are_seen_to(
    config: Settings, handed: list[str], monkeypatch: pytest.MonkeyPatch
):
    add(ORCHARD)
    choose(config, "conversation")
    memory.refresh("ana", config)
    monkeypatch.setattr(meaning.HashingEmbedder, "name", "hashing-2")
    workflow(monkeypatch, None)
    reconcile.reconcile(config)
    assert asked(config) == ["ana"]
    assert len(handed) == 1


def test_trouble_with_the_encoder_leaves_the_request(config: Settings, monkeypatch: pytest.MonkeyPatch):
    from zega_core.errors import ProviderUnavailable
    from zega_core.local import asking

    def refuse(*_: object) -> None:
        raise ProviderUnavailable("There is not enough memory.")

    add(LANTERN)
    choose(config, "conversation")
    client.refresh_memory("ana", config)
    monkeypatch.setattr(meaning, "why_not", lambda: "")
    monkeypatch.setattr(asking, "embed", refuse)
    workflows.remember_and_embed("ana")
    assert asked(config) == ["ana"]
