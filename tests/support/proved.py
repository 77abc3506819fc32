"""Rows as proofs and exports leave them: figures, the texts of both, verdicts, files taken out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from tests.support.teachers import story
from zega_core import db
from zega_core.catalog import load_catalog
from zega_core.proof.figures import Axis, Bleed, Change, Copies, Duel, Figures, Judged, Perplexity, Style
from zega_core.proof_tables import Export, Proof, ProofText
from zega_core.settings import Settings, get_settings
from zega_core.store import writers
from zega_core.tables import RunStatus, now

WRITER = "default"
JUDGE = "ollama/llama3.2:3b"
BETTER = "It came nearer to your style: distance 1.21 to 0.94 (difference -0.33 to -0.18)."
WORSE = "It follows its prompts less: 52% of their words to 31% (difference -26% to -15%)."
NOT_SHOWN = "Nothing that was measured shows that it writes better than before."
AXES = {
    "sentences": ("Sentence length", 0.2, 1.1, 1.4),
    "rhythm": ("Uneven sentences", -0.4, 0.3, 0.6),
    "paragraphs": ("Paragraph length", -0.3, 0.4, 1.0),
    "dialogue": ("Dialogue", 1.2, 0.5, 0.2),
    "person": ("First person", -0.2, 0.9, 1.3),
    "tense": ("Past tense", -0.5, -0.4, -0.6),
    "vocabulary": ("Variety of words", -0.8, -0.5, 0.7),
    "adverbs": ("Adverbs", 0.6, 0.1, -0.2),
    "pauses": ("Pauses in sentences", 0.1, 0.8, 0.9),
    "outbursts": ("Questions, exclamations", 1.9, 1.0, 0.3),
}


def axes() -> list[Axis]:
    return [Axis(key, label, before, after, writer) for key, (label, before, after, writer) in AXES.items()]


def figures(**more: Any) -> Figures:
    """Of a version that is better, on 36 prompts."""
    values: dict[str, Any] = {
        "prompts": 36,
        "held_out_prompts": 12,
        "quality": Duel(20, 12, 4, 0.61, 0.45, 0.75),
        "quality_mean": Change(7.12, 7.31, -0.08, 0.46),
        "length": Change(148.0, 156.0, -9.0, 24.0),
        "diversity": Change(0.91, 0.92, -0.01, 0.03),
        "follows": Change(0.52, 0.5, -0.07, 0.03),
        "unknown": Change(3.1, 4.0, -0.6, 2.4),
        "echo_before": 0.0,
        "echo_after": 0.0,
        "unended_before": 0.06,
        "unended_after": 0.08,
        "copies": Copies(4, 6, 0.002, 0.004, 0.003, "the keeper of the lamp had not"),
        "bleed": Bleed(0.0, 0.03, ["Mara"]),
        "style": Style(Change(1.21, 0.94, -0.33, -0.18), axes(), 6_400, True),
        "perplexity": Perplexity(38.2, 22.4, 6, True, Change(3.64, 3.11, -0.7, -0.35)),
    }
    return Figures(**values | more)


def judged(judge: str = JUDGE, **more: Any) -> Judged:
    values: dict[str, Any] = {
        "judge": judge,
        "duel": Duel(18, 8, 10, 0.64, 0.47, 0.78),
        "disagreed": 9,
        "named_first": 38,
        "answers": 72,
        "unusable": 0,
    }
    return Judged(**values | more)


def proof(
    number: int,
    verdict: str = "better",
    *,
    status: str = RunStatus.done,
    texts: int = 36,
    into: Settings | None = None,
    writer: str = WRITER,
    text_values: dict[str, Any] | None = None,
    **more: Any,
) -> Proof:
    """A proof of the version of this number, with so many pairs."""
    done = status == RunStatus.done
    reasons = {"better": [BETTER], "worse": [WORSE], "not_shown": [NOT_SHOWN]}
    values: dict[str, Any] = {
        "run_id": secrets.token_hex(16),
        "trigger": "fine_tune",
        "version_number": number,
        "promote": True,
        "verdict": verdict if done else "",
        "reasons": reasons.get(verdict, []) if done else [],
        "figures": figures().as_dict() if done else None,
        "status": status,
        "heartbeat_at": now(),
    }
    if status not in (RunStatus.queued, RunStatus.running, RunStatus.stopping):
        values |= {"completed_at": now()}
    with db.session(into) as session:
        writers.ensure(session, writer)
        session.add(row := Proof(user_id=writer, **values | more))
        session.flush()
        for place in range(texts):
            session.add(text(row, place, **text_values or {}))
    return row


def text(row: Proof, place: int, **more: Any) -> ProofText:
    """One pair; the higher its place, the more the version improved on it."""
    catalog = load_catalog()
    prompt, element = catalog.prompts[place % len(catalog.prompts)], catalog.elements[place % len(catalog.elements)]
    values: dict[str, Any] = {
        "proof_id": row.id or 0,
        "place": place,
        "prompt": prompt.text,
        "genre": prompt.genre,
        "element": element.key,
        "source": "held_out" if place < 12 else "shipped",
        "seed": place // 8,
        "before": f"Before {place}. {story(place)}",
        "after": f"After {place}. {story(place + 100)}",
        "before_ended": True,
        "after_ended": True,
        "score_before": 7.0,
        "score_after": 6.0 + place / 10,
        "flipped": bool(place % 2),
    }
    return ProofText(**values | more)


FILES = {
    "ollama": ("model.gguf", "Modelfile", "README.md"),
    "gguf": ("zega-default-v1.gguf", "Modelfile", "README.md"),
    "peft": ("adapter_model.safetensors", "README.md"),
    "merged": ("model.safetensors", "README.md"),
}
CARD = """# A model

```python
from pathlib import Path

folder = Path(".")  # this folder
print(folder)
```
"""


def export(
    key: str,
    number: int | None = None,
    *,
    status: str = RunStatus.done,
    into: Settings | None = None,
    writer: str = WRITER,
    files: Sequence[str] | None = None,
    **more: Any,
) -> Export:
    """One way out, with its files where it is done."""
    into, run_id = into or get_settings(), secrets.token_hex(16)
    names = (FILES.get(key) or (f"{writer}-{key}.jsonl",)) if files is None else files
    of = "" if number is None else f"-v{number}"
    done = status == RunStatus.done
    values: dict[str, Any] = {
        "run_id": run_id,
        "trigger": "writer",
        "format": key,
        "version_number": number,
        "folder": f"{key}{of}-{run_id[:8]}",
        "files": dict.fromkeys(names, "0" * 64) if done else {},
        "size_bytes": 29_400_000 if done else 0,
        "status": status,
        "heartbeat_at": now(),
    }
    if status not in (RunStatus.queued, RunStatus.running, RunStatus.stopping):
        values |= {"completed_at": now()}
    with db.session(into) as session:
        writers.ensure(session, writer)
        session.add(row := Export(user_id=writer, **values | more))
    if done:
        folder = into.home / "exports" / writer / row.folder
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(CARD if name == "README.md" else "x", encoding="utf-8")
    return row


def report(*, ok: bool = True) -> dict[str, Any]:
    """What was checked in Ollama."""
    said = "Ollama asks it in the form that it learned." if ok else "Ollama does not list zega-default."
    checks = [
        {"name": "template", "ok": ok, "said": said},
        {"name": "answers", "ok": True, "said": "It answered all 5 prompts."},
    ]
    return {"model": "zega-default", "checks": checks, "answers": [], "ok": ok}
