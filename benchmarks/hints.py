"""Do style hints and memory help? Five authors whom the base model never read, each as a writer with 60 pages.

    python benchmarks/hints.py CORPUS [--voices poe austen] [--prompts 36] [--ways hints memory both other]
                               [--versions FOLDER --seed 1] [--results FOLDER] [--threads 2]

A writer's pages are kept examples of own pages in a database; the style profile is measured of them, and all of them
are remembered. Then one model writes on the prompts of 24 other pages of the same book, and on shipped ones: with the
bare request as in training, and with what the app puts before it, with the same random numbers. Each way is held
against the bare request by the proof that a version has to pass (the same figures, intervals and rule), and foresees
the 24 pages with what would stand before their prompts. *Other* is a control: hints and memory of the next voice.
The model is the built-in base, or with ``--versions`` the writer's version that benchmarks/voices.py left in its
results. Texts stay in the results, so that an interrupted run goes on when it is started again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from math import exp
from pathlib import Path

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks.voice.helped import WAYS, Helped, Side, helped, prepare
from benchmarks.voice.pages import VOICES
from zega_core.local import process
from zega_core.proof.figures import Change, Figures
from zega_core.proof.rule import verdict
from zega_core.settings import Settings


def interval(one: Change) -> str:
    return f"{one.before:.2f} to {one.after:.2f} ({one.low:+.2f} to {one.high:+.2f})"


def row(voice: str, way: str, side: Side, said: Figures) -> str:
    style = interval(said.style.change) if said.style else "-"
    surprise = said.perplexity
    moved = "-" if surprise is None else f"{exp(surprise.change.after - surprise.change.before) - 1:+.0%}"
    return (
        f"| {voice} | {way} | {statistics.mean(side.hints):.1f}, {statistics.mean(side.recalled):.1f} | "
        f"{statistics.mean(side.tokens):.0f} | {style} | {interval(said.quality_mean)} | "
        f"{said.quality.wins}, {said.quality.losses} ({said.quality.low:.0%} to {said.quality.high:.0%}) | "
        f"{said.follows.before:.0%} to {said.follows.after:.0%} | {said.copies.share:.1%}, {said.copies.longest} | "
        f"{moved} | {verdict(said).kind.replace('_', ' ')} |"
    )


def report(found: Sequence[Helped], ways: Sequence[str]) -> None:
    print(
        "\n| voice | before the request | hints, recalled | tokens of prompt | distance to style | quality | won, lost "
        "(share) | prompt's words taken up | 8-word runs of the writer's pages, longest | perplexity of the pages | "
        f"verdict |\n|{'---|' * 11}"
    )
    for one in found:
        for way in ways:
            print(row(one.voice, way, one.sides[way], one.figures[way]))
    for one in found:
        for way in ways:
            print(f"\n{one.voice}, {way}: {' '.join(verdict(one.figures[way]).reasons)}")
    for way in ways:
        said = [verdict(one.figures[way]).kind for one in found]
        counts = ", ".join(f"{said.count(kind)} {kind.replace('_', ' ')}" for kind in ("better", "not_shown", "worse"))
        print(f"\n{way}: {counts} of {len(said)} voices.", end="")
    print()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder of books as genre__author_title.txt")
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--prompts", type=int, default=36)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--versions", type=Path, help="results of benchmarks/voices.py for the same seed")
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "zega-hints")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def adapter(options: argparse.Namespace, voice: str) -> str:
    if options.versions is None:
        return ""
    places = sorted(options.versions.glob(f"runs/version-{voice}-{options.seed}-*/run/version"))
    if not places:
        sys.exit(f"There is no version of {voice} with seed {options.seed} in {options.versions}.")
    return str(places[0])


def main() -> None:
    options, began = parsed(), time.monotonic()
    torch.set_num_threads(options.threads)
    settings = Settings(home=options.results / "home")
    settings.prepare_home()
    try:
        note = prepare(VOICES, options.corpus, settings)
    finally:
        process.end(settings)
    print(note or "Texts are compared by meaning (MiniLM).")
    found = [
        helped(voice, options.ways, options.corpus, settings, options.prompts, options.seed, adapter(options, voice))
        for voice in options.voices
    ]
    process.end(settings)
    report(found, options.ways)
    summary = {one.voice: {way: figures.as_dict() for way, figures in one.figures.items()} for one in found}
    (options.results / "figures.json").write_text(json.dumps(summary), encoding="utf-8")
    print(
        f"{options.prompts} prompts a voice, {time.monotonic() - began:.0f} s on {options.threads} threads, load "
        f"{os.getloadavg()[0]:.1f}."
    )


if __name__ == "__main__":
    main()
