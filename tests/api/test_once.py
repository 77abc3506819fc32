"""The same request twice is done once, and answered twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import APIRouter, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlmodel import Session, select

from tests.support import api
from zega_core import db
from zega_core.api import once
from zega_core.door_tables import OnceOnly
from zega_core.errors import ChangedElsewhere, InvalidInput
from zega_core.settings import Settings
from zega_core.store import once_only, writers
from zega_core.tables import now


class Wanted(BaseModel):
    name: str


class Maker:
    """Routes that count how often they do something, and can be held back in the middle of it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.fails = False
        self.router = APIRouter(route_class=once.Route)
        self.router.post("/things", status_code=201, dependencies=[once.HONOURED])(self.make)
        self.router.post("/begin", status_code=202, dependencies=[once.HONOURED])(self.begin)

    def make(self, wanted: Wanted, response: Response) -> dict[str, str]:
        self.entered.set()
        assert self.go_on.wait(60)
        if self.fails:
            raise InvalidInput("Not this time.")
        self.done.append(wanted.name)
        response.headers["Location"] = f"/things/{len(self.done)}"
        return {"name": wanted.name, "text": "é"}

    def begin(self, wanted: Wanted, begun: once.Begun) -> dict[str, str]:
        if not begun.earlier:
            with db.session() as session:
                begun.note(session, wanted.name)
            self.done.append(wanted.name)
        if self.fails:
            raise InvalidInput("Not this time.")
        return {"begun": begun.earlier or wanted.name}


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def client(config: Settings, maker: Maker) -> Iterator[TestClient]:
    made = api.client()
    made.app.include_router(maker.router)  # type: ignore[attr-defined]
    yield made


def post(client: TestClient, key: str | None = "k", name: str = "a", path: str = "/things", **headers: str):
    return client.post(path, json={"name": name}, headers=headers | ({} if key is None else {"Idempotency-Key": key}))


def kept(settings: Settings) -> list[OnceOnly]:
    with db.reading(settings) as session:
        return list(session.exec(select(OnceOnly)).all())


@pytest.mark.usefixtures("database")
def test_the_second_gets_the_answer_of_the_first(client: TestClient, maker: Maker):
    first, second = post(client), post(client)
    assert maker.done == ["a"]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json() == {"name": "a", "text": "é"}
    assert first.headers["location"] == second.headers["location"] == "/things/1"
    assert "idempotency-replayed" not in first.headers and second.headers["idempotency-replayed"] == "true"


def test_without_a_key_or_with_another_it_is_done_again(client: TestClient, maker: Maker):
    for key in (None, None, "k", "l"):
        assert post(client, key).status_code == 201
    assert len(maker.done) == 4


def test_two_writers_keys_are_apart(client: TestClient, maker: Maker):
    for writer in ("ana", "ben"):
        assert post(client, authorization=f"Bearer {api.key_of(writer)}").status_code == 201
    assert len(maker.done) == 2


def test_the_same_key_for_another_request_is_refused(client: TestClient, maker: Maker):
    post(client)
    for other in (post(client, name="b"), post(client, path="/begin")):
        assert other.status_code == 422 and other.json()["detail"] == once.ANOTHER
    assert maker.done == ["a"]


def test_while_the_first_is_under_way_the_second_is_told_to_wait(client: TestClient, maker: Maker):
    maker.go_on.clear()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(post, client)
        assert maker.entered.wait(60)
        second = post(client)
        maker.go_on.set()
        assert second.status_code == 409 and int(second.headers["retry-after"]) > 0
        assert first.result().status_code == 201
    assert post(client).headers["idempotency-replayed"] == "true"
    assert maker.done == ["a"]


def test_an_error_lets_go_of_the_key(client: TestClient, maker: Maker):
    maker.fails = True
    assert post(client).status_code == 422
    assert client.post("/things", json={}, headers={"Idempotency-Key": "k"}).status_code == 422
    maker.fails = False
    assert post(client).status_code == 201 and maker.done == ["a"]


@pytest.mark.parametrize("key", ["x" * 256, "\x7f", "é"])
def test_what_is_no_key_is_refused(client: TestClient, maker: Maker, key: str):
    answer = client.post("/things", json={"name": "a"}, headers=[(b"idempotency-key", key.encode())])
    assert answer.status_code == 422 and not maker.done


def test_what_was_begun_before_an_error_is_not_begun_again(client: TestClient, maker: Maker):
    maker.fails = True
    assert post(client, path="/begin").status_code == 422
    maker.fails = False
    again = post(client, path="/begin")
    assert again.status_code == 202 and again.json() == {"begun": "a"}
    assert maker.done == ["a"]
    assert post(client, path="/begin", key=None).status_code == 202, "without a key there is nothing to note"


@pytest.mark.usefixtures("database")
def test_a_request_whose_process_is_gone_is_taken_over(config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        assert once_only.claim(session, "ana", "k", "hash").ours
        assert not once_only.claim(session, "ana", "k", "hash").ours
        assert once_only.begun(session, "ana", "k", "session 1")
        silent_since(session, "k")
        assert not once_only.claim(session, "ana", "k", "another hash").ours
        taken = once_only.claim(session, "ana", "k", "hash")
        assert taken.ours and taken.row.location == "session 1"
        assert not once_only.claim(session, "ana", "k", "hash").ours, "taken over once"


def test_of_two_that_begin_the_same_the_second_takes_its_own_back(config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        once_only.claim(session, "ana", "k", "hash")
    one, other = once.Noted("ana", "k"), once.Noted("ana", "k")
    with db.session(config) as session:
        one.note(session, "session 1")
    with pytest.raises(ChangedElsewhere), db.session(config) as session:
        writers.ensure(session, "made-in-vain")
        other.note(session, "session 2")
    with db.reading(config) as session:
        assert "made-in-vain" not in writers.ids(session)
    assert kept(config)[0].location == "session 1"


def test_after_a_day_it_is_forgotten(config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        for key in ("answered", "silent", "under way"):
            once_only.claim(session, "ana", key, "hash")
        once_only.answer(session, "ana", "answered", status=201, location="", body="{}")
        silent_since(session, "silent")
        for row in session.exec(select(OnceOnly)):
            row.created_at = now() - 2 * once_only.KEPT
            session.add(row)
        session.flush()
        once_only.claim(session, "ana", "new", "hash")
    assert {row.key for row in kept(config)} == {"under way", "new"}


def silent_since(session: Session, key: str) -> None:
    row = session.get_one(OnceOnly, ("ana", key), populate_existing=True)
    row.heartbeat_at = now() - 2 * once_only.SILENT
    session.add(row)
    session.flush()
