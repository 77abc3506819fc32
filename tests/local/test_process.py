"""The warm process as a process: started once, found by everybody, killed, replaced, and gone when of no use."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.local.quick import WORD
from tests.support.worker import until
from zega_core.errors import Cancelled, HomeError, ProviderUnavailable, TeacherRefused
from zega_core.local import process
from zega_core.local.models import student
from zega_core.providers.base import GenerationOptions, Message
from zega_core.settings import ROOT, Settings

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"),
]
ASK = (Message("user", "A lantern."),)
SHORT = GenerationOptions(max_tokens=2)


def living(home: Path) -> list[int]:
    """Process ids of servers for this home, those included that only wait for its lock."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if f"ZEGA_HOME={home}\0".encode() in environment and b"--idle" in command:
            found.append(int(folder.name))
    return found


@pytest.fixture(autouse=True)
def none_outlives_the_test(config: Settings) -> Iterator[None]:
    yield
    for pid in living(config.home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child = process._children.pop(config.home, None)
    if child is not None:
        child.kill()
        child.wait(10)
    until(lambda: not living(config.home), 10)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same server with a writer that loads nothing."""
    monkeypatch.setattr(process, "MODULE", "tests.local.quick")


def test_the_real_one_writes_is_killed_and_writes_again(config: Settings):
    said: list[str] = []
    model = student(config, "ana", None, waiting=said.append)
    greedy = GenerationOptions(max_tokens=400, temperature=0)
    stream = model.stream([Message("user", "Write a scene about a lighthouse.")], greedy)
    first = [next(stream) for _ in range(5)]
    assert said == [process.STARTING]
    running = process.running(config)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    with pytest.raises(ProviderUnavailable, match="broke off in the middle"):
        list(stream)
    again = model.stream([Message("user", "Write a scene about a lighthouse.")], greedy)
    assert [next(again) for _ in range(5)] == first
    again.close()
    with pytest.raises(TeacherRefused, match="no version v3"):
        student(config, "ana", 3).complete(ASK, SHORT)


def test_a_damaged_version_is_said_in_its_sentence(config: Settings):
    from tests.local.tiny import tiny_base, tiny_version

    folder = tiny_version(config.prepare_home(), tiny_base(config.home / "base"))
    model = student(config, "ana", 3)
    assert model.complete(ASK, GenerationOptions(max_tokens=5)).completion_tokens == 5
    with (folder / "adapter_model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(TeacherRefused) as caught:
        model.complete(ASK, SHORT)
    assert str(caught.value).startswith("v3's file adapter_model.safetensors is damaged.")
    shutil.rmtree(folder)
    with pytest.raises(TeacherRefused, match="There is no version v3"):
        model.complete(ASK, SHORT)


ELSEWHERE = """
from zega_core.local import process
from zega_core.settings import get_settings
process.MODULE = "tests.local.quick"
print(process.access(get_settings()).base_url)
"""


def test_many_starters_get_one_and_the_same(config: Settings, quick: None):
    others = [
        subprocess.Popen([sys.executable, "-c", ELSEWHERE], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(4) as pool:
        found = {access.base_url for access in pool.map(lambda _: process.access(config), range(4))}
    found |= {other.communicate(timeout=300)[0].strip() for other in others}
    assert len(found) == 1
    running = process.running(config)
    assert running is not None
    assert found == {f"http://127.0.0.1:{running.port}/v1"}
    until(lambda: living(config.home) == [running.pid], 20)
    assert student(config, "ana", 3).complete(ASK, SHORT).text == WORD * 2


def test_its_secret_is_for_the_owner_only_and_never_the_same(config: Settings, quick: None):
    secrets = set()
    for _ in range(2):
        secrets.add(process.access(config).key)
        assert process.state_path(config).stat().st_mode & 0o777 == 0o600
        process.end(config)
        assert process.running(config) is None
    assert len(secrets) == 2
    log = process.log_path(config).read_text(encoding="utf-8")
    assert not [secret for secret in secrets if secret and secret in log]


def test_it_leaves_when_nobody_comes_and_not_while_it_writes(
    config: Settings, quick: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "IDLE_SECONDS", 0.4)
    text = student(config, "ana", 3).complete(ASK, GenerationOptions(max_tokens=120)).text  # 1.2 s
    assert text == WORD * 120
    until(lambda: not process.is_locked(config), 5)
    assert not process.state_path(config).exists()
    assert student(config, "ana", 3).complete(ASK, SHORT).text == WORD * 2


def test_it_leaves_when_its_home_is_gone(config: Settings, quick: None):
    process.access(config)
    child = process._children[config.home]
    shutil.rmtree(config.home)
    assert child.wait(10) == 0


def test_one_of_other_code_is_replaced(config: Settings, quick: None, monkeypatch: pytest.MonkeyPatch):
    old = process.access(config)
    assert process.access(config) == old
    real = process.code_version()
    monkeypatch.setenv("ZEGA_TEST_CODE", "newer")
    monkeypatch.setattr(process, "code_version", lambda: f"{real}-newer")
    new = process.access(config)
    assert new.key != old.key
    assert process.access(config) == new


def test_a_file_with_the_id_of_another_process_ends_nothing_of_that(config: Settings, quick: None):
    """It was copied from another machine, or somebody wrote it."""
    process.access(config)
    state = process.read_state(config)
    assert state is not None
    with subprocess.Popen(["sleep", "60"]) as stranger:
        process.write_state(config, replace(state, pid=stranger.pid, code="other"))
        process.end(config)
        assert not process.is_locked(config)
        time.sleep(0.1)
        assert stranger.poll() is None
        stranger.kill()


def test_what_a_killed_one_left_behind_is_of_no_harm(config: Settings, quick: None):
    process.access(config)
    child = process._children[config.home]
    child.kill()
    child.wait()
    assert process.state_path(config).exists()
    assert process.running(config) is None
    assert student(config, "ana", 3).complete(ASK, SHORT).text == WORD * 2


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff", b"[" * 9000])
def test_a_file_that_makes_no_sense_is_no_server(config: Settings, left: bytes):
    config.prepare_home()
    process.state_path(config).write_bytes(left)
    assert process.running(config) is None
    odd = {"pid": True, "port": "80", "secret": "x" * 40, "code": "x"}
    process.state_path(config).write_text(json.dumps(odd), encoding="utf-8")
    assert process.running(config) is None


def test_a_crash_in_the_middle_of_a_text_is_one_sentence(config: Settings, quick: None):
    asked = [Message("user", "crash")]
    stream = student(config, "ana", 3).stream(asked, GenerationOptions())
    with pytest.raises(ProviderUnavailable, match=r"^Your model broke off in the middle of its answer\."):
        list(stream)


def test_one_that_cannot_start_says_so(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "MODULE", "tests.local.nothing_here")
    with pytest.raises(ProviderUnavailable, match=r"ended while it was being loaded .*local\.out says why"):
        student(config, "ana", 3).complete(ASK, SHORT)


def test_waiting_has_an_end_and_can_be_stopped(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process, "_spawn", sleeping)
    with pytest.raises(ProviderUnavailable, match="within 0 seconds"):
        process.access(config, patience=0.2)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        student(config, "ana", 3).complete(ASK, GenerationOptions(stop=stop))
    assert time.monotonic() - began < 5


def sleeping(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_a_home_that_cannot_be_written_to_is_said(config: Settings):
    config.prepare_home()
    process.log_path(config).mkdir()
    with pytest.raises(HomeError, match="cannot write"):
        process.access(config)
    with pytest.raises(ProviderUnavailable, match="cannot write"):
        student(config, "ana", 3).complete(ASK, SHORT)


def test_a_server_that_cannot_say_where_it_is_ends_with_a_sentence(config: Settings, quick: None):
    config.prepare_home()
    process.state_path(config).with_suffix(".new").mkdir()
    with pytest.raises(ProviderUnavailable, match="ended while it was being loaded"):
        process.access(config)
    assert "ZEGA cannot write to" in process.log_path(config).read_text(encoding="utf-8")


def test_the_client_side_loads_no_torch():
    code = (
        "import sys, zega_core.local.models, zega_core.local.process, zega_core.local.server, zega_core.providers;"
        "print(sorted({'torch', 'transformers', 'peft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
