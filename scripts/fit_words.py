"""Make ``data/quality/words.npz``: a vector for each of 24,000 words, and how usual words and pairs of words are.

    python scripts/fit_words.py --data FOLDER_OF_RATED_TEXTS --fiction FOLDER_OF_BOOKS --encoder FOLDER_OF_MINILM

Each word begins with what the sentence encoder (all-MiniLM-L6-v2, Apache-2.0) says of it alone; then all vectors are
moved so that their weighted mean over a sentence points where the encoder's vector of that sentence does, reduced to 64
dimensions. A tenth of the sentences is held out and its mean cosine printed. What was encoded is kept in ``--cache``.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.quality_sets import load
from zega_core.quality.words import BUCKETS, PATH, slot

WORDS, SIZE, DAMPING = 24_000, 64, 1e-3
PER_BOOK, PER_TEXT = 1_500, 16
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_BREAK = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+")

Floats = NDArray[np.float32]


def words_of(text: str) -> list[str]:
    return _WORD.findall(text.replace("’", "'").lower())


def sentences_of(text: str) -> list[str]:
    return [part.strip() for part in _BREAK.split(text.replace("\n", " ")) if part.strip()]


def encode(texts: Sequence[str], folder: Path, cache: Path) -> Floats:
    """The encoder's vectors, of length 1, shape ``(texts, 384)``: the mean over the tokens."""
    kept = cache / f"{blake2b(chr(10).join(texts).encode(), digest_size=8).hexdigest()}.npy"
    if kept.exists():
        return np.load(kept, allow_pickle=False).astype(np.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    found = np.zeros((len(texts), model.config.hidden_size), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 128):
            batch = order[start : start + 128]
            given = tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, max_length=128, return_tensors="pt"
            )
            mask = given["attention_mask"][..., None]
            pooled = (model(**given).last_hidden_state * mask).sum(1) / mask.sum(1)
            found[batch] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, found.astype(np.float16))
    return found


def vocabulary(books: Sequence[str], rated: Sequence[str]) -> tuple[list[str], NDArray[np.float64], Counter[str]]:
    """The words to know, how often each is met (a rated text counts twelvefold, once a text), and counts of fiction."""
    fiction = Counter(word for book in books for word in words_of(book))
    score = fiction.copy()
    for text in rated:
        for word in set(words_of(text)):
            score[word] += 12
    names = [word for word, _ in score.most_common(WORDS)]
    return names, np.array([score[name] for name in names], float), fiction


def distil(start: Floats, wanted: Floats, sentences: Sequence[str], index: dict[str, int], weights: Floats) -> Floats:
    """Word vectors whose weighted mean over each sentence points where ``wanted`` does."""
    rows, columns, values = [], [], []
    for number, sentence in enumerate(sentences):
        for word in words_of(sentence):
            if word in index:
                rows.append(number)
                columns.append(index[word])
                values.append(float(weights[index[word]]))
    bags = torch.sparse_coo_tensor(
        torch.tensor([rows, columns]), torch.tensor(values), (len(sentences), len(index)), check_invariants=False
    ).coalesce()
    torch.manual_seed(0)
    learnt = torch.rand(len(sentences)) < 0.9
    base, target = torch.tensor(start), torch.nn.functional.normalize(torch.tensor(wanted), dim=1)
    moved = torch.zeros_like(base, requires_grad=True)
    optimiser = torch.optim.Adam([moved], lr=0.01)
    for step in range(80):
        means = torch.nn.functional.normalize(torch.sparse.mm(bags, base + moved), dim=1)
        cosine = (means * target).sum(1)
        loss = (1 - cosine[learnt]).mean() + 2 * (moved**2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 20 == 19:
            seen, unseen = cosine[learnt].mean().item(), cosine[~learnt].mean().item()
            print(f"step {step + 1}: cosine {seen:.3f}, held out {unseen:.3f}")
    return (base + moved).detach().numpy()


def pairs_of(books: Sequence[str], index: dict[str, int]) -> NDArray[np.uint8]:
    """The table of pairs that occur at least twice: 1 + 8 log2(count); where two share a place, the larger."""
    unknown, end = len(index), len(index) + 1
    counted: Counter[tuple[int, int]] = Counter()
    for book in books:
        row = [end]
        for sentence in sentences_of(book):
            row += [index.get(word, unknown) for word in words_of(sentence)] + [end]
        counted.update(pairwise(row))
    common = sorted((count, pair) for pair, count in counted.items() if count > 1)
    pairs = np.array([pair for _, pair in common], dtype=np.int64)
    table = np.zeros(BUCKETS, np.uint8)
    table[slot(pairs[:, 0], pairs[:, 1])] = np.minimum(255, 1 + np.round(8 * np.log2([count for count, _ in common])))
    print(f"{len(common):,} pairs, {np.mean(table > 0):.0%} of the table")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for name in ("--data", "--fiction", "--encoder"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".zega/fit_words"))
    parser.add_argument("--out", type=Path, default=PATH)
    given = parser.parse_args()
    rated = load(given.data)
    books = [path.read_text(encoding="utf-8") for path in sorted(given.fiction.glob("*.txt"))]
    names, met, fiction = vocabulary(books, [one.text for one in rated])
    index = {name: number for number, name in enumerate(names)}
    weights = (DAMPING / (DAMPING + met / met.sum())).astype(np.float32)  # Arora et al. 2017
    draw = random.Random(0)
    chosen = [
        sentence
        for book in books
        for sentence in _drawn(draw, [one for one in sentences_of(book) if 25 < len(one) < 260])
    ]
    for one in rated:
        chosen += [sentence[:300] for sentence in sentences_of(one.text[:2000])[:PER_TEXT]]
    prompts = sorted({one.prompt[:400] for one in rated if one.prompt})
    sentences = [*chosen, *prompts]
    alone, whole = encode(names, given.encoder, given.cache), encode(sentences, given.encoder, given.cache)
    centre = whole.mean(0)
    _, _, axes = np.linalg.svd((whole - centre)[:: max(1, len(whole) // 20_000)], full_matrices=False)
    axes = axes[:SIZE].T
    vectors = distil((alone - alone.mean(0)) @ axes, (whole - centre) @ axes, sentences, index, weights)
    scale = np.abs(vectors).max(0) / 127
    counts = np.array([*(fiction[name] for name in names), 0, 0], dtype=np.float32)
    counts[-2] = sum(fiction.values()) - sum(fiction[name] for name in names)
    counts[-1] = sum(len(sentences_of(book)) for book in books)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        given.out,
        words=np.frombuffer("\n".join(names).encode("ascii"), dtype=np.uint8),
        vectors=np.round(vectors / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        weights=weights,
        counts=counts,
        pairs=pairs_of(books, index),
    )
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.1f} MB")


def _drawn(draw: random.Random, sentences: list[str]) -> list[str]:
    return draw.sample(sentences, min(len(sentences), PER_BOOK))


if __name__ == "__main__":
    main()
