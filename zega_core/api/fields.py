"""What is sent in paths, queries and bodies, and files that are sent and answered with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from tempfile import TemporaryFile
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from zega_core.configs import GenreKey
from zega_core.settings import Settings, get_settings

MOST = 2**31 - 1
_CHUNK = 1 << 16


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("a NUL character cannot be stored; leave it out.")
    return value


Text = Annotated[str, AfterValidator(_without_nul)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_without_nul)]
Answer = Annotated[str, Field(max_length=20_000), AfterValidator(_without_nul)]
Number = Annotated[int, Field(ge=1, le=MOST)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

GenreName = Annotated[
    GenreKey, BeforeValidator(lambda key: key.strip().lower().replace("-", "_") if isinstance(key, str) else key)
]
"""``sci-fi`` is sci_fi."""
ElementName = Literal["scene", "character", "dialogue", "setting"]

RowId = Annotated[int, Path(ge=1, le=MOST)]
RunId = Annotated[str, Path(pattern="^[0-9a-f]{1,32}$", description="As it was answered when the run was started.")]
UserId = Annotated[str, Path(min_length=1, max_length=64, description="A writer's id.")]
LastEventId = Annotated[str | None, Header(description="The id of the last event that came through.", max_length=20)]
ConversationKey = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="session_id of a conversation.")]
Searched = Annotated[Text, Query(max_length=300, description='Words that must all be there, or "a phrase" in quotes.')]
PageNumber = Annotated[int, Query(ge=1, le=10**6)]
PageSize = Annotated[int, Query(ge=1, le=100)]


async def _settings() -> Settings:
    return get_settings()


UsedSettings = Annotated[Settings, Depends(_settings)]


class Sent(BaseModel):
    """A body: nothing in it is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def _body(request: Request) -> bytes:
    return await request.body()


Upload = Annotated[bytes, Depends(_body)]
"""A file, as the whole body; the route has ``openapi_extra=FILE_BODY`` and ``max_body_size=limiting.MOST_UPLOAD``."""

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""``openapi_extra`` of a route whose body is a file."""


def attachment(name: str) -> dict[str, str]:
    """Headers that have a client save what comes under this name, whatever it holds (RFC 6266, RFC 8187)."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%;/' else "_" for one in name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }


def file_of(parts: Iterable[bytes], name: str, media_type: str) -> StreamingResponse:
    """Answers with a file of any size, to be saved under this name."""
    return spooled(parts, media_type, attachment(name))


def spooled(parts: Iterable[bytes], media_type: str, headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """Answers with as much as there is. All of it is there before the first byte is sent: what goes wrong is an answer
    of its own, and nobody who reads slowly keeps the database waiting."""
    spool = TemporaryFile()  # noqa: SIM115, closed when all is sent
    try:
        for part in parts:
            spool.write(part)
        size = spool.tell()
        spool.seek(0)
    except BaseException:
        spool.close()
        raise

    def chunks() -> Iterator[bytes]:
        with spool:
            while chunk := spool.read(_CHUNK):
                yield chunk

    whole = dict(headers or {}) | {"Content-Length": str(size)}
    return StreamingResponse(chunks(), media_type=media_type, headers=whole)
