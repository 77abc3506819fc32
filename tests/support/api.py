"""The REST API in process, asked as a program of this machine asks, or with a key."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from zega_core import db
from zega_core.api.app import create_app
from zega_core.settings import get_settings
from zega_core.store import api_keys

HERE = "http://127.0.0.1:8002"


def client(writer: str | None = None, *, host: str = "127.0.0.1", **more: Any) -> TestClient:
    """Without a writer: as the person at this machine. With one: with a new key of theirs."""
    headers = {} if writer is None else {"Authorization": f"Bearer {key_of(writer)}"}
    app = create_app(get_settings(), host=host)
    return TestClient(
        app,
        **{"base_url": HERE, "client": ("127.0.0.1", 50_000), "headers": headers, "raise_server_exceptions": False}
        | more,
    )


def key_of(writer: str, name: str = "test") -> str:
    """A new key, in clear."""
    with db.session(get_settings()) as session:
        return api_keys.create(session, writer, name)[1]
