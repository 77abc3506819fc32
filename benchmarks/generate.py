"""Writing with a version through the warm process, against plain ``generate()`` with the adapter beside its base.

    python benchmarks/generate.py [--rounds 3] [--tokens 200] [--threads N]

The version is an adapter of rank 16 on all seven modules of the built-in base model; its weights are random and small,
for the speed does not depend on them. Texts are greedy, so all three ways write the same tokens. They take turns prompt
by prompt: the server (its process, HTTP, JSON and decoding included), ``generate()`` with the adapter merged, and
``generate()`` without, the last two in this process with nothing around. Then how long the process takes to start, and
the first word when it is cold and when it is warm.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from transformers import GenerationConfig
from transformers.generation.streamers import BaseStreamer

from tests.local.tiny import write_result
from zega_core.catalog import load_catalog
from zega_core.fine_tune import base as bases
from zega_core.fine_tune import form
from zega_core.fine_tune.plan import TARGETS, Plan
from zega_core.local import process
from zega_core.local.models import student
from zega_core.providers.base import GenerationOptions, Message
from zega_core.settings import Settings
from zega_core.versions import folder_of

END = 3
PROMPTS = 5


@dataclass(frozen=True)
class Measured:
    """``first`` is seconds to the first word, ``seconds`` to the end, ``processor`` seconds of processor time that all
    processes took."""

    first: float
    seconds: float
    processor: float
    tokens: int


class Clock(BaseStreamer):
    """When the first token came."""

    def __init__(self) -> None:
        self.puts, self.at = 0, 0.0

    def put(self, value: Any) -> None:
        self.puts += 1
        if self.puts == 2:  # the first is the prompt
            self.at = time.perf_counter()

    def end(self) -> None:
        pass


def adapted() -> tuple[Any, Any]:
    model, tokenizer = bases.load(bases.BUILT_IN, dtype=torch.float32, device="cpu")
    model.generation_config = GenerationConfig()  # how to write is said below, and nowhere else
    torch.manual_seed(1)
    tuned = bases.with_lora(model, trainable=False, r=16, lora_alpha=32, lora_dropout=0.0, target_modules=list(TARGETS))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=1e-3)
    return tuned.eval(), tokenizer


def lay_out(settings: Settings, tuned: Any) -> None:
    folder = folder_of(settings, "ana", 1)
    tuned.save_pretrained(str(folder))
    files = {name: bases.file_hash(folder / name) for name in (bases.ADAPTER, bases.ADAPTER_CONFIG)}
    write_result(folder, base_hash=bases.weights_hash(bases.BUILT_IN), files=files)
    (folder / "plan.json").write_text(json.dumps(asdict(Plan(base=str(bases.BUILT_IN)))), encoding="utf-8")


def plainly(model: Any, tokenizer: Any, prompt: str, tokens: int) -> Measured:
    clock, began, used = Clock(), time.perf_counter(), time.process_time()
    asked = torch.tensor([form.prompt_ids(tokenizer, prompt)])
    how = GenerationConfig(do_sample=False, max_new_tokens=tokens, eos_token_id=END, pad_token_id=END)
    with torch.inference_mode():
        found = model.generate(
            input_ids=asked, attention_mask=torch.ones_like(asked), generation_config=how, streamer=clock
        )
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    return Measured(clock.at - began, seconds, processor, found.shape[1] - asked.shape[1])


def through(settings: Settings, prompt: str, tokens: int) -> Measured:
    server = process.running(settings)
    used = processor_time(server)
    began, first = time.perf_counter(), 0.0
    options = GenerationOptions(max_tokens=tokens, temperature=0)
    stream = student(settings, "ana", 1).stream([Message("user", prompt)], options)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            seconds = time.perf_counter() - began
            return Measured(first, seconds, processor_time(server) - used, end.value.completion_tokens)
        first = first or time.perf_counter() - began


def processor_time(server: process.Running | None) -> float:
    """Seconds of this process and of the server's, from /proc."""
    if server is None:
        return time.process_time()
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(results: dict[str, list[Measured]]) -> None:
    slowest = results["beside the base"]
    for name, found in results.items():
        wall, processor = (
            sum(one.tokens for one in found) / sum(getattr(one, what) for one in found)
            for what in ("seconds", "processor")
        )
        print(
            f"{name:>16}: {wall:6.1f} tokens a second, {processor:6.1f} a second of processor time; ratios "
            f"{quicker(found, slowest, 'seconds')} and {quicker(found, slowest, 'processor')}; "
            f"first word {1000 * statistics.median(one.first for one in found):.0f} ms"
        )
    print("the same number of tokens each time:", len({tuple(one.tokens for one in f) for f in results.values()}) == 1)


def quicker(found: list[Measured], slowest: list[Measured], what: str) -> str:
    """The median over the prompts of how much less time one way took than the other."""
    ratios = [getattr(slow, what) / getattr(one, what) for one, slow in zip(found, slowest, strict=True)]
    return f"{statistics.median(ratios):.2f}"


def starts(settings: Settings, prompt: str) -> None:
    process.end(settings)
    began = time.perf_counter()
    process.access(settings)
    ready = time.perf_counter() - began
    cold = through(settings, prompt, 4).first
    warm = statistics.median(through(settings, prompt, 4).first for _ in range(9))
    print(
        f"process ready after {ready:.1f} s; then first word of a version {cold:.1f} s cold, {1000 * warm:.0f} ms warm"
    )
    print(f"starting a process for each text: {(ready + cold) / warm:.0f}x as long to the first word")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0, help="of torch in this process; 0 leaves it to torch")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with suppress(PermissionError):
        os.setsid()  # the system shares processors among sessions, and the server has one of its own
    if options.threads:
        torch.set_num_threads(options.threads)
    catalog = load_catalog().prompts
    prompts = [prompt.text for prompt in catalog[:: len(catalog) // PROMPTS]][:PROMPTS]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        settings.prepare_home()
        beside, tokenizer = adapted()
        lay_out(settings, beside)
        merged = adapted()[0].merge_and_unload()
        ways: dict[str, Callable[[str], Measured]] = {
            "the server": lambda prompt: through(settings, prompt, options.tokens),
            "merged": lambda prompt: plainly(merged, tokenizer, prompt, options.tokens),
            "beside the base": lambda prompt: plainly(beside, tokenizer, prompt, options.tokens),
        }
        try:
            for way in ways.values():
                way(prompts[0])
            results: dict[str, list[Measured]] = {name: [] for name in ways}
            for _ in range(options.rounds):
                for prompt in prompts:
                    for name, way in ways.items():
                        results[name].append(way(prompt))
            report(results)
            starts(settings, prompts[0])
        finally:
            with suppress(ProcessLookupError):
                process.end(settings)


if __name__ == "__main__":
    main()
