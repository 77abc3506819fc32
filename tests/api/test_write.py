"""Writing by the API, with the seeds' own bodies."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.test_training import events_of
from tests.support import api, tuned
from tests.support.author import PIECES, TEXT, Author, stand_in
from tests.support.worker import until
from zega_core import db
from zega_core.errors import ProviderUnavailable
from zega_core.settings import Settings
from zega_core.store import writings
from zega_core.writing_authors import NO_VERSION
from zega_core.writing_tables import Take

ASKED = {"user_id": "user123", "context": "Write a dark fantasy scene", "use_custom_model": True}


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Author:
    return stand_in(monkeypatch, Author())


@pytest.fixture
def client(config: Settings) -> TestClient:
    return api.client()


def test_the_writers_own_version_writes(client: TestClient, config: Settings, author: Author):
    tuned.version(config, "user123", promote=True, whole=True)
    found = client.post("/predict", json=ASKED | {"genre": "dark-fantasy", "words": 60, "seed": 5})
    answer = found.json()
    assert found.status_code == 200 and answer["text"] == TEXT and answer["state"] == "done"
    assert answer["custom_model_used"] is True and answer["version"] == 1 and answer["model"] == "local/user123/v1"
    assert answer["note"] == "" and answer["seed"] == 5 and answer["hints"] == answer["recalled"] == []
    assert author.names == [("user123", 1, "")]
    assert "Write a dark fantasy scene" in author.asked[0][0]
    assert client.get(f"/predict/{answer['take_id']}").json() == answer


def test_who_stands_in_is_said(client: TestClient, author: Author):
    answer = client.post("/predict", json=ASKED).json()
    assert answer["custom_model_used"] is False and answer["version"] is None
    assert NO_VERSION in answer["note"] and answer["text"] == TEXT


def test_without_a_teacher_the_base_model_writes_and_it_is_said(client: TestClient, author: Author):
    answer = client.post("/predict", json=ASKED | {"use_custom_model": False}).json()
    assert answer["text"] == TEXT and answer["custom_model_used"] is False
    assert answer["note"] == "No teacher can be asked now: the base model writes."


def test_nobody_there_to_write_is_a_sentence(client: TestClient, author: Author):
    author.error = ProviderUnavailable("The model has left.")
    refused = client.post("/predict", json=ASKED)
    assert refused.status_code == 503 and refused.json()["detail"] == "The model has left."


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"words": 5}, "words"),
        ({"temperature": 9}, "temperature"),
        ({"genre": "western"}, "genre"),
        ({"context": "a\x00b"}, "context"),
        ({"context": "x" * 20_001}, "context"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_used_is_named(client: TestClient, author: Author, wrong: dict[str, Any], field: str):
    refused = client.post("/predict", json=ASKED | wrong)
    assert refused.status_code == 422 and [one["field"] for one in refused.json()["errors"]] == [field]
    assert not author.asked


def test_nothing_to_write_about_is_refused(client: TestClient, author: Author):
    for body in ({}, {"context": "  "}, {"element": "poem"}):
        assert client.post("/predict", json=body).status_code == 422


@pytest.mark.parametrize(("path", "more"), [("/predict-stream", {}), ("/predict", {"stream": True})])
def test_the_words_are_streamed_as_they_come(client: TestClient, author: Author, path: str, more: dict[str, Any]):
    found = client.post(path, json=ASKED | more)
    assert found.headers["content-type"].startswith("text/event-stream")
    told = events_of(found.text)
    assert told[0][0] == "take" and told[-1][0] == "result"
    assert "".join(data["text"] for name, _, data in told if name == "text").strip() == TEXT
    assert told[-1][2]["text"] == TEXT and told[-1][2]["take_id"] == told[0][2]["take_id"]


def test_a_stream_that_fails_says_why(client: TestClient, author: Author):
    author.error = ProviderUnavailable("The model has left.")
    told = events_of(client.post("/predict-stream", json=ASKED).text)
    assert told[-1] == ("error", "", {"detail": "The model has left."})


def test_delete_stops_it_and_keeps_what_is_written(client: TestClient, config: Settings, author: Author):
    author.gate = threading.Event()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(client.post("/predict", json=ASKED)))
    asking.start()
    assert author.writing.wait(60)
    take = _take_of(config)
    until(lambda: client.get(f"/predict/{take.id}").json()["text"])
    stopped = client.delete(f"/predict/{take.id}").json()
    asking.join()
    assert stopped["state"] == answers[0].json()["state"] == "stopped"
    assert stopped["text"].startswith(PIECES[0].strip()) and len(stopped["text"]) < len(TEXT)


def test_another_writers_text_answers_like_a_missing_one(client: TestClient, author: Author):
    take_id = client.post("/predict", json=ASKED).json()["take_id"]
    ben = api.client("ben")
    for ask in (ben.get, ben.delete):
        theirs, missing = ask(f"/predict/{take_id}"), ask(f"/predict/{take_id + 1000}")
        assert theirs.status_code == 404 and theirs.json() == missing.json()
    assert ben.post("/predict", json=ASKED).status_code == 404


def test_sent_twice_with_a_key_it_is_written_once(client: TestClient, author: Author):
    first, second = (client.post("/predict", json=ASKED, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == second.json() and len(author.asked) == 1


def _take_of(settings: Settings) -> Take:
    with db.reading(settings) as session:
        (writing,) = writings.recent(session, "user123")
        return writings.takes(session, writing)[0]
