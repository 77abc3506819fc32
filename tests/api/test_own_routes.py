"""Conversations, examples, models, pages, runs, stories, memory, style and news by REST."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import docx
import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from tests.support import api, fine_tuned
from tests.support.engine import FakeEngine
from tests.support.engine import fake_engine as fake_engine
from tests.support.history import session_row
from tests.support.owned import Owned, everything
from tests.support.talking import own_words, row
from tests.support.written import stored, written
from zega_core import db
from zega_core.errors import HomeError
from zega_core.jobs import client as jobs
from zega_core.jobs import queues
from zega_core.proof_tables import Export, Proof
from zega_core.settings import Settings
from zega_core.store import conversations, once_only, teaching, training_triggers
from zega_core.tables import ExampleStatus, RunStatus

pytestmark = pytest.mark.usefixtures("engine")
TALK = "/api/training/conversation"


@pytest.fixture
def client(config: Settings) -> TestClient:
    return api.client("ana")


@pytest.fixture
def mine(config: Settings) -> Owned:
    return everything("ana", config)


def good(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def refused(answer: Any, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def begun(client: TestClient, **more: Any) -> tuple[str, dict[str, Any]]:
    found = good(client.post(f"{TALK}/start", json=more), 201)
    return found["session"]["session_id"], found["question"]


def test_a_conversation_begins_with_a_question_and_goes_on_with_each_answer(client: TestClient):
    key, question = begun(client, purpose="Tales of harbours")
    assert question["query"]
    assert question["difficulty"] == "easy"
    sent = {"session_id": key, "turn_id": question["turn_id"], "response": own_words(1), "seconds": 30}
    first = good(client.post(f"{TALK}/generate-and-respond", json=sent))
    assert (first["saved"]["kept"], first["saved"]["pairs"], first["saved"]["threshold"]) == (True, 1, 20)
    assert first["saved"]["message"] == "Saved, 1 of 20"
    assert first["question"]["turn_id"] != question["turn_id"]
    assert first["training_run_id"] is None
    open_one = good(client.post(f"{TALK}/generate-and-respond", json={"session_id": key}))
    assert (open_one["saved"], open_one["question"]) == (None, first["question"])


def test_an_answer_sent_twice_is_stored_once(client: TestClient):
    key, question = begun(client)
    sent = {"session_id": key, "turn_id": question["turn_id"], "response": own_words(1)}
    first, second = (good(client.post(f"{TALK}/generate-and-respond", json=sent)) for _ in range(2))
    third = good(client.post(f"{TALK}/add-pair", json=sent), 201)
    assert first["saved"] == second["saved"] == third["saved"]
    assert first["question"] == second["question"]
    other = good(client.post(f"{TALK}/add-pair", json=sent | {"response": own_words(2)}), 201)["saved"]
    assert (other["again"], other["example_id"]) == (True, first["saved"]["example_id"])
    mine = {"session_id": key, "query": "What did the keeper see?", "response": own_words(3)}
    pairs = [good(client.post(f"{TALK}/add-pair", json=mine), 201)["saved"]["example_id"] for _ in range(2)]
    assert pairs[0] == pairs[1]
    assert good(client.get(f"{TALK}/sessions"))["sessions"][0]["pairs"] == 2


def test_the_same_start_by_one_idempotency_key_is_one_conversation(client: TestClient):
    answers = [client.post(f"{TALK}/start", json={}, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert good(answers[0], 201) == good(answers[1], 201)
    assert good(client.get(f"{TALK}/sessions"))["total"] == 1


def test_a_question_is_skipped_and_its_turn_is_seen(client: TestClient):
    key, question = begun(client)
    sent = {"session_id": key, "turn_id": question["turn_id"], "skip": True}
    after = good(client.post(f"{TALK}/generate-and-respond", json=sent))
    turns = good(client.get(f"{TALK}/sessions/{key}"))["turns"]
    assert [(one["turn_id"], one["state"]) for one in turns] == [
        (question["turn_id"], "skipped"), (after["question"]["turn_id"], "asked"),
    ]  # fmt: skip
    newest = good(client.get(f"{TALK}/sessions/{key}", params={"size": 1}))
    assert newest["earlier"]
    assert [one["state"] for one in newest["turns"]] == ["asked"]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"response": "A text."}, "turn_id"),
        ({"skip": True}, "turn_id"),
        ({"turn_id": 1, "response": "A text.", "skip": True}, "answer the question or skip it"),
        ({"turn_id": 1, "response": "   "}, "Nothing is written yet"),
        ({"turn_id": 1, "response": "a\u0000b"}, "NUL"),
        ({"turn_id": 1, "response": "a" * 20_001}, "response"),
        ({"turn_id": 0, "response": "A text."}, "turn_id"),
        ({"turn_id": 1, "response": "A text.", "seconds": -1}, "seconds"),
        ({"unknown": 1}, "unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_with_its_field(client: TestClient, sent: dict[str, Any], says: str):
    key, _ = begun(client)
    refused(client.post(f"{TALK}/generate-and-respond", json={"session_id": key} | sent), 422, says)


def test_the_answer_that_begins_a_training_names_it(client: TestClient):
    fine_tuned.keep(30, writer="ana")
    good(client.put(f"{TALK}/auto-config/ana", json={"pairs": 5, "least_hours": 0}))
    key, question = begun(client)
    runs = []
    for number in range(100, 112):  # other words than what is kept
        sent = {"session_id": key, "turn_id": question["turn_id"], "response": own_words(number)}
        answer = good(client.post(f"{TALK}/generate-and-respond", json=sent))
        question = answer["question"]
        runs.append(answer["training_run_id"])
    named = [one for one in runs if one]
    assert named
    assert good(client.get(f"/api/runs/{named[0]}"))["kind"] == "fine_tune"
    assert good(client.get(f"{TALK}/auto-config/ana"))["training_run_id"] == named[0]


def test_training_by_itself_is_set_in_parts(client: TestClient):
    weekly = {"schedule": "weekly", "at": "04:30", "weekday": 2, "zone": "Europe/Vienna", "pairs": 30}
    told = good(client.put(f"{TALK}/auto-config/ana", json=weekly))
    assert {name: told[name] for name in weekly} == weekly
    assert told["scheduled_at"].endswith("Z")
    off = good(client.put(f"{TALK}/auto-config/ana", json={"automatic": False, "pairs": None}))
    assert (off["automatic"], off["pairs"], off["default_pairs"], off["schedule"]) == (False, None, 20, "weekly")
    with db.reading() as session:
        assert training_triggers.load(session, "ana").zone == "Europe/Vienna"
    refused(client.put(f"{TALK}/auto-config/ana", json={"zone": "Nowhere/Land"}), 422, "time zone")
    refused(client.put(f"{TALK}/auto-config/ana", json={"pairs": 4}), 422, "pairs")


def test_figures_are_a_conversations_or_a_writers(client: TestClient):
    first, question = begun(client, name="First")
    second, other = begun(client, name="Second", purpose="Another")
    for key, one, seed in ((first, question, 1), (second, other, 2)):
        good(client.post(f"{TALK}/add-pair", json={"session_id": key, "turn_id": one["turn_id"],
                                                   "response": own_words(seed), "seconds": 60}), 201)  # fmt: skip
    of_one, of_all = good(client.get(f"{TALK}/stats/{first}")), good(client.get(f"{TALK}/stats/ana"))
    assert (of_one["session_id"], of_one["pairs"], of_one["seconds"], of_one["conversations"]) == (first, 1, 60, 1)
    assert (of_all["session_id"], of_all["pairs"], of_all["seconds"], of_all["conversations"]) == (None, 2, 120, 2)
    assert of_all["words"] > of_one["words"]
    assert of_all["per_day"][0]["pairs"] == 2
    refused(client.get(f"{TALK}/stats/nobody"), 404, "no such writer")
    refused(client.get(f"{TALK}/stats/no id"), 422, "cannot be a writer's id")


def test_a_conversation_is_renamed_paused_and_deleted(client: TestClient, mine: Owned):
    path = f"{TALK}/sessions/{mine.conversation}"
    changed = good(client.patch(path, json={"name": "Harbours", "paused": True}))
    assert (changed["name"], changed["paused"]) == ("Harbours", True)
    assert "is deleted" in good(client.delete(path))["message"]
    refused(client.get(path), 404, "no such conversation")


def test_examples_are_found_by_the_filters_of_the_page(client: TestClient):
    written(3, "ana", genre="sci_fi", quality=9.0)
    written(2, "ana", status=ExampleStatus.set_aside, quality=3.0)
    found = good(client.get("/api/examples", params={"genre": "sci-fi", "low": 8, "size": 2, "sort": "oldest"}))
    assert (found["total"], len(found["examples"]), found["page"]) == (3, 2, 1)
    assert good(client.get("/api/examples", params={"status": "set_aside"}))["total"] == 2
    assert good(client.get("/api/examples", params={"text": "lamp", "page": 99}))["examples"] == []
    refused(client.get("/api/examples", params={"genre": "western"}), 422, "genre")
    refused(client.get("/api/examples", params={"low": "nan"}), 422, "low")
    refused(client.get("/api/examples", params={"size": 101}), 422, "size")


def test_an_example_is_changed_as_it_was_seen(client: TestClient):
    (number,) = written(1, "ana")
    path = f"/api/examples/{number}"
    seen = good(client.get(path))["seen"]
    change = {"completion": own_words(4), "stars": 4, "tags": ["sea"], "include": True, "seen": seen}
    changed = good(client.patch(path, json=change))["example"]
    assert (changed["completion"], changed["stars"], changed["tags"]) == (own_words(4), 4, ["sea"])
    assert changed["decision"] == "keep"
    assert changed["original"]
    refused(client.patch(path, json=change), 409, "changed elsewhere")
    refused(client.patch(path, json={}), 422, "Say what to change")
    assert good(client.patch(path, json={"stars": 0, "tags": []}))["example"]["tags"] == []
    assert good(client.delete(path))["message"] == "1 example deleted."
    refused(client.get(path), 404, "no such example")
    assert good(client.post("/api/examples/undo"))["message"]
    assert good(client.get(path))["completion"] == own_words(4)


def test_several_examples_are_deleted_as_one_change(client: TestClient):
    ids = written(3, "ana")
    assert good(client.post("/api/examples/delete", json={"ids": ids}))["message"] == "3 examples deleted."
    good(client.post("/api/examples/undo"))
    assert all(stored(one) for one in ids)


def test_pairs_are_taken_from_a_file_and_given_in_every_form(client: TestClient):
    rows = [{"prompt": f"Write of harbour {number}.", "completion": own_words(number)} for number in range(4)]
    data = "\n".join(map(json.dumps, rows)) + "\nno json\n"
    sent = {"content": data.encode(), "headers": {"content-type": "application/octet-stream"}}
    found = good(client.post("/api/examples/import", params={"name": "p.jsonl", "own": True}, **sent))
    assert (found["kept"], found["bad"], found["errors"][0]["line"]) == (4, 1, 5)
    again = good(client.post("/api/examples/import", params={"name": "p.jsonl", "own": True}, **sent))
    assert (again["kept"], again["duplicates"]) == (0, 4)
    for form, keys in {
        "chat": {"messages"}, "alpaca": {"instruction", "input", "output"}, "sharegpt": {"conversations"},
    }.items():  # fmt: skip
        answer = client.get("/api/examples/export", params={"format": form})
        assert [set(json.loads(line)) for line in answer.text.splitlines()] == [keys] * 4
        assert f'filename="examples-{form}.jsonl"' in answer.headers["content-disposition"]
    table = client.get("/api/examples/export", params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(list(csv.reader(io.StringIO(table.text)))) == 5
    refused(client.post("/api/examples/import", content=b"\x00\x01", headers=sent["headers"]), 422, "")


def test_a_file_larger_than_allowed_is_refused(client: TestClient):
    data = b"x" * 26_000_000
    answer = client.post("/api/pages/upload", params={"name": "large.txt"}, content=data)
    assert answer.status_code == 413


def test_pages_are_brought_and_erased(client: TestClient, engine: FakeEngine):
    text = f"Chapter 1\n\n{own_words(1)}\n\n{own_words(2)}"
    added = good(client.post("/api/pages/paste", json={"text": text, "name": "a/b.txt"}), 202)
    assert (added["name"], added["format"], added["status"]) == ("a-b", "pasted", "queued")
    name = "Ünï \u2028code.txt"
    sent = good(client.post("/api/pages/upload", params={"name": name}, content=own_words(3).encode()), 202)
    assert {one["run_id"] for one in good(client.get("/api/pages"))} == {added["run_id"], sent["run_id"]}
    assert good(client.post(f"/api/runs/{sent['run_id']}/stop"), 202)["status"] == "stopped"
    assert good(client.post(f"/api/runs/{sent['run_id']}/continue"), 202)["status"] == "queued"
    assert "erased" in good(client.delete(f"/api/pages/{added['run_id']}"))["message"]
    refused(client.get(f"/api/pages/{added['run_id']}"), 404, "")


def test_versions_are_named_put_in_use_and_compared(client: TestClient, mine: Owned):
    fine_tuned.version(8, writer="ana")
    listed = good(client.get("/api/versions"))
    assert ([one["version"] for one in listed["versions"]], listed["promoted"]) == ([8, 7], None)
    assert good(client.patch("/api/versions/7", json={"name": "Harbour"}))["name"] == "Harbour"
    assert good(client.post("/api/versions/7/promote", json={"instead_of": 0}))["promoted"] == 7
    refused(client.post("/api/versions/8/promote", json={"instead_of": 0}), 409, "v7 was put in use")
    assert good(client.post("/api/versions/8/promote"))["promoted"] == 8
    refused(client.delete("/api/versions/8"), 422, "in use")
    assert good(client.post("/api/versions/roll-back"))["promoted"] == 7
    lines = good(client.get("/api/versions/7/difference", params={"to": 8}))
    assert any(one["differs"] for one in lines)
    assert any(not one["differs"] for one in lines)
    assert good(client.post("/api/versions/0/promote"))["promoted"] is None
    assert "v7 is deleted" in good(client.delete("/api/versions/7"))["message"]


def test_fine_tunes_and_proofs_tell_their_figures(client: TestClient, mine: Owned):
    told = good(client.get(f"/api/fine-tunes/{mine.fine_tune}"))
    assert [one["step"] for one in told["metrics"]] == [0, 1, 2, 3]
    assert good(client.get("/api/fine-tunes"))[0]["run_id"] == mine.fine_tune
    proof = good(client.get(f"/api/proofs/{mine.proof}"))
    assert (proof["verdict"], proof["against"], proof["figures"]["prompts"]) == ("better", None, 36)
    asked = client.post("/api/proofs", json={"against": 0})
    assert asked.headers["location"] == f"/api/proofs/{good(asked, 202)['run_id']}"
    assert good(client.post("/api/proofs", json={"against": 0}), 202)["run_id"] == asked.json()["run_id"]
    refused(client.post("/api/proofs", json={"judge": "nobody"}), 422, "A judge is a service and a model")
    refused(client.post("/api/proofs", json={"version": 99}), 404, "v99")


@pytest.mark.parametrize(
    ("path", "body", "table"), [("/api/proofs", {"against": 0}, Proof), ("/api/exports", {"format": "chat"}, Export)]
)
def test_what_was_begun_and_not_answered_is_not_begun_again(
    client: TestClient, mine: Owned, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any], table: Any
):
    def gone(*_: object) -> None:
        raise HomeError("The disk is full.")

    sent: dict[str, Any] = {"json": body, "headers": {"Idempotency-Key": "k"}}
    with monkeypatch.context() as patched:
        patched.setattr(queues, "hand_over", gone)
        assert client.post(path, **sent).status_code >= 500
    with db.session() as session:
        begun: Any = session.exec(select(table).order_by(col(table.id).desc())).first()
        begun.status = RunStatus.stopped  # so that it would not be given as the one under way
    assert good(client.post(path, **sent), 202)["run_id"] == begun.run_id


def test_an_export_is_asked_for_and_its_files_downloaded(client: TestClient, mine: Owned):
    asked = client.post("/api/exports", json={"format": "chat"})
    assert asked.headers["location"] == f"/api/exports/{good(asked, 202)['run_id']}"
    path = f"/api/exports/{mine.export}"
    one = client.get(f"{path}/files/{mine.file}")
    assert (one.status_code, one.text) == (200, "x")
    assert one.headers["content-disposition"].startswith(f'attachment; filename="{mine.file}"')
    for bad in ("../../../zega.db", "..%2F..%2F..%2Fzega.db", "/etc/passwd", "nothing.txt", "%00"):
        assert client.get(f"{path}/files/{bad}").status_code in (404, 422)
    archive = client.get(f"{path}/archive")
    assert archive.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert any(name.endswith(mine.file) for name in opened.namelist())
    refused(client.post("/api/exports", json={"format": "floppy"}), 422, "There is no format")
    assert "deleted" in good(client.delete(path))["message"]
    refused(client.get(f"{path}/archive"), 404, "")


def test_runs_of_all_kinds_are_told_with_how_far_they_are(client: TestClient, mine: Owned):
    told = {one["run_id"]: one for one in good(client.get("/api/runs", params={"limit": 100}))}
    assert {one["kind"] for one in told.values()} == {"auto_train", "fine_tune", "proof", "export", "pages"}
    assert told[mine.fine_tune]["done"] == 3
    assert told[mine.session]["can_continue"]
    only = good(client.get("/api/runs", params={"kind": ["export", "proof"]}))
    assert {one["kind"] for one in only} == {"export", "proof"}
    waits = fine_tuned.run(RunStatus.queued, writer="ana")
    assert [one["run_id"] for one in good(client.get("/api/runs", params={"unfinished": True}))] == [waits.run_id]
    assert good(client.post(f"/api/runs/{mine.session}/continue"), 202)["status"] == "queued"
    assert good(client.post(f"/api/runs/{mine.export}/stop"), 202)["status"] == "done"


def test_a_session_is_gone_on_with_for_what_it_lacks_but_not_one_that_another_program_ran(client: TestClient):
    lacks, whole, handed_in = (
        session_row(num_examples_failed=failed, reported=reported)
        for failed, reported in ((2, False), (0, False), (2, True))
    )
    told = {one["run_id"]: one["can_continue"] for one in good(client.get("/api/runs"))}
    assert told == {lacks: True, whole: False, handed_in: False}
    statuses = [good(client.post(f"/api/runs/{one}/continue"), 202)["status"] for one in (lacks, whole)]
    assert statuses == ["queued", "done"]
    refused(client.post(f"/api/runs/{handed_in}/continue"), 422, "Another program ran this session")
    refused(client.get("/api/runs/%00"), 422, "run_id")


def test_a_stopped_export_is_not_gone_on_with(client: TestClient):
    written(1, "ana")
    run_id = good(client.post("/api/exports", json={"format": "chat"}), 202)["run_id"]
    good(client.post(f"/api/runs/{run_id}/stop"), 202)
    refused(client.post(f"/api/runs/{run_id}/continue"), 422, "Start a new one")


def test_stories_are_written_changed_found_and_taken_out(client: TestClient):
    story = good(client.post("/api/stories", json={"body": own_words(1), "title": "Salt", "genre": "sci-fi"}), 201)
    assert (story["title"], story["genre"]) == ("Salt", "sci_fi")
    path = f"/api/stories/{story['id']}"
    changed = good(client.patch(path, json={"title": "Tides", "seen": story["seen"]}))
    assert changed["title"] == "Tides"
    refused(client.patch(path, json={"title": "Again", "seen": story["seen"]}), 409, "changed in another window")
    good(client.post("/api/stories", json={"body": own_words(2), "title": "The “mountain”"}), 201)
    assert good(client.get("/api/stories", params={"text": "Tides"}))["total"] == 1
    everything = client.get("/api/stories/export", params={"format": "docx"})
    opened = docx.Document(io.BytesIO(everything.content))
    assert {"Tides", "The “mountain”"} <= {one.text for one in opened.paragraphs}
    assert 'filename="stories.docx"' in everything.headers["content-disposition"]
    single = client.get("/api/stories/export", params={"story_id": story["id"], "format": "md"})
    assert 'filename="Tides.md"' in single.headers["content-disposition"]
    assert "deleted" in good(client.delete(path))["message"]
    refused(client.get("/api/stories/export", params={"story_id": story["id"]}), 404, "")


def test_memory_is_chosen_searched_and_forgotten(client: TestClient, mine: Owned):
    chosen = good(client.put("/api/memory/sources", json={"sources": ["story"]}))
    assert [one["source"] for one in chosen["sources"] if one["chosen"]] == ["story"]
    assert good(client.get("/api/memory/texts", params={"query": "tide"})) is not None
    good(client.put("/api/memory/sources", json={"sources": ["story", "auto"]}))
    refused(client.put("/api/memory/sources", json={"sources": ["dreams"]}), 422, "sources")
    assert "forgotten" in good(client.delete("/api/memory/texts"))["message"].lower()
    assert not any(one["chosen"] for one in good(client.get("/api/memory"))["sources"])


def test_style_is_corrected_and_taken_back(client: TestClient):
    told = good(client.put("/api/style", json={"key": "pacing", "value": 80}))
    assert [(one["value"], one["by_hand"]) for one in told["axes"] if one["key"] == "pacing"] == [(80, True)]
    back = good(client.put("/api/style", json={"key": "pacing", "value": None}))
    assert not any(one["by_hand"] for one in back["axes"])
    assert len(good(client.delete("/api/style"))["axes"]) == 5
    refused(client.put("/api/style", json={"key": "pacing", "value": True}), 422, "0 to 100")
    refused(client.put("/api/style", json={"key": "odd", "value": 3}), 422, "no such side")


def test_teachers_are_told_without_their_keys(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_this_is_a_secret_key")
    answer = client.get("/api/teachers")
    groq = next(one for one in good(answer)["teachers"] if one["provider"] == "groq")
    assert groq["key"] == "environment"
    assert "gsk_this" not in answer.text


def test_who_teaches_is_chosen_and_what_is_left_out_stays(client: TestClient, config: Settings):
    told = good(client.patch("/api/teachers", json={"first": ["gemini", "ollama"], "budget": 1.5, "min_votes": 2}))
    assert [one["provider"] for one in told["teachers"]][:2] == ["gemini", "ollama"]
    told = good(client.patch("/api/teachers", json={"judge": "groq/some-model", "local_only": True}))
    assert (told["budget"], told["min_votes"], told["judge"], told["local_only"]) == (1.5, 2, "groq/some-model", True)
    assert good(client.patch("/api/teachers", json={"budget": None, "judge": ""}))["budget"] is None
    change = {"on": False, "models": ["llama3.2"], "limits": {"requests_per_minute": None}, "price_in": 0.5}
    told = good(client.patch("/api/teachers/ollama", json=change))
    assert [(one["on"], one["models"]) for one in told["teachers"] if one["provider"] == "ollama"] == [
        (False, ["llama3.2"])
    ]
    good(client.patch("/api/teachers/ollama", json={"on": True}))
    with db.reading(config) as session:
        choice = teaching.load(session, "ana").choice("ollama")
    assert (choice.on, choice.models, choice.limits, choice.price_in) == (
        *(True, ("llama3.2",), {"requests_per_minute": None}, 0.5),
    )
    before = good(client.get("/api/teachers"))
    for path, body, says in [
        ("", {"judge": "clippy"}, "A judge is a service and a model"),
        ("", {"first": ["clippy"]}, "first"),
        ("", {"budget": 0}, "budget"),
        ("/openai_compatible", {"base_url": "ftp://here"}, "is not the address of a server"),
        ("/clippy", {"on": True}, "provider"),
        ("/groq", {"key": "gsk_secret"}, "key"),
    ]:
        refused(client.patch(f"/api/teachers{path}", json=body), 422, says)
    assert good(client.get("/api/teachers")) == before


def test_news_is_read_once(client: TestClient, mine: Owned):
    assert good(client.get("/api/notifications"))["unseen"] == 1
    seen = good(client.post("/api/notifications/seen"))
    assert (seen["unseen"], seen["notifications"][0]["new"]) == (0, False)


def test_at_this_machine_without_a_key_any_writer_can_be_named(config: Settings):
    here = api.client()
    key, question = begun(here, user_id="cleo")
    sent = {"user_id": "cleo", "session_id": key, "turn_id": question["turn_id"], "response": own_words(1)}
    good(here.post(f"{TALK}/generate-and-respond", json=sent))
    assert good(here.get(f"{TALK}/stats/{key}"))["user_id"] == "cleo"
    assert row(question["turn_id"], writer="cleo")[1] is not None
    with db.reading() as session:
        assert [one.key for one in conversations.of_writer(session, "cleo")] == [key]


@pytest.mark.parametrize("zone", ["Atlantis", "../../etc/passwd", "/etc/passwd", "Europe", ""])
def test_days_are_counted_by_a_time_zone_that_there_is(client: TestClient, zone: str):
    refused(client.get(f"{TALK}/stats/ana", params={"zone": zone}), 422, "is no time zone")
    assert good(client.get(f"{TALK}/stats/ana", params={"zone": "Europe/Vienna"}))["asked"] == 0


def test_what_is_under_way_is_found_behind_whatever_has_ended_since(client: TestClient):
    waits = session_row(status=RunStatus.queued, recorded=False)
    for days in (1, 2, 3):
        session_row(days=days)
    found = good(client.get("/api/runs", params={"unfinished": True, "limit": 2}))
    assert [one["run_id"] for one in found] == [waits]


def test_a_story_is_saved_whatever_becomes_of_what_is_to_follow(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def busy(*_: object) -> None:
        raise HomeError("The database is busy.")

    monkeypatch.setattr(jobs, "refresh_memory", busy)
    made = good(client.post("/api/stories", json={"body": "The tide came in."}), 201)
    assert good(client.patch(f"/api/stories/{made['id']}", json={"title": "Tide"}))["title"] == "Tide"


def test_what_was_begun_before_the_server_was_killed_is_not_made_again(
    client: TestClient, config: Settings, monkeypatch: pytest.MonkeyPatch
):
    """The row of the request says what it began, and no answer was stored."""
    sent = {"/api/stories": {"body": "The tide came in.", "title": "Tide"}, f"{TALK}/start": {"purpose": "Harbours"}}
    for key, (path, body) in enumerate(sent.items()):
        keyed = {"Idempotency-Key": str(key)}
        with monkeypatch.context() as killed:
            killed.setattr(once_only, "answer", lambda session, writer, key, **_: None)
            first = good(client.post(path, json=body, headers=keyed), 201)
            with db.session(config) as session:
                once_only.let_go(session, "ana", str(key))
        assert good(client.post(path, json=body, headers=keyed), 201) == first
    assert good(client.get("/api/stories"))["total"] == 1
    assert good(client.get(f"{TALK}/sessions"))["total"] == 1
