"""``zega api`` as a process: where it listens, what it refuses, what its log holds, how it ends; and what a client that
hangs up, or a process that is killed, loses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from tests.support import api
from tests.support.command import Command
from tests.support.worker import running, until
from zega_core import callers, db, sign_in
from zega_core.api import serving
from zega_core.door_tables import OnceOnly
from zega_core.errors import ConfigError
from zega_core.settings import ROOT, Settings, get_settings
from zega_core.store import api_keys, sessions
from zega_core.tables import LONG_AGO

ASKED = {"user_id": "ana", "num_examples": 12, "genres": ["fantasy"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(settings: Settings, **environment: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The real thing as a process, ready to be asked. A worker that holds the slot is used."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "zega_core", "api", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "ZEGA_HOME": str(settings.home), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            until(lambda: process.poll() is not None or answers(client))
            assert process.poll() is None, process.communicate()
            yield process, client
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def events(response: httpx.Response) -> Iterator[tuple[str, str, Any]]:
    found: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif found:
            yield found.get("event", ""), found.get("id", ""), json.loads(found.get("data", "null"))
            found = {}


def test_where_others_can_reach_it_keys_are_needed(config: Settings, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigError, match="zega keys create"):
        callers.check_keys(config, "0.0.0.0")
    callers.check_keys(config, "::1")
    monkeypatch.setattr(sign_in, "is_configured", lambda: True)
    with pytest.raises(ConfigError, match="zega keys create"):
        callers.check_keys(config, "127.0.0.1")
    api.key_of("ana")
    callers.check_keys(config, "0.0.0.0")


def test_a_port_that_is_taken_and_an_address_that_is_none_are_sentences(called: Command, home: Path):
    with serving.listen("127.0.0.1", 0) as taken:
        refused = called("api", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 3 and "in use" in refused.stderr and "Traceback" not in refused.stderr
    api.key_of("ana")
    for host in ("203.0.113.9", "zega..invalid"):
        refused = called("api", "--host", host, "--port", "8002")
        assert refused.returncode == 3 and "127.0.0.1" in refused.stderr, refused


def test_keys_by_the_command_line(called: Command, home: Path):
    made = json.loads(called("keys", "create", "--writer", "ana", "--name", "laptop", "--json").stdout)
    assert len(made["key"]) == api_keys.LENGTH and made["name"] == "laptop"
    assert called("keys", "create", "--writer", "ana", "--name", "phone").stdout.startswith(api_keys.BEGINS_WITH)
    listed = json.loads(called("keys", "list", "--writer", "ana", "--json").stdout)
    assert [one["name"] for one in listed] == ["phone", "laptop"] and made["key"] not in str(listed)
    assert "laptop" in called("keys", "list", "--writer", "ana").stdout
    assert called("keys", "revoke", str(made["id"]), "--writer", "ben").returncode == 1
    assert called("keys", "revoke", str(made["id"]), "--writer", "ana").returncode == 0
    assert api.client().get("/x", headers={"X-API-Key": made["key"]}).status_code == 401
    assert called("keys", "create", "--writer", "ana", "--name", " ").returncode == 2


@pytest.mark.crash
def test_a_stream_that_drops_is_taken_up_without_a_gap_and_ctrl_c_ends_all(home: Path, tmp_path: Path):
    settings = get_settings()
    with running(settings, tmp_path / "calls", delay=0.1, in_flight=1), served(settings) as (process, client):
        key = api.key_of("ana")
        seen: list[str] = []
        session_id = ""
        with client.stream("POST", "/auto-train-stream", json=ASKED) as response:
            for name, identity, data in events(response):
                session_id = data["session_id"]
                seen += [identity] * (name == "example")
                if len(seen) == 4:
                    break  # the connection is closed in the middle
        headers = {"Last-Event-ID": seen[-1], "Authorization": f"Bearer {key}"}
        result: dict[str, Any] = {}
        with client.stream("GET", f"/auto-train-stream/{session_id}?secret=1", headers=headers) as response:
            for name, identity, data in events(response):
                seen += [identity] * (name == "example")
                result = data if name == "result" else result
        assert len(seen) == len(set(seen)) == 12 and seen == sorted(seen, key=int)
        assert result["successful"] + result["set_aside"] == 12
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0 and "Traceback" not in said, said
    logged = (settings.home / "logs" / "api.log").read_text(encoding="utf-8")
    assert "/auto-train-stream" in logged and key not in logged and "secret" not in logged
    assert "Traceback" not in logged


@pytest.mark.crash
def test_a_request_whose_process_is_killed_is_not_done_twice(home: Path, tmp_path: Path):
    """kill -9 after the session was begun and before it was answered; the same request again waits for that one."""
    settings = get_settings()
    headers = {"Idempotency-Key": "k"}
    with running(settings, tmp_path / "calls", delay=0.1, in_flight=1):
        with served(settings) as (process, client), pytest.raises(httpx.TransportError):
            _ask_and_kill(process, client, headers, settings)
        with served(settings) as (_, client):
            _grow_old(settings)
            answer = client.post("/auto-train", json=ASKED, headers=headers)
            again = client.post("/auto-train", json=ASKED, headers=headers)
    assert answer.status_code == 200 and answer.json()["status"] == "done"
    assert again.json() == answer.json() and again.headers["idempotency-replayed"] == "true"
    with db.reading(settings) as session:
        assert len(sessions.page(session, "ana")) == 1


def _ask_and_kill(
    process: subprocess.Popen[str], client: httpx.Client, headers: dict[str, str], settings: Settings
) -> None:
    def begun() -> bool:
        with db.reading(settings) as session:
            return sessions.latest(session, "ana") is not None

    def kill() -> None:
        until(begun)
        process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        client.post("/auto-train", json=ASKED, headers=headers)
    finally:
        killer.join()


def _grow_old(settings: Settings) -> None:
    with db.session(settings) as session:
        row = session.exec(select(OnceOnly)).one()
        row.heartbeat_at = LONG_AGO
        session.add(row)
