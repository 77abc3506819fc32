"""Finding the likest texts: in this process, and by pgvector where a writer has too many for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from tests.support.postgresql import Cluster, why_not, with_pgvector
from zega_core import db, memory, nearest
from zega_core.embedders import Matrix
from zega_core.settings import Settings
from zega_core.store import memories, vectors, writers
from zega_core.tables import Example, ExampleStatus, Memory, Source

SIZE = vectors.SIZE


class Meaning:
    """The place of a text's first word in the alphabet stands for what it means."""

    name, size = "letters", SIZE

    def embed(self, texts: Sequence[str]) -> Matrix:
        rows = np.zeros((len(texts), SIZE), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[ord(text[0]) % SIZE] = 1.0
            row[SIZE - 1] = 0.1 + 0.001 * len(text)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


EMBEDDER = Meaning()


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    installed = with_pgvector()
    reason = why_not() if installed is not None else "no PostgreSQL with pgvector is installed"
    if reason:
        pytest.skip(f"PGVECTOR TESTS SKIPPED: {reason}")
    with Cluster.started(installed) as running:
        yield running


@pytest.fixture
def settings(server: Cluster, config: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """On a PostgreSQL with pgvector, where more than five texts are many."""
    monkeypatch.setattr(memories, "MOST", 5)
    return config.model_copy(update={"database_url": SecretStr(server.new_database())})


def remember(settings: Settings, writer: str, texts: list[str]) -> None:
    with db.session(settings) as session:
        writers.ensure(session, writer)
        for text in texts:
            example = Example(
                user_id=writer,
                source=Source.manuscript,
                genre="horror",
                element="scene",
                prompt=text,
                completion=text,
                status=ExampleStatus.kept,
                text_hash=text,
            )
            session.add(example)
            session.flush()
            row = Memory(user_id=writer, example_id=example.id, body=text, embedder=EMBEDDER.name)
            row.embedding = EMBEDDER.embed([text])[0].astype("<f4").tobytes()
            session.add(row)


def likest(session: Session, settings: Settings, writer: str, query: str, most: int = 3) -> list[str]:
    found = nearest.texts(session, writer, EMBEDDER, settings).nearest(EMBEDDER.embed([query])[0], most)
    bodies = dict(session.exec(select(Memory.id, Memory.body)).all())
    return [bodies[one] for one, score, _ in found if score > 0.5]


@pytest.mark.postgresql
def test_the_database_searches_what_is_too_much_for_this_process(settings: Settings):
    remember(settings, "ana", ["apple", "bird", "cat", "dog", "egg", "fox", "goat"])
    remember(settings, "ben", ["ape", "arm", "ant"])

    assert nearest.hand_over("ana", EMBEDDER, settings) == ""
    assert nearest.hand_over("ana", EMBEDDER, settings) == ""  # a second time changes nothing

    with db.reading(settings) as session:
        texts = nearest.texts(session, "ana", EMBEDDER, settings)
        assert isinstance(texts, nearest.InDatabase)
        assert len(texts) == 7
        assert likest(session, settings, "ana", "aloe") == ["apple"]  # the oldest, and no other writer's
        _, score, numbers = texts.nearest(EMBEDDER.embed(["goat"])[0], 1)[0]
        assert score == pytest.approx(1.0, abs=1e-5)
        assert numbers.tolist() == EMBEDDER.embed(["goat"])[0].tolist()
        assert isinstance(nearest.texts(session, "ben", EMBEDDER, settings), nearest.Held)
        assert sorted(likest(session, settings, "ben", "aloe")) == ["ant", "ape", "arm"]


@pytest.mark.postgresql
def test_what_is_forgotten_is_not_found_by_the_database_either(settings: Settings):
    remember(settings, "ana", ["apple", "bird", "cat", "dog", "egg", "fox", "goat", "apricot"])
    nearest.hand_over("ana", EMBEDDER, settings)
    with db.session(settings) as session:
        apple = session.exec(select(Memory.id).where(Memory.body == "apple")).one()
        memory.forget(session, "ana", apple or 0)
    with db.reading(settings) as session:
        assert likest(session, settings, "ana", "aloe") == ["apricot"]
    with db.session(settings) as session:
        memory.forget_all(session, "ana")
    with db.reading(settings) as session:
        assert vectors.count(session, "ana", EMBEDDER.name) == 0


@pytest.mark.postgresql
def test_without_pgvector_the_newest_are_searched_and_it_is_said(
    cluster: Cluster, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memories, "MOST", 5)
    monkeypatch.setattr(vectors, "_EXTENSION", vectors.text("SELECT 0"))  # that cluster may have it, too
    settings = config.model_copy(update={"database_url": SecretStr(cluster.new_database())})
    remember(settings, "ana", ["apple", "bird", "cat", "dog", "egg", "fox", "goat"])

    said = nearest.hand_over("ana", EMBEDDER, settings)

    assert said.startswith("pgvector 0.8 or newer is not installed")
    assert "newest 5 texts" in said
    with db.reading(settings) as session:
        assert isinstance(nearest.texts(session, "ana", EMBEDDER, settings), nearest.Held)
        assert likest(session, settings, "ana", "aloe") == []
        assert likest(session, settings, "ana", "goat") == ["goat"]
