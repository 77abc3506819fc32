"""How good is this piece? One number from 0 to 10, and the reasons a writer can act on.

The judges fitted to people's ratings (``learned``) say how good it is; the rules (``criteria``) say what can be seen in
it, and take away where it leaves its prompt or its form; the gates hold back what is no piece. Length counts only as a
band around what was asked: inside it, longer is not better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from zega_core.catalog import Element
from zega_core.quality import criteria, gates
from zega_core.quality.asked import wanted
from zega_core.quality.criteria import Criterion
from zega_core.quality.features import read
from zega_core.quality.learned import READ_CHARS, Model, Verdict, load_model, measured, verdict
from zega_core.quality.reasons import heard

QUALITY_VERSION = 2

_RULES, _RULES_OF_FORM = 0.1, {"dialogue": 0.7, "setting": 0.6, "character": 0.6}
"""The rules' part of the score beside the judges', and where a form was asked for that no rated set has."""
_HEARD_PROMPT = "hanna"
"""The judge whose people rated with the prompt in view: leaving it is a part of what that judge says."""
_AGAIN = 0.35
"""The least part of a flaw that is taken away, where judges alone speak."""
_BEYOND = 1.5
"""How far judges may go beyond the rules before less is believed: a text unlike all that they know may please one."""
_GOOD, _LEVEL = 7.6, 7.5
"""The mean of the rules' criteria for ordinary published fiction, and the score that it stands for."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The score, 0..10 to one decimal. ``gate`` says why it is held back, if it is."""

    score: float
    criteria: tuple[Criterion, ...]
    gate: str | None
    version: int = QUALITY_VERSION

    def as_dict(self) -> dict[str, Any]:
        """For storing as JSON; holds no character that UTF-8 cannot carry."""
        return asdict(self)


def score(text: str | None, prompt: str | None, genre: str, element: Element | str | None) -> QualityReport:
    """Judge ``text`` as an answer to ``prompt``; anything is accepted, nothing is raised.

    Without an ``element`` (or the key of one) no length and no form is asked for. ``genre`` is part of the question and
    free for a judge to use; what is measured holds for every genre.
    """
    return judged(_as_text(text), _as_text(prompt), element, load_model())


def judged(text: str, prompt: str, element: Element | str | None, model: Model) -> QualityReport:
    """The report by a given model: what ``score`` does with the shipped one."""
    raw = text[:READ_CHARS]
    piece, asked_piece = read(text), read(prompt[:READ_CHARS])
    asked = criteria.asked_for(asked_piece, wanted(element))
    sides = criteria.by_rule(piece, asked)
    text_measured = measured(piece if len(text) <= READ_CHARS else read(raw), raw, asked_piece)
    said = verdict(text_measured, model)
    gate, off = gates.check(piece, asked), criteria.off_topic(piece, asked, said.shares.get(_HEARD_PROMPT, 0.0))
    if off and (gate is None or gate.cap > off.cap):
        gate = off
    value = _held_back(_value(sides, said, asked.element.key), gate, said.rules)
    return QualityReport(
        score=round(min(10.0, max(0.0, value)), 1),
        criteria=_leaning(sides, said, heard(said, model) if piece.words else {}),
        gate=gate.reason if gate else None,
    )


def _as_text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value if isinstance(value, str) else ""


def _value(sides: tuple[Criterion, ...], said: Verdict, form: str) -> float:
    by_name = {side.name: side.score for side in sides}
    every = form == "dialogue"  # talk uses few words often
    counted = tuple(by_name) if every else ("coherence", "craft", "variety", "imagery")
    rules = sum(by_name[name] for name in counted) / len(counted)
    ruled = _LEVEL + 1.5 * (rules - _GOOD)
    part = _RULES_OF_FORM.get(form, _RULES)
    heard = said.value + said.rules * ruled
    if (beyond := heard - ruled - _BEYOND) > 0:
        heard -= 0.6 * beyond
    value = (1 - part) * heard + part * ruled
    missed, unheard = by_name["relevance"], 1 - said.shares.get(_HEARD_PROMPT, 0.0)
    value -= 0.1 * max(0.0, 5.8 - missed) + 0.3 * unheard * max(0.0, 5.0 - missed)
    return value - 0.25 * max(0.0, 6.5 - by_name["fit"]) - 0.6 * max(0.0, 4.5 - by_name["fit"])


def _held_back(value: float, gate: gates.Gate | None, rules: float) -> float:
    """What is no piece is pressed under the cap, in its order; what has a flaw loses a little, and stays below the cap.

    Judges were fitted to texts with such flaws and have heard them: the more they judge, the less is taken again.
    """
    if gate is None:
        return value
    if gate.less:
        return min(value - gate.less * (_AGAIN + (1 - _AGAIN) * rules), gate.cap)
    return gate.cap * (0.8 + 0.02 * min(10.0, max(0.0, value)))


def _leaning(
    sides: tuple[Criterion, ...], said: Verdict, reasons: Mapping[str, Sequence[str]]
) -> tuple[Criterion, ...]:
    """What the judges heard goes into the sides that rules hear badly, with its reasons."""
    opinion = sum(said.shares[name] * one for name, one in said.opinions.items())
    leans = {"coherence": 0.6 * opinion, "craft": 0.9 * opinion, "relevance": 0.3 * said.relevance}
    return tuple(
        replace(
            side,
            score=round(min(10.0, max(0.0, side.score + leans.get(side.name, 0.0))), 1),
            reasons=_together(side.reasons, reasons.get(side.name, ())),
        )
        for side in sides
    )


def _together(seen: Sequence[str], heard_too: Sequence[str]) -> tuple[str, ...]:
    return (*(one for one in seen if not heard_too or one != criteria.NOTHING_AGAINST), *heard_too)
