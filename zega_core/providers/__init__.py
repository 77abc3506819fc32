"""Chat models. This is the only place where one is chosen."""

from __future__ import annotations

from functools import cache

from zega_core.catalog import DATA, load_catalog
from zega_core.providers.base import ChatModel
from zega_core.providers.grammar import load_common, load_grammar
from zega_core.providers.storyteller import Storyteller
from zega_core.settings import Settings


def build_teacher(settings: Settings) -> ChatModel:
    """The teacher that writes examples: so far the built-in storyteller."""
    return _storyteller()


@cache
def _storyteller() -> Storyteller:
    return Storyteller()


def check_storyteller() -> None:
    """Read every grammar of the storyteller now; raises ConfigError naming file and line."""
    load_common(DATA)
    for genre in load_catalog().genres:
        load_grammar(DATA, genre.key)


def label_of(name: str) -> str:
    """What a writer reads for a model's recorded name."""
    return Storyteller.label if name == Storyteller.name else name
