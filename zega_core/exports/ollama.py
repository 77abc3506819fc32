"""A version into Ollama: files, base model, adapter, and a look at whether it writes there as it does here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from zega_core.exports.verify import Report
from zega_core.settings import Settings
from zega_core.version_tables import Version


@dataclass(frozen=True, slots=True)
class Delivery:
    """``notes`` say what to do next, in sentences. ``report`` is what was checked in Ollama, None where there is no
    Ollama; ``created`` says whether the model is in Ollama now."""

    notes: list[str] = field(default_factory=list)
    report: Report | None = None
    created: bool = False


def deliver(
    folder: Path,
    writer_id: str,
    version: Version,
    settings: Settings,
    *,
    base: str = "",
    tell: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Delivery:
    """Write the files of ``version`` into the empty ``folder``, and make ``versions.model_name(writer_id)`` of them in
    the Ollama that the writer has set up. ``base`` is what the base model is called in Ollama where it is not the
    built-in one. ``tell`` gets a sentence at each step; ``stop`` ends it (Cancelled) and leaves what is in Ollama as it
    was. Without an Ollama that answers the files and the commands are all, which is no error. Raises InvalidInput or a
    ProviderError with what is wrong there, HomeError for a full disk."""
    raise NotImplementedError
