"""From texts to token numbers: the tokenizer, and one file with everything that a training run reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from scripts.pretrain.texts import Book, read_pairs, straight

BOS, PROMPT, COMPLETION, END, PAD = SPECIAL = ("<|endoftext|>", "<|prompt|>", "<|completion|>", "<|end|>", "<|pad|>")
VOCABULARY = 6144
SPLIT_SHARE = 0.06
"""How many words of every second copy of the books are cut in two: so the model learns how parts of words combine."""
MEASURED_PAIRS = 512
# The pattern of Llama 3. Programs that read GGUF files know it by the name "llama-bpe".
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% set said = namespace(system='') %}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{% set said.system = message['content'] + '\n\n' %}"
    "{% elif message['role'] == 'user' %}{{ '<|prompt|>' + said.system + message['content'] + '<|completion|>' }}"
    "{% set said.system = '' %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}{% endfor %}"
)
"""A prompt is always followed by the mark of its completion, so ``add_generation_prompt`` changes nothing."""


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def tokenizer_config(context: int) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "eos_token": END,
        "pad_token": PAD,
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
        "chat_template": TEMPLATE,
    }


def form(user: str, text: str) -> str:
    return f"{PROMPT}{user}{COMPLETION}{text}{END}"


def tokenizer_texts(books: Sequence[Book], pairs: Path, most_pairs: int) -> Iterator[str]:
    """What the vocabulary is made from: the books with both kinds of quotation marks, and some of the pairs."""
    for book in books:
        for chapter in book.train:
            yield chapter
            yield straight(chapter)
    for row in islice(read_pairs(pairs, "train"), most_pairs):
        yield row["user"]
        yield row["text"]


def write_tokens(target: Path, tokenizer: Tokenizer, books: Sequence[Book], pairs: Path, seed: int) -> None:
    """``target``: a safetensors file. Its metadata says where each held-out book lies and how long its text is."""
    rng = np.random.default_rng(seed)
    train = [chapter for book in books for chapter in book.train]
    copies: list[np.ndarray] = []
    for prepare in (straight, str):
        copy = _joined(tokenizer, [BOS + prepare(chapter) for chapter in train])[0]
        copies += [copy, _split(copy, _halves(tokenizer), rng)]
    measured, index = _measured(tokenizer, books)
    flat, starts = _joined(tokenizer, (form(row["user"], row["text"]) for row in read_pairs(pairs, "train")))
    arrays = {"books": np.concatenate(copies), "pairs": flat, "pairs_starts": starts, "measured": measured}
    held = list(islice(read_pairs(pairs, "held-out"), MEASURED_PAIRS))
    for name, rows in (("held_pairs", held), ("shipped_pairs", list(read_pairs(pairs, "shipped")))):
        arrays[name], arrays[f"{name}_starts"] = _joined(tokenizer, (form(row["user"], row["text"]) for row in rows))
    about = {
        "books": index,
        "tokens": {
            "book_copies": len(copies),
            "one_copy": len(copies[0]),
            "pairs": len(flat),
            "pair_count": len(starts),
        },
        "special": {mark: tokenizer.token_to_id(mark) for mark in SPECIAL},
        "vocabulary": tokenizer.get_vocab_size(),
    }
    save_file(arrays, target, metadata={"about": json.dumps(about)})


def _joined(tokenizer: Tokenizer, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """All texts one after the other, and where each starts."""
    parts: list[np.ndarray] = []
    texts = iter(texts)
    while some := list(islice(texts, 2000)):
        parts += [np.array(found.ids, np.uint16) for found in tokenizer.encode_batch(some)]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    return np.concatenate(parts), np.concatenate([[0], ends[:-1]]).astype(np.int32)


def _measured(tokenizer: Tokenizer, books: Sequence[Book]) -> tuple[np.ndarray, list[dict[str, object]]]:
    texts = [straight("\n\n".join(book.held_out)) for book in books]
    flat, starts = _joined(tokenizer, [BOS + text for text in texts])
    ends = [*starts[1:].tolist(), len(flat)]
    index: list[dict[str, object]] = [
        {
            "name": book.name,
            "kept_out": book.kept_out,
            "start": int(start),
            "end": end,
            "bytes": len(text.encode()),
            "words": len(text.split()),
        }
        for book, text, start, end in zip(books, texts, starts, ends, strict=True)
    ]
    return flat, index


def _halves(tokenizer: Tokenizer) -> dict[int, list[tuple[int, int]]]:
    """For each token of at least four letters, every way to write it with two others."""
    vocabulary = tokenizer.get_vocab()
    found = {
        number: [
            (vocabulary[word[:cut]], vocabulary[word[cut:]])
            for cut in range(2, len(word) - 1)
            if word[:cut] in vocabulary and word[cut:] in vocabulary
        ]
        for word, number in vocabulary.items()
        if len(word) >= 4 and word not in SPECIAL
    }
    return {number: ways for number, ways in found.items() if ways}


def _split(tokens: np.ndarray, halves: dict[int, list[tuple[int, int]]], rng: np.random.Generator) -> np.ndarray:
    chosen = rng.random(len(tokens)) < SPLIT_SHARE
    ways = rng.integers(0, 1 << 30, len(tokens))
    pieces = (
        (token,) if not cut or token not in halves else halves[token][way % len(halves[token])]
        for token, cut, way in zip(tokens.tolist(), chosen.tolist(), ways.tolist(), strict=True)
    )
    return np.fromiter(chain.from_iterable(pieces), np.uint16)
