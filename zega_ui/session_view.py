"""What one session has come to, drawn: used by Auto-Train for the last run and by History for any."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import charts
from zega_core.analytics import share
from zega_core.catalog import load_catalog
from zega_core.store.examples import Tally
from zega_ui.components import chart, genre_name


def figures(tally: Tally, keep: float) -> None:
    """Kept, success rate and average. ``keep`` is the score from which on the writer's pieces are kept."""
    grid = st.grid(3, min_column_width=96, gap="small")
    grid.metric("Kept", tally.kept, help=f"Pieces that scored {keep:.1f} or more and were not duplicates.")
    grid.metric(
        "Success rate", share(tally.kept, tally.done) if tally.done else "–", help="Kept, of all that were written."
    )
    average = "–" if tally.average is None else f"{tally.average:.1f}"
    grid.metric("Average", average, help="Of everything that was scored, kept or not.")


def kept_by_genre(tally: Tally) -> None:
    catalog = load_catalog()
    st.markdown("**Kept by genre**")
    if not tally.genres:
        st.caption("Nothing was kept. Each piece below says why.")
        return
    rows = sorted(tally.genres.items(), key=lambda item: -item[1])
    words = ", ".join(f"{genre_name(key)} {number}" for key, number in rows)
    figure = charts.genre_distribution(tally.genres, catalog.genres)
    chart(figure, key="genres", alt=f"Kept examples by genre: {words}")


def scores_of(scores: Sequence[float], keep: float) -> None:
    st.markdown("**Scores**")
    if not scores:
        st.caption("Nothing was scored.")
        return
    bins = charts.score_bins(scores)
    words = ", ".join(f"{start:.1f}: {number}" for start, number in bins.items() if number)
    figure = charts.score_distribution(scores, keep)
    chart(figure, key="scores", alt=f"Pieces by score, in half points: {words}")
    st.caption(f"From {min(scores):.1f} to {max(scores):.1f}. Those right of the dotted line may be kept.")
