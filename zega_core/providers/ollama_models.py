"""The models that an Ollama keeps: looking at one, adding one, copying and deleting one. Through its official client,
and for the two requests that this lacks through the same guard."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

import httpx

from zega_core.errors import ProviderError, ProviderUnavailable, TeacherRefused
from zega_core.providers.adapter import part, word
from zega_core.providers.exchange import Exchange
from zega_core.providers.failures import broken_off
from zega_core.providers.ollama import Ollama
from zega_core.providers.service import Access
from zega_core.providers.transport import client_settings

OLDEST = (0, 5, 5)
"""The first version whose /api/create takes ``files`` that were uploaded before."""
OWN_BUILD = (0, 0, 0)
"""What an Ollama says that somebody built from its source."""
FULL = re.compile(r"no space left|not enough space|disk full|quota exceeded|insufficient disk", re.IGNORECASE)
"""As Linux, macOS and Windows say it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What /api/show says of a model; ``own_messages`` tells whether it begins with a conversation of its own."""

    template: str
    system: str
    license: str
    own_messages: bool


class OllamaModels(Ollama):
    """For one thread. Everything raises a ProviderError with what to do, Cancelled once ``stop`` is set."""

    def __init__(self, access: Access, stop: threading.Event | None = None) -> None:
        super().__init__(access)
        settings = client_settings(httpx, self.access)
        if self.access.key is not None:
            settings["headers"] |= {"authorization": f"Bearer {self.access.key}"}
        self._http = httpx.Client(base_url=self.access.base_url, **settings)
        self._stop = stop

    def close(self) -> None:
        self._http.close()
        super().close()

    def version(self) -> str:
        """Such as 0.34.2. Raises TeacherRefused for one that is too old."""
        with self._asking():
            answer = self._http.get("/api/version")
            said = word(part(answer.json(), "version")) if answer.status_code == 200 else ""
        found = re.match(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})", said)
        if found is None:
            raise TeacherRefused(
                f"What answers at {self.access.base_url} does not say which version of Ollama it is. Check the address "
                "in Settings, or install Ollama anew."
            )
        number = tuple(map(int, found.groups()))
        if number < OLDEST and number != OWN_BUILD:
            needed = ".".join(map(str, OLDEST))
            raise TeacherRefused(
                f"This is Ollama {found[0]}, and {needed} or later is needed to add a model. Update Ollama, then "
                "export again."
            )
        return found[0]

    def show(self, model: str) -> Shown | None:
        """None when there is no model of that name."""
        try:
            with self._asking(model) as exchange:
                self._client.show(model)
                found = json.loads(exchange.body)  # the client leaves out some of it
        except TeacherRefused as error:
            if error.status == 404:
                return None
            raise
        return Shown(
            template=word(found.get("template")),
            system=word(found.get("system")),
            license=word(found.get("license")),
            own_messages=bool(found.get("messages")),
        )

    def upload(self, path: Path) -> str:
        """The digest of the file, which is there now; sent only if it was not there before."""
        with path.open("rb") as file:
            digest = f"sha256:{file_digest(file, 'sha256').hexdigest()}"
        with self._asking():
            there = self._http.head(f"/api/blobs/{digest}").status_code == 200
        if not there:
            with self._asking():
                self._client.create_blob(path)
        return digest

    def create(
        self,
        model: str,
        *,
        files: Mapping[str, str],
        template: str,
        parameters: Mapping[str, Any],
        license: str,
        tell: Callable[[str], None],
    ) -> None:
        """Make a model of uploaded ``files`` (digests by names). It is there when this returns, and not half when it
        raises: Ollama writes down its name last."""
        exchange = Exchange(self.access, self.label, streamed=True, stop=self._stop)
        asked: dict[str, Any] = {"files": dict(files), "template": template, "parameters": parameters}
        last = ""
        with closing(exchange), self._plain(), self._explained(exchange, model):
            for step in exchange.drawn(lambda: self._client.create(model, **asked, license=license, stream=True)):
                last = word(part(step, "status"))
                tell(f"Ollama: {last[:80]}")
            if last != "success":
                raise broken_off(exchange)

    def copy(self, source: str, target: str) -> None:
        with self._asking(source):
            self._client.copy(source, target)

    def delete(self, model: str) -> None:
        """Also when it is not there."""
        try:
            with self._asking(model):
                self._client.delete(model)
        except TeacherRefused as error:
            if error.status != 404:
                raise

    def after_stop(self) -> None:
        """From here on requests are made although ``stop`` is set: what was begun is tidied up."""
        self._stop = None

    @contextmanager
    def _asking(self, model: str = "") -> Iterator[Exchange]:
        """Around one request that is answered at once."""
        exchange = Exchange(self.access, self.label, stop=self._stop)
        with closing(exchange), self._plain(), self._explained(exchange, model), exchange.active():
            yield exchange

    @contextmanager
    def _plain(self) -> Iterator[None]:
        """What only happens where models are kept, in its own words."""
        try:
            yield
        except ProviderError as error:
            if not FULL.search(str(error)):
                raise
            raise ProviderUnavailable(
                "The disk on which Ollama keeps its models is full. Free some space there, then export again.",
                status=error.status,
            ) from error


def models_of(access: Access, seconds: float, stop: threading.Event | None = None) -> OllamaModels:
    """``seconds`` is the longest that one request may take: a large file takes its time."""
    return OllamaModels(replace(access, total=max(access.total, seconds), first_token=seconds), stop)
