"""Figures of the history hold exactly what they were given, and nothing that a name could do to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.test_charts import traces
from zega_core import history_charts
from zega_core.charts import INK, NEUTRAL
from zega_core.history_charts import NAME, Bar

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_sessions_are_points_and_the_average_is_a_line_that_ends_with_its_number():
    days = [START + timedelta(days=day) for day in range(3)]
    figure = history_charts.quality_over_time(days, [7.0, 9.0, 5.2], [7.0, 8.0, 7.07], "Session of")
    points, line = traces(figure)
    assert (points["mode"], line["mode"]) == ("markers", "lines")
    assert list(points["y"]) == [7.0, 9.0, 5.2]
    assert list(line["y"]) == [7.0, 8.0, 7.07]
    assert points["marker"]["color"] != line["line"]["color"]
    (said,) = figure.to_dict()["layout"]["annotations"]
    assert said["text"] == "<b>7.1</b>"
    low, high = figure.to_dict()["layout"]["yaxis"]["range"]
    assert low < 5.2
    assert high > 10


def test_more_points_than_can_be_seen_are_drawn_as_their_means():
    number = 2 * history_charts.POINTS + 1
    days = [START + timedelta(days=day) for day in range(number)]
    values = [float(day % 3) for day in range(number)]
    size, moments, means, averages = history_charts.thinned(days, values, values)
    assert size == 3
    assert len(moments) == len(means) == len(averages) <= history_charts.POINTS
    assert set(means) == {1.0}
    assert moments[-1] == days[-1]
    assert history_charts.thinned(days[:5], values[:5], values[:5]) == (1, days[:5], values[:5], values[:5])
    size, moments, means, _ = history_charts.thinned(days[:-1], values[:-1], values[:-1])
    assert (size, len(moments), means[-1]) == (2, history_charts.POINTS, sum(values[-3:-1]) / 2)


def test_a_figure_without_points_is_empty():
    figure = history_charts.quality_over_time([], [], [], "Session")
    assert not figure.to_dict()["layout"].get("annotations")


def test_the_first_teacher_is_at_the_top_and_in_ink():
    (bars,) = traces(history_charts.by_teacher([Bar("Groq", 12, "12 of 15"), Bar("Gemini", 3, "3 of 15")]))
    assert [label.strip("\u200b") for label in bars["y"]] == ["Gemini", "Groq"]
    assert list(bars["marker"]["color"]) == [NEUTRAL, INK]
    assert list(bars["text"]) == ["3 of 15", "12 of 15"]


def test_long_names_are_cut_and_two_that_read_the_same_stay_two():
    name = "a model with a name that nobody would say"
    figure = history_charts.by_teacher([Bar(f"{name} 1", 2, ""), Bar(f"{name} 2", 1, "")])
    (bars,) = traces(figure)
    assert len(set(bars["y"])) == 2
    assert all(len(label.strip("\u200b")) <= NAME for label in bars["y"])


def test_a_name_is_no_markup():
    (bars,) = traces(history_charts.by_teacher([Bar("<b>x</b>", 0, "<i>")]))
    assert bars["y"][0].startswith("&lt;b&gt;")
    assert bars["text"][0] == "&lt;i&gt;"
