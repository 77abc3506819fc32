"""The database: SQLite in ``ZEGA_HOME`` by default, PostgreSQL by ``ZEGA_DATABASE_URL``."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from filelock import FileLock
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlmodel import Session, create_engine

from zega_core.errors import ConfigError, HomeError
from zega_core.settings import Settings, get_settings

TITLE_KEY = "title_key"
"""A function of our SQLite databases by which titles are put in order: without case and accents, which SQLite itself
leaves aside in English letters only."""
Noted = Callable[[Session, str], None]
"""Called with the id of something that is begun, in the transaction that makes it."""
MIGRATIONS = Path(__file__).parent / "migrations"


def database_url(settings: Settings) -> URL:
    """Where our tables are, for SQLAlchemy; raises ConfigError for a URL that is not PostgreSQL's."""
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.home / "zega.db"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError as error:
        raise ConfigError(
            "ZEGA_DATABASE_URL is not a database address. It looks like postgresql://user:password@host:5432/zega."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(
            f"ZEGA_DATABASE_URL names {url.get_backend_name()}, but ZEGA stores in PostgreSQL. "
            "Correct it, or remove it to use SQLite."
        )
    return url.set(drivername="postgresql+psycopg")


def sqlite_engine(path: Path, isolation_level: str | None = "IMMEDIATE") -> Engine:
    """An engine that many processes can write through: WAL, one writer at a time, waiting up to 30 s.

    ``isolation_level`` is sqlite3's own: IMMEDIATE begins at the first write, None leaves it to the caller.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = isolation_level  # type: ignore[assignment]
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _own_sqlite(path: Path) -> Engine:
    engine = sqlite_engine(path, isolation_level=None)

    @event.listens_for(engine, "connect")
    def _functions(connection: sqlite3.Connection, _record: object) -> None:
        connection.create_function(TITLE_KEY, 1, title_key, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes later must not fail half-way with "locked".
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def title_key(title: str) -> str:
    """The same for titles that differ in case and accents only."""
    return "".join(one for one in unicodedata.normalize("NFKD", title.casefold()) if not unicodedata.combining(one))


_engines: dict[URL, Engine] = {}


def get_engine(settings: Settings | None = None) -> Engine:
    """One engine per database and process."""
    url = database_url(settings or get_settings())
    if url not in _engines:
        is_sqlite = url.get_backend_name() == "sqlite"
        _engines[url] = _own_sqlite(Path(str(url.database))) if is_sqlite else create_engine(url, pool_pre_ping=True)
    return _engines[url]


@lru_cache(maxsize=4)
def prepare(settings: Settings) -> None:
    """Create or migrate the tables, once per process; raises HomeError or ConfigError."""
    home = settings.prepare_home()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with (
            plain_errors(settings),
            settings.home_errors(),
            FileLock(home / "migrate.lock"),
            migrating(get_engine(settings)) as connection,
        ):
            if settings.uses_postgresql:  # several machines may start at once
                connection.execute(text("SELECT pg_advisory_xact_lock(7346341)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise HomeError(
            f"The database was written by a newer ZEGA than this one ({error}). Update ZEGA; nothing was changed."
        ) from error


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction in which SQLite lets a table be made anew though others refer to it. A migration that does so looks
    at its end whether all that is referred to is there."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection if engine.dialect.name == "sqlite" else None
        if driver is None:
            with connection.begin():
                yield connection
            return
        driver.execute("PRAGMA foreign_keys=OFF")  # it does nothing inside a transaction
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def forget() -> None:
    """Close what this process has open, so that other settings can take effect."""
    for engine in _engines.values():
        engine.dispose()
    _engines.clear()
    prepare.cache_clear()


@contextmanager
def session(settings: Settings | None = None) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on an error; database trouble becomes HomeError."""
    settings = settings or get_settings()
    prepare(settings)
    with plain_errors(settings), Session(get_engine(settings), expire_on_commit=False) as open_session:
        yield open_session
        open_session.commit()


@contextmanager
def reading(settings: Settings | None = None) -> Iterator[Session]:
    """Like ``session``, but it takes no write lock, so pages never wait for a run."""
    settings = settings or get_settings()
    prepare(settings)
    engine = get_engine(settings).execution_options(read_only=True)
    with plain_errors(settings), Session(engine, expire_on_commit=False) as open_session:
        yield open_session


@contextmanager
def plain_errors(settings: Settings) -> Iterator[None]:
    """Turn what a database driver says into what a writer can act on."""
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError):
        raise  # our mistake, not the database's trouble
    except NoneFree as error:
        raise HomeError(
            "ZEGA is asked for more than it can do at once. Nothing is lost: try again in a moment."
        ) from error
    except DBAPIError as error:
        raise HomeError(_in_words(error, settings)) from error


def _in_words(error: DBAPIError, settings: Settings) -> str:
    said = str(error.orig).lower()
    if settings.uses_postgresql:
        return (
            f"PostgreSQL did not do as asked: {str(error.orig).splitlines()[0]} Check ZEGA_DATABASE_URL and the server."
        )
    path = settings.home / "zega.db"
    if "full" in said:
        return f"The disk that holds {path} is full. Free some space and try again; everything saved so far is safe."
    if "not a database" in said or "malformed" in said or "corrupt" in said:
        return (
            f"{path} is damaged and cannot be read. ZEGA has not changed it. Put a backup in its place, "
            "or move it away to begin with an empty one; then start ZEGA again."
        )
    if "readonly" in said or "unable to open" in said:
        return f"{path} cannot be opened for writing. Give yourself access to it, or choose another ZEGA_HOME."
    if "locked" in said:
        return f"{path} is busy: another program has kept it locked for 30 seconds. Close that program and try again."
    return f"{path} could not be used ({error.orig}). Run `zega doctor` for details; everything saved so far is safe."
