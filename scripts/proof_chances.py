"""How often a version that is no better is called better, and how much better it must be to be seen.

    python scripts/proof_chances.py [--proofs 400] [--counted 4000]

A version that is no better is a copy of the one before that draws other random numbers. Texts: for each of 36 prompts
two pieces of the storyteller with different seeds, the style of 60 others as the writer's; scored and weighed as a
proof is (``--proofs`` twice, a second each). Choices and judges: drawn from random numbers (``--counted``). The writer
looks at the verdict after every choice and stops when it says better, or asks three judges. The tables go to
``docs/proof.md``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from zega_core.catalog import Brief, load_catalog, request
from zega_core.fine_tune.plan import Row
from zega_core.proof.figures import Bleed, Change, Copies, Figures, Judged
from zega_core.proof.job import Held
from zega_core.proof.rule import CHOICES, verdict
from zega_core.proof.statistics import duel
from zega_core.proof.weigh import Pair, weigh
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.storyteller import Storyteller
from zega_core.quality.score import score

PROMPTS, TRAINED, SEEDS = 36, 60, 8
CATALOG = load_catalog()
Scored = tuple[str, float]


def asked(number: int) -> Brief:
    genre = CATALOG.genres[number % len(CATALOG.genres)]
    element = CATALOG.elements[number // len(CATALOG.genres) % len(CATALOG.elements)]
    prompts = CATALOG.prompts_of(genre.key)
    return Brief(prompts[number // len(CATALOG.genres) % len(prompts)].text, genre.key, element, None)


def written(brief: Brief, seed: int) -> Scored:
    options = GenerationOptions(600, seed=seed)
    text = Storyteller().complete([Message("user", request(brief, CATALOG))], options).text
    return text, score(text, brief.prompt, brief.genre, brief.element).score


def no_better(proofs: int, far: bool) -> Counter[str]:
    """Verdicts on copies that differ in their random numbers only. ``far``: the writer writes dialogues alone, so that
    both are far from that style; else as both do."""
    briefs = [asked(number) for number in range(PROMPTS)]
    pieces = [[written(brief, seed) for seed in range(SEEDS)] for brief in briefs]
    wanted = [asked(100 + number) for number in range(TRAINED + 6)]
    if far:
        wanted = [replace(brief, element=CATALOG.element("dialogue")) for brief in wanted]
    others = [written(brief, 900 + number)[0] for number, brief in enumerate(wanted)]
    rows = [Row(n, "x", text, 1.0, "train", True, "manuscript") for n, text in enumerate(others[6:])]
    held = [Held("x", text, True) for text in others[:6]]
    same = {"nats": [100.0] * len(held), "tokens": [40] * len(held)}
    said: Counter[str] = Counter()
    for number in range(proofs):
        draw = Random(number)
        pairs = []
        for brief, many in zip(briefs, pieces, strict=True):
            (before, low), (after, high) = draw.sample(many, 2)
            pairs.append(Pair(request(brief, CATALOG), before, after, low, high))
        figures = weigh(pairs, rows, held, {"before": same, "after": same}, seed=number)
        said[verdict(figures).kind] += 1
        said["by style"] += bool(figures.style and figures.style.change.high < 0)
        said["by quality"] += figures.quality.low > 0.5
    return said


def blank() -> Figures:
    none = Change(0.0, 0.0, 0.0, 0.0)
    return Figures(
        prompts=PROMPTS,
        held_out_prompts=0,
        quality=duel([0] * PROMPTS),
        **dict.fromkeys(("quality_mean", "length", "diversity", "follows", "unknown"), none),
        **dict.fromkeys(("echo_before", "echo_after", "unended_before", "unended_after"), 0.0),
        copies=Copies(0, 0, 0.0, 0.0, None, ""),
        bleed=Bleed(0.0, 0.0, []),
    )


def chosen(draw: Random, wins: float, ties: float, every: bool) -> bool:
    """Whether choices come out better; ``every`` looks after each of them."""
    outcomes: list[int] = []
    for _ in range(PROMPTS):
        outcomes.append(0 if draw.random() < ties else 1 if draw.random() < wins else -1)
        look = len(outcomes) == PROMPTS or (every and len(outcomes) >= CHOICES)
        if look and verdict(replace(blank(), blind=duel(outcomes))).kind == "better":
            return True
    return False


def judged(draw: Random, wins: float, judges: int) -> bool:
    """Whether judges that agree with themselves on 7 of 10 pairs come out better."""
    said = []
    for number in range(judges):
        agreed = [draw.random() < 0.7 for _ in range(PROMPTS)]
        outcomes = [(1 if draw.random() < wins else -1) if one else 0 for one in agreed]
        said.append(Judged(f"judge {number}", duel(outcomes), agreed.count(False), PROMPTS, 2 * PROMPTS, 0))
    return verdict(replace(blank(), judged=said)).kind == "better"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proofs", type=int, default=400)
    parser.add_argument("--counted", type=int, default=4000)
    given = parser.parse_args()
    many, draw = range(given.counted), Random(1)
    print("| no better, and said to be | share |\n|---|---|")
    print(f"| better by one judge | {sum(judged(draw, 0.5, 1) for _ in many) / given.counted:.1%} |")
    print(f"| better by one of three judges | {sum(judged(draw, 0.5, 3) for _ in many) / given.counted:.1%} |")
    for ties in (0.0, 0.25):
        for every, how in ((False, "36 blind choices"), (True, "blind choices, looking after each")):
            share = sum(chosen(draw, 0.5, ties, every) for _ in many) / given.counted
            print(f"| better by {how}, {ties:.0%} ties | {share:.1%} |")
    print("\n| the version is really chosen in | said to be better by 36 choices |\n|---|---|")
    for wins in (0.6, 0.65, 0.7, 0.75, 0.8):
        print(f"| {wins:.0%} | {sum(chosen(draw, wins, 0.0, False) for _ in many) / given.counted:.0%} |")
    if given.proofs:
        for far in (True, False):
            said = no_better(given.proofs, far)
            style = "another style" if far else "its own style"
            print(f"\n{given.proofs} proofs of copies, the writer has {style}: {dict(said)}", flush=True)


if __name__ == "__main__":
    main()
