"""Ollama through its official client: models on the writer's own machine, and those that it sends on to its cloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import ollama

from zega_core.errors import ProviderUnavailable, TeacherRefused
from zega_core.providers.adapter import Adapter, Said, as_dicts, listed, number, part, seed_of, word
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.exchange import LOOK_FOR_STOP, Exchange, current
from zega_core.providers.service import Access, ListedModel, can_write, thinking_room
from zega_core.providers.transport import client_settings

PORTS = {"http": 80, "https": 443}
DEFAULT = "127.0.0.1"
DEFAULT_PORT = 11434
CLOUD = "cloud"
"""How the names of models end that Ollama sends on to its own servers."""
UNDERSTOOD = ("registry.ollama.ai/", "library/")
"""What Ollama puts before a name that lacks it."""


class Ollama(Adapter):
    provider = "ollama"

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        settings = client_settings(httpx, self.access)
        if self.access.key is not None:
            settings["headers"] |= {"authorization": f"Bearer {self.access.key}"}
        self._client = ollama.Client(self.access.base_url, **settings)
        self._lists = threading.Lock()
        self._remote: frozenset[str] | None = None  # not listed yet

    def close(self) -> None:
        self._client.close()

    def _address(self, base_url: str) -> str:
        return address_of(base_url)

    def _list(self, exchange: Exchange) -> list[ListedModel]:
        self._client.list()  # the client leaves out which models are remote
        models = listed(json.loads(exchange.body)["models"])
        return [ListedModel(_name(model), _is_remote(model), _writes(model)) for model in models if _name(model)]

    def _whole(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Said:
        self._admit(model, options.stop)
        return _said(self._client.chat(**_request(model, messages, options), stream=False))

    def _pieces(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Iterator[Said]:
        self._admit(model, options.stop)
        return map(_said, self._client.chat(**_request(model, messages, options), stream=True))

    def _admit(self, model: str, stop: threading.Event | None) -> None:
        """Before a prompt is sent. A tag may stand for a model in the cloud whatever it is called."""
        if self.access.local_only and (_in_cloud(model) or _spelled_out(model) in self._remote_models(stop)):
            raise TeacherRefused(
                f"{model[:80]} runs in Ollama's cloud, and text is to stay on this machine. Choose another model in "
                "Settings, or allow teachers that are not on this machine."
            )

    def _remote_models(self, stop: threading.Event | None) -> frozenset[str]:
        """Those that the server marks as running elsewhere, listed once by whichever call comes first."""
        exchange = current.get()
        while self._remote is None:
            if self._lists.acquire(timeout=LOOK_FOR_STOP):
                try:
                    if self._remote is None:
                        remote = [model.id for model in self._listing(stop) if model.remote]
                        self._remote = frozenset(map(_spelled_out, remote))
                finally:
                    self._lists.release()
            elif exchange is not None:
                exchange.check()
                if exchange.left <= 0:
                    exchange.end(ProviderUnavailable(f"{self.label} did not list its models in time."))
        return self._remote


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
    """Thinking is off: it would use up the tokens that are for the piece. Where it cannot be, it has its own."""
    return {
        "model": model,
        "messages": as_dicts(messages),
        "think": False,
        "format": None if options.schema is None else dict(options.schema),
        "options": {
            "num_predict": options.max_tokens + thinking_room("ollama", model),
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
    return bool(model.get("remote_host") or model.get("remote_model")) or _in_cloud(_name(model))


def _writes(model: Any) -> bool:
    """By its name and its family. The list of all its families has "clip" also for a model that writes and sees."""
    return can_write(_name(model)) and can_write(word(part(model.get("details"), "family")))


def _in_cloud(name: str) -> bool:
    return name.strip().lower().endswith(CLOUD)


def _spelled_out(name: str) -> str:
    """A name as Ollama understands it: letters of any case, and without a tag the latest."""
    name = name.strip().lower().rpartition("://")[2].partition("@")[0]
    for start in UNDERSTOOD:
        name = name.removeprefix(start)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
