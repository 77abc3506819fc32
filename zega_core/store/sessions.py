"""Training sessions: what a writer asked for, and the history of it. How one is run is in ``runs``."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from zega_core.configs import AutoTrainConfig, check_genres
from zega_core.errors import NotFound
from zega_core.store import examples, writers
from zega_core.tables import UNFINISHED, TrainingSession, Writer, now

NOT_THERE = "There is no such session. It may have been deleted; choose one in History."
DOUBLE_PRESS = 2.0
"""Seconds within which a second press that asks for the same is taken for the first one's echo."""


def create(session: Session, config: AutoTrainConfig, *, teacher: str, order_seed: int) -> TrainingSession:
    """A queued session. Without a seed it continues the writer's own order of combinations where the last
    session ended; with one it begins that seed's order anew."""
    writers.ensure(session, config.writer_id)
    writers.lock(session, config.writer_id)
    genres = check_genres(config.genres)
    row = TrainingSession(
        user_id=config.writer_id,
        session_id=secrets.token_hex(16),
        num_examples_requested=config.num_examples,
        genres_selected=list(genres),
        stored_in_memory=config.store_in_memory,
        saved_to_database=config.save_to_database,
        seed=secrets.randbelow(2**31) if config.seed is None else config.seed,
        order_seed=order_seed if config.seed is None else config.seed,
        draw_from=draws_taken(session, config.writer_id, order_seed) if config.seed is None else {},
        teacher=teacher,
        training_examples_before=examples.count_kept(session, config.writer_id),
        started_at=now(),
    )
    session.add(row)
    session.flush()
    return row


def pressed_already(session: Session, config: AutoTrainConfig) -> TrainingSession | None:
    """What an earlier press of the same button has made: the writer's unfinished session, or one that asked
    for the same a moment ago. The writer's row is locked, so two presses cannot both find nothing."""
    writers.ensure(session, config.writer_id)
    writers.lock(session, config.writer_id)
    row = latest(session, config.writer_id)
    if row is None:
        return None
    asked = (config.num_examples, list(check_genres(config.genres)), config.store_in_memory, config.save_to_database)
    same = asked == (row.num_examples_requested, row.genres_selected, row.stored_in_memory, row.saved_to_database)
    moment_ago = now() - row.created_at < timedelta(seconds=DOUBLE_PRESS)
    return row if row.status in UNFINISHED or (same and moment_ago) else None


def draws_taken(session: Session, writer_id: str, order_seed: int) -> dict[str, int]:
    """Per genre: how many combinations of this order the writer's sessions have taken. Each one notes what earlier ones
    had (``draw_from``), so that nothing is asked for again when one of those is deleted."""
    query = select(
        TrainingSession.genres_selected, TrainingSession.num_examples_requested, TrainingSession.draw_from
    ).where(TrainingSession.user_id == writer_id, TrainingSession.order_seed == order_seed)
    taken: dict[str, int] = {}
    for genres, number, before in session.exec(query):
        after = dict(before)
        for position, genre in enumerate(genres):
            after[genre] = after.get(genre, 0) + len(range(position, number, len(genres)))
        taken = {genre: max(taken.get(genre, 0), after.get(genre, 0)) for genre in taken | after}
    return taken


def note_fine_tune(session: Session, writer_id: str) -> None:
    """The writer's latest session has set off a fine-tune."""
    row = latest(session, writer_id)
    if row is not None:
        row.fine_tuning_triggered = True
        session.add(row)


def get(session: Session, writer_id: str, session_id: str) -> TrainingSession:
    """The writer's session; another writer's is not found, exactly like one that does not exist."""
    query = select(TrainingSession).where(
        TrainingSession.user_id == writer_id, TrainingSession.session_id == session_id
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFound(NOT_THERE)
    return row


def is_run(session_id: str) -> tuple[ColumnElement[bool], ...]:
    """What holds of the one row of that id that ZEGA ran. What a program handed in may have the same id."""
    return col(TrainingSession.session_id) == session_id, ~col(TrainingSession.reported)


def by_id(session: Session, session_id: str) -> TrainingSession:
    """A run of ZEGA's, whoever's it is: for workers, who are handed ids and no writer."""
    row = session.exec(select(TrainingSession).where(*is_run(session_id))).first()
    if row is None:
        raise NotFound(NOT_THERE)
    return row


def anyones(session: Session, session_id: str) -> TrainingSession:
    """Of all local writers: the run of that id, else what was handed in last."""
    query = (
        select(TrainingSession)
        .where(
            col(TrainingSession.user_id).in_(select(Writer.id)),  # so that the index by writer and id finds it
            TrainingSession.session_id == session_id,
        )
        .order_by(col(TrainingSession.reported), col(TrainingSession.id).desc())
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFound(NOT_THERE)
    return row


def latest(session: Session, writer_id: str) -> TrainingSession | None:
    """The session that Auto-Train shows: the newest unfinished one, else the newest. What another program ran and
    handed in is not among them."""
    query = (
        select(TrainingSession)
        .where(TrainingSession.user_id == writer_id, ~col(TrainingSession.reported))
        .order_by(col(TrainingSession.status).in_(UNFINISHED).desc(), col(TrainingSession.id).desc())
    )
    return session.exec(query).first()


def completed(session: Session, writer_id: str, limit: int) -> list[TrainingSession]:
    """Those that have ended, the last one first."""
    ended = col(TrainingSession.completed_at)
    query = select(TrainingSession).where(TrainingSession.user_id == writer_id, ended.is_not(None))
    return list(session.exec(query.order_by(ended.desc(), col(TrainingSession.id).desc()).limit(limit)).all())


def page(session: Session, writer_id: str, *, number: int = 1, size: int = 10) -> list[TrainingSession]:
    """Page ``number`` (from 1), newest first."""
    query = (
        select(TrainingSession)
        .where(TrainingSession.user_id == writer_id)
        .order_by(col(TrainingSession.started_at).desc(), col(TrainingSession.id).desc())
        .offset((number - 1) * size)
        .limit(size)
    )
    return list(session.exec(query).all())


def seconds_per_example(session: Session, writer_id: str, teacher: str, last: int = 20) -> float | None:
    """Median over the writer's last finished runs with this teacher here; None without any."""
    query = (
        select(
            TrainingSession.total_time_seconds,
            TrainingSession.num_examples_successful
            + TrainingSession.num_examples_set_aside
            + TrainingSession.num_examples_failed,
        )
        .where(TrainingSession.user_id == writer_id, TrainingSession.teacher == teacher)
        .where(col(TrainingSession.recorded), ~col(TrainingSession.reported))
        .order_by(col(TrainingSession.id).desc())
        .limit(last)
    )
    rates = sorted(seconds / number for seconds, number in session.exec(query) if number)
    return rates[len(rates) // 2] if rates else None
