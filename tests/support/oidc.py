"""A provider of OpenID Connect on this machine: discovery, authorization with PKCE, tokens (RS256), keys.

    with Provider.started({"Ana": {"sub": "1", "email": "ana@example.org"}}) as provider:
        provider.secrets  # what an operator writes to sign in by it

Its page lets the visitor choose who to be. ``tampered`` changes the claims of that person's token before it is signed.
"""

from __future__ import annotations

import base64
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "zega", "between the two"


@dataclass
class Provider:
    url: str
    people: Mapping[str, Mapping[str, str]]
    tampered: Mapping[str, Mapping[str, Any]]
    signed_by_another: frozenset[str]
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    other_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    codes: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> str:
        return (
            '[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex(32)}"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    @classmethod
    @contextmanager
    def started(
        cls,
        people: Mapping[str, Mapping[str, str]],
        tampered: Mapping[str, Mapping[str, Any]] | None = None,
        signed_by_another: frozenset[str] = frozenset(),
    ) -> Iterator[Provider]:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            provider = cls(f"http://127.0.0.1:{listening.getsockname()[1]}", people, tampered or {}, signed_by_another)
            server = uvicorn.Server(uvicorn.Config(provider.app(), log_level="error", ws="none"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                yield provider
            finally:
                server.should_exit = True
                thread.join()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/jwks", self.jwks),
                Route("/authorize", self.authorize),
                Route("/chosen", self.chosen),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def discovery(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        links = [
            f'<a href="/chosen?{escape(urlencode({**request.query_params, "who": who}))}">{escape(who)}</a>'
            for who in self.people
        ]
        return HTMLResponse(f"<!doctype html><title>Who are you</title><p>{' '.join(links)}</p>")

    async def chosen(self, request: Request) -> Response:
        asked, code = request.query_params, secrets.token_urlsafe(16)
        self.codes[code] = (asked["who"], dict(asked))
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def token(self, request: Request) -> Response:
        form = await request.form()
        known = self.codes.pop(str(form.get("code")), None)
        why = self._why_not(request, form, known)
        if known is None or why:
            self.refused.append(why)
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        who, asked = known
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            "nonce": asked["nonce"],
            "name": who,
            **self.people[who],
            **self.tampered.get(who, {}),
        }
        key = self.other_key if who in self.signed_by_another else self.key
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "expires_in": 600, "id_token": signed})

    def _why_not(self, request: Request, form: Any, known: tuple[str, Mapping[str, str]] | None) -> str:
        """As a provider must look: the client's secret, a code that is used once, where it goes, and PKCE."""
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return "client"
        if known is None:
            return "code"
        asked = known[1]
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return "redirect_uri"
        hashed = base64.urlsafe_b64encode(sha256(str(form.get("code_verifier")).encode()).digest()).rstrip(b"=")
        if asked.get("code_challenge_method") != "S256" or hashed.decode() != asked.get("code_challenge"):
            return "code_verifier"
        return ""
