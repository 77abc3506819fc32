"""Keys of the API, requests that run once, who is signed in; sessions that are archived or handed in."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("last_used_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.Column("revoked_at", zega_core.tables.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index("ix_api_key_user", ["user_id", "id"], unique=False)

    op.create_table(
        "once_only",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("heartbeat_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("user_id", "key"),
    )
    with op.batch_alter_table("once_only", schema=None) as batch_op:
        batch_op.create_index("ix_once_only_created", ["created_at"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", zega_core.tables.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["writer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("issuer", "subject"),
        sa.UniqueConstraint("user_id"),
    )
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("archived_at", zega_core.tables.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("reported", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_column("reported")
        batch_op.drop_column("archived_at")

    op.drop_table("sign_in")
    with op.batch_alter_table("once_only", schema=None) as batch_op:
        batch_op.drop_index("ix_once_only_created")

    op.drop_table("once_only")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index("ix_api_key_user")

    op.drop_table("api_key")
