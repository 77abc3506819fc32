"""Hugging Face through its official client: the router to its inference providers, or an endpoint of one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import InferenceClient

from zega_core.providers.adapter import Adapter, Said, as_dicts, chat_answer, listed, seed_of, word
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.exchange import Exchange
from zega_core.providers.service import Access, ListedModel, can_write, thinking_room
from zega_core.providers.transport import client_settings

PATH = "/chat/completions"
LAST_EVENT = b"data: [DONE]"
COUNT = {"stream_options": {"include_usage": True}}


class HuggingFace(Adapter):
    provider = "huggingface"
    _counts_when_asked = True
    """Some servers that speak the protocol refuse a request to count the tokens of a stream."""

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._http = httpx2.Client(**client_settings(httpx2, self.access))
        # Without a token the client would look for one on this machine. The guard does not let this word out.
        self._client = _Client(self._http, base_url=self.access.base_url + PATH, token=self.access.key or "none")

    def close(self) -> None:
        self._client.close()
        self._http.close()

    def _address(self, base_url: str) -> str:
        """With the version that such servers have in their path, if none is given."""
        address = super()._address(base_url if "://" in base_url else f"http://{base_url.strip()}").removesuffix(PATH)
        try:
            path = urlsplit(address).path
        except ValueError:
            return address
        return address if re.search(r"/v\d+\w*(/|$)", path) else f"{address}/v1"

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        headers = {} if self.access.key is None else {"authorization": f"Bearer {self.access.key}"}
        response = self._http.get(f"{self.access.base_url}/models", headers=headers)
        response.raise_for_status()
        models = json.loads(response.content)
        names = [word(model["id"]) for model in listed(models["data"] if isinstance(models, dict) else models)]
        return [ListedModel(name, writes=can_write(name)) for name in names if name]

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        return chat_answer(self._client.chat_completion(**self._request(model, messages, options)))

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        request = self._request(model, messages, options) | {"stream": True}
        if self._counts_when_asked:
            try:
                yield from self._streamed(request | COUNT)
                return
            except httpx2.HTTPStatusError as error:
                if "stream_options" not in error.response.text:
                    raise
                self._counts_when_asked = False
        yield from self._streamed(request)

    def _streamed(self, request: dict[str, Any]) -> Iterator[Said]:
        for piece in self._client.chat_completion(**request):
            yield chat_answer(piece, "delta")

    def _request(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": model,
            "messages": as_dicts(messages),
            "max_tokens": options.max_tokens + thinking_room(self.provider, model),
            "temperature": options.temperature,
            "seed": seed_of(options),
        }
        if options.schema is not None:
            form = {"name": "answer", "schema": dict(options.schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
        return request


class _Client(InferenceClient):
    """With an HTTP client of its own: huggingface_hub has one that everything in the process shares, and keeps every
    stream that was ever opened until it is closed itself."""

    def __init__(self, http: httpx2.Client, **settings: Any) -> None:
        super().__init__(**settings)
        self._http = http

    def _inner_post(self, request_parameters: Any, *, stream: bool = False) -> Any:
        request = self._http.build_request(
            "POST",
            request_parameters.url,
            json=_as_asked(request_parameters.json),
            headers=request_parameters.headers,
        )
        if stream:
            return self._lines(request)
        response = self._http.send(request)
        response.raise_for_status()
        return response.content

    def _lines(self, request: httpx2.Request) -> Generator[str, None, None]:
        """The lines of a stream. They end at LF alone: a piece may hold what else Unicode counts as an end."""
        response = self._http.send(request, stream=True)
        try:
            if response.status_code != 200:
                response.read()
                response.raise_for_status()
            rest = b""
            chunks = response.iter_bytes()
            for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip() == LAST_EVENT:
                        _read_out(chunks)
                    yield line.decode("utf-8", "replace")
            yield rest.decode("utf-8", "replace")
        finally:
            response.close()


def _read_out(chunks: Iterator[bytes]) -> None:
    """To the end, where the client itself would not look: only then can the connection be used again."""
    with suppress(httpx2.TransportError):
        for _ in chunks:
            pass


def _as_asked(payload: Any) -> Any:
    """The client rewrites a schema into the form of text-generation-inference, which other servers do not know."""
    form = payload.get("response_format")
    if not isinstance(form, dict) or "value" not in form:
        return payload
    schema = {"name": "answer", "schema": form["value"]}
    return payload | {"response_format": {"type": "json_schema", "json_schema": schema}}
