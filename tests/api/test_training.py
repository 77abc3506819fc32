"""Auto-Train, its stream, statistics and fine-tuning, with the seeds' own bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support import api, at_once, tuned
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.jobs import client as jobs
from zega_core.settings import Settings
from zega_core.store import sessions
from zega_core.tables import RunStatus

ASKED = {"user_id": "user123", "num_examples": 50, "genres": ["fantasy", "sci_fi"], "store_in_memory": False}


@pytest.fixture
def worked(config: Settings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return at_once.work(monkeypatch)


@pytest.fixture
def client(worked: list[str]) -> TestClient:
    return api.client()


def events_of(text: str) -> list[tuple[str, str, Any]]:
    """Name, id and data of each event; a comment has no name."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if line)
        if lines:
            found.append((lines.get("event", ""), lines.get("id", ""), json.loads(lines.get("data", "null"))))
    return found


def test_health_is_as_the_seeds_have_it(client: TestClient):
    found = client.get("/health").json()
    assert found["status"] == "healthy" and found["database"] == "sqlite" and found["worker"] is False
    assert {"auto-train", "streaming", "ensemble"} <= set(found["features"])
    assert isinstance(found["version"], str) and isinstance(found["models_loaded"], int)


def test_genres_are_the_eight(client: TestClient):
    assert client.get("/training/genres").json() == {
        "genres": ["fantasy", "dark_fantasy", "sci_fi", "mystery", "horror", "romance", "adventure", "thriller"],
        "total": 8,
    }


def test_auto_train_answers_when_done_with_the_seeds_fields(client: TestClient):
    found = client.post("/auto-train", json=ASKED)
    assert found.status_code == 200
    answer = found.json()
    assert (answer["total_requested"], answer["successful"], answer["failed"], answer["set_aside"]) == (50, 43, 0, 7)
    assert answer["genre_distribution"] == {"fantasy": 21, "sci_fi": 22}
    assert answer["average_quality"] == pytest.approx(8.01) and answer["total_time"] == 12.5
    assert answer["training_stats"] == {"training_examples": 43, "examples_until_next_training": 7}
    assert answer["ready_for_finetuning"] is False and answer["status"] == "done"
    assert client.get(f"/auto-train/{answer['session_id']}").json() == answer


def test_what_is_asked_for_is_what_is_queued(client: TestClient, config: Settings):
    wishes = {"user_id": 123, "num_examples": 1, "genres": ["Sci-Fi"], "store_in_memory": True}
    found = client.post("/auto-train", json=wishes | {"save_to_database": True, "seed": 7})
    with db.reading(config) as session:
        row = sessions.get(session, "123", found.json()["session_id"])
    assert (row.genres_selected, row.stored_in_memory, row.saved_to_database, row.seed) == (["sci_fi"], True, True, 7)
    client.post("/auto-train", json={"num_examples": 1, "genres": [], "user_id": "123"})
    with db.reading(config) as session:
        latest = sessions.latest(session, "123")
    assert latest is not None and len(latest.genres_selected) == 8


def test_in_the_background_it_says_where_to_look(client: TestClient):
    found = client.post("/auto-train", json=ASKED | {"background": True})
    assert found.status_code == 202
    assert found.headers["location"] == found.json()["location"] == f"/auto-train/{found.json()['session_id']}"
    assert client.get(found.headers["location"]).json()["successful"] == 43
    assert events_of(client.get(found.json()["stream"]).text)[-1][0] == "result"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"num_examples": 0}, "num_examples"),
        ({"num_examples": 501}, "num_examples"),
        ({"num_examples": "many"}, "num_examples"),
        ({"genres": ["western"]}, "genres.0"),
        ({"user_id": "../x"}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"seed": -1}, "seed"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(client: TestClient, worked: list[str], wrong: dict[str, Any], field: str):
    found = client.post("/auto-train", json=ASKED | wrong)
    assert found.status_code == 422 and found.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in found.json()["errors"]] == [field]
    assert not worked


def test_a_body_that_is_no_json_too_large_or_of_another_kind(client: TestClient):
    kinds = [("text/plain", b"{}"), ("", b"{}"), ("application/x-www-form-urlencoded", b"a=b")]
    answers = [client.post("/auto-train", content=body, headers={"Content-Type": kind}) for kind, body in kinds]
    answers += [client.post("/auto-train", content=b"{", headers={"Content-Type": "application/json"})]
    answers += [client.post("/auto-train", json={"num_examples": 1, "genres": ["x" * 1_000_001]})]
    answers += [client.post("/auto-train", content=(b" " * 100_000 for _ in range(11)))]
    assert [answer.status_code for answer in answers] == [415, 415, 415, 422, 413, 413]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


def test_sent_twice_with_a_key_it_runs_once(client: TestClient, worked: list[str]):
    first, second = (client.post("/auto-train", json=ASKED, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == second.json() and second.headers["idempotency-replayed"] == "true"
    assert len(worked) == 1
    told = [
        events_of(client.post("/auto-train-stream", json=ASKED, headers={"Idempotency-Key": "s"}).text)
        for _ in range(2)
    ]
    assert told[0] == told[1] and len(worked) == 2


def test_another_writers_session_answers_like_a_missing_one(client: TestClient):
    session_id = client.post("/auto-train", json=ASKED).json()["session_id"]
    ben = api.client("ben")
    for path in ("/auto-train/{}", "/auto-train-stream/{}"):
        theirs, missing = (ben.get(path.format(one)) for one in (session_id, "0" * 32))
        assert theirs.status_code == 404 and theirs.json() == missing.json()
    theirs, missing = (ben.post(f"/auto-train-stream?session_id={one}") for one in (session_id, "0" * 32))
    assert theirs.status_code == 404 and theirs.json() == missing.json()
    for path in ("training-stats", "trigger-finetuning/" + "0" * 32):
        theirs, missing = (ben.get(f"/user/{one}/{path}") for one in ("user123", "nobody"))
        assert theirs.status_code == 404 and theirs.json() == missing.json()
    assert ben.post("/auto-train", json=ASKED).status_code == ben.post("/user/user123/trigger-finetuning").status_code
    assert ben.post("/auto-train", json=ASKED).status_code == 404


def test_the_stream_tells_every_example_once_and_then_the_result(client: TestClient):
    told = events_of(client.post("/auto-train-stream", json=ASKED | {"num_examples": 240}).text)
    pieces = [(identity, data) for name, identity, data in told if name == "example"]
    assert [data["index"] for _, data in pieces] == list(range(240))
    assert [identity for identity, _ in pieces] == [str(data["id"]) for _, data in pieces]
    assert {"prompt", "completion", "status", "reason", "quality", "genre", "element", "model"} <= pieces[0][1].keys()
    assert told[-1][0] == "result" and told[-1][2]["successful"] == 206
    assert [data["done"] for name, _, data in told if name == "progress"][-1] == 240


def test_a_stream_goes_on_after_the_last_event_seen(client: TestClient):
    whole = events_of(client.post("/auto-train-stream", json=ASKED).text)
    ids = [identity for name, identity, _ in whole if name == "example"]
    session_id = whole[-1][2]["session_id"]
    for ask in (client.get, client.post):
        path = (
            f"/auto-train-stream/{session_id}" if ask == client.get else f"/auto-train-stream?session_id={session_id}"
        )
        rest = events_of(ask(path, headers={"Last-Event-ID": ids[19]}).text)
        assert [identity for name, identity, _ in rest if name == "example"] == ids[20:]
    refused = client.get(f"/auto-train-stream/{session_id}", headers={"Last-Event-ID": "x"})
    assert refused.status_code == 422


def test_a_stream_needs_something_to_write_or_to_follow(client: TestClient):
    refused = client.post("/auto-train-stream")
    assert refused.status_code == 422 and "session_id" in refused.json()["detail"]


def test_a_run_that_failed_says_so(config: Settings, monkeypatch: pytest.MonkeyPatch):
    at_once.work(monkeypatch, auto_train=lambda settings, run: at_once.end(settings, run, RunStatus.failed))
    answer = api.client().post("/auto-train", json=ASKED).json()
    assert answer["status"] == "failed" and answer["successful"] == 0 and answer["average_quality"] is None


@pytest.mark.usefixtures("database")
def test_statistics_have_the_seeds_fields(config: Settings, monkeypatch: pytest.MonkeyPatch):
    at_once.work(monkeypatch)
    tuned.keep(config, "user123", 32, genre="dark_fantasy")
    tuned.keep(config, "user123", 5, first=32, genre="", quality=None)
    client = api.client()
    before = client.get("/user/user123/training-stats").json()
    assert before["quality_scores"] == {"average": 8.47, "highest": 9.5, "lowest": 7.5}
    assert before["genre_preferences"] == {"dark_fantasy": 32, "other": 5}
    assert (before["training_examples"], before["examples_until_next_training"]) == (37, 13)
    assert (before["custom_model_exists"], before["custom_model_name"], before["last_fine_tune"]) == (False, None, None)
    client.post("/user/user123/trigger-finetuning")
    after = client.get("/user/user123/training-stats").json()
    assert (after["custom_model_exists"], after["custom_model_name"]) == (True, "zega-user123")
    assert after["last_fine_tune"].endswith("Z") and after["total_training_steps"] == 60
    assert after.keys() == {
        *("user_id", "training_examples", "examples_until_next_training", "last_fine_tune", "quality_scores"),
        *("genre_preferences", "total_training_steps", "custom_model_exists", "custom_model_name"),
    }


def test_fine_tuning_answers_when_there_is_a_version(client: TestClient, config: Settings, worked: list[str]):
    tuned.keep(config, "user123", 20)
    found = client.post("/user/user123/trigger-finetuning", headers={"Idempotency-Key": "k"})
    answer = found.json()
    assert found.status_code == 200 and answer["status"] == "success"
    assert answer["message"].startswith("Fine-tuned model 'zega-user123' created")
    assert answer["training_examples_used"] > 0 and answer["training_time_seconds"] == 75.0
    assert answer["model_size_mb"] > 0 and answer["version"] >= 1
    again = client.post("/user/user123/trigger-finetuning", headers={"Idempotency-Key": "k"})
    assert again.json() == answer and len(worked) == 1
    queued = client.post("/user/user123/trigger-finetuning?background=true")
    assert queued.status_code == 202
    assert client.get(queued.headers["location"]).json()["run_id"] == queued.json()["run_id"]


def test_too_little_to_learn_from_says_how_much_is_missing(client: TestClient, config: Settings):
    tuned.keep(config, "user123", 3)
    refused = client.post("/user/user123/trigger-finetuning")
    assert refused.status_code == 422 and "12 more" in refused.json()["detail"]
    assert client.post("/user/nobody/trigger-finetuning").status_code == 404


def test_a_session_that_a_killed_process_began_is_not_begun_again(config: Settings, worked: list[str]):
    """The route is given what was noted for the same request, and waits for that."""
    from zega_core.api import once
    from zega_core.api.access import Caller
    from zega_core.api.routes.training import AutoTrainBody, _start

    begun = jobs.start_auto_train(AutoTrainConfig(writer_id="ana", num_examples=1), teacher="storyteller")
    body = AutoTrainBody.model_validate({"user_id": "ana", "num_examples": 1})
    assert _start(body, Caller(None), once.Noted("ana", "k", begun)) == ("ana", begun)
    assert len(worked) == 1
