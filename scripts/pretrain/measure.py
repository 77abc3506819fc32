"""What the shipped base model can do: how well it predicts held-out texts, and what it writes."""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from scripts.pretrain.batches import Batches
from zega_core.catalog import Brief, load_catalog, request
from zega_core.providers.base import GenerationOptions
from zega_core.providers.prose import head_noun, words_of
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import score

TEMPERATURE, TOP_P, MOST_TOKENS, TOGETHER = 0.8, 0.95, 400, 40
FREE = (
    "A boy finds a talking fox in the subway.",
    "The last bookshop in the city closes tonight",
    "write about a dragon who is afraid of fire",
    "Two sisters argue about their mother's house",
    "Describe an old pirate who collects teacups",
    "a robot learns to bake bread",
    "What the lighthouse saw",
    "My grandfather's clock stops whenever someone tells a lie.",
    "A detective and a ghost share an office",
    "A love letter arrives fifty years late",
    "The train does not stop at our village any more",
    "Write a scene in a kitchen at four in the morning",
)
"""Prompts as people type them, none of them made from the lists of the pre-training."""


@dataclass(frozen=True, slots=True)
class Sample:
    brief: Brief
    user: str
    text: str
    stopped: bool


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model in 32 bits, from this folder and nowhere else."""
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, padding_side="left"
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    return model.eval(), tokenizer


def write(folder: Path, asked: Sequence[tuple[Brief, str]], seed: int) -> list[Sample]:
    """One piece for each of these, none of them chosen."""
    model, tokenizer = load(folder)
    texts = [f"<|prompt|>{user}<|completion|>" for _, user in asked]
    order = sorted(range(len(asked)), key=lambda n: (len(texts[n]), n))
    found: dict[int, Sample] = {}
    for start in range(0, len(order), TOGETHER):
        some = order[start : start + TOGETHER]
        inputs = tokenizer([texts[n] for n in some], return_tensors="pt", padding=True, add_special_tokens=False)
        torch.manual_seed(seed + start)
        with torch.inference_mode():
            answer: torch.Tensor = model.generate(  # type: ignore[reportCallIssue]
                **inputs, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, max_new_tokens=MOST_TOKENS
            )
        for n, tokens in zip(some, answer[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
            stopped = tokenizer.eos_token_id in tokens
            text = str(tokenizer.decode(tokens, skip_special_tokens=True)).strip()
            found[n] = Sample(*asked[n], text, stopped)
        print(f"\rwritten: {min(start + TOGETHER, len(order))} of {len(order)}", end="", flush=True)
    print()
    return [found[n] for n in range(len(asked))]


def shipped_briefs() -> list[tuple[Brief, str]]:
    """Each of the catalog's prompts once; the elements and the style modifiers, or none, take turns."""
    catalog = load_catalog()
    styles = (None, *catalog.modifiers)
    briefs = [
        Brief(prompt.text, prompt.genre, catalog.elements[n % len(catalog.elements)], styles[n % len(styles)], prompt)
        for n, prompt in enumerate(catalog.prompts)
    ]
    return [(brief, request(brief, catalog)) for brief in briefs]


def free_briefs() -> list[tuple[Brief, str]]:
    catalog = load_catalog()
    return [(Brief(text, "fantasy", catalog.element("scene")), text) for text in FREE]


def by_storyteller(asked: Sequence[tuple[Brief, str]]) -> list[Sample]:
    """The storyteller's pieces for the same briefs, to compare with."""
    storyteller = Storyteller()
    texts = [
        storyteller.complete([], GenerationOptions(seed=n, brief=brief)).text for n, (brief, _) in enumerate(asked)
    ]
    return [Sample(brief, user, text, True) for (brief, user), text in zip(asked, texts, strict=True)]


def figures(samples: Sequence[Sample]) -> dict[str, float]:
    """What can be counted in pieces for the catalog's prompts."""
    reports = [score(one.text, one.brief.prompt, one.brief.genre, one.brief.element).score for one in samples]
    nouns = [[noun for noun in _nouns(one.brief) if noun in one.text.lower()] for one in samples]
    lengths = [len(one.text.split()) for one in samples]
    inside = [
        one.brief.element.min_words <= length <= one.brief.element.max_words
        for one, length in zip(samples, lengths, strict=True)
    ]
    scenes = [names_in(one.text) for one in samples if one.brief.element.key == "scene"]
    return {
        "pieces": len(samples),
        "stopped by itself": statistics.mean(one.stopped for one in samples),
        "names at least one of figure, thing, place": statistics.mean(len(found) > 0 for found in nouns),
        "names at least two of them": statistics.mean(len(found) > 1 for found in nouns),
        "names all three": statistics.mean(len(found) > 2 for found in nouns),
        "length as asked": statistics.mean(inside),
        "words, mean": statistics.mean(lengths),
        "score, mean": statistics.mean(reports),
        "score at least 7.0": statistics.mean(one >= 7.0 for one in reports),
        "word 4-grams repeated within a piece": statistics.mean(repeated(one.text) for one in samples),
        "different names in a scene, mean": statistics.mean(map(len, scenes)) if scenes else 0.0,
    }


def _nouns(brief: Brief) -> set[str]:
    prompt = brief.known
    return {head_noun(part) for part in (prompt.figure, prompt.object, prompt.place)} - {""} if prompt else set()


def repeated(text: str, size: int = 4) -> float:
    words = words_of(text)
    grams = [tuple(words[n : n + size]) for n in range(len(words) - size + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def names_in(text: str) -> set[str]:
    """Words with a capital letter where no sentence starts, said at least twice: mostly persons."""
    inner = re.findall(r"(?<=[a-z,;] )[A-Z][a-zé'-]+", text)
    names = {re.sub(r"'s$", "", word) for word in inner} - {"I", "I'm", "I'd", "I'll", "I've"}
    return {name for name in names if len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1}


def copied(samples: Sequence[Sample], pieces: Iterator[str], size: int = 8) -> float:
    """The share of word 8-grams that some training piece has, too."""
    grams = [gram for one in samples for gram in _grams(one.text, size)]
    wanted, seen = set(grams), set[tuple[str, ...]]()
    for piece in pieces:
        seen.update(gram for gram in _grams(piece, size) if gram in wanted)
    return sum(gram in seen for gram in grams) / max(len(grams), 1)


def _grams(text: str, size: int) -> list[tuple[str, ...]]:
    words = words_of(text)
    return [tuple(words[n : n + size]) for n in range(len(words) - size + 1)]


def perplexities(folder: Path, tokens: Path, length: int = 512) -> dict[str, dict[str, float]]:
    """Of each held-out book and of the held-out pieces: nats a token, bits a byte, perplexity a word."""
    model, _ = load(folder)
    batches = Batches(tokens, "cpu", rows=1, length=length, book_share=1.0, seed=0)
    found: dict[str, dict[str, float]] = {}
    for entry in batches.about["books"]:
        nats, count = _nats(model, *batches.book(entry, 10_000))
        found[entry["name"]] = {
            "kept_out": entry["kept_out"],
            "tokens": count,
            "nats_a_token": nats / count,
            "bits_a_byte": nats / math.log(2) / entry["bytes"],
            "perplexity_a_word": math.exp(nats / entry["words"]),
        }
    for name in ("held_pairs", "shipped_pairs"):
        nats, count = _nats(model, *batches.held_out(name, 320))
        found[name] = {"tokens": count, "nats_a_token": nats / count}
    return found


@torch.inference_mode()
def _nats(model: PreTrainedModel, rows: torch.Tensor, counts: torch.Tensor) -> tuple[float, float]:
    total = 0.0
    for some, weights in zip(rows.split(8), counts.split(8), strict=True):
        logits = model(input_ids=some[:, :-1]).logits.float()
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), some[:, 1:].flatten(), reduction="none")
        total += float((losses.view(weights.shape) * weights).sum())
    return total, float(counts.sum())


def about_tokens(tokens: Path) -> dict:
    with safe_open(tokens, "pt") as file:
        return json.loads(file.metadata()["about"])
