"""Looking at services before they are asked: are they there, do they take the key, do they still list the models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from logging import getLogger
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from zega_core import db, teachers
from zega_core.errors import ProviderError, ProviderUnavailable, TeacherRefused, ZegaError
from zega_core.providers import limits as windows
from zega_core.providers import rate_headers
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.fallback import Fallback
from zega_core.providers.service import connect, nearest
from zega_core.settings import Settings
from zega_core.store import checks, ledger, limits, teaching, writers
from zega_core.tables import now
from zega_core.teacher_catalog import load_teacher_catalog

log = getLogger(__name__)

PIECE = 600
"""Tokens of one piece with its request, at most: with less left of the day nothing more can be asked."""
SENTENCE = "Write one sentence that could open a story. Only the sentence."
RECENT = timedelta(minutes=2)
"""How long a look is good enough for small things that are asked for often."""
State = Literal["ready", "off", "no_key", "unreachable", "refused", "model_missing", "limited", "unknown"]


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a service found. ``missing`` maps each chosen model that it does not list to the nearest that it
    does, None where there is nothing like it. ``models`` are those that can be asked; ``elsewhere`` those that it
    lists but passes on to a cloud."""

    state: State
    message: str
    listed: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    missing: dict[str, str | None] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


def look(place: teachers.Place) -> Look:
    """Ask a service for its models. Never raises a ProviderError: what went wrong is in the look."""
    try:
        service = connect(place.key, replace(place.access, connect=3.0, first_token=8.0, total=8.0))
        with closing(service):
            found = service.models()
    except TeacherRefused as error:
        if error.status in (None, 401, 402, 403):
            return Look("refused", str(error))
        return Look("ready", "It does not list its models.", models=unseen(place))
    except ProviderUnavailable as error:
        return Look("unreachable", str(error))
    except ProviderError as error:
        return Look("ready", f"It did not list its models: {error}", models=unseen(place))
    elsewhere = [model.id for model in found if model.remote or teachers.leaves(place, model.id)] if place.local else []
    kept = [model for model in found if not (place.access.local_only and model.id in elsewhere)]
    own = [model.id for model in kept if model.writes and model.id not in elsewhere]
    compared = _compared(place, [model.id for model in kept], place.models(own))
    return replace(compared, elsewhere=elsewhere)


def unseen(place: teachers.Place) -> list[str]:
    """The models to ask of a service that has not listed any; under Local only, none that its name gives away."""
    local_only = place.access.local_only
    return [model for model in place.models() if not (local_only and teachers.leaves(place, model))]


def _compared(place: teachers.Place, listed: list[str], wanted: Sequence[str]) -> Look:
    missing = {model: nearest(model, listed) for model in wanted if not _is_listed(model, listed)}
    here = [model for model in wanted if model not in missing]
    if not wanted:
        what = "has no model yet. Get one with: ollama pull llama3.2" if place.key == "ollama" else "lists no model."
        return Look("model_missing", f"{place.label} {what}", listed)
    if missing:
        text = " ".join(_gone(place.label, model, other) for model, other in missing.items())
        return Look("ready" if here else "model_missing", text, listed, here, missing)
    return Look("ready", "", listed, here)


def _is_listed(model: str, listed: Sequence[str]) -> bool:
    """Ollama's names have a tag that may be left out; Hugging Face's may be followed by who runs them."""
    return model in listed or f"{model}:latest" in listed or model.partition(":")[0] in listed


def _gone(label: str, model: str, other: str | None) -> str:
    hint = f"The nearest that it lists is {other}; choose it in Settings." if other else "Choose another in Settings."
    return f"{label} does not list {model}. {hint}"


def look_at_all(places: Iterable[teachers.Place]) -> dict[str, Look]:
    """Side by side, those that may be asked."""
    present = [place for place in places if not place.absent]
    if not present:
        return {}
    with ThreadPoolExecutor(len(present), thread_name_prefix="look") as pool:
        return dict(zip([place.key for place in present], pool.map(look, present), strict=True))


def check(check_id: int, settings: Settings) -> None:
    """Do what a page asked for: look at a service, or ask one of its models for a sentence."""
    with db.reading(settings) as session:
        row = checks.get(session, check_id)
        if row.done_at is not None:
            return
        config = teaching.load(session, row.user_id)
    try:
        place = teachers.place(settings, config, row.provider)
        result = _test(place, row.model, row.user_id, settings) if row.model else _look_once(place)
    except ZegaError as error:
        result = {"state": "refused", "message": str(error)}
    except Exception as error:
        log.exception("check %d failed", check_id)
        result = {"state": "unreachable", "message": f"It could not be tried ({type(error).__name__})."}
    with db.session(settings) as session:
        checks.finish(session, check_id, result)


def survey(settings: Settings, writer_id: str) -> dict[str, dict[str, Any]]:
    """Every service of a writer, looked at now; those that are not asked with the reason why."""
    with db.session(settings) as session:
        config = teaching.load(session, writer_id)
    places = teachers.places(settings, config)
    looks = look_at_all(places)
    return {place.key: asdict(looks.get(place.key) or Look("off", place.absent)) for place in places}


def try_out(settings: Settings, writer_id: str, name: str) -> dict[str, dict[str, Any]]:
    """One sentence from a teacher, by its name ("groq/openai/gpt-oss-20b"); raises InvalidInput."""
    provider, _, model = name.partition("/")
    load_teacher_catalog().provider(provider)
    with db.session(settings) as session:
        writers.ensure(session, writer_id)
        config = teaching.load(session, writer_id)
    place = teachers.place(settings, config, provider)
    wanted = model or next(iter(place.models(look(place).listed)), "")
    if not wanted:
        return {name: {"state": "model_missing", "message": f"{place.label} has no model to ask."}}
    return {f"{provider}/{wanted}": _test(place, wanted, writer_id, settings)}


def _look_once(place: teachers.Place) -> dict[str, Any]:
    if place.absent:
        return asdict(Look("off", place.absent))
    return asdict(look(place))


def _test(place: teachers.Place, model: str, writer_id: str, settings: Settings) -> dict[str, Any]:
    """One sentence, as a run would ask for it: limits hold, and it is in the ledger."""
    if place.absent:
        return {"state": "off", "message": place.absent}
    with db.reading(settings) as session:
        found = last_look(session, writer_id, place.key)
    elsewhere = found.elsewhere if found else ()
    if place.access.local_only and teachers.leaves(place, model, elsewhere):
        return {"state": "off", "message": f"{model} runs elsewhere. Turn Local only off to ask it."}
    teacher = teachers.member(settings, place, model, elsewhere=elsewhere)
    started = time.monotonic()
    try:
        completion = Fallback([teacher], patience=10.0).complete(
            [Message("user", SENTENCE)], GenerationOptions(max_tokens=300)
        )
        calls, seconds = completion.calls, time.monotonic() - started
        result = {"state": "ready", "message": "", "text": completion.text[:2000], "seconds": round(seconds, 2)}
        result["reported"] = calls[-1].reported if calls else ""
    except ProviderError as error:
        calls = error.calls
        result = {
            "state": "unreachable" if isinstance(error, ProviderUnavailable) else "refused",
            "message": str(error),
        }
    with db.session(settings) as session:
        ledger.add(session, writer_id, calls, role="test")
    return result


@dataclass(frozen=True, slots=True)
class Standing:
    """How a service stands, for a page. ``until`` is when a limit ends, in seconds since 1970."""

    state: State
    message: str
    found: Look | None
    looked_at: float | None
    looking: bool
    until: float | None = None


def standing(session: Session, writer_id: str, place: teachers.Place) -> Standing:
    """From what the last look found and what the limits say; asks nobody."""
    last, under_way = (find(session, writer_id, place.key) for find in (checks.latest_done, checks.latest))
    looking = under_way is not None and under_way.done_at is None
    looked_at = last.done_at.timestamp() if last is not None and last.done_at else None
    found = _read_look(last.result) if last is not None else None
    if place.absent:
        state: State = "no_key" if place.absent.startswith("No key") else "off"
        return Standing(state, place.absent, None, looked_at, looking)
    until = _limited_until(session, place, found.models if found else unseen(place))
    if until is not None:
        return Standing("limited", "", found, looked_at, looking, until)
    if found is None:
        return Standing("unknown", "Not looked at yet.", None, None, looking)
    return Standing(found.state, found.message, found, looked_at, looking)


def _limited_until(session: Session, place: teachers.Place, models: Sequence[str]) -> float | None:
    """When the first of its models may be asked again; None when one may be asked now."""
    usage, now = limits.read(session, place.scope), time.time()
    ends: list[float] = []
    for model in models:
        known = rate_headers.known(usage, teachers.limits_of(place, model), model)
        day, pause = windows.exhausted_until(usage, known, now, PIECE, scope=model), usage.paused(model).until
        ends += [max(day or 0.0, pause)] if day or pause > now else []
    return min(ends) if ends and len(ends) == len(models) else None


def last_look(session: Session, writer_id: str, provider: str) -> Look | None:
    row = checks.latest_done(session, writer_id, provider)
    return _read_look(row.result) if row is not None else None


def recent_look(session: Session, writer_id: str, provider: str) -> Look | None:
    """The last look, unless it is older than ``RECENT`` or the writer has chosen otherwise since."""
    row, chosen_at = checks.latest_done(session, writer_id, provider), teaching.changed_at(session, writer_id)
    if row is None or row.done_at is None or now() - row.done_at > RECENT or (chosen_at and chosen_at > row.asked_at):
        return None
    return _read_look(row.result)


def _read_look(data: object) -> Look | None:
    """A stored look; None for a row that another version wrote."""
    try:
        return TypeAdapter(Look).validate_python(data)
    except ValidationError:
        return None
