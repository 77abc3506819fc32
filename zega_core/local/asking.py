"""Asking the warm process for the numbers of texts. Importing this loads no torch."""

from __future__ import annotations

import base64
import binascii
import json
import queue
import threading
import time
from collections.abc import Sequence

import httpx2
import numpy as np
from numpy.typing import NDArray

from zega_core.errors import Cancelled, HomeError, ProviderUnavailable
from zega_core.local import minilm, process
from zega_core.providers.service import Access
from zega_core.settings import Settings

AT_A_TIME = 32
"""Texts in one request."""
LONGEST = 2_000
"""Characters of a text that are looked at; the encoder reads about as many."""
ANSWER_SECONDS = 120.0
"""For one request, which may wait for the encoder to load."""
AT_ONCE = 1.0
_LOOK = 0.05

Matrix = NDArray[np.float32]


def embed(texts: Sequence[str], settings: Settings, stop: threading.Event | None = None) -> Matrix:
    """A row for each text. Raises ProviderUnavailable when the process cannot be had or does not answer, Cancelled when
    ``stop`` is set meanwhile."""
    rows = [np.zeros((0, minilm.SIZE), np.float32)]
    for start in range(0, len(texts), AT_A_TIME):
        some = [text[:LONGEST] if text.strip() else "-" for text in texts[start : start + AT_A_TIME]]
        rows.append(_ask(some, settings, stop))
    return np.concatenate(rows)


def _ask(texts: list[str], settings: Settings, stop: threading.Event | None) -> Matrix:
    asked = time.monotonic()
    try:
        return _once(texts, settings, stop)
    except ProviderUnavailable as error:
        if not error.unreachable or time.monotonic() - asked >= AT_ONCE:
            raise
    time.sleep(process.LOOK)  # it was just leaving: another one is worth a try
    return _once(texts, settings, stop)


def _once(texts: list[str], settings: Settings, stop: threading.Event | None) -> Matrix:
    try:
        access = process.access(settings, stop=stop)
    except HomeError as error:
        raise ProviderUnavailable(str(error)) from error
    answer: queue.SimpleQueue[Matrix | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(_post(access, texts))
        except Exception as error:
            answer.put(error)

    threading.Thread(target=ask, daemon=True).start()
    while True:
        try:
            found = answer.get(timeout=_LOOK)
        except queue.Empty:
            if stop is not None and stop.is_set():
                raise Cancelled("The run was stopped.") from None
            continue
        if isinstance(found, Exception):
            raise found
        return found


def _post(access: Access, texts: list[str]) -> Matrix:
    body = {"model": minilm.MODEL, "input": texts, "encoding_format": "base64"}
    try:
        with httpx2.Client(trust_env=False, timeout=httpx2.Timeout(ANSWER_SECONDS, connect=5)) as client:
            got = client.post(
                f"{access.base_url}/embeddings",
                content=json.dumps(body),
                headers={"authorization": f"Bearer {access.key}", "content-type": "application/json"},
            )
    except httpx2.ConnectError as error:
        raise ProviderUnavailable("The process that compares texts has ended.", unreachable=True) from error
    except httpx2.HTTPError as error:
        raise ProviderUnavailable("The process that compares texts did not answer. Try again.") from error
    if got.status_code != 200:
        raise ProviderUnavailable(_said(got), status=got.status_code)
    return _rows(got, len(texts))


def _said(got: httpx2.Response) -> str:
    try:
        return str(got.json()["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError):
        return f"The process that compares texts answered with status {got.status_code}."


def _rows(got: httpx2.Response, number: int) -> Matrix:
    try:
        data = got.json()["data"]
        found = np.stack([np.frombuffer(base64.b64decode(one["embedding"], validate=True), "<f4") for one in data])
        if found.shape == (number, minilm.SIZE) and np.isfinite(found).all():
            return found.astype(np.float32)
    except (ValueError, LookupError, TypeError, binascii.Error):
        pass
    raise ProviderUnavailable("The process that compares texts gave an answer that makes no sense. Try again.")
