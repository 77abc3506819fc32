"""The model card that goes with an exported model: what it is, what it learned from in counts, how to ask it.

No text of the writer's is in it, nor a path of this machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal

from zega_core.catalog import Brief, load_catalog, request
from zega_core.exports import modelfile
from zega_core.fine_tune.data import Summary
from zega_core.proof.figures import Change, Figures
from zega_core.quality.validation import number

BUILT_IN = "zega-base"
"""What the built-in base is called outside; it is on no hub."""
BASE_FOLDER = "base"
HUGE = 1e9
Kind = Literal["peft", "merged", "gguf"]
LIBRARIES: Mapping[Kind, str] = {"peft": "peft", "merged": "transformers", "gguf": "llama.cpp"}
VERDICTS = {
    "better": "better than what it was compared with",
    "not_shown": "not shown to be better",
    "worse": "worse than what it was compared with",
}
SOURCES = {
    "auto": "written by teachers",
    "conversation": "of conversations",
    "manuscript": "of the writer's own pages",
    "rating": "rated or rewritten by the writer",
    "import": "imported",
}


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof that has its verdict. ``against`` is "v2" or "the base model"."""

    verdict: str
    against: str
    at: datetime
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """``name`` is as in zega-ana, ``base`` as the version has it: empty for the built-in one. ``asked_by_template``
    says whether the base has a chat template. ``metrics`` are the version's, unchecked."""

    name: str
    number: int
    base: str
    asked_by_template: bool
    examples: int
    own_share: float
    metrics: Mapping[str, Any]
    summary: Summary | None = None
    proved: Proved | None = None


def base_of(base: str) -> str:
    """What the base is called in configs and cards: its id on Hugging Face, or for what is on this machine only a name
    without the path, and without what Markdown or YAML would take for more than a name."""
    if not base.startswith(("/", "~")) and not PurePath(base).is_absolute():
        return base or BUILT_IN
    name = "".join(sign if sign.isprintable() and sign not in "`<>[]" else "-" for sign in PurePath(base).name)
    return name or BUILT_IN


def is_on_hub(base: str) -> bool:
    return bool(base) and base_of(base) == base


def card(model: Model, kind: Kind) -> str:
    """README.md of an adapter folder, or of a whole model in files for Python or for llama.cpp."""
    parts = [
        _front(model, kind),
        f"# {model.name} v{model.number}\n",
        _what(model, kind),
        "## How to use it\n",
        _in_llama_cpp(model) if kind == "gguf" else _in_python(model, kind),
        "## What it learned from\n",
        _learned(model),
        "## What was measured\n",
        _measured(model),
        "## Licence\n",
        _licence(model),
    ]
    return "\n".join(parts)


def _front(model: Model, kind: Kind) -> str:
    tags = ["zega", "creative-writing", *(["lora"] if kind == "peft" else [])]
    lines = [
        "---",
        f"library_name: {LIBRARIES[kind]}",
        f"base_model: {json.dumps(base_of(model.base), ensure_ascii=False)}",
        "pipeline_tag: text-generation",
        "language: en",
        "license: other",
        "tags:",
        *(f"- {tag}" for tag in tags),
        "---\n",
    ]
    return "\n".join(lines)


def _what(model: Model, kind: Kind) -> str:
    what = {
        "merged": "base model and adapter merged, as 32-bit floats",
        "gguf": "base model and adapter merged in one GGUF file, as 16-bit floats",
        "peft": f"a LoRA adapter for {'the built-in base model of ZEGA' if not model.base else base_of(model.base)}",
    }
    return f"A personal model for creative writing: {what[kind]}.\n"


def _in_llama_cpp(model: Model) -> str:
    typed = "\n".join(modelfile.by_hand(model.name))
    return (
        f"With Ollama, in a terminal, in this folder:\n\n```\n{typed}\n```\n\nLM Studio, Jan and llama.cpp open the "
        ".gguf file itself; the form of a prompt is in it. Set temperature 0.8, top-p 0.95, top-k 0, min-p 0 and "
        "repeat penalty 1.0 there. It answers one prompt with one piece and knows no earlier turns.\n"
    )


def _in_python(model: Model, kind: Kind) -> str:
    place = "folder" if kind == "merged" else 'folder / "base"'
    remark = ""
    if kind == "peft" and is_on_hub(model.base):
        place = json.dumps(model.base)
    elif kind == "peft" and model.base:
        remark = f"Put the folder of the base model beside this file first, as `{BASE_FOLDER}`.\n\n"
    elif kind == "peft":
        remark = f"The base model lies in `{BASE_FOLDER}`: it is on no hub.\n\n"
    if model.asked_by_template:
        asked = (
            'asked = tokenizer.apply_chat_template(\n    [{"role": "user", "content": prompt}], '
            'add_generation_prompt=True, return_dict=True, return_tensors="pt"\n)'
        )
    else:
        asked = 'asked = tokenizer(f"{prompt}\\n\\n", return_tensors="pt")'
    adapter = "model = PeftModel.from_pretrained(model, folder)\n" if kind == "peft" else ""
    imports = "from peft import PeftModel\n" if kind == "peft" else ""
    return (
        f"{remark}```python\nfrom pathlib import Path\n\nimport torch\n{imports}"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'folder = Path(".")  # this folder\n'
        f"tokenizer = AutoTokenizer.from_pretrained({place})\n"
        f"model = AutoModelForCausalLM.from_pretrained({place}, dtype=torch.float32)\n{adapter}\n"
        f"prompt = {_example()}\n"
        f"{asked}\n"
        "answer = model.generate(**asked, max_new_tokens=400, do_sample=True, temperature=0.8, top_p=0.95, top_k=0)\n"
        'print(tokenizer.decode(answer[0, asked["input_ids"].shape[1] :], skip_special_tokens=True))\n```\n\n'
        "It answers one prompt with one piece and knows no earlier turns. Do not raise the repetition penalty: it was "
        "measured at 1.0.\n"
    )


def _example() -> str:
    """A request in the words that it was trained on, as a Python string."""
    catalog = load_catalog()
    brief = Brief("A lamp burns in the lighthouse that stands empty", "mystery", catalog.element("scene"))
    return json.dumps(request(brief, catalog), ensure_ascii=False)


def _learned(model: Model) -> str:
    own = number(model.own_share, 0, 1) or 0.0
    lines = [f"- {model.examples:,} examples, of whose words {own:.0%} are the writer's own"]
    if model.summary is not None:
        known = model.summary
        lines.append(f"- {known.prompts:,} different prompts, {known.words:,} words")
        lines += [f"- {number:,} {SOURCES[name]}" for name, number in known.sources.items() if name in SOURCES]
        aside = known.splits.get("held_out", 0) + known.splits.get("validation", 0)
        lines.append(f"- {aside:,} of them were kept apart for checking and not trained on")
    return "\n".join(lines) + "\n"


def _measured(model: Model) -> str:
    lines = []
    before, after = (number(model.metrics.get(f"perplexity_{side}"), 0, HUGE) for side in ("before", "after"))
    texts = number(model.metrics.get("held_out_texts"), 0, HUGE)
    if before is not None and after is not None and texts:
        lines.append(f"- perplexity of {texts:,.0f} held-out texts: {before:.1f} before, {after:.1f} after")
    proved = model.proved
    if proved is None or proved.verdict not in VERDICTS:
        lines.append("- whether it writes better was not examined")
    else:
        lines.append(f"- verdict of {proved.at:%Y-%m-%d}, compared with {proved.against}: {VERDICTS[proved.verdict]}")
        lines += [] if proved.figures is None else _figures(proved.figures)
    return "\n".join(lines) + "\n"


def _figures(figures: Figures) -> list[str]:
    duel = figures.quality
    lines = [
        f"- on {figures.prompts} prompts its text scored higher {duel.wins} times, lower {duel.losses} times, alike "
        f"{duel.ties} times",
        f"- quality score, mean: {_change(figures.quality_mean)}",
    ]
    if figures.style is not None:
        whose = "the writer's style" if figures.style.own else "the style of the texts it learned from"
        lines.append(f"- distance to {whose}: {_change(figures.style.change)}")
    return lines


def _change(change: Change) -> str:
    return (
        f"{change.before:.2f} before, {change.after:.2f} after (95% interval of the difference "
        f"{change.low:+.2f} to {change.high:+.2f})"
    )


def _licence(model: Model) -> str:
    if not model.base:
        base = "The base model is dedicated to the public domain (CC0 1.0)."
    else:
        base = (
            f"The licence of the base model ({base_of(model.base)}) holds for its part: read it before passing this on."
        )
    return f"{base} What was learned is the writer's; pass it on only as they allow.\n"
