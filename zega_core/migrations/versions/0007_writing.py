"""Writing with a model: requests and their texts, what may be remembered, style profiles."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# As those of examples (0006): whoever makes the table `story` anew on SQLite later makes these triggers anew, too.
ON_SQLITE = (
    """CREATE VIRTUAL TABLE story_words USING fts5(
        title, body, content='story', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    "INSERT INTO story_words(story_words) VALUES ('rebuild')",
    """CREATE TRIGGER story_words_added AFTER INSERT ON story BEGIN
        INSERT INTO story_words(rowid, title, body) VALUES (new.id, new.title, new.body);
    END""",
    """CREATE TRIGGER story_words_removed AFTER DELETE ON story BEGIN
        INSERT INTO story_words(story_words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
    END""",
    """CREATE TRIGGER story_words_changed AFTER UPDATE OF title, body ON story BEGIN
        INSERT INTO story_words(story_words, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
        INSERT INTO story_words(rowid, title, body) VALUES (new.id, new.title, new.body);
    END""",
)
ON_POSTGRESQL = (
    r"""CREATE INDEX story_words ON story USING gin (to_tsvector('simple', regexp_replace(
        title || ' ' || left(body, 150000), '[!-/:-@\[-`{-~\u2010-\u2027]+', ' ', 'g')))""",
)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    # On SQLite the table is made anew: the number of a deleted story must not be given to another, for undoing the
    # deletion of an example finds its story by it.
    with op.batch_alter_table(
        "story",
        schema=None,
        recreate="always" if _on_sqlite() else "auto",
        table_kwargs={"sqlite_autoincrement": True},
    ) as batch_op:
        batch_op.add_column(sa.Column("element", sa.String(length=16), server_default="", nullable=False))
        batch_op.add_column(sa.Column("updated_at", zega_core.tables.UTCDateTime(), nullable=True))
    for statement in ON_SQLITE if _on_sqlite() else ON_POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)

    op.create_table(
        "style_profile",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("measured", sa.JSON(), nullable=True),
        sa.Column("stamp", sa.String(length=64), nullable=False),
        sa.Column("measured_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("asked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("corrections", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "writing_choice",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("updated_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("memory_asked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "writing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("task", sa.String(length=16), nullable=False),
        sa.Column("brief", sa.String(), nullable=False),
        sa.Column("given", sa.String(), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("element", sa.String(length=16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("story_id", sa.Integer(), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("used_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("writing", schema=None) as batch_op:
        batch_op.create_index("ix_writing_user", ["user_id", "used_at"], unique=False)

    op.create_table(
        "take",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("writing_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Integer(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=True),
        sa.Column("asked", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("original", sa.String(), nullable=True),
        sa.Column("edited_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("example_id", sa.Integer(), nullable=True),
        sa.Column("story_id", sa.Integer(), nullable=True),
        sa.Column("first_ms", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("heartbeat_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["writing_id"],
            ["writing.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("writing_id", "number"),
    )
    with op.batch_alter_table("take", schema=None) as batch_op:
        batch_op.create_index("ix_take_example", ["example_id"], unique=False)
        batch_op.create_index("ix_take_state", ["state"], unique=False)

    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table(
        "memory",
        schema=None,
        recreate="always" if sqlite else "auto",
        table_kwargs={"sqlite_autoincrement": True},
    ) as batch_op:
        batch_op.add_column(sa.Column("story_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("embedding", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("embedder", sa.String(length=32), server_default="", nullable=False))
        batch_op.create_index("ux_memory_story", ["story_id"], unique=True)
        batch_op.create_index("ix_memory_embedder", ["user_id", "embedder", "id"], unique=False)
        batch_op.create_foreign_key("fk_memory_story", "story", ["story_id"], ["id"], ondelete="CASCADE")

    if _on_sqlite() and op.get_bind().exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise RuntimeError("rows refer to others that are not there; nothing was changed")


def downgrade() -> None:
    with op.batch_alter_table("memory", schema=None) as batch_op:
        batch_op.drop_constraint("fk_memory_story", type_="foreignkey")
        batch_op.drop_index("ux_memory_story")
        batch_op.drop_index("ix_memory_embedder")
        batch_op.drop_column("embedder")
        batch_op.drop_column("embedding")
        batch_op.drop_column("story_id")

    op.drop_table("take")
    op.drop_table("writing")
    op.drop_table("writing_choice")
    op.drop_table("style_profile")

    for name in ("added", "removed", "changed") if _on_sqlite() else ():
        op.execute(f"DROP TRIGGER story_words_{name}")
    op.execute("DROP TABLE story_words" if _on_sqlite() else "DROP INDEX story_words")
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.drop_column("updated_at")
        batch_op.drop_column("element")
