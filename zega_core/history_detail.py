"""One session of the history closely, and two of them beside each other. A row may hold anything: what cannot be read
is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from zega_core import providers
from zega_core.analytics import euros, plural, took
from zega_core.catalog import load_catalog
from zega_core.quality.validation import number
from zega_core.store import candidates, examples, history, history_records, ledger, sessions
from zega_core.store.candidates import Wins
from zega_core.store.examples import Tally
from zega_core.store.history import Row
from zega_core.store.history_records import Moments
from zega_core.store.ledger import TeacherTotals
from zega_core.tables import UNFINISHED, CallOutcome, RunStatus, TrainingSession

MANY = 10**9
ENDED = {
    RunStatus.done: "Finished",
    RunStatus.stopped: "Stopped",
    RunStatus.failed: "Interrupted",
}


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """``kept`` pieces of one model and their average ``quality``, None where that is not known."""

    model: str
    kept: int
    quality: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in a few words."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Detail:
    """``options`` are what was chosen, as label and value. ``performance`` is by model, most kept first; ``teachers``
    are its calls in the ledger; ``unanswered`` says why pieces have no text, and how many; ``calls`` counts those
    without a piece by outcome (``tables.CallOutcome``)."""

    row: Row
    session: TrainingSession
    tally: Tally
    options: list[tuple[str, str]]
    performance: list[ModelFigures]
    teachers: list[TeacherTotals]
    votes: list[Wins]
    unanswered: dict[str, int]
    calls: dict[str, int]
    timeline: list[Event]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of two sessions beside each other; ``part`` is ``settings``, ``figures``, ``teachers`` or ``genres``."""

    part: str
    label: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        return self.first == self.second


def detail(session: Session, writer_id: str, key: str) -> Detail:
    """Of one of the writer's sessions. Raises NotFound."""
    row = sessions.get(session, writer_id, key)
    identity = row.id or 0
    teachers = ledger.by_teacher(session, identity)
    calls: dict[str, int] = {}
    for one in teachers:
        for outcome, times in one.outcomes.items():
            if outcome != CallOutcome.ok:
                calls[outcome] = calls.get(outcome, 0) + times
    return Detail(
        row=history.of(session, row),
        session=row,
        tally=examples.tally(session, identity),
        options=options_of(row),
        performance=performance_of(row.model_performance_json),
        teachers=teachers,
        votes=candidates.wins(session, writer_id, identity),
        unanswered=history_records.unanswered(session, identity),
        calls=dict(sorted(calls.items(), key=lambda one: -one[1])),
        timeline=timeline_of(row, history_records.moments(session, identity)),
    )


def difference(session: Session, writer_id: str, first: str, second: str) -> list[Compared]:
    """Two of the writer's sessions: what was chosen, and what came of it. Raises NotFound."""
    one, other = (detail(session, writer_id, key) for key in (first, second))
    return [
        *_lines("settings", one.options, other.options),
        *_lines("figures", _figures(one), _figures(other)),
        *_lines("teachers", _by_model(one), _by_model(other)),
        *_lines("genres", _by_genre(one), _by_genre(other)),
    ]


def genre_names(keys: Iterable[str]) -> str:
    """In the catalog's order; a name that it does not know stands as it is."""
    catalog, wanted = load_catalog(), set(keys)
    known = [genre.label for genre in catalog.genres if genre.key in wanted]
    if len(known) == len(catalog.genres):
        return "All genres"
    return ", ".join([*known, *sorted(wanted - {genre.key for genre in catalog.genres})])


def performance_of(stored: object) -> list[ModelFigures]:
    """What of ``TrainingSession.model_performance_json`` can be read."""
    found = []
    for model, figures in stored.items() if isinstance(stored, dict) else ():
        if isinstance(figures, dict) and (kept := number(figures.get("count"), 0, MANY)) is not None:
            found.append(ModelFigures(str(model), int(kept), number(figures.get("avg_quality"), 0, 10)))
    return sorted(found, key=lambda one: (-one.kept, one.model))


def options_of(row: TrainingSession) -> list[tuple[str, str]]:
    """What was chosen, label and value. Of a record that was handed in not all of it is known."""
    known = [
        ("Examples asked for", f"{row.num_examples_requested:,}"),
        ("Genres", genre_names(history.names_in(row.genres_selected))),
        ("Asked", providers.label_of(row.teacher) if row.teacher else "–"),
        ("Kept pieces into memory", _yes(row.stored_in_memory)),
        ("Best pieces saved as stories", _yes(row.saved_to_database)),
    ]
    if row.reported:
        return [*known, ("Handed in by a program", "Yes")]
    budget = number(row.budget, 0, MANY)
    return [
        *known,
        ("Teachers for each piece", f"{row.min_votes}"),
        ("Budget", "None" if budget is None else euros(budget)),
        ("Seed", f"{row.seed}"),
    ]


def timeline_of(row: TrainingSession, moments: Moments) -> list[Event]:
    """Oldest first."""
    ended = ENDED.get(RunStatus(row.status)) if row.status in [*RunStatus] else None
    known = [
        (row.started_at, "Begun" if row.reported else "Asked for"),
        (moments.first, "First piece"),
        (moments.last if moments.last != moments.first else None, "Last piece"),
        (row.completed_at if ended else None, f"{ended}, attempt {row.attempt}" if row.attempt > 1 else f"{ended}"),
        (row.created_at if row.reported else None, "Handed in by a program"),
        (row.begun_at if row.status in UNFINISHED else None, "Taken up by a worker"),
        (moments.rated, "Last rated"),
        (row.archived_at, "Archived"),
    ]
    return sorted((Event(at, what) for at, what in known if at is not None), key=lambda event: event.at)


def _yes(value: object) -> str:
    return "Yes" if value else "No"


def _lines(part: str, first: list[tuple[str, str]], second: list[tuple[str, str]]) -> list[Compared]:
    """By label, in the order of the first; what only the other has comes after it."""
    one, other = dict(first), dict(second)
    labels = dict.fromkeys([*one, *other])
    return [Compared(part, label, one.get(label, "–"), other.get(label, "–")) for label in labels]


def _figures(one: Detail) -> list[tuple[str, str]]:
    row, session = one.row, one.session
    written = session.num_examples_successful + session.num_examples_set_aside
    cost = sum(teacher.cost for teacher in one.teachers)
    unpriced = any(teacher.unpriced for teacher in one.teachers)
    return [
        ("Kept", f"{row.kept} of {row.requested}"),
        ("Share kept of what was written", f"{session.num_examples_successful / written:.0%}" if written else "–"),
        ("Average quality", _score(row.quality)),
        ("Lowest and highest", f"{_score(row.low)} to {_score(row.high)}"),
        ("Without an answer", f"{session.num_examples_failed}"),
        ("Saved as stories", f"{session.stories_saved_count}"),
        ("Took", took(row.seconds)),
        ("Time for each kept piece", took(row.seconds / row.kept) if row.kept else "–"),
        ("Cost", f"{euros(cost)}{' and what has no price' if unpriced else ''}" if one.teachers else "–"),
        ("Set off a fine-tune", _yes(row.fine_tuned)),
    ]


def _by_model(one: Detail) -> list[tuple[str, str]]:
    return [
        (providers.label_of(model.model), f"{plural(model.kept, 'piece')} kept at {_score(model.quality)}")
        for model in one.performance
    ]


def _by_genre(one: Detail) -> list[tuple[str, str]]:
    stored = one.session.genre_distribution_json
    kept = stored.items() if isinstance(stored, dict) else ()
    return [
        (genre_names([str(genre)]), f"{int(times):,} kept")
        for genre, times in sorted(kept, key=str)
        if number(times, 0, MANY) is not None
    ]


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
