"""How the app, the command line and the API ask for runs. They write a row; a worker does the rest."""

from __future__ import annotations

from datetime import datetime

from zega_core import auto_train, db, notices, proving, training_words, triggers, versions
from zega_core.configs import AutoTrainConfig, FineTuneConfig, check_judge
from zega_core.jobs import queues
from zega_core.jobs.exports import enqueue_export as enqueue_export
from zega_core.jobs.exports import export as export
from zega_core.jobs.exports import export_id as export_id
from zega_core.jobs.exports import stop_export as stop_export
from zega_core.jobs.pages import add_pages as add_pages
from zega_core.jobs.pages import enqueue_pages as enqueue_pages
from zega_core.jobs.pages import pages_id as pages_id
from zega_core.jobs.pages import resume_pages as resume_pages
from zega_core.jobs.pages import stop_pages as stop_pages
from zega_core.jobs.questions import ask_for_example as ask_for_example
from zega_core.jobs.questions import prepare_questions as prepare_questions
from zega_core.jobs.writing import measure_style_if_due as measure_style_if_due
from zega_core.jobs.writing import refresh_memory as refresh_memory
from zega_core.proof_tables import Proof
from zega_core.settings import Settings, get_settings
from zega_core.store import checks, fine_tunes, leases, proofs, runs, scores, sessions, teaching, writers
from zega_core.tables import RunStatus, TrainingSession, now
from zega_core.version_tables import FineTune


def start_auto_train(
    config: AutoTrainConfig,
    *,
    teacher: str,
    one_at_a_time: bool = False,
    noted: db.Noted | None = None,
    settings: Settings | None = None,
) -> str:
    """Queue a session and return its id. With ``one_at_a_time`` (a page's button) a second press gets the
    session of the first. ``noted`` is called with the id in the transaction that makes it."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        order = auto_train.order_seed(config.writer_id)
        row = sessions.pressed_already(session, config) if one_at_a_time else None
        row = row or sessions.create(session, config, teacher=teacher, order_seed=order)
        if noted is not None:
            noted(session, row.session_id)
    enqueue(row, settings)
    return row.session_id


def check_teacher(writer_id: str, provider: str, model: str = "", settings: Settings | None = None) -> None:
    """Have a worker look at a service, or with ``model`` ask that model for a sentence."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = checks.ask(session, writer_id, provider, model)
    enqueue_check(row.id or 0, settings)


def enqueue_check(check_id: int, settings: Settings) -> None:
    """Hand a check to the workers. The same check twice is done once."""
    queues.hand_over(settings, "check_teacher", queues.CHECKS, f"check:{check_id}", check_id)


def rescore(writer_id: str, settings: Settings | None = None) -> None:
    """Have a worker score a writer's outdated pieces again. While that waits or goes on, a second press changes
    nothing."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        asked_at = scores.ask(session, writer_id)
    enqueue_rescore(writer_id, asked_at, settings)


def rescore_id(writer_id: str, asked_at: datetime) -> str:
    return f"rescore:{writer_id}:{asked_at:%Y%m%dT%H%M%S%f}"


def enqueue_rescore(writer_id: str, asked_at: datetime, settings: Settings) -> None:
    """Hand a request to the workers. The same request twice is done once."""
    queues.hand_over(settings, "rescore", queues.RESCORES, rescore_id(writer_id, asked_at), writer_id)


def stop(writer_id: str, session_id: str, settings: Settings | None = None) -> None:
    """Stop a run; everything written stays. It takes about a second."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = runs.ask_to_stop(session, writer_id, session_id)
    if row.status == RunStatus.stopped and not row.recorded:
        auto_train.record(session_id, settings)


def resume(writer_id: str, session_id: str, settings: Settings | None = None) -> None:
    """Continue a stopped or failed run with what it still lacks. A run under way is left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = runs.ask_to_continue(session, writer_id, session_id)
    if row is not None:
        enqueue(row, settings)


def fine_tune(
    writer_id: str,
    *,
    trigger: str = "writer",
    config: FineTuneConfig | None = None,
    one_at_a_time: bool = False,
    noted: db.Noted | None = None,
    settings: Settings | None = None,
) -> str:
    """Queue a fine-tune as the writer has set it up, or by ``config``, and return its id. Those of one writer are
    done one after the other. With ``one_at_a_time`` (a page's button) a second press gets the one under way.
    ``noted`` is called with the id in the transaction that makes it. Raises InvalidInput when there is too little to
    learn from."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        writers.ensure(session, writer_id)
        writers.lock(session, writer_id)
        under_way = fine_tunes.under_way(session, writer_id) if one_at_a_time else []
        if under_way:
            row = under_way[-1]
        else:
            config = config or fine_tunes.load_config(session, writer_id)
            triggers.check(session, writer_id)
            row = fine_tunes.create(session, writer_id, config, trigger)
        if noted is not None:
            noted(session, row.run_id)
    enqueue_fine_tune(row, settings)
    return row.run_id


def fine_tune_if_due(writer_id: str, settings: Settings | None = None) -> str | None:
    """Queue the fine-tune that begins by itself when it is due, and return its id. Two that ask at once, from two tabs
    or workers, get one. Every saved answer asks: what is not due takes no lock."""
    settings = settings or get_settings()
    with db.reading(settings) as session:
        due, holds = triggers.due(session, writer_id, settings)
    if holds:
        with db.session(settings) as session:
            notices.note(session, writer_id, **training_words.waiting(holds, now()))
    if due is None:
        return None
    with db.session(settings) as session:
        writers.lock(session, writer_id)
        due, _ = triggers.due(session, writer_id, settings)
        if due is None:  # another was first
            return None
        row = fine_tunes.create(session, writer_id, fine_tunes.load_config(session, writer_id), due.trigger)
        if due.trigger == triggers.AUTOMATIC:
            sessions.note_fine_tune(session, writer_id)
        notices.note(session, writer_id, **training_words.begun(row.run_id, due))
    enqueue_fine_tune(row, settings)
    return row.run_id


def stop_fine_tune(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Stop one: it ends with the best so far as its version. One that waits does not begin."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        leases.ask_to_stop(session, fine_tunes.get(session, writer_id, run_id))
    enqueue_next_fine_tune(writer_id, settings)


def resume_fine_tune(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Go on with a stopped or failed one from its last checkpoint. One under way is left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = fine_tunes.ask_to_continue(session, fine_tunes.get(session, writer_id, run_id))
    if row is not None:
        enqueue_fine_tune(row, settings)


def enqueue_fine_tune(row: FineTune, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    queues.hand_over(settings, "fine_tune", queues.FINE_TUNES, fine_tune_id(row), row.run_id, row.attempt)


def enqueue_next_fine_tune(writer_id: str, settings: Settings) -> None:
    """After one of the writer's has ended: the oldest that waits. It has been handed over once, and found that it was
    not its turn; so this is a new attempt."""
    with db.session(settings) as session:
        waiting = next(iter(fine_tunes.under_way(session, writer_id)), None)
        if waiting is None or waiting.status != RunStatus.queued or fine_tunes.waits_for(session, waiting):
            return
        row = fine_tunes.take_over(session, waiting)
    if row is not None:
        enqueue_fine_tune(row, settings)


def prove(
    writer_id: str,
    number: int | None = None,
    *,
    against: int | None = versions.ANY,
    promote: bool = False,
    judge: str | None = None,
    trigger: str = "writer",
    one_at_a_time: bool = False,
    noted: db.Noted | None = None,
    settings: Settings | None = None,
) -> str:
    """Queue a proof of version ``number`` (None: the newest) and return its id. ``against`` and what it may be:
    ``versions.pair``. ``judge`` is the writer's own if it is None, nobody if empty. With ``one_at_a_time`` (a page's
    button) a second press gets the unfinished proof of the same two. ``noted`` is called with the id in the transaction
    that makes it."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        writers.get(session, writer_id)
        writers.lock(session, writer_id)
        version, other = versions.pair(session, writer_id, number, against)
        opponent = None if other is None else other.number
        same = [one for one in proofs.under_way(session, writer_id)
                if (one.version_number, one.against) == (version.number, opponent)]  # fmt: skip
        row = same[-1] if one_at_a_time and same else proofs.create(
            session,
            writer_id,
            version.number,
            against=opponent,
            promote=promote,
            judge=teaching.load(session, writer_id).judge if judge is None else judge and check_judge(judge),
            trigger=trigger,
        )  # fmt: skip
        if noted is not None:
            noted(session, row.run_id)
    enqueue_proof(row, settings)
    return row.run_id


def stop_proof(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Stop one; what is written stays, and Continue goes on from there."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        leases.ask_to_stop(session, proofs.get(session, writer_id, run_id))
    proving.weigh_anew(writer_id, run_id, settings)
    enqueue_next_fine_tune(writer_id, settings)


def resume_proof(writer_id: str, run_id: str, settings: Settings | None = None) -> None:
    """Go on with a stopped or failed one. One under way, or done, is left alone."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = proofs.ask_to_continue(session, proofs.get(session, writer_id, run_id))
    if row is not None:
        enqueue_proof(row, settings)


def ask_judge(writer_id: str, run_id: str, judge: str, settings: Settings | None = None) -> None:
    """Have this judge read the texts of a proof that has its verdict; nothing is written anew, and nothing is put in
    use. Raises InvalidInput for what names no teacher, and while there is no verdict."""
    settings = settings or get_settings()
    with db.session(settings) as session:
        row = proofs.get(session, writer_id, run_id)
        row = proofs.ask_judge(session, row, check_judge(judge))
    if row is not None:
        enqueue_proof(row, settings)


def enqueue_proof(row: Proof, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    queues.hand_over(settings, "prove", queues.FINE_TUNES, proof_id(row), row.run_id, row.attempt)


def proof_id(row: Proof) -> str:
    return f"proof:{row.run_id}:{row.attempt}"


def fine_tune_id(row: FineTune) -> str:
    return f"fine-tune:{row.run_id}:{row.attempt}"


def workflow_id(row: TrainingSession) -> str:
    return f"{row.session_id}:{row.attempt}"


def enqueue(row: TrainingSession, settings: Settings) -> None:
    """Hand the row's attempt to the workers. The same attempt twice is one run."""
    queues.hand_over(settings, "auto_train", queues.QUEUE, workflow_id(row), row.session_id, row.attempt)
