"""Who wrote a session, drawn: calls, answers that were no piece, tokens, cost, votes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from zega_core import db, providers
from zega_core.analytics import euros, plural, share
from zega_core.store import candidates, ledger
from zega_core.store.ledger import TeacherTotals
from zega_core.tables import CallOutcome, TrainingSession
from zega_ui.components import section

OUTCOMES = {
    CallOutcome.empty: "empty",
    CallOutcome.refusal: "declined to write",
    CallOutcome.cut_off: "cut off at the length limit",
    CallOutcome.safety: "held back by a safety filter",
    CallOutcome.language: "in another language",
    CallOutcome.too_long: "far too long",
    CallOutcome.garbled: "unreadable",
    CallOutcome.rate_limited: "over a limit",
    CallOutcome.busy: "busy",
    CallOutcome.unavailable: "without an answer",
    CallOutcome.refused: "refused",
    CallOutcome.cancelled: "given up when the run was stopped",
}
ROLES = {"teacher": "Teacher", "judge": "Judge"}


def teachers_of(row: TrainingSession) -> None:
    """Nothing where no call was noted, as in sessions of earlier versions."""
    with db.reading() as session:
        totals = ledger.by_teacher(session, row.id or 0)
        votes = candidates.wins(session, row.user_id, row.id)
    if not totals:
        return
    section("Teachers")
    st.dataframe(
        _frame(totals),
        key="teachers",
        hide_index=True,
        height="content",
        alt="Who wrote this session: calls, kept pieces, tokens and cost of each teacher",
        column_config={
            "Teacher": st.column_config.TextColumn(width=230),
            "Answered in": st.column_config.TextColumn(help="The median over all answers"),
            "Cost": st.column_config.TextColumn(help="By list price, or by the price that you entered in Settings"),
        },
    )
    for line in (_costs(row, totals), _no_pieces(totals)):
        if line:
            st.caption(line)
    if votes:
        st.markdown(f"**Votes**, {plural(row.min_votes, 'teacher')} for each piece")
        wins(votes)


def wins(votes: list[candidates.Wins]) -> None:
    """Who won how many votes, most first."""
    st.text("\n".join(_vote_line(one) for one in votes))


def _frame(totals: list[TeacherTotals]) -> pd.DataFrame:
    kept = sum(one.kept for one in totals)
    return pd.DataFrame(
        {
            "Teacher": [providers.label_of(one.name) for one in totals],
            "Role": [ROLES.get(one.role, one.role) for one in totals],
            "Calls": [one.calls for one in totals],
            "Answers": [one.answered for one in totals],
            "Kept": [one.kept for one in totals],
            "Share": [share(one.kept, kept) if kept and one.role == "teacher" else "" for one in totals],
            "Tokens": [f"{one.prompt_tokens + one.completion_tokens:,}" for one in totals],
            "Cost": [_cost(one) for one in totals],
            "Kept per €": ["" if one.kept_per_euro is None else f"{one.kept_per_euro:,.0f}" for one in totals],
            "Answered in": ["" if one.median_ms is None else f"{one.median_ms / 1000:.1f} s" for one in totals],
        }
    )


def _cost(one: TeacherTotals) -> str:
    if one.unpriced:
        return "unknown" if not one.cost else f"{euros(one.cost)} and more"
    return euros(one.cost) if one.cost else "free"


def _costs(row: TrainingSession, totals: list[TeacherTotals]) -> str:
    cost, unpriced = sum(one.cost for one in totals), sum(one.unpriced for one in totals)
    kept = sum(one.kept for one in totals)
    words = [f"{euros(cost)} in all, by list price or your own" if cost else ""]
    if cost and not unpriced:
        words.append(f"{kept / cost:,.0f} kept for a euro")
    if row.budget is not None:
        words.append(f"budget {euros(row.budget)}")
    if unpriced:
        words.append(f"{plural(unpriced, 'call')} of unknown price")
    return " · ".join(word for word in words if word)


def _no_pieces(totals: list[TeacherTotals]) -> str:
    counts: dict[str, int] = {}
    for one in totals:
        for outcome, number in one.outcomes.items():
            if outcome != CallOutcome.ok:
                counts[outcome] = counts.get(outcome, 0) + number
    if not counts:
        return ""
    words = (f"{number} {_outcome(outcome)}" for outcome, number in sorted(counts.items(), key=lambda one: -one[1]))
    return f"{plural(sum(counts.values()), 'call')} brought no piece: {', '.join(words)}."


def _outcome(outcome: str) -> str:
    return OUTCOMES[CallOutcome(outcome)] if outcome in set(CallOutcome) else outcome


def _vote_line(one: candidates.Wins) -> str:
    return f"{providers.label_of(one.model)}: won {one.wins} of {one.votes}, average quality {one.average_quality:.1f}"
