"""ZEGA's training loop against TRL's SFTTrainer: tokens a second, time to a finished adapter, whether both learn alike.
Also what kills cost, and what going on from a version saves.

    python benchmarks/finetune.py [--examples 50] [--epochs 2] [--threads 1]       needs TRL: pip install trl
    python benchmarks/finetune.py --kills 10 [--examples 50] [--epochs 2]
    python benchmarks/finetune.py --retrain [--old BOOK.txt] [--new BOOK.txt]

Same base (the built-in model), pieces of the storyteller, rank 16, batch 8, epochs, learning rates, order of batches.
Seconds are of the processor, all threads together: on a machine that others use, a clock on the wall measures them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from zega_core.auto_train import plan as drawn
from zega_core.catalog import Brief, load_catalog, request
from zega_core.fine_tune import adapter, base, batches
from zega_core.fine_tune.measure import Compute
from zega_core.fine_tune.plan import Plan, Result, Row, Split, write_run
from zega_core.fine_tune.schedule import Schedule
from zega_core.fine_tune.team import Team
from zega_core.fine_tune.train import train
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.settings import ROOT

CPU = torch.device("cpu")
LENGTH = 512
PAIRS = Iterator[tuple[str, str]]


@dataclass
class Outcome:
    """``cpu`` and ``wall`` are seconds of loading, training and saving; ``training`` processor seconds of the steps."""

    losses: list[float]
    tokens: int
    training: float
    cpu: float
    wall: float


def stories(seed: int, genres: Sequence[str] = ()) -> PAIRS:
    catalog, teacher = load_catalog(), Storyteller()
    for draw in drawn(catalog, list(genres) or [genre.key for genre in catalog.genres], 500, seed, {}):
        options = GenerationOptions(seed=seed * 10_007 + draw.idx, brief=draw.brief)
        yield request(draw.brief, catalog), teacher.complete([], options).text


def passages(book: Path, words: int = 150) -> PAIRS:
    """Of a plain text with a paragraph a line and chapters under ``## ``, in an order of their own."""
    catalog, found, kept, title = load_catalog(), [], [], book.stem
    for line in book.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title, kept = line[3:], []
        elif line.strip():
            kept.append(line.strip())
            count = sum(len(part.split()) for part in kept)
            if count >= words:
                brief = Brief(f"A passage of {title}", "horror", catalog.element("scene"))
                found += [(request(brief, catalog), "\n\n".join(kept))] if count < 2 * words else []
                kept = []
    random.Random(1).shuffle(found)
    yield from found


def rows(pairs: PAIRS, counts: dict[Split, int], begin: int = 0, own: bool = False) -> list[Row]:
    found = []
    for split, count in counts.items():
        for prompt, text in islice(pairs, count):
            found.append(Row(begin + len(found), prompt, text, 1.0, split, own, "auto"))
    return found


def ours(folder: Path, plan: Plan, data: list[Row]) -> Outcome:
    write_run(folder, plan, data)
    losses, clock = [], []

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "step":
            losses.append(event["loss"])
        if event["event"] in ("step", "start"):
            clock.append(time.process_time())

    began, wall = time.process_time(), time.perf_counter()
    result = train(folder, tell, device="cpu")
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    return Outcome(losses, result.tokens, clock[-1] - clock[0], cpu, wall)


def theirs(folder: Path, plan: Plan, data: list[Row], **settings: Any) -> Outcome:
    """SFTTrainer with the batches of ours in their order."""
    from datasets import Dataset  # type: ignore[import-not-found]  # with TRL
    from torch.utils.data import SequentialSampler
    from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found]

    class InOrder(SFTTrainer):
        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return SequentialSampler(range(len(found)))

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            def share(done: int) -> float:
                return schedule.rate(min(done + 1, schedule.steps)) / plan.learning_rate

            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, share)
            return self.lr_scheduler

    began, wall = time.process_time(), time.perf_counter()
    model, tokenizer = base.load(base.BUILT_IN, dtype=torch.float32, device="cpu")
    model = adapter.attach(model, plan, base.weights_hash(base.BUILT_IN)).train()
    learn = batches.samples(data, tokenizer, LENGTH)
    schedule = Schedule(plan, -(-len(learn) // plan.batch_size))
    lengths = [len(sample.tokens) for sample in learn]
    epochs = (batches.order(lengths, plan.batch_size, plan.seed, number) for number in range(plan.epochs))
    found = [learn[index] for epoch in epochs for batch in epoch for index in batch]
    labels = [[-100] * one.masked + one.tokens[one.masked :] for one in found]
    dataset = Dataset.from_dict({"input_ids": [one.tokens for one in found], "labels": labels})
    config = SFTConfig(
        str(folder),
        per_device_train_batch_size=plan.batch_size,
        num_train_epochs=1,
        learning_rate=plan.learning_rate,
        max_length=LENGTH,
        dataset_kwargs={"skip_prepare_dataset": True},
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        **settings,
    )
    trainer = InOrder(model, config, train_dataset=dataset, processing_class=tokenizer)
    started = time.process_time()
    trainer.train()
    training = time.process_time() - started
    trainer.save_model()
    losses = [float(line["loss"]) for line in trainer.state.log_history if "loss" in line]
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    return Outcome(losses, sum(len(one.tokens) for one in found), training, cpu, wall)


def matmul_rate(dtype: torch.dtype) -> float:
    """Floating-point operations a processor second of this machine's best product."""
    one, other, best = torch.randn(1024, 1024, dtype=dtype), torch.randn(1024, 1024, dtype=dtype), 1e9
    for _ in range(12):
        began = time.process_time()
        torch.mm(one, other)
        best = min(best, time.process_time() - began)
    return 2 * 1024**3 / best


def compare(options: argparse.Namespace, home: Path) -> None:
    """Against TRL, then the losses of both step by step."""
    if importlib.util.find_spec("trl") is None:
        sys.exit("This compares with TRL, which is not installed. Run: pip install trl")
    plan = Plan(str(base.BUILT_IN), dropout=0.0, epochs=options.epochs, learning_rate=2e-3, precision="bfloat16")
    plan = replace(plan, checkpoint_seconds=1e9)
    whole = options.examples - options.examples % plan.batch_size  # theirs would begin the next epoch in a batch
    data = rows(stories(1), {"train": whole})
    exact = replace(plan, precision="float32")
    plain: dict[str, Any] = {"gradient_checkpointing": False}
    ours(home / "warm", replace(plan, epochs=1), data[: plan.batch_size])  # imports
    found = {
        "ZEGA, bfloat16": ours(home / "a", plan, data),
        "TRL, bfloat16, no recomputing": theirs(home / "b", plan, data, bf16=True, **plain),
        "TRL, float32, no recomputing": theirs(home / "c", exact, data, bf16=False, **plain),
        "TRL as it comes (bfloat16, recomputing)": theirs(home / "d", plan, data),
        "ZEGA, float32": ours(home / "e", exact, data),
    }
    again = ours(home / "f", plan, data)  # the machine may have changed meanwhile: the slower of the two counts
    found["ZEGA, bfloat16"] = max(found["ZEGA, bfloat16"], again, key=lambda one: one.training)
    best = found["ZEGA, bfloat16"]
    print(f"{whole} examples, {best.tokens:,} tokens in {len(best.losses)} steps, {options.threads} threads")
    for name, one in found.items():
        speed, ratio, finished = one.tokens / one.training, one.training / best.training, one.cpu / best.cpu
        print(f"{name:40} {speed:7,.0f} tokens a second, finished after {one.cpu:5.1f} s (wall {one.wall:5.1f} s)")
        print(f"{'':40} ZEGA in bfloat16 is {ratio:.2f} x as fast, {finished:.2f} x to the finished adapter")
    one, other = found["ZEGA, float32"].losses, found["TRL, float32, no recomputing"].losses
    apart = max(abs(a - b) for a, b in zip(one, other, strict=True))
    print(f"losses of each step in float32 differ by at most {apart:.1e}: {one[0]:.5f} to {one[-1]:.5f}")
    learned = 16 * 8 * sum((384 + 384, 384 + 128, 384 + 128, 384 + 384, *(3 * [384 + 960])))
    operations = 4 * base.describe(base.BUILT_IN).parameters + 6 * learned
    share = best.tokens / best.training * operations / matmul_rate(torch.bfloat16)
    print(f"at {operations / 1e6:.0f} million operations a token, {share:.0%} of the rate of a product of 1024 x 1024")


def child(folder: Path, goal: int, delay: float) -> tuple[list[int], bool]:
    """Run one child; kill it ``delay`` seconds after the step ``goal``. The steps that it did, and whether it ended."""
    command = [sys.executable, "-m", "zega_core.fine_tune.child", str(folder), "--device", "cpu"]
    steps, ended = [], False
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            event = json.loads(line)
            steps += [event["step"]] if event["event"] == "step" else []
            ended |= event["event"] == "done"
            if steps and steps[-1] >= goal > 0:
                time.sleep(delay)
                process.kill()
                steps += [later["step"] for later in map(json.loads, process.stdout or ()) if later["event"] == "step"]
                break
    return steps, ended


def kills(options: argparse.Namespace, home: Path) -> None:
    """One run killed again and again, another undisturbed."""
    plan = Plan(str(base.BUILT_IN), epochs=options.epochs, learning_rate=2e-3, precision="bfloat16", patience=99)
    data = rows(stories(1), {"train": options.examples, "validation": 4, "held_out": 4})
    for name in ("undisturbed", "killed"):
        write_run(home / name, plan, data)
    straight, _ = child(home / "undisturbed", 0, 0.0)
    draw, done = random.Random(options.seed), Counter[int]()
    for number in range(1, options.kills + 1):
        goal = max(max(done, default=0), len(straight) * number // (options.kills + 2)) or 1
        steps, ended = child(home / "killed", goal, draw.uniform(0.0, 1.5))
        done.update(steps)
        print(f"kill {number:2} at step {max(steps)} of {len(straight)}{', too late' if ended else ''}", flush=True)
    steps, _ = child(home / "killed", 0, 0.0)
    done.update(steps)
    one, other = (base.file_hash(home / name / "version" / base.ADAPTER) for name in ("undisturbed", "killed"))
    print(f"adapters {'equal' if one == other else 'DIFFERENT'} ({one[:12]}, {other[:12]}); all {len(done)} steps done")
    print(f"{sum(done.values()) - len(done)} steps repeated over {options.kills} kills")


def loss_of(folder: Path, data: Sequence[Row]) -> float:
    model, tokenizer = base.load(base.BUILT_IN, dtype=torch.float32, device="cpu")
    model = base.load_adapter(model, folder / "version", base.weights_hash(base.BUILT_IN))
    return Compute(model, Team(CPU)).mean_loss(batches.samples(data, tokenizer, LENGTH), 8)[0]


def retrain(options: argparse.Namespace, home: Path) -> None:
    """v1 of 50 old texts, then 20 new ones come: go on from v1 with some old ones, or begin at the base with all?"""
    first = passages(options.old) if options.old else stories(1, ["fantasy", "horror"])
    then = passages(options.new) if options.new else stories(2, ["sci_fi", "romance"])
    old = rows(first, {"train": 50, "validation": 8, "held_out": 12})
    new = rows(then, {"train": 20, "validation": 4, "held_out": 12}, begin=100)
    checks = [row for row in [*old, *new] if row.split == "validation"]
    plan = Plan(str(base.BUILT_IN), dropout=0.0, learning_rate=2e-3, epochs=options.epochs, precision="bfloat16")
    replayed = [row for row in old if row.split == "train"][:20]
    fresh = [row for row in new if row.split == "train"]
    going_on = replace(plan, start=str(home / "v1" / "version"), learning_rate=1e-3)
    runs: dict[str, tuple[Plan, list[Row]]] = {
        "v1": (plan, [row for row in old if row.split != "held_out"]),
        "going on from v1, new and 20 old": (going_on, [*fresh, *replayed, *checks]),
        "going on from v1, new only": (going_on, [*fresh, *checks]),
        "from the base, new and old": (plan, [row for row in [*old, *new] if row.split != "held_out"]),
    }
    for name, (how, data) in runs.items():
        folder = home / name.replace(" ", "-").replace(",", "")
        write_run(folder, how, data)
        began = time.process_time()
        result: Result = train(folder, lambda _: None, device="cpu")
        seconds = time.process_time() - began
        losses = [loss_of(folder, [row for row in texts if row.split == "held_out"]) for texts in (old, new)]
        print(
            f"{name:34} old {losses[0]:.3f}  new {losses[1]:.3f}  {seconds:5.1f} s, best at epoch "
            f"{result.best_step / max(result.steps, 1) * result.epochs:.0f} of {result.epochs:.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--retrain", action="store_true")
    parser.add_argument("--old", type=Path)
    parser.add_argument("--new", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home:
        run = kills if options.kills else retrain if options.retrain else compare
        run(options, Path(home))


if __name__ == "__main__":
    main()
