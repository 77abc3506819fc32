"""Who comes in, by which door, and what is left in the database and the log of a key."""

from __future__ import annotations

import hmac
import logging
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from tests.support import api
from zega_core import db, sign_in
from zega_core.api import access
from zega_core.door_tables import ApiKey
from zega_core.errors import InvalidInput, NotFound
from zega_core.settings import Settings
from zega_core.store import api_keys, writers
from zega_core.tables import now

NOWHERE = "/nothing-here"
"""Whoever is let in is told that there is nothing."""


def asked(client: TestClient, **headers: str) -> int:
    return client.get(NOWHERE, headers={name.replace("_", "-"): value for name, value in headers.items()}).status_code


def test_this_machine_needs_no_key(config: Settings):
    client = api.client()
    hosts = ("localhost", "localhost:8002", "127.0.0.1:9", "[::1]:8002", "LOCALHOST")
    assert [asked(client, host=host) for host in hosts] == [404] * len(hosts)
    assert asked(client, origin="http://localhost:3000") == 404


def test_who_asks_without_a_key_does_not_wait_for_what_is_written(config: Settings):
    client = api.client()
    api.key_of("ana")
    with db.session(config) as writing:  # whoever wanted to write now would wait, and give up after 30 seconds
        writers.touch(writing, "ana")
        assert client.get("/api/versions").json()["versions"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example:8002"},
        {"host": "localhost:8002@evil.example"},
        {"host": "127.0.0.2"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "null"},
        {"x_forwarded_for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
    ],
    ids=str,
)
def test_a_page_elsewhere_whose_name_leads_here_gets_nothing(config: Settings, headers: dict[str, str]):
    answer = api.client().get(NOWHERE, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == access.ELSEWHERE


def test_another_machine_needs_a_key(config: Settings):
    stranger = api.client(host="0.0.0.0", client=("203.0.113.9", 5), base_url="http://zega.example")
    refused = stranger.get(NOWHERE)
    assert refused.status_code == 401 and refused.headers["www-authenticate"].startswith("Bearer")
    assert asked(api.client(host="0.0.0.0")) == 401, "an address that others reach is open to nobody"
    assert asked(api.client(client=("203.0.113.9", 5))) == 403
    key = api.key_of("ana")
    assert asked(stranger, authorization=f"Bearer {key}") == asked(stranger, x_api_key=key) == 404


def test_where_people_sign_in_a_key_is_needed_on_this_machine_too(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sign_in, "is_configured", lambda: True)
    assert asked(api.client()) == 401
    assert asked(api.client("ana")) == 404


def test_a_wrong_key_is_refused_even_where_none_is_needed(config: Settings):
    client, key = api.client(), api.key_of("ana")
    wrong = ("", "zega_", key[:-1], key + "x", key[:-1] + ("A" if key[-1] != "A" else "B"), "é" * 48, "x" * 10_000)
    assert [client.get(NOWHERE, headers={b"X-API-Key": one.encode()}).status_code for one in wrong] == [401] * len(
        wrong
    )
    assert asked(client, authorization=f"Basic {key}") == 401
    assert asked(client, authorization=f"bearer  {key}") == 404
    with db.session(config) as session:
        api_keys.revoke(session, "ana", api_keys.of_writer(session, "ana")[0].id or 0)
    assert asked(client, x_api_key=key) == 401


def test_what_says_nothing_of_a_writer_is_open_to_all(config: Settings):
    stranger = api.client(host="0.0.0.0", client=("203.0.113.9", 5), base_url="http://zega.example")
    assert stranger.get("/openapi.json").status_code == stranger.get("/docs").status_code == 200


def test_the_description_is_drawn_without_asking_anybody_elsewhere():
    here = api.client()
    page = here.get("/docs").text
    addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
    assert "/openapi.json" in addresses and len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/"), address
        assert here.get(address).status_code == 200


def test_another_writers_id_answers_like_a_missing_one(config: Settings):
    api.key_of("ben")
    caller = access.Caller("ana")
    said = set()
    for other in ("ben", "nobody"):
        with pytest.raises(NotFound) as refused:
            caller.checked(other)
        said.add(str(refused.value))
    assert len(said) == 1
    assert caller.acting(None) == caller.acting("ana") == "ana"
    with pytest.raises(InvalidInput):
        caller.checked("../etc")


def test_a_key_is_stored_as_its_hash_and_never_logged(config: Settings, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        key = api.key_of("ana")
        client = api.client()
        client.get(f"{NOWHERE}?text=secret", headers={"X-API-Key": key})
        client.get(NOWHERE, headers={"Authorization": f"Bearer {key}x"})
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert key not in logged and "secret" not in logged
    assert NOWHERE in logged
    with db.reading(config) as session:
        row = session.exec(select(ApiKey)).one()
    assert key not in str(row.model_dump()) and len(row.hash) == 64
    assert key.startswith(row.prefix) and len(key) - len(row.prefix) == 37


def test_keys_are_compared_in_constant_time(config: Settings, monkeypatch: pytest.MonkeyPatch):
    compared: list[tuple[str, str]] = []
    real: Any = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append((one, other)) or real(one, other))
    key = api.key_of("ana")
    with db.reading(config) as session:
        assert api_keys.find(session, key) is not None
        assert api_keys.find(session, "zega_" + "x" * 43) is None
    assert len(compared) == 2 and all(len(one) == len(other) == 64 for one, other in compared)


def test_the_last_use_is_noted_once_a_minute(config: Settings):
    client = api.client("ana")
    asked(client)
    with db.session(config) as session:
        row = session.exec(select(ApiKey)).one()
        first = row.last_used_at
        assert first is not None
        asked(client)
        session.refresh(row)
        assert row.last_used_at == first
        row.last_used_at = now() - 2 * api_keys.EVERY
        session.add(row)
        session.commit()
        asked(client)
        session.refresh(row)
        assert row.last_used_at is not None and row.last_used_at >= first


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b"])
def test_a_key_has_a_name(config: Settings, name: str):
    with pytest.raises(InvalidInput), db.session(config) as session:
        api_keys.create(session, "ana", name)


@pytest.mark.usefixtures("database")
def test_a_writer_has_so_many_keys_and_revokes_only_their_own(config: Settings):
    with db.session(config) as session:
        made = [api_keys.create(session, "ana", f"no. {number}")[0] for number in range(api_keys.MOST)]
        assert not api_keys.of_writer(session, "ben")
        with pytest.raises(InvalidInput):
            api_keys.create(session, "ana", "one more")
        with pytest.raises(NotFound):
            api_keys.revoke(session, "ben", made[0].id or 0)
        api_keys.revoke(session, "ana", made[0].id or 0)
        api_keys.create(session, "ana", "one more")
        names = [row.name for row in api_keys.of_writer(session, "ana")]
        assert names[0] == "one more" and names[-1] == "no. 0"
        assert api_keys.any_valid(session)
        for row in api_keys.of_writer(session, "ana"):
            api_keys.revoke(session, "ana", row.id or 0)
        assert not api_keys.any_valid(session)


def test_browsers_are_answered_for_pages_of_this_machine_only(config: Settings):
    client = api.client()
    asked_first = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    here = client.options(NOWHERE, headers={"Origin": "http://localhost:3000", **asked_first})
    assert here.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "*" not in str(here.headers)
    away = client.options(NOWHERE, headers={"Origin": "http://evil.example", **asked_first})
    assert away.status_code == 400 and "access-control-allow-origin" not in away.headers


def test_too_many_requests_are_told_when_to_come_again(config: Settings, monkeypatch: pytest.MonkeyPatch):
    settings = config.model_copy(update={"api_per_minute": 3})
    monkeypatch.setattr(api, "get_settings", lambda: settings)
    client = api.client()
    key = api.key_of("ana")
    assert [asked(client) for _ in range(4)] == [404, 404, 404, 429]
    refused = client.get(NOWHERE)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-limit"] == "3" and refused.headers["ratelimit-remaining"] == "0"
    assert refused.headers["content-type"] == "application/problem+json"
    assert asked(client, x_api_key=key) == 404, "a key has an allowance of its own"


def test_every_answer_tells_browsers_to_be_careful(config: Settings):
    for answer in (api.client().get(NOWHERE), api.client().get("/openapi.json")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
