"""Fixtures of all tests: a home of their own, no network, a scripted teacher."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.command import Command
from tests.support.migrated import tables_at_once as tables_at_once
from tests.support.postgresql import Cluster, why_not
from zega_core import db, settings, teachers
from zega_core.jobs import queues
from zega_core.settings import Settings

# Before torch is imported, here and in every process that a test starts: models are tiny, and threads that wait for
# each other spin on the processors that the tests beside need.
os.environ.update({"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"})
hypothesis.settings.register_profile("no clock", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("no clock")  # how fast a busy machine is says nothing about what is tested
NOBODY = "http://127.0.0.1:9"
"""Where nothing listens."""


def _forget() -> None:
    settings.get_settings.cache_clear()
    queues.dbos_client.cache_clear()
    db.forget()
    teachers.forget()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh ZEGA_HOME, no ZEGA_ setting and no key from outside, and no Ollama but the test's own."""
    services = {field.upper() for field in settings.ServiceEnvironment.model_fields}
    for name in [name for name in os.environ if name.startswith("ZEGA_") or name in services]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ZEGA_ENV_FILE", os.devnull)
    for kind in (settings.Settings, settings.ServiceEnvironment):
        monkeypatch.setitem(kind.model_config, "env_file", None)
    monkeypatch.setenv("OLLAMA_HOST", NOBODY)
    folder = tmp_path / "home"
    monkeypatch.setenv("ZEGA_HOME", str(folder))
    _forget()
    yield folder
    _forget()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests reach this machine only."""
    connect: Callable[..., Any] = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away PostgreSQL."""
    reason = why_not()
    if reason:
        pytest.skip(f"POSTGRESQL TESTS SKIPPED: {reason}")
    with Cluster.started() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same test on both databases."""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        marked = request.node.get_closest_marker("migrations")
        url = cluster.new_database() if marked else cluster.migrated_database()
        monkeypatch.setenv("ZEGA_DATABASE_URL", url)
        _forget()
    return request.param


@pytest.fixture
def called(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, in this process."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def config(request: pytest.FixtureRequest, home: Path) -> Settings:
    """The settings of this test."""
    if "database" in request.fixturenames:  # whoever asks for both, in whatever order, gets that one's
        request.getfixturevalue("database")
    return settings.get_settings()
