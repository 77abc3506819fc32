"""Chat models. This is the only place where one is chosen."""

from __future__ import annotations

from functools import cache

from zega_core.providers.base import ChatModel
from zega_core.providers.storyteller import Storyteller
from zega_core.settings import Settings


def build_teacher(settings: Settings) -> ChatModel:
    """The teacher that writes examples: so far the built-in storyteller."""
    return _storyteller()


@cache
def _storyteller() -> Storyteller:
    return Storyteller()


def label_of(name: str) -> str:
    """What a writer reads for a model's recorded name."""
    return Storyteller.label if name == Storyteller.name else name
