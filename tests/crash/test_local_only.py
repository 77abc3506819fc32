"""Local only means that no socket leaves the machine: a real worker, with keys for every remote service."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.support.services import FakeService
from tests.support.teachers import story
from tests.support.worker import until
from zega_core import db
from zega_core.configs import AutoTrainConfig, TeachingConfig
from zega_core.jobs import client
from zega_core.settings import ROOT, Settings
from zega_core.store import examples, sessions, teaching, writers
from zega_core.tables import RunStatus

pytestmark = pytest.mark.crash


def hosts(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {line.partition(" ")[2] for line in lines}


def is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.startswith("/")  # a socket file


@pytest.mark.parametrize("local_only", [True, False])
def test_no_socket_leaves_the_machine_when_local_only(config: Settings, tmp_path: Path, local_only: bool):
    seen = tmp_path / "sockets.txt"
    with FakeService("ollama", lambda number: story(number, sentences=14), busy_every=3) as ollama:
        with db.session(config) as session:
            writers.ensure(session, "default")
            teaching.save(session, "default", TeachingConfig(local_only=local_only, judge="groq/openai/gpt-oss-20b"))
        environment = {
            **os.environ,
            "OLLAMA_HOST": ollama.url,
            "ZEGA_OPENAI_BASE_URL": "http://teacher.invalid/v1",
            "ZEGA_TEST_SOCKETS": str(seen),
            **dict.fromkeys(
                ("GROQ_API_KEY", "GOOGLE_API_KEY", "HF_TOKEN", "ZEGA_OPENAI_API_KEY"), "a-key-for-this-test"
            ),
        }
        session_id = client.start_auto_train(AutoTrainConfig(num_examples=12), teacher="x", settings=config)
        for provider in ("groq", "gemini", "huggingface", "openai_compatible", "ollama"):
            client.check_teacher("default", provider, settings=config)
        process = subprocess.Popen([sys.executable, "-m", "tests.support.watched"], cwd=ROOT, env=environment)
        try:
            until(lambda: status(session_id) == RunStatus.done)
            client.check_teacher("default", "groq", "openai/gpt-oss-20b", settings=config)
            client.check_teacher("default", "ollama", "llama3.2:3b", settings=config)
            until(lambda: len(ollama.completions) > 12)
        finally:
            process.kill()
            process.wait()
    with db.reading() as session:
        row = sessions.get(session, "default", session_id)
        assert {example.model for example in examples.newest(session, "default", row.id or 0, 99)} == {
            "ollama/llama3.2:3b"
        }
    outside = {host for host in hosts(seen) if not is_here(host)}
    if local_only:
        assert not outside
    else:  # the same run reaches out without the switch, so the test sees what it looks for
        assert any("groq" in host for host in outside)
        assert "teacher.invalid" in outside


def status(session_id: str) -> str:
    with db.reading() as session:
        return sessions.get(session, "default", session_id).status
