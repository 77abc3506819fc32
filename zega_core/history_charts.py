"""Figures of the history: plain data in, a Plotly figure out, as in ``charts``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

import plotly.graph_objects as go

from zega_core.charts import INK, NEUTRAL, bars, drawing

NAME = 22
"""Letters of a teacher's name that a phone has room for beside its bar."""
POINTS = 400
"""Points beyond which neighbours are drawn as one: a phone shows no more, and a browser draws no more in time."""
ROOM = 1.9
"""Beside a bar stands what it means: on a phone that takes as much room as the bar."""


def thinned(
    moments: Sequence[datetime], qualities: Sequence[float], averages: Sequence[float]
) -> tuple[int, list[datetime], list[float], list[float]]:
    """At most ``POINTS`` of them, and how many became one: equally many neighbours, with the mean of their qualities at
    the last one's moment and average."""
    size = max(1, -(-len(moments) // POINTS))
    ends = [min(start + size, len(moments)) for start in range(0, len(moments), size)]
    means = [sum(qualities[end - (end - 1) % size - 1 : end]) / ((end - 1) % size + 1) for end in ends]
    return size, [moments[end - 1] for end in ends], means, [averages[end - 1] for end in ends]


def quality_over_time(
    moments: Sequence[datetime], qualities: Sequence[float], averages: Sequence[float], each: str
) -> go.Figure:
    """Average quality, 0 to 10, of each session or day as points, and the average of the last seven as a line that ends
    with its number. They differ in form as well as in colour. ``each`` stands before the day of a point."""
    figure = drawing(240)
    figure.add_scatter(
        x=list(moments),
        y=list(qualities),
        mode="markers",
        marker={"size": 7, "color": NEUTRAL, "opacity": 0.6},
        cliponaxis=False,
        hovertemplate=f"{each} %{{x|%d %B %Y}}: %{{y:.1f}}<extra></extra>",
    )
    figure.add_scatter(
        x=list(moments),
        y=list(averages),
        mode="lines",
        line={"color": INK, "width": 2.5},
        cliponaxis=False,
        hovertemplate="average of the last seven: %{y:.1f}<extra></extra>",
    )
    if moments:
        figure.add_annotation(
            x=moments[-1], y=averages[-1], text=f"<b>{averages[-1]:.1f}</b>", showarrow=False, xanchor="left", xshift=8
        )
    lowest = min((*qualities, 6.0))
    figure.update_yaxes(range=[max(0.0, float(int(lowest)) - 0.5), 10.2], dtick=2)
    figure.update_xaxes(type="date", showgrid=False, nticks=5)
    figure.update_layout(margin={"l": 8, "r": 40, "t": 8, "b": 8})
    return figure


@dataclass(frozen=True, slots=True)
class Bar:
    """One teacher: ``value`` is how long its bar is, ``said`` what stands beside it."""

    name: str
    value: float
    said: str


def by_teacher(rows: Sequence[Bar]) -> go.Figure:
    """A bar for each teacher, the first at the top and in ink. What a bar means stands beside it."""
    upwards = list(reversed(rows))
    figure = bars(
        [_label(place, row.name) for place, row in enumerate(upwards)],
        [row.value for row in upwards],
        [INK if place == len(upwards) - 1 else NEUTRAL for place in range(len(upwards))],
        [escape(row.said) for row in upwards],
        "%{y}: %{text}",
    )
    figure.update_xaxes(range=[0, (max((row.value for row in rows), default=0) or 1) * ROOM])
    return figure


def _label(place: int, name: str) -> str:
    """Cut to what there is room for. Plotly makes one bar of two labels that read the same: marks that are not seen
    tell them apart."""
    shown = name if len(name) <= NAME else f"{name[: NAME - 1].rstrip()}…"
    return escape(shown) + "\u200b" * place
