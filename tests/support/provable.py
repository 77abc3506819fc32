"""Versions that can be proved, with their data, and a process that writes by a script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from tests.support import tuned
from tests.support.teachers import story
from zega_core import db, proof_task, proving, versions
from zega_core.catalog import Brief, load_catalog, request
from zega_core.fine_tune.base import BUILT_IN, weights_hash
from zega_core.fine_tune.plan import Row
from zega_core.proof.prompts import choose
from zega_core.proof_tables import Proof, ProofText
from zega_core.settings import Settings
from zega_core.store import proofs
from zega_core.version_tables import Version

PROMPTS = 8
"""Fewer than a real proof can have: a test has no time to write more."""


@cache
def built_in() -> str:
    return weights_hash(BUILT_IN)


def asked(text: str) -> str:
    """A prompt as a model is asked."""
    catalog = load_catalog()
    return request(Brief(text, "fantasy", catalog.elements[0]), catalog)


def row(number: int, split: str = "train", **more: Any) -> Row:
    fields = {"weight": 1.0, "own": False, "source": "auto", "completion": story(1000 + number)}
    return Row(number, asked(f"Write about the lamp number {number}"), split=split, **fields | more)  # type: ignore[arg-type]


ROWS = [*(row(number) for number in range(1, 9)), *(row(number, "held_out") for number in range(11, 15))]


def version(config: Settings, writer: str = "ana", *, rows: Sequence[Row] = ROWS, **values: Any) -> Version:
    """One on the built-in base, whole, with its rows."""
    fields: dict[str, Any] = {"base_hash": built_in()} | values
    made = tuned.version(config, writer, whole=True, **fields)
    lines = "".join(json.dumps(asdict(one)) + "\n" for one in rows)
    (versions.folder_of(config, writer, made.number) / "data.jsonl").write_text(lines, encoding="utf-8")
    return made


def write_script(config: Settings, *starts: dict[str, Any]) -> None:
    folder = config.home / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "starts").unlink(missing_ok=True)
    (folder / "script.json").write_text(json.dumps(starts or [{}]), encoding="utf-8")


def starts(config: Settings) -> list[int]:
    """How many texts were there at each start of the process."""
    path = config.home / "proofs" / "starts"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def ask(config: Settings, number: int = 1, *, writer: str = "ana", **values: Any) -> Proof:
    """A queued proof."""
    fields = {"against": None, "promote": False, "judge": "", "trigger": "writer"}
    with db.session(config) as session:
        return proofs.create(session, writer, number, **fields | values)


def found(config: Settings, proof: Proof) -> Proof:
    with db.reading(config) as session:
        return proofs.get(session, proof.user_id, proof.run_id)


def texts(config: Settings, proof: Proof) -> list[ProofText]:
    with db.reading(config) as session:
        return proofs.texts(session, proof)


@pytest.fixture
def scripted(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing itself is ``tests.support.prover``."""
    monkeypatch.setattr(proving, "CHILD", "tests.support.prover")
    monkeypatch.setattr(proof_task, "choose", lambda *rows, **known: choose(*rows, **known | {"count": PROMPTS}))
    write_script(config)
