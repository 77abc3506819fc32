"""Rows as fine-tunes leave them: kept examples, runs with their losses, versions with files, what is in use."""

from __future__ import annotations

import secrets
from datetime import timedelta
from math import exp
from typing import Any

from tests.support.teachers import story
from zega_core import db, versions
from zega_core.catalog import load_catalog
from zega_core.dataset import text_hash
from zega_core.settings import Settings, get_settings
from zega_core.store import versions as stored
from zega_core.store import writers
from zega_core.tables import Example, ExampleStatus, RunStatus, Source, now
from zega_core.version_tables import FineTune, TrainingMetric, Version

WRITER = "default"
METRICS: dict[str, Any] = {
    "perplexity_base": 38.2,
    "perplexity_before": 38.2,
    "perplexity_after": 22.4,
    "held_out_texts": 6,
    "held_out_own": True,
    "validation_loss": 3.1,
    "steps": 60,
    "best_step": 40,
}


def keep(number: int, *, own: int = 0, into: Settings | None = None, writer: str = WRITER) -> None:
    """So many kept examples of all genres and elements, the first ``own`` of them pages of the writer."""
    catalog = load_catalog()
    with db.session(into) as session:
        writers.ensure(session, writer)
        for index in range(number):
            prompt = catalog.prompts[index % len(catalog.prompts)]
            element = catalog.elements[index % len(catalog.elements)]
            text, mine = story(index), index < own
            session.add(
                Example(
                    user_id=writer,
                    source=Source.manuscript if mine else Source.auto,
                    genre=prompt.genre,
                    element=element.key,
                    prompt=prompt.text,
                    completion=text,
                    status=ExampleStatus.kept,
                    quality=7.0 + index % 3,
                    text_hash=text_hash(text),
                )
            )


def run(
    status: str, *, step: int = 0, steps: int = 60, into: Settings | None = None, writer: str = WRITER, **more: Any
) -> FineTune:
    """A fine-tune of this status that has done ``step`` steps, with their losses."""
    values: dict[str, Any] = {
        "run_id": secrets.token_hex(16),
        "trigger": "writer",
        "config": {},
        "status": status,
        "phase": "training" if step else "",
        "heartbeat_at": now(),
    }
    if step:
        values |= {"step": step, "steps": steps, "tokens_per_second": 1234.5, "seconds_left": 95.0}
    if status not in (RunStatus.queued, RunStatus.running, RunStatus.stopping):
        values |= {"completed_at": now()}
    with db.session(into) as session:
        writers.ensure(session, writer)
        session.add(row := FineTune(user_id=writer, **values | more))
        session.flush()
        for at in range(step + 1):
            loss = 2.0 + exp(-at / 20) + 0.1 * (at % 3)
            aside = 2.6 + exp(-at / 15) + max(0, at - 40) * 0.02 if at % 10 == 0 else None
            session.add(
                TrainingMetric(
                    fine_tune_id=row.id or 0,
                    step=at,
                    epoch=at / 6,
                    loss=loss if at else None,
                    validation_loss=aside,
                )
            )
    return row


def version(number: int, *, into: Settings | None = None, writer: str = WRITER, **more: Any) -> Version:
    """A version with its files, and the fine-tune that made it."""
    into = into or get_settings()
    row = run(RunStatus.done, step=60, into=into, writer=writer, version_number=number)
    folder = versions.folder_of(into, writer, number)
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"0" * 64)
    values: dict[str, Any] = {
        "base": "",
        "base_hash": "b" * 64,
        "data_hash": f"{number:064d}",
        "examples": 50 + number,
        "own_share": 0.32,
        "settings": {"rank": 16, "learning_rate": 0.001},
        "metrics": METRICS,
        "files": {"adapter_model.safetensors": "0" * 64},
        "size_bytes": 1_240_000,
        "seconds": 125.0,
        "created_at": now() - timedelta(days=200 - number),
    }
    with db.session(into) as session:
        session.add(made := Version(user_id=writer, number=number, fine_tune_id=row.id or 0, **values | more))
    return made


def promote(number: int | None, *, into: Settings | None = None, writer: str = WRITER) -> None:
    with db.session(into) as session:
        stored.promote(session, writer, None if number is None else stored.get(session, writer, number))
