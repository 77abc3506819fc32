"""One call to a service while it is under way: how long it may take, how much it may bring, what came back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from zega_core.errors import BadAnswer, Cancelled, ProviderError, ProviderUnavailable
from zega_core.providers.service import Access
from zega_core.tables import CallOutcome

MOST_BYTES = 2 * 1024**2
MOST_ERROR_BYTES = 64 * 1024
LOOK_FOR_STOP = 0.25
"""Longest wait in seconds before looking whether Stop was pressed."""

Piece = TypeVar("Piece")

current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
"""The exchange to which the requests of this thread belong."""


class Exchange:
    """One call: how long it may take and how much it may bring, and what came back.

    ``headers`` have small letters. ``first_byte`` is in seconds after the start. ``cause`` is what the connection
    raised, ``verdict`` the error with which the guard itself ended the call.
    """

    def __init__(
        self,
        access: Access,
        label: str,
        *,
        streamed: bool = False,
        stop: threading.Event | None = None,
        most: int = MOST_BYTES,
    ) -> None:
        self.access, self.label, self.streamed, self.most = access, label, streamed, most
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.first_byte: float | None = None
        self.cause: Exception | None = None
        self.verdict: ProviderError | None = None
        self._stop, self._begun = stop, time.monotonic()
        self._close: Callable[[], None] | None = None

    @property
    def left(self) -> float:
        """Seconds until the next byte must be here."""
        waits_for_first = self.streamed and self.first_byte is None
        limit = min(self.access.first_token, self.access.total) if waits_for_first else self.access.total
        return self._begun + limit - time.monotonic()

    @property
    def next_look(self) -> float:
        """Seconds to wait before asking again whether to go on."""
        return self.left if self._stop is None else min(self.left, LOOK_FOR_STOP)

    def end(self, verdict: ProviderError) -> NoReturn:
        self.verdict = verdict
        raise verdict

    def check(self) -> None:
        if self._stop is not None and self._stop.is_set():
            self.end(Cancelled("The run was stopped."))

    @contextmanager
    def active(self) -> Iterator[None]:
        """Around work of a client whose requests belong to this exchange."""
        token = current.set(self)
        try:
            yield
        finally:
            current.reset(token)

    def drawn(self, start: Callable[[], Iterator[Piece]]) -> Generator[Piece, None, None]:
        """What a client yields. The exchange is active only while the client works, not while the piece is used."""
        with self.active():
            pieces = start()
        nothing: Any = object()
        while True:
            self.check()
            with self.active():
                piece = next(pieces, nothing)
            if piece is nothing:
                return
            yield piece

    def began(self, status: int, headers: list[tuple[bytes, bytes]], close: Callable[[], None]) -> None:
        self.status, self._close = status, close
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            close()
            self.end(ProviderUnavailable(f"{self.label} sent an answer in a packed form that nobody asked for."))

    def takes(self, chunk: bytes) -> bool:
        """Note a part of the body; False when the rest of it is of no interest."""
        if self.first_byte is None and chunk:
            self.first_byte = time.monotonic() - self._begun
        self.body += chunk
        if self.status is not None and self.status >= 300:
            return len(self.body) <= MOST_ERROR_BYTES
        if len(self.body) > self.most:
            text = f"{self.label} sent more than {self.most // 1024**2} MiB, which is no answer to what was asked."
            self.end(BadAnswer(text, CallOutcome.too_long))
        return True

    def close(self) -> None:
        """Let go of the connection if the answer was not read to its end."""
        if self._close is not None:
            self._close()
