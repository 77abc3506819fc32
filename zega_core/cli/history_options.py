"""Options that the commands of ``zega history`` share, and the filter that they make."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from zega_core import history_words
from zega_core.configs import GenreKey
from zega_core.errors import InvalidInput
from zega_core.history_reports import as_genre, in_utc
from zega_core.pieces import storable
from zega_core.store.history import Filter, Kind
from zega_core.store.history_filters import LONGEST_TEXT

Writer = Annotated[str, typer.Option("--writer", help="Whose history.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Since = Annotated[str, typer.Option(help="From this day or moment on, such as 2026-11-01; without a zone it is UTC.")]
Until = Annotated[str, typer.Option(help="Before this day or moment.")]
Genres = Annotated[list[str] | None, typer.Option("--genre", help=f"One of {', '.join(GenreKey)}; may be repeated.")]
Low = Annotated[float, typer.Option(min=0, max=10, help="Lowest average quality.")]
High = Annotated[float, typer.Option(min=0, max=10, help="Highest average quality.")]
Teacher = Annotated[
    str, typer.Option(help="That was asked, or wrote most of it, such as groq/llama-3.3-70b-versatile.")
]
Statuses = Annotated[
    list[str] | None, typer.Option("--status", help=f"One of {', '.join(history_words.STATUS)}; may be repeated.")
]
Kinds = Annotated[list[Kind] | None, typer.Option("--kind", help="May be repeated.")]
Words = Annotated[str, typer.Option("--text", help="In an id, genre, teacher, error or name.")]
Archived = Annotated[bool, typer.Option("--archived", help="What was archived.")]


def _ids(typed: list[str]) -> list[str]:
    """Bytes that are no text name nothing that is stored."""
    return [storable(one) for one in typed]


SessionId = Annotated[str, typer.Argument(help="Of the session, as `zega history list` has it.", callback=storable)]
SessionIds = Annotated[
    list[str], typer.Argument(help="Of the sessions, as `zega history list` has them.", callback=_ids)
]


def history_filter(
    since: str,
    until: str,
    genres: list[str] | None,
    quality: tuple[float, float],
    teacher: str,
    statuses: list[str] | None,
    kinds: list[Kind] | None,
    text: str,
    archived: bool,
) -> Filter:
    wanted = [str(as_genre(one)) for one in genres or ()]
    if wrong := [one for one in wanted if one not in [*GenreKey]]:
        raise InvalidInput(f"{wrong[0]!r} is no genre. Use: {', '.join(GenreKey)}.")
    if wrong := [one for one in statuses or () if one not in history_words.STATUS]:
        raise InvalidInput(f"{wrong[0]!r} is no status. Use: {', '.join(history_words.STATUS)}.")
    return Filter(
        since=_moment(since),
        until=_moment(until),
        genres=tuple(wanted),
        quality=None if quality == (0, 10) else quality,
        teacher=storable(teacher).strip()[:LONGEST_TEXT],
        statuses=tuple(statuses or ()),
        kinds=tuple(kinds or ()),
        text=text,
        archived=archived,
    )


def _moment(typed: str) -> datetime | None:
    if not typed:
        return None
    try:
        return in_utc(datetime.fromisoformat(typed))
    except ValueError:
        raise InvalidInput(
            f"{typed[:40]!r} is no day or moment. It looks like 2026-11-01 or 2026-11-01T18:30."
        ) from None
