"""Chat models: the storyteller, services, and what makes one teacher of several."""

from __future__ import annotations

from functools import cache

from zega_core.catalog import DATA, load_catalog
from zega_core.providers.grammar import load_common, load_grammar
from zega_core.providers.storyteller import Storyteller
from zega_core.teacher_catalog import load_teacher_catalog


@cache
def storyteller() -> Storyteller:
    """The built-in storyteller, the same for everybody: it keeps nothing."""
    return Storyteller()


def check_storyteller() -> None:
    """Read every grammar of the storyteller now; raises ConfigError naming file and line."""
    load_common(DATA)
    for genre in load_catalog().genres:
        load_grammar(DATA, genre.key)


def label_of(name: str) -> str:
    """What a writer reads for a model's recorded name, or for several in a row."""
    return ", ".join(_label(one) for one in name.split(", "))


def _label(name: str) -> str:
    if name == Storyteller.name:
        return Storyteller.label
    key, _, model = name.partition("/")
    if key == "local":
        return _local_label(model)
    label = next((provider.label for provider in load_teacher_catalog().providers if provider.key == key), key)
    return f"{label} · {model}" if model else label


def _local_label(model: str) -> str:
    """Of a model of this machine: ``base``, ``base:<name>`` or ``<writer>/v3``."""
    if model == "base":
        return "The built-in model"
    kind, _, base = model.partition(":")
    return f"Base model · {base}" if kind == "base" else f"Your model · {model.rpartition('/')[2]}"
