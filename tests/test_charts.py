"""Figures hold exactly what they were given."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from hypothesis import given
from hypothesis import strategies as st

from tests.support.teachers import catalog
from zega_core import charts

GENRES = catalog().genres


def traces(figure: go.Figure) -> list[dict[str, Any]]:
    return figure.to_dict()["data"]


def test_genres_are_drawn_most_first_with_their_colour_and_number():
    figure = charts.genre_distribution({"fantasy": 2, "horror": 5, "sci_fi": 0}, GENRES)
    (bars,) = traces(figure)
    assert list(bars["y"]) == ["Fantasy", "Horror"]  # drawn from the bottom up
    assert list(bars["text"]) == ["2", "5"]


@given(st.lists(st.floats(0, 10)))
def test_every_score_is_in_one_bin(scores: list[float]):
    assert sum(charts.score_bins(scores).values()) == len(scores)


def test_what_is_kept_is_drawn_apart_from_what_is_not():
    figure = charts.score_distribution([6.9, 7.0, 10.0], keep=7.0)
    (bars,) = traces(figure)
    starts = [low for low, _ in bars["customdata"]]
    colour = dict(zip(starts, bars["marker"]["color"], strict=True))
    number = dict(zip(starts, bars["y"], strict=True))
    assert (number[6.5], number[7.0], number[9.5]) == (1, 1, 1)
    assert colour[6.5] == charts.NEUTRAL
    assert colour[7.0] == colour[9.5] == charts.INK


def test_no_scores_is_no_error():
    assert traces(charts.score_distribution([], keep=7.0))
    assert traces(charts.genre_distribution({}, GENRES))


def test_the_loss_of_what_it_learns_from_and_of_what_is_kept_aside_differ_in_more_than_colour():
    figure = charts.loss_curve([(1, 3.0), (2, 2.5)], [(0, 3.2), (1, 2.9), (2, 2.6)], steps=10)
    training, validation, best = traces(figure)
    assert (list(training["x"]), list(training["y"])) == ([1, 2], [3.0, 2.5])
    assert training["mode"] == "lines"
    assert (validation["marker"]["symbol"], validation["line"]["dash"]) == ("diamond", "dot")
    assert (list(best["x"]), list(best["y"])) == ([2], [2.6])
    assert figure.to_dict()["layout"]["xaxis"]["range"][1] > 10


def test_the_best_is_the_first_of_the_lowest():
    assert charts.lowest([(0, 3.0), (4, 2.0), (8, 2.0), (12, 2.5)]) == (4, 2.0)
    assert charts.lowest([]) is None


def test_a_run_that_has_not_begun_is_no_error():
    assert len(traces(charts.loss_curve([], []))) == 2


@given(st.lists(st.floats(0, 20), max_size=1000))
def test_a_long_line_is_thinned_and_keeps_its_end_and_its_bounds(losses: list[float]):
    points = list(enumerate(losses, 1))
    (line, *_) = traces(charts.loss_curve(points, []))
    assert len(line["x"]) <= charts.POINTS
    assert list(line["x"])[-1:] == [step for step, _ in points[-1:]]
    assert not losses or min(losses) - 1e-9 <= min(line["y"]) <= max(line["y"]) <= max(losses) + 1e-9
    if len(losses) <= charts.POINTS:
        assert list(line["y"]) == losses


class Covered:
    def __init__(self, **cells: int) -> None:
        self.cells = {(key.partition("__")[0], key.partition("__")[2]): number for key, number in cells.items()}


def numbers_of(figure: go.Figure) -> dict[tuple[str, str], str]:
    """What is written in the fields, by row and column."""
    _, text = traces(figure)
    return {(row, column): said for row, column, said in zip(text["y"], text["x"], text["text"], strict=True)}


def test_every_field_of_the_coverage_map_has_its_number():
    known = catalog()
    figure = charts.coverage_map(Covered(fantasy__scene=12, horror__dialogue=1), known)
    numbers = numbers_of(figure)
    assert len(numbers) == len(known.genres) * len(known.elements)
    assert numbers.pop(("Fantasy", "Scene")) == "12"
    assert numbers.pop(("Horror", "Dialogue")) == "1"
    assert set(numbers.values()) == {"0"}


def test_what_has_no_genre_or_element_is_on_the_coverage_map_too():
    numbers = numbers_of(charts.coverage_map(Covered(__scene=3, fantasy__=2, western__opera=4), catalog()))
    assert numbers[charts.UNKNOWN, "Scene"] == "3"
    assert numbers["Fantasy", charts.UNKNOWN] == "2"
    assert numbers[charts.UNKNOWN, charts.UNKNOWN] == "4"


def test_more_is_darker_on_the_coverage_map_and_an_empty_one_is_no_error():
    field, _ = traces(charts.coverage_map(Covered(fantasy__scene=100, horror__scene=1), catalog()))
    shades = {label: row[0] for label, row in zip(field["y"], field["z"], strict=True)}
    assert shades["Fantasy"] > shades["Horror"] > shades["Mystery"] == 0
    assert set(numbers_of(charts.coverage_map(Covered(), catalog())).values()) == {"0"}


def test_percents_are_drawn_from_the_top_and_say_what_they_are():
    figure = charts.percent_bars([("Horror", 62.4, "#AA4429"), ("Mystery", 37.6, "#6A6483")])
    [bars] = traces(figure)
    assert list(bars["y"]) == ["Mystery", "Horror"]  # the last is drawn at the top
    assert list(bars["text"]) == ["38 %", "62 %"]
    assert list(bars["marker"]["color"]) == ["#6A6483", "#AA4429"]
    assert not traces(charts.percent_bars([]))[0].get("y")


def test_five_sides_are_drawn_with_the_middle_and_what_was_set_where_that_differs():
    names = {"usual": "Published", "measured": "Measured", "acting": "Set"}
    labels = ["One", "Two", "Three", "Four", "Five"]
    measured = [10.0, 50.0, 90.0, 0.0, 100.0]
    same = traces(charts.axes_radar(labels, measured, measured, names))
    assert [one["name"] for one in same] == ["Published", "Measured"]
    assert set(same[0]["r"]) == {50.0}
    changed = traces(charts.axes_radar(labels, measured, [70.0, *measured[1:]], names))
    assert [one["name"] for one in changed] == ["Published", "Measured", "Set"]
    assert list(changed[2]["r"]) == [70.0, *measured[1:], 70.0]  # closed
    assert len({one["line"].get("dash", "solid") for one in changed}) == 3  # told apart without their colours
