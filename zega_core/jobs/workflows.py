"""The DBOS functions, and nothing else. Arguments are ids and numbers; our own rows are the checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger

from dbos import DBOS

from zega_core import (
    asking,
    auto_train,
    db,
    exporting,
    fine_tuning,
    memory,
    notices,
    own_pages,
    own_pages_words,
    profiling,
    proving,
    rescore,
    staffing,
    teacher_checks,
    training_words,
)
from zega_core.catalog import load_catalog
from zega_core.errors import HomeError, ProviderUnavailable, ZegaError
from zega_core.jobs import client
from zega_core.settings import get_settings
from zega_core.store import fine_tunes, manuscripts, proofs, sessions
from zega_core.tables import RunStatus

log = getLogger(__name__)


@DBOS.step(name="write_missing")
def write_missing(session_id: str, attempt: int) -> None:
    """One coarse step: finer ones cost half the throughput and protect nothing more (docs/decisions.md)."""
    settings, status = get_settings(), RunStatus.running
    try:
        while status == RunStatus.running:  # again, with another staff, when the writer's choices changed
            staff = staffing.staff_of(session_id, settings)
            status = auto_train.run(
                session_id,
                attempt,
                settings=settings,
                catalog=load_catalog(),
                teacher=staff.teacher,
                votes=staff.votes,
                judge=staff.judge,
                budget=staff.budget,
                changed=staff.changed,
            )
    except HomeError:
        raise
    except ZegaError as error:
        auto_train.fail(session_id, attempt, str(error), settings)


@DBOS.step(name="ask_for_fine_tune")
def ask_for_fine_tune(session_id: str) -> None:
    """What a session kept may be enough for the next fine-tune."""
    settings = get_settings()
    with db.reading(settings) as session:
        writer = sessions.by_id(session, session_id).user_id
    client.fine_tune_if_due(writer, settings)
    client.measure_style_if_due(writer, settings)
    client.refresh_memory(writer, settings)


@DBOS.workflow(name="auto_train", max_recovery_attempts=1000)
def auto_train_workflow(session_id: str, attempt: int) -> None:
    write_missing(session_id, attempt)
    ask_for_fine_tune(session_id)


@DBOS.step(name="ask_teacher")
def ask_teacher(check_id: int) -> None:
    teacher_checks.check(check_id, get_settings())


@DBOS.workflow(name="check_teacher", max_recovery_attempts=3)
def check_teacher_workflow(check_id: int) -> None:
    ask_teacher(check_id)


@DBOS.step(name="score_again")
def score_again(writer_id: str) -> None:
    rescore.answer(writer_id, get_settings())
    client.refresh_memory(writer_id, get_settings())


@DBOS.workflow(name="rescore", max_recovery_attempts=1000)
def rescore_workflow(writer_id: str) -> None:
    score_again(writer_id)


@DBOS.step(name="train")
def train(run_id: str, attempt: int) -> None:
    settings = get_settings()
    with db.reading(settings) as session:
        row = fine_tunes.by_run_id(session, run_id)
    if row is None:
        return
    ended = fine_tuning.run(run_id, attempt, settings=settings) is not None
    _tell(row.user_id, _ended, run_id)  # also of what had ended when a worker was killed before it told
    if ended:
        with db.reading(settings) as session:
            proof = proofs.of_newest_version(session, row.user_id)
        if proof is not None:
            client.enqueue_proof(proof, settings)
        _go_on(row.user_id)


def _ended(session: db.Session, run_id: str) -> training_words.Notice | None:
    row = fine_tunes.by_run_id(session, run_id)
    return None if row is None else training_words.ended(row)


def _verdict(session: db.Session, run_id: str) -> training_words.Notice | None:
    row = proofs.by_run_id(session, run_id)
    return None if row is None else training_words.verdict(row)


def _tell(writer_id: str, notice: Callable[[db.Session, str], training_words.Notice | None], run_id: str) -> None:
    """Have the writer told what came of a run, if it has ended."""
    with db.session(get_settings()) as session:
        told = notice(session, run_id)
        if told is not None:
            notices.note(session, writer_id, **told)


def _go_on(writer_id: str) -> None:
    """With the fine-tune that waited for what has ended."""
    client.enqueue_next_fine_tune(writer_id, get_settings())
    client.fine_tune_if_due(writer_id, get_settings())


@DBOS.workflow(name="fine_tune", max_recovery_attempts=1000)
def fine_tune_workflow(run_id: str, attempt: int) -> None:
    train(run_id, attempt)


@DBOS.step(name="write_and_weigh")
def write_and_weigh(run_id: str, attempt: int) -> None:
    settings = get_settings()
    with db.reading(settings) as session:
        row = proofs.by_run_id(session, run_id)
    if row is None:
        return
    ended = proving.run(run_id, attempt, settings=settings) is not None
    _tell(row.user_id, _verdict, run_id)
    if ended:
        _go_on(row.user_id)


@DBOS.workflow(name="prove", max_recovery_attempts=1000)
def prove_workflow(run_id: str, attempt: int) -> None:
    write_and_weigh(run_id, attempt)


@DBOS.step(name="take_out")
def take_out(run_id: str, attempt: int) -> None:
    exporting.run(run_id, attempt, settings=get_settings())


@DBOS.workflow(name="export", max_recovery_attempts=1000)
def export_workflow(run_id: str, attempt: int) -> None:
    take_out(run_id, attempt)


@DBOS.step(name="ask_for_questions")
def ask_for_questions(conversation_key: str) -> None:
    asking.prepare(conversation_key, get_settings())


@DBOS.workflow(name="prepare_questions", max_recovery_attempts=3)
def prepare_questions_workflow(conversation_key: str) -> None:
    ask_for_questions(conversation_key)


@DBOS.step(name="show_example")
def show_example(turn_id: int) -> None:
    asking.write_example(turn_id, get_settings())


@DBOS.workflow(name="write_example", max_recovery_attempts=3)
def write_example_workflow(turn_id: int) -> None:
    show_example(turn_id)


@DBOS.step(name="take_in")
def take_in(run_id: str, attempt: int) -> None:
    settings = get_settings()
    own_pages.run(run_id, attempt, settings=settings)
    with db.session(settings) as session:
        row = manuscripts.by_run_id(session, run_id)
        told = None if row is None else own_pages_words.notice(row)
        if row is not None and told is not None:
            notices.note(session, row.user_id, **told)
    if row is not None:
        client.fine_tune_if_due(row.user_id, settings)
        client.measure_style_if_due(row.user_id, settings)
        client.refresh_memory(row.user_id, settings)


@DBOS.workflow(name="read_pages", max_recovery_attempts=1000)
def read_pages_workflow(run_id: str, attempt: int) -> None:
    take_in(run_id, attempt)


@DBOS.step(name="remember_and_embed")
def remember_and_embed(writer_id: str) -> None:
    try:
        memory.refresh(writer_id, get_settings())
    except ProviderUnavailable as error:  # reconcile asks again later
        log.warning("texts could not be embedded: %s", error)


@DBOS.workflow(name="refresh_memory", max_recovery_attempts=1000)
def refresh_memory_workflow(writer_id: str) -> None:
    remember_and_embed(writer_id)


@DBOS.step(name="measure_and_store")
def measure_and_store(writer_id: str) -> None:
    settings = get_settings()
    profiling.measure(writer_id, settings, embed=profiling.by_meaning(settings))
    client.measure_style_if_due(writer_id, settings)  # what came while it was measured


@DBOS.workflow(name="measure_style", max_recovery_attempts=3)
def measure_style_workflow(writer_id: str) -> None:
    measure_and_store(writer_id)
