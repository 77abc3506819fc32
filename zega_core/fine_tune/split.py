"""Which examples are trained on, which tell when to stop, and which are never seen: decided by prompt. Pure.

A prompt is on one side with all that was written for it, and so are prompts with nearly the same text. Where a group
goes follows from a hash of its oldest prompt, so it stays there as the data grows. A small set is filled up from
training until validation and held-out have ``LEAST`` each; what was filled up goes back to training when there are
others. Passages of one text of the writer are told apart by their prompts only, as any other examples.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b
from itertools import count
from math import ceil, floor

from zega_core.dataset import NearDuplicates
from zega_core.fine_tune.plan import Split

SIDES: tuple[tuple[Split, float, float], ...] = (("validation", 0.8, 0.9), ("held_out", 0.9, 1.0))
"""Where the hash (0 to 1) puts a group; below, it is trained on. Filled in this order: training without validation
cannot stop in time."""
LEAST, LEAST_SHARE = 3, 0.1
"""Examples wanted on each side, or this share of all where that is less."""
SIDE, MOST, GIANT = 0.15, 0.3, 0.2
"""Shares of all examples: what one side may have beyond ``LEAST``, what both have together at most, and the largest
group that may be on a side at all."""


def split(keys: Sequence[str], texts: Sequence[str], share: float | None, trained: Collection[str] = ()) -> list[Split]:
    """A side for each example, oldest first: ``keys`` are the prompts without case and punctuation, ``texts`` what was
    written. From ``share`` of word 5-grams on, texts are near duplicates; None looks for none. What is in ``trained``
    stays in training."""
    root = {key: key for key in keys} if share is None else _roots(keys, texts, share)
    sizes: dict[str, int] = {}
    for key in keys:
        sizes[root[key]] = sizes.get(root[key], 0) + 1
    learned = {root[key] for key in trained if key in root}
    sides = _sides(sizes, learned)
    return [sides.get(root[key], "train") for key in keys]


def _roots(keys: Sequence[str], texts: Sequence[str], share: float) -> dict[str, str]:
    """For each prompt the oldest of its group (union-find)."""
    age = {key: number for number, key in reversed(list(enumerate(keys)))}
    parent = {key: key for key in keys}

    def find(key: str) -> str:
        while parent[key] != key:
            parent[key] = key = parent[parent[key]]
        return key

    known, owner, identity = NearDuplicates(share), dict[int, int](), count()
    for number, text in enumerate(texts):
        found: list[int] = []
        while (twin := known.find(text)) is not None:  # each call names the nearest only
            found.append(owner.pop(twin[0]))
            known.remove(twin[0])
            older, newer = sorted((find(keys[found[-1]]), find(keys[number])), key=age.__getitem__)
            parent[newer] = older
        for one in (*found, number):
            owner[fresh := next(identity)] = one
            known.add(fresh, texts[one])
    return {key: find(key) for key in parent}


def _sides(sizes: dict[str, int], learned: Collection[str]) -> dict[str, Split]:
    total = sum(sizes.values())
    one_side, both, giant = (floor(part * total + 1e-9) for part in (SIDE, MOST, GIANT))
    least = min(LEAST, ceil(LEAST_SHARE * total - 1e-9))
    place = {key: _place(key) for key, size in sizes.items() if key not in learned and size <= giant}
    order = sorted(place, key=lambda key: (-place[key], key))
    sides: dict[str, Split] = {}
    taken = 0
    for side, low, high in SIDES:
        own = [(key, one_side) for key in order if low <= place[key] < high]
        spare = [(key, 0) for key in order if place[key] < SIDES[0][1] and key not in sides]
        size = 0
        for key, most in own + spare:
            if taken + sizes[key] <= both and (size < least or size + sizes[key] <= most):
                sides[key] = side
                size, taken = size + sizes[key], taken + sizes[key]
    return sides


def _place(key: str) -> float:
    """Evenly spread over 0 to 1, and always the same."""
    return int.from_bytes(blake2b(key.encode(errors="replace"), digest_size=8).digest()) / 2**64
