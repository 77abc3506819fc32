"""What the strength of an adapter gives and costs: authors whom the base model never read, learned once, then scaled.

    python benchmarks/strength.py CORPUS [--voices poe austen] [--seeds 1 2 3] [--strengths 0.18 0.25 1]
                                         [--results FOLDER]

The adapters are those of benchmarks/voices.py before they were scaled, out of its FOLDER; versions that are not there
are made. First, how well each version foresees unseen pages of every voice, at each strength. Then, for the first seed,
what it writes on the prompts of its proof, against the base model.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from math import exp
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from safetensors.torch import load_file

from benchmarks.voice import units
from benchmarks.voice.pages import VOICES
from benchmarks.voice.units import PAGES, UNSEEN, Unit
from zega_core.fine_tune import adapter, base, generation
from zega_core.fine_tune.plan import read_plan
from zega_core.proof import write
from zega_core.proof.job import Held, Job
from zega_core.proof.rule import verdict

AT_ONCE = 12


class Scaled:
    """The model of one version, at any strength."""

    def __init__(self, unit: Unit) -> None:
        model, tokenizer = base.load(base.BUILT_IN, dtype=torch.float32, device="cpu")
        self.model = adapter.attach(model, read_plan(unit.place / "run"), base.weights_hash(base.BUILT_IN)).eval()
        self.whole = load_file(sorted((unit.place / "run" / "best").glob("step*.safetensors"))[-1])
        self.author = generation.author_of(
            self.model, tokenizer, base.describe(base.BUILT_IN).context, torch.device("cpu")
        )

    def at(self, strength: float) -> generation.Author:
        adapter.set_weights(self.model, adapter.scaled(self.whole, strength))
        return self.author


def foreseen(unit: Unit, who: generation.Author) -> dict[str, float]:
    """Nats a token on unseen pages of each voice."""
    found = dict[str, float]()
    for voice in VOICES:
        pages = units.book(unit.corpus, voice)[PAGES : PAGES + UNSEEN]
        held = [Held(page.prompt, page.text, True) for page in pages]
        nats, tokens, _ = write.losses(who, Job(str(base.BUILT_IN), "", "", [], held), 8)
        found[voice] = sum(nats) / sum(tokens)
    return found


def matrices(versions: Sequence[Unit], strengths: Sequence[float]) -> None:
    found: dict[tuple[float, str], list[dict[str, float]]] = {}
    for unit in versions:
        scaled = Scaled(unit)
        for strength in strengths:
            found.setdefault((strength, unit.voice), []).append(foreseen(unit, scaled.at(strength)))
    for strength in strengths:
        rows = [voice for voice in VOICES if (strength, voice) in found]
        cells = {
            (row, column): statistics.mean(one[column] for one in found[strength, row])
            for row in rows
            for column in VOICES
        }
        print(f"\nNats a token at {strength:.0%}: versions in rows, unseen pages in columns, mean over seeds\n")
        print(f"| | {' | '.join(VOICES)} |\n|---|{'---|' * len(VOICES)}")
        for row in rows:
            print(f"| {row} | {' | '.join(f'{cells[row, column]:.2f}' for column in VOICES)} |")
        best = sum(cells[voice, voice] == min(cells[row, voice] for row in rows) for voice in rows)
        print(f"\nSmallest of its column on the diagonal: {best} of {len(rows)}.", flush=True)


def texts(unit: Unit, strengths: Sequence[float]) -> None:
    rows, kinds = units.prepared(unit)
    job = units.job_of(unit, rows, kinds)
    told, losses = units.written(unit, job)
    scaled = Scaled(unit)
    for strength in strengths:
        who = scaled.at(strength)
        nats, tokens, _ = write.losses(who, job, 8)
        after = {**told, **written(who, job)}
        said = units.weighed(unit, job, rows, after, losses | {"after": {"nats": nats, "tokens": tokens}})
        style = said.style.change if said.style else None
        print(
            f"| {unit.voice} | {strength:.0%} | {exp(sum(nats) / sum(tokens)):,.0f} | "
            + (f"{style.before:.2f} to {style.after:.2f} ({style.low:+.2f} to {style.high:+.2f})" if style else "-")
            + f" | {said.quality_mean.before:.2f} to {said.quality_mean.after:.2f} | "
            f"{said.follows.before:.0%} to {said.follows.after:.0%} | "
            f"{said.unknown.before:.1f} to {said.unknown.after:.1f} | {said.unended_after:.0%} | "
            f"{verdict(said).kind} |",
            flush=True,
        )


def written(who: generation.Author, job: Job) -> Mapping[str, dict[str, Any]]:
    found = dict[str, dict[str, Any]]()
    for at in range(0, len(job.asked), AT_ONCE):
        some = job.asked[at : at + AT_ONCE]
        for one, text in zip(some, generation.write(who, some, job), strict=True):
            found[f"after:{one.place}"] = {"text": text.text, "ended": text.ended}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder of books as genre__author_title.txt")
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.18, 0.25, 1.0])
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "zega-voices")
    options = parser.parse_args()
    torch.set_num_threads(1)
    versions = [
        Unit("version", voice, seed, options.corpus, options.results, 36)
        for seed in options.seeds
        for voice in options.voices
    ]
    for unit in versions:
        if not unit.done.exists():
            units.work(unit)
    matrices(versions, options.strengths)
    print("\n| voice | strength | perplexity | distance to style | quality | prompt's words | unknown | not ended | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for unit in versions[: len(options.voices)]:
        texts(unit, options.strengths)


if __name__ == "__main__":
    main()
