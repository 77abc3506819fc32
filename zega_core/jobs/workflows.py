"""The DBOS functions, and nothing else. Arguments are ids and numbers; our own rows are the checkpoint."""

from __future__ import annotations

from dbos import DBOS

from zega_core import auto_train, rescore, staffing, teacher_checks
from zega_core.catalog import load_catalog
from zega_core.errors import HomeError, ZegaError
from zega_core.settings import get_settings
from zega_core.tables import RunStatus


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


@DBOS.workflow(name="auto_train", max_recovery_attempts=1000)
def auto_train_workflow(session_id: str, attempt: int) -> None:
    write_missing(session_id, attempt)


@DBOS.step(name="ask_teacher")
def ask_teacher(check_id: int) -> None:
    teacher_checks.check(check_id, get_settings())


@DBOS.workflow(name="check_teacher", max_recovery_attempts=3)
def check_teacher_workflow(check_id: int) -> None:
    ask_teacher(check_id)


@DBOS.step(name="score_again")
def score_again(writer_id: str) -> None:
    rescore.answer(writer_id, get_settings())


@DBOS.workflow(name="rescore", max_recovery_attempts=1000)
def rescore_workflow(writer_id: str) -> None:
    score_again(writer_id)
