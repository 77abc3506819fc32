"""A teacher's answers to a request for a question, in the form that it asks for, and a writer who has that teacher."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.services import FakeService
from zega_core import db
from zega_core.configs import TeacherChoice, TeachingConfig, checked
from zega_core.store import teaching

MODEL = "llama-3.1-8b-instant"
NAME = f"groq/{MODEL}"
QUESTIONS = (
    "A heron stands on the altar of the drowned chapel. Describe it.",
    "Two carpenters measure the same coffin. Let them argue.",
    "Write what the accountant finds in the last drawer.",
    "Somebody has painted the ferry red overnight. Begin there.",
    "Let a widow haggle for a violin that she does not play.",
    "The census taker counts one child too many. Write that afternoon.",
    "Describe the smell of a cinema on the day of its demolition.",
    "Write a toast for a man whom everybody owes money.",
    "An astronomer hires a dog. Tell us why.",
    "A tailor recognises the coat of the stranger. Go on.",
)


class Asker:
    """As a script for a stand-in: a question of the type that is asked for. ``first`` stands in for the first answers;
    ``before`` is called before each."""

    def __init__(self, *first: str, before: Callable[[], object] = lambda: None) -> None:
        self.first, self.before = first, before
        self.service: FakeService | None = None

    def __call__(self, number: int) -> str:
        self.before()
        if number < len(self.first):
            return self.first[number]
        assert self.service is not None
        asked = str(self.service.completions[-1].json)
        kind, difficulty = re.search(r"type, one of: (\w+)", asked), re.search(r"difficulty, (\w+)", asked)
        return json.dumps(
            {
                "question": QUESTIONS[number % len(QUESTIONS)],
                "type": kind[1] if kind else "scene",
                "context": "For a patient reader.",
                "difficulty": difficulty[1] if difficulty else "easy",
            }
        )


@contextmanager
def teacher(patch: pytest.MonkeyPatch, script: object, *, writer: str = "ana", **more: object) -> Iterator[FakeService]:
    """The only teacher of a writer, at a stand-in on this machine; ``more`` are other choices of theirs."""
    others = [choice.model_copy(update={"on": False}) for choice in TeachingConfig().in_order()]
    chosen = checked(
        TeachingConfig,
        teachers=(TeacherChoice(provider="groq", models=(MODEL,)), *others),  # type: ignore[arg-type]
        **more,
    )
    with FakeService("groq", script) as service:  # type: ignore[arg-type]
        if isinstance(script, Asker):
            script.service = service
        patch.setenv("GROQ_BASE_URL", service.url)
        patch.setenv("GROQ_API_KEY", "gsk_a_key_that_nobody_may_see")
        with db.session() as session:
            teaching.save(session, writer, chosen)
        yield service
