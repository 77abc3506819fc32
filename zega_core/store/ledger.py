"""The ledger: every call of a teacher, what came of it and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, insert
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from zega_core.providers.base import Call
from zega_core.tables import CallOutcome, Example, ExampleStatus
from zega_core.teacher_tables import ProviderCall


def add(session: Session, writer_id: str, calls: Iterable[Call], *, role: str, session_id: int | None = None) -> None:
    """``role`` is "teacher", "judge" or "test"."""
    rows = [
        {
            "user_id": writer_id,
            "session_id": session_id,
            "role": role,
            "provider": call.provider,
            "model": call.model[:200],
            "reported": call.reported.replace("\x00", "")[:200],
            "outcome": call.outcome,
            "status": call.status,
            "latency_ms": call.latency_ms,
            "prompt_tokens": call.prompt_tokens,
            "completion_tokens": call.completion_tokens,
            "cost": call.cost,
            "sent_chars": call.sent_chars,
            "remote": call.remote,
            "at": call.at,
        }
        for call in calls
    ]
    if rows:
        session.connection().execute(insert(ProviderCall), rows)


def spent(session: Session, session_id: int) -> float:
    """Euros that a session has cost so far, as far as prices are known."""
    query = select(func.coalesce(func.sum(ProviderCall.cost), 0.0)).where(col(ProviderCall.session_id) == session_id)
    return float(session.exec(query).one() or 0.0)


def spent_beside(session: Session, writer_id: str, since: datetime) -> float:
    """Euros that teachers have cost a writer outside sessions since then, as far as prices are known."""
    query = select(func.coalesce(func.sum(ProviderCall.cost), 0.0)).where(
        ProviderCall.user_id == writer_id,
        col(ProviderCall.session_id).is_(None),
        ProviderCall.role == "teacher",
        ProviderCall.at >= since,
    )
    return float(session.exec(query).one() or 0.0)


@dataclass(frozen=True, slots=True)
class TeacherTotals:
    """What one model did in a session. ``cost`` is in euros over the calls whose price is known; ``unpriced`` counts
    the answered calls whose price is not. ``median_ms`` is over answered calls."""

    provider: str
    model: str
    role: str
    calls: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0
    median_ms: int | None = None
    kept: int = 0

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}" if self.model else self.provider

    @property
    def answered(self) -> int:
        return self.outcomes.get(CallOutcome.ok, 0)

    @property
    def kept_per_euro(self) -> float | None:
        """None where nothing was paid, or the price is not known."""
        return self.kept / self.cost if self.cost > 0 and not self.unpriced else None


def by_teacher(session: Session, session_id: int) -> list[TeacherTotals]:
    """Of one session, those with most calls first."""
    rows = session.exec(select(ProviderCall).where(ProviderCall.session_id == session_id)).all()
    kept = dict(
        session.exec(
            select(Example.model, func.count())
            .where(Example.session_id == session_id, Example.status == ExampleStatus.kept)
            .group_by(Example.model)
        ).all()
    )
    groups: dict[tuple[str, str, str], list[ProviderCall]] = {}
    for row in rows:
        groups.setdefault((row.role, row.provider, row.model), []).append(row)
    totals = [_totals(calls, kept) for calls in groups.values()]
    return sorted(totals, key=lambda one: (-one.calls, one.name))


def _totals(calls: Sequence[ProviderCall], kept: dict[str | None, int]) -> TeacherTotals:
    first = calls[0]
    outcomes: dict[str, int] = {}
    for call in calls:
        outcomes[call.outcome] = outcomes.get(call.outcome, 0) + 1
    times = sorted(call.latency_ms for call in calls if call.outcome == CallOutcome.ok)
    name = f"{first.provider}/{first.model}" if first.model else first.provider
    return TeacherTotals(
        provider=first.provider,
        model=first.model,
        role=first.role,
        calls=len(calls),
        outcomes=outcomes,
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
        cost=sum(call.cost or 0.0 for call in calls),
        unpriced=sum(call.cost is None for call in calls),
        median_ms=times[len(times) // 2] if times else None,
        kept=kept.get(name, 0) if first.role == "teacher" else 0,
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """What has gone to one service: calls, characters of text, and when last. ``remote`` means off this machine."""

    provider: str
    remote: bool
    calls: int
    chars: int
    last: datetime


def sent(session: Session, writer_id: str) -> list[Sent]:
    """Most calls first; what a service got here and what it got elsewhere are told apart."""
    provider, remote = col(ProviderCall.provider), col(ProviderCall.remote)
    query = (
        sql_select(provider, remote, func.count(), func.sum(ProviderCall.sent_chars), func.max(col(ProviderCall.at)))
        .where(col(ProviderCall.user_id) == writer_id)
        .group_by(provider, remote)
        .order_by(func.count().desc())
    )
    rows = session.exec(query).all()  # type: ignore[call-overload]
    return [Sent(key, left, calls, int(chars or 0), last) for key, left, calls, chars, last in rows]


@dataclass(frozen=True, slots=True)
class Pace:
    """How one model has answered lately: seconds (a tenth was quicker than low, a tenth slower than high), mean
    tokens of an answer, and the share of calls that were good, 0 to 1."""

    seconds_low: float
    seconds_high: float
    prompt_tokens: float
    completion_tokens: float
    good: float


def pace(session: Session, writer_id: str, provider: str, model: str, last: int = 60) -> Pace | None:
    """Over the writer's last calls of this model; None with fewer than five answers."""
    query = (
        select(ProviderCall)
        .where(ProviderCall.user_id == writer_id, ProviderCall.provider == provider, ProviderCall.model == model)
        .order_by(col(ProviderCall.id).desc())
        .limit(last)
    )
    rows = session.exec(query).all()
    good = [row for row in rows if row.outcome == CallOutcome.ok]
    if len(good) < 5:
        return None
    times = sorted(row.latency_ms / 1000 for row in good)
    return Pace(
        times[len(times) // 10],
        times[-1 - len(times) // 10],
        sum(row.prompt_tokens for row in good) / len(good),
        sum(row.completion_tokens for row in good) / len(good),
        len(good) / len(rows),
    )
