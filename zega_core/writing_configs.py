"""What the doors hand in for writing, checked once. Past this point it is trusted."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from zega_core.configs import DEFAULT_WRITER, GenreKey, check_judge, check_writer_id
from zega_core.errors import InvalidInput
from zega_core.tables import Source

MAX_BRIEF = 20_000
"""Characters of a brief."""
MAX_GIVEN = 200_000
"""Characters of a text to go on from, or to rewrite."""
CUSTOM = "custom"
"""The writer's version in use."""
BASE = "base"
STORYTELLER = "storyteller"
TEACHERS = "teachers"
"""The first of the writer's teachers that can."""
_VERSION = re.compile(r"version:[1-9][0-9]{0,6}")

MemorySource = Literal["story", "conversation", "manuscript", "rating", "import", "auto"]
MEMORY_SOURCES: tuple[MemorySource, ...] = ("story", "conversation", "manuscript", "rating", "import", "auto")
"""Stories on the shelf, and kept examples by ``tables.Source``. Pieces of ``auto`` are remembered session by session,
where the writer asked for it, whatever is chosen here; chosen here, those of all sessions are."""


class WritingConfig(BaseModel):
    """How a writer wants to write. Nothing is remembered that they did not choose: ``memory`` names the sources.
    ``custom`` prefers their own version, as the seeds' ``use_custom_model``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    memory: tuple[MemorySource, ...] = ()
    recall: bool = True
    hints: bool = True
    custom: bool = True
    temperature: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] = 0.8
    words: Annotated[int, Field(ge=20, le=800)] = 200

    @field_validator("memory")
    @classmethod
    def _in_order(cls, value: tuple[MemorySource, ...]) -> tuple[MemorySource, ...]:
        return tuple(source for source in MEMORY_SOURCES if source in value)


def check_author(name: str) -> str:
    """What can be asked to write: ``custom``, ``base``, ``storyteller``, ``teachers``, ``version:3``, or a teacher's
    service and model; raises InvalidInput."""
    if name in (CUSTOM, BASE, STORYTELLER, TEACHERS) or _VERSION.fullmatch(name):
        return name
    try:
        return check_judge(name)
    except InvalidInput:
        raise InvalidInput(
            f"Nobody is called {name[:40]!r}. Ask custom, base, storyteller, teachers, version:1, or a teacher such as "
            "groq/llama-3.1-8b-instant."
        ) from None


class WriteRequest(BaseModel):
    """One request: ``brief`` says what to write, ``given`` is the text to continue or to rewrite. ``authors`` are one,
    or two side by side. Without ``seed`` another text each time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    writer_id: str = DEFAULT_WRITER
    task: Literal["write", "continue", "rewrite"] = "write"
    brief: str = ""
    given: str = ""
    genre: Literal["", *GenreKey] = ""  # type: ignore[valid-type]
    element: Annotated[str, Field(max_length=16)] = ""
    modifier: Annotated[str, Field(max_length=32)] = ""
    authors: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)] = (CUSTOM,)
    blind: bool = False
    hints: bool = True
    recall: bool = True
    temperature: Annotated[float, Field(ge=0, le=1.5, allow_inf_nan=False)] = 0.8
    words: Annotated[int, Field(ge=20, le=800)] = 200
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    story_id: int | None = None

    @field_validator("writer_id")
    @classmethod
    def _writer(cls, value: str) -> str:
        return check_writer_id(value)

    @field_validator("authors")
    @classmethod
    def _authors(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_author(name) for name in value)

    @model_validator(mode="after")
    def _something_to_do(self) -> WriteRequest:
        if len(self.brief) > MAX_BRIEF:
            raise InvalidInput(
                f"A brief can have {MAX_BRIEF:,} characters, and this one has {len(self.brief):,}. Put the text that "
                "it is about into a story and continue that. Nothing of it is lost."
            )
        if len(self.given) > MAX_GIVEN:
            raise InvalidInput(
                f"A text to work on can have {MAX_GIVEN:,} characters, and this one has {len(self.given):,}. Take a "
                "chapter of it. Nothing of it is lost."
            )
        if self.task == "write" and not (self.brief.strip() or self.genre or self.element):
            raise InvalidInput("There is nothing to write about. Write a brief, or choose a genre and what to write.")
        if self.task != "write" and not self.given.strip():
            raise InvalidInput("There is no text to work on yet. Paste or write it first.")
        return self


def used_sources(config: WritingConfig) -> tuple[Source, ...]:
    """Of what is remembered: the sources of examples."""
    return tuple(Source(source) for source in config.memory if source != "story")
