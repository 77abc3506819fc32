"""OpenAI's embeddings as this machine's server understands and answers them. No torch here."""

from __future__ import annotations

import asyncio
import base64
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from zega_core.errors import InvalidInput, NotFound, ZegaError
from zega_core.local import minilm
from zega_core.local.protocol import read_request
from zega_core.local.requests import read_body, refusal, until_gone
from zega_core.providers.adapter import printable

log = logging.getLogger(__name__)

Matrix = NDArray[np.float32]
MOST_TEXTS = 64
"""In one request."""
LONGEST_TEXT = 8_000
"""Characters."""


class Encodes(Protocol):
    """``encoder.Encoder``."""

    def encode(self, texts: Sequence[str], stop: threading.Event) -> Matrix: ...


class EmbeddingRequest(BaseModel):
    """What a client may ask. What cannot be done is refused instead of ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: Annotated[str, Field(min_length=1, max_length=100)]
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"

    def texts(self) -> list[str]:
        """Raises InvalidInput for no texts, too many, one that is empty or one that is too long, NotFound for another
        model."""
        if self.model != minilm.MODEL:
            raise NotFound(f"There is no such model for embeddings here. Ask for {minilm.MODEL}.")
        found = [self.input] if isinstance(self.input, str) else self.input
        if not 1 <= len(found) <= MOST_TEXTS:
            raise InvalidInput(f"One request can have 1 to {MOST_TEXTS} texts, and this one has {len(found):,}.")
        for text in found:
            if len(text) > LONGEST_TEXT:
                raise InvalidInput(
                    f"A text to embed can have {LONGEST_TEXT:,} characters, and one has {len(text):,}. Send less."
                )
        plain = [printable(text) for text in found]
        if not all(text.strip() for text in plain):
            raise InvalidInput("One of the texts to embed is empty. Leave it out.")
        return plain


class Embeddings:
    """Takes requests and has them answered, beside what is being written: they do not wait for whole texts, and texts
    do not wait for them."""

    def __init__(self, encoder: Encodes) -> None:
        self._encoder = encoder
        self._threads = ThreadPoolExecutor(4)  # the encoder lets them take turns, a few texts at a time
        self._open, self._last = 0, time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since the last request was answered; 0.0 while there is one."""
        return 0.0 if self._open else time.monotonic() - self._last

    async def answer(self, request: Request) -> Response:
        try:
            asked = read_request(EmbeddingRequest, await read_body(request))
            texts = asked.texts()
        except ZegaError as error:
            return refusal(error)
        stop = threading.Event()
        gone = asyncio.create_task(until_gone(request, stop))
        self._open += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._threads, self._encoder.encode, texts, stop)
            return JSONResponse(_answer(asked, await work))
        except Exception as error:
            if not isinstance(error, ZegaError):
                log.exception("embedding failed")
            return refusal(error)
        finally:
            self._open, self._last = self._open - 1, time.monotonic()
            gone.cancel()


def _answer(asked: EmbeddingRequest, rows: Matrix) -> dict[str, Any]:
    little = np.ascontiguousarray(rows, "<f4")

    def numbers(row: Any) -> Any:
        return base64.b64encode(row.tobytes()).decode() if asked.encoding_format == "base64" else row.tolist()

    data = [{"object": "embedding", "index": index, "embedding": numbers(row)} for index, row in enumerate(little)]
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return {"object": "list", "data": data, "model": asked.model, "usage": usage}
