"""What follows from something that was saved. It is saved, whatever becomes of this: what cannot be asked for now is
asked for later (``jobs.reconcile``)."""

from __future__ import annotations

from logging import getLogger

from zega_core.errors import ZegaError
from zega_core.jobs import client
from zega_core.settings import Settings

log = getLogger(__name__)


def see_to_it(writer: str, settings: Settings) -> str | None:
    """That it is learned from, measured and remembered; the id of the training that it set off, if it did."""
    begun = None
    try:
        begun = client.fine_tune_if_due(writer, settings)
        client.measure_style_if_due(writer, settings)
        client.refresh_memory(writer, settings)
    except ZegaError as error:
        log.warning("not all that follows from it was asked for: %s", error)
    return begun


def remember(writer: str, settings: Settings) -> None:
    """That it is remembered, or forgotten."""
    try:
        client.refresh_memory(writer, settings)
    except ZegaError as error:
        log.warning("memory is brought up to date later: %s", error)
