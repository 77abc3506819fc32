"""Which embedder there is: one that knows what texts mean, or one that only knows their words."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from zega_core.embedders import Embedder, HashingEmbedder, Matrix
from zega_core.errors import InvalidInput, NotFound
from zega_core.local import asking, minilm
from zega_core.settings import Settings


class MiniLM:
    """The packaged sentence encoder; the warm process embeds. ``embed`` raises ProviderUnavailable, or Cancelled when
    ``stop`` is set meanwhile."""

    name = "minilm-1"
    size = minilm.SIZE

    def __init__(self, settings: Settings, stop: threading.Event | None = None) -> None:
        self._settings, self._stop = settings, stop

    def embed(self, texts: Sequence[str]) -> Matrix:
        return asking.embed(texts, self._settings, self._stop)


def embedder(settings: Settings, *, stop: threading.Event | None = None) -> Embedder:
    """MiniLM where its package is there and sound, else the one that hashes words."""
    return HashingEmbedder() if why_not() else MiniLM(settings, stop)


def today() -> str:
    """The name of the embedder that ``embedder`` gives."""
    return HashingEmbedder.name if why_not() else MiniLM.name


def why_not() -> str:
    """Why texts are not compared by their meaning, as a sentence; empty where they are."""
    try:
        minilm.folder()
    except (NotFound, InvalidInput) as error:
        return str(error)
    return ""
