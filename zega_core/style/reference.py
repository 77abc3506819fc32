"""How published prose is written, to measure others against: ``data/style/reference.json``.

Made by ``scripts/style_reference.py`` from 22 public-domain books, none of them by the five authors that are kept for
proofs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zega_core.catalog import DATA
from zega_core.errors import ConfigError
from zega_core.style.counting import Floats

PATH = DATA.parent / "style" / "reference.json"

Finite = Field(allow_inf_nan=False)


class Spread(BaseModel):
    """Over chunks of the reference prose: the mean, and how far chunks lie from it."""

    model_config = ConfigDict(extra="forbid")

    mean: float = Finite
    deviation: float = Field(gt=0, allow_inf_nan=False)


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid")

    made_by: str
    source: str
    books: int
    chunks: int
    chunk_words: int
    features: dict[str, Spread]
    function_words: dict[str, Spread]


@dataclass(frozen=True, slots=True)
class Reference:
    """``mean`` and ``deviation`` of every feature, then of every function word per 1,000 words; shape ``(features +
    words,)``, over chunks of ``chunk_words``."""

    mean: Floats
    deviation: Floats
    chunk_words: int


@cache
def load_reference(features: tuple[str, ...], words: tuple[str, ...], path: Path = PATH) -> Reference:
    """The figures in the order asked for; raises ConfigError where the shipped file is missing or broken."""
    try:
        stored = _Stored.model_validate(json.loads(path.read_text(encoding="utf-8")))
        rows = [stored.features[name] for name in features] + [stored.function_words[word] for word in words]
    except (OSError, ValueError, KeyError, ValidationError, RecursionError) as error:
        raise ConfigError(f"{path.name}, which comes with ZEGA, cannot be read. Install ZEGA again.") from error
    return Reference(
        np.array([one.mean for one in rows]), np.array([one.deviation for one in rows]), stored.chunk_words
    )
