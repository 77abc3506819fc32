"""The one way out to a service: this guard sits under the HTTP library of every client.

It keeps a call within its time and size, keeps what is local on this machine, sends the key that was given and no
other, and notes what came back, whatever the client makes of it. ``ollama`` and ``groq`` use httpx, the others its
fork httpx2, so the module is an argument here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from zega_core.errors import TeacherRefused
from zega_core.providers.exchange import Exchange, current
from zega_core.providers.service import Access, is_loopback, is_loopback_host

KEPT_ALIVE = 64
"""Connections kept open for the next call, and for how many seconds:"""
KEPT_FOR = 30.0


class Guard:
    """A transport, in the sense of httpx, for the service at ``access.base_url``."""

    def __init__(self, httpx: ModuleType, access: Access) -> None:
        self._httpx = httpx
        self._core = import_module(httpx.__name__.replace("httpx", "httpcore"))
        self._raised = (self._core.TimeoutException, self._core.NetworkError, self._core.ProtocolError)
        self._raised += (self._core.ProxyError, self._core.UnsupportedProtocol)
        self._access = access
        self._stays_here = access.local_only or is_loopback(access.base_url)
        self._pool = _pool(httpx, self._core, access)

    def handle_request(self, request: Any) -> Any:
        exchange = current.get()
        self._admit(request, exchange)
        sent = self._core.Request(
            method=request.method,
            url=self._core.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions if exchange is None else {"timeout": self._timeouts(exchange)},
        )
        with self._noted(exchange):
            got = self._pool.handle_request(sent)
        if exchange is not None:
            exchange.began(got.status, got.headers, got.close)
        stream = _stream_class(self._httpx)(self._chunks(got.stream, exchange), got.close)
        return self._httpx.Response(got.status, headers=got.headers, stream=stream, extensions=got.extensions)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def _admit(self, request: Any, exchange: Exchange | None) -> None:
        """Before anything is sent, or a name is looked up."""
        if exchange is not None:
            exchange.check()
        if self._stays_here and not is_loopback_host(request.url.host):
            label = "This teacher" if exchange is None else exchange.label
            refusal = TeacherRefused(
                f"{label} is to stay on this machine, but {request.url.host} is elsewhere. Nothing was sent. Correct "
                "the address in Settings, or allow teachers that are not on this machine."
            )
            if exchange is not None:
                exchange.end(refusal)
            raise refusal
        for name, form in (("authorization", "Bearer {}"), ("x-goog-api-key", "{}")):
            if name in request.headers:
                if self._access.key is None:
                    del request.headers[name]
                else:
                    request.headers[name] = form.format(self._access.key)

    def _timeouts(self, exchange: Exchange) -> dict[str, float]:
        left = max(0.001, exchange.left)
        connect = min(left, self._access.connect)
        return {"connect": connect, "read": left, "write": left, "pool": connect}

    def _chunks(self, stream: Any, exchange: Exchange | None) -> Iterator[bytes]:
        chunks = iter(stream)
        while True:
            if exchange is None:
                with self._noted(None):
                    chunk = next(chunks, None)
            else:
                with exchange.active(), self._noted(exchange):
                    chunk = next(chunks, None)
            if chunk is None or (exchange is not None and not exchange.takes(chunk)):
                return
            yield chunk

    @contextmanager
    def _noted(self, exchange: Exchange | None) -> Iterator[None]:
        """The connection's errors, noted and turned into those of the HTTP library, which bear the same names."""
        try:
            yield
        except self._raised as error:
            if exchange is not None:
                exchange.cause = error
            known: Any = getattr(self._httpx, type(error).__name__, self._httpx.TransportError)
            raise known(str(error)) from error


def client_settings(httpx: ModuleType, access: Access) -> dict[str, Any]:
    """Arguments for the HTTP library's ``Client``. Redirects are not followed: the key is for one address only."""
    return {
        "transport": Guard(httpx, access),
        "headers": {"accept-encoding": "identity"},
        "follow_redirects": False,
        "trust_env": False,
        "timeout": None,
    }


@cache
def _stream_class(httpx: ModuleType) -> Any:
    class Stream(httpx.SyncByteStream):
        def __init__(self, chunks: Iterator[bytes], close: Callable[[], None]) -> None:
            self._chunks, self._close = chunks, close

        def __iter__(self) -> Iterator[bytes]:
            return self._chunks

        def close(self) -> None:
            self._close()

    return Stream


def _pool(httpx: ModuleType, core: ModuleType, access: Access) -> Any:
    """Connections to one service: through the proxy that the environment names, but never from this machine to
    itself."""
    address = urlsplit(access.base_url)
    host = address.hostname or ""
    settings: dict[str, Any] = {
        "ssl_context": httpx.create_ssl_context() if address.scheme == "https" else None,
        "max_connections": None,
        "max_keepalive_connections": KEPT_ALIVE,
        "keepalive_expiry": KEPT_FOR,
        "network_backend": _Backend(core),
    }
    proxies = {} if access.local_only or is_loopback_host(host) or proxy_bypass(host) else getproxies()
    named = proxies.get(address.scheme) or proxies.get("all") or ""
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if not proxy.hostname:
        return core.ConnectionPool(**settings)
    if proxy.username is not None:
        settings["proxy_auth"] = (unquote(proxy.username), unquote(proxy.password or ""))
    kind = core.SOCKSProxy if proxy.scheme.startswith("socks") else core.HTTPProxy
    return kind(proxy_url=f"{proxy.scheme}://{proxy.netloc.rpartition('@')[2]}", **settings)


class _Backend:
    """Makes the connections of a pool."""

    def __init__(self, core: ModuleType) -> None:
        self._core, self._backend = core, core.SyncBackend()

    def connect_tcp(self, *arguments: Any, **settings: Any) -> _Wire:
        return _Wire(self._core, self._backend.connect_tcp(*arguments, **settings))

    def connect_unix_socket(self, *arguments: Any, **settings: Any) -> _Wire:
        return _Wire(self._core, self._backend.connect_unix_socket(*arguments, **settings))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Wire:
    """A connection that is read no longer than the exchange under way may last, however slowly bytes drip in."""

    def __init__(self, core: ModuleType, stream: Any) -> None:
        self._core, self._stream = core, stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        exchange = current.get()
        if exchange is None:
            return self._stream.read(max_bytes, timeout)
        while True:
            exchange.check()
            wait = exchange.next_look
            if wait <= 0:
                raise self._core.ReadTimeout("the time of this call is used up")
            try:
                return self._stream.read(max_bytes, wait)
            except self._core.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *arguments: Any, **settings: Any) -> _Wire:
        return _Wire(self._core, self._stream.start_tls(*arguments, **settings))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
