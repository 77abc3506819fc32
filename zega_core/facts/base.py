"""What all facts share."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from zega_core.quality.validation import number


class Facts(BaseModel):
    """Of one thing. Moments are in UTC."""

    model_config = ConfigDict(frozen=True)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class Page(Facts):
    """``total`` is how many there are on all pages."""

    total: int
    page: int
    size: int


class Said(Facts):
    """What was done, in a sentence."""

    message: str


def score(value: object) -> float | None:
    """A score from 0 to 10; None for what cannot be read as one."""
    return number(value, 0, 10)


def readable(value: object) -> Any:
    """Stored JSON as it is; None where it holds what JSON does not have, such as a number without end."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return None
