"""The guard under every client, with either HTTP library."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from tests.support.services import RATE_HEADERS, TEXT, FakeService
from tests.support.waiting import BUSY
from zega_core.errors import BadAnswer, Cancelled, ProviderUnavailable, TeacherRefused
from zega_core.providers.exchange import MOST_ERROR_BYTES, Exchange, current
from zega_core.providers.service import Access
from zega_core.providers.transport import client_settings
from zega_core.tables import CallOutcome

ASKED = {"model": "m", "messages": []}


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    return request.param


class Line:
    """A guarded client to a stand-in for Ollama."""

    def __init__(self, library: ModuleType, fake: FakeService, **access: Any) -> None:
        self.access = Access(**{"base_url": fake.root, "connect": 1.0, "first_token": 0.2, "total": 0.4} | access)
        self.client = library.Client(**client_settings(library, self.access))
        self.url = f"{fake.root}/api/chat"

    def exchange(self, **settings: Any) -> Exchange:
        return Exchange(self.access, "Ollama", **settings)

    def ask(self, exchange: Exchange, **more: Any) -> Any:
        with exchange.active():
            return self.client.post(self.url, json=ASKED | {"stream": exchange.streamed} | more)


@pytest.fixture
def script() -> list[str]:
    return ["ok"]


@pytest.fixture
def fake(script: list[str]) -> Iterator[FakeService]:
    with FakeService("ollama", lambda number: script[min(number, len(script) - 1)]) as service:
        yield service


@pytest.fixture
def line(library: ModuleType, fake: FakeService) -> Iterator[Line]:
    found = Line(library, fake)
    yield found
    found.client.close()


def test_what_came_back_is_noted(line: Line):
    exchange = line.exchange()
    response = line.ask(exchange)
    assert response.json()["message"]["content"] == TEXT
    assert exchange.status == 200
    assert RATE_HEADERS.items() <= exchange.headers.items()
    assert bytes(exchange.body) == response.content
    assert exchange.first_byte is not None and 0 < exchange.first_byte < 0.4
    assert exchange.cause is exchange.verdict is None
    assert current.get() is None


def test_the_first_byte_is_timed(library: ModuleType):
    with FakeService("ollama", delay=0.1) as fake:
        line = Line(library, fake)
        exchange = line.exchange()
        line.ask(exchange)
        line.client.close()
    assert exchange.first_byte is not None and 0.1 <= exchange.first_byte < 0.4


@pytest.mark.parametrize("reply", ["hang", "hang_after_start", "trickle", "trickle_headers"])
@pytest.mark.parametrize("streamed", [False, True])
def test_no_call_lasts_longer_than_it_may(
    line: Line, library: ModuleType, script: list[str], reply: str, streamed: bool
):
    script[0] = reply
    exchange, begun = line.exchange(streamed=streamed), time.monotonic()
    with pytest.raises(library.ReadTimeout):
        line.ask(exchange)
    waits_for_first = streamed and reply in ("hang", "trickle_headers")
    lasted, limit = time.monotonic() - begun, 0.2 if waits_for_first else 0.4
    assert limit <= lasted < limit + BUSY
    assert type(exchange.cause).__name__ == "ReadTimeout"


def test_a_pause_within_the_total_is_no_hang(library: ModuleType):
    with FakeService("ollama", pause=0.05) as fake:
        line = Line(library, fake, first_token=0.2, total=5.0)
        exchange = line.exchange(streamed=True)
        line.ask(exchange)
        line.client.close()
    assert exchange.status == 200 and exchange.body.endswith(b"}\n")


def test_reading_stops_at_the_largest_size(line: Line, script: list[str]):
    script[0] = "huge"
    exchange = line.exchange(most=100_000)
    with pytest.raises(BadAnswer) as caught:
        line.ask(exchange)
    assert caught.value.outcome == CallOutcome.too_long
    assert exchange.verdict is caught.value
    assert 100_000 < len(exchange.body) < 400_000


def test_the_words_of_an_error_are_cut(line: Line, script: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(
        __import__("tests.support.services", fromlist=["REFUSALS"]).REFUSALS, "long", (500, "x" * 500_000)
    )
    script[0] = "long"
    exchange = line.exchange()
    assert line.ask(exchange).status_code == 500
    assert len(exchange.body) < 2 * MOST_ERROR_BYTES + 64 * 1024


def test_a_packed_answer_is_not_unpacked(line: Line, script: list[str]):
    script[0] = "packed"
    with pytest.raises(ProviderUnavailable, match="packed form"):
        line.ask(line.exchange())


def test_nothing_is_asked_for_in_a_packed_form(line: Line, fake: FakeService):
    line.ask(line.exchange())
    assert fake.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("when", [0.0, 0.1])
def test_stop_ends_the_wait(library: ModuleType, when: float):
    with FakeService("ollama", "hang") as fake:
        line = Line(library, fake, total=5.0)
        stop = threading.Event()
        timer = threading.Timer(when, stop.set)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            line.ask(line.exchange(stop=stop))
        timer.join()
        line.client.close()
    assert time.monotonic() - begun < when + BUSY


def test_redirects_are_not_followed(line: Line, script: list[str], fake: FakeService):
    script[0] = "redirect"
    exchange = line.exchange()
    assert line.ask(exchange).status_code == 307
    assert len(fake.requests) == 1


def test_a_redirect_cannot_lead_away_from_this_machine(library: ModuleType, fake: FakeService, script: list[str]):
    script[0] = "redirect"
    access = Access(fake.root)
    client = library.Client(**client_settings(library, access) | {"follow_redirects": True})
    exchange = Exchange(access, "Ollama")
    with pytest.raises(TeacherRefused, match=r"elsewhere\.example"), exchange.active():
        client.post(f"{fake.root}/api/chat", json=ASKED)
    client.close()
    assert exchange.verdict is not None


def test_another_host_is_refused_even_outside_an_exchange(line: Line):
    with pytest.raises(TeacherRefused, match=r"stay on this machine, but service\.example"):
        line.client.get("https://service.example/")


def test_a_name_that_ends_in_localhost_is_elsewhere(line: Line):
    with pytest.raises(TeacherRefused, match=r"zega\.localhost is elsewhere"):
        line.client.get("http://zega.localhost/")


def test_only_the_given_key_is_sent(library: ModuleType, fake: FakeService):
    for key in ("given", None):
        line = Line(library, fake, key=key)
        with line.exchange().active():
            line.client.post(line.url, json=ASKED, headers={"Authorization": "Bearer other", "x-goog-api-key": "other"})
        line.client.close()
    first, second = fake.requests
    assert (first.headers["authorization"], first.headers["x-goog-api-key"]) == ("Bearer given", "given")
    assert not {"authorization", "x-goog-api-key"} & set(second.headers)


def test_without_an_exchange_the_client_works_as_ever(line: Line, script: list[str], library: ModuleType):
    assert line.client.post(line.url, json=ASKED).json()["message"]["content"] == TEXT
    script[0] = "dropped"
    with pytest.raises(library.RemoteProtocolError):
        line.client.post(line.url, json=ASKED)
    script[0] = "hang"
    with pytest.raises(library.ReadTimeout):
        line.client.post(line.url, json=ASKED, timeout=0.1)


def test_errors_are_those_of_the_library(library: ModuleType, fake: FakeService, script: list[str]):
    line = Line(library, fake)
    script[0] = "dropped_at_once"
    exchange = line.exchange()
    with pytest.raises(library.RemoteProtocolError):
        line.ask(exchange)
    line.client.close()
    gone = Line(library, fake, base_url="http://127.0.0.1:1")
    with pytest.raises(library.ConnectError), gone.exchange().active():
        gone.client.get("http://127.0.0.1:1/")
    gone.client.close()


def test_a_service_elsewhere_is_asked_through_the_proxy_of_the_environment(
    library: ModuleType, fake: FakeService, monkeypatch: pytest.MonkeyPatch
):
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", fake.root.replace("http://", "http://writer:p%40ss@"))
    line = Line(library, fake, base_url="http://service.example", key="k")
    with line.exchange().active():
        response = line.client.post("http://service.example/api/chat", json=ASKED, headers={"authorization": "x"})
    line.client.close()
    assert response.status_code == 200
    assert fake.requests[0].path == "http://service.example/api/chat"
    assert fake.requests[0].headers["proxy-authorization"] == "Basic d3JpdGVyOnBAc3M="


def test_closing_an_exchange_lets_go_of_the_connection(line: Line, fake: FakeService, script: list[str]):
    script[0] = "hang_after_start"
    exchange = line.exchange(streamed=True)
    with exchange.active():
        response = line.client.send(line.client.build_request("POST", line.url, json=ASKED), stream=True)
    assert response.status_code == 200 and fake.at_once == 1
    exchange.close()
    deadline = time.monotonic() + 5
    while fake.at_once and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fake.at_once == 0
    response.close()


def test_an_exchange_is_active_only_while_the_client_works():
    exchange = Exchange(Access("http://127.0.0.1:1"), "Ollama")
    seen: list[bool] = []

    def pieces() -> Iterator[int]:
        for number in range(3):
            seen.append(current.get() is exchange)
            yield number

    for _ in exchange.drawn(pieces):
        seen.append(current.get() is None)
    assert seen == [True] * 6
