"""What the doors hand in, checked once. Past this point it is trusted."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from zega_core.errors import InvalidInput

MAX_EXAMPLES = 500
DEFAULT_WRITER = "default"
_WRITER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class GenreKey(StrEnum):
    fantasy = "fantasy"
    dark_fantasy = "dark_fantasy"
    sci_fi = "sci_fi"
    mystery = "mystery"
    horror = "horror"
    romance = "romance"
    adventure = "adventure"
    thriller = "thriller"


def check_writer_id(value: object) -> str:
    """A slug of 1 to 64 characters; raises InvalidInput."""
    if not isinstance(value, str) or not _WRITER.fullmatch(value):
        raise InvalidInput(
            f"{_shown(value)} cannot be a writer's id. Use 1 to 64 small letters, digits, hyphens or underscores, "
            "beginning with a letter or digit."
        )
    return value


def check_genres(values: object) -> tuple[str, ...]:
    """The chosen genres in catalog order without repetition; none chosen means all; raises InvalidInput."""
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise InvalidInput(f"Genres must be a list, not {_shown(values)}.")
    known = [genre.value for genre in GenreKey]
    for value in values:
        if value not in known:
            raise InvalidInput(f"There is no genre {_shown(value)}. Choose from: {', '.join(known)}.")
    return tuple(key for key in known if key in values) or tuple(known)


class AutoTrainConfig(BaseModel):
    """One auto-training session, as asked for.

    ``genres`` empty means all. Without ``seed`` the session continues the writer's own sequence of combinations; with
    it, the same seed asks for the same pieces again: word for word as long as nothing repeats in what the writer has
    kept, or they have that switched off. Otherwise each request also says what to avoid by then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    writer_id: str = DEFAULT_WRITER
    num_examples: int
    genres: tuple[str, ...] = ()
    store_in_memory: bool = False
    save_to_database: bool = False
    seed: int | None = None

    @field_validator("writer_id", mode="before")
    @classmethod
    def _writer(cls, value: object) -> str:
        return _as_value_error(check_writer_id, value)

    @field_validator("genres", mode="before")
    @classmethod
    def _genres(cls, value: object) -> tuple[str, ...]:
        return _as_value_error(check_genres, value)

    @field_validator("num_examples", mode="before")
    @classmethod
    def _count(cls, value: object) -> int:
        number = _whole_number(value)
        if number is None or not 1 <= number <= MAX_EXAMPLES:
            raise ValueError(f"Ask for a whole number of examples from 1 to {MAX_EXAMPLES}, not {_shown(value)}.")
        return number

    @field_validator("seed", mode="before")
    @classmethod
    def _seed(cls, value: object) -> int | None:
        number = None if value is None else _whole_number(value)
        if value is not None and (number is None or not 0 <= number < 2**31):
            raise ValueError(f"A seed is a whole number from 0 to {2**31 - 1}, not {_shown(value)}.")
        return number


class ProviderKey(StrEnum):
    """The services that can teach, in the order in which they are asked unless the writer says otherwise."""

    ollama = "ollama"
    groq = "groq"
    gemini = "gemini"
    huggingface = "huggingface"
    openai_compatible = "openai_compatible"


def check_judge(name: str) -> str:
    """The name of a teacher, service and model; raises InvalidInput for what is none."""
    provider, _, model = name.partition("/")
    if provider not in [*ProviderKey] or not model.strip() or len(name) > 100:
        services = ", ".join(ProviderKey)
        raise InvalidInput(f"A judge is a service and a model, such as groq/llama-3.3-70b-versatile. Of: {services}.")
    return name


LimitName = Literal["requests_per_minute", "requests_per_day", "tokens_per_minute", "tokens_per_day"]
ModelId = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w.@+-][\w.:/@+-]*$")]
WornPhrase = Annotated[str, Field(min_length=2, max_length=60, pattern=r"^[^\W_](?:[\w' -]*\w)?$")]
Dollars = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class TeacherChoice(BaseModel):
    """How a writer wants to use one service.

    ``models`` empty means those of the catalog, or what a local server lists first. ``limits`` stand in for the
    catalog's; None there means no limit. Prices are in US dollars for a million tokens and stand in for list prices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: ProviderKey
    on: bool = True
    models: Annotated[tuple[ModelId, ...], Field(max_length=8)] = ()
    limits: dict[LimitName, Annotated[int, Field(ge=1, le=10**9)] | None] = {}
    in_flight: Annotated[int, Field(ge=1, le=64)] | None = None
    base_url: Annotated[str, Field(max_length=300)] = ""
    price_in: Dollars | None = None
    price_out: Dollars | None = None

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        value = value.strip()
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password):
            raise ValueError(f"{_shown(value)} is not the address of a server. It looks like http://localhost:1234/v1.")
        return value


class TeachingConfig(BaseModel):
    """How a writer is taught: services in the order in which they are asked, and the rules of a run.

    ``storyteller`` lets the built-in storyteller stand in when nobody else can write. ``local_only`` turns off every
    service that is not on this machine. ``budget`` is in euros a session, None is no limit. ``judge`` is the name of
    a teacher ("groq/llama-3.1-8b-instant") that also scores what is kept, empty for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    teachers: tuple[TeacherChoice, ...] = ()
    storyteller: bool = True
    local_only: bool = False
    min_votes: Annotated[int, Field(ge=1, le=5)] = 1
    budget: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] | None = None
    judge: Annotated[str, Field(max_length=100)] = ""

    @field_validator("teachers")
    @classmethod
    def _each_once(cls, value: tuple[TeacherChoice, ...]) -> tuple[TeacherChoice, ...]:
        """Every service once: the writer's in their order, then the others in ours."""
        first = {choice.provider: choice for choice in reversed(value)}
        order = [*dict.fromkeys(choice.provider for choice in value), *ProviderKey]
        return tuple(first.get(key, TeacherChoice(provider=key)) for key in dict.fromkeys(order))

    def in_order(self) -> tuple[TeacherChoice, ...]:
        return self.teachers or tuple(TeacherChoice(provider=key) for key in ProviderKey)

    def choice(self, provider: str) -> TeacherChoice:
        return next(choice for choice in self.in_order() if choice.provider == provider)


class TasteConfig(BaseModel):
    """What a writer wants of the score.

    ``keep_score`` stands in for the setting of the same name, None for that. ``personal`` lets the correction fitted to
    the writer's ratings act, ``judge`` the judge's part; both act only where they were shown to help. ``worn`` are worn
    phrases that the writer added to the catalog's, ``not_worn`` those of the catalog that do not count. ``avoid`` puts
    what repeats in the writer's examples into the next prompts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep_score: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    personal: bool = True
    judge: bool = True
    worn: Annotated[tuple[WornPhrase, ...], Field(max_length=500)] = ()
    not_worn: Annotated[tuple[WornPhrase, ...], Field(max_length=500)] = ()
    avoid: bool = True


class FineTuneConfig(BaseModel):
    """How a writer's model is trained. What is None is chosen by ZEGA to fit the data.

    ``automatic`` fine-tunes at every ``every`` new kept examples (None: the setting of that name). ``base`` is empty
    for the built-in model, else an id on Hugging Face or a folder. ``start`` is where training begins: ``promoted``
    goes on from the version in use, ``base`` begins anew, ``auto`` takes what measured better. ``strength`` is the part
    of what was learned that a version keeps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    automatic: bool = True
    every: Annotated[int, Field(ge=1, le=100_000)] | None = None
    base: Annotated[str, Field(max_length=300)] = ""
    start: Literal["auto", "base", "promoted"] = "auto"
    rank: Annotated[int, Field(ge=1, le=256)] | None = None
    alpha: Annotated[int, Field(ge=1, le=1024)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=0.1, allow_inf_nan=False)] | None = None
    epochs: Annotated[int, Field(ge=1, le=100)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=256)] | None = None
    max_length: Annotated[int, Field(ge=64, le=4096)] | None = None
    strength: Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1

    @field_validator("base")
    @classmethod
    def _base(cls, value: str) -> str:
        value = value.strip()
        if any(ord(character) < 32 for character in value):
            raise ValueError(
                f"{_shown(value)} names no model. Use an id such as HuggingFaceTB/SmolLM2-135M, or a folder."
            )
        return value


class TriggerConfig(BaseModel):
    """When a writer's fine-tunes begin by themselves; ``FineTuneConfig.automatic`` is the switch for all of it.

    ``pairs`` new answers begin one (None: the setting ``conversation_pairs``), or a ``schedule``, at ``at`` in ``zone``
    and weekly on ``weekday`` (0 is Monday), if there is anything new. Never sooner than ``least_hours`` after the last,
    nor before what is learned from has this mean score, this many genres and elements, and this share of own words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_pairs: bool = True
    pairs: Annotated[int, Field(ge=5, le=10_000)] | None = None
    schedule: Literal["off", "daily", "weekly"] = "off"
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "03:00"
    weekday: Annotated[int, Field(ge=0, le=6)] = 6
    zone: Annotated[str, Field(max_length=64)] = "UTC"
    least_hours: Annotated[float, Field(ge=0, le=24 * 90, allow_inf_nan=False)] = 1.0
    least_score: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    least_variety: Annotated[int, Field(ge=1, le=12)] = 1
    least_own_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise ValueError(f"{_shown(value)} is no time zone. It looks like Europe/Vienna, or UTC.") from None
        return value


Config = TypeVar("Config", bound=BaseModel)


def checked(kind: type[Config], **values: Any) -> Config:
    """Build ``kind`` from untrusted values; raises InvalidInput with one plain sentence."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "value_error":
            message = str(first.get("ctx", {}).get("error"))
        else:
            message = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."
        raise InvalidInput(message) from error


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _as_value_error(check: Any, value: object) -> Any:
    try:
        return check(value)
    except InvalidInput as error:
        raise ValueError(str(error)) from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 42 else f"{text[:40]}…"
