"""What a training run reads, on the device it runs on: the rows of each step, and what is measured on the way."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor


class Batches:
    """Rows of ``length`` targets: first those from books, then those that start with a pair."""

    def __init__(self, path: Path, device: str, *, rows: int, length: int, book_share: float, seed: int) -> None:
        self.rows, self.length, self.book_share, self.seed = rows, length, book_share, seed
        with safe_open(path, "pt") as file:
            found = {name: file.get_tensor(name).to(torch.int32) for name in file.keys()}  # noqa: SIM118
            self.about = json.loads(file.metadata()["about"])
        self._end = self.about["special"]["<|end|>"]
        pad = torch.full((length + 1,), self.about["special"]["<|pad|>"], dtype=torch.int32)
        self._starts = {name.removesuffix("_starts"): one.long() for name, one in found.items() if "starts" in name}
        self._text = {name: torch.cat((one, pad)).to(device) for name, one in found.items() if "starts" not in name}
        self._order = (-1, pad)

    def step(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """The rows of this step, which of their targets count, and which rows are from books."""
        before, after = (int(n * self.rows * self.book_share) for n in (number, number + 1))
        books, first = after - before, number * self.rows - before
        pairs = self.rows - books
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        text = self._text["books"]
        offsets = torch.randint(0, len(text) - 2 * self.length, (books,), generator=draw)
        found = torch.cat((self._rows(text, offsets), self._rows(self._text["pairs"], self._shuffled(first, pairs))))
        from_books = (torch.arange(self.rows) < books).to(found.device)
        return found, self.counts(found, from_books), from_books

    def held_out(self, name: str, most: int) -> tuple[Tensor, Tensor]:
        """Held-out pairs, one a row, and which targets count: those of the first piece."""
        found = self._rows(self._text[name], self._starts[name][:most])
        counts = self.counts(found, torch.zeros(len(found), dtype=torch.bool, device=found.device))
        ended = (found[:, :-1] == self._end).cumsum(1) > 0
        return found, counts * ~ended

    def book(self, entry: dict, most: int) -> tuple[Tensor, Tensor]:
        """A held-out book in rows one after the other, and which targets count."""
        offsets = torch.arange(entry["start"], entry["end"] - 1, self.length)[:most]
        found = self._rows(self._text["measured"], offsets)
        targets = offsets[:, None] + torch.arange(1, self.length + 1)
        return found, (targets < entry["end"]).float().to(found.device)

    def counts(self, rows: Tensor, from_books: Tensor) -> Tensor:
        """In pairs the piece counts and its end; what the user wrote does not."""
        special = self.about["special"]
        inputs = rows[:, :-1]
        open_marks = (inputs == special["<|completion|>"]).int() - (inputs == self._end).int()
        return ((open_marks.cumsum(1) > 0) | from_books[:, None]).float()

    def _rows(self, flat: Tensor, offsets: Tensor) -> Tensor:
        at = offsets.to(flat.device)[:, None] + torch.arange(self.length + 1, device=flat.device)
        return flat[at.clamp(max=len(flat) - 1)].long()

    def _shuffled(self, first: int, count: int) -> Tensor:
        """Where the pairs from this one on start. Each time round they come in another order."""
        starts = self._starts["pairs"]
        time, place = divmod(first, len(starts))
        if self._order[0] != time:
            self._order = (time, torch.randperm(len(starts), generator=torch.Generator().manual_seed(self.seed + time)))
        found = starts[self._order[1][place : place + count]]
        return (
            found if len(found) == count else torch.cat((found, self._shuffled(first + len(found), count - len(found))))
        )
