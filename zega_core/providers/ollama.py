"""Ollama through its official client: models on the writer's own machine, and those that it sends on to its cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import ollama

from zega_core.errors import TeacherRefused
from zega_core.providers.adapter import Adapter, Said, as_dicts, listed, number, part, seed_of, word
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.exchange import Exchange
from zega_core.providers.service import Access, ListedModel
from zega_core.providers.transport import client_settings

PORTS = {"http": 80, "https": 443}
DEFAULT = "127.0.0.1"
DEFAULT_PORT = 11434
CLOUD = "cloud"
"""How the names of models end that Ollama sends on to its own servers."""


class Ollama(Adapter):
    provider = "ollama"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        settings = client_settings(httpx, self.access)
        if self.access.key is not None:
            settings["headers"] |= {"authorization": f"Bearer {self.access.key}"}
        self._client = ollama.Client(self.access.base_url, **settings)

    def close(self) -> None:
        self._client.close()

    def _address(self, base_url: str) -> str:
        return address_of(base_url)

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        self._client.list()  # the client leaves out which models are remote
        models = listed(json.loads(exchange.body)["models"])
        return [ListedModel(_name(model), _is_remote(model)) for model in models if _name(model)]

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        self._admit(model)
        return _said(self._client.chat(**_request(model, messages, options), stream=False))

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        self._admit(model)
        return map(_said, self._client.chat(**_request(model, messages, options), stream=True))

    def _admit(self, model: str) -> None:
        if self.access.local_only and model.endswith(CLOUD):
            raise TeacherRefused(
                f"{model[:80]} runs in Ollama's cloud, and text is to stay on this machine. Choose another model in "
                "Settings, or allow teachers that are not on this machine."
            )


def address_of(host: str) -> str:
    """An address of any form that OLLAMA_HOST may have, spelled out. A server that listens everywhere is asked on
    this machine."""
    host = host.strip().rstrip("/")
    scheme, has_scheme, rest = host.partition("://")
    scheme, rest = (scheme.lower(), rest) if has_scheme else ("http", host)
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port or (PORTS.get(scheme, DEFAULT_PORT) if has_scheme else DEFAULT_PORT)
    except ValueError:
        return host
    name = parts.hostname or DEFAULT
    name = {"0.0.0.0": DEFAULT, "::": "::1"}.get(name, name)
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}{parts.path.rstrip('/')}"


def _request(model: str, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
    """Thinking is off: it would use up the tokens that are for the piece."""
    return {
        "model": model,
        "messages": as_dicts(messages),
        "think": False,
        "format": None if options.schema is None else dict(options.schema),
        "options": {
            "num_predict": options.max_tokens,
            "temperature": options.temperature,
            "seed": seed_of(options),
        },
    }


def _said(answer: Any) -> Said:
    finish = word(part(answer, "done_reason")) or ("stop" if part(answer, "done") else "")
    return Said(
        text=word(answer.message.content),
        model=word(part(answer, "model")),
        prompt_tokens=number(part(answer, "prompt_eval_count")),
        completion_tokens=number(part(answer, "eval_count")),
        finish=finish,
    )


def _name(model: Any) -> str:
    return word(model.get("model")) or word(model.get("name"))


def _is_remote(model: Any) -> bool:
    return bool(model.get("remote_host") or model.get("remote_model")) or _name(model).endswith(CLOUD)
