"""Fill the folder of one export. It knows no run: ``zega_core.exporting`` calls it, watches, and puts the folder in its
place."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import getLogger
from pathlib import Path
from typing import Any

from zega_core import db, versions
from zega_core.child_process import ChildProcess
from zega_core.errors import Cancelled, HomeError, InvalidInput, ZegaError
from zega_core.exports import adapter_folder, child, gather, gguf_file, modelfile, ollama, training_data
from zega_core.exports.card import Kind, Model, Proved, card
from zega_core.exports.formats import FORMATS
from zega_core.fine_tune import base as bases
from zega_core.fine_tune.base import BaseInfo
from zega_core.fine_tune.data import read_summary
from zega_core.fine_tune.forecast import machine
from zega_core.proof.figures import read_figures
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import proofs
from zega_core.store import versions as version_rows
from zega_core.version_tables import FineTune, Version

log = getLogger(__name__)

CHILD = "zega_core.exports.child"
LOOK = 0.5
"""Seconds between two looks at the process that merges."""
SPARE = 20_000_000
"""Bytes that stay free beside an export, for the database and its log."""
CARD = "README.md"
BASE_NAME = "zega-base"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Built:
    """``notes`` say what to do next, and what the writer should know; ``report`` is of ``exports.verify``."""

    notes: list[str] = field(default_factory=list)
    report: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A version whose files are whole, and the base that it sits on."""

    version: Version
    adapter: Path
    base: BaseInfo
    base_hash: str

    @property
    def name(self) -> str:
        return versions.model_name(self.version.user_id)


def build(row: Export, folder: Path, settings: Settings, *, tell: Tell, stop: threading.Event) -> Built:
    """Into the empty ``folder``. ``tell`` gets the phase (``preparing``, ``writing``, ``merging``, ``delivering``).
    Raises a ZegaError with what to do, Cancelled soon after ``stop``, or what the system refuses as an OSError."""
    form = FORMATS[row.format]
    tell("preparing")
    if form.kind == "data":
        return _data(row, folder, settings, tell)
    if row.format == "gguf" and row.version_number is None:
        tell("writing")
        return _base_alone(folder)
    source = _source(row, settings)
    _check_disk(row.format, source, settings)
    if row.format == "ollama":
        tell("delivering")
        found = ollama.deliver(folder, row.user_id, source.version, settings, tell=log.info, stop=stop)
        return Built(found.notes, None if found.report is None else found.report.as_dict())
    if row.format == "gguf":
        tell("writing")
        return _gguf(source, folder, settings)
    if row.format == "peft":
        tell("writing")
        adapter_folder.write(source.adapter, source.version.base, folder)
        _write_card(source, folder, "peft", settings)
    else:
        tell("merging")
        _merge(source, folder, settings, stop)
        _write_card(source, folder, "merged", settings)
    return Built([form.next])


def _data(row: Export, folder: Path, settings: Settings, tell: Tell) -> Built:
    with db.reading(settings) as session:
        if row.version_number is None:
            found = gather.kept_now(session, row.user_id, settings)
        else:
            version = version_rows.get(session, row.user_id, row.version_number)
            found = gather.trained_on(session, version, settings)
    tell("writing")
    number = training_data.write(row.format, found.pairs, folder / f"{row.user_id}-{row.format}.jsonl")
    pairs = "1 pair of prompt and text" if number == 1 else f"{number:,} pairs of prompt and text"
    return Built([f"{pairs}. {FORMATS[row.format].next}", *found.notes])


def _source(row: Export, settings: Settings) -> _Source:
    if row.version_number is None:
        raise InvalidInput("Say which version to export.")
    with db.reading(settings) as session:
        version = version_rows.get(session, row.user_id, row.version_number)
    base = bases.describe(bases.resolve(version.base), version.base)
    base_hash = bases.weights_hash(base.folder)
    adapter = versions.folder_of(settings, version.user_id, version.number)
    bases.check_adapter(adapter, base_hash)
    return _Source(version, adapter, base, base_hash)


def _check_disk(form: str, source: _Source, settings: Settings) -> None:
    """Before anything is written; raises HomeError. Merged weights take 4 bytes each, those in a GGUF file 2."""
    numbers = {"merged": 4, "gguf": 2, "ollama": 2}
    needed = source.base.parameters * numbers.get(form, 0) + source.version.size_bytes + SPARE
    if form == "peft" and not source.version.base:
        needed += source.base.bytes
    free = machine(settings.home).disk
    if free is not None and free < needed:
        raise HomeError(
            f"This export needs about {needed / 1e6:,.0f} MB on the disk of {settings.home}, and {free / 1e6:,.0f} MB "
            "are free. Free some space, then export again."
        )


def _gguf(source: _Source, folder: Path, settings: Settings) -> Built:
    file = f"{source.name}-v{source.version.number}.gguf"
    gguf_file.write_model(source.base.folder, folder / file, name=source.name, adapter_folder=source.adapter)
    (folder / modelfile.MODELFILE).write_text(modelfile.modelfile(f"./{file}"), encoding="utf-8")
    _write_card(source, folder, "gguf", settings)
    return Built([FORMATS["gguf"].next, "For Ollama, type in this folder:", *modelfile.by_hand(source.name)])


def _base_alone(folder: Path) -> Built:
    """The built-in base model as one file, with its own card."""
    gguf_file.write_model(bases.BUILT_IN, folder / f"{BASE_NAME}.gguf", name=BASE_NAME)
    (folder / modelfile.MODELFILE).write_text(modelfile.modelfile(f"./{BASE_NAME}.gguf"), encoding="utf-8")
    shutil.copyfile(bases.BUILT_IN / CARD, folder / CARD)
    return Built([FORMATS["gguf"].next, "For Ollama, type in this folder:", *modelfile.by_hand(BASE_NAME)])


def _merge(source: _Source, folder: Path, settings: Settings, stop: threading.Event) -> None:
    child.write_job(folder, child.Job(str(source.base.folder), str(source.adapter), source.base_hash))
    advice = ", or export the adapter instead"
    with ChildProcess(CHILD, folder, settings, advice=advice, then="export again") as process:
        while (ended := process.ended()) is None:
            process.events(LOOK)
            if stop.is_set():
                raise Cancelled("The export was stopped.")
    if ended.error:
        kinds = {"home": HomeError, "refused": InvalidInput}
        raise kinds.get(ended.kind, ZegaError)(ended.error)
    made = folder / child.MODEL
    for path in sorted(made.iterdir()):
        path.rename(folder / path.name)
    made.rmdir()
    for left in (child.JOB, "lock"):
        (folder / left).unlink(missing_ok=True)


def _write_card(source: _Source, folder: Path, kind: Kind, settings: Settings) -> None:
    version = source.version
    with db.reading(settings) as session:
        run = session.get(FineTune, version.fine_tune_id)
        of_version = [one for one in proofs.of_writer(session, version.user_id) if one.version_number == version.number]
    proof, proved = next((one for one in of_version if one.verdict), None), None
    if proof is not None and proof.completed_at is not None:
        against = "the base model" if proof.against is None else f"v{proof.against}"
        proved = Proved(proof.verdict, against, proof.completed_at, read_figures(proof.figures))
    model = Model(
        name=source.name,
        number=version.number,
        base=version.base,
        asked_by_template=source.base.has_template,
        examples=version.examples,
        own_share=version.own_share,
        metrics=version.metrics if isinstance(version.metrics, dict) else {},
        summary=None if run is None else read_summary(run.data),
        proved=proved,
    )
    (folder / CARD).write_text(card(model, kind), encoding="utf-8")
