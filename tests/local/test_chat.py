"""The protocol from end to end: the real client, a real socket, and a writer that needs no torch."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from tests.local.quick import WORD, QuickWriter
from tests.support.worker import until
from zega_core.errors import BadAnswer, Cancelled, ProviderUnavailable, TeacherRefused
from zega_core.local.chat import Chat
from zega_core.local.protocol import Writing
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.local import Local
from zega_core.providers.service import Access

SECRET = "s" * 43
ASK = (Message("user", "A lantern."),)


class Place:
    def __init__(self, url: str, chat: Chat, writer: QuickWriter) -> None:
        self.url, self.chat, self.writer = url, chat, writer

    @contextmanager
    def client(self, **changes: Any) -> Iterator[Local]:
        client = Local(Access(**{"base_url": self.url, "key": SECRET, "local_only": True} | changes))
        try:
            yield client
        finally:
            client.close()

    def post(self, body: Any, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"authorization": f"Bearer {SECRET}"} | headers
        return httpx2.post(f"{self.url}/chat/completions", content=content, headers=given, trust_env=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    writer = QuickWriter(delay=0.01)
    chat = Chat(tmp_path, writer, SECRET)
    server = uvicorn.Server(uvicorn.Config(chat.app, http="h11", ws="none", lifespan="off", log_config=None))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        until(lambda: server.started)
        try:
            yield Place(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", chat, writer)
        finally:
            server.should_exit = True
            thread.join()


def streamed(client: Local, options: GenerationOptions, messages: Sequence[Message] = ASK) -> Iterator[Any]:
    """The pieces with the time of each, then the completion."""
    stream = client.stream("ana/v3", messages, options)
    while True:
        try:
            yield next(stream), time.monotonic()
        except StopIteration as end:
            yield end.value, time.monotonic()
            return


def test_a_text_arrives_in_pieces_as_it_is_written(place: Place):
    with place.client() as client:
        *pieces, (completion, _) = streamed(client, GenerationOptions(max_tokens=30))
    assert [piece for piece, _ in pieces] == [WORD] * 30
    assert pieces[-1][1] - pieces[0][1] > 0.2
    assert completion.text == WORD * 30
    assert (completion.prompt_tokens, completion.completion_tokens, completion.cut_off) == (7, 30, True)
    assert completion.model == "ana/v3"


def test_a_whole_answer_says_the_same(place: Place):
    with place.client() as client:
        completion = client.complete("ana/v3", ASK, GenerationOptions(max_tokens=4))
    assert completion == Completion(WORD * 4, "ana/v3", 7, 4, "length")


def test_what_is_asked_reaches_the_writer(place: Place):
    messages = [Message("system", "Genre: horror."), Message("user", "A \ud83d lantern.\0")]
    options = GenerationOptions(max_tokens=1, temperature=0.25, seed=2**40 + 5, schema={"type": "object"})
    with place.client() as client:
        client.complete("ana/v3", messages, options)
        client.complete("base", ASK, GenerationOptions(max_tokens=1, temperature=0))
    first, second = place.writer.seen
    assert first.prompt == "Genre: horror.\n\nA � lantern."
    assert (str(first.name), first.max_tokens, first.temperature, first.seed) == ("ana/v3", 1, 0.25, 5)
    assert (first.top_p, first.repetition_penalty) == (0.95, 1.0)
    assert (str(second.name), second.temperature) == ("base", 0)


def test_how_much_of_the_prompt_was_cut_is_in_a_header(place: Place):
    body = {"model": "base", "messages": [{"role": "user", "content": "x"}], "max_tokens": 1}
    assert place.post(body).headers["x-zega-prompt-cut"] == "5"
    assert place.post(body | {"stream": True}).headers["x-zega-prompt-cut"] == "5"


def test_one_text_after_another(place: Place):
    with place.client() as client:
        threads = [
            threading.Thread(target=client.complete, args=("base", ASK, GenerationOptions(max_tokens=5, seed=seed)))
            for seed in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (place.writer.most, len(place.writer.seen)) == (1, 4)
    until(lambda: place.chat.idle > 0)


@pytest.mark.parametrize("whole", [True, False])
def test_stop_ends_a_text_for_the_writer_too(place: Place, whole: bool):
    stop = threading.Event()
    options = GenerationOptions(max_tokens=2000, stop=stop)
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with place.client() as client, pytest.raises(Cancelled):
        client.complete("base", ASK, options) if whole else list(streamed(client, options))
    assert time.monotonic() - began < 2
    until(place.writer.stopped.is_set, 2)
    until(lambda: place.chat.idle > 0, 2)


def test_who_leaves_in_the_middle_or_in_the_queue_is_not_written_for(place: Place):
    with place.client() as client, place.client() as other:
        first = client.stream("base", ASK, GenerationOptions(max_tokens=2000))
        next(first)
        stop = threading.Event()
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(Cancelled):
            other.complete("base", ASK, GenerationOptions(stop=stop))
        first.close()
        until(lambda: place.chat.idle > 0, 2)
        assert place.writer.stopped.is_set()
        assert len(place.writer.seen) == 1


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("prompt", "kind", "says"),
    [
        ("no version", TeacherRefused, "There is no version v9 of your model. Choose another version."),
        ("damaged", TeacherRefused, "v3's file adapter_model.safetensors is damaged. Restore it from a backup."),
        ("no memory", ProviderUnavailable, "There is not enough memory to write with this model."),
        ("breaks", ProviderUnavailable, "There is not enough memory to write with this model."),
        ("fault", ProviderUnavailable, "Your model could not write this because of a fault in ZEGA."),
    ],
)
def test_what_is_wrong_is_said_in_the_writers_sentence(
    place: Place, whole: bool, prompt: str, kind: type[Exception], says: str
):
    asked = [Message("user", prompt)]
    with place.client() as client, pytest.raises(kind) as caught:
        client.complete("ana/v3", asked, GenerationOptions()) if whole else list(
            streamed(client, GenerationOptions(), asked)
        )
    assert str(caught.value).startswith(says)
    assert "secret" not in str(caught.value)


def test_a_name_of_no_model_and_an_earlier_turn_are_refused(place: Place):
    turns = [Message("user", "One."), Message("assistant", "Two."), Message("user", "Three.")]
    with place.client() as client:
        with pytest.raises(TeacherRefused, match="no name of a model"):
            client.complete("../../etc/v1", ASK, GenerationOptions())
        with pytest.raises(TeacherRefused, match="one request at a time"):
            client.complete("base", turns, GenerationOptions())
        with pytest.raises(TeacherRefused, match="nothing to write about"):
            client.complete("base", [Message("user", "  ")], GenerationOptions())
        with pytest.raises(TeacherRefused, match="too long"):
            client.complete("base", [Message("user", "x" * 2**21)], GenerationOptions())
    assert place.writer.seen == []


@pytest.mark.parametrize("wrong", ["", "Bearer", f"Bearer {SECRET}x", f"bearer {SECRET}", SECRET, "Bearer é"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/"])
def test_nobody_gets_in_without_the_secret(place: Place, wrong: str, path: str):
    url = place.url.removesuffix("/v1") + path
    headers = {b"authorization": wrong.encode()}
    answer = httpx2.request("POST", url, headers=headers, content=b"{}", trust_env=False)
    assert answer.status_code == 401
    assert SECRET not in answer.text
    assert place.writer.seen == []


def test_a_client_with_an_old_secret_is_told_to_ask_anew(place: Place):
    with place.client(key="x" * 43) as client, pytest.raises(ProviderUnavailable, match="Try again") as caught:
        client.complete("base", ASK, GenerationOptions())
    assert caught.value.unreachable


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_web_page_whose_name_leads_here_is_turned_away(place: Place, host: str):
    assert place.post({}, host=host).status_code == 400
    assert place.writer.seen == []


GOOD: dict[str, Any] = {"model": "base", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"null",
        b"[]",
        {"model": "base"},
        GOOD | {"messages": []},
        GOOD | {"messages": [{"role": "tool", "content": "x"}]},
        GOOD | {"messages": [{"role": "user", "content": None}]},
        GOOD | {"messages": "x"},
        GOOD | {"model": 3},
        GOOD | {"max_tokens": 0},
        GOOD | {"max_tokens": 10**9},
        GOOD | {"max_tokens": "5"},
        GOOD | {"temperature": -1},
        GOOD | {"temperature": float("nan")},
        GOOD | {"temperature": float("inf")},
        GOOD | {"top_p": 0},
        GOOD | {"repetition_penalty": 0},
        GOOD | {"seed": -1},
        GOOD | {"stream": "yes"},
        GOOD | {"stop": ["a"]},
        GOOD | {"n": 2},
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(place: Place, body: Any):
    answer = place.post(body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].endswith(".")
    assert place.writer.seen == []


def test_without_a_seed_every_text_is_another(place: Place):
    for _ in range(2):
        assert place.post(GOOD | {"max_tokens": 1}).status_code == 200
    first, second = place.writer.seen
    assert isinstance(first, Writing)
    assert first.seed != second.seed


def test_models_are_listed(place: Place, tmp_path: Path):
    (tmp_path / "versions/ana/v2").mkdir(parents=True)
    with place.client() as client:
        assert [model.id for model in client.models()] == ["base", "ana/v2"]


def test_an_empty_text_is_a_bad_answer(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tests.local.quick.WORD", " ")
    with place.client() as client, pytest.raises(BadAnswer, match="empty"):
        client.complete("base", ASK, GenerationOptions(max_tokens=2))
