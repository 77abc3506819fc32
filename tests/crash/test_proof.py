"""A real proof by real workers, killed for real: every text once, and a verdict."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import provable
from tests.support.adapter import adapter
from tests.support.provable import found, texts
from tests.support.worker import running, until
from zega_core import db, proof_task, versions
from zega_core.fine_tune import base
from zega_core.jobs import client
from zega_core.proof.figures import read_figures
from zega_core.proof_tables import Proof
from zega_core.settings import Settings
from zega_core.store import proofs
from zega_core.tables import RunStatus

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc"),
]
LONG = 600
"""Seconds: each start of the process that writes loads torch, on a busy machine for a minute."""
PROMPTS, TOKENS = 12, 40


def version(config: Settings) -> None:
    made = provable.version(config)
    folder = versions.folder_of(config, "ana", made.number)
    adapter(folder)
    result = (folder / "result.json").read_text(encoding="utf-8")
    for name, old in made.files.items():
        result = result.replace(old, base.file_hash(folder / name))
    (folder / "result.json").write_text(result, encoding="utf-8")


def ask(config: Settings) -> Proof:
    """A proof of few prompts, prepared as a worker would."""
    row = provable.ask(config)
    job, asked = proof_task.prepare(row, config.model_copy(update={"proof_prompts": PROMPTS}))
    brief = [replace(one, max_tokens=TOKENS) for one in job.asked]
    job = replace(job, asked=brief, batch_size=2)
    with db.session(config) as session:
        stored = proofs.get(session, "ana", row.run_id)
        stored.job = proof_task.stored(job)
        session.add(stored)
        proofs.add_prompts(session, stored, asked)
    client.enqueue_proof(row, config)
    return row


def writing(config: Settings) -> list[int]:
    """Ids of the processes that write for this home."""
    ids: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            if b"zega_core.proof.child" in command and os.fsencode(config.home / "proofs") in command:
                ids.append(int(folder.name))
    return ids


def everything(config: Settings, row: Proof) -> dict[str, str]:
    """What is written, by side and place."""
    sides = [(f"before:{one.place}", one.before) for one in texts(config, row)]
    sides += [(f"after:{one.place}", one.after) for one in texts(config, row)]
    return {name: text for name, text in sides if text is not None}


def test_a_worker_killed_while_it_writes_doubles_nothing_and_the_verdict_comes(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    version(config)
    row, calls = ask(config), tmp_path / "calls.txt"
    with running(config, calls) as worker:
        until(lambda: everything(config, row), LONG)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    until(lambda: not writing(config), 30)
    first = everything(config, row)
    assert 0 < len(first) < 2 * PROMPTS
    assert found(config, row).status == RunStatus.running
    with running(config, calls):
        until(lambda: len(everything(config, row)) > len(first), LONG)
        time.sleep(0.1)
        for process in writing(config):
            os.kill(process, signal.SIGKILL)
        until(lambda: found(config, row).status not in (RunStatus.queued, RunStatus.running), LONG)
        until(lambda: not writing(config), 30)
    ended, written = found(config, row), everything(config, row)
    assert (ended.status, ended.error, ended.attempt) == (RunStatus.done, None, 1)
    assert len(texts(config, row)) == PROMPTS
    assert len(written) == 2 * PROMPTS
    assert {name: written[name] for name in first} == first, "what was there was not written again"
    assert any(written[f"before:{place}"] != written[f"after:{place}"] for place in range(PROMPTS))
    figures = read_figures(ended.figures)
    assert figures is not None
    assert (figures.prompts, ended.verdict) == (PROMPTS, "not_shown")
    assert figures.perplexity is not None
