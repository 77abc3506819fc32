"""Who works on a session: put together when it begins, and again when the writer changes their mind meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlmodel import Session

from zega_core import db, teacher_checks, teachers
from zega_core.configs import ProviderKey, TeachingConfig
from zega_core.providers.base import ChatModel
from zega_core.providers.brakes import Purse
from zega_core.providers.fallback import Fallback
from zega_core.settings import Settings
from zega_core.store import checks, ledger, sessions, teaching
from zega_core.teacher_checks import Look

JUDGE_PATIENCE = 60.0
"""Seconds for which a judge that is limited is waited for."""
BESIDE_PATIENCE = 10.0
"""The same for teachers who are asked beside a session: somebody looks at the page."""


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
    """The chosen model, if its service is there."""
    provider, _, model = config.judge.partition("/")
    if not model or not models.get(provider):
        return None
    place = teachers.place(settings, config, provider)
    found = _as_judge(settings, config, place, model, elsewhere.get(provider, ()), purse)
    return None if isinstance(found, str) else found


def _as_judge(
    settings: Settings, config: TeachingConfig, place: teachers.Place, model: str, away: Sequence[str], purse: Purse
) -> ChatModel | str:
    """The model, if what it is asked may leave the machine as far as it does; else why not."""
    if config.local_only and teachers.leaves(place, model, away):
        return f"Local only is on, and {model} is not on this machine."
    if not teachers.affordable(config, place, model, away):
        return f"The price of {model} is not known: it is not asked while there is a budget."
    one = teachers.member(settings, place, model, purse, elsewhere=away, as_judge=True)
    return Fallback([one], patience=JUDGE_PATIENCE)


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge beside a session. ``changed`` says whether the writer has chosen otherwise since."""

    model: ChatModel
    changed: Callable[[Session], bool]


def judge_of(writer_id: str, name: str, settings: Settings, *, spent: float = 0.0) -> Seat | str:
    """The judge of that name ("groq/llama-3.3-70b-versatile"), by the writer's choices as they are now and with what is
    left of a session's budget; else why it cannot be asked, as a sentence. Looks at its service first."""
    with db.reading(settings) as session:
        chosen_at, config = teaching.changed_at(session, writer_id), teaching.load(session, writer_id)
    provider, _, model = name.partition("/")
    if provider not in [*ProviderKey] or not model:
        return f"{name} names no service and model. Choose a judge in Settings."
    place = teachers.place(settings, config, provider)
    if place.absent:
        return f"{place.label}: {place.absent}"
    found = teacher_checks.look(place)
    with db.session(settings) as session:
        checks.finish(session, checks.ask(session, writer_id, provider).id or 0, asdict(found))
    if found.state != "ready" and model not in found.listed:
        return found.message
    judge = _as_judge(settings, config, place, model, found.elsewhere, Purse(config.budget, spent))
    if isinstance(judge, str):
        return judge
    return Seat(judge, lambda session: teaching.changed_at(session, writer_id) != chosen_at)


def beside_sessions(
    writer_id: str, settings: Settings, *, spent: float = 0.0, own_form: bool = False, only: str = ""
) -> Fallback | None:
    """The writer's teachers for something small that belongs to no session, by their choices as they are now, without
    the storyteller; None where nobody can be asked. ``spent`` euros of the budget are gone; with ``own_form`` they
    answer in the form that they are asked for, soon or not at all. ``only`` names the one that may be asked
    ("groq/llama-3.1-8b-instant"). A service is looked at before, unless it was just now; one that is not there keeps
    nobody waiting."""
    service, _, chosen = only.partition("/")
    with db.reading(settings) as session:
        config = teaching.load(session, writer_id)
        places = [place for place in teachers.places(settings, config) if not place.absent]
        places = [place for place in places if not only or place.key == service]
        looks = {place.key: teacher_checks.recent_look(session, writer_id, place.key) for place in places}
    fresh = teacher_checks.look_at_all(place for place in places if looks[place.key] is None)
    with db.session(settings) as session:
        for provider, found in fresh.items():
            checks.finish(session, checks.ask(session, writer_id, provider).id or 0, asdict(found))
    purse = Purse(config.budget, spent)
    members = [
        teachers.member(settings, place, model, purse, elsewhere=found.elsewhere, as_judge=own_form)
        for place in places
        for found in [fresh.get(place.key) or looks[place.key]]
        if found is not None
        for model in (_asked_for(found, chosen) if found.state == "ready" or chosen in found.listed else ())
        if not (config.local_only and teachers.leaves(place, model, found.elsewhere))
        and teachers.affordable(config, place, model, found.elsewhere)
    ]
    return Fallback(members, patience=BESIDE_PATIENCE) if members else None


def _asked_for(found: Look, chosen: str) -> Sequence[str]:
    """The models of a service that are asked: ``chosen``, unless it is known not to be there."""
    if not chosen:
        return found.models
    return [chosen] if chosen in found.listed or chosen in found.models or not found.listed else []
