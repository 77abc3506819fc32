"""One training run: restartable, seeded, and worth keeping whenever it ends."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from scripts.pretrain.batches import Batches
from scripts.pretrain.model import Llama, Shape
from scripts.pretrain.optimiser import Muon

AVERAGED_EVERY = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. ``steps`` ends a run after so many steps, else ``minutes`` of the clock do."""

    shape: Shape = field(default_factory=Shape)
    minutes: float = 120.0
    steps: int = 0
    rows: int = 2
    length: int = 512
    book_share: float = 0.3
    dropout: float = 0.1
    rate: float = 0.01
    adam_rate: float = 0.003
    decay: float = 0.05
    warmup: int = 200
    cooling: float = 0.4
    averaged: float = 0.98
    seed: int = 1
    compiled: bool = False
    measured_every: int = 500
    measured_rows: int = 10_000
    saved_every: float = 300.0


class Run:
    """The state of a run; everything that is needed to go on is in one file."""

    def __init__(self, plan: Plan, tokens: Path, folder: Path, start: Path | None = None) -> None:
        self.plan, self.folder = plan, folder
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(plan.seed)
        self.model = Llama(plan.shape).to(self.device)
        self.average = [weight.detach().clone() for weight in self.model.parameters()]
        self.muon = Muon(self.model, rate=plan.rate, adam_rate=plan.adam_rate, decay=plan.decay)
        self.batches = Batches(
            tokens, self.device, rows=plan.rows, length=plan.length, book_share=plan.book_share, seed=plan.seed
        )
        self.number, self.seconds, self.stopping = 0, 0.0, False
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "run.safetensors").exists():
            self._load()
        elif start is not None:
            self._begin_with(start)
        self._loss = torch.compile(self.model.loss, dynamic=False) if plan.compiled else self.model.loss

    def train(self) -> None:
        """Until the plan is done, or until SIGINT or SIGTERM."""
        with _signals(self._stop):
            saved = self.seconds
            while self.progress < 1 and not self.stopping:
                began = time.perf_counter()
                loss = self._step()
                if self.number % self.plan.measured_every == 0:
                    self._report(float(loss))
                if self.device == "cuda" and self.number % 20 == 0:
                    torch.cuda.synchronize()
                self.seconds += time.perf_counter() - began
                if self.seconds - saved > self.plan.saved_every:
                    self.save()
                    saved = self.seconds
        self.save()

    @property
    def progress(self) -> float:
        return self.number / self.plan.steps if self.plan.steps else self.seconds / (60 * self.plan.minutes)

    def scale(self) -> float:
        """The share of the full rates: rising, level, then falling to nearly nothing."""
        left = (1 - self.progress) / self.plan.cooling
        return min(1.0, (self.number + 1) / self.plan.warmup, max(left, 0.01))

    def _step(self) -> Tensor:
        rows, counts, from_books = self.batches.step(self.number)
        drop = from_books * self.plan.dropout if self.plan.dropout else None
        torch.manual_seed(self.plan.seed * 1_000_003 + self.number)
        with torch.autocast(self.device, torch.bfloat16):
            loss = self._loss(rows, counts, drop)
        loss.backward()
        self.muon.scale.fill_(self.scale())
        self.muon.step()
        self.model.zero_grad(set_to_none=True)
        self.number += 1
        if self.number % AVERAGED_EVERY == 0:
            keep = min(self.plan.averaged, self.number / (self.number + 10 * AVERAGED_EVERY))
            for average, weight in zip(self.average, self.model.parameters(), strict=True):
                average.lerp_(weight.detach(), 1 - keep)
        return loss.detach()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def measure(self) -> dict[str, float]:
        """Nats a token: held-out passages of the books, the kept-out voices, and the pieces; so many rows of each."""
        most = self.plan.measured_rows
        sums = {True: [0.0, 0.0], False: [0.0, 0.0]}
        for entry in self.batches.about["books"]:
            nats, count = self.nats(*self.batches.book(entry, most))
            sums[entry["kept_out"]][0] += nats
            sums[entry["kept_out"]][1] += count
        found = {"books": sums[False][0] / sums[False][1], "kept_out": sums[True][0] / sums[True][1]}
        for name in ("held_pairs", "shipped_pairs"):
            nats, count = self.nats(*self.batches.held_out(name, most))
            found[name] = nats / max(count, 1)
        return found

    @torch.no_grad()
    def nats(self, rows: Tensor, counts: Tensor) -> tuple[float, float]:
        total = 0.0
        for some, weights in zip(rows.split(16), counts.split(16), strict=True):
            with torch.autocast(self.device, torch.bfloat16):
                total += float((self.model.losses(some) * weights).sum())
        return total, float(counts.sum())

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """With the averaged weights in place of the last ones: better wherever the rates have not fallen yet."""
        weights = [weight.detach().clone() for weight in self.model.parameters()]
        self._put(self.average)
        yield
        self._put(weights)

    @torch.no_grad()
    def _put(self, weights: list[Tensor]) -> None:
        for weight, new in zip(self.model.parameters(), weights, strict=True):
            weight.copy_(new)

    def _report(self, train: float) -> None:
        row = {
            "step": self.number,
            "seconds": round(self.seconds, 1),
            "tokens": self.number * self.plan.rows * self.plan.length,
            "rate": round(self.scale(), 4),
            "train": round(train, 4),
        }
        row |= {name: round(nats, 4) for name, nats in self.measure().items()}
        with (self.folder / "curve.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
        if not math.isfinite(train):
            raise ValueError("The loss is no number any more. Lower the rates.")

    def save(self) -> None:
        tensors = {f"model.{name}": weight.detach() for name, weight in self.model.named_parameters()}
        tensors |= {f"average.{n}": weight for n, weight in enumerate(self.average)}
        tensors |= {f"muon.{name}": kept for name, kept in self.muon.tensors().items()}
        name = torch.cuda.get_device_name() if self.device == "cuda" else f"{torch.get_num_threads()} processor threads"
        state = {"number": str(self.number), "seconds": str(self.seconds), "device": name}
        state["plan"] = json.dumps(asdict(self.plan))
        part = self.folder / "run.part"
        save_file({name: one.contiguous().cpu() for name, one in tensors.items()}, part, metadata=state)
        part.replace(self.folder / "run.safetensors")

    @torch.no_grad()
    def _begin_with(self, start: Path) -> None:
        """The weights of another run. Everything else begins anew."""
        kept = load_file(start, device=self.device)
        for (name, weight), average in zip(self.model.named_parameters(), self.average, strict=True):
            weight.copy_(kept[f"model.{name}"])
            average.copy_(weight)

    def _load(self) -> None:
        path = self.folder / "run.safetensors"
        with safe_open(path, "pt") as file:
            state = file.metadata()
        kept = load_file(path, device=self.device)
        with torch.no_grad():
            for name, weight in self.model.named_parameters():
                weight.copy_(kept[f"model.{name}"])
        self.average = [kept[f"average.{n}"] for n in range(len(self.average))]
        self.muon.load({name.removeprefix("muon."): one for name, one in kept.items() if name.startswith("muon.")})
        self.number, self.seconds = int(state["number"]), float(state["seconds"])


@contextmanager
def _signals(handler: object) -> Iterator[None]:
    before = {one: signal.signal(one, handler) for one in (signal.SIGINT, signal.SIGTERM)}  # type: ignore[arg-type]
    yield
    for one, old in before.items():
        signal.signal(one, old)
