"""Asking for what writing needs ahead: memory brought up to date, style measured. Part of ``client``."""

from __future__ import annotations

from datetime import datetime

from zega_core import db, memory, profiling
from zega_core.jobs import queues
from zega_core.settings import Settings, get_settings
from zega_core.store import style_profiles, writing_choices


def refresh_memory(writer_id: str, settings: Settings | None = None) -> None:
    """Have a worker bring a writer's memory up to date, where it is not. Whoever saves, keeps or chooses something
    asks: where nothing is to be done it takes no lock."""
    settings = settings or get_settings()
    with db.reading(settings) as session:
        if not memory.behind(session, writer_id):
            return
    with db.session(settings) as session:
        asked_at = writing_choices.ask_for_memory(session, writer_id)
    enqueue_memory(writer_id, asked_at, settings)


def memory_id(writer_id: str, asked_at: datetime) -> str:
    return f"memory:{writer_id}:{asked_at:%Y%m%dT%H%M%S%f}"


def enqueue_memory(writer_id: str, asked_at: datetime, settings: Settings) -> None:
    """Hand a request to the workers. The same request twice is done once."""
    queues.hand_over(settings, "refresh_memory", queues.MEMORY, memory_id(writer_id, asked_at), writer_id)


def measure_style_if_due(writer_id: str, settings: Settings | None = None) -> None:
    """Have a worker measure a writer's style, where there is something that was not measured. What is up to date takes
    no lock, and what waits already is not asked for twice."""
    settings = settings or get_settings()
    with db.reading(settings) as session:
        if not profiling.due(session, writer_id):
            return
    with db.session(settings) as session:
        asked_at = style_profiles.ask(session, writer_id)
    enqueue_style(writer_id, asked_at, settings)


def style_id(writer_id: str, asked_at: datetime) -> str:
    return f"style:{writer_id}:{asked_at:%Y%m%dT%H%M%S%f}"


def enqueue_style(writer_id: str, asked_at: datetime, settings: Settings) -> None:
    """Hand a request to the workers. The same request twice is done once."""
    queues.hand_over(settings, "measure_style", queues.MEMORY, style_id(writer_id, asked_at), writer_id)
