"""One writer with and without hints and memory, from pages to verdicts: the work of ``benchmarks/hints.py``."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.voice.pages import VOICES, Page
from benchmarks.voice.units import PAGES, PROVED_ON, UNSEEN, book, worth
from zega_core import db, memory, profiling, writing_authors
from zega_core.catalog import Brief, load_catalog, request
from zega_core.context import Context, build
from zega_core.dataset import text_hash
from zega_core.fine_tune import base, form, sampling
from zega_core.fine_tune.data import bare
from zega_core.fine_tune.generation import Author, write
from zega_core.fine_tune.plan import Row
from zega_core.proof import write as proof_write
from zega_core.proof.figures import Figures
from zega_core.proof.job import Asked, Held, Job
from zega_core.proof.prompts import Kind, choose, seed
from zega_core.proof.weigh import Pair, weigh
from zega_core.quality import score
from zega_core.settings import Settings
from zega_core.store import examples, writers
from zega_core.tables import Example, ExampleStatus, Source
from zega_core.writing_configs import BASE, WriteRequest
from zega_core.writing_material import Material

WAYS = ("hints", "memory", "both", "other")
BARE = "bare"
SCENE = "scene"


@dataclass
class Side:
    """What was written in one way, prompt by prompt: the texts, whether they ended by themselves, how many hints and
    recalled texts and tokens there were; and nats and tokens of each unseen page."""

    texts: list[str] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)
    hints: list[int] = field(default_factory=list)
    recalled: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    nats: list[float] = field(default_factory=list)
    page_tokens: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Helped:
    voice: str
    sides: dict[str, Side]
    figures: dict[str, Figures]


def prepare(voices: Sequence[str], corpus: Path, settings: Settings) -> str:
    """Each voice as a writer of that name who has 60 pages, a measured style and all pages in memory; what there is to
    say of how texts are compared."""
    for voice in voices:
        with db.session(settings) as session:
            writers.ensure(session, voice)
            if not examples.count_kept(session, voice):
                session.add_all(_example(voice, page) for page in book(corpus, voice)[:PAGES])
        profiling.measure(voice, settings)
        with db.session(settings) as session:
            memory.choose(session, voice, ("manuscript",))
        memory.refresh(voice, settings)
    return memory.embedder_note(settings)


def _example(voice: str, page: Page) -> Example:
    report = score(page.text, page.prompt, page.genre, SCENE)
    return Example(
        user_id=voice,
        source=Source.manuscript,
        genre=page.genre,
        element=SCENE,
        prompt=page.prompt,
        completion=page.text,
        text_hash=text_hash(page.text),
        status=ExampleStatus.kept,
        quality=report.score,
    )


def asked_of(page: Page) -> str:
    catalog = load_catalog()
    return request(Brief(page.prompt, page.genre, catalog.element(SCENE)), catalog)


def prompts_of(pages: Sequence[Page], voice: str, number: int, run: int) -> list[Asked]:
    """As a proof has them: two thirds of the unseen pages, the others shipped."""
    trained = [Row(at, asked_of(page), page.text, 1.0, "train", True, "manuscript") for at, page in _numbered(pages)]
    unseen = pages[PAGES : PAGES + UNSEEN]
    held = [
        Row(PAGES + at, asked_of(page), page.text, 1.0, "held_out", True, "manuscript")
        for at, page in enumerate(unseen)
    ]
    kinds = {row.example_id: Kind(page.genre, SCENE) for row, page in zip(held, unseen, strict=True)}
    context = base.describe(base.BUILT_IN).context
    found = choose(held, trained, kinds, load_catalog(), count=PROVED_ON, run=f"{voice} {run}", context=context)
    step = max(1, len(found) // number)
    return [replace(one, place=at) for at, one in enumerate(found[::step][:number])]


def _numbered(pages: Sequence[Page]) -> list[tuple[int, Page]]:
    return list(enumerate(pages[:PAGES]))


def given(voice: str, way: str, prompt: str, genre: str, element: str, settings: Settings) -> Context:
    """What the app puts together for this writer, here with the switches of the way."""
    writer = VOICES[(VOICES.index(voice) + 1) % len(VOICES)] if way == "other" else voice
    hints, recall = way in ("hints", "both", "other"), way in ("memory", "both", "other")
    catalog = load_catalog()
    words = catalog.element(element or SCENE).max_words
    wanted = WriteRequest(
        writer_id=writer, brief=bare(prompt), genre=genre, element=element, hints=hints, recall=recall, words=words
    )  # type: ignore[arg-type]
    with db.reading(settings) as session:
        room = writing_authors.room(writing_authors.asked(session, writer, BASE, settings), words)
    material = Material(wanted, settings, threading.Event())
    return build(
        wanted,
        material.hints if hints else (),
        material.recalled if recall else (),
        room_tokens=room.tokens,
        own=True,
        goes_on=room.goes_on,
        count=room.count,
    )


def side_of(
    voice: str, way: str, who: Author, asked: Sequence[Asked], unseen: Sequence[Page], settings: Settings, path: Path
) -> Side:
    """Goes on with what ``path`` has of it, and leaves it there batch by batch."""
    found, how = read_side(path), Job("", "", "", [], [])
    for at in range(len(found.texts), len(asked), how.batch_size):
        changed = list[Asked]()
        for one in asked[at : at + how.batch_size]:
            context = given(voice, way, one.prompt, one.genre, one.element, settings)
            if way == BARE and context.prompt != one.prompt:
                sys.exit(f"The bare request is not the one of training: {context.prompt!r}")
            changed.append(replace(one, prompt=context.prompt))
            found.hints.append(len(context.hints))
            found.recalled.append(len(context.recalled))
            found.tokens.append(len(form.prompt_ids(who.tokenizer, context.prompt)))
        written = write(who, changed, how)
        found.texts += [one.text for one in written]
        found.ended += [one.ended for one in written]
        save_side(path, found)
    for page in unseen[len(found.nats) :]:
        context = given(voice, way, asked_of(page), page.genre, SCENE, settings)
        nats, tokens = surprise(who, context.prompt, page.text)
        found.nats.append(nats)
        found.page_tokens.append(tokens)
        save_side(path, found)
    return found


def read_side(path: Path) -> Side:
    return Side(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Side()


def save_side(path: Path, side: Side) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(side)), encoding="utf-8")
    part.replace(path)


def surprise(who: Author, prompt: str, text: str) -> tuple[float, int]:
    """Nats and number of the tokens of a text with its end, after a prompt as long as there is room for it."""
    tail = [*form.completion_ids(who.tokenizer, text), *form.end_ids(who.tokenizer)]
    head = sampling.fitting(form.prompt_ids(who.tokenizer, prompt), who.context, len(tail))
    with torch.inference_mode():
        logits = who.model(torch.tensor([[*head, *tail]], device=who.device)).logits[0, len(head) - 1 : -1]
        nats = torch.nn.functional.cross_entropy(
            logits.double(), torch.tensor(tail, device=who.device), reduction="sum"
        )
    return float(nats), len(tail)


def helped(
    voice: str, ways: Sequence[str], corpus: Path, settings: Settings, number: int, run: int, adapter: str = ""
) -> Helped:
    """All ways of one voice. ``adapter`` is a version's folder, empty for the built-in base."""
    pages = book(corpus, voice)
    asked, unseen = prompts_of(pages, voice, number, run), pages[PAGES : PAGES + UNSEEN]
    who: Author | None = None
    sides = dict[str, Side]()
    for way in (BARE, *ways):
        model = "version" if adapter else "base"
        path = settings.home.parent / f"{voice}-{way}-{model}-{run}-{number}.json"
        sides[way] = read_side(path)
        if len(sides[way].nats) < len(unseen):
            who = who or proof_write.author(Job(str(base.BUILT_IN), "", adapter, [], []), "after", torch.device("cpu"))
            sides[way] = side_of(voice, way, who, asked, unseen, settings, path)
            print(f"{voice}, {way}: written", file=sys.stderr, flush=True)
    rows = [Row(at, asked_of(page), page.text, 1.0, "train", True, "manuscript") for at, page in _numbered(pages)]
    held = [Held(asked_of(page), page.text, True) for page in unseen]
    figures = {way: weighed(asked, sides[BARE], sides[way], rows, held, seed(voice, run)) for way in ways}
    return Helped(voice, sides, figures)


def weighed(
    asked: Sequence[Asked], bare_side: Side, side: Side, rows: list[Row], held: list[Held], draws: int
) -> Figures:
    pairs = [
        Pair(
            one.prompt,
            bare_side.texts[at],
            side.texts[at],
            worth(one, bare_side.texts[at]),
            worth(one, side.texts[at]),
            bare_side.ended[at],
            side.ended[at],
            one.source,
        )
        for at, one in enumerate(asked)
    ]
    losses: dict[str, Any] = {
        name: {"nats": one.nats, "tokens": one.page_tokens} for name, one in (("before", bare_side), ("after", side))
    }
    return weigh(pairs, rows, held, losses, seed=draws)
