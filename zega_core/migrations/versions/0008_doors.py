"""Keys of the API, requests that run once, who is signed in; sessions that are archived or handed in, and what the
history looks at of them."""

import sqlalchemy as sa
from alembic import op

import zega_core.tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Everything that the history filters, sorts and adds up by, so that it reads no rows. Not declared beside the table: on
# PostgreSQL a column of JSON can be in an index, but not be what it is in the order of. Whoever makes the table anew on
# SQLite later makes this index anew, too.
FIGURES = (
    "status, archived_at, recorded, teacher, best_performing_model, average_quality, num_examples_successful, "
    "num_examples_set_aside, num_examples_requested, stories_saved_count, total_time_seconds, fine_tuning_triggered, "
    "genres_selected"
)
SUMS = [
    *("user_id", "genre", "model", "session_id", "made", "kept", "scored", "quality_sum", "votes", "wins"),
    *("cost", "unpriced"),
]
ON_POSTGRESQL = "%(table_name)s_%(column_0_name)s_key"
"""The name that PostgreSQL gives to what is unique; SQLite gives none."""
ONE_COLUMN = {"table_name": "training_session", "column_0_name": "session_id"}
TWO_COLUMNS = "training_session_user_id_session_id_key"
INDEX = "CREATE INDEX history_sessions ON training_session (user_id, started_at, id"
# The sums of each day, which the database keeps itself. Whoever makes the table of sessions anew on SQLite later makes
# these triggers anew, too.
DAY = ("user_id", "recorded", "day")
ADDED_UP = {
    "sessions": "1",
    "kept": "{row}.num_examples_successful",
    "scored": "{row}.num_examples_successful + {row}.num_examples_set_aside",
    "stories": "{row}.stories_saved_count",
    "rated": "CASE WHEN {row}.average_quality BETWEEN 0 AND 10 THEN 1 ELSE 0 END",
    "quality_sum": "CASE WHEN {row}.average_quality BETWEEN 0 AND 10 THEN {row}.average_quality * {weight} ELSE 0 END",
    "quality_weight": "CASE WHEN {row}.average_quality BETWEEN 0 AND 10 THEN {weight} ELSE 0 END",
    "seconds": "CASE WHEN {row}.total_time_seconds BETWEEN 0 AND 1000000000 THEN {row}.total_time_seconds ELSE 0 END",
    "fine_tunes": "CASE WHEN {row}.fine_tuning_triggered THEN 1 ELSE 0 END",
}
LOOKED_AT = (
    "user_id, recorded, started_at, num_examples_successful, num_examples_set_aside, stories_saved_count, "
    "average_quality, total_time_seconds, fine_tuning_triggered"
)


def _of(row: str, value: str) -> str:
    pieces = f"({row}.num_examples_successful + {row}.num_examples_set_aside)"
    return value.format(row=row, weight=f"CASE WHEN {pieces} > 0 THEN {pieces} ELSE 1 END")


def _day_of(row: str) -> str:
    # A moment reads 2026-11-27 06:00:00.000000 on SQLite, and as text on PostgreSQL.
    return f"{row}.user_id, {row}.recorded, substr(CAST({row}.started_at AS VARCHAR), 1, 10)"


def _add(row: str) -> str:
    values = ", ".join(_of(row, value) for value in ADDED_UP.values())
    sums = ", ".join(f"{name} = session_day.{name} + excluded.{name}" for name in ADDED_UP)
    return (
        f"INSERT INTO session_day ({', '.join((*DAY, *ADDED_UP))}) VALUES ({_day_of(row)}, {values}) "
        f"ON CONFLICT ({', '.join(DAY)}) DO UPDATE SET {sums};"
    )


def _take_away(row: str) -> str:
    sums = ", ".join(f"{name} = {name} - ({_of(row, value)})" for name, value in ADDED_UP.items())
    there = f"({', '.join(DAY)}) = ({_day_of(row)})"
    return f"UPDATE session_day SET {sums} WHERE {there}; DELETE FROM session_day WHERE {there} AND sessions = 0;"


SUMS_SO_FAR = ", ".join(f"sum({_of('t', value)})" for value in ADDED_UP.values())
DAYS_SO_FAR = (
    f"INSERT INTO session_day ({', '.join((*DAY, *ADDED_UP))}) "
    f"SELECT {_day_of('t')}, {SUMS_SO_FAR} "
    "FROM training_session t GROUP BY 1, 2, 3"
)
DAYS_ON_SQLITE = (
    f"CREATE TRIGGER session_day_added AFTER INSERT ON training_session BEGIN {_add('new')} END",
    f"CREATE TRIGGER session_day_removed AFTER DELETE ON training_session BEGIN {_take_away('old')} END",
    f"CREATE TRIGGER session_day_changed AFTER UPDATE OF {LOOKED_AT} ON training_session "
    f"BEGIN {_take_away('old')} {_add('new')} END",
)
DAYS_ON_POSTGRESQL = (
    "CREATE FUNCTION session_day_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF TG_OP <> 'INSERT' THEN {_take_away('old')} END IF; "
    f"IF TG_OP <> 'DELETE' THEN {_add('new')} END IF; RETURN NULL; END $$",
    f"CREATE TRIGGER session_day_kept AFTER INSERT OR DELETE OR UPDATE OF {LOOKED_AT} ON training_session "
    "FOR EACH ROW EXECUTE FUNCTION session_day_keep()",
)
SCORE = "CASE WHEN quality BETWEEN 0 AND 10 THEN quality END"
# What each model did in each session so far, as store.session_teachers writes it from now on.
BY_GENRE = f"""INSERT INTO session_teacher
    (session_id, user_id, model, genre, made, kept, scored, quality_sum, votes, wins, cost, unpriced)
    SELECT session_id, user_id, model, genre, count(*), sum(CASE WHEN status = 'kept' THEN 1 ELSE 0 END),
        count({SCORE}), coalesce(sum({SCORE}), 0), 0, 0, 0, 0
    FROM example WHERE session_id IS NOT NULL AND model IS NOT NULL AND genre <> '' AND status IN ('kept', 'set_aside')
        AND EXISTS (SELECT 1 FROM training_session t WHERE t.id = example.session_id AND t.recorded)
    GROUP BY session_id, user_id, model, genre"""
NAME = "substr(CASE WHEN model = '' THEN provider ELSE provider || '/' || model END, 1, 100)"
ALL_GENRES = f"""INSERT INTO session_teacher
    (session_id, user_id, model, genre, made, kept, scored, quality_sum, votes, wins, cost, unpriced)
    SELECT session_id, user_id, model, '', sum(made), sum(kept), sum(scored), sum(quality_sum), sum(votes), sum(wins),
        sum(cost), sum(unpriced)
    FROM (
        SELECT session_id, user_id, model, made, kept, scored, quality_sum, 0 AS votes, 0 AS wins, 0.0 AS cost,
            0 AS unpriced FROM session_teacher
        UNION ALL
        SELECT session_id, user_id, model, 0, 0, 0, 0.0, 1, CASE WHEN won THEN 1 ELSE 0 END, 0.0, 0
            FROM candidate WHERE counted
        UNION ALL
        SELECT session_id, user_id, {NAME}, 0, 0, 0, 0.0, 0, 0, coalesce(cost, 0.0),
            CASE WHEN cost IS NULL AND outcome = 'ok' THEN 1 ELSE 0 END
            FROM provider_call WHERE session_id IS NOT NULL AND role = 'teacher'
    ) AS parts
    WHERE EXISTS (SELECT 1 FROM training_session t WHERE t.id = parts.session_id AND t.recorded)
    GROUP BY session_id, user_id, model"""


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
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table(
        "training_session", schema=None, naming_convention={"uq": ON_POSTGRESQL} if sqlite else None
    ) as batch_op:
        batch_op.add_column(sa.Column("archived_at", zega_core.tables.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("reported", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index("ix_training_session_writer_completed", ["user_id", "completed_at"], unique=False)
        # A program that hands in its own names them as it likes.
        batch_op.alter_column(
            "session_id", existing_type=sa.String(length=32), type_=sa.String(length=100), existing_nullable=False
        )
        batch_op.drop_constraint(ON_POSTGRESQL % ONE_COLUMN, type_="unique")
        batch_op.create_unique_constraint(TWO_COLUMNS, ["user_id", "session_id"])
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.create_index(
            "ux_training_session_run",
            ["session_id"],
            unique=True,
            sqlite_where=sa.text("reported = 0"),
            postgresql_where=sa.text("NOT reported"),
        )

    op.create_table(
        "session_teacher",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("genre", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("made", sa.Integer(), nullable=True),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("quality_sum", sa.Float(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["training_session.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["writer.id"]),
        sa.PrimaryKeyConstraint("session_id", "model", "genre"),
    )
    for statement in (BY_GENRE, ALL_GENRES):
        op.execute(statement)
    with op.batch_alter_table("session_teacher", schema=None) as batch_op:
        batch_op.create_index("ix_session_teacher_sums", SUMS, unique=False)
    op.create_table(
        "session_day",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.Column("rated", sa.Integer(), nullable=False),
        sa.Column("quality_sum", sa.Float(), nullable=False),
        sa.Column("quality_weight", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("fine_tunes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "recorded", "day"),
    )
    for statement in (DAYS_SO_FAR, *(DAYS_ON_SQLITE if sqlite else DAYS_ON_POSTGRESQL)):
        op.get_bind().exec_driver_sql(statement)
    op.execute(f"{INDEX}, {FIGURES})" if sqlite else f"{INDEX}) INCLUDE ({FIGURES})")
    if sqlite and op.get_bind().exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise RuntimeError("rows refer to others that are not there; nothing was changed")


def downgrade() -> None:
    op.execute("DROP INDEX history_sessions")
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("added", "removed", "changed"):
            op.execute(f"DROP TRIGGER session_day_{trigger}")
    else:
        op.execute("DROP TRIGGER session_day_kept ON training_session")
        op.execute("DROP FUNCTION session_day_keep()")
    op.drop_table("session_day")
    op.drop_table("session_teacher")
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_index("ux_training_session_run")
        batch_op.drop_constraint(TWO_COLUMNS, type_="unique")
        batch_op.create_unique_constraint(ON_POSTGRESQL % ONE_COLUMN, ["session_id"])
        batch_op.drop_index("ix_training_session_writer_completed")
        batch_op.alter_column(
            "session_id", existing_type=sa.String(length=100), type_=sa.String(length=32), existing_nullable=False
        )
        batch_op.drop_column("reported")
        batch_op.drop_column("archived_at")

    op.drop_table("sign_in")
    with op.batch_alter_table("once_only", schema=None) as batch_op:
        batch_op.drop_index("ix_once_only_created")

    op.drop_table("once_only")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index("ix_api_key_user")

    op.drop_table("api_key")
