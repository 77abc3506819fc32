"""Rows of fine-tunes and versions as a worker would have left them, without training."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from tests.support.outcome import RESULT
from zega_core import db, versions
from zega_core.configs import FineTuneConfig
from zega_core.fine_tune.plan import Plan
from zega_core.settings import Settings
from zega_core.store import fine_tunes, writers
from zega_core.store import versions as version_rows
from zega_core.tables import Example, ExampleStatus, RunStatus, Source, now
from zega_core.version_tables import FineTune, Version


def keep(settings: Settings, writer: str, number: int, *, first: int = 0, **values: Any) -> None:
    """``number`` kept examples of as many prompts."""
    with db.session(settings) as session:
        writers.ensure(session, writer)
        for index in range(first, first + number):
            fields = {
                "user_id": writer,
                "source": Source.auto,
                "genre": "fantasy",
                "element": "scene",
                "prompt": f"Write about the lamp number {index} in the old harbour town",
                "completion": f"The keeper of lamp {index} counted the ships, and ship {index} did not answer.",
                "status": ExampleStatus.kept,
                "quality": 7.5 + index % 3,
                "text_hash": f"{writer}-{index}",
                "model": "storyteller",
            }
            session.add(Example(**fields | values))


def fine_tune(settings: Settings, writer: str, status: str = RunStatus.done, **values: Any) -> FineTune:
    """A row with this status."""
    with db.session(settings) as session:
        row = fine_tunes.create(session, writer, FineTuneConfig(), "writer")
        row.status = status
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
    return row


def version(
    config: Settings, writer: str, *, promote: bool = False, files: bool = True, whole: bool = False, **values: Any
) -> Version:
    """A finished version with a small file of its own; its ``Result`` is ``RESULT``. A ``whole`` one has all files that
    are looked for before it is loaded."""
    with db.session(config) as session:
        writers.ensure(session, writer)
        number = version_rows.next_number(session, writer)
    run = fine_tune(config, writer, version_number=number, completed_at=now(), active_seconds=75.0)
    content = f"adapter {writer} {number}".encode()
    contents = {"adapter_model.safetensors": content} | ({"adapter_config.json": b"{}"} if whole else {})
    listed = {name: sha256(content).hexdigest() for name, content in contents.items()}
    folder = versions.folder_of(config, writer, number)
    if files:
        folder.mkdir(parents=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        base_hash = str(values.get("base_hash", RESULT.base_hash))
        result = json.dumps(asdict(replace(RESULT, files=listed, base_hash=base_hash)))
        (folder / "result.json").write_text(result, encoding="utf-8")
    fields = {
        "user_id": writer,
        "number": number,
        "fine_tune_id": run.id,
        "base": "",
        "base_hash": RESULT.base_hash,
        "data_hash": "d" * 64,
        "examples": 50,
        "own_share": 0.25,
        "settings": json.loads(json.dumps(asdict(Plan(base="built-in")))),
        "metrics": {key: value for key, value in asdict(RESULT).items() if key not in ("files", "base_hash")},
        "files": listed,
        "size_bytes": RESULT.size_bytes,
        "seconds": RESULT.seconds,
    }
    with db.session(config) as session:
        row = Version(**fields | values)
        session.add(row)
        session.flush()
        if promote:
            version_rows.promote(session, writer, row)
    return row
