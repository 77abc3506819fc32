"""What the strength of an adapter costs and gives: an author whom the base model never read, learned once, then scaled.

    python benchmarks/strength.py CORPUS --voice poe [--strengths 0.1 0.18 0.25 0.35 1] [--results FOLDER]

The version is that of benchmarks/voices.py with its first seed, and is made if it is not in FOLDER yet; so are the
base model's texts that it is compared with.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from math import exp
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from safetensors.torch import load_file

from benchmarks.voice import units
from benchmarks.voice.pages import VOICES
from zega_core.fine_tune import adapter, base, generation
from zega_core.fine_tune.plan import read_plan
from zega_core.proof import write
from zega_core.proof.rule import verdict

AT_ONCE = 12


def author(unit: units.Unit) -> generation.Author:
    model, tokenizer = base.load(base.BUILT_IN, dtype=torch.float32, device="cpu")
    model = adapter.attach(model, read_plan(unit.place / "run"), base.weights_hash(base.BUILT_IN)).eval()
    return generation.author_of(model, tokenizer, base.describe(base.BUILT_IN).context, torch.device("cpu"))


def table(unit: units.Unit, strengths: Sequence[float]) -> None:
    rows, kinds = units.prepared(unit)
    job = units.job_of(unit, rows, kinds)
    texts, losses = units.written(unit, job)
    whole = load_file(sorted((unit.place / "run" / "best").glob("step*.safetensors"))[-1])
    who = author(unit)
    print("| strength | perplexity | distance to style | quality | prompt's words | unknown | not ended | verdict |")
    print("|---|---|---|---|---|---|---|---|")
    for strength in strengths:
        adapter.set_weights(who.model, adapter.scaled(whole, strength))
        nats, tokens, _ = write.losses(who, job, 8)
        for at in range(0, len(job.asked), AT_ONCE):
            some = job.asked[at : at + AT_ONCE]
            for one, found in zip(some, generation.write(who, some, job), strict=True):
                texts[f"after:{one.place}"] = {"text": found.text, "ended": found.ended}
        said = units.weighed(unit, job, rows, texts, losses | {"after": {"nats": nats, "tokens": tokens}})
        style = said.style.change if said.style else None
        print(
            f"| {strength:.0%} | {exp(sum(nats) / sum(tokens)):,.0f} | "
            + (f"{style.before:.2f} to {style.after:.2f} ({style.low:+.2f} to {style.high:+.2f})" if style else "-")
            + f" | {said.quality_mean.before:.2f} to {said.quality_mean.after:.2f} | "
            f"{said.follows.before:.0%} to {said.follows.after:.0%} | "
            f"{said.unknown.before:.1f} to {said.unknown.after:.1f} | {said.unended_after:.0%} | "
            f"{verdict(said).kind} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder of books as genre__author_title.txt")
    parser.add_argument("--voice", choices=VOICES, default="poe")
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.1, 0.18, 0.25, 0.35, 1.0])
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "zega-voices")
    options = parser.parse_args()
    torch.set_num_threads(1)
    unit = units.Unit("version", options.voice, 1, options.corpus, options.results, 36)
    if not unit.done.exists():
        units.work(unit)
    table(unit, options.strengths)


if __name__ == "__main__":
    main()
