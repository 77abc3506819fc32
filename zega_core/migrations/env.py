"""Alembic's entry point. ``zega_core.db.prepare`` hands in an open connection; the command line opens one."""

from alembic import context

from zega_core.db import get_engine, migrating
from zega_core.tables import Table


def is_declared(name: str | None, kind: str, parents: object) -> bool:
    """Whether a table or index is one that ``tables`` declares. The words of examples and stories, to be
    searched, are the database's own affair (migrations 0006 and 0007), and so is what pgvector searches."""
    return not str(name).startswith(("example_words", "story_words", "memory_vector"))


def migrate(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=Table.metadata,
        render_as_batch=True,
        include_name=is_declared,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with migrating(get_engine()) as opened:
        migrate(opened)
