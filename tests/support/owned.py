"""One of everything that a writer can have, by the kind of its id."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support import fine_tuned, proved, takes
from tests.support.talking import own_words, started
from tests.support.written import written
from zega_core import conversation, db, own_pages, shelf
from zega_core.configs import AutoTrainConfig
from zega_core.conversation_tables import Notification
from zega_core.settings import Settings
from zega_core.store import api_keys, notifications, sessions, writings
from zega_core.tables import Memory, RunStatus


@dataclass(frozen=True, slots=True)
class Owned:
    """``file`` is one of the export's. ``take`` and ``key`` as their tables have them."""

    writer: str
    session: str
    conversation: str
    turn: int
    example: int
    story: int
    memory: int
    version: int
    fine_tune: str
    proof: str
    export: str
    file: str
    pages: str
    take: int
    key: int


def everything(writer: str, settings: Settings, *, version: int = 7) -> Owned:
    """Stored; nothing of it waits for a worker."""
    key = started("Stories of the sea", writer=writer)
    with db.session(settings) as session:
        turn = conversation.question(session, writer, key, settings)
        conversation.save_draft(session, writer, turn.id or 0, own_words(3))
        config = AutoTrainConfig(writer_id=writer, num_examples=3)
        trained = sessions.create(session, config, teacher="storyteller", order_seed=1)
        trained.status, trained.completed_at, trained.recorded = RunStatus.stopped, trained.started_at, True
        session.add(trained)
        story = shelf.save(session, writer, "Salt", "The tide came in, and nobody had seen it go out.")
        opened, _ = api_keys.create(session, writer, "of everything")
        notifications.add(
            session, Notification(user_id=writer, key="told", kind="finished", text=f"Something of {writer}'s.")
        )
        pages = own_pages.add(session, writer, "tale.txt", f"Chapter 1\n\n{own_words(5)}".encode(), settings)
        pages.status, pages.completed_at = RunStatus.stopped, pages.created_at
        session.add(pages)
        session.flush()
        ids = trained.session_id, story.id or 0, opened.id or 0, pages.run_id, turn.id or 0
    (example,) = written(1, writer, settings)
    with db.session(settings) as session:
        session.add(held := Memory(user_id=writer, example_id=example, body="What is remembered.", genre="fantasy"))
        session.flush()
        remembered = held.id or 0
    asked = takes.writing(into=settings, writer=writer)
    with db.reading(settings) as session:
        (take,) = writings.takes(session, asked)
    fine_tuned.version(version, into=settings, writer=writer)
    taken = proved.export("jsonl", into=settings, writer=writer)
    return Owned(
        writer=writer,
        session=ids[0],
        conversation=key,
        turn=ids[4],
        example=example,
        story=ids[1],
        memory=remembered,
        version=version,
        fine_tune=fine_tuned.run(RunStatus.stopped, step=3, into=settings, writer=writer).run_id,
        proof=proved.proof(version, into=settings, writer=writer, texts=2).run_id,
        export=taken.run_id,
        file=next(iter(taken.files)),
        pages=ids[3],
        take=take.id or 0,
        key=ids[2],
    )
