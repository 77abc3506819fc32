"""Quality: the writer's ratings, and what they want of the score."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taste",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("fitted", sa.JSON(), nullable=True),
        sa.Column("updated_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("rescore_asked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("rescored_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("rescore_result", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("user_id"),
    )
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rating", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("decision", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("rated_at", zega_core.tables.UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_column("rated_at")
        batch_op.drop_column("decision")
        batch_op.drop_column("rating")

    op.drop_table("taste")
