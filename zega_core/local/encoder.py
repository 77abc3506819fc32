"""Embeds texts with the packaged sentence encoder. Only the server's process uses this."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from zega_core.errors import Cancelled, ProviderUnavailable
from zega_core.local import minilm
from zega_core.local.embeddings import Matrix

PART = 8
"""Texts at a time: between two parts another request has its turn, so that one text does not wait for many."""


class Encoder:
    """Loads the encoder with the first texts, after ``prepared`` is set: importing two large libraries at once in two
    threads is asking for trouble."""

    def __init__(self, prepared: threading.Event | None = None, device: str | None = None) -> None:
        self._prepared, self._device = prepared, device
        self._model: Any = None
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str], stop: threading.Event) -> Matrix:
        """A row of length one for each. Raises NotFound or InvalidInput when the encoder cannot be had,
        ProviderUnavailable when memory is short, Cancelled when ``stop`` is set before all are done."""
        rows = []
        for start in range(0, len(texts), PART):
            with self._lock:
                if stop.is_set():
                    raise Cancelled("Nobody waits for these numbers any more.")
                rows.append(self._part(list(texts[start : start + PART])))
        return np.concatenate(rows)

    def _part(self, texts: list[str]) -> Matrix:
        try:
            if self._model is None:
                self._model = self._load()
            found = self._model.encode(
                texts,
                batch_size=PART,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or "memory" in str(error).lower():
                raise ProviderUnavailable(
                    "There is not enough memory to compare texts. Close other programs and try again."
                ) from error
            raise
        return np.asarray(found, np.float32)

    def _load(self) -> Any:
        folder = minilm.folder()
        if self._prepared is not None:
            self._prepared.wait(60)
        import torch  # with the next one seconds, and only for who remembers texts
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(folder),
            device=self._device or ("cuda" if torch.cuda.is_available() else "cpu"),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
