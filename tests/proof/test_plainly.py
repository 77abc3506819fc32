"""A verdict in plain words: no figure in it, and the reason that decided."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support import proved
from zega_core.proof.figures import Change, Copies, Duel, Figures
from zega_core.proof.plainly import plainly
from zega_core.proof.rule import verdict

NEARER = proved.figures()
ALIKE = proved.figures(style=None)
WON, LOST = Duel(32, 4, 0, 0.89, 0.7, 0.97), Duel(4, 32, 0, 0.11, 0.03, 0.3)
RECITED = Copies(4, 80, 0.0, 0.4, 0.0, "word " * 80)
SHORT = {"length": Change(150.0, 20.0, -140.0, -120.0)}


def said(figures: Figures) -> str:
    return plainly(verdict(figures).kind, figures, "Version 3", "version 2")


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (NEARER, "Version 3 writes nearer to your style than version 2, and about as well."),
        (
            replace(NEARER, quality=WON),
            "Version 3 writes nearer to your style than version 2, and better by its quality score.",
        ),
        (
            replace(NEARER, quality=LOST),
            "Version 3 writes nearer to your style than version 2, though with a lower quality score.",
        ),
        (replace(ALIKE, quality=WON), "Version 3 writes better than version 2, by its quality score."),
        (
            replace(ALIKE, judged=[proved.judged(duel=WON)]),
            "Version 3 writes better than version 2: a judge prefers it in whichever order it reads the two.",
        ),
        (
            replace(NEARER, blind=WON),
            "Version 3 writes better than version 2: you preferred it, not knowing which was which.",
        ),
        (ALIKE, "It was not shown that version 3 writes better than version 2."),
        (replace(NEARER, prompts=12), "It was not shown that version 3 writes better than version 2."),
        (
            replace(NEARER, blind=LOST),
            "Version 3 writes worse than version 2: you preferred the other, not knowing which was which.",
        ),
        (replace(NEARER, **SHORT), "Version 3 writes worse than version 2: its texts have become very short."),
        (
            replace(NEARER, blind=WON, copies=RECITED, **SHORT),
            "Version 3 writes worse than version 2: it repeats what it was trained on.",
        ),
        (
            replace(NEARER, judged=[proved.judged(duel=LOST)]),
            "Version 3 writes worse than version 2: a judge prefers the other.",
        ),
    ],
)
def test_what_decided_is_said_without_figures(figures: Figures, sentence: str):
    assert said(figures) == sentence
    assert not re.search(r"\d", sentence.replace("ersion 3", "").replace("version 2", ""))


def test_a_style_that_is_not_the_writers_is_not_called_theirs():
    assert NEARER.style is not None
    of_teachers = replace(NEARER, style=replace(NEARER.style, own=False))
    assert "nearer to the style of the texts it learned from than version 2" in said(of_teachers)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("better", "Version 3 writes better than the base model."),
        ("worse", "Version 3 writes worse than the base model."),
        ("not_shown", "It was not shown that version 3 writes better than the base model."),
        ("splendid", ""),
        ("", ""),
    ],
)
def test_without_figures_the_verdict_is_said(kind: str, sentence: str):
    assert plainly(kind, None, "Version 3", "the base model") == sentence
