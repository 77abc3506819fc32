"""The tables as the migrations leave them, made once: a test that is not about migrations begins with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from zega_core import db
from zega_core.settings import Settings

MADE_BY_SQLITE = ("example_words_", "story_words_", "sqlite_")
"""Tables that come with those they belong to."""


@cache
def head() -> str:
    """The number of the newest migration."""
    config = Config()
    config.set_main_option("script_location", str(db.MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_current_head())


@cache
def statements() -> tuple[str, ...]:
    """What makes a SQLite database's tables, in order, read from one that has really been migrated."""
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        engine = db.sqlite_engine(settings.home / "zega.db", isolation_level=None)
        with db.migrating(engine) as connection:
            migrate(connection)
        engine.dispose()
        made = sqlite3.connect(settings.home / "zega.db")
        found = schema(made)
        made.close()
    wanted = tuple(sql for kind, name, sql in found if kind != "table" or not name.startswith(MADE_BY_SQLITE))
    return (*wanted, f"INSERT INTO alembic_version VALUES ('{head()}')")


def schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and SQL of all that a SQLite database has."""
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    return found.fetchall()


def migrate(connection: Connection) -> None:
    """Every migration, one after the other."""
    config = Config()
    config.set_main_option("script_location", str(db.MIGRATIONS))
    config.attributes["connection"] = connection
    _upgrade(config, "head")


_upgrade: Callable[..., None] = command.upgrade


def at_once(config: Config, revision: str, **options: Any) -> None:
    """In place of Alembic's ``upgrade``: an empty SQLite database gets all its tables, one that is up to date is left
    alone, any other is migrated."""
    connection: Connection = config.attributes["connection"]
    tables = set(inspect(connection).get_table_names())
    if not tables and connection.dialect.name == "sqlite":
        for statement in statements():
            connection.exec_driver_sql(statement)
    elif "alembic_version" not in tables or _version(connection) != head():
        _upgrade(config, revision, **options)


def _version(connection: Connection) -> str | None:
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@pytest.fixture(autouse=True)
def tables_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Databases are made without the migrations, but for tests marked ``migrations``."""
    if not request.node.get_closest_marker("migrations"):
        monkeypatch.setattr(command, "upgrade", at_once)
