"""Conversations, own pages, what begins training, notifications, changes that can be undone."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


FILTERED = ["user_id", "status", "genre", "source", "element", "model", "quality", "rated_at", "edited_at", "id"]
# Whoever makes the table `example` anew on SQLite later makes these triggers anew, too: they go with it.
ON_SQLITE = (
    """CREATE VIRTUAL TABLE example_words USING fts5(
        prompt, completion, content='example', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    "INSERT INTO example_words(example_words) VALUES ('rebuild')",
    """CREATE TRIGGER example_words_added AFTER INSERT ON example BEGIN
        INSERT INTO example_words(rowid, prompt, completion) VALUES (new.id, new.prompt, new.completion);
    END""",
    """CREATE TRIGGER example_words_removed AFTER DELETE ON example BEGIN
        INSERT INTO example_words(example_words, rowid, prompt, completion)
        VALUES ('delete', old.id, old.prompt, old.completion);
    END""",
    """CREATE TRIGGER example_words_changed AFTER UPDATE OF prompt, completion ON example BEGIN
        INSERT INTO example_words(example_words, rowid, prompt, completion)
        VALUES ('delete', old.id, old.prompt, old.completion);
        INSERT INTO example_words(rowid, prompt, completion) VALUES (new.id, new.prompt, new.completion);
    END""",
    """CREATE TRIGGER example_tag_added AFTER INSERT ON example WHEN new.tags <> '[]' BEGIN
        INSERT OR IGNORE INTO example_tag(user_id, name, example_id)
        SELECT new.user_id, value, new.id FROM json_each(new.tags);
    END""",
    """CREATE TRIGGER example_tag_changed AFTER UPDATE OF tags ON example WHEN new.tags <> old.tags BEGIN
        DELETE FROM example_tag WHERE example_id = new.id;
        INSERT OR IGNORE INTO example_tag(user_id, name, example_id)
        SELECT new.user_id, value, new.id FROM json_each(new.tags);
    END""",
)
ON_POSTGRESQL = (
    r"""CREATE INDEX example_words ON example USING gin (to_tsvector('simple', regexp_replace(
        prompt || ' ' || left(completion, 150000), '[!-/:-@\[-`{-~\u2010-\u2027]+', ' ', 'g')))""",
    """CREATE FUNCTION example_tag_follow() RETURNS trigger AS $$ BEGIN
        DELETE FROM example_tag WHERE example_id = new.id;
        INSERT INTO example_tag(user_id, name, example_id)
        SELECT new.user_id, value, new.id FROM json_array_elements_text(new.tags) AS value ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$ LANGUAGE plpgsql""",
    """CREATE TRIGGER example_tag_added AFTER INSERT ON example FOR EACH ROW WHEN (new.tags::text <> '[]')
    EXECUTE FUNCTION example_tag_follow()""",
    """CREATE TRIGGER example_tag_changed AFTER UPDATE OF tags ON example FOR EACH ROW
    WHEN (new.tags::text <> old.tags::text) EXECUTE FUNCTION example_tag_follow()""",
)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("used_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index("ix_conversation_user", ["user_id", "used_at"], unique=False)

    op.create_table(
        "example_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("example_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("example_change", schema=None) as batch_op:
        batch_op.create_index("ix_example_change_batch", ["user_id", "batch", "id"], unique=False)
        batch_op.create_index("ix_example_change_user", ["user_id", "id"], unique=False)

    op.create_table(
        "manuscript",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("ask_teacher", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("chapters", sa.Integer(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("heartbeat_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("begun_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("active_seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("completed_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id"),
        sa.UniqueConstraint("user_id", "content_hash"),
    )
    with op.batch_alter_table("manuscript", schema=None) as batch_op:
        batch_op.create_index("ix_manuscript_status", ["status"], unique=False)

    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("page", sa.String(length=32), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("told_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("seen_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "key"),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index("ix_notification_user", ["user_id", "id"], unique=False)

    op.create_table(
        "training_trigger",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("updated_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "turn",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("difficulty", sa.String(length=8), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("element", sa.String(length=16), nullable=False),
        sa.Column("modifier", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("lack", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("draft", sa.String(), nullable=False),
        sa.Column("example", sa.String(), nullable=False),
        sa.Column("example_by", sa.String(length=100), nullable=False),
        sa.Column("example_asked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("example_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("answered_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["example_id"],
            ["example.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("conversation_id", "number"),
    )
    with op.batch_alter_table("turn", schema=None) as batch_op:
        batch_op.create_index("ix_turn_example", ["example_id"], unique=False)
        batch_op.create_index("ix_turn_user_state", ["user_id", "state"], unique=False)

    # On SQLite the table is made anew: the number of a deleted example must not be given to another, for it may come
    # back, and versions know by it what they have learned.
    with op.batch_alter_table(
        "example",
        schema=None,
        recreate="always" if _on_sqlite() else "auto",
        table_kwargs={"sqlite_autoincrement": True},
    ) as batch_op:
        batch_op.add_column(sa.Column("manuscript_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("original", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("edited_at", zega_core.tables.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("tags", sa.JSON(), server_default="[]", nullable=False))
        batch_op.drop_index("ix_example_user_status")
        batch_op.create_index("ix_example_filter", FILTERED, unique=False)
        batch_op.create_index("ix_example_manuscript", ["manuscript_id", "idx"], unique=True)
        batch_op.create_index("ix_example_user_newest", ["user_id", "id", "status"], unique=False)
        batch_op.create_index("ix_example_user_quality", ["user_id", "quality", "id", "status"], unique=False)

    with op.batch_alter_table("fine_tune", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pairs_before", sa.Integer(), server_default="0", nullable=False))

    op.create_table(
        "example_tag",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("example_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["example_id"], ["example.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "name", "example_id"),
    )
    with op.batch_alter_table("example_tag", schema=None) as batch_op:
        batch_op.create_index("ix_example_tag_example", ["example_id"], unique=False)
    for statement in ON_SQLITE if _on_sqlite() else ON_POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)

    if _on_sqlite() and op.get_bind().exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise RuntimeError("rows refer to others that are not there; nothing was changed")


def downgrade() -> None:
    for name in () if not _on_sqlite() else ("words_added", "words_removed", "words_changed"):
        op.execute(f"DROP TRIGGER example_{name}")
    for name in ("tag_added", "tag_changed"):
        op.execute(f"DROP TRIGGER example_{name}" + ("" if _on_sqlite() else " ON example"))
    op.execute("DROP TABLE example_words" if _on_sqlite() else "DROP INDEX example_words")
    if not _on_sqlite():
        op.execute("DROP FUNCTION example_tag_follow")
    op.drop_table("example_tag")

    with op.batch_alter_table("fine_tune", schema=None) as batch_op:
        batch_op.drop_column("pairs_before")

    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_index("ix_example_user_quality")
        batch_op.drop_index("ix_example_user_newest")
        batch_op.drop_index("ix_example_manuscript")
        batch_op.drop_index("ix_example_filter")
        batch_op.create_index("ix_example_user_status", ["user_id", "status", "genre"], unique=False)
        batch_op.drop_column("tags")
        batch_op.drop_column("edited_at")
        batch_op.drop_column("original")
        batch_op.drop_column("manuscript_id")

    op.drop_table("example_change")
    op.drop_table("notification")
    op.drop_table("training_trigger")
    op.drop_table("turn")
    op.drop_table("manuscript")
    op.drop_table("conversation")
