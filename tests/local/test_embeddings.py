"""Embedding from end to end: a real socket, the real client, and an encoder that needs no torch."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.local.quick import QuickWriter
from tests.support.worker import until
from zega_core.errors import Cancelled, ProviderUnavailable
from zega_core.local import asking, embeddings, minilm, process
from zega_core.local.chat import Chat
from zega_core.local.embeddings import Matrix
from zega_core.providers.service import Access
from zega_core.settings import Settings

SECRET = "s" * 43


class QuickEncoder:
    """Notes what it was given. ``let`` holds it up while it is not set."""

    def __init__(self) -> None:
        self.seen: list[Sequence[str]] = []
        self.let, self.begun = threading.Event(), threading.Event()
        self.let.set()
        self.trouble: Exception | None = None

    def encode(self, texts: Sequence[str], stop: threading.Event) -> Matrix:
        self.begun.set()
        assert self.let.wait(30)
        if stop.is_set():
            raise Cancelled("Nobody waits.")
        if self.trouble is not None:
            raise self.trouble
        self.seen.append(texts)
        rows = np.zeros((len(texts), minilm.SIZE), np.float32)
        rows[:, 0] = [len(text) for text in texts]
        return rows


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join()


class Place:
    def __init__(self, url: str, chat: Chat, encoder: QuickEncoder) -> None:
        self.url, self.chat, self.encoder = url, chat, encoder

    def post(self, body: Any, where: str = "embeddings", **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"authorization": f"Bearer {SECRET}"} | headers
        return httpx2.post(f"{self.url}/{where}", content=content, headers=given, trust_env=False, timeout=30)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    encoder = QuickEncoder()
    chat = Chat(tmp_path, QuickWriter(delay=0.0), SECRET, encoder)
    with served(chat.app) as url:
        yield Place(url, chat, encoder)
        encoder.let.set()


def asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client meets this server instead of starting a process."""
    monkeypatch.setattr(process, "access", lambda *_, **__: Access(url, SECRET, local_only=True))


def test_numbers_come_in_the_order_of_the_texts(place: Place):
    found = place.post({"model": "minilm", "input": ["a", "abc"]}).json()
    assert [one["index"] for one in found["data"]] == [0, 1]
    assert [one["embedding"][0] for one in found["data"]] == [1.0, 3.0]
    assert len(found["data"][0]["embedding"]) == minilm.SIZE
    assert found["model"] == "minilm"


def test_one_text_alone(place: Place):
    assert len(place.post({"model": "minilm", "input": "a lantern"}).json()["data"]) == 1


@pytest.mark.parametrize("secret", ["Bearer wrong", "", f"Basic {SECRET}"])
def test_who_does_not_know_the_secret_gets_nothing(place: Place, secret: str):
    assert place.post({"model": "minilm", "input": "a"}, authorization=secret).status_code == 401
    assert place.encoder.seen == []


def test_another_name_of_this_machine_is_turned_away(place: Place):
    assert place.post({"model": "minilm", "input": "a"}, host="evil.example").status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"model": "minilm", "input": []}, 422, "1 to 64 texts"),
        ({"model": "minilm", "input": ["a"] * 65}, 422, "65"),
        ({"model": "minilm", "input": ["a" * (embeddings.LONGEST_TEXT + 1)]}, 422, "8,001"),
        ({"model": "minilm", "input": ["a", "  "]}, 422, "empty"),
        ({"model": "minilm", "input": [3]}, 422, "cannot be used"),
        ({"model": "minilm", "input": "a", "dimensions": 3}, 422, "dimensions"),
        ({"model": "minilm", "input": "a", "encoding_format": "hex"}, 422, "encoding_format"),
        ({"model": "other", "input": "a"}, 404, "minilm"),
        ({"input": "a"}, 422, "model"),
        (b"{", 422, "not JSON"),
        (b"[" * 100_000, 422, "cannot be used"),
        (b"a" * (2 * 1024**2), 422, "too long"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(place: Place, body: Any, status: int, said: str):
    got = place.post(body)
    assert got.status_code == status
    assert said in got.json()["error"]["message"]
    assert place.encoder.seen == []


def test_faults_say_nothing_of_the_inside(place: Place):
    place.encoder.trouble = KeyError("/some/secret/path")
    got = place.post({"model": "minilm", "input": "a"})
    assert (got.status_code, "secret" in got.text) == (500, False)


def test_a_text_is_written_while_others_are_embedded(place: Place):
    place.encoder.let.clear()
    waiting = threading.Thread(target=place.post, args=({"model": "minilm", "input": ["a"] * 64},))
    waiting.start()
    assert place.encoder.begun.wait(30)
    assert place.chat.idle == 0.0
    body = {"model": "ana/v3", "messages": [{"role": "user", "content": "A lantern."}], "max_tokens": 3}
    assert place.post(body, "chat/completions").status_code == 200
    place.encoder.let.set()
    waiting.join()
    assert len(place.encoder.seen) == 1


def test_the_client_sends_few_at_a_time_and_gets_all(place: Place, config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked(place.url, monkeypatch)
    texts = ["x" * (number + 1) for number in range(70)]
    rows = asking.embed([*texts, "", "y" * 9_000], config)
    assert rows[:, 0].tolist() == [float(number + 1) for number in range(70)] + [1.0, float(asking.LONGEST)]
    assert max(len(some) for some in place.encoder.seen) == asking.AT_A_TIME
    assert asking.embed([], config).shape == (0, minilm.SIZE)


def test_the_client_says_what_the_server_says(place: Place, config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked(place.url, monkeypatch)
    place.encoder.trouble = ProviderUnavailable("There is not enough memory to compare texts.")
    with pytest.raises(ProviderUnavailable, match="not enough memory"):
        asking.embed(["a"], config)


def test_the_client_stops_while_it_waits(place: Place, config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked(place.url, monkeypatch)
    place.encoder.let.clear()
    stop = threading.Event()
    stopping = threading.Thread(target=lambda: place.encoder.begun.wait(30) and stop.set())
    stopping.start()
    with pytest.raises(Cancelled):
        asking.embed(["a"], config, stop)
    stopping.join()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"data": [{"embedding": "AAAA"}]},
        {"data": [{"embedding": "not base64"}]},
        {"data": [{"embedding": [1.0]}]},
        ["data"],
    ],
)
def test_an_answer_that_makes_no_sense_is_none(answer: Any, config: Settings, monkeypatch: pytest.MonkeyPatch):
    async def answering(_: Any) -> JSONResponse:
        return JSONResponse(answer)

    with served(Starlette(routes=[Route("/v1/embeddings", answering, methods=["POST"])])) as url:
        asked(url, monkeypatch)
        with pytest.raises(ProviderUnavailable, match="no sense"):
            asking.embed(["a"], config)


def test_a_process_that_is_gone_is_unavailable(config: Settings, monkeypatch: pytest.MonkeyPatch):
    asked("http://127.0.0.1:9/v1", monkeypatch)
    with pytest.raises(ProviderUnavailable):
        asking.embed(["a"], config)
