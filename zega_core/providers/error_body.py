"""What a service says when it refuses: its words and codes, and how long to wait, in whichever form it says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from zega_core.providers.exchange import Exchange

MOST_SAID = 200
"""Characters of a service's own words in a message."""
LONGEST_WAIT = 7 * 86_400.0
AROUND_EVENTS = (b":", b"event:", b"id:", b"retry:", b"data: [DONE]")
"""Lines of an event stream that are not its content."""
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True)
class Told:
    """What a service says of an error. ``text`` is all its words and codes, ``number`` an HTTP status inside the
    body, ``wait`` the seconds in the body, ``headers`` those inside the body."""

    message: str = ""
    text: str = ""
    number: int | None = None
    wait: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def read_error(exchange: Exchange) -> Told | None:
    """What the body says of an error, None when it says nothing of one."""
    for value in _values(bytes(exchange.body)):
        value = value[0] if isinstance(value, list) and value else value
        if not isinstance(value, Mapping):
            continue
        error = value.get("error")
        if not error and exchange.status is not None and exchange.status >= 300:
            error = value.get("message") or value.get("detail") or value
        if error:
            return _read(error if isinstance(error, Mapping) else {"message": error}, value)
    plain = exchange.body.decode("utf-8", "replace").strip()
    if exchange.status is not None and exchange.status >= 300 and plain[:1] not in ("", "<", "{", "["):
        return Told(message=plain, text=plain)
    return None


def _values(body: bytes) -> Iterator[Any]:
    """The JSON of a body: all of it, or that of its lines and events, the last first."""
    try:
        yield json.loads(body)
        return
    except (ValueError, RecursionError):
        pass
    for line in reversed(body.splitlines()):
        try:
            yield json.loads(line.removeprefix(b"data:"))
        except (ValueError, RecursionError):
            continue


def _read(error: Mapping[str, Any], around: Mapping[str, Any]) -> Told:
    message = error.get("message")
    message = message if isinstance(message, str) else ""
    details = error.get("details")
    details = [part for part in details if isinstance(part, Mapping)] if isinstance(details, list) else []
    codes = [
        str(source.get(name, "")) for source in (error, around) for name in ("code", "type", "status", "error_type")
    ]
    quotas = json.dumps([part for part in details if "links" not in part])
    wait = next((_duration(str(part["retryDelay"])) for part in details if "retryDelay" in part), None)
    if wait is None and "estimated_time" in around:
        wait = _duration(str(around["estimated_time"]))
    metadata = error.get("metadata")
    inner = metadata.get("headers") if isinstance(metadata, Mapping) else None
    headers = {str(name).lower(): str(value) for name, value in inner.items()} if isinstance(inner, Mapping) else {}
    number = error.get("code")
    number = number if isinstance(number, int) and 400 <= number < 600 else None
    return Told(message, " ".join([message, *codes, quotas]), number, wait, headers)


def is_json(exchange: Exchange) -> bool:
    """Whether the body is JSON; of a stream, every line that says something."""
    lines = bytes(exchange.body).splitlines() if exchange.streamed else [bytes(exchange.body)]
    said = [line for line in lines if line.strip() and not (exchange.streamed and line.startswith(AROUND_EVENTS))]
    try:
        for line in said:
            json.loads(line.removeprefix(b"data:") if exchange.streamed else line)
    except (ValueError, RecursionError):
        return False
    return bool(said)


def cleaned(message: str, key: str | None) -> str:
    """A service's words as one line that can be shown: without the key, and never a dump of data."""
    if message.lstrip()[:1] in ("{", "[", "<"):
        return ""
    if key:
        message = message.replace(key, "…")
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in message).split())
    if len(words) > MOST_SAID:
        return words[: MOST_SAID - 1].rstrip() + "…"
    return words if not words or words[-1] in ".!?" else f"{words}."


def retry_after(exchange: Exchange, told: Told) -> float | None:
    """The first usable of: the header, the body's own field, the body's words, the time at which a limit is reset."""
    words = re.search(r"\b(?:try again|retry) in (\d[\d.hms]*)", told.message)
    ways = (
        retry_header(exchange, told),
        told.wait,
        _duration(words[1].rstrip(".")) if words else None,
        _reset({**told.headers, **exchange.headers}),
    )
    return next((wait for wait in ways if _usable(wait)), None)


def retry_header(exchange: Exchange, told: Told) -> float | None:
    """The seconds or the date of a Retry-After, None without a usable one."""
    wait = _seconds_or_date({**told.headers, **exchange.headers}.get("retry-after", ""))
    return wait if _usable(wait) else None


def _usable(wait: float | None) -> bool:
    return wait is not None and 0 <= wait <= LONGEST_WAIT


def _reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limits that are used up are reset; of several whose rest is not told, the first."""
    resets: list[float] = []
    used_up: list[float] = []
    for prefix in ("x-ratelimit-", "ratelimit-"):
        for kind in ("", "-requests", "-tokens"):
            reset = _duration(headers.get(f"{prefix}reset{kind}", ""))
            if reset is not None:
                resets.append(reset)
                if headers.get(f"{prefix}remaining{kind}", "").strip() == "0":
                    used_up.append(reset)
    return max(used_up) if used_up else min(resets, default=None)


def _seconds_or_date(value: str) -> float | None:
    if (seconds := _duration(value)) is not None:
        return seconds
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _duration(value: str) -> float | None:
    """Seconds of "12", "1m26.4s", "120ms", or until a moment in (milli)seconds since 1970."""
    value = value.strip()
    if re.fullmatch(r"\d{1,15}(\.\d+)?", value):
        seconds = float(value)
        if seconds < 1e9:
            return seconds
        return (seconds / 1000 if seconds > 1e12 else seconds) - datetime.now(UTC).timestamp()
    parts = re.findall(r"(\d{1,9}(?:\.\d+)?)(ms|s|m|h|d)", value)
    if not parts or "".join(number + unit for number, unit in parts) != value:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)
