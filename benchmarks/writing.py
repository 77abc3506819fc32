"""What a writer waits for: the first word and the words a second of the built-in model, cold and warm.

    python benchmarks/writing.py [--rounds 2] [--words 150] [--threads N]

The warm process (HTTP, JSON, decoding and client included) against plain ``transformers`` in one process: a call of
``generate()`` with a streamer on the same weights, nothing around it. Both get the same prompts with the same random
numbers and take turns prompt by prompt: briefs of the catalog as the model is trained on them, and the same behind five
recalled texts. *The rows* is the whole of it, from the request of a page to the text in the database, where every page
sees it: what is recalled and hinted is not looked up. *Cold* is from nothing running to a first word: the warm process,
and a script of its own that imports, loads and writes. A word is what stands between blanks. Threads that wait do not
spin, here as in the warm process: on a shared machine spinning would make plain ``generate()`` several times slower.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from benchmarks.generate import Clock
from zega_core import db, writing
from zega_core.catalog import load_catalog
from zega_core.context import build
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form, sampling
from zega_core.local import process
from zega_core.local.models import student
from zega_core.local.protocol import TOP_P
from zega_core.providers.base import GenerationOptions, Message
from zega_core.providers.storyteller import Storyteller
from zega_core.settings import ROOT, Settings
from zega_core.writing_authors import tokens_for
from zega_core.writing_configs import BASE, WriteRequest
from zega_core.writing_requests import brief_of
from zega_core.writing_tables import TakeState

WRITER, PROMPTS, RECALLED, TEMPERATURE = "ana", 5, 5, 0.8
STARTS, LOOK = 2, 0.005
ALONE = """
import sys, time
sys.path.insert(0, {root!r})
from benchmarks.writing import Plainly
model = Plainly()
model.write({prompt!r}, 4, 1)
"""


@dataclass(frozen=True, slots=True)
class Written:
    """``first`` is seconds to the first word, ``rest`` from there to the end."""

    text: str
    first: float
    rest: float

    @property
    def pace(self) -> float:
        """Words a second, the first word not counted."""
        return (len(self.text.split()) - 1) / self.rest if self.rest else 0.0


@dataclass(frozen=True, slots=True)
class Earlier:
    """A text as memory recalls it."""

    memory_id: int
    text: str
    from_: str = ""


class Plainly:
    """``generate()`` in this process."""

    def __init__(self) -> None:
        self.model, self.tokenizer = bases.load(bases.BUILT_IN, dtype=torch.float32, device="cpu")
        self.stops = sampling.ends(self.tokenizer, self.model.generation_config)

    def write(self, prompt: str, tokens: int, seed: int) -> Written:
        clock, began = Clock(), time.perf_counter()
        asked = torch.tensor([form.prompt_ids(self.tokenizer, prompt)])
        how = sampling.how(
            self.tokenizer,
            self.stops,
            max_tokens=tokens,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            repetition_penalty=1.0,
        )
        torch.manual_seed(seed)
        with torch.inference_mode():
            found: Any = self.model.generate(
                input_ids=asked, attention_mask=torch.ones_like(asked), generation_config=how, streamer=clock
            )
        ended = time.perf_counter()
        text = self.tokenizer.decode(found[0, asked.shape[1] :], skip_special_tokens=True)
        return Written(text, clock.at - began, ended - clock.at)


def through(settings: Settings, prompt: str, tokens: int, seed: int) -> Written:
    """By the warm process."""
    began, first, pieces = time.perf_counter(), 0.0, list[str]()
    options = GenerationOptions(max_tokens=tokens, temperature=TEMPERATURE, seed=seed)
    for piece in student(settings, WRITER, None).stream([Message("user", prompt)], options):
        first = first or time.perf_counter()
        pieces.append(piece)
    return Written("".join(pieces), first - began, time.perf_counter() - first)


def by_the_rows(settings: Settings, wanted: WriteRequest, seed: int) -> Written:
    """As a page does it: the first word is there when it is stored."""
    began, first = time.perf_counter(), 0.0
    key = writing.start(wanted.model_copy(update={"seed": seed}), settings).key
    while True:
        with db.reading(settings) as session:
            (take,) = writing.state(session, WRITER, key)[1]
        if take.text:
            first = first or time.perf_counter()
        if take.state != TakeState.writing:
            break
        time.sleep(LOOK)
    if take.state != TakeState.done:
        sys.exit(f"It was not written: {take.error}")
    return Written(take.text, first - began, time.perf_counter() - first)


def requests(words: int) -> list[WriteRequest]:
    catalog = load_catalog()
    chosen = catalog.prompts[:: len(catalog.prompts) // PROMPTS][:PROMPTS]
    return [
        WriteRequest(
            writer_id=WRITER,
            brief=one.text,
            genre=one.genre,  # type: ignore[arg-type]
            element="scene",
            authors=(BASE,),
            words=words,
            temperature=TEMPERATURE,
            hints=False,
            recall=False,
        )
        for one in chosen
    ]


def prompts(wanted: Sequence[WriteRequest]) -> dict[str, list[str]]:
    """Briefs alone, and the same behind recalled texts."""
    room = bases.describe(bases.BUILT_IN).context - tokens_for(wanted[0].words) - 2
    found: dict[str, list[str]] = {"a brief": [], f"behind {RECALLED} recalled texts": []}
    teller = Storyteller()
    for one in wanted:
        told = [teller.complete([], GenerationOptions(seed=seed, brief=brief_of(one))).text for seed in range(RECALLED)]
        recalled = [Earlier(number, text) for number, text in enumerate(told)]
        for some, texts in zip(found.values(), ((), recalled), strict=True):
            some.append(build(one, (), texts, room_tokens=room, own=True).prompt)
    return found


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


def report(what: str, results: dict[str, list[Written]], tokens: float) -> None:
    print(f"\n{what} ({tokens:.0f} tokens of prompt):")
    for name, found in results.items():
        firsts = sorted(one.first for one in found)
        print(
            f"{name:>16}: first word {1000 * middle(firsts):.0f} ms (slowest {1000 * firsts[-1]:.0f}), "
            f"{middle([one.pace for one in found]):.1f} words a second, "
            f"{middle([len(one.text.split()) for one in found]):.0f} words in "
            f"{middle([one.first + one.rest for one in found]):.1f} s"
        )
    ours, plain = list(results.values())[:2]
    pairs = list(zip(ours, plain, strict=True))
    ratio = middle([one.pace / two.pace for one, two in pairs])
    alike = sum(two.text.startswith(one.text[:200]) for one, two in pairs)
    print(f"{'ratio':>16}: {ratio:.2f} of the words a second of plain generate()", end="")
    print(f" (text for text, median); the same words to begin with in {alike} of {len(pairs)} texts")


def cold(settings: Settings, prompt: str) -> None:
    """From nothing running to the first word, by turns."""
    ours, plain, ready = list[float](), list[float](), list[float]()
    for _ in range(STARTS):
        process.end(settings)
        began = time.perf_counter()
        process.access(settings)
        ready.append(time.perf_counter() - began)
        through(settings, prompt, 4, 1)
        ours.append(time.perf_counter() - began)
        script = ALONE.format(root=str(ROOT), prompt=prompt)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
        plain.append(time.perf_counter() - began)
    print(
        f"\ncold, from nothing running to a first word: the warm process {middle(ours):.1f} s (of which it takes "
        f"{middle(ready):.1f} s until it listens), a script of its own {middle(plain):.1f} s; medians of {STARTS}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--words", type=int, default=150)
    parser.add_argument("--threads", type=int, default=0, help="of torch in this process; 0 leaves it to torch")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with suppress(PermissionError):
        os.setsid()  # the system shares processors among sessions, and the warm process has one of its own
    if options.threads:
        torch.set_num_threads(options.threads)
    wanted, tokens, plain = requests(options.words), tokens_for(options.words), Plainly()
    asked = prompts(wanted)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        settings.prepare_home()
        ways: dict[str, Callable[[str, int], Written]] = {
            "warm process": lambda prompt, seed: through(settings, prompt, tokens, seed),
            "plain generate()": lambda prompt, seed: plain.write(prompt, tokens, seed),
        }
        try:
            cold(settings, asked["a brief"][0])
            for way in ways.values():
                way(asked["a brief"][0], 0)
            for what, some in asked.items():
                results: dict[str, list[Written]] = {name: [] for name in ways}
                if some is asked["a brief"]:
                    results["the rows"] = []
                for seed in range(1, options.rounds + 1):
                    for one, prompt in zip(wanted, some, strict=True):
                        for name, way in ways.items():
                            results[name].append(way(prompt, seed))
                        if "the rows" in results:
                            results["the rows"].append(by_the_rows(settings, one, seed))
                report(what, results, middle([len(form.prompt_ids(plain.tokenizer, one)) for one in some]))
        finally:
            with suppress(ProcessLookupError):
                process.end(settings)
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
