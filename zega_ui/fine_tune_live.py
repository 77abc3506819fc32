"""A fine-tune under way, and what came of the last one, drawn from its rows: its process is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import charts, db, learning_words, training_words, versions
from zega_core import fine_tune_words as words
from zega_core.analytics import no_sign_of_life, plural
from zega_core.fine_tune.data import read_summary
from zega_core.jobs import client
from zega_core.proof_tables import Proof
from zega_core.store import fine_tunes
from zega_core.tables import RunStatus, now
from zega_core.version_tables import FineTune, TrainingMetric, Version
from zega_ui import proof_view, versions_view
from zega_ui import teaching_form as form
from zega_ui.components import chart, error_state, guarded, section
from zega_ui.teacher_cards import clock

WHERE = "result"
LOSS = "Loss says how surprised the model is by each next bit of text, in nats a token. Lower is less."


Stand = list[tuple[str, str, bool]]


def stand(rows: Sequence[FineTune]) -> Stand:
    """Of those under way: what the part of the page beside the live view was drawn by."""
    return [(row.run_id, row.status, row.data is None) for row in rows]


def live(writer: str, run_id: str, seen: Stand) -> None:
    """Redrawn every second; the whole page is when this one has ended, or another one waits."""
    with db.reading() as session:
        row = fine_tunes.get(session, writer, run_id)
        metrics = fine_tunes.metrics(session, writer, run_id)
        going = fine_tunes.under_way(session, writer)
    if stand(going) != seen:
        st.rerun()
    section(words.heading(row))
    share, hint = words.progress(row)
    st.progress(share, text=hint)
    if row.status == RunStatus.queued:
        st.caption("It begins within seconds, or when a run before it ends. If it does not, ask `zega doctor`.")
    elif trouble := no_sign_of_life(row.heartbeat_at or row.created_at, now()):
        error_state("The fine-tune is held up", trouble, key="silent")
    losses(metrics, words.steps(row))
    for note in words.notes(row):
        st.text(note)
    st.caption(":material/bedtime: You can close this page. The fine-tune goes on, and you will find it here again.")


def losses(metrics: Sequence[TrainingMetric], steps: int = 0) -> None:
    training, validation = words.curve(metrics)
    if training or validation:
        figure = charts.loss_curve(training, validation, steps=steps)
        chart(figure, key="losses", alt=words.curve_in_words(training, validation))
        st.caption(LOSS)


def controls(writer: str, row: FineTune, waiting: Sequence[FineTune]) -> None:
    """Beside the live view: Stop, and those that wait for this one."""
    section("This fine-tune")
    with db.reading() as session:
        because = training_words.because(row.trigger, *fine_tunes.new_in(session, row))
    if because:
        st.caption(f"ZEGA started it, {because}.")
    summary = read_summary(row.data)
    if summary is not None:
        st.markdown(learning_words.how_much(summary))
        st.caption(f"{summary.own_share:.0%} of the words that it learns from are your own.")
    stopping = row.status == RunStatus.stopping
    queued = row.status == RunStatus.queued
    st.button(
        "Stopping" if stopping else "Do not start it" if queued else "Stop and keep the best so far",
        icon=":material/stop_circle:",
        width="stretch",
        on_click=guarded,
        args=(client.stop_fine_tune, writer, row.run_id),
        disabled=stopping,
        key="stop",
    )
    if not queued:
        st.caption("What was best by then becomes a version, if anything has been learned.")
    for one in waiting:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Another one waits since {clock(one.created_at)}; it begins after this.", width="stretch")
            st.button(
                "Take it back",
                type="tertiary",
                key=f"take-back-{one.run_id}",
                on_click=guarded,
                args=(client.stop_fine_tune, writer, one.run_id),
            )


def _proof(writer: str, version: Version, promoted: Version | None, proof: Proof | None) -> None:
    if proof is not None:
        proof_view.summary(writer, proof, None if promoted is None else promoted.number)
        return
    st.text(words.surprise(version))
    proof_view.prove(writer, version, f"Prove v{version.number}", WHERE)
    st.caption("It and what is in use write on the same prompts; then ZEGA says whether it is better.")


def result(writer: str, row: FineTune, version: Version | None, promoted: Version | None, proof: Proof | None) -> None:
    """What came of the last one, and whether that is better."""
    section("Last fine-tune", f"Ended {clock(row.completed_at)}" if row.completed_at else None)
    form.explain(WHERE)
    if row.status == RunStatus.failed:
        why = row.error or "It ended without a reason. logs/worker.log may have one."
        error_state("It made no version", why, key="failed")
    if version is not None:
        st.markdown(f"**{words.standing(versions.model_name(writer), version, promoted)}**")
    if version is not None or row.status != RunStatus.failed:
        st.text(words.outcome(row, version))
    for note in words.notes(row):
        st.text(note)
    if version is not None:
        _proof(writer, version, promoted, proof)
    if words.can_continue(row):
        st.button(
            "Continue",
            type="primary",
            icon=":material/play_arrow:",
            on_click=guarded,
            args=(client.resume_fine_tune, writer, row.run_id),
            key="continue",
        )
        st.caption("It goes on from where it was, with the same examples.")
    if version is not None and (promoted is None or promoted.id != version.id):
        st.button(
            f"Use v{version.number}",
            key="use-result",
            on_click=guarded,
            args=(versions_view.use, writer, version.number, None if promoted is None else promoted.number),
        )
    if version is not None:
        st.markdown("To use it outside of ZEGA, see [Take it with you](#take-it-with-you).")
    with db.reading() as session:
        metrics = fine_tunes.metrics(session, writer, row.run_id)
    if metrics:
        with st.expander(f"How it learned, in {plural(max(metric.step for metric in metrics), 'step')}"):
            losses(metrics)
