"""The numbers of a writer's conversations."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest

from tests.support.scored import add
from tests.support.talking import answered, asked, own_words, started
from tests.support.tuned import version
from zega_core import conversation, conversation_stats, db, rating, versions
from zega_core.conversation_stats import Stats
from zega_core.dataset import words
from zega_core.fine_tune.plan import Row, Split
from zega_core.settings import Settings
from zega_core.tables import Source

pytestmark = pytest.mark.usefixtures("database")


def stats(writer: str = "ana", zone: str = "UTC") -> Stats:
    with db.reading() as session:
        return conversation_stats.stats(session, writer, zone)


def test_a_writer_without_conversations_has_empty_numbers(config: Settings):
    found = stats()
    assert (found.conversations, found.asked, found.answered, found.skipped, found.pairs, found.words) == (0,) * 6
    assert (found.average, found.left_out, found.used, found.per_day, found.coverage.total) == (None, {}, 0, [], 0)


def test_everything_is_counted_once_and_by_its_reason(config: Settings):
    key = started()
    first = answered(key, own_words(1), seconds=30.0)
    answered(key, own_words(2), seconds=12.5)
    answered(key, "Only these.")
    answered(key, own_words(1))
    discarded = answered(key, own_words(3))
    with db.session() as session:
        rating.rate(session, "ana", discarded.example_id, config, decision="discard")
        conversation.skip(session, "ana", key, conversation.question(session, "ana", key, config).id or 0)
    asked(key)
    answered(started("letters"), own_words(4))
    answered(started(writer="ben"), own_words(5), writer="ben")
    add("A teacher's piece.")
    found = stats()
    assert (found.conversations, found.asked, found.answered, found.skipped) == (2, 8, 6, 1)
    assert found.pairs == 3
    assert found.words == sum(len(words(own_words(number))) for number in (1, 2, 4))
    assert found.left_out == {"too_short": 1, "duplicate": 1, "discarded": 1}
    assert found.seconds == 42.5
    assert found.average is not None
    assert 0 <= found.average <= 10
    assert found.coverage.total == 4
    with db.session() as session:
        conversation.delete(session, "ana", first.turn_id, config)
    assert stats().pairs == 2


def test_days_are_the_writers(config: Settings):
    for number, hour in enumerate((3, 22, 23)):
        moment = datetime(2026, 3, 1, hour, 30, tzinfo=UTC)
        add(own_words(number), source=Source.conversation, created_at=moment)
    one, two = date(2026, 3, 1), date(2026, 3, 2)
    assert stats(zone="UTC").per_day == [(one, 3)]
    assert stats(zone="Europe/Vienna").per_day == [(one, 2), (two, 1)]
    assert stats(zone="America/Los_Angeles").per_day == [(date(2026, 2, 28), 1), (one, 2)]
    for odd in ("", "Nowhere/Land", "../../etc/passwd", "x" * 5_000, "a\x00b"):
        assert stats(zone=odd).per_day == [(one, 3)]


def learned(config: Settings, *examples: int, held_out: int = 0) -> None:
    """A newest version that was trained on these, the first ``held_out`` of them apart."""
    folder = versions.folder_of(config, "ana", version(config, "ana").number)
    splits: list[Split] = ["validation" if number < held_out else "train" for number in range(len(examples))]
    rows = [
        Row(example_id=one, prompt="P", completion="C", weight=1.0, split=split, own=True, source=Source.conversation)
        for one, split in zip(examples, splits, strict=True)
    ]
    lines = (json.dumps(asdict(row)) + "\n" for row in rows)
    (folder / "data.jsonl").write_text("".join(lines), encoding="utf-8")


def test_used_are_the_answers_that_the_newest_version_learned_from(config: Settings):
    key = started()
    ids = [answered(key, own_words(number)).example_id for number in range(4)]
    theirs = add("A teacher's piece.")
    assert stats().used == 0
    learned(config, *ids[:3], theirs)
    assert stats().used == 3
    learned(config, *ids[:2], held_out=1)
    assert stats().used == 1
    assert stats("ben").used == 0


def test_a_version_whose_data_cannot_be_read_used_nothing(config: Settings):
    answered(started(), own_words(1))
    version(config, "ana", files=False)
    assert stats().used == 0
