"""One writer's key opens nothing of another's: every route of the API that takes an id, or says whose, is tried.

The routes come from the OpenAPI, so a new one that takes an id of a kind for which there is no sample here fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.support import api
from tests.support.owned import Owned, everything
from zega_core import db
from zega_core.api.app import create_app
from zega_core.settings import Settings, get_settings
from zega_core.tables import Table

ANA, BEN, NOBODY = "ana", "ben", "nobody"
METHODS = ("get", "put", "post", "patch", "delete")
IDS = re.compile(r"(.*_)?ids?|number|to|name")
"""Of parameters in a path; in a query or a body those that end with id or ids, and ``to``."""
NO_ID = {"name"}
"""Such parameters outside of a path."""
OF_NOBODY = {"provider": "ollama"}
"""Parameters of a path that are the same for all."""
PASSED_OVER = {"delete_examples"}
"""They do what they can with several ids, and pass over what is not there."""
SAID = "The sea gave nothing back that night, and the keeper counted the lamps twice before he slept."
BODIES: dict[str, dict[str, Any]] = {
    "auto_train": {"num_examples": 1, "background": True},
    "auto_train_stream": {"num_examples": 1},
    "predict": {"context": "A lamp", "use_custom_model": False},
    "predict_stream": {"context": "A lamp", "use_custom_model": False},
    "save_training_history": {
        "sessionId": "abc",
        "numExamplesRequested": 1,
        "numExamplesSuccessful": 1,
        "numExamplesFailed": 0,
        "startedAt": "2026-01-01T00:00:00Z",
        "completedAt": "2026-01-01T00:01:00Z",
    },
    "start_conversation": {},
    "respond": {"session_id": "{conversation}", "turn_id": "{turn}", "response": SAID},
    "add_pair": {"session_id": "{conversation}", "turn_id": "{turn}", "response": SAID},
    "change_conversation": {"name": "Taken over", "purpose": "Nothing", "paused": True},
    "set_auto_config": {"automatic": False, "pairs": 9},
    "start_proof": {},
    "ask_judge": {"judge": "groq/some-model"},
    "start_export": {"format": "jsonl"},
    "roll_back": {},
    "promote_version": {},
    "rename_version": {"name": "Taken over"},
    "paste_pages": {"text": SAID},
    "delete_examples": {"ids": ["{example}"]},
    "change_example": {"completion": SAID, "stars": 1, "tags": ["taken"], "include": False},
    "add_story": {"body": SAID},
    "change_story": {"title": "Taken over", "body": SAID},
    "choose_memory": {"sources": []},
    "correct_style": {"key": "pacing", "value": 1},
    "change_teaching": {"first": ["ollama"], "min_votes": 3},
    "change_teacher": {"on": False},
}
FILES = {"upload_pages", "import_examples"}


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    name: str
    within: tuple[str, ...]
    asked: tuple[str, ...]
    sent: tuple[str, ...]
    """Parameters of the path, of the query, and of the body."""

    def kind(self, parameter: str) -> str:
        """Of what the id is; fails for one of which there is no sample."""
        if parameter in ("user_id", "userId") or (parameter == "id" and "auto-config" in self.path):
            return "writer"
        for place, kinds in KINDS:
            if re.match(place, self.path) and parameter in kinds:
                return kinds[parameter]
        pytest.fail(f"{self.method} {self.path}: no sample of {parameter}. Name its kind in KINDS.")

    def ids(self) -> list[str]:
        found = [one for one in self.within if IDS.fullmatch(one)]
        return found + [one for one in (*self.asked, *self.sent) if IDS.fullmatch(one) and one not in NO_ID]


KINDS = [
    (
        "/api/training/conversation/",
        {"session_id": "conversation", "id": "conversation", "turn_id": "turn"},
    ),
    (".*/trigger-finetuning", {"run_id": "fine_tune"}),
    ("/api/fine-tunes", {"run_id": "fine_tune"}),
    ("/api/proofs", {"run_id": "proof"}),
    ("/api/exports", {"run_id": "export", "name": "file"}),
    ("/api/pages", {"run_id": "pages"}),
    ("/api/runs", {"run_id": "session"}),
    ("/api/versions", {"number": "version", "to": "version"}),
    ("/api/examples", {"example_id": "example", "ids": "example"}),
    ("/api/stories", {"story_id": "story"}),
    ("/api/memory", {"memory_id": "memory"}),
    (
        "/(auto-train|api/training-history)",
        {"session_id": "session", "sessionId": "session", "other_id": "session"},
    ),
    ("/predict", {"take_id": "take"}),
]


def routes() -> list[Route]:
    schema = create_app(get_settings()).openapi()
    found = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert method in METHODS
            named = {place: tuple(one["name"] for one in operation.get("parameters", []) if one["in"] == place)
                     for place in ("path", "query")}  # fmt: skip
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            found.append(
                Route(method, path, operation["operationId"], named["path"], named["query"], _properties(schema, body))
            )
    return found


def _properties(schema: dict[str, Any], body: dict[str, Any]) -> tuple[str, ...]:
    """Names in a body, whatever it refers to."""
    if "$ref" in body:
        return _properties(schema, schema["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]])
    parts = [one for kind in ("anyOf", "allOf", "oneOf") for one in body.get(kind, [])]
    return tuple(body.get("properties", {})) + tuple(name for one in parts for name in _properties(schema, one))


@pytest.fixture
def theirs(config: Settings) -> Owned:
    everything(ANA, config, version=3)
    return everything(BEN, config)


def missing(of: Owned) -> Owned:
    """Ids of the same kinds that nobody has."""
    gone: dict[str, Any] = {name: "f" * 32 if isinstance(value, str) else 999_999 for name, value in asdict(of).items()}
    gone |= {"writer": NOBODY, "file": of.file}
    return Owned(**gone)


def ask(client: TestClient, route: Route, of: Owned, *, as_writer: str = "") -> Any:
    """With the ids of what is ``of`` somebody; ``as_writer`` says whose it is to be, where that can be said."""
    values = asdict(of)
    path = route.path
    for name, value in OF_NOBODY.items():
        path = path.replace(f"{{{name}}}", value)
    for name in set(route.within) - set(OF_NOBODY):
        kind = route.kind(name)
        value = as_writer if kind == "writer" and as_writer else values[kind]
        path = path.replace(f"{{{name}}}", str(value))
    query = {name: values[route.kind(name)] for name in route.asked if name in route.ids() and name != "user_id"}
    if as_writer and "user_id" in route.asked:
        query["user_id"] = as_writer
    more: dict[str, Any] = {}
    if route.sent:
        if route.name not in BODIES:
            pytest.fail(f"{route.method} {route.path}: no body. Put one under {route.name} in BODIES.")
        more["json"] = _filled(BODIES[route.name], values)
        for name in ("user_id", "userId"):
            if name in route.sent and (as_writer or route.name == "save_training_history"):
                more["json"] |= {name: as_writer or of.writer}
    elif route.name in FILES:
        more = {"content": b'{"prompt": "p", "completion": "c"}', "headers": {"content-type": "text/plain"}}
        query["name"] = "sent.jsonl" if route.name == "import_examples" else "sent.txt"
    return client.request(route.method, path, params=query, **more)


def _filled(body: Any, values: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(one, values) for name, one in body.items()}
    if isinstance(body, list):
        return [_filled(one, values) for one in body]
    if isinstance(body, str) and re.fullmatch(r"\{\w+\}", body):
        return values[body[1:-1]]
    return body


def said(answer: Any, of: Owned) -> tuple[int, str]:
    """The answer without the ids that were asked for."""
    body = answer.text
    for value in {str(value) for value in asdict(of).values()}:
        body = re.sub(rf"(?<!\d){re.escape(value)}(?!\d)", "·", body)
    return answer.status_code, body


def stored_of(writer: str) -> dict[str, list[str]]:
    """Every row that says whose it is; when its key was last used is not theirs to keep."""
    found: dict[str, list[str]] = {}
    with db.reading() as session:
        for table in Table.metadata.sorted_tables:
            if "user_id" in table.columns:
                rows = session.execute(text(f'select * from "{table.name}" where user_id = :one'), {"one": writer})
                found[table.name] = sorted(map(repr, rows))
    return found


def attempts(route: Route) -> Iterator[str]:
    """Whose it is said to be: nobody says, or the writer whose it is."""
    if any(route.kind(name) != "writer" for name in route.ids()):
        yield ""
    if any(route.kind(name) == "writer" for name in route.ids()) or "userId" in route.sent:
        yield BEN


def test_what_is_another_writers_answers_exactly_like_what_is_not_there(theirs: Owned):
    client, before = api.client(ANA), stored_of(BEN)
    tried = 0
    for route in routes():
        for whose in attempts(route):
            got = said(ask(client, route, theirs, as_writer=whose), replace(theirs, file="…"))
            nothing = missing(theirs)
            none = said(ask(client, route, nothing, as_writer=whose and NOBODY), replace(nothing, file="…"))
            assert got == none, f"{route.method} {route.path} {whose}"
            good = 200 if route.name in PASSED_OVER and not whose else 404
            assert got[0] == good, f"{route.method} {route.path} {whose}: {got}"
            tried += 1
    assert tried > 60
    assert stored_of(BEN) == before


def test_the_samples_are_there_for_their_own_writer(theirs: Owned):
    client = api.client(BEN)
    for route in routes():
        if route.method == "get" and route.ids() and "stream" not in route.path:
            answer = ask(client, route, theirs)
            assert answer.status_code == 200, f"{route.path}: {answer.text[:300]}"


@pytest.mark.parametrize("kind", ["session", "fine_tune", "proof", "export", "pages"])
def test_runs_of_every_kind_are_only_their_writers(theirs: Owned, kind: str):
    run_id, ana, ben = asdict(theirs)[kind], api.client(ANA), api.client(BEN)
    assert ben.get(f"/api/runs/{run_id}").json()["run_id"] == run_id
    nothing = ana.get(f"/api/runs/{'f' * 32}")
    for method, path in (("get", ""), ("post", "/stop"), ("post", "/continue")):
        got = ana.request(method, f"/api/runs/{run_id}{path}")
        assert (got.status_code, got.json()) == (404, nothing.json())
    assert run_id not in ana.get("/api/runs", params={"limit": 100}).text


def test_lists_hold_only_what_is_ones_own(theirs: Owned):
    """Without an id a key shows its own writer's things; at this machine without a key, whoever's is asked for."""
    client, here = api.client(ANA), api.client()
    marks = [theirs.session, theirs.conversation, theirs.fine_tune, theirs.proof, theirs.export, theirs.pages, "Ben"]
    for route in routes():
        if route.method == "get" and "user_id" in route.asked and not route.within:
            got = client.get(route.path)
            assert got.status_code == 200, f"{route.path}: {got.text[:300]}"
            assert not [one for one in (*marks, f"of {BEN}'s") if one in got.text], route.path
            assert here.get(route.path, params={"user_id": BEN}).status_code == 200
