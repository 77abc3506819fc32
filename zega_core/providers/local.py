"""The models of this machine: what the warm process (``zega_core.local``) writes, through OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from zega_core.errors import ProviderError, ProviderUnavailable, TeacherRefused
from zega_core.providers.adapter import as_dicts, seed_of
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.error_body import read_error
from zega_core.providers.exchange import Exchange
from zega_core.providers.huggingface import PATH, _Client
from zega_core.providers.openai_compatible import OpenAICompatible
from zega_core.providers.service import Access, usable
from zega_core.providers.transport import client_settings

LABEL = "Your model"


class Local(OpenAICompatible):
    """No teaching service, so the catalog of those does not know it."""

    provider = "local"

    def __init__(self, access: Access) -> None:
        self.label = LABEL
        self.access = usable(access, LABEL, self._address(access.base_url), needs_key=True)
        self._http = httpx2.Client(**client_settings(httpx2, self.access))
        self._client = _Client(self._http, base_url=self.access.base_url + PATH, token=self.access.key)

    def _request(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        """A schema is not passed on: these models cannot be held to one."""
        return {
            "model": model,
            "messages": as_dicts(messages),
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "seed": seed_of(options),
        }

    @contextmanager
    def _explained(self, exchange: Exchange, model: str) -> Iterator[None]:
        """Our own server says what is wrong in a sentence for the writer; that is passed on as it is."""
        try:
            with super()._explained(exchange, model):
                yield
        except ProviderError as error:
            if exchange.verdict is not None:
                raise
            raise _in_its_words(exchange, error) from error


def _in_its_words(exchange: Exchange, error: ProviderError) -> ProviderError:
    gone = isinstance(error, ProviderUnavailable) and error.unreachable
    if gone or exchange.status == 401:  # another process has its place, with another secret
        return ProviderUnavailable("Your model's process has ended. Try again: it is started anew.", unreachable=True)
    told = None if exchange.status is None else read_error(exchange)
    if told is None or not told.message:
        return error
    if (told.number or exchange.status or 500) < 500:
        return TeacherRefused(told.message, status=exchange.status)
    return ProviderUnavailable(told.message, status=exchange.status)
