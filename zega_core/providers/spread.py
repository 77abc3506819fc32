"""Spreading briefs over alternatives, so that two pieces of one genre and element have few sentences in common.

A brief is a curve a + bx + cx² over a finite field; its points are its choices (a Reed-Solomon code). Two curves
meet in at most two points, and in at most one where they bend alike, as those of one prompt do.
"""

from __future__ import annotations

from typing import NamedTuple

from zega_core.catalog import PROMPTS_A_GENRE

MODIFIERS = 11
"""Ten style modifiers, or none."""
TURNS = 3
"""Different seeds of one brief take at most this many curves."""

_TIMES_IN_FOUR = ((0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2))  # the field of four elements


class Row(NamedTuple):
    number: int
    arc: int
    picks: list[int]


def spread(prompt: int, modifier: int, turn: int, arcs: int, levels: int, columns: int) -> Row:
    """A number that no other modifier or turn of this prompt has, an arc, and one of ``levels`` choices per column.

    Two rows with the same arc agree in at most one column if their prompt is the same, else in at most two.
    """
    sharing = -(-PROMPTS_A_GENRE // levels)  # prompts for which the curve bends alike
    rows = arcs * levels**2 // sharing
    number = (modifier + MODIFIERS * (turn % TURNS)) % rows
    if arcs == 1:  # numbers alike by threes are parallel: they share no choice, but may share a sentence of the prompt
        return Row(number, 0, _curve(number // 3 + number % 3 * levels, prompt % levels, levels, columns))
    code = prompt // levels * rows + number
    return Row(number, code % arcs, _curve(code // arcs, prompt % levels, levels, columns))


def spread_counted(prompt: int, modifier: int, turn: int, arcs: int, levels: int, columns: int) -> Row:
    """The same where it is known how often a brief was asked for before: all briefs of one turn bend alike.

    So two rows of one turn with the same arc agree in at most one column, those of two turns in at most two. Where
    there are more briefs than curves that bend alike, the last ones bend like the next turn.
    """
    more, place = divmod(prompt * MODIFIERS + modifier, arcs * levels**2)
    bend = (turn + more) % levels
    return Row(modifier + MODIFIERS * (turn % TURNS), place % arcs, _curve(place // arcs, bend, levels, columns))


def _curve(start: int, bend: int, levels: int, columns: int) -> list[int]:
    a, b = start % levels, start // levels
    if levels == 4:
        times = _TIMES_IN_FOUR
        return [a ^ times[b][x] ^ times[bend][times[x][x]] if x < 4 else b for x in range(columns)]
    return [(a + b * x + bend * x * x) % levels for x in range(columns)]
