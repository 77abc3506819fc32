"""How a writer's conversations go, in numbers."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session

from zega_core import learning
from zega_core.conversation_tables import TurnState
from zega_core.covering import covered
from zega_core.dataset import words
from zega_core.errors import InvalidInput
from zega_core.quality.validation import number
from zega_core.questions.coverage import Coverage
from zega_core.settings import Settings, get_settings
from zega_core.settling import left_out_class
from zega_core.store import answers, conversations, versions
from zega_core.tables import Example, ExampleStatus

VERSIONS = 16
"""Of so many versions this process keeps in mind what they were trained on."""

_trained: OrderedDict[tuple[Settings, str, int, str], frozenset[int]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Counted:
    """``pairs`` are the answers that are kept, ``words`` theirs; ``left_out`` counts the others by class
    (``conversation_words.REASONS``). ``used`` answers the newest version was trained on. ``average`` is the mean score
    of all answers, None where none has one; ``seconds`` is the time spent on them. ``per_day`` counts kept answers by
    day in the writer's zone, days without any left out. ``asked`` counts every question that was put."""

    asked: int
    answered: int
    skipped: int
    pairs: int
    words: int
    left_out: Mapping[str, int]
    used: int
    average: float | None
    seconds: float
    per_day: list[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Stats(Counted):
    """Of all of a writer's conversations. ``coverage`` is of all that the writer has kept. Answers of deleted
    conversations count; their questions and time do not."""

    conversations: int
    coverage: Coverage


def stats(session: Session, writer_id: str, zone: str, settings: Settings | None = None) -> Stats:
    """``zone`` is the name of a time zone; what is none is taken for UTC."""
    settings = settings or get_settings()
    trained = _trained_on(session, writer_id, settings)
    count, states, seconds = answers.counts(session, writer_id)
    return Stats(
        **_counted(answers.of_writer(session, writer_id), trained, _zone(zone), states, seconds),
        conversations=count,
        coverage=covered(session, writer_id, settings),
    )


def of_conversation(session: Session, writer_id: str, key: str, zone: str, settings: Settings | None = None) -> Counted:
    """Of one of the writer's conversations. Raises NotFound."""
    settings = settings or get_settings()
    row, trained = conversations.get(session, writer_id, key), _trained_on(session, writer_id, settings)
    _, states, seconds = answers.counts(session, writer_id, row)
    return Counted(**_counted(answers.of_conversation(session, row), trained, _zone(zone), states, seconds))


def _counted(
    found: Iterable[Example], trained: frozenset[int], here: ZoneInfo, states: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    left_out: Counter[str] = Counter()
    days: Counter[date] = Counter()
    scores: list[float] = []
    pairs = told = used = 0
    for example in found:
        used += example.id in trained
        if (quality := number(example.quality, 0, 10)) is not None:
            scores.append(quality)
        if example.status != ExampleStatus.kept:
            left_out[left_out_class(example)] += 1
            continue
        pairs, told = pairs + 1, told + len(words(example.completion))
        days[example.created_at.astimezone(here).date()] += 1
    return {
        "asked": sum(states.values()) - states.get(TurnState.prepared, 0),
        "answered": states.get(TurnState.answered, 0),
        "skipped": states.get(TurnState.skipped, 0),
        "pairs": pairs,
        "words": told,
        "left_out": dict(left_out),
        "used": used,
        "average": sum(scores) / len(scores) if scores else None,
        "seconds": seconds,
        "per_day": sorted(days.items()),
    }


def _trained_on(session: Session, writer_id: str, settings: Settings) -> frozenset[int]:
    """Ids of what the newest version was trained on, by itself or by way of an earlier one."""
    every = versions.all_of(session, writer_id)
    if not every:
        return frozenset()
    newest = every[0]
    key = (settings, writer_id, newest.number, newest.data_hash)
    with _lock:
        if (known := _trained.get(key)) is not None:
            return known
    rows = learning.rows_of(newest, every, settings)
    found = frozenset(row.example_id for row in rows if row.split == "train")
    if found:  # a folder that cannot be read now may be later
        with _lock:
            _trained[key] = found
            while len(_trained) > VERSIONS:
                _trained.popitem(last=False)
    return found


def check_zone(name: str) -> str:
    """The name of a time zone; raises InvalidInput for any other."""
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise InvalidInput(f"{name[:64]!r} is no time zone. It looks like Europe/Vienna, or UTC.") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(check_zone(name))
    except InvalidInput:
        return ZoneInfo("UTC")
