"""How the shipped base model was made: a tokenizer and a small Llama, from books and the storyteller's pieces.

    python scripts/pretrain_base.py prepare --corpus FOLDER   write pairs, train the tokenizer, tokenise (20 minutes)
    python scripts/pretrain_base.py train --minutes 120       in the background on two cores, or on a GPU
    python scripts/pretrain_base.py export                    data/base_model/, from whatever has been trained so far
    python scripts/pretrain_base.py card                      measure it and write its model card

The model that ships had three runs: the first on a GPU, prepared as above; then two short ones on two cores, prepared
in another --work with --mine --tokenizer FILE and begun with --start FILE, each followed by average. Its card has all
settings. To make a new one, prepare with --mine from the start.

Everything is kept under --work and can be interrupted: started again, each goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

TINY = {"width": 64, "layers": 2, "heads": 2, "kv_heads": 1, "inner": 128}


def prepare(options: argparse.Namespace) -> None:
    from scripts.pretrain import texts, tokens

    work: Path = options.work
    books = texts.load_books(options.corpus)
    print(f"books: {len(books)}, of which {sum(book.kept_out for book in books)} kept out")
    mined = work / "mined.json" if options.mine else None
    if mined is not None:
        texts.write_mined(mined, books)
    texts.write_pairs(work / "pairs", options.held_out, seed=options.seed, held_out=True, mined=mined)
    texts.write_pairs(work / "pairs", options.pairs, seed=options.seed, workers=options.workers, mined=mined)
    texts.write_shipped(work / "pairs")
    if options.tokenizer:
        tokenizer = tokens.Tokenizer.from_file(str(options.tokenizer))
    else:
        some = tokens.tokenizer_texts(books, work / "pairs", options.pairs // 8)
        tokenizer = tokens.train_tokenizer(some, options.vocabulary)
    tokenizer.save(str(work / "tokenizer.json"))
    tokens.write_tokens(work / "tokens.safetensors", tokenizer, books, work / "pairs", options.seed)


def train(options: argparse.Namespace) -> None:
    import torch

    from scripts.pretrain.train import Plan, Run

    torch.set_float32_matmul_precision("high")
    if options.threads:
        torch.set_num_threads(options.threads)
    given = {one.name: getattr(options, one.name, None) for one in fields(Plan)}
    plan = replace(Plan(), **{name: value for name, value in given.items() if value is not None})
    if options.tiny:
        about = json.loads((options.work / "tokenizer.json").read_text(encoding="utf-8"))
        plan = replace(plan, shape=replace(plan.shape, vocabulary=len(about["model"]["vocab"]), **TINY))
    run = Run(plan, options.work / "tokens.safetensors", options.work / options.name, options.start)
    run.train()
    print(f"stopped after {run.number:,} steps, {run.seconds:,.0f} s")


def export(options: argparse.Namespace) -> None:
    from scripts.pretrain.export import export as write

    write(options.work / options.name / "run.safetensors", options.work / "tokenizer.json", options.target)


def average(options: argparse.Namespace) -> None:
    from scripts.pretrain.export import average as write

    write(options.first, options.work / options.name, options.share, options.work / options.into)


def card(options: argparse.Namespace) -> None:
    from scripts.pretrain.card import write_card

    write_card(options.target, [*options.before, options.work / options.name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / ".zega" / "pretrain")
    parser.add_argument("--name", default="run", help="of the training run, a folder in --work")
    steps = parser.add_subparsers(required=True)

    one = steps.add_parser("prepare")
    one.add_argument("--corpus", type=Path, required=True)
    one.add_argument("--pairs", type=int, default=240_000)
    one.add_argument("--held-out", type=int, default=2_000)
    one.add_argument("--vocabulary", type=int, default=6144)
    one.add_argument("--workers", type=int, default=2)
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--mine", action="store_true", help="take most nouns of the prompts from the books")
    one.add_argument("--tokenizer", type=Path, help="of an earlier run, instead of a new one")
    one.set_defaults(run=prepare)

    one = steps.add_parser("train", argument_default=None)
    for name in ("minutes", "book-share", "dropout", "rate", "adam-rate", "decay", "cooling", "saved-every"):
        one.add_argument(f"--{name}", type=float)
    for name in ("steps", "rows", "length", "warmup", "seed", "measured-every", "measured-rows"):
        one.add_argument(f"--{name}", type=int)
    one.add_argument("--compiled", action="store_true", default=None, help="with torch.compile: faster after a minute")
    one.add_argument("--threads", type=int, default=0)
    one.add_argument("--start", type=Path, help="run.safetensors of an earlier run to begin with its weights")
    one.add_argument("--tiny", action="store_true", help="a model of a few layers, to try the script")
    one.set_defaults(run=train)

    for name, action in (("export", export), ("card", card)):
        one = steps.add_parser(name)
        one.add_argument("--target", type=Path, default=ROOT / "data" / "base_model")
        one.set_defaults(run=action)

        if action is card:
            one.add_argument(
                "--before", type=Path, action="append", default=[], help="folder of an earlier run it began with"
            )

    one = steps.add_parser("average")
    one.add_argument("--first", type=Path, required=True, help="folder of the run that --name began with")
    one.add_argument("--share", type=float, required=True, help="of the weights of --name")
    one.add_argument("--into", required=True, help="name of the averaged run")
    one.set_defaults(run=average)

    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    options.run(options)


if __name__ == "__main__":
    main()
