"""The seeds' endpoints of the training history, and what goes beyond them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from tests.support.history import NOON, conversation_row, did, fine_tune_row, session_row, written
from zega_core import db
from zega_core.api import access
from zega_core.api.app import create_app
from zega_core.api.fields import attachment
from zega_core.settings import Settings
from zega_core.store import runs, sessions
from zega_core.tables import Example, ExampleStatus, RunStatus, TrainingSession, Writer

BODY: dict[str, Any] = {
    "userId": 1,
    "sessionId": "abc123...",
    "numExamplesRequested": 10,
    "numExamplesSuccessful": 9,
    "numExamplesFailed": 1,
    "genresSelected": '["fantasy", "sci-fi"]',
    "storedInMemory": False,
    "savedToDatabase": True,
    "storiesSavedCount": 3,
    "averageQuality": 8.5,
    "minQuality": 7.2,
    "maxQuality": 9.8,
    "bestPerformingModel": "gemini-2.0",
    "modelPerformanceJson": '{"gemini-2.0": {"count": 8, "avg_quality": 8.9}, "groq-llama": {"count": 1}}',
    "genreDistributionJson": '{"fantasy": 5, "sci-fi": 4}',
    "totalTimeSeconds": 180,
    "trainingExamplesBefore": 40,
    "trainingExamplesAfter": 49,
    "finetuningTriggered": False,
    "startedAt": "2024-01-20T10:30:00",
    "completedAt": "2024-01-20T10:33:00",
}
"""As in the seeds, with something in the places of their dots."""
RECORD = set(BODY) | {"id", "createdAt", "status", "archived", "reported", "error"}


def client_of(writer: str | None) -> TestClient:
    app = create_app()
    app.dependency_overrides[access.caller] = lambda: access.Caller(writer)
    here = "http://127.0.0.1:8002"
    return TestClient(app, base_url=here, client=("127.0.0.1", 50_000), raise_server_exceptions=False)


@pytest.fixture
def api(config: Settings) -> Iterator[TestClient]:
    with client_of(None) as client:
        yield client


def path(rest: str) -> str:
    return f"/api/training-history{rest}"


def post(api: TestClient, **changes: Any) -> Any:
    return api.post(path(""), json=BODY | changes)


def refused(answer: Any, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


def test_a_record_is_handed_in_as_the_seeds_say(api: TestClient, database: str):
    answer = post(api)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert set(found) == RECORD
    expected = BODY | {
        "userId": "1",
        "genresSelected": '["fantasy", "sci_fi"]',
        "startedAt": "2024-01-20T10:30:00Z",
        "completedAt": "2024-01-20T10:33:00Z",
    }
    for name in set(BODY) - {"modelPerformanceJson", "genreDistributionJson"}:
        assert found[name] == expected[name], name
    assert json.loads(found["modelPerformanceJson"]) == json.loads(BODY["modelPerformanceJson"])
    assert json.loads(found["genreDistributionJson"]) == {"fantasy": 5, "sci_fi": 4}
    assert (found["status"], found["reported"], found["archived"], found["error"]) == ("done", True, False, None)
    assert api.get(answer.headers["location"]).json() == found
    assert api.get(path("/session/abc123...")).json() == found
    with db.reading() as session:
        assert session.get(Writer, "1") is not None
    told = api.get(path("/user/1/export?format=json")).json()
    assert told[0]["teacher"] == "gemini-2.0"


def test_the_same_record_again_is_the_one_that_is_there_and_another_is_refused(api: TestClient, database: str):
    first, again = post(api), post(api)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    refused(post(api, averageQuality=8.0), 409, "sessionId")
    run = session_row("1")
    refused(post(api, sessionId=run), 409, "sessionId")
    with db.reading() as session:
        assert len(session.exec(select(TrainingSession)).all()) == 2


def test_what_another_writer_has_of_an_id_is_no_matter(api: TestClient, database: str):
    run = session_row("1", status=RunStatus.queued, completed_at=None)
    assert post(api, userId="ana", sessionId=run).status_code == 201, "that another has it cannot be told"
    assert [post(api, userId=writer).status_code for writer in ("ben", "ana")] == [201, 201]
    with db.reading() as session:
        assert sessions.by_id(session, run).user_id == "1"
        assert sessions.get(session, "ana", run).reported
    assert api.get(path(f"/session/{run}")).json()["userId"] == "1", "without keys: what ZEGA ran"
    assert api.get(path(f"/session/{BODY['sessionId']}")).json()["userId"] == "ana", "else the last one"
    with client_of("ben") as ben:
        assert ben.get(path(f"/session/{BODY['sessionId']}")).json()["userId"] == "ben"
        assert ben.get(path(f"/session/{run}")).status_code == 404
    before = api.get(path(f"/session/{run}")).json()
    with db.session() as session:
        begun = runs.begin(session, run, 1)
        assert begun is not None and begun.user_id == "1"
        runs.write_record(session, run)
    assert api.get(path(f"/session/{run}")).json() != before
    with db.reading() as session:
        assert sessions.get(session, "ana", run).num_examples_successful == BODY["numExamplesSuccessful"]


def test_what_is_left_out_is_not_known(api: TestClient):
    needed = ("userId", "sessionId", "numExamplesRequested", "numExamplesSuccessful", "numExamplesFailed")
    body = {name: BODY[name] for name in (*needed, "startedAt", "completedAt")}
    found = api.post(path(""), json=body).json()
    assert (found["averageQuality"], found["genresSelected"], found["bestPerformingModel"]) == (None, "[]", None)
    for name in body:
        refused(api.post(path(""), json={key: body[key] for key in body if key != name}), 422, name)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"userId": "A/B"}, "cannot be a writer's id"),
        ({"userId": True}, "userId"),
        ({"sessionId": ""}, "sessionId"),
        ({"sessionId": "a\x00b"}, "sessionId"),
        ({"sessionId": "x" * 101}, "sessionId"),
        ({"numExamplesRequested": -1}, "numExamplesRequested"),
        ({"numExamplesRequested": 2**40}, "numExamplesRequested"),
        ({"genresSelected": "fantasy"}, "genresSelected"),
        ({"genresSelected": '["poetry"]'}, "dark_fantasy"),
        ({"genresSelected": '{"fantasy": 1}'}, "genresSelected"),
        ({"genresSelected": "[" * 10_000}, "genresSelected"),
        ({"genresSelected": ["fantasy"]}, "genresSelected"),
        ({"averageQuality": 10.1}, "averageQuality"),
        ({"averageQuality": "NaN"}, "averageQuality"),
        ({"averageQuality": 5.0}, "between minQuality"),
        ({"modelPerformanceJson": '{"a": {"count": NaN}}'}, "modelPerformanceJson"),
        ({"modelPerformanceJson": '{"a": {"count": -1}}'}, "count"),
        ({"modelPerformanceJson": '{"a": 3}'}, "modelPerformanceJson"),
        ({"modelPerformanceJson": '{"a\\u0000": {"count": 1}}'}, "modelPerformanceJson"),
        ({"genreDistributionJson": '{"fantasy": 1.5}'}, "genreDistributionJson"),
        ({"genreDistributionJson": '{"poetry": 1}'}, "genre"),
        ({"bestPerformingModel": "a\x00"}, "bestPerformingModel"),
        ({"completedAt": "2024-01-20T10:29:59"}, "startedAt"),
        ({"startedAt": "yesterday"}, "startedAt"),
        ({"startedAt": 1_700_000_000}, "startedAt"),
        ({"startedAt": "0001-01-01T00:00:00+14:00"}, "startedAt"),
        ({"more": 1}, "more"),
    ],
)
def test_what_cannot_be_a_record_is_refused_with_its_field(api: TestClient, changes: dict[str, Any], says: str):
    refused(post(api, **changes), 422, says)


def test_a_moment_with_a_zone_is_told_in_utc(api: TestClient):
    found = post(api, startedAt="2024-01-20T10:30:00+02:00").json()
    assert found["startedAt"] == "2024-01-20T08:30:00Z"


def test_sessions_are_an_array_newest_first(api: TestClient, database: str):
    assert api.get(path("/user/ana")).json() == []
    mine = [session_row(days=number) for number in range(6)]
    session_row("ben", days=9)
    conversation_row()
    fine_tune_row()
    found = api.get(path("/user/ana"))
    assert found.headers["content-type"] == "application/json"
    assert [one["sessionId"] for one in found.json()] == mine[::-1]
    # All of it was read before the first byte was sent: who reads slowly holds no connection to the database.
    for rest in ("", "/export?format=csv", "/export?format=json", "/export?format=parquet"):
        answer = api.get(path(f"/user/ana{rest}"))
        assert int(answer.headers["content-length"]) == len(answer.content) > 0
    assert set(found.json()[0]) == RECORD


def test_pages_are_as_spring_has_them(api: TestClient):
    mine = [session_row(days=number) for number in range(5)]
    page = api.get(path("/user/ana/paginated"), params={"page": 1, "size": 2}).json()
    assert [one["sessionId"] for one in page.pop("content")] == [mine[2], mine[1]]
    assert page == {
        "totalPages": 3,
        "totalElements": 5,
        "number": 1,
        "size": 2,
        "first": False,
        "last": False,
        "numberOfElements": 2,
        "empty": False,
    }
    last = api.get(path("/user/ana/paginated?page=2&size=2")).json()
    assert (last["first"], last["last"], last["numberOfElements"]) == (False, True, 1)
    beyond = api.get(path("/user/ana/paginated?page=9")).json()
    assert (beyond["content"], beyond["empty"], beyond["totalPages"], beyond["last"]) == ([], True, 1, True)
    usual = api.get(path("/user/ana/paginated")).json()
    assert (usual["size"], usual["number"], usual["first"]) == (10, 0, True)


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("genre=sci-fi", 1),
        ("genre=horror&genre=sci_fi", 2),
        ("low=8", 1),
        ("high=7.5", 1),
        ("status=failed", 1),
        ("teacher=groq/a", 1),
        ("since=2026-07-02", 1),
        ("until=2026-07-02T00:00:00Z", 1),
        ("text=disk", 1),
        ("archived=true", 0),
        ("text=%00", 2),
        ("teacher=%00", 2),
    ],
)
def test_lists_are_filtered(api: TestClient, query: str, number: int):
    session_row(genres_selected=["sci_fi"], average_quality=9.0, teacher="groq/a")
    session_row(days=1, genres_selected=["horror"], status=RunStatus.failed, error="The disk is full.")
    assert api.get(path(f"/user/ana/paginated?{query}")).json()["totalElements"] == number
    assert len(api.get(path(f"/user/ana?{query}")).json()) == number


@pytest.mark.parametrize(
    "query", ["genre=poetry", "low=11", "since=never", "until=0.5", "page=-1", "size=0", "status=x", "order=x"]
)
def test_a_filter_that_cannot_be_is_refused(api: TestClient, query: str):
    refused(api.get(path(f"/user/ana/paginated?{query}")), 422, query.partition("=")[0])


def test_totals_are_the_seeds_six(api: TestClient, database: str):
    empty = api.get(path("/user/ana/stats")).json()
    assert empty["totalSessions"] == 0
    assert empty["averageQuality"] is None
    session_row(num_examples_successful=30, num_examples_set_aside=0, average_quality=8.0, fine_tuning_triggered=True)
    session_row(num_examples_successful=10, num_examples_set_aside=0, average_quality=6.0, stories_saved_count=3)
    session_row(recorded=False, status=RunStatus.running)
    assert api.get(path("/user/ana/stats")).json() == {
        "totalSessions": 2,
        "totalExamplesGenerated": 40,
        "totalStoriesSaved": 3,
        "averageQuality": 7.5,
        "totalTrainingTimeSeconds": 120,
        "fineTuningSessionsCount": 1,
    }


def test_recent_ones_are_those_that_ended_last(api: TestClient):
    mine = [session_row(days=-number, completed_at=NOON.replace(day=1 + number)) for number in range(7)]
    session_row(days=20, completed_at=None, status=RunStatus.running)
    recent = api.get(path("/user/ana/recent")).json()
    assert [one["sessionId"] for one in recent] == mine[:1:-1]
    assert len(api.get(path("/user/ana/recent?limit=2")).json()) == 2
    refused(api.get(path("/user/ana/recent?limit=0")), 422, "limit")


def test_stored_figures_that_are_none_are_null(api: TestClient):
    key = session_row(
        average_quality=float("inf"),
        total_time_seconds=float("inf"),
        genres_selected=[None, "poetry"],
        model_performance_json={"a": {"avg_quality": float("nan")}, "b": None},
        genre_distribution_json=None,
    )
    found = api.get(path(f"/session/{key}")).json()
    assert (found["averageQuality"], found["totalTimeSeconds"]) == (None, 0)
    assert json.loads(found["modelPerformanceJson"]) == {"a": {"avg_quality": None}, "b": None}
    assert json.loads(found["genresSelected"]) == [None, "poetry"]
    assert api.get(path("/user/ana/stats")).json()["averageQuality"] is None
    assert api.get(path(f"/session/{key}/share")).status_code == 200
    assert api.get(path(f"/session/{key}/compare/{key}")).status_code == 200
    for form in ("csv", "json", "parquet"):
        assert api.get(path(f"/user/ana/export?format={form}")).status_code == 200


def test_the_history_is_exported_in_three_forms(api: TestClient):
    key = session_row(genres_selected=["horror", "mystery"], error="=1+1")
    talk = conversation_row(days=1, name="+Tides")
    answer = api.get(path("/user/ana/export"))
    assert answer.headers["content-disposition"] == attachment("history.csv")["Content-Disposition"]
    first, second = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert (first["id"], first["name"]) == (talk, "'+Tides")
    assert (second["id"], second["genres"], second["error"]) == (key, "horror, mystery", "'=1+1")
    told = api.get(path("/user/ana/export?format=json&kind=auto_train")).json()
    assert [(one["id"], one["genres"], one["quality"]) for one in told] == [(key, ["horror", "mystery"], 7.0)]
    table = pyarrow.parquet.read_table(io.BytesIO(api.get(path("/user/ana/export?format=parquet")).content))
    assert table.column("id").to_pylist() == [talk, key]
    assert table.column("started_at").to_pylist()[1] == NOON
    refused(api.get(path("/user/ana/export?format=xls")), 422, "format")


def test_a_recommendation_has_its_evidence(api: TestClient):
    found = api.get(path("/user/ana/recommendation")).json()
    assert found["evidence"] is None
    assert found["message"].startswith("Not enough yet")
    for number in range(3):
        did(session_row(days=number), "groq/a", "mystery", made=20, kept=18, scored=20, quality_sum=166.0)
    found = api.get(path("/user/ana/recommendation")).json()
    assert found["message"] == "Mystery with Groq · a keeps 90% at 8.3; 3 sessions."
    assert (found["evidence"]["made"], found["evidence"]["kept"]) == (60, 54)


def test_a_session_is_archive_brought_back_and_deleted(api: TestClient):
    key = session_row()
    kept = written(key, "kept", idx=0)
    aside = written(key, "aside", idx=1, status=ExampleStatus.set_aside)
    assert "archived" in api.post(path(f"/session/{key}/archive")).json()["message"]
    assert api.get(path(f"/session/{key}")).json()["archived"]
    assert api.get(path("/user/ana/paginated?archived=false")).json()["empty"]
    assert "brought back" in api.post(path(f"/session/{key}/unarchive")).json()["message"]
    assert api.delete(path(f"/session/{key}")).json()["message"] == (
        "1 session deleted. 1 kept example stays on the page Examples."
    )
    refused(api.get(path(f"/session/{key}")), 404, "no such session")
    with db.reading() as session:
        assert session.get_one(Example, kept).session_id is None
        assert session.get(Example, aside) is None
    refused(api.delete(path(f"/session/{session_row(status=RunStatus.running)}")), 422, "Stop it first")


def test_another_writers_session_is_like_a_missing_one(config: Settings):
    key, own = session_row("ana"), session_row("ben")
    with client_of("ben") as api:
        for method, rest in (
            ("GET", "/session/{}"),
            ("GET", "/session/{}/share"),
            ("GET", "/session/{}/compare/" + own),
            ("GET", f"/session/{own}/compare/{{}}"),
            ("POST", "/session/{}/archive"),
            ("POST", "/session/{}/unarchive"),
            ("DELETE", "/session/{}"),
        ):
            theirs, missing = (api.request(method, path(rest.format(one))) for one in (key, "0" * 32))
            assert (theirs.status_code, theirs.content) == (404, missing.content), rest
        for rest in ("", "/paginated", "/stats", "/recent", "/export", "/recommendation"):
            theirs, missing = (api.get(path(f"/user/{one}{rest}")) for one in ("ana", "nobody"))
            assert (theirs.status_code, theirs.content) == (404, missing.content), rest
            assert api.get(path(f"/user/ben{rest}")).status_code == 200
        refused(post(api, userId="ana"), 404, "no such writer")
        assert post(api, userId="ben").status_code == 201
    with db.reading() as session:
        rows = session.exec(select(TrainingSession).where(TrainingSession.user_id == "ana")).all()
        assert [(row.session_id, row.archived_at) for row in rows] == [(key, None)]


@pytest.mark.parametrize("rest", ["/session/%00", "/session/a b", "/user/A!/stats", "/session/" + "x" * 200])
def test_what_is_no_id_is_no_fault(api: TestClient, rest: str):
    assert api.get(path(rest)).status_code in (404, 422)


def test_every_answer_is_described(config: Settings):
    described = create_app().openapi()["paths"]
    for rest in ("", "/user/{user_id}", "/user/{user_id}/paginated", "/user/{user_id}/stats"):
        for method, operation in described[path(rest)].items():
            good = operation["responses"]["201" if method == "post" else "200"]
            assert good["content"]["application/json"]["schema"], rest
            assert operation["operationId"]
            assert operation["summary"]
