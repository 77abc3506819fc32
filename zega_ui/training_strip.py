"""How far it is to the next training, how the present one does, and what came of the last: below the open question."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from zega_core import db, proof_words, training_words, triggers
from zega_core import fine_tune_words as words
from zega_core.analytics import no_sign_of_life
from zega_core.proof.figures import read_figures
from zega_core.proof_tables import Proof
from zega_core.settings import Settings, get_settings
from zega_core.store import fine_tunes, proofs, training_triggers, versions
from zega_core.tables import UNFINISHED, RunStatus, now
from zega_core.version_tables import FineTune, Version
from zega_ui import proof_view
from zega_ui.components import error_state, plain, shielded

LOOKS_EVERY = 2
"""Seconds; it draws only itself, so that nobody is disturbed at writing."""


def show(writer: str, settings: Settings) -> None:
    st.fragment(shielded(_strip), run_every=LOOKS_EVERY)(writer)


def _strip(writer: str) -> None:
    settings = get_settings()
    with db.reading() as session:
        ahead = triggers.next_up(session, writer, settings)
        going = fine_tunes.under_way(session, writer)
        last = fine_tunes.latest(session, writer)
        made, proof, in_use = _newest(session, writer)
        zone = ZoneInfo(training_triggers.load(session, writer).zone)
    with st.container(border=True, key="training", gap="small"):
        if going:
            _learning(going[0])
        elif made is not None and proof is not None and proof.status in UNFINISHED and not proof.verdict:
            _proving(made, proof)
        elif last is not None and last.status == RunStatus.failed and last.version_number is None:
            _failed(last)
        elif made is not None:
            _made(made, proof, in_use)
        _until_next(ahead, zone)


def _newest(session: Session, writer: str) -> tuple[Version | None, Proof | None, int | None]:
    """The newest version, its newest proof, and the number of the version in use."""
    mine, promoted = versions.all_of(session, writer), versions.promoted(session, writer)
    made = max(mine, key=lambda one: one.number, default=None)
    proof = None if made is None else proofs.latest_of(session, writer, made.number)
    return made, proof, None if promoted is None else promoted.number


def _until_next(ahead: triggers.NextUp, zone: tzinfo) -> None:
    waits = training_words.next_line(replace(ahead, under_way=""), None, zone)
    if not (ahead.on and ahead.by_pairs) or ahead.goal <= 0:
        st.caption(plain(waits))
        return
    pairs = min(ahead.pairs, ahead.goal)
    text = f"{pairs:,} of {ahead.goal:,} answers until the next training." if ahead.under_way else waits
    st.progress(pairs / ahead.goal, text=plain(text))


def _learning(row: FineTune) -> None:
    share, hint = words.progress(row, speed=False)
    st.markdown(f"**:material/school: Your model learns from your answers.** {plain(words.heading(row))}")
    st.progress(share, text=plain(hint))
    if trouble := no_sign_of_life(row.heartbeat_at or row.created_at, now()):
        error_state("The training is held up", trouble, key="training-silent")
    st.caption("You can go on answering, or close this page. Then ZEGA measures whether it writes better.")


def _proving(made: Version, proof: Proof) -> None:
    share, hint = proof_words.progress(proof)
    st.markdown(f"**:material/balance: Version {made.number} is trained.** Now ZEGA shows whether it writes better.")
    st.progress(share, text=plain(hint))
    st.caption("You can go on answering, or close this page.")


def _failed(row: FineTune) -> None:
    why = row.error or "It ended without a reason. logs/worker.log may have one."
    error_state("The last training made no version", why, "Your answers are safe.", key="training-failed")
    st.page_link("pages/fine_tune.py", label="Look at it in Fine-Tune", icon=":material/tune:")


def _made(made: Version, proof: Proof | None, in_use: int | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Version {made.number} of your model is finished.**")
        proof_view.badge(proof)
    if proof is not None and proof.verdict:
        found = read_figures(proof.figures)
        said = (*proof_words.why(proof)[:1], proof_words.use(proof, in_use, found), _what_next(proof, in_use))
        st.text(" ".join(filter(None, said)))
    elif proof is None or proof.status not in UNFINISHED:
        st.text("It has not been proved. In Fine-Tune you can have ZEGA measure whether it writes better.")
    with st.container(horizontal=True, gap="small"):
        st.page_link("pages/fine_tune.py", label="Read what it writes, and try it", icon=":material/tune:")


def _what_next(proof: Proof, in_use: int | None) -> str:
    if proof.verdict == "better" and in_use == proof.version_number:
        return "Try it in Fine-Tune, and go on answering: each training builds on this one."
    return "Go on answering: more of your own words help most, and the next training begins by itself."
