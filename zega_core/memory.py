"""Memory: the texts of a writer that writing may recall, by their meaning."""

from __future__ import annotations

from sqlmodel import Session

from zega_core.settings import Settings


def behind(session: Session, writer_id: str) -> bool:
    """Whether there is something to put in, to embed or to take out."""
    return False


def refresh(writer_id: str, settings: Settings) -> None:
    """In a worker: bring a writer's memory up to date."""
