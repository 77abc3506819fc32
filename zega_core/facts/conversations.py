"""Conversations, their questions and answers, and when training begins by itself, as programs see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session

from zega_core import conversation_words, training_words, triggers
from zega_core.conversation import Saved
from zega_core.conversation_stats import Counted, Stats
from zega_core.conversation_tables import Conversation, Turn
from zega_core.facts.base import Facts, Page, score
from zega_core.settings import Settings
from zega_core.store import fine_tunes, training_triggers
from zega_core.tables import Example


class ConversationFacts(Facts):
    """``session_id`` names it in every request; ``pairs`` are its answers."""

    session_id: str
    name: str
    purpose: str
    paused: bool
    pairs: int
    created_at: datetime
    used_at: datetime


class ConversationPage(Page):
    sessions: list[ConversationFacts]


class QuestionFacts(Facts):
    """``query`` is what is asked. ``words`` is about how many it asks for, 0 leaves it open; ``lack`` says why it is
    asked."""

    turn_id: int
    number: int | None
    state: str
    query: str
    type: str
    context: str
    difficulty: str
    genre: str | None
    element: str | None
    words: int
    lack: str
    asked_by: str
    draft: str


class TurnFacts(QuestionFacts):
    """With its answer: None where it was skipped, is open, or was deleted."""

    response: str | None
    example_id: int | None
    kept: bool | None
    reason: str | None
    quality: float | None
    answered_at: datetime | None


class SavedFacts(Facts):
    """What came of an answer. ``again``: the question had been answered otherwise before, which stands, and this text
    is the draft of its edit. ``pairs`` of ``threshold`` answers (0: answers begin none) are there for the next
    training."""

    turn_id: int
    example_id: int
    kept: bool
    left_out: str | None
    may_insist: bool
    again: bool
    pairs: int
    threshold: int
    quality: float | None
    message: str


class CoverageFacts(Facts):
    """Of all that the writer has kept. ``unknown`` stands for a genre or an element that is not known."""

    total: int
    genres: dict[str, int]
    elements: dict[str, int]
    moods: dict[str, int]
    lengths: dict[str, int]


class DayFacts(Facts):
    day: date
    pairs: int


class CountedFacts(Facts):
    """``pairs`` are answers that are kept and ``words`` theirs, ``left_out`` counts the others by reason."""

    asked: int
    answered: int
    skipped: int
    pairs: int
    words: int
    left_out: dict[str, int]
    used_in_newest_version: int
    average_quality: float | None
    seconds: float
    per_day: list[DayFacts]


class StatsFacts(CountedFacts):
    """Of one conversation where ``session_id`` is given, else of all of the writer's; ``conversations`` is how many
    these are."""

    user_id: str
    session_id: str | None
    conversations: int
    pairs_since_training: int
    threshold: int
    coverage: CoverageFacts


class TrainingChoices(Facts):
    """When training begins by itself (``configs.TriggerConfig``): ``pairs`` None is ``default_pairs``. ``next`` says
    what will begin it and when."""

    automatic: bool
    by_pairs: bool
    pairs: int | None
    default_pairs: int
    schedule: Literal["off", "daily", "weekly"]
    at: str
    weekday: int
    zone: str
    least_hours: float
    least_score: float
    least_variety: int
    least_own_share: float
    pairs_since_training: int
    scheduled_at: datetime | None
    training_run_id: str | None
    next: str


def of_conversation(row: Conversation, answers: int) -> ConversationFacts:
    return ConversationFacts(
        session_id=row.key,
        name=row.name,
        purpose=row.purpose,
        paused=row.paused,
        pairs=answers,
        created_at=row.created_at,
        used_at=row.used_at,
    )


def of_question(turn: Turn) -> QuestionFacts:
    return QuestionFacts(
        turn_id=turn.id or 0,
        number=turn.number,
        state=turn.state,
        query=turn.question,
        type=turn.kind,
        context=turn.context,
        difficulty=turn.difficulty,
        genre=turn.genre or None,
        element=turn.element or None,
        words=turn.words,
        lack=turn.lack,
        asked_by=turn.asked_by,
        draft=turn.draft,
    )


def of_turn(turn: Turn, example: Example | None) -> TurnFacts:
    return TurnFacts(
        **of_question(turn).model_dump(),
        response=None if example is None else example.completion,
        example_id=None if example is None else example.id,
        kept=None if example is None else example.status == "kept",
        reason=None if example is None else example.reason,
        quality=None if example is None else score(example.quality),
        answered_at=turn.answered_at,
    )


def of_saved(found: Saved) -> SavedFacts:
    return SavedFacts(
        turn_id=found.turn_id,
        example_id=found.example_id,
        kept=found.kept,
        left_out=found.left_out or None,
        may_insist=found.may_insist,
        again=found.again,
        pairs=found.pairs,
        threshold=found.goal,
        quality=score(found.score),
        message=conversation_words.saved(found),
    )


def of_stats(writer: str, key: str | None, found: Stats, counted: Counted, pairs: int, goal: int) -> StatsFacts:
    return StatsFacts(
        user_id=writer,
        session_id=key,
        conversations=found.conversations if key is None else 1,
        asked=counted.asked,
        answered=counted.answered,
        skipped=counted.skipped,
        pairs=counted.pairs,
        words=counted.words,
        left_out=dict(counted.left_out),
        used_in_newest_version=counted.used,
        average_quality=score(counted.average),
        seconds=counted.seconds,
        per_day=[DayFacts(day=day, pairs=number) for day, number in counted.per_day],
        pairs_since_training=pairs,
        threshold=goal,
        coverage=_coverage(found),
    )


def _coverage(found: Stats) -> CoverageFacts:
    genres: dict[str, int] = {}
    elements: dict[str, int] = {}
    for (genre, element), number in found.coverage.cells.items():
        genres[genre or "unknown"] = genres.get(genre or "unknown", 0) + number
        elements[element or "unknown"] = elements.get(element or "unknown", 0) + number
    return CoverageFacts(
        total=found.coverage.total,
        genres=genres,
        elements=elements,
        moods=_plain(found.coverage.moods),
        lengths=_plain(found.coverage.lengths),
    )


def _plain(counted: Mapping[str, int]) -> dict[str, int]:
    return {key: number for key, number in counted.items() if number}


def choices_of(session: Session, writer: str, settings: Settings) -> TrainingChoices:
    """As they are stored, and what follows from them."""
    config, found = training_triggers.load(session, writer), triggers.next_up(session, writer, settings)
    under_way = fine_tunes.get(session, writer, found.under_way) if found.under_way else None
    return TrainingChoices(
        **config.model_dump(),
        automatic=found.on,
        default_pairs=settings.conversation_pairs,
        pairs_since_training=found.pairs,
        scheduled_at=found.scheduled_at,
        training_run_id=found.under_way or None,
        next=training_words.next_line(found, under_way, ZoneInfo(config.zone)),
    )
