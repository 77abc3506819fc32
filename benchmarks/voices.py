"""Can it learn a voice? Five authors whom the base model never read, each as a writer with 60 pages of their own.

    python benchmarks/voices.py CORPUS [--voices poe austen] [--seeds 1 2 3] [--prompts 36] [--no-controls]
                                       [--results FOLDER] [--jobs 2] [--threads 1]

Each is prepared, trained with the defaults, and put to the proof as the app does it. Then each version is measured on
pages of its voice that nobody gave it, and what it wrote is held against the pages of every voice. (How well versions
foresee each other's voices is in strength.py: it tells something only where all have the same strength.) Controls are
versions that must not be called better: trained on pages dealt out anew among their prompts, on pages whose words were
shuffled, and the base model against itself with other random numbers. What is finished stays in FOLDER, so that an
interrupted run goes on when it is started again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from math import exp
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.voice.pages import VOICES
from benchmarks.voice.units import CONTROLS, Unit, begin, work
from zega_core.proof.figures import Change, Figures, read_figures
from zega_core.proof.statistics import change_of_share

Found = dict[str, Any]


def units(options: argparse.Namespace) -> list[Unit]:
    """The versions first, seed by seed, so that an early end leaves whole tables; controls with the first seed."""

    def unit(kind: str, voice: str, seed: int) -> Unit:
        return Unit(kind, voice, seed, options.corpus, options.results, options.prompts)

    found = [unit("base", "", 0)]
    found += [unit("version", voice, seed) for seed in options.seeds for voice in options.voices]
    if not options.no_controls:
        found += [unit(kind, voice, options.seeds[0]) for kind in CONTROLS for voice in options.voices]
    return found


def run(todo: Sequence[Unit], options: argparse.Namespace) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, context, initializer=begin, initargs=(options.threads,)) as pool:
        for number, one in enumerate(as_completed([pool.submit(work, unit) for unit in todo]), start=1):
            print(f"{number} of {len(todo)}: {one.result()}", file=sys.stderr, flush=True)


def nats(before: Found, after: Found, voice: str) -> Change:
    """A token, over the unseen pages of ``voice``."""
    sides = [side["unseen"][voice][key] for side in (before, after) for key in ("nats", "tokens")]
    return change_of_share(*sides, seed=0)


def interval(one: Change, places: int = 2) -> str:
    return f"{one.before:.{places}f} to {one.after:.{places}f} ({one.low:+.{places}f} to {one.high:+.{places}f})"


def figures_of(one: Found) -> Figures:
    found = read_figures(one["figures"])
    assert found is not None
    return found


def surprise(base: Found, versions: Sequence[Found]) -> None:
    print(
        "\nPerplexity of held-out pages (as the app measures), and of 24 unseen pages of the voice; then the change in"
    )
    print("nats a token on those with its interval. It must fall for every voice and seed.\n")
    print(
        "| voice | seed | best epoch | kept | held out | unseen | nats a token | |\n|---|---|---|---|---|---|---|---|"
    )
    for one in versions:
        result, voice = one["result"], one["voice"]
        moved = nats(base, one, voice)
        epoch = result["best_step"] / result["steps"] * result["epochs"]
        held = f"{result['perplexity_before']:,.0f} to {result['perplexity_after']:.1f}"
        seen = f"{exp(moved.before):,.0f} to {exp(moved.after):.1f}"
        fell = "fell" if moved.high < 0 and result["perplexity_after"] < result["perplexity_before"] else "DID NOT FALL"
        print(
            f"| {voice} | {one['seed']} | {epoch:.0f} | {result['strength']:.0%} | {held} | {seen} | "
            f"{interval(moved)} | {fell} |"
        )


def styles(versions: Sequence[Found]) -> None:
    """Versions in rows, voices in columns. For each voice its own version must have the smallest number: columns are
    compared, since voices differ in how near everything written lies to them."""
    rows = [voice for voice in VOICES if any(one["voice"] == voice for one in versions)]
    cells = {
        (row, column): statistics.mean(one["spread"][column] for one in versions if one["voice"] == row)
        for row in rows
        for column in VOICES
    }
    print("\nDistance of what each voice's versions wrote (rows) to the style of each voice (columns), mean over seeds")
    print(f"\n| | {' | '.join(VOICES)} |\n|---|{'---|' * len(VOICES)}")
    for row in rows:
        print(f"| {row} | {' | '.join(f'{cells[row, column]:.2f}' for column in VOICES)} |")
    best = sum(cells[voice, voice] == min(cells[row, voice] for row in rows) for voice in rows)
    print(f"\nSmallest of its column on the diagonal: {best} of {len(rows)}.")


def writing(title: str, found: Sequence[Found]) -> None:
    print(f"\n{title}\n")
    print(
        "| | voice | seed | distance to style | quality | pages' own | won, lost | unknown words in 1,000 | verdict |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for one in found:
        said = figures_of(one)
        style = interval(said.style.change) if said.style else "-"
        duel = f"{said.quality.wins}, {said.quality.losses}"
        print(
            f"| {one['kind']} | {one['voice']} | {one['seed']} | {style} | {interval(said.quality_mean)} | "
            f"{one['pages']:.2f} | {duel} | "
            f"{said.unknown.before:.1f} to {said.unknown.after:.1f} | {one['verdict']} |"
        )
    for one in found:
        print(f"\n{one['kind']} {one['voice']} {one['seed']}: {one['verdict']}. {' '.join(one['reasons'])}")


def report(finished: Sequence[Found], options: argparse.Namespace) -> None:
    base = next(one for one in finished if one["kind"] == "base")
    versions = [one for one in finished if one["kind"] == "version"]
    surprise(base, versions)
    styles(versions)
    writing("Versions against the base model on the same prompts with the same random numbers", versions)
    controls = [one for one in finished if one["kind"] in CONTROLS]
    if controls:
        writing("Controls, none of which may be called better", controls)
    better = sum(one["verdict"] == "better" for one in versions)
    wrong = sum(one["verdict"] == "better" for one in controls)
    print(f"\nBetter: {better} of {len(versions)} versions, {wrong} of {len(controls)} controls.")
    print(f"{sum(one['seconds'] for one in finished):,.0f} s of a processor for {options.prompts} prompts each.")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder of books as genre__author_title.txt")
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--prompts", type=int, default=36)
    parser.add_argument("--no-controls", action="store_true")
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "zega-voices")
    parser.add_argument("--jobs", type=int, default=2, help="versions at a time")
    parser.add_argument("--threads", type=int, default=1, help="of each of them")
    return parser.parse_args()


def main() -> None:
    options, began = parsed(), time.monotonic()
    options.results.mkdir(parents=True, exist_ok=True)
    every = units(options)
    run([unit for unit in every if not unit.done.exists()], options)
    report([json.loads(unit.done.read_text(encoding="utf-8")) for unit in every], options)
    print(f"This run took {(time.monotonic() - began) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()
