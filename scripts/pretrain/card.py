"""The model card: measured, counted and sampled anew by one command, so that no figure in it is from memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from safetensors import safe_open

from scripts.pretrain import measure
from scripts.pretrain.measure import MOST_TOKENS, TEMPERATURE, TOP_P, Sample, about_tokens, figures
from scripts.pretrain.texts import read_pairs
from zega_core.quality import QUALITY_VERSION

SEED = 7
COMPARED = 20_000
"""Training pieces of each run in which copied runs of words are looked for."""
SHOWN, SHOWN_EVERY, SHOWN_FREE = 16, 5, 4
WHOLE = {"pieces", "words, mean", "score, mean", "different names in a scene, mean"}
HELD = {"held_pairs": "held-out prompts, made like those of the last run", "shipped_pairs": "the catalog's own prompts"}


def write_card(target: Path, runs: Sequence[Path]) -> None:
    """Measure the model in ``target``, keep what was measured beside the last run, and write ``target``/README.md.
    Each run is a folder in the folder that has its tokens and pairs; each began with the weights of the one before."""
    briefs = measure.shipped_briefs()
    samples = measure.write(target, briefs, SEED)
    free = measure.write(target, measure.free_briefs(), SEED)
    read = chain.from_iterable(islice(read_pairs(run.parent / "pairs", "train"), COMPARED) for run in runs)
    measured = {
        "model": figures(samples),
        "storyteller": figures(measure.by_storyteller(briefs)),
        "by_element": {key: figures(some) for key, some in _by_element(samples).items()},
        "free_stopped": sum(one.stopped for one in free) / len(free),
        "copied": measure.copied(samples, (row["text"] for row in read)),
        "perplexity": measure.perplexities(target, runs[-1].parent / "tokens.safetensors"),
    }
    (runs[-1] / "measured.json").write_text(json.dumps(measured, indent=2), encoding="utf-8")
    rows = [{"user": one.user, "text": one.text, "stopped": one.stopped} for one in (*samples, *free)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (runs[-1] / "samples.jsonl").write_text(lines + "\n", encoding="utf-8")
    parts = [_head(target), _form(), _training(runs), _sources(runs), _figures(measured), _perplexity(measured)]
    text = "\n\n".join([*parts, _samples(samples, free), _limits()])
    (target / "README.md").write_text(text + "\n", encoding="utf-8")


def _by_element(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.brief.element.key, []).append(one)
    return found


def _head(target: Path) -> str:
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    with safe_open(target / "model.safetensors", "pt") as file:
        count = sum(file.get_tensor(name).numel() for name in file.keys())  # noqa: SIM118
    size = (target / "model.safetensors").stat().st_size / 1e6
    heads = f"{config['num_attention_heads']} ({config['num_key_value_heads']})"
    return f"""---
license: cc0-1.0
language: en
library_name: transformers
pipeline_tag: text-generation
---

# The base model of ZEGA

A small language model for short fiction in English, made to be fine-tuned on a laptop: {count:,} parameters, Llama
architecture, {size:.1f} MB in bfloat16. It answers a prompt with a short piece and stops. It knows no facts and follows
no other instructions; it is a base to learn a writer's own voice on, and no more.

| | |
|---|---|
| layers, width | {config["num_hidden_layers"]}, {config["hidden_size"]} |
| heads (key/value), inner width | {heads}, {config["intermediate_size"]} |
| vocabulary | {config["vocab_size"]:,}, byte-level BPE, split by the pattern of Llama 3 ("llama-bpe") |
| context | {config["max_position_embeddings"]:,} positions, of which 512 were used in training |
| input and output embeddings | one matrix |"""


def _form() -> str:
    return """## Form

```
<|prompt|>what is asked for<|completion|>the piece<|end|>
```

No mark before it and no line breaks around the marks. `<|end|>` ends a piece (`eos_token`); `<|endoftext|>` stood
before each chapter of a book; `<|pad|>` pads. The chat template in tokenizer_config.json writes this form.

What is asked for was mostly the request as ZEGA words it (what to write, genre, prompt, style), at times the bare
prompt. The loss was taken on the piece and its end only; train on it alike.

Load it with `local_files_only=True, use_safetensors=True, trust_remote_code=False`, in float32 where a processor
computes. Modules for LoRA: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj."""


def _training(runs: Sequence[Path]) -> str:
    parts = [
        "## Training",
        "Each run begins with the weights of the one before. The tables: nats a token, measured on the way.",
    ]
    head = "| step | seconds | million tokens | share of the rates | books, held out | kept out | pieces, held out |"
    for number, run in enumerate(runs, start=1):
        with safe_open(run / "run.safetensors", "pt") as file:
            state = file.metadata()
        plan = json.loads(state["plan"])
        measured = "all" if plan["measured_rows"] > 1000 else f"{plan['measured_rows']} rows of each"
        parts.append(
            f"Run {number}: {int(state['number']):,} steps of {plan['rows']} x {plan['length']} tokens, "
            f"{plan['book_share']:.0%} of the rows from books, {float(state['seconds']):,.0f} s on {state['device']}; "
            f"Muon ({plan['rate']}) for the matrices, Adam ({plan['adam_rate']}) for embeddings and norms, dropout "
            f"{plan['dropout']} on rows from books, seed {plan['seed']}. Measured: {measured}."
            + (f" Kept: {float(state['share']):.0%} of the way from the run before." if "share" in state else "")
        )
        rows = [json.loads(line) for line in (run / "curve.jsonl").read_text(encoding="utf-8").splitlines()]
        some = rows[:: max(len(rows) // 8, 1)]
        lines = [
            f"| {row['step']:,} | {row['seconds']:,.0f} | {row['tokens'] / 1e6:,.2f} | {row['rate']:.2f} "
            f"| {row['books']:.3f} | {row['kept_out']:.3f} | {row['held_pairs']:.3f} |"
            for row in (some if some[-1] is rows[-1] else [*some, rows[-1]])
        ]
        parts.append("\n".join([head, "|---|---|---|---|---|---|---|", *lines]))
    return "\n\n".join(parts)


def _sources(runs: Sequence[Path]) -> str:
    about = [about_tokens(run.parent / "tokens.safetensors") for run in runs]
    read = [entry["name"] for entry in about[0]["books"] if not entry["kept_out"]]
    kept = [entry["name"] for entry in about[0]["books"] if entry["kept_out"]]
    pairs = ", ".join(f"{one['tokens']['pair_count']:,} for run {n}" for n, one in enumerate(about, start=1))
    return f"""## Sources

1. {len(read)} books in the public domain of the United States, in the editions of Standard Ebooks (their work is
   dedicated to the public domain, CC0): {about[0]["tokens"]["one_copy"]:,} tokens, read with typographic and with plain
   quotation marks, and once more each with some words cut in two. A fortieth of each is held out.
2. Prompts with the pieces that ZEGA's built-in storyteller (hand-written sentences, no model) wrote for them:
   {pairs}, of which a run reads as many as its steps need. None of the catalog's prompts is among them, nor a
   sentence that was written for one of them. Persons, things, places and names are drawn from lists in
   `scripts/pretrain/` and, where a run was prepared with `--mine`, mostly from the nouns of the books.

Read: {_titles(read)}.

Kept out, to be learnt later: {_titles(kept)}.

Weights and card are dedicated to the public domain (CC0 1.0). Made by `scripts/pretrain_base.py`."""


def _titles(names: Iterable[str]) -> str:
    """Author and title from "genre__author_title"."""
    found: list[str] = []
    for name in names:
        author, _, title = name.split("__")[1].partition("_")
        found.append(f"{author.replace('-', ' ').title()}, {title.replace('-', ' ').capitalize()}")
    return "; ".join(found)


def _figures(measured: Mapping) -> str:
    by_element = measured["by_element"]
    head = ["model", "storyteller, same briefs", *(f"model: {key}" for key in by_element)]
    columns = [measured["model"], measured["storyteller"], *by_element.values()]
    lines = [
        f"| {name} | " + " | ".join(_number(name, column[name]) for column in columns) + " |" for name in columns[0]
    ]
    about = (
        f"Each of the catalog's 80 prompts once, elements and style modifiers in turn, temperature {TEMPERATURE}, "
        f"top-p {TOP_P}, at most {MOST_TOKENS} tokens, seed {SEED}; nothing selected. Scores are "
        f"ZEGA's own, by version {QUALITY_VERSION} of the score."
    )
    after = (
        f"Of the runs of eight words in these pieces {measured['copied']:.0%} are in the first {COMPARED:,} training "
        "pieces of a run: the model tells with the storyteller's sentences. Of 12 prompts as people type them "
        f"{measured['free_stopped']:.0%} ended by themselves."
    )
    table = [f"| | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|", *lines]
    return "\n\n".join(["## What it writes", about, "\n".join(table), after])


def _number(name: str, value: float) -> str:
    if name in WHOLE:
        return f"{value:.0f}" if value >= 20 else f"{value:.2f}"
    return f"{value:.1%}"


def _perplexity(measured: Mapping) -> str:
    rows = measured["perplexity"]
    lines = [
        f"| {_titles([name])} | {'kept out' if row['kept_out'] else 'held-out passage'} | {row['nats_a_token']:.2f} "
        f"| {row['bits_a_byte']:.2f} | {row['perplexity_a_word']:,.0f} |"
        for name, row in rows.items()
        if name not in HELD
    ]
    told = [f"| the storyteller's pieces | {HELD[name]} | {rows[name]['nats_a_token']:.2f} | | |" for name in HELD]
    head = ["| text | | nats a token | bits a byte | perplexity a word |", "|---|---|---|---|---|"]
    return "\n".join(["## Perplexity", "", *head, *lines, *told])


def _samples(samples: Sequence[Sample], free: Sequence[Sample]) -> str:
    shown = [*samples[::SHOWN_EVERY][:SHOWN], *free[:SHOWN_FREE]]
    note = f"Every {SHOWN_EVERY}th of the pieces counted above, and {SHOWN_FREE} answers to a bare prompt."
    parts = [f"## {len(shown)} samples, not selected", note]
    for one in shown:
        style = f" {one.brief.modifier.text}" if one.brief.modifier else ""
        asked = f"{one.brief.element.label}, {one.brief.genre.replace('_', ' ')}.{style}"
        asked = "bare prompt" if one.user == one.brief.prompt else asked
        parts.append(f"**{one.brief.prompt}** ({asked}){'' if one.stopped else ' (cut off)'}")
        parts.append("\n".join(f"> {line}".rstrip() for line in one.text.split("\n")))
    return "\n\n".join(parts)


def _limits() -> str:
    return """## Limits

It writes much as the storyteller does, sentence by sentence, and the sense between the sentences is as loose as there.
Away from the storyteller's forms and from books it has no ground: it garbles words that it has rarely read, answers
the nouns of a prompt rather than its thought, loses names in long pieces, and does not reason. It was trained on
fiction of the 19th and 20th century as it is, with the views of its time."""
