"""Services as a page tells of them: how they stand, where text goes, what they allow and cost, and why a choice is
refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from zega_core import db, teachers
from zega_core.configs import ProviderKey, TeachingConfig, checked
from zega_core.errors import InvalidInput
from zega_core.settings import Settings, service_environment
from zega_core.store import checks
from zega_core.tables import now
from zega_core.teacher_catalog import LIMITS, load_teacher_catalog
from zega_core.teacher_checks import Standing, State
from zega_core.teachers import Place

STATES: dict[State, str] = {
    "ready": "Ready",
    "off": "Turned off",
    "no_key": "No key",
    "unreachable": "Unreachable",
    "refused": "Refused",
    "model_missing": "Model not listed",
    "limited": "Limited",
    "unknown": "Not looked at yet",
}
LIMIT_WORDS = dict(zip(LIMITS, ("Requests a minute", "Requests a day", "Tokens a minute", "Tokens a day"), strict=True))
KEY_VARIABLES = {
    ProviderKey.groq: ("GROQ_API_KEY",),
    ProviderKey.gemini: ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    ProviderKey.huggingface: ("HUGGINGFACEHUB_API_TOKEN", "HF_TOKEN"),
    ProviderKey.openai_compatible: ("ZEGA_OPENAI_API_KEY",),
}
REFUSALS = {
    "models": "That cannot be the name of a model. A name has 1 to 80 letters, digits and . : / @ + - _ without "
    "spaces, and a service has at most 8 models.",
    "limits": "A limit is a whole number from 1 to 1,000,000,000. Leave the field empty for the listed one.",
    "in_flight": "Requests at once is a whole number from 1 to 64.",
    "base_url": "An address has at most 300 characters. It looks like http://localhost:1234/v1.",
    "price_in": "A price is from 0 to 10,000 dollars for a million tokens.",
    "price_out": "A price is from 0 to 10,000 dollars for a million tokens.",
    "budget": "A budget is more than 0 and at most 100,000 euros. Leave the field empty for no limit.",
    "min_votes": "From 1 to 5 teachers can write each piece.",
    "judge": "The name of that model is too long for a judge. Choose another.",
}
LATE = timedelta(seconds=20)
"""A look or test without an answer for this long is said to be late."""

Config = TypeVar("Config", bound=BaseModel)


def changed(config: Config, **values: Any) -> Config:
    """``config`` with other values; raises InvalidInput with a sentence for the writer."""
    try:
        return checked(type(config), **{**dict(config), **values})
    except InvalidInput as error:
        cause = error.__cause__
        first = cause.errors()[0] if isinstance(cause, ValidationError) else None
        if first is None or first["type"] == "value_error" or not first["loc"]:
            raise
        raise InvalidInput(REFUSALS.get(str(first["loc"][0]), str(error))) from error


def changed_choice(config: TeachingConfig, provider: str, **values: Any) -> TeachingConfig:
    """The same for what a writer chose of one service."""
    choices = [changed(choice, **values) if choice.provider == provider else choice for choice in config.in_order()]
    return changed(config, teachers=choices)


def moved(config: TeachingConfig, provider: str, step: int) -> TeachingConfig:
    """The service earlier (-1) or later (1) in the order in which they are asked."""
    choices = list(config.in_order())
    place = choices.index(config.choice(provider))
    choices.insert(max(0, place + step), choices.pop(place))
    return changed(config, teachers=choices)


def listed(stands: Standing) -> list[str]:
    return stands.found.listed if stands.found is not None else []


def missing(stands: Standing) -> Mapping[str, str | None]:
    """Chosen models that the service does not list, with the nearest that it does."""
    return stands.found.missing if stands.found is not None else {}


def headline(stands: Standing) -> str:
    """The state in a word or two."""
    if stands.state == "off" and stands.message.startswith("No address"):
        return "No address"
    return STATES[stands.state]


def sentence(stands: Standing, until: str) -> str:
    """What is to be said beside the headline, if anything. ``until`` is the end of a limit in the reader's time."""
    if stands.state == "limited":
        return f"Nothing is asked until {until}: a limit of the service is used up."
    if stands.state == "off" and "Local only" in stands.message:
        return "By Local only: it is not on this machine."
    if stands.state in ("off", "no_key", "unknown"):
        return ""
    if missing(stands):
        gone = f"It does not list {', '.join(missing(stands))}."
        return f"Asks {_in_turn(stands.found.models)}. {gone}" if stands.found and stands.found.models else gone
    if stands.state == "ready" and stands.found is not None and stands.found.models:
        return " ".join([f"Asks {_in_turn(stands.found.models)}.", stands.message]).strip()
    return stands.message


def _in_turn(models: Sequence[str]) -> str:
    return ", then ".join(models)


def host_of(place: Place) -> str:
    """Host and port alone: an address may hold a name and password."""
    address = place.access.base_url.strip()
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}" if parts.hostname else ""
    except ValueError:
        return ""


def where(place: Place) -> str:
    if not host_of(place):
        return ""
    return "On this machine: nothing leaves it" if place.local else f"Sends text to {host_of(place)}"


def in_the_cloud(place: Place, stands: Standing) -> list[str]:
    """What is to be said of models that run elsewhere although their server is on this machine: Ollama marks them."""
    if not place.local:
        return []
    models, elsewhere = place.models(listed(stands)), stands.found.elsewhere if stands.found is not None else []
    what = "it is not asked" if place.access.local_only else "what it is asked leaves this machine"
    return [f"{model} runs in Ollama's cloud: {what}." for model in models if teachers.leaves(place, model, elsewhere)]


def takes_key(place: Place) -> bool:
    return place.key in KEY_VARIABLES


def key_variable(provider: str) -> str:
    """The name of the variable of the environment that holds a key for it."""
    names = KEY_VARIABLES.get(ProviderKey(provider), ())
    environment = service_environment()
    return next((name for name in names if getattr(environment, name.lower()) is not None), "")


def day_in_words(day: str) -> str:
    moment = date.fromisoformat(day)
    return f"{moment.day} {moment:%B %Y}"


def listed_limits(place: Place, models: Sequence[str]) -> dict[str, str]:
    """The catalog's amounts by the limit's name, as they apply to these models: "30", or "1,000 / 14,400"."""
    plain = replace(place, choice=place.choice.model_copy(update={"limits": {}}))
    amounts: dict[str, list[str]] = {}
    for model in models:
        for limit in teachers.limits_of(plain, model):
            amounts.setdefault(limit.name, []).append(f"{limit.amount:,}")
    return {name: " / ".join(dict.fromkeys(found)) for name, found in amounts.items()}


def votes_in_words(votes: int) -> str:
    number = ("", "One", "Two", "Three", "Four", "Five")[votes]
    if votes == 1:
        return "One teacher writes each piece: the first in the list that can."
    best, times = ("the better one", "twice") if votes == 2 else ("the best one", f"{number.lower()} times")
    return f"{number} teachers write each piece, and {best} is kept. It costs {times} as much."


def local_only_in_words(on: bool) -> str:
    if on:
        return "On: nobody outside this machine is asked."
    return "Off: services elsewhere are asked too, once they are turned on and have a key."


def judges(places: Sequence[Place], standings: Mapping[str, Standing], chosen: str) -> list[str]:
    """Names of the models that could be judge; empty for nobody, first. The one chosen is always among them."""
    names = [
        f"{place.key}/{model}"
        for place in places
        if not place.absent
        for model in place.models(listed(standings[place.key]))
    ]
    return list(dict.fromkeys(["", *names, chosen]))


def budget_in_words() -> str:
    catalog = load_teacher_catalog()
    return (
        f"Counted by list prices, or your own, at {catalog.euros_per_dollar:.2f} € for a dollar "
        f"({day_in_words(catalog.rate_checked)}). While there is a budget, a teacher whose price is not known is not "
        "asked."
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a test: a sentence, or the reason why there is none."""

    text: str
    message: str
    seconds: float
    reported: str
    done_at: datetime


def trial(session: Session, writer_id: str, provider: str, model: str) -> Trial | None:
    """The last finished test of a model, if it is of today's last hour; None for a row of another shape."""
    row = checks.latest_done(session, writer_id, provider, model)
    if row is None or row.done_at is None or now() - row.done_at > timedelta(hours=1):
        return None
    result = row.result if isinstance(row.result, dict) else {}
    text, message, reported = (_text(result.get(name)) for name in ("text", "message", "reported"))
    seconds = result.get("seconds")
    if not text and not message:
        return None
    usable = isinstance(seconds, (int, float)) and 0 <= seconds < 1e6
    return Trial(text, message, float(seconds) if usable else 0.0, reported, row.done_at)  # type: ignore[arg-type]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


Asked = tuple[str, str]
"""A service and a model of it; the model is empty for a look."""


def waiting(session: Session, writer_id: str, asked: Iterable[Asked]) -> dict[Asked, bool]:
    """Looks and tests without an answer so far, and whether it is late."""
    found: dict[Asked, bool] = {}
    for provider, model in asked:
        row = checks.latest(session, writer_id, provider, model)
        if row is not None and row.done_at is None and now() - row.asked_at < checks.GIVEN_UP:
            found[provider, model] = now() - row.asked_at > LATE
    return found


def kept_here(settings: Settings) -> list[tuple[str, str, str]]:
    """Icon, what is kept, and where."""
    home = settings.home
    database = db.database_url(settings)
    at = f"PostgreSQL on {database.host or 'this machine'}" if settings.uses_postgresql else str(home / "zega.db")
    keys = home / "keys.json"
    if not keys.exists():
        guard = "Keys that you enter, in a file that only you can read. None is stored."
    elif os.name == "posix" and keys.stat().st_mode & 0o077:
        guard = f"Keys that you entered. Others can read this file: run chmod 600 {keys}"
    else:
        guard = "Keys that you entered, in a file that only you can read."
    return [
        ("edit_note", "Everything that is written, your choices, and the record of what was sent:", at),
        ("tune", "The versions of your model, each with the examples that it learned from:", str(home / "versions")),
        ("package_2", "What you took out of ZEGA, until you delete it there:", str(home / "exports")),
        ("key", guard, str(keys)),
        ("receipt_long", "What ZEGA did, for finding faults:", str(home / "logs")),
    ]
