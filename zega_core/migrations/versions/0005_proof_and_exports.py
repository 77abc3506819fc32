"""Proofs, the texts they rest on, and exports."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("folder", sa.String(length=120), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
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
    )
    with op.batch_alter_table("export", schema=None) as batch_op:
        batch_op.create_index("ix_export_status", ["status"], unique=False)
        batch_op.create_index("ix_export_user", ["user_id", "id"], unique=False)

    op.create_table(
        "proof",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=True),
        sa.Column("promote", sa.Boolean(), nullable=False),
        sa.Column("judge", sa.String(length=100), nullable=False),
        sa.Column("job", sa.JSON(), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("seconds_left", sa.Float(), nullable=True),
        sa.Column("losses", sa.JSON(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
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
    )
    with op.batch_alter_table("proof", schema=None) as batch_op:
        batch_op.create_index("ix_proof_status", ["status"], unique=False)
        batch_op.create_index("ix_proof_user", ["user_id", "id"], unique=False)

    op.create_table(
        "proof_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proof_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("genre", sa.String(length=32), nullable=False),
        sa.Column("element", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("before_ended", sa.Boolean(), nullable=False),
        sa.Column("after_ended", sa.Boolean(), nullable=False),
        sa.Column("score_before", sa.Float(), nullable=True),
        sa.Column("score_after", sa.Float(), nullable=True),
        sa.Column("judged", sa.JSON(), nullable=False),
        sa.Column("flipped", sa.Boolean(), nullable=False),
        sa.Column("choice", sa.String(length=8), nullable=False),
        sa.Column("chosen_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["proof_id"],
            ["proof.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proof_id", "place"),
    )


def downgrade() -> None:
    op.drop_table("proof_text")
    with op.batch_alter_table("proof", schema=None) as batch_op:
        batch_op.drop_index("ix_proof_user")
        batch_op.drop_index("ix_proof_status")

    op.drop_table("proof")
    with op.batch_alter_table("export", schema=None) as batch_op:
        batch_op.drop_index("ix_export_user")
        batch_op.drop_index("ix_export_status")

    op.drop_table("export")
