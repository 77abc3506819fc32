"""From the stored rows of a proof to its figures and its verdict. About a second, and no torch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from zega_core.proof.figures import read_figures
from zega_core.proof.rule import Kind, verdict
from zega_core.proof.weigh import Pair, weigh, weigh_again
from zega_core.proof_tables import Proof, ProofText
from zega_core.proof_task import rows_of
from zega_core.settings import Settings
from zega_core.store import proofs


@dataclass(frozen=True, slots=True)
class Weighed:
    """``figures`` are ``proof.figures.Figures`` for JSON."""

    figures: dict[str, Any]
    verdict: Kind
    reasons: list[str]


def weighed(row: Proof, texts: Sequence[ProofText], settings: Settings) -> Weighed:
    """What was measured once stays: only choices and judgements are counted anew. So the verdict does not change
    because another version, whose data it was measured with, was deleted."""
    pairs, known = _pairs(texts), read_figures(row.figures)
    if known is not None and known.prompts == len(pairs):
        figures = weigh_again(known, pairs)
    else:
        rows = rows_of(row, settings)
        figures = weigh(pairs, rows.trained, rows.as_held(), row.losses, seed=seed_of(row))
    found = verdict(figures)
    return Weighed(figures.as_dict(), found.kind, found.reasons)


def seed_of(row: Proof) -> int:
    """Of the intervals: the same at every weighing."""
    return sum(row.run_id.encode())


def stamp(texts: Sequence[ProofText]) -> Hashable:
    """Another one when somebody has chosen or judged since."""
    return tuple((text.place, text.choice, str(text.judged)) for text in texts)


def _pairs(texts: Sequence[ProofText]) -> list[Pair]:
    return [
        Pair(
            text.prompt,
            text.before or "",
            text.after or "",
            text.score_before,
            text.score_after,
            text.before_ended,
            text.after_ended,
            text.source,
            text.choice,
            text.judged if isinstance(text.judged, dict) else {},
        )
        for text in texts
        if proofs.is_pair(text)
    ]
