"""Alembic's entry point. ``zega_core.db.prepare`` hands in an open connection; the command line opens one."""

from alembic import context

from zega_core.db import get_engine, migrating
from zega_core.tables import Table


def migrate(connection: object) -> None:
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)  # type: ignore[arg-type]
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with migrating(get_engine()) as opened:
        migrate(opened)
