"""What a run will be like before it starts: who will write, how long, at what cost, and what stands in the way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from zega_core import db, teacher_checks, teachers
from zega_core.configs import TeachingConfig
from zega_core.forecast import Outlook, forecast, in_words
from zega_core.providers import label_of, rate_headers, storyteller
from zega_core.providers import limits as windows
from zega_core.providers.limits import Limit, Usage
from zega_core.settings import Settings
from zega_core.store import history_totals, ledger, limits, teaching

PRIOR_TOKENS = 330.0
"""Tokens of one piece with its request, while none has been measured."""
PRIOR_SECONDS = {True: (8.0, 45.0), False: (1.0, 5.0)}
"""Seconds of one piece, low and high, while none has been measured: on the own machine without a GPU, and elsewhere."""
PRIOR_KEPT = (0.5, 0.95)
ENOUGH = 20
"""Scored pieces from which on the writer's own share of kept ones is used."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """For a page: who will be asked, the forecast in sentences (empty while nothing is known of any service), and what
    stands in the way of ``places``, the services that the writer has turned on."""

    who: str
    sentences: list[str]
    troubles: list[str]
    places: list[teachers.Place]
    standings: dict[str, teacher_checks.Standing]


def ahead(settings: Settings, writer_id: str, number: int) -> Ahead:
    with db.reading(settings) as session:
        config = teaching.load(session, writer_id)
        present = [place for place in teachers.places(settings, config) if not place.absent]
        standings = {place.key: teacher_checks.standing(session, writer_id, place) for place in present}
        kept = _kept(session, writer_id)
        found = [
            _outlook(session, writer_id, place, model, kept, _elsewhere(standings[place.key]))
            for place in present
            for model in _models(place, standings[place.key])
            if teachers.affordable(config, place, model, _elsewhere(standings[place.key]))
        ]
    troubles = [said for place in present if (said := _trouble(place, standings[place.key]))]
    names = [one.label for one in found]
    if config.storyteller:
        names.append(label_of("storyteller"))
    if not found:
        return Ahead(", ".join(names) or "nobody", [], troubles, present, standings)
    if config.storyteller:
        found.append(_storyteller(kept))
    return Ahead(", ".join(names), _said(found, number, config), troubles, present, standings)


def _said(found: list[Outlook], number: int, config: TeachingConfig) -> list[str]:
    return in_words(forecast(found, number, votes=config.min_votes, budget=config.budget))


def _models(place: teachers.Place, standing: teacher_checks.Standing) -> list[str]:
    if standing.found is None or standing.state not in ("ready", "limited"):
        return []
    return standing.found.models


def _trouble(place: teachers.Place, standing: teacher_checks.Standing) -> str:
    if standing.state == "limited" and standing.until is not None:
        return f"{place.label} is at its limit until {datetime.fromtimestamp(standing.until):%H:%M}."
    return standing.message if standing.state in ("unreachable", "refused", "model_missing", "ready") else ""


def _elsewhere(standing: teacher_checks.Standing) -> list[str]:
    return standing.found.elsewhere if standing.found is not None else []


def _outlook(
    session: Session,
    writer_id: str,
    place: teachers.Place,
    model: str,
    kept: tuple[float, float],
    elsewhere: list[str],
) -> Outlook:
    pace = ledger.pace(session, writer_id, place.key, model)
    usage, now = limits.read(session, place.scope), time.time()
    mine = rate_headers.known(usage, teachers.limits_of(place, model), model)
    left = windows.left_today(usage, mine, now)
    prompt, completion = (
        (pace.prompt_tokens, pace.completion_tokens) if pace else (PRIOR_TOKENS / 3, PRIOR_TOKENS * 2 / 3)
    )
    return Outlook(
        provider=place.key,
        label=f"{place.label} · {model}",
        model=model,
        in_flight=place.in_flight,
        seconds=(pace.seconds_low, pace.seconds_high) if pace else PRIOR_SECONDS[place.local],
        tokens=prompt + completion,
        price=teachers.price_of(place, model, elsewhere)(round(prompt), round(completion)),
        requests_per_minute=_amount(usage, mine, "requests_per_minute"),
        tokens_per_minute=_amount(usage, mine, "tokens_per_minute"),
        requests_left=left.get("requests_per_day"),
        tokens_left=left.get("tokens_per_day"),
        success=pace.good if pace else 1.0,
        kept=kept,
        resets=_resets(mine, now),
    )


def _amount(usage: Usage, mine: list[Limit], name: str) -> int | None:
    return next((windows.allowed(usage, limit) for limit in mine if limit.name == name), None)


def _resets(mine: list[Limit], now: float) -> str:
    zone = next((limit.resets for limit in mine if limit.resets), "")
    return f"at {datetime.fromtimestamp(windows.midnight(now, zone, 1)):%H:%M}" if zone else ""


def _kept(session: Session, writer_id: str) -> tuple[float, float]:
    """The share of scored pieces that will be kept, low and high: the writer's own so far, a tenth either way."""
    totals = history_totals.totals(session, writer_id, recorded=True)
    if totals.scored < ENOUGH:
        return PRIOR_KEPT
    share = totals.kept / totals.scored
    return max(0.0, share - 0.1), min(1.0, share + 0.1)


def _storyteller(kept: tuple[float, float]) -> Outlook:
    model = storyteller()
    return Outlook(
        model.name, model.label, model.name, model.in_flight, (0.01, 0.03), 300.0, kept=kept, last_resort=True
    )
