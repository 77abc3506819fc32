"""How well the base model copies what a prompt names, and how fast models of its kind learn with LoRA.

python benchmarks/base_model.py nouns [--mined FILE]    FILE: mined.json of scripts/pretrain_base.py prepare --mine
python benchmarks/base_model.py lora [--threads 1]
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.pretrain.briefs import Pair, Writer
from scripts.pretrain.measure import load
from scripts.pretrain.tokens import COMPLETION, END, PROMPT
from zega_core.settings import ROOT

SIZES = [(256, 6, 4, 672, 4096), (256, 8, 4, 704, 6144), (384, 6, 6, 1024, 6144), (384, 8, 6, 1024, 6144)]
SIZES += [(384, 8, 6, 960, 6144), (512, 5, 8, 1280, 6144)]
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ROWS, LENGTH, STEPS = 8, 288, 5


def first_mentions(pair: Pair, offsets: list[tuple[int, int]]) -> list[bool]:
    """Which tokens of the piece are in the first mention of the prompt's figure, thing or place."""
    known, found = pair.brief.known, [False] * len(offsets)
    phrases = (known.figure, known.object, known.place.split(" the ")[-1]) if known else ()
    for phrase in phrases:
        at = pair.text.find(phrase)
        for n, (start, end) in enumerate(offsets):
            found[n] |= at >= 0 and start >= at - 1 and start < at + len(phrase) and end > at
    return found


@torch.inference_mode()
def nouns(options: argparse.Namespace) -> None:
    """Of held-out pairs: how often the likeliest token is the right one in those mentions, and nats a token."""
    model, tokenizer = load(options.model)
    writer = Writer(2, held_out=True, mined=options.mined)
    pairs = [pair for n in range(2 * options.pairs) if (pair := writer.pair(n)).brief.known][: options.pairs]
    right, total, nats, count = 0, 0, 0.0, 0
    for pair in pairs:
        prompt = tokenizer(f"{PROMPT}{pair.user}{COMPLETION}", add_special_tokens=False)["input_ids"]
        piece = tokenizer(pair.text + END, add_special_tokens=False, return_offsets_mapping=True)
        tokens = torch.tensor([*prompt, *piece["input_ids"]])
        logits = model(input_ids=tokens[None, :-1]).logits[0, len(prompt) - 1 :].float()
        targets = tokens[len(prompt) :]
        nats += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
        count += len(targets)
        inside = torch.tensor(first_mentions(pair, piece["offset_mapping"]))
        right += int((logits.argmax(-1) == targets)[inside].sum())
        total += int(inside.sum())
    print(f"{len(pairs)} pairs: {right / total:.1%} of {total} tokens of named things, {nats / count:.3f} nats a token")


def lora(options: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(options.threads)
    for width, layers, heads, inner, vocabulary in SIZES:
        config = LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=inner,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=2,
            tie_word_embeddings=True,
        )
        base = LlamaForCausalLM(config)
        count = sum(weight.numel() for weight in base.parameters())
        model = get_peft_model(base, LoraConfig(r=16, target_modules=MODULES))
        optimiser = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad])
        tokens, times = torch.randint(0, vocabulary, (ROWS, LENGTH)), []
        for _ in range(STEPS):
            began = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16):
                loss = model(input_ids=tokens, labels=tokens).loss
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            times.append(time.perf_counter() - began)
        speed = tokens.numel() / min(times[1:])
        print(f"{count / 1e6:.1f} million, width {width}, {layers} layers: {speed:,.0f} tokens a second", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(required=True)
    one = what.add_parser("nouns")
    one.add_argument("--model", type=Path, default=ROOT / "data" / "base_model")
    one.add_argument("--mined", type=Path)
    one.add_argument("--pairs", type=int, default=60)
    one.set_defaults(run=nouns)
    one = what.add_parser("lora")
    one.add_argument("--threads", type=int, default=1)
    one.set_defaults(run=lora)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
