"""What a writer chooses of training that begins by itself, as programs send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from zega_core import learning_words, training_words
from zega_core.store import fine_tunes, training_triggers, writers

SWITCH = "automatic"


def change(session: Session, writer_id: str, wanted: Mapping[str, Any]) -> None:
    """Take over these choices (fields of ``configs.TriggerConfig``, and ``automatic``, the switch for all of it); the
    others stay. Raises InvalidInput."""
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    others = {name: value for name, value in wanted.items() if name != SWITCH}
    if others:
        config = training_words.changed(training_triggers.load(session, writer_id), **others)
        training_triggers.save(session, writer_id, config)
    if SWITCH in wanted:
        learned = learning_words.changed(fine_tunes.load_config(session, writer_id), automatic=wanted[SWITCH])
        fine_tunes.save_config(session, writer_id, learned)
