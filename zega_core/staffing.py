"""Who works on a session: put together when it begins, and again when the writer changes their mind meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session

from zega_core import db, teacher_checks, teachers
from zega_core.configs import TeachingConfig
from zega_core.providers.base import ChatModel
from zega_core.providers.brakes import Purse
from zega_core.providers.fallback import Fallback
from zega_core.settings import Settings
from zega_core.store import checks, ledger, sessions, teaching
from zega_core.teacher_checks import Look

JUDGE_PATIENCE = 60.0
"""Seconds for which a judge that is limited is waited for."""


def _never(session: Session) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Staff:
    """The teachers as one, how many write each piece, the judge, and the budget in euros. ``changed`` says whether
    the writer has chosen otherwise since."""

    teacher: ChatModel
    votes: int = 1
    judge: ChatModel | None = None
    budget: float | None = None
    changed: Callable[[Session], bool] = _never


def staff_of(session_id: str, settings: Settings) -> Staff:
    """The staff of a session by its writer's choices as they are now. Looks at every service first, so that nobody is
    asked who is not there; what was found is kept for the pages."""
    with db.reading(settings) as session:
        row = sessions.by_id(session, session_id)
        writer, chosen_at = row.user_id, teaching.changed_at(session, row.user_id)
        config = teaching.load(session, writer)
        purse = Purse(config.budget, ledger.spent(session, row.id or 0))
    places = teachers.places(settings, config)
    looks = teacher_checks.look_at_all(places)
    with db.session(settings) as session:
        for provider, found in looks.items():
            checks.finish(session, checks.ask(session, writer, provider).id or 0, asdict(found))
    models = {place.key: _to_ask(place, looks[place.key]) for place in places if place.key in looks}
    for place in places:
        if place.key in looks and looks[place.key].state == "unreachable":
            teachers.is_down(place, models[place.key])
    elsewhere = {key: found.elsewhere for key, found in looks.items()}
    group = teachers.group(settings, config, models, purse, elsewhere=elsewhere, why_not=_why_not(places, looks))
    return Staff(
        group,
        config.min_votes,
        _judge(settings, config, models, elsewhere, purse),
        config.budget,
        lambda session: teaching.changed_at(session, writer) != chosen_at,
    )


def _to_ask(place: teachers.Place, found: Look) -> list[str]:
    """Who cannot be reached just now stays in the group: it may come back while the run goes on."""
    if found.state == "unreachable":
        return teacher_checks.unseen(place)
    return found.models if found.state == "ready" else []


def _why_not(places: Sequence[teachers.Place], looks: Mapping[str, Look]) -> list[str]:
    absent = [f"{place.label}: {place.absent}" for place in places if place.absent]
    return [*absent, *(found.message for found in looks.values() if found.state != "ready")]


def _judge(
    settings: Settings,
    config: TeachingConfig,
    models: Mapping[str, Sequence[str]],
    elsewhere: Mapping[str, Sequence[str]],
    purse: Purse,
) -> ChatModel | None:
    """The chosen model, if its service is there, and what it is asked may leave the machine as far as it does."""
    provider, _, model = config.judge.partition("/")
    if not model or not models.get(provider):
        return None
    place, away = teachers.place(settings, config, provider), elsewhere.get(provider, ())
    if config.local_only and teachers.leaves(place, model, away):
        return None
    if not teachers.affordable(config, place, model, away):
        return None
    one = teachers.member(settings, place, model, purse, elsewhere=away, as_judge=True)
    return Fallback([one], patience=JUDGE_PATIENCE)
