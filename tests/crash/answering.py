"""A writer's page as a process that can be killed: ``python -m tests.crash.answering KEY JOURNAL``.

What is to be saved is noted in the journal first, as the browser keeps a draft; ``saved N ID`` is printed once the
transaction is through. Begun again, it presses Save once more for what it had not been told is saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.talking import own_words
from zega_core import answering, conversation, db
from zega_core.quality import QualityReport
from zega_core.settings import get_settings


def text_of(number: int) -> str:
    return f"Answer {number}. {own_words(number)}"


def save(key: str, number: int, turn: int) -> None:
    with db.session() as session:
        found = conversation.answer(session, "ana", key, turn, text_of(number), get_settings())
    print(f"saved {number} {found.example_id}", flush=True)  # noqa: T201


def main(key: str, journal: Path) -> None:
    answering.score = lambda *_: QualityReport(5.0, (), None)
    noted = [line.split() for line in journal.read_text(encoding="utf-8").splitlines() if line.endswith(".")]
    if noted:
        save(key, int(noted[-1][0]), int(noted[-1][1]))
    for number in range(int(noted[-1][0]) + 1 if noted else 0, 100_000):
        with db.session() as session:
            turn = conversation.question(session, "ana", key, get_settings()).id
        with journal.open("a", encoding="utf-8") as lines:
            lines.write(f"{number} {turn} .\n")
        save(key, number, turn or 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
