"""How often a service may be asked: sliding windows over requests and tokens. Pure: state in, state out.

A window holds what was sent in its last ``seconds`` in slots of a 120th of it, and a slot is forgotten only when its
youngest request has left the window, so no window of that length, wherever it begins, ever holds more than the limit
(a token bucket would let twice the limit through around its edge). A limit that a service resets at midnight is
counted from that midnight on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, DAY = 60, 86_400
SLOTS = 120
TRANSIT = 0.5
"""Seconds that a request may take to reach the service: its clock is not ours."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds to keep away after a 429 that does not say how long: doubled each time, up to the longest."""
HEADROOM_AFTER_RESET = 5.0
"""Seconds after a midnight before it is believed: clocks differ."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``name`` as in the catalog ("tokens_per_minute"), ``scope`` the model it is counted for, empty for all of the
    service. ``resets`` is the time zone at whose midnight a limit of the day ends, empty for the last 24 hours.
    ``own`` is a limit that the writer has set: a service may tell of a smaller one, not of a larger."""

    name: str
    amount: int
    scope: str = ""
    resets: str = ""
    own: bool = False

    @property
    def key(self) -> str:
        return f"{self.name}/{self.scope}" if self.scope else self.name

    @property
    def seconds(self) -> int:
        return DAY if self.name.endswith("day") else MINUTE

    @property
    def of_tokens(self) -> bool:
        return self.name.startswith("tokens")


@dataclass(frozen=True, slots=True)
class Pause:
    """Keep away ``until`` then (seconds since 1970), for the ``day`` if its limit is used up. ``strikes`` counts the
    429s in a row that came although the last pause was kept, ``since`` is when the last of them was noted."""

    until: float = 0.0
    day: bool = False
    strikes: int = 0
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What is known of one service and key. ``windows`` maps a limit's key to its slots: [begin, amount] pairs in
    order, begin in seconds since 1970. ``amounts`` are limits that the service itself has told. ``pauses`` are by
    model."""

    windows: dict[str, list[list[float]]] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)

    def paused(self, scope: str) -> Pause:
        return self.pauses.get(scope, Pause())

    def with_pause(self, scope: str, pause: Pause) -> Usage:
        return replace(self, pauses={**self.pauses, scope: pause})

    def as_dict(self) -> dict[str, Any]:
        pauses = {scope: [one.until, one.day, one.strikes, one.since] for scope, one in self.pauses.items()}
        return {"windows": self.windows, "amounts": self.amounts, "pauses": pauses}

    @classmethod
    def read(cls, data: object) -> Usage:
        """From a stored row; whatever is not of the expected shape is left out."""
        if not isinstance(data, Mapping):
            return cls()
        windows, amounts, pauses = (data.get(name) for name in ("windows", "amounts", "pauses"))
        return cls(
            windows={str(key): _slots(value) for key, value in windows.items()} if isinstance(windows, Mapping) else {},
            amounts={str(key): int(value) for key, value in amounts.items() if _number_in(value) >= 1}
            if isinstance(amounts, Mapping)
            else {},
            pauses={str(scope): _pause(value) for scope, value in pauses.items()}
            if isinstance(pauses, Mapping)
            else {},
        )


def take(
    usage: Usage,
    limits: Sequence[Limit],
    now: float,
    tokens: int,
    requests: int = 1,
    *,
    scope: str = "",
    ahead: float = 0.0,
) -> tuple[Usage, float]:
    """Room for ``requests`` of ``tokens`` each: the usage with them counted and 0.0, or unchanged and the seconds
    until there may be room. They are counted ``ahead`` seconds from now, when the last of them may be sent."""
    wait = max(0.0, usage.paused(scope).until - now)
    windows = {key: slots for key, slots in usage.windows.items() if _counts(key, slots, now)}
    for limit in limits:
        slots = current(windows.get(limit.key, []), limit, now)
        amount = allowed(usage, limit)
        wanted = min(amount, requests * tokens if limit.of_tokens else requests)
        wait = max(wait, _wait(slots, limit, amount - wanted, now))
        windows[limit.key] = added(slots, limit, wanted, now + ahead)
    return (usage, wait) if wait > 0 else (replace(usage, windows=windows), 0.0)


def allowed(usage: Usage, limit: Limit) -> int:
    """The amount that holds: what the service told, but never more than the writer set."""
    told = usage.amounts.get(limit.key)
    if told is None:
        return limit.amount
    return min(told, limit.amount) if limit.own else told


def answered(usage: Usage, scope: str) -> Usage:
    """A request got through: the next 429 is a first one again."""
    return usage.with_pause(scope, Pause()) if scope in usage.pauses else usage


def settle(usage: Usage, limits: Sequence[Limit], now: float, sent_at: float, surplus: float) -> Usage:
    """Give back ``surplus`` tokens of a request sent at ``sent_at`` that needed fewer than were counted. They are
    taken from the oldest slots since then, so what stays counts for longer than it need, never for shorter; a request
    that has left its window gives nothing back."""
    windows = dict(usage.windows)
    for limit in limits:
        if not limit.of_tokens or _end(_slot_of(sent_at, limit), limit) <= now:
            continue
        back, slots = surplus, [list(slot) for slot in windows.get(limit.key, [])]
        for slot in slots:
            if slot[0] >= _slot_of(sent_at, limit):
                given = min(slot[1], back)
                slot[1], back = slot[1] - given, back - given
        windows[limit.key] = slots
    return replace(usage, windows=windows)


def give_back(usage: Usage, limits: Sequence[Limit], moment: float, tokens: int, requests: int) -> Usage:
    """Uncount ``requests`` of ``tokens`` each that were taken for ``moment`` and never sent."""
    windows = dict(usage.windows)
    for limit in limits:
        begin, amount = _slot_of(moment, limit), requests * tokens if limit.of_tokens else requests
        windows[limit.key] = [
            [slot, max(0.0, held - amount) if slot == begin else held] for slot, held in windows.get(limit.key, [])
        ]
    return replace(usage, windows=windows)


def pause(
    usage: Usage,
    limits: Sequence[Limit],
    now: float,
    retry_after: float | None,
    daily: bool,
    *,
    scope: str = "",
    sent_at: float | None = None,
) -> Usage:
    """Keep away from a model after a 429: as long as the service says, but ever longer when that does not help.

    Requests that were under way together are refused together: only one sent after the last pause counts as another
    strike. A used-up day ends at the service's midnight, whatever shorter time it names.
    """
    before = usage.paused(scope)
    strikes = before.strikes + (sent_at is None or sent_at >= before.since)
    backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (strikes - 1))
    zone = next((limit.resets for limit in limits if limit.resets), "")
    if daily and zone:
        length = max(retry_after or 0.0, midnight(now - HEADROOM_AFTER_RESET, zone, 1) + HEADROOM_AFTER_RESET - now)
    elif retry_after is None:
        length = 3600.0 if daily else backoff
    else:
        length = max(retry_after, backoff) if strikes > 1 else retry_after
    since = now if strikes > before.strikes else before.since
    return usage.with_pause(scope, Pause(max(before.until, now + length), daily or before.day, min(strikes, 16), since))


def left_today(usage: Usage, limits: Sequence[Limit], now: float) -> dict[str, int]:
    """What is left of each limit of the day, by the limit's name."""
    left: dict[str, int] = {}
    for limit in limits:
        if limit.seconds == DAY:
            used = sum(amount for _, amount in current(usage.windows.get(limit.key, []), limit, now))
            left[limit.name] = max(0, int(allowed(usage, limit) - used))
    return left


def exhausted_until(
    usage: Usage, limits: Sequence[Limit], now: float, tokens: int = 1, *, scope: str = ""
) -> float | None:
    """When the used-up limit of the day ends, seconds since 1970; None while a request of ``tokens`` still fits."""
    paused = usage.paused(scope)
    ends = [paused.until] if paused.day and paused.until > now else []
    for limit in limits:
        if limit.seconds == DAY:
            amount = allowed(usage, limit)
            wanted = min(amount, tokens if limit.of_tokens else 1)
            wait = _wait(current(usage.windows.get(limit.key, []), limit, now), limit, amount - wanted, now)
            ends += [now + wait] if wait > 0 else []
    return max(ends, default=None)


def _wait(slots: Sequence[Sequence[float]], limit: Limit, room: float, now: float) -> float:
    """Seconds until no more than ``room`` is in the window."""
    used = sum(amount for _, amount in slots)
    if used <= room:
        return 0.0
    if limit.seconds == DAY and limit.resets:
        return midnight(now - HEADROOM_AFTER_RESET, limit.resets, 1) + HEADROOM_AFTER_RESET - now
    for begin, amount in slots:
        used -= amount
        if used <= room:
            return max(0.001, _end(begin, limit) - now)
    return float(limit.seconds)


def current(slots: Sequence[Sequence[float]], limit: Limit, now: float) -> list[list[float]]:
    """The slots that still count; those from a clock that ran ahead are dropped."""
    if limit.seconds == DAY and limit.resets:
        since = midnight(now - HEADROOM_AFTER_RESET, limit.resets)
        return [list(slot) for slot in slots if since < slot[0] + limit.seconds / SLOTS and slot[0] <= now + MINUTE]
    return [list(slot) for slot in slots if _end(slot[0], limit) > now and slot[0] <= now + MINUTE]


def added(slots: list[list[float]], limit: Limit, amount: float, now: float) -> list[list[float]]:
    begin = _slot_of(now, limit)
    if slots and slots[-1][0] >= begin:
        return [*slots[:-1], [slots[-1][0], slots[-1][1] + amount]]
    return [*slots, [begin, amount]]


def _slot_of(moment: float, limit: Limit) -> float:
    width = limit.seconds / SLOTS
    return moment // width * width


def _end(begin: float, limit: Limit) -> float:
    return begin + limit.seconds / SLOTS + limit.seconds + TRANSIT


def midnight(moment: float, zone: str, days: int = 0) -> float:
    """The last midnight there, or ``days`` after it."""
    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return (local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)).timestamp()


def _counts(key: str, slots: Sequence[Sequence[float]], now: float) -> bool:
    """Whether a window still holds something: those of models that are no longer asked are forgotten."""
    seconds = DAY if key.partition("/")[0].endswith("day") else MINUTE
    return any(begin > now - 2 * seconds for begin, _ in slots)


def _pause(value: object) -> Pause:
    if not isinstance(value, list) or len(value) != 4:
        return Pause()
    until, day, strikes, since = value
    return Pause(_number_in(until), day is True, int(_number_in(strikes)), _number_in(since))


def _slots(value: object) -> list[list[float]]:
    if not isinstance(value, list):
        return []
    pairs = [pair for pair in value if isinstance(pair, list) and len(pair) == 2]
    return sorted([_number_in(begin), _number_in(amount)] for begin, amount in pairs)


def _number_in(value: object) -> float:
    """A stored number; 0 for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
        return float(value)
    return 0.0
