"""Modelfiles, with which Ollama makes a model of files, and the commands that go with them.

Read at ollama's parser/parser.go: a value is quoted by one or three quotation marks and knows no escapes, so what holds
three of them, or a character that cannot be printed, cannot be said there.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zega_core.errors import InvalidInput

TEMPLATE = "<|prompt|>{{ if .System }}{{ .System }}\n\n{{ end }}{{ .Prompt }}<|completion|>{{ .Response }}<|end|>"
"""The built-in base's form (data/base_model/README.md) in Go's template language; Ollama cuts the last turn before
``.Response`` (template/template.go). It must say what chat_template in tokenizer_config.json says."""
MODELFILE = "Modelfile"
QUESTION = "Write a scene in an old harbour town"
STOPS = ("<|end|>", "<|prompt|>", "<|completion|>")
PARAMETERS: Mapping[str, Any] = {
    "stop": STOPS,
    "temperature": 0.8,
    "top_p": 0.95,
    "top_k": 0,
    "repeat_penalty": 1.0,
    "num_ctx": 1024,
    "num_predict": 400,
}
"""As ZEGA writes with the built-in base (``local.protocol``, ``local.engine``). Ollama's own defaults would cut off all
but 40 words and push repeated words away, which changes the text."""


def modelfile(source: str, licence: str = "") -> str:
    """``source`` is a file beside the Modelfile ("./model.gguf"). Raises InvalidInput for what cannot be said there."""
    lines = [f"FROM {_line(source)}", f"TEMPLATE {_quoted(TEMPLATE)}"]
    for name, value in PARAMETERS.items():
        many = value if isinstance(value, tuple) else [value]
        lines += [f"PARAMETER {name} {_said(one)}" for one in many]
    if licence:
        lines.append(f"LICENSE {_quoted(licence)}")
    return "\n".join(lines) + "\n"


def by_hand(name: str) -> list[str]:
    """What to type in the folder of a Modelfile to make the model ``name`` in Ollama, and to ask it."""
    return commands(Path(), {MODELFILE: name}, QUESTION)[1:]


def commands(folder: Path, models: Mapping[str, str], question: str = "") -> list[str]:
    """What to type to make ``models`` (name by Modelfile) of the files in ``folder``, then to ask the last of them."""
    typed = [_typed("cd", str(folder))]
    typed += [_typed("ollama", "create", name, "-f", file) for file, name in models.items()]
    asked = [question] if question else []
    return [*typed, _typed("ollama", "run", list(models.values())[-1], *asked)]


def _typed(*words: str) -> str:
    """A line for the shell of this machine."""
    return _for_windows(words) if os.name == "nt" else shlex.join(words)


def _for_windows(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words)


def _said(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else str(value)


def _line(text: str) -> str:
    """One line without quotes; such a value ends where the line does."""
    text = text.strip()
    if not text or not text.isprintable() or text.startswith('"'):
        raise InvalidInput(
            f"{ascii(text)[:60]} cannot stand in a Modelfile. Use a name of letters, digits and hyphens."
        )
    return text


def _quoted(text: str) -> str:
    if '"""' in text or text.startswith('"') or text.endswith('"') or not text.replace("\n", "").isprintable():
        raise InvalidInput(
            "This text cannot stand in a Modelfile. Take quotation marks and unseen characters out of it."
        )
    return f'"""{text}"""'
