"""Teachers: ledger, limits, votes, checks, and how each writer wants to be taught."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rate_limit",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("updated_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "auto_training_config",
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
        "teacher_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("asked_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("done_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("teacher_check", schema=None) as batch_op:
        batch_op.create_index("ix_teacher_check_user", ["user_id", "provider", "id"], unique=False)

    op.create_table(
        "candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("completion", sa.String(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["training_session.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("session_id", "idx", "model"),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index("ix_candidate_user_model", ["user_id", "model"], unique=False)

    op.create_table(
        "provider_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("reported", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("sent_chars", sa.Integer(), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["training_session.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("provider_call", schema=None) as batch_op:
        batch_op.create_index("ix_provider_call_session", ["session_id"], unique=False)
        batch_op.create_index("ix_provider_call_user_model", ["user_id", "provider", "model", "id"], unique=False)

    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.add_column(sa.Column("judge_score", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("judge_report", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("votes", sa.Integer(), nullable=False, server_default="1"))

    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("min_votes", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("budget", sa.Float(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_column("budget")
        batch_op.drop_column("min_votes")

    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_column("votes")
        batch_op.drop_column("judge_report")
        batch_op.drop_column("judge_score")

    with op.batch_alter_table("provider_call", schema=None) as batch_op:
        batch_op.drop_index("ix_provider_call_user_model")
        batch_op.drop_index("ix_provider_call_session")

    op.drop_table("provider_call")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index("ix_candidate_user_model")

    op.drop_table("candidate")
    with op.batch_alter_table("teacher_check", schema=None) as batch_op:
        batch_op.drop_index("ix_teacher_check_user")

    op.drop_table("teacher_check")
    op.drop_table("auto_training_config")
    op.drop_table("rate_limit")
