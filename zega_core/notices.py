"""Telling a writer what happened, each thing once, wherever it is noticed."""

from __future__ import annotations

from sqlmodel import Session

from zega_core.conversation_tables import Notification
from zega_core.store import notifications

LONGEST_KEY, LONGEST_TEXT = 100, 1_000


def note(session: Session, writer_id: str, kind: str, key: str, text: str, page: str = "") -> None:
    """Note it in the caller's transaction; with a ``key`` that the writer has been told of it changes nothing. ``kind``
    as in ``Notification``; ``page`` is a file name in ``pages`` where there is more, such as fine_tune.py."""
    notifications.add(
        session,
        Notification(
            user_id=writer_id, kind=kind, key=key[:LONGEST_KEY], text=" ".join(text.split())[:LONGEST_TEXT], page=page
        ),
    )
