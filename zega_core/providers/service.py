"""What ZEGA asks of a teaching service, and the only place where the adapter to one is chosen.

Importing this module loads no client library: an adapter, and with it the service's own client, is imported when
``connect`` is called.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from importlib import import_module
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol
from urllib.parse import urlsplit

from zega_core.errors import TeacherRefused
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.teacher_catalog import load_teacher_catalog

ADAPTERS = {
    "ollama": ("zega_core.providers.ollama", "Ollama"),
    "groq": ("zega_core.providers.groq", "Groq"),
    "gemini": ("zega_core.providers.gemini", "Gemini"),
    "huggingface": ("zega_core.providers.huggingface", "HuggingFace"),
    "openai_compatible": ("zega_core.providers.openai_compatible", "OpenAICompatible"),
}
ALIKE = 0.4
"""Least likeness, from 0 to 1, at which a model's name counts as near another."""
THINKS = re.compile(r"qwen-?3(?!\d)|kimi-?k2|deepseek-?r1|thinking|reasoner")
"""Names of models that may think before they write."""
NO_CHAT = re.compile(
    r"embed|rerank|whisper|siglip|dall-e|diffusion|transcribe|sentence-transformers"
    r"|(?<![a-z])(clip|tts|bge|gte|e5|minilm|speecht5|kokoro|flux|sdxl|imagen|image|((col|distil|modern|ro)?berta?))"
    r"(?![a-z])"
)
"""Names, and families, of models for embedding, ranking, speech and images."""


@dataclass(frozen=True)
class Access:
    """Where a service is and how it lets us in. ``connect``, ``first_token`` and ``total`` are seconds; with
    ``local_only`` nothing that is sent may leave this machine."""

    base_url: str
    key: str | None = field(default=None, repr=False)
    local_only: bool = False
    connect: float = 5.0
    first_token: float = 60.0
    total: float = 120.0


@dataclass(frozen=True)
class ListedModel:
    """``remote`` marks a model that runs elsewhere although its server is on this machine: the text leaves it.
    ``writes`` is False for one that is known not to chat, such as a model for embedding, speech or images."""

    id: str
    remote: bool = False
    writes: bool = True


class Service(Protocol):
    """A service that completes text with one of its models. Everything raises a ``ProviderError`` when it cannot
    deliver; nothing is tried twice."""

    provider: str

    def models(self) -> list[ListedModel]: ...

    def complete(self, model: str, messages: Sequence[Message], options: GenerationOptions) -> Completion: ...

    def stream(
        self, model: str, messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[str, None, Completion]: ...

    def close(self) -> None: ...


def connect(provider: str, access: Access) -> Service:
    """The adapter to a service; nothing is sent yet. Raises TeacherRefused when its key or address is of no use."""
    load_teacher_catalog().provider(provider)
    module, name = ADAPTERS[provider]
    adapter: Callable[[Access], Service] = getattr(import_module(module), name)
    return adapter(access)


def thinking_room(provider: str, model: str) -> int:
    """Tokens to allow on top of an answer for models whose thinking cannot be switched off: it counts as output. The
    adapters add them to what they ask for."""
    if provider == "gemini" and model.removeprefix("models/").startswith(("gemini-2.5-pro", "gemini-3")):
        return 1024
    name = model.lower()
    if "gpt-oss" in name:
        return 512
    return 1024 if provider in ("huggingface", "openai_compatible") and THINKS.search(name) else 0


def can_write(name: str) -> bool:
    """Whether a model, by its name or its family, may be one that chats."""
    return NO_CHAT.search(name.lower()) is None


class ServiceModel:
    """One model of a service, as a chat model."""

    def __init__(self, service: Service, model: str) -> None:
        known = load_teacher_catalog().provider(service.provider)
        self.provider, self.model = service.provider, model
        self.name, self.label = f"{service.provider}/{model}", f"{known.label} · {model}"
        self.in_flight = known.in_flight
        self._service = service

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        return self._service.complete(self.model, messages, options)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        return self._service.stream(self.model, messages, options)


def usable(access: Access, label: str, base_url: str, *, needs_key: bool = False) -> Access:
    """``access`` with its address spelled out and its key without blanks around it; raises TeacherRefused."""
    key = (access.key or "").strip()
    if not key and needs_key:
        raise TeacherRefused(f"{label} needs a key. Enter one in Settings.")
    if not re.fullmatch(r"[!-~]*", key):
        raise TeacherRefused(f"The key for {label} has characters that no key has. Copy it again into Settings.")
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        fits = parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        host, fits = "", False
    if not fits or not re.fullmatch(r"[!-~]+", base_url):
        raise TeacherRefused(f"The address of {label} cannot be used. Correct it in Settings.")
    if _is_link_local(host):
        raise TeacherRefused(
            f"The address of {label} is link-local: cloud machines keep their own secrets at such addresses, so "
            "nothing is sent there. Correct it in Settings."
        )
    return Access(base_url, key or None, access.local_only, access.connect, access.first_token, access.total)


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine; it may lack a scheme, a port or, before a port, the host."""
    try:
        parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
        host = parts.hostname or ("localhost" if parts.port else "")
        return parts.port != 0 and is_loopback_host(host)
    except ValueError:
        return False


@lru_cache(maxsize=256)
def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine, told without asking a name server."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost":  # names that end in it are looked up like any other
        return True
    address = _ip(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _is_link_local(host: str) -> bool:
    host = host.strip("[]").rstrip(".")
    address = _ip(host)
    if address is None:
        try:
            address = IPv4Address(socket.inet_aton(host))  # "2852039166" and "0xa9fea9fe" are addresses too
        except OSError:
            return False
    return address.is_link_local


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def nearest(wanted: str, listed: Sequence[str]) -> str | None:
    """The listed model most like a wanted one: by its letters, its family and its size."""
    best = max(listed, key=lambda name: _likeness(wanted, name), default=None)
    return best if best is not None and _likeness(wanted, best) >= ALIKE else None


def _likeness(wanted: str, name: str) -> float:
    """From 0 to 1."""
    wanted, name = wanted.lower(), name.lower()
    letters = SequenceMatcher(None, wanted, name, autojunk=False).ratio()
    family = 1.0 if _family(wanted) == _family(name) else 0.0
    sizes = _size(wanted), _size(name)
    size = min(sizes) / max(sizes) if all(sizes) else 0.5 * (sizes[0] == sizes[1])
    return 0.5 * letters + 0.3 * family + 0.2 * size


def _family(name: str) -> str:
    """ "llama" of "meta-llama/Llama-3.1-8B-Instruct"."""
    found = re.match(r"[a-z]+", name.rsplit("/", 1)[-1])
    return found[0] if found else name


def _size(name: str) -> float:
    """Billions of parameters, 0.0 when the name does not tell."""
    found = re.search(r"(?<![\d.a-z])(\d+(?:\.\d+)?)b(?![a-z])", name)
    return float(found[1]) if found else 0.0
