"""Figures only: plain data in, a Plotly figure out. Colours hold on both page backgrounds, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from zega_core.catalog import Catalog, Genre

if TYPE_CHECKING:
    import plotly.graph_objects as go

Point = tuple[int, float]  # an optimizer step and the loss there

INK = "#5B7FA8"
RUBRIC = "#B5573F"
NEUTRAL = "#8A8F8C"
GRID = "rgba(128,128,128,0.35)"
_INK_SCALE = [[0.0, "rgba(128,128,128,0.10)"], [0.001, "rgba(91,127,168,0.16)"], [1.0, "rgba(91,127,168,0.62)"]]
"""See-through, so that the page's own letters can be read on it, on light and on dark."""
BIN = 0.5
POINTS = 300
"""Points of a line beyond which neighbours are drawn as their mean: a phone shows no more."""
# No font or grid colours: the page's own theme supplies them, so one figure serves light and dark.
_LAYOUT: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
    "hovermode": "closest",
    "bargap": 0.38,
    "showlegend": False,
    "dragmode": False,
    **{key: {"automargin": True, "zeroline": False, "ticks": "", "fixedrange": True} for key in ("xaxis", "yaxis")},
    "hoverlabel": {"align": "left"},
}


def drawing(height: int) -> go.Figure:
    """An empty figure as all are: ``height`` in pixels."""
    import plotly.graph_objects as go  # the command line and the worker, which draw nothing, start without it

    return go.Figure(layout={**_LAYOUT, "height": height})


def genre_distribution(counts: Mapping[str, int], genres: Sequence[Genre]) -> go.Figure:
    """Kept examples by genre, most first; a bar for each genre that has any."""
    known = {genre.key: genre for genre in genres}
    rows = sorted(((key, number) for key, number in counts.items() if number and key in known), key=lambda row: row[1])
    numbers, shown = [number for _, number in rows], [known[key] for key, _ in rows]
    labels, colors = [genre.label for genre in shown], [genre.color for genre in shown]
    return bars(labels, numbers, colors, list(map(str, numbers)), "%{y}: %{x} kept")


def percent_bars(rows: Sequence[tuple[str, float, str]]) -> go.Figure:
    """Label, percent and colour of each bar, the first at the top."""
    labels, values, colors = zip(*reversed(rows), strict=True) if rows else ((), (), ())
    return bars(labels, values, colors, [f"{value:.0f} %" for value in values], "%{y}: %{text}")


def bars(
    labels: Sequence[str], values: Sequence[float], colors: Sequence[str], texts: Sequence[str], hover: str
) -> go.Figure:
    """Lying bars, the last at the top."""
    figure = drawing(34 * max(len(labels), 1) + 16)
    figure.add_bar(
        orientation="h",
        x=list(values),
        y=list(labels),
        marker={"color": list(colors), "cornerradius": 3},
        text=list(texts),
        textposition="outside",
        cliponaxis=False,
        hovertemplate=f"{hover}<extra></extra>",
    )
    figure.update_xaxes(visible=False, range=[0, max(values, default=1) * 1.12])
    figure.update_yaxes(showgrid=False)
    return figure


def score_bins(scores: Sequence[float]) -> dict[float, int]:
    """How many scores lie in each half point: key 7.0 counts 7.0 to under 7.5; 10.0 joins the last bin."""
    bins = {step * BIN: 0 for step in range(int(10 / BIN))}
    for score in scores:
        bins[min(int(max(score, 0.0) / BIN) * BIN, 10 - BIN)] += 1
    return bins


def score_distribution(scores: Sequence[float], keep: float) -> go.Figure:
    """A histogram in half points; what is kept in ink, what is not in grey, the threshold as a line."""
    bins = score_bins(scores)
    lowest = min((start for start, number in bins.items() if number), default=5.0)
    shown = {start: number for start, number in bins.items() if start >= min(lowest, keep - 1)}
    figure = drawing(190)
    figure.add_bar(
        x=[start + BIN / 2 for start in shown],
        y=list(shown.values()),
        width=BIN * 0.86,
        marker={"color": [INK if start >= keep else NEUTRAL for start in shown], "cornerradius": 3},
        text=[str(number) if number else "" for number in shown.values()],
        textposition="outside",
        cliponaxis=False,
        customdata=[[start, start + BIN] for start in shown],
        hovertemplate="%{customdata[0]:.1f} to %{customdata[1]:.1f}: %{y} pieces<extra></extra>",
    )
    figure.add_vline(x=keep, line={"color": NEUTRAL, "width": 1.5, "dash": "dot"})
    figure.update_xaxes(range=[min(shown) - 0.1, 10.1], dtick=1, showgrid=False)
    figure.update_yaxes(visible=False, range=[0, max(max(shown.values()), 1) * 1.2])
    figure.update_layout(margin={"l": 8, "r": 8, "t": 16, "b": 8})
    return figure


def pairs_per_day(days: Sequence[tuple[date, int]]) -> go.Figure:
    """A bar for each day from the first to the last; days without any are gaps."""
    figure = drawing(190)
    figure.add_bar(
        x=[day for day, _ in days],
        y=[number for _, number in days],
        width=0.7 * 24 * 3600 * 1000,
        marker={"color": INK, "cornerradius": 3},
        text=[str(number) if number else "" for _, number in days],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x|%d %B}: %{y}<extra></extra>",
    )
    figure.update_xaxes(type="date", showgrid=False, tickformat="%d %b", nticks=6)
    figure.update_yaxes(visible=False, range=[0, max((number for _, number in days), default=1) * 1.2])
    return figure


def lowest(points: Sequence[Point]) -> Point | None:
    """The first point with the lowest loss."""
    return min(points, key=lambda point: point[1], default=None)


def loss_curve(training: Sequence[Point], validation: Sequence[Point], *, steps: int = 0) -> go.Figure:
    """Loss in nats a token by optimizer step: training as a line, validation as points of another form, the best of
    them marked. ``steps`` is how far the axis goes at least, so that a run under way fills it from the left."""
    figure = drawing(280)
    line = _thinned(training)
    figure.add_scatter(
        name="Texts it learns from",
        x=[step for step, _ in line],
        y=[loss for _, loss in line],
        mode="lines" if len(line) > 1 else "lines+markers",
        line={"color": INK, "width": 2},
        hovertemplate="step %{x}: %{y:.2f}<extra>learns from</extra>",
    )
    figure.add_scatter(
        name="Texts kept aside",
        x=[step for step, _ in validation],
        y=[loss for _, loss in validation],
        mode="lines+markers",
        line={"color": RUBRIC, "width": 1.5, "dash": "dot"},
        marker={"color": RUBRIC, "symbol": "diamond", "size": 9},
        cliponaxis=False,
        hovertemplate="step %{x}: %{y:.2f}<extra>kept aside</extra>",
    )
    best = lowest(validation)
    if best is not None:
        figure.add_scatter(
            name="Best so far",
            x=[best[0]],
            y=[best[1]],
            mode="markers",
            marker={"color": RUBRIC, "symbol": "circle-open", "size": 19, "line": {"width": 2}},
            cliponaxis=False,
            hovertemplate="best, step %{x}: %{y:.2f}<extra></extra>",
        )
    last = max((step for step, _ in (*training, *validation)), default=1)
    figure.update_xaxes(title="Step", showgrid=False, range=[0, max(steps, last, 1) * 1.03], tickformat="d", nticks=6)
    figure.update_yaxes(nticks=5)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most ``POINTS`` of them: each the mean of equally many neighbours, at the last one's step."""
    size = max(1, -(-len(points) // POINTS))
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [(part[-1][0], sum(loss for _, loss in part) / len(part)) for part in parts]


RINGS = 4.0
"""Standard deviations from published prose at which a radar's rim lies, and beyond which nothing is drawn."""
_SIDES = (
    ("writer", RUBRIC, "solid", "diamond"),
    ("before", NEUTRAL, "dot", "square"),
    ("after", INK, "dash", "circle"),
)


def style_radar(labels: Sequence[str], sides: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> go.Figure:
    """Style as a radar. ``sides`` holds ``before``, ``after`` and ``writer``: for each of ``labels`` the standard
    deviations from published prose, which is the ring 0; ``names`` is what they are called. They differ in line and
    mark as well as in colour."""
    figure = drawing(420)
    for key, *marks in _SIDES:
        _around(figure, names[key], labels, [min(RINGS, max(-RINGS, value)) for value in sides[key]], marks, "+.1f")
    rim = 1.08 * min(RINGS, max((1.0, *(abs(value) for values in sides.values() for value in values))))
    return _as_radar(figure, (-rim, rim), (-2, 0, 2))


def axes_radar(
    labels: Sequence[str], measured: Sequence[float], acting: Sequence[float], names: Mapping[str, str]
) -> go.Figure:
    """Sides of style from 0 to 100 as a radar; the ring of 50 is published fiction. ``names`` are those of ``usual``,
    ``measured`` and ``acting``, the last being drawn only where the writer set something else."""
    figure = drawing(380)
    _around(figure, names["usual"], labels, [50.0] * len(labels), (NEUTRAL, "dot", "square"), ".0f")
    _around(figure, names["measured"], labels, measured, (INK, "solid", "circle"), ".0f")
    if list(acting) != list(measured):
        _around(figure, names["acting"], labels, acting, (RUBRIC, "dash", "diamond"), ".0f")
    return _as_radar(figure, (0, 108), (0, 50, 100))


def _around(
    figure: go.Figure, name: str, labels: Sequence[str], values: Sequence[float], marks: Sequence[str], shown: str
) -> None:
    """One line around a radar; ``marks`` are its colour, dash and mark."""
    color, dash, symbol = marks
    figure.add_scatterpolar(
        name=escape(name),
        r=[*values, *values[:1]],
        theta=[_wrapped(label) for label in (*labels, *labels[:1])],
        mode="lines+markers",
        line={"color": color, "width": 2, "dash": dash},
        marker={"color": color, "symbol": symbol, "size": 7},
        hovertemplate=f"%{{theta}}: %{{r:{shown}}}<extra>{escape(name)}</extra>",
    )


def _as_radar(figure: go.Figure, span: tuple[float, float], ticks: Sequence[float]) -> go.Figure:
    grid = {"gridcolor": GRID, "linecolor": GRID}
    out = {**grid, "range": list(span), "tickvals": list(ticks), "angle": 90, "tickangle": 90}
    around = {**grid, "direction": "clockwise", "rotation": 90}
    figure.update_layout(
        polar={"bgcolor": "rgba(0,0,0,0)", "radialaxis": out, "angularaxis": around},
        margin={"l": 72, "r": 72, "t": 48, "b": 32},
        showlegend=True,
        legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.12, "yanchor": "top"},
    )
    return figure


def _wrapped(label: str) -> str:
    """On lines of about a word each: beside a radar there is little room. Plotly reads tags, which a label has not."""
    return "<br>".join(escape(label[:40]).split())


class Covered(Protocol):
    @property
    def cells(self) -> Mapping[tuple[str, str], int]: ...


UNKNOWN = "Not known"
"""The row and the column of what has no genre or element."""


def coverage_map(coverage: Covered, catalog: Catalog) -> go.Figure:
    """How many examples there are of each element in each genre: a field for each, the darker the more, with the number
    in it. What has no genre or element has a row and a column of its own, where there is any."""
    cells = {key: number for key, number in coverage.cells.items() if number}
    rows = [(genre.key, genre.label) for genre in catalog.genres]
    columns = [(element.key, element.label) for element in catalog.elements]
    for side, known in ((0, rows), (1, columns)):
        if {key[side] for key in cells} - {key for key, _ in known}:
            known.append(("", UNKNOWN))
    known_rows, known_columns = ({key for key, _ in known} for known in (rows, columns))
    counts: dict[tuple[str, str], int] = {}
    for (genre, element), number in cells.items():
        at = genre if genre in known_rows else "", element if element in known_columns else ""
        counts[at] = counts.get(at, 0) + number
    numbers = [[counts.get((row, column), 0) for column, _ in columns] for row, _ in rows]
    labels = [label for _, label in rows], [label for _, label in columns]
    figure = drawing(34 * len(rows) + 40)
    figure.add_heatmap(
        z=[[number**0.5 for number in row] for row in numbers],  # so that one large number leaves the others apart
        x=labels[1],
        y=labels[0],
        customdata=numbers,
        colorscale=_INK_SCALE,
        zmin=0,
        zmax=max(max(map(max, numbers)) ** 0.5, 2.0),
        showscale=False,
        xgap=3,
        ygap=3,
        hovertemplate="%{y}, %{x}: %{customdata}<extra></extra>",
    )
    figure.add_scatter(  # not the heatmap's own text: that has its colour from the field, not from the page
        x=[label for _ in rows for label in labels[1]],
        y=[label for label in labels[0] for _ in columns],
        mode="text",
        text=[str(number) for row in numbers for number in row],
        hoverinfo="skip",
    )
    figure.update_xaxes(side="top", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure
