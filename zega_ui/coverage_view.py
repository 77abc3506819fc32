"""Progress: what the writer has answered so far, what that covers, what it lacks, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from zega_core import charts, conversation_stats, conversation_words, db
from zega_core.analytics import plural, took
from zega_core.catalog import load_catalog
from zega_core.conversation_stats import Stats
from zega_core.questions.coverage import Coverage, lacks
from zega_core.settings import Settings
from zega_core.store import fine_tunes, proofs, versions
from zega_ui import proof_view
from zega_ui.components import chart, empty_state, plain, section

FEW_DAYS = 2
"""Days with answers below which there is nothing to draw."""


def show(writer: str, settings: Settings) -> None:
    with db.reading() as session:
        found = conversation_stats.stats(session, writer, st.context.timezone or "UTC")
    if not found.answered and not found.coverage.total:
        empty_state(
            "insights",
            "Nothing to count yet",
            "Answer a question under Conversation, or add pages of your own. Here you then see what you have, and "
            "what is missing.",
        )
        return
    _numbers(found)
    _left_out(found.left_out)
    _per_day(found)
    _coverage(found.coverage)
    _version(writer)
    with st.container(horizontal=True, gap="small"):
        st.page_link(
            "pages/examples.py",
            label="Read and change your answers",
            icon=":material/library_books:",
            query_params={"source": "conversation"},
        )


def _numbers(found: Stats) -> None:
    section("So far")
    with st.grid(4, min_column_width=150, gap="small"):
        st.metric("Answers kept", f"{found.pairs:,}", help="Your model learns from these.")
        st.metric("Words", f"{found.words:,}")
        st.metric("Average score", "–" if found.average is None else f"{found.average:.1f}", help="Of 10")
        st.metric("Time spent writing", took(found.seconds) if found.seconds else "–")
    st.text(
        f"{plural(found.asked, 'question')} in {plural(found.conversations, 'conversation')}: {found.answered:,} "
        f"answered, {found.skipped:,} skipped. Your model has learned from {found.used:,} of your answers so far."
    )


def _left_out(reasons: Mapping[str, int]) -> None:
    if not reasons:
        return
    section("Left out", "Answers that are saved, but that your model does not learn from. You can insist in the chat.")
    for reason, number in sorted(reasons.items(), key=lambda item: -item[1]):
        st.text(f"{plural(number, 'answer')}: {conversation_words.left_out(reason)}")


def _per_day(found: Stats) -> None:
    section("Day by day")
    if len(found.per_day) < FEW_DAYS:
        st.caption("With answers on two days or more, this shows how many you gave on each.")
        return
    told = ", ".join(f"{day.day} {day:%B} {number}" for day, number in found.per_day[-14:])
    chart(charts.pairs_per_day(found.per_day), key="per-day", alt=f"Answers kept by day: {told}.")


def _coverage(found: Coverage) -> None:
    section("What you have, and what is missing", "All that is kept of yours and your teachers', by genre and kind.")
    missing = lacks(found)
    if missing:
        st.text(f"{missing[0].words_for_it} The next questions steer towards that.")
    catalog = load_catalog()
    chart(charts.coverage_map(found, catalog), key="coverage", alt=_in_words(found))


def _in_words(found: Coverage) -> str:
    cells = sorted(found.cells.items(), key=lambda item: -item[1])
    told = ", ".join(
        f"{genre or 'no genre'} {element or 'no kind'} {number}" for (genre, element), number in cells[:32]
    )
    return plain(f"Kept examples by genre and kind: {told or 'none'}.")


def _version(writer: str) -> None:
    section("Your model")
    with db.reading() as session:
        made = max(versions.all_of(session, writer), key=lambda one: one.number, default=None)
        proof = None if made is None else proofs.latest_of(session, writer, made.number)
        learning = bool(fine_tunes.under_way(session, writer))
    if made is None and learning:
        st.text("Your first version is being trained now. Conversation and Fine-Tune show how far it is.")
    elif made is None:
        st.text("There is no version yet. The first one begins by itself when there are enough answers.")
    else:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**Version {made.number}**")
            proof_view.badge(proof)
    st.page_link("pages/fine_tune.py", label="Fine-Tune", icon=":material/tune:")
