"""Whether a version is better, drawn from the rows of its proof: where it is, its verdict, its figures, its texts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from zega_core import db, figure_words
from zega_core import proof_words as words
from zega_core.analytics import no_sign_of_life
from zega_core.jobs import client
from zega_core.proof.figures import Figures, read_figures
from zega_core.proof_tables import Proof
from zega_core.store import proofs
from zega_core.tables import UNFINISHED, RunStatus, now
from zega_core.version_tables import Version
from zega_ui import blind, judge_view, proof_style_view
from zega_ui import teaching_form as form
from zega_ui.components import error_state, plain, prose, section, shielded

WHERE = "proof"
CHOSEN = "proof-of"
state = st.session_state


def badge(row: Proof | None) -> None:
    found = words.badge(row)
    st.badge(found.label, icon=f":material/{found.icon}:", color=found.color)  # type: ignore[arg-type]


def summary(writer: str, row: Proof, in_use: int | None) -> None:
    """Where a proof is, or what it came to."""
    if row.status in UNFINISHED:
        st.fragment(shielded(_live), run_every=1)(writer, row.run_id, row.status)
        _stop(writer, row)
    if row.verdict:
        _verdict(row, in_use)
    if row.status == RunStatus.failed:
        why = row.error or "It ended without a reason. logs/worker.log may have one."
        what = "The judge was not asked to the end" if row.verdict else "The proof did not come to an end"
        error_state(what, why, key=f"proof-failed-{row.id}")
    elif row.status == RunStatus.stopped and row.verdict:
        st.caption("You stopped before the judge had read every pair. What it said is kept.")
    elif row.status == RunStatus.stopped:
        badge(row)
        st.caption("There is no verdict. What was written is kept.")
    for note in words.notes(row):
        st.text(note)
    if row.status in (RunStatus.stopped, RunStatus.failed):
        _continue(writer, row)


def prove(writer: str, version: Version, label: str, where: str, *, quiet: bool = False) -> None:
    """The button that begins a proof. ``where`` it stands tells it from another one on the page."""
    st.button(
        label,
        key=f"prove-{where}-{version.number}",
        type="tertiary" if quiet else "secondary",
        on_click=form.act,
        args=(where, _prove, writer, version.number),
    )


def _prove(writer: str, number: int) -> None:
    client.prove(writer, number, trigger="writer", one_at_a_time=True)
    state[CHOSEN] = number


def _live(writer: str, run_id: str, seen: str) -> None:
    """Redrawn every second; the whole page is when the proof begins, stops or ends."""
    with db.reading() as session:
        row = proofs.get(session, writer, run_id)
    if row.status != seen:
        st.rerun()
    done, hint = words.progress(row)
    st.progress(done, text=plain(hint))
    if row.status == RunStatus.queued:
        st.caption("It begins within seconds, or when a run before it ends. If it does not, ask `zega doctor`.")
    elif trouble := no_sign_of_life(row.heartbeat_at or row.created_at, now()):
        error_state("The proof is held up", trouble, key=f"proof-silent-{row.id}")
    elif not row.verdict:
        st.caption(words.meanwhile(row))


def _stop(writer: str, row: Proof) -> None:
    stopping = row.status == RunStatus.stopping
    st.button(
        "Stopping" if stopping else "Stop asking the judge" if row.verdict else "Stop the proof",
        key=f"proof-stop-{row.id}",
        icon=":material/stop_circle:",
        disabled=stopping,
        on_click=form.act,
        args=(WHERE, client.stop_proof, writer, row.run_id),
    )


def _continue(writer: str, row: Proof) -> None:
    st.button(
        "Continue with the judge" if row.verdict else "Continue the proof",
        key=f"proof-continue-{row.id}",
        icon=":material/play_arrow:",
        on_click=form.act,
        args=(WHERE, client.resume_proof, writer, row.run_id),
    )


def _verdict(row: Proof, in_use: int | None) -> None:
    found = read_figures(row.figures)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(row)
        st.caption(plain(words.compared(row, found)), width="stretch")
    reasons = words.why(row)
    plainly = (words.verdict(row, found), words.use(row, in_use, found))
    for said in filter(None, (" ".join(filter(None, plainly)), *reasons[:1], words.helps(row, found))):
        st.text(said)
    if found is None:
        st.caption("Its figures cannot be read. They may be of another ZEGA; prove it again to measure them anew.")
        return
    for sentence in words.guards(found, reasons[:1]):
        st.markdown(f":orange[:material/warning:] {plain(sentence)}")
    with st.expander("The figures", key=f"proof-details-{row.id}"):
        _table(row, figure_words.table(found), f"{figure_words.before(row)} and {figure_words.after(row)} in figures")
        _details(row, found, reasons)


def _details(row: Proof, found: Figures, reasons: Sequence[str]) -> None:
    if len(reasons) > 1:
        st.markdown("**Why**")
        for sentence in reasons:
            st.text(sentence)
    for sentence in found.missing:
        st.text(sentence)
    _table(row, figure_words.details(found), "The other figures")
    lines = [one for one in (*figure_words.table(found), *figure_words.details(found)) if one.interval]
    st.markdown("**How sure that is**")
    frame = pd.DataFrame(
        {"The difference lies between": [plain(one.interval) for one in lines]},
        index=pd.Index([plain(one.what) for one in lines], name="Figure"),
    )
    st.table(frame, border="horizontal", alt="The interval of each difference")
    st.caption(figure_words.how_sure())


def _table(row: Proof, lines: Sequence[figure_words.Row], alt: str) -> None:
    frame = pd.DataFrame(
        {
            figure_words.before(row): [plain(one.before) for one in lines],
            figure_words.after(row): [plain(one.after) for one in lines],
            "What it means": [plain(one.means) for one in lines],
        },
        index=pd.Index([plain(one.what) for one in lines], name="Figure"),
    )
    st.table(frame, border="horizontal", alt=alt)


def readable(rows: Sequence[Proof]) -> dict[int, Proof]:
    """By version the newest proof that has come to something, of ``rows`` newest first."""
    found: dict[int, Proof] = {}
    for row in rows:
        if row.verdict or row.status in (RunStatus.stopped, RunStatus.failed):
            found.setdefault(row.version_number, row)
    return found


def reading(writer: str, rows: Sequence[Proof], shown: int | None, in_use: int | None) -> None:
    """Proofs to be followed and read. ``shown`` is the version whose newest proof is on the page already."""
    ended = readable(rows)
    going = [row for row in rows if row.status in UNFINISHED and not row.verdict and row.version_number != shown]
    if not ended and not going:
        return
    section("Is it better?", "Read for yourself. What you choose without knowing which is which counts most.")
    form.explain(WHERE)
    for row in reversed(going):
        st.markdown(f"**Proof of v{row.version_number}**")
        summary(writer, row, in_use)
    if ended:
        _read(writer, ended, shown, in_use)


def _read(writer: str, ended: dict[int, Proof], shown: int | None, in_use: int | None) -> None:
    row = _chosen(ended, shown)
    if row.version_number != shown:
        summary(writer, row, in_use)
    with db.reading() as session:
        texts = proofs.texts(session, row)
    found = read_figures(row.figures)
    tabs = st.tabs(
        ["Before and after", "Style", "Choose blind", "Judge"], key="proof_tab", on_change="rerun", bind="query-params"
    )
    draws = (
        lambda: _pairs(row, words.pairs(texts)),
        lambda: proof_style_view.show(row, found),
        lambda: blind.show(writer, row, texts),
        lambda: judge_view.show(writer, row, found, texts),
    )
    for tab, draw in zip(tabs, draws, strict=True):
        if tab.open:
            with tab:
                draw()


def _chosen(ended: dict[int, Proof], shown: int | None) -> Proof:
    if state.get(CHOSEN) not in ended:
        state[CHOSEN] = shown if shown in ended else next(iter(ended))
    if len(ended) == 1:
        return ended[state[CHOSEN]]
    number = st.selectbox(
        "Proof of",
        list(ended),
        key=CHOSEN,
        width=380,
        format_func=lambda one: f"v{one}: {words.badge(ended[one]).label}",
    )
    return ended[number]


def _pairs(row: Proof, pairs: Sequence[words.Pair]) -> None:
    if not pairs:
        st.caption("No prompt has been answered by both so far.")
        return
    key = f"pair-{row.id}"
    at = min(int(state.get(key, 0)), len(pairs) - 1)
    pair = pairs[at]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pair-head"):
        st.markdown(f"**{plain(pair.remark or words.change(pair.text))}** · {at + 1} of {len(pairs)}", width="stretch")
        for label, step, icon, there in (
            ("Previous pair", -1, "arrow_back", at > 0),
            ("Next pair", 1, "arrow_forward", at + 1 < len(pairs)),
        ):
            st.button(
                label,
                key=f"pair-{icon}",
                icon=f":material/{icon}:",
                disabled=not there,
                on_click=_turn,
                args=(key, at + step),
            )
    blind.mark_read(row, pair.text.place)
    blind.asked(pair.text)
    first, second = st.columns(2, gap="large")
    with first:
        _side(figure_words.before(row), pair.text.before, pair.text.score_before, "before")
    with second:
        _side(figure_words.after(row), pair.text.after, pair.text.score_after, "after")


def _side(name: str, text: str | None, score: float | None, key: str) -> None:
    st.markdown(f"**{name}** · {words.points(score)}")
    prose(text or "", f"pair-{key}")


def _turn(key: str, at: int) -> None:
    state[key] = at
