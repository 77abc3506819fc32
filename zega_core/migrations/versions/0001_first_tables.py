"""The first tables."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "writer",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("last_used_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "favourite",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.Column("num_examples", sa.Integer(), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "name"),
    )
    op.create_table(
        "training_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("num_examples_requested", sa.Integer(), nullable=False),
        sa.Column("genres_selected", sa.JSON(), nullable=False),
        sa.Column("stored_in_memory", sa.Boolean(), nullable=False),
        sa.Column("saved_to_database", sa.Boolean(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("order_seed", sa.Integer(), nullable=False),
        sa.Column("draw_from", sa.JSON(), nullable=False),
        sa.Column("teacher", sa.String(length=100), nullable=False),
        sa.Column("num_examples_successful", sa.Integer(), nullable=False),
        sa.Column("num_examples_failed", sa.Integer(), nullable=False),
        sa.Column("num_examples_set_aside", sa.Integer(), nullable=False),
        sa.Column("stories_saved_count", sa.Integer(), nullable=False),
        sa.Column("average_quality", sa.Float(), nullable=True),
        sa.Column("min_quality", sa.Float(), nullable=True),
        sa.Column("max_quality", sa.Float(), nullable=True),
        sa.Column("best_performing_model", sa.String(length=100), nullable=True),
        sa.Column("model_performance_json", sa.JSON(), nullable=False),
        sa.Column("genre_distribution_json", sa.JSON(), nullable=False),
        sa.Column("total_time_seconds", sa.Float(), nullable=False),
        sa.Column("training_examples_before", sa.Integer(), nullable=False),
        sa.Column("training_examples_after", sa.Integer(), nullable=False),
        sa.Column("fine_tuning_triggered", sa.Boolean(), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("started_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("completed_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("heartbeat_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("begun_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("active_seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id"),
    )
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.create_index("ix_training_session_status", ["status"], unique=False)
        batch_op.create_index("ix_training_session_writer_started", ["user_id", "started_at"], unique=False)

    op.create_table(
        "example",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("idx", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("element", sa.String(length=16), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("modifier", sa.String(length=32), nullable=True),
        sa.Column("completion", sa.String(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("quality", sa.Float(), nullable=True),
        sa.Column("quality_report", sa.JSON(), nullable=True),
        sa.Column("quality_version", sa.Integer(), nullable=True),
        sa.Column("catalog_version", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("text_hash", sa.String(length=32), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["training_session.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id", "idx"),
    )
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.create_index("ix_example_user_status", ["user_id", "status", "genre"], unique=False)
        batch_op.create_index(
            "ux_example_kept_text",
            ["user_id", "text_hash"],
            unique=True,
            sqlite_where=sa.text("status = 'kept'"),
            postgresql_where=sa.text("status = 'kept'"),
        )

    op.create_table(
        "memory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("example_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"],
            ["example.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("example_id"),
    )
    with op.batch_alter_table("memory", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_memory_user_id"), ["user_id"], unique=False)

    op.create_table(
        "story",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("example_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=True),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"],
            ["example.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("example_id"),
    )
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_story_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("story", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_story_user_id"))

    op.drop_table("story")
    with op.batch_alter_table("memory", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memory_user_id"))

    op.drop_table("memory")
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_example_kept_text", sqlite_where=sa.text("status = 'kept'"), postgresql_where=sa.text("status = 'kept'")
        )
        batch_op.drop_index("ix_example_user_status")

    op.drop_table("example")
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_index("ix_training_session_writer_started")
        batch_op.drop_index("ix_training_session_status")

    op.drop_table("training_session")
    op.drop_table("favourite")
    op.drop_table("writer")
