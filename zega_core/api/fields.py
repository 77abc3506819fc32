"""What is sent in many requests, and what it may be."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path
from pydantic import AfterValidator, BeforeValidator

from zega_core.configs import GenreKey


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("A text cannot hold the character NUL. Take it out and send it again.")
    return value


def _genre(value: object) -> object:
    return value.strip().lower().replace("-", "_") if isinstance(value, str) else value


RunId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As it was given when it was asked for.")]
UserId = Annotated[str, Path(min_length=1, max_length=64, description="A writer's id.")]
LastEventId = Annotated[str | None, Header(description="The id of the last event that came through.", max_length=20)]
Genre = Annotated[GenreKey, BeforeValidator(_genre)]
"""``sci-fi`` is sci_fi."""
Text = Annotated[str, AfterValidator(_storable)]
