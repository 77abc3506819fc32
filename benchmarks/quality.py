"""How long a score takes, beside a sentence encoder's look at the same text.

    python benchmarks/quality.py [--encoder FOLDER_OF_MINILM] [--number 200]

Prints milliseconds for a text of 150 words on one core, and their ratio; says whether two looks give the same report.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from zega_core.catalog import Brief, load_catalog
from zega_core.providers.base import GenerationOptions
from zega_core.providers.storyteller import Storyteller
from zega_core.quality import score


def texts(number: int) -> list[tuple[str, str]]:
    """Scenes of the storyteller, cut or joined to 150 words each, with their prompts."""
    catalog, teller = load_catalog(), Storyteller()
    found = []
    for i in range(number):
        genre = catalog.genres[i % len(catalog.genres)].key
        prompt = catalog.prompts_of(genre)[i % 10]
        brief = Brief(prompt.text, genre, catalog.element("scene"), catalog.modifiers[i % 10], prompt, turn=i // 80)
        words: list[str] = []
        while len(words) < 150:
            words += teller.complete([], GenerationOptions(seed=i + len(words), brief=brief)).text.split(" ")
        found.append((" ".join(words[:150]), prompt.text))
    return found


def timed(look: Callable[[str, str], object], pieces: list[tuple[str, str]]) -> list[float]:
    """Milliseconds for each piece."""
    spent = []
    for text, prompt in pieces:
        started = time.perf_counter()
        look(text, prompt)
        spent.append(1_000 * (time.perf_counter() - started))
    return spent


def encoder(folder: Path) -> Callable[[str, str], object]:
    """MiniLM on one core: the mean over the tokens of one text."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()

    def look(text: str, prompt: str) -> object:
        with torch.inference_mode():
            return model(
                **tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
            ).last_hidden_state.mean(1)

    return look


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--number", type=int, default=200)
    given = parser.parse_args()
    scene, pieces = load_catalog().element("scene"), texts(given.number)

    def look(text: str, prompt: str) -> object:
        return score(text, prompt, "fantasy", scene)

    first = [look(*piece) for piece in pieces]
    ours = timed(look, pieces)
    same = first == [look(*piece) for piece in pieces]
    middle, slow = statistics.median(ours), sorted(ours)[len(ours) * 95 // 100]
    print(f"score: {middle:.2f} ms (95 %: {slow:.2f}), the same twice: {same}")
    if given.encoder:
        theirs = statistics.median(timed(encoder(given.encoder), pieces))
        print(f"MiniLM: {theirs:.1f} ms; {theirs / middle:.1f} times as long")


if __name__ == "__main__":
    main()
