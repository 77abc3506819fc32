"""Opening the database: fresh, damaged, full, newer than we are, used by many."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlmodel import select

from tests.support.migrated import at_once, schema
from zega_core import db, door_tables
from zega_core.errors import ConfigError, HomeError
from zega_core.settings import ROOT, Settings
from zega_core.store import writers
from zega_core.tables import Example, Memory, Story, Table, Writer
from zega_core.writing_tables import Take, Writing

pytestmark = pytest.mark.migrations


def test_a_fresh_home_gets_every_table(database: str, config: Settings):
    assert config.uses_postgresql == (database == "postgresql")
    with db.session(config) as session:
        session.add(Writer(id="ana"))
    with db.reading(config) as session:
        assert writers.ids(session) == ["ana"]


def _is_declared(name: str | None, kind: str, parents: object) -> bool:
    """All but the words of examples and stories, which the database keeps to search in, and the index of the history,
    which is not made alike on both databases."""
    return not str(name).startswith(("example_words", "story_words", "history_sessions"))


def test_migrations_and_tables_agree(database: str, config: Settings):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    db.prepare(config)
    assert door_tables.ApiKey.__tablename__ in Table.metadata.tables  # those, too, are compared
    with db.get_engine(config).connect() as connection:
        there = MigrationContext.configure(connection, opts={"include_name": _is_declared})
        assert compare_metadata(there, Table.metadata) == []


def test_the_tables_that_other_tests_begin_with_are_those_of_the_migrations(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def lines(sql: str) -> list[str]:  # Alembic writes the constraints of a table that it makes anew in any order
        return sorted(line.strip(", ") for line in sql.split("\n"))

    def found(settings: Settings) -> tuple[list[tuple[str, str, list[str]]], list[tuple[str]]]:
        db.prepare(settings)
        connection = sqlite3.connect(settings.home / "zega.db")
        made = sorted((kind, name, lines(sql)) for kind, name, sql in schema(connection))
        version = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
        return made, version

    migrated = found(config)
    monkeypatch.setattr(command, "upgrade", at_once)
    assert found(Settings(home=tmp_path / "other")) == migrated


def test_a_story_that_goes_takes_its_memory_and_leaves_what_was_written(database: str, config: Settings):
    with db.session(config) as session:
        session.add(Writer(id="ana"))
        session.flush()
        story = Story(user_id="ana", title="Salt", genre="horror", body="The tide.")
        session.add(story)
        session.flush()
        writing = Writing(key="w", user_id="ana", task="continue", story_id=story.id)
        session.add(writing)
        session.add(Memory(user_id="ana", story_id=story.id, body="The tide."))
        session.flush()
        session.add(Take(key="t", writing_id=writing.id or 0, user_id="ana", number=1, story_id=story.id))
        session.flush()
        session.delete(story)
    with db.reading(config) as session:
        assert session.exec(select(Memory)).all() == []
        assert session.exec(select(Take)).one().story_id is None
        assert session.exec(select(Writing)).one().story_id is None


def test_times_keep_their_moment_and_come_back_in_utc(database: str, config: Settings):
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with db.session(config) as session:
        session.add(Writer(id="ana", created_at=noon))
    with db.reading(config) as session:
        found = session.exec(select(Writer)).one()
    assert found.created_at == noon
    assert found.created_at.tzinfo == UTC


def test_an_error_leaves_nothing_half_done(database: str, config: Settings):
    with pytest.raises(RuntimeError), db.session(config) as session:
        session.add(Writer(id="ana"))
        session.flush()
        raise RuntimeError
    with db.session(config) as session:
        assert session.get(Writer, "ana") is None


def test_a_damaged_database_is_named_and_left_as_it_is(config: Settings):
    config.prepare_home()
    path = config.home / "zega.db"
    path.write_bytes(b"this was a database once" * 100)
    with pytest.raises(HomeError, match="damaged") as refused, db.session(config):
        pass
    assert str(path) in str(refused.value)
    assert path.read_bytes() == b"this was a database once" * 100


def test_a_full_disk_is_named_and_what_was_saved_stays(config: Settings):
    with db.session(config) as session:
        session.add(Writer(id="ana"))
    with pytest.raises(HomeError, match=r"full\. Free some space"), db.session(config) as session:
        pages = session.connection().execute(text("PRAGMA page_count")).scalar_one()
        session.connection().execute(text(f"PRAGMA max_page_count={pages}"))
        for number in range(5_000):
            session.connection().execute(
                text("INSERT INTO writer VALUES (:id, '2026-01-01', '2026-01-01')"), {"id": f"w{number}"}
            )
    db.forget()
    with db.reading(config) as session:
        assert writers.ids(session) == ["ana"]


def test_a_database_of_a_newer_zega_is_refused(config: Settings):
    db.prepare(config)
    with db.session(config) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.forget()
    with pytest.raises(HomeError, match="newer ZEGA"):
        db.prepare(config)


@pytest.mark.parametrize("url, says", [("mysql://x/y", "names mysql"), ("nonsense", "not a database address")])
def test_an_address_that_is_no_postgresql_is_refused_without_repeating_it(url: str, says: str, tmp_path: Path):
    settings = Settings(home=tmp_path, database_url=SecretStr(url))
    with pytest.raises(ConfigError, match=says):
        db.database_url(settings)


ADD_WRITERS = """
import sys
from zega_core import db, door_tables
from zega_core.store import writers
for number in range(25):
    with db.session() as session:
        writers.ensure(session, f"{sys.argv[1]}{number}")
        writers.ensure(session, f"shared{number}")
"""


def test_many_processes_may_begin_and_write_at_once(config: Settings):
    processes = [subprocess.Popen([sys.executable, "-c", ADD_WRITERS, prefix], cwd=ROOT) for prefix in "abcd"]
    assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
    with db.reading(config) as session:
        assert len(writers.ids(session)) == 4 * 25 + 25


EARLIER = "0005"


def test_an_earlier_database_keeps_its_rows_and_what_refers_to_them(database: str, config: Settings):
    migrations = Config()
    migrations.set_main_option("script_location", str(db.MIGRATIONS))
    config.prepare_home()
    with db.migrating(db.get_engine(config)) as connection:
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, EARLIER)
    insert = (
        "INSERT INTO example (id, user_id, source, genre, element, prompt, completion, status, text_hash,"
        " prompt_tokens, completion_tokens, latency_ms, votes, created_at)"
        " VALUES (:id, 'ana', 'auto', 'horror', 'scene', 'p', 't', :status, 'same', 0, 0, 0, 1, '2026-01-01')"
    )
    with db.get_engine(config).begin() as connection:
        connection.execute(text("INSERT INTO writer VALUES ('ana', '2026-01-01', '2026-01-01')"))
        connection.execute(text(insert), [{"id": 5, "status": "kept"}, {"id": 9, "status": "set_aside"}])
        connection.execute(
            text(
                "INSERT INTO story (user_id, example_id, title, genre, body, created_at)"
                " VALUES ('ana', 9, 't', 'horror', 't', '2026-01-01')"
            )
        )
    with db.session(config) as session:
        found = session.exec(select(Example).order_by(Example.id)).all()  # type: ignore[arg-type]
        assert [(one.id, one.status, one.tags) for one in found] == [(5, "kept", []), (9, "set_aside", [])]
        assert session.exec(select(Story.example_id)).one() == 9
    with pytest.raises(IntegrityError), db.session(config) as session:  # the text is kept already
        session.connection().execute(text(insert), {"id": 10, "status": "kept"})
    with pytest.raises(IntegrityError), db.session(config) as session:  # the story refers to it
        session.connection().execute(text("DELETE FROM example WHERE id = 9"))


def test_the_number_of_a_deleted_example_is_not_given_again(database: str, config: Settings):
    def add() -> int:
        with db.session(config) as session:
            writers.ensure(session, "ana")
            example = Example(user_id="ana", genre="", element="", prompt="p", status="set_aside")
            session.add(example)
            session.flush()
            return example.id or 0

    first = add()
    with db.session(config) as session:
        session.connection().execute(text("DELETE FROM example"))
    assert add() > first


def test_more_questions_than_connections_is_said_and_is_no_fault(config: Settings):
    with pytest.raises(HomeError, match="try again in a moment"), db.plain_errors(config):
        raise NoneFree("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00")
