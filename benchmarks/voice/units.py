"""One version of one voice, or a control, from pages to a verdict: the work of ``benchmarks/voices.py``."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.voice.pages import VOICES, Page, pages
from zega_core.catalog import load_catalog
from zega_core.configs import FineTuneConfig
from zega_core.fine_tune import base, defaults
from zega_core.fine_tune.data import Piece, bare, prepare
from zega_core.fine_tune.plan import Row, read_result, write_run
from zega_core.fine_tune.train import train
from zega_core.proof import write
from zega_core.proof.figures import Figures
from zega_core.proof.job import SIDES, Asked, Held, Job, write_job
from zega_core.proof.prompts import Kind, choose, seed
from zega_core.proof.rule import verdict
from zega_core.proof.weigh import Pair, weigh
from zega_core.quality import score
from zega_core.settings import Settings
from zega_core.style.fingerprint import distance, fingerprint, measure, pool

PAGES, UNSEEN = 60, 24
"""Pages that the writer brings along, and others that measure what was learned of the voice."""
PROVED_ON = 36
"""Prompts of a proof, from which those of a unit are taken."""
OTHER_NUMBERS = 1_000_003
RESULT = ("best_step", "steps", "epochs", "tokens_per_second", "perplexity_before", "perplexity_after", "strength")
CONTROLS = ("dealt", "shuffled", "copy")
"""Pages dealt out anew, words shuffled, the base against itself."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One version or control: what is finished in one piece."""

    kind: str
    voice: str
    seed: int
    corpus: Path
    results: Path
    prompts: int

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.voice}-{self.seed}-{self.prompts}"

    @property
    def done(self) -> Path:
        return self.results / f"{self.name}.json"

    @property
    def place(self) -> Path:
        return self.results / "runs" / self.name


def begin(threads: int) -> None:
    torch.set_num_threads(threads)


@cache
def book(corpus: Path, voice: str) -> list[Page]:
    return pages(next(corpus.glob(f"*__*{voice}*.txt")))


def texts_of(unit: Unit) -> list[Page]:
    """The writer's pages, spoilt where the control wants it."""
    found, draw = book(unit.corpus, unit.voice)[:PAGES], random.Random(unit.seed)
    if unit.kind == "dealt":
        texts = [page.text for page in found]
        draw.shuffle(texts)
        return [replace(page, text=text) for page, text in zip(found, texts, strict=True)]
    if unit.kind == "shuffled":
        return [replace(page, text=" ".join(draw.sample(words := page.text.split(), len(words)))) for page in found]
    return found


def pieces(unit: Unit) -> list[Piece]:
    """As an import of the pages leaves them."""
    return [
        Piece(
            number,
            "manuscript",
            page.genre,
            "scene",
            None,
            page.prompt,
            page.text,
            score(page.text, page.prompt, page.genre, "scene").score,
            unit.voice,
        )
        for number, page in enumerate(texts_of(unit), start=1)
    ]


def prepared(unit: Unit) -> tuple[list[Row], dict[int, Kind]]:
    """The rows of a fine-tune, with its plan laid out where there is none yet."""
    kept = pieces(unit)
    found = prepare(kept, catalog=load_catalog(), near_duplicate_share=Settings().near_duplicate_share)
    place = unit.place / "run"
    if unit.kind != "copy" and not (place / "plan.json").exists():
        config = FineTuneConfig(seed=unit.seed)
        plan = defaults.plan_for(config, found.summary, base.describe(base.BUILT_IN), data_hash=found.hash)
        write_run(place, plan, found.rows)
    return found.rows, {piece.id: Kind(piece.genre, piece.element) for piece in kept}


def job_of(unit: Unit, rows: Sequence[Row], kinds: dict[int, Kind]) -> Job:
    held = [row for row in rows if row.split == "held_out"]
    trained = [row for row in rows if row.split != "held_out"]
    run = f"{unit.voice} {unit.seed}"  # controls are asked as their version is
    context = base.describe(base.BUILT_IN).context
    asked = choose(held, trained, kinds, load_catalog(), count=PROVED_ON, run=run, context=context)
    step = max(1, len(asked) // unit.prompts)
    asked = [replace(one, place=at) for at, one in enumerate(asked[::step][: unit.prompts])]
    after = "" if unit.kind == "copy" else str(unit.place / "run" / "version")
    texts = [Held(row.prompt, row.completion, row.own) for row in held]
    return Job(str(base.BUILT_IN), "", after, asked, texts)


def lines(path: Path) -> list[dict[str, Any]]:
    """Those that were written whole."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line[-1] == "\n"]


def written(unit: Unit, job: Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The texts by "before:3" and the losses by side. What stands in the file of events is not done again. Controls
    take what the base wrote for their version, who is asked the same."""
    log = unit.place / "events.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    events = lines(log)
    if not events and unit.kind != "version":
        said = lines(replace(unit, kind="version").place / "events.jsonl")
        events = [one for one in said if one["event"] == "text" and one["side"] == "before"]
    texts = {f"{one['side']}:{one['place']}": one for one in events if one["event"] == "text"}
    losses = {one["side"]: one for one in events if one["event"] == "losses"}
    other = [replace(one, seed=(one.seed + OTHER_NUMBERS) % 2**31) for one in job.asked]
    passes = [("before", job.asked), ("after", other)] if unit.kind == "copy" else [("", job.asked)]
    with log.open("a", encoding="utf-8") as file:

        def tell(event: Any) -> None:
            if event["event"] in ("text", "losses"):
                file.write(json.dumps(dict(event)) + "\n")
                file.flush()
            if event["event"] == "text":
                texts[f"{event['side']}:{event['place']}"] = dict(event)
            elif event["event"] == "losses":
                losses[event["side"]] = dict(event)

        for only, asked in passes:
            others = [f"{side}:{one.place}" for side in SIDES if only and side != only for one in asked]
            done = replace(job, asked=asked, written=[*texts, *others], measured=list(losses))
            write_job(unit.place, done)
            write.work(unit.place, tell, device="cpu")
    return texts, losses


def worth(asked: Asked, text: str) -> float:
    return score(text, bare(asked.prompt), asked.genre, asked.element or None).score


def weighed(unit: Unit, job: Job, rows: Sequence[Row], texts: dict[str, Any], losses: dict[str, Any]) -> Figures:
    pairs = []
    for one in job.asked:
        before, after = (texts[f"{side}:{one.place}"] for side in SIDES)
        pairs.append(
            Pair(
                one.prompt,
                before["text"],
                after["text"],
                worth(one, before["text"]),
                worth(one, after["text"]),
                before["ended"],
                after["ended"],
                one.source,
            )
        )
    return weigh(pairs, rows, job.held, losses, seed=seed(unit.voice, unit.seed))


def unseen(unit: Unit, version: str) -> dict[str, Any]:
    """Nats and tokens of each unseen page of the unit's voice, of every voice for the base model."""
    job, found = Job(str(base.BUILT_IN), "", version, [], []), dict[str, Any]()
    who = write.author(job, "after", torch.device("cpu"))
    for voice in [unit.voice] if unit.voice else VOICES:
        held = [Held(page.prompt, page.text, True) for page in book(unit.corpus, voice)[PAGES : PAGES + UNSEEN]]
        nats, tokens, _ = write.losses(who, replace(job, held=held), 8)
        found[voice] = {"nats": nats, "tokens": tokens}
    return found


def work(unit: Unit) -> str:
    """Everything of one unit; its name when it is finished."""
    began = time.process_time()
    found: dict[str, Any] = {"kind": unit.kind, "voice": unit.voice, "seed": unit.seed}
    if unit.kind == "base":
        found["unseen"] = unseen(unit, "")
    else:
        rows, kinds = prepared(unit)
        job = job_of(unit, rows, kinds)
        if unit.kind != "copy":
            train(unit.place / "run", lambda _: None, device="cpu")
            result = read_result(unit.place / "run" / "version")
            found["result"] = {key: getattr(result, key) for key in RESULT}
        texts, losses = written(unit, job)
        figures = weighed(unit, job, rows, texts, losses)
        said = verdict(figures)
        found |= {"figures": figures.as_dict(), "verdict": said.kind, "reasons": said.reasons}
        found["pages"] = statistics.mean(piece.quality for piece in pieces(unit))
        found["spread"] = near(unit, [texts[f"after:{one.place}"]["text"] for one in job.asked])
        if unit.kind == "version":
            found["unseen"] = unseen(unit, str(unit.place / "run" / "version"))
    found["seconds"] = time.process_time() - began
    part = unit.done.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(unit.done)
    return f"{unit.name}: {found.get('verdict', '')} ({found['seconds']:.0f} s of a processor)"


def near(unit: Unit, texts: Sequence[str]) -> dict[str, float]:
    """Distance of what was written to the unseen pages of every voice."""
    mine = fingerprint(pool([measure(text) for text in texts]))
    voices = {voice: book(unit.corpus, voice)[PAGES : 4 * PAGES] for voice in VOICES}
    return {
        voice: distance(mine, fingerprint(pool([measure(page.text) for page in found])))
        for voice, found in voices.items()
    }
