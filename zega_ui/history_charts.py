"""The history as charts, one at a time, each with the same in a table behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from zega_core import charts, db, history, history_charts, providers
from zega_core.analytics import FEW, euros, plural, share
from zega_core.catalog import load_catalog
from zega_core.history_charts import Bar
from zega_core.store.history import Filter
from zega_core.store.session_teachers import TeacherShare
from zega_ui.components import chart, genre_name, local_time, plain

POINTS = 5
"""Sessions below which a line would say more than is known."""
MOST = 12
"""Teachers that are drawn; the table has all."""
SHOWN = 200
"""Points that the table lists, the newest: an export has all."""
VOTED = "How often a teacher's piece was the best of those written for it, and the average quality of its pieces."
NOT_VOTED = (
    "How many pieces of a teacher are kept, and their average quality. Votes are counted where several teachers \
write the same piece."
)
NO_TEACHER = "No teacher has written anything in what is looked at here."


def show(writer: str, found: Filter) -> None:
    parts: dict[str, Callable[[str, Filter], None]] = {
        "Quality": _quality,
        "Teachers": _wins,
        "Cost": _shares,
        "Genres": _genres,
    }
    tabs = st.tabs(list(parts), key="chart", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                draw(writer, found)


def _behind(key: str, columns: Callable[[], Mapping[str, Sequence[str]]], alt: str) -> None:
    """The same in numbers, made when it is opened; the first column names the rows."""
    opened = st.expander("The same in numbers", key=f"numbers-{key}", on_change="rerun")
    if not opened.open:
        return
    frame = pd.DataFrame(columns())
    with opened:
        st.table(
            frame.set_index(frame.columns[0]),
            border="horizontal",
            height=400 if len(frame) > MOST else "content",
            alt=alt,
        )


def _quality(writer: str, found: Filter) -> None:
    with db.reading() as session:
        points = history.quality_over_time(session, writer, found)
    if len(points) < POINTS:
        there = plural(sum(one.sessions for one in points), "session")
        st.caption(f"The line appears from {POINTS} sessions with a score on. Here: {there}.")
        return
    each = "Session" if points[0].key else "Day"
    moments = [local_time(one.at) if one.key else one.at for one in points]
    qualities, averages = [one.quality for one in points], [one.average_of_seven for one in points]
    size, drawn, means, rolling = history_charts.thinned(moments, qualities, averages)
    dot = f"{size} {each.lower()}s" if size > 1 else f"a {each.lower()}"
    before = f"{each} of" if size == 1 else f"{size} {each.lower()}s up to"
    figure = history_charts.quality_over_time(drawn, means, rolling, before)
    low, high = min(qualities), max(qualities)
    chart(
        figure,
        key="history-quality",
        alt=f"Average quality of {plural(len(points), each.lower())}, from {low:.1f} to {high:.1f}; the average of the "
        f"last seven is {averages[-1]:.1f}",
    )
    st.caption(f"Each dot is {dot}; the line is the average of the last seven {each.lower()}s.")
    _behind(
        "quality",
        lambda: {
            each: [
                f"{moment.day} {moment:%b %Y, %H:%M}" if one.key else f"{moment.day} {moment:%b %Y}"
                for moment, one in zip(moments, points, strict=True)
            ][::-1][:SHOWN],
            "Quality": [f"{value:.1f}" for value in qualities][::-1][:SHOWN],
            "Average of seven": [f"{value:.1f}" for value in averages][::-1][:SHOWN],
        },
        "Average quality, newest first",
    )


def _wins(writer: str, found: Filter) -> None:
    with db.reading() as session:
        rows = history.teachers_of(session, writer, found)
    if not rows:
        st.caption(NO_TEACHER)
        return
    voted = any(one.votes for one in rows)
    rows = sorted(rows, key=lambda one: -(one.wins if voted else one.kept))
    bars = [_bar(one, voted) for one in rows]
    told = "; ".join(f"{bar.name} {bar.said}" for bar in bars[:MOST])
    chart(history_charts.by_teacher(bars[:MOST]), key="history-wins", alt=f"Teachers and their quality: {told}")
    st.caption(VOTED if voted else NOT_VOTED)
    _behind(
        "wins",
        lambda: {
            "Teacher": [plain(bar.name) for bar in bars],
            "Won": [f"{one.wins:,} of {one.votes:,}" if one.votes else "–" for one in rows],
            "Kept": [f"{one.kept:,}" for one in rows],
            "Average quality": [_score(one.quality) for one in rows],
        },
        "Wins and average quality by teacher",
    )


def _bar(one: TeacherShare, voted: bool) -> Bar:
    said = f"won {one.wins:,} of {one.votes:,}" if voted else f"{one.kept:,} kept"
    return Bar(providers.label_of(one.model), one.wins if voted else one.kept, f"{said} · {_score(one.quality)}")


def _shares(writer: str, found: Filter) -> None:
    with db.reading() as session:
        rows = [one for one in history.teachers_of(session, writer, found) if one.made]
    if not rows:
        st.caption(NO_TEACHER)
        return
    rows = sorted(rows, key=lambda one: -(one.share or 0.0))
    bars = [
        Bar(providers.label_of(one.model), 100 * (one.share or 0.0), f"{_share(one)} · {_each(one)}") for one in rows
    ]
    told = "; ".join(f"{bar.name} {bar.said}" for bar in bars[:MOST])
    chart(
        history_charts.by_teacher(bars[:MOST]), key="history-shares", alt=f"Kept of what was made, and its cost: {told}"
    )
    st.caption(
        f"What is kept of what a teacher made (below {FEW} pieces as numbers), and what a kept example cost, by list "
        "price or your own."
    )
    _behind(
        "shares",
        lambda: {
            "Teacher": [plain(bar.name) for bar in bars],
            "Kept": [f"{one.kept_of_made:,} of {one.made:,}" for one in rows],
            "Share": [_share(one) for one in rows],
            "Cost": [_cost(one) for one in rows],
            "A kept example": [_each(one) for one in rows],
        },
        "Share kept and cost by teacher",
    )


def _share(one: TeacherShare) -> str:
    return share(one.kept_of_made, one.made)


def _cost(one: TeacherShare) -> str:
    if one.unpriced:
        return "unknown" if not one.cost else f"{euros(one.cost)} and more"
    return euros(one.cost) if one.cost else "free"


def _each(one: TeacherShare) -> str:
    if not one.kept:
        return "none kept"
    if one.cost_per_kept is None:
        return "cost unknown"
    return f"{euros(one.cost_per_kept)} each" if one.cost_per_kept else "free"


def _genres(writer: str, found: Filter) -> None:
    with db.reading() as session:
        counts = history.genres_of(session, writer, found)
    if not counts:
        st.caption("Nothing is kept in what is looked at here.")
        return
    figure = charts.genre_distribution(counts, load_catalog().genres)
    told = ", ".join(f"{genre_name(key)} {number:,}" for key, number in counts.items())
    chart(figure, key="history-genres", alt=f"Kept examples by genre: {told}")
    _behind(
        "genres",
        lambda: {
            "Genre": [genre_name(key) for key in counts],
            "Kept": [f"{number:,}" for number in counts.values()],
            "Share": [share(number, sum(counts.values())) for number in counts.values()],
        },
        "Kept examples by genre",
    )


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
