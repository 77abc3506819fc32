"""Streamlit's secrets as an operator writes them for signing in."""

from __future__ import annotations

from pathlib import Path

import pytest

from zega_core import sign_in

ISSUER = "https://id.example"
SHARED = """
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
"""
PROVIDER = """
client_id = "zega"
client_secret = "between the two"
server_metadata_url = "https://id.example/.well-known/openid-configuration"
"""
WHOLE = SHARED + PROVIDER


def write(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only secrets of this process."""
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sign_in, "files", lambda: [path])


def claims(subject: str, name: str = "", email: str = "") -> dict[str, object]:
    """Of a person who is signed in, as ``st.user`` has them."""
    return {"is_logged_in": True, "iss": ISSUER, "sub": subject, "name": name, "email": email}
