"""Keys of services that the writer typed in: ``keys.json`` in ZEGA_HOME, readable by its owner only.

They are in no database, log or page; a page can only say that there is one. Keys in the environment are used where
none was typed. The key of an OpenAI-compatible server belongs to its address: it is not sent to another.
"""

from __future__ import annotations

import json
import os
import re
from typing import Literal
from urllib.parse import urlsplit

from filelock import FileLock
from pydantic import SecretStr

from zega_core.configs import ProviderKey
from zega_core.errors import HomeError, InvalidInput
from zega_core.settings import ServiceEnvironment, Settings, service_environment

_USABLE = re.compile(r"[\x21-\x7e]{8,500}")


def key_of(
    settings: Settings, provider: str, address: str = "", environment: ServiceEnvironment | None = None
) -> str | None:
    """The key to use at this address: the one typed in, else the environment's. Who asks for several has read that."""
    return _stored(settings).get(_name(provider, address)) or _from_environment(provider, address, environment)


def source_of(
    settings: Settings, provider: str, address: str = "", environment: ServiceEnvironment | None = None
) -> Literal["entered", "environment"] | None:
    """Where the key comes from, without showing it."""
    if _name(provider, address) in _stored(settings):
        return "entered"
    return "environment" if _from_environment(provider, address, environment) else None


def save_key(settings: Settings, provider: str, key: str, address: str = "") -> None:
    """Keep a key; raises InvalidInput when it cannot be one."""
    key = key.strip()
    if not _USABLE.fullmatch(key):
        raise InvalidInput(
            "That is not a key. A key is 8 to 500 letters, digits and signs without spaces; copy it again from the "
            "page of the service."
        )
    _change(settings, _name(provider, address), key)


def forget_key(settings: Settings, provider: str, address: str = "") -> None:
    """Erase a key that was typed in. One in the environment stays there."""
    _change(settings, _name(provider, address), None)


def _name(provider: str, address: str) -> str:
    """Under which a key is kept. The writer can change the address of one kind of server only."""
    provider = ProviderKey(provider)
    return f"{provider} {_origin(address)}" if provider == ProviderKey.openai_compatible else provider


def _origin(address: str) -> str:
    parts = urlsplit(address.strip())
    return f"{parts.scheme}://{parts.netloc}".lower()


def _change(settings: Settings, name: str, key: str | None) -> None:
    path = settings.prepare_home() / "keys.json"
    with settings.home_errors(), FileLock(path.with_suffix(".lock"), mode=0o600):
        keys = _stored(settings)
        keys.pop(name, None)
        if key is not None:
            keys[name] = key
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        # Owner-only from its first moment, and in place of the old one in one step.
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(keys, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def _stored(settings: Settings) -> dict[str, str]:
    path = settings.home / "keys.json"
    try:
        with settings.home_errors():
            data = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise HomeError(f"{path} is damaged. Delete it and enter your keys again in Settings.") from error
    if not isinstance(data, dict):
        raise HomeError(f"{path} is damaged. Delete it and enter your keys again in Settings.")
    known = set(ProviderKey)
    return {name: key for name, key in data.items() if name.split(" ")[0] in known and isinstance(key, str) and key}


def _from_environment(provider: str, address: str, environment: ServiceEnvironment | None) -> str | None:
    environment = environment or service_environment()
    if provider == ProviderKey.openai_compatible and _origin(address) != _origin(
        environment.zega_openai_base_url or ""
    ):
        return None
    candidates: dict[str, tuple[SecretStr | None, ...]] = {
        ProviderKey.groq: (environment.groq_api_key,),
        ProviderKey.gemini: (environment.google_api_key, environment.gemini_api_key),
        ProviderKey.huggingface: (environment.huggingfacehub_api_token, environment.hf_token),
        ProviderKey.openai_compatible: (environment.zega_openai_api_key,),
    }
    return next((key.get_secret_value() for key in candidates.get(provider, ()) if key is not None), None)
