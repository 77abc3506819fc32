"""One contract for the adapters to all services, held by their real clients against stand-ins on this machine."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support import services
from tests.support.services import FakeService
from tests.support.waiting import BUSY
from zega_core.errors import (
    BadAnswer,
    Cancelled,
    InvalidInput,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    TeacherRefused,
)
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.error_body import Told, retry_after
from zega_core.providers.exchange import Exchange
from zega_core.providers.service import (
    ADAPTERS,
    Access,
    ListedModel,
    Service,
    ServiceModel,
    connect,
    is_loopback,
    nearest,
    thinking_room,
)
from zega_core.settings import ROOT
from zega_core.tables import CallOutcome

KEY = "k3y-of-the-writer"
MESSAGES = [
    Message("system", "You write."),
    Message("user", "A lantern."),
    Message("assistant", "Lit."),
    Message("user", "On."),
]
OPTIONS = GenerationOptions(max_tokens=123, temperature=0.4, seed=77)
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PROVIDERS = list(ADAPTERS)
LABELS = {
    "ollama": "Ollama",
    "groq": "Groq",
    "gemini": "Gemini",
    "huggingface": "Hugging Face",
    "openai_compatible": "OpenAI-compatible server",
}
HASTY: dict[str, Any] = {"first_token": 0.12, "total": 0.25}


class Station:
    """A stand-in that gives the reply of the hour, and adapters to it."""

    def __init__(self, provider: str) -> None:
        self.provider, self.model = provider, services.MODELS[provider][0]
        self.reply = "ok"
        self.fake = FakeService(provider, lambda number: self.reply, listing=lambda number: self.reply)
        self._adapters: dict[tuple[Any, ...], Service] = {}

    def adapter(self, **access: Any) -> Service:
        known = tuple(sorted(access.items()))
        if known not in self._adapters:
            self._adapters[known] = connect(self.provider, replace(Access(self.fake.url, KEY), **access))
        return self._adapters[known]

    def ask(self, reply: str, *, streamed: bool, options: GenerationOptions = OPTIONS, **access: Any) -> Completion:
        self.reply = reply
        self.fake.requests.clear()
        adapter = self.adapter(**access)
        if not streamed:
            return adapter.complete(self.model, MESSAGES, options)
        return drawn(adapter.stream(self.model, MESSAGES, options))[1]

    def close(self) -> None:
        for adapter in self._adapters.values():
            adapter.close()


def drawn(stream: Any) -> tuple[list[str], Completion]:
    """The pieces of a stream and what it returns."""
    pieces: list[str] = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return pieces, end.value


@pytest.fixture(scope="module", params=PROVIDERS)
def station(request: pytest.FixtureRequest) -> Iterator[Station]:
    found = Station(request.param)
    with found.fake:
        yield found
        found.close()


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return request.param


# ------------------------------------------------------------------------------------------------------ what goes well


@pytest.mark.parametrize(("reply", "finish"), [("ok", "stop"), ("length", "length"), ("thinking", "stop")])
def test_an_answer_has_text_model_tokens_finish_and_limits(station: Station, streamed: bool, reply: str, finish: str):
    completion = station.ask(reply, streamed=streamed)
    assert completion == Completion(
        text=services.TEXT,
        model=station.model,
        prompt_tokens=services.PROMPT_TOKENS,
        completion_tokens=services.COMPLETION_TOKENS,
        finish=finish,  # pyright: ignore[reportArgumentType]
        rate_headers=services.RATE_HEADERS,
    )
    assert completion.cut_off == (finish == "length")
    assert len(station.fake.requests) == 1


def test_a_stream_comes_in_pieces_as_they_are_written(station: Station):
    station.reply = "ok"
    stream = station.adapter().stream(station.model, MESSAGES, OPTIONS)
    first = next(stream)
    rest, completion = drawn(stream)
    assert first and services.TEXT.startswith(first) and len(rest) >= 3
    assert "".join([first, *rest]) == completion.text == services.TEXT


def test_text_with_half_a_character_or_a_nul_can_be_stored(station: Station, streamed: bool):
    assert station.ask("lone_surrogate", streamed=streamed).text == "half \ufffd of a face, whole 🙂"


def test_a_prompt_with_half_a_character_or_a_nul_can_be_sent(station: Station):
    station.reply = "ok"
    assert station.adapter().complete(station.model, [Message("user", "odd \ud83d\0 thing")], OPTIONS).text


def _sent(station: Station, **changes: Any) -> Any:
    station.ask("ok", streamed=False, options=replace(OPTIONS, **changes))
    return station.fake.requests[-1]


def test_the_request_is_the_one_that_the_service_documents(station: Station):
    request = _sent(station)
    sent = request.json
    if station.provider == "gemini":
        assert request.path == f"/v1beta/models/{station.model}:generateContent"
        assert sent["systemInstruction"]["parts"] == [{"text": "You write."}]
        assert [turn["role"] for turn in sent["contents"]] == ["user", "model", "user"]
        config = sent["generationConfig"]
        assert (config["maxOutputTokens"], config["temperature"], config["seed"]) == (123, 0.4, 77)
        assert config["thinkingConfig"] == {"thinking_budget": 0}
        return
    assert sent["messages"] == [{"role": message.role, "content": message.content} for message in MESSAGES]
    assert sent["model"] == station.model
    if station.provider == "ollama":
        assert request.path == "/api/chat"
        assert sent["options"] == {"num_predict": 123, "temperature": 0.4, "seed": 77}
        assert sent["stream"] is False and sent["think"] is False
    else:
        path = "/openai/v1/chat/completions" if station.provider == "groq" else "/v1/chat/completions"
        most = "max_completion_tokens" if station.provider == "groq" else "max_tokens"
        assert request.path == path
        assert (sent[most], sent["temperature"], sent["seed"]) == (123, 0.4, 77)
        assert "response_format" not in sent


def test_an_answer_is_held_to_a_schema(station: Station):
    sent = _sent(station, schema=SCHEMA).json
    if station.provider == "ollama":
        assert sent["format"] == SCHEMA
    elif station.provider == "gemini":
        assert sent["generationConfig"]["responseMimeType"] == "application/json"
        assert sent["generationConfig"]["responseJsonSchema"] == SCHEMA
    elif station.provider == "groq":
        assert sent["response_format"] == {"type": "json_object"}
        assert '"required": ["name"]' in sent["messages"][0]["content"]
    else:
        held = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
        assert sent["response_format"] == held


def test_large_seeds_fit_what_services_take(station: Station):
    sent = _sent(station, seed=2**40 + 5).json
    assert 5 in (sent.get("seed"), sent.get("options", {}).get("seed"), sent.get("generationConfig", {}).get("seed"))


ROOMS = [
    ("openai/gpt-oss-20b", dict.fromkeys(PROVIDERS, 512)),
    ("GPT-OSS:20b", dict.fromkeys(PROVIDERS, 512)),
    ("Qwen/Qwen3-32B", {"huggingface": 1024, "openai_compatible": 1024}),
    ("qwen-3-32b", {"huggingface": 1024, "openai_compatible": 1024}),
    ("moonshotai/Kimi-K2-Instruct", {"huggingface": 1024, "openai_compatible": 1024}),
    ("deepseek-ai/DeepSeek-R1:together", {"huggingface": 1024, "openai_compatible": 1024}),
    ("org/Large-Thinking-2507", {"huggingface": 1024, "openai_compatible": 1024}),
    ("deepseek-reasoner", {"huggingface": 1024, "openai_compatible": 1024}),
    ("gemini-2.5-pro", {"gemini": 1024}),
    ("gemini-3-pro", {"gemini": 1024}),
    ("qwen-30b", {}),
    ("meta-llama/Llama-3.1-8B-Instruct", {}),
]


@pytest.mark.parametrize(("model", "rooms"), ROOMS, ids=[model for model, _ in ROOMS])
def test_thinking_has_tokens_of_its_own(station: Station, streamed: bool, model: str, rooms: dict[str, int]):
    station.reply = "ok"
    adapter = station.adapter()
    if streamed:
        drawn(adapter.stream(model, MESSAGES, OPTIONS))
    else:
        adapter.complete(model, MESSAGES, OPTIONS)
    sent = station.fake.requests[-1].json
    most = {
        "ollama": lambda: sent["options"]["num_predict"],
        "gemini": lambda: sent["generationConfig"]["maxOutputTokens"],
        "groq": lambda: sent["max_completion_tokens"],
    }.get(station.provider, lambda: sent["max_tokens"])()
    room = rooms.get(station.provider, 0)
    assert (thinking_room(station.provider, model), most) == (room, OPTIONS.max_tokens + room)


@pytest.mark.parametrize(
    ("model", "most", "thinking"),
    [
        ("gemini-2.5-flash-lite", 123, {"thinking_budget": 0}),
        ("gemini-2.5-pro", 123 + 1024, None),
        ("gemini-3-pro", 123 + 1024, {"thinking_level": "LOW"}),
        ("gemini-2.0-flash", 123, None),
    ],
)
def test_gemini_thinks_as_little_as_it_can(model: str, most: int, thinking: dict[str, Any] | None):
    with FakeService("gemini") as fake:
        adapter = connect("gemini", Access(fake.url, KEY))
        adapter.complete(model, MESSAGES, OPTIONS)
        adapter.close()
        config = fake.requests[0].json["generationConfig"]
    assert (config["maxOutputTokens"], config.get("thinkingConfig")) == (most, thinking)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("openai/gpt-oss-20b", {"reasoning_effort": "low", "include_reasoning": False}),
        ("qwen/qwen3-32b", {"reasoning_effort": "none", "reasoning_format": "hidden"}),
        ("llama-3.1-8b-instant", {}),
    ],
)
def test_groq_keeps_reasoning_out_of_the_text(model: str, told: dict[str, Any]):
    with FakeService("groq") as fake:
        adapter = connect("groq", Access(fake.url, KEY))
        adapter.complete(model, MESSAGES, replace(OPTIONS, schema=SCHEMA))
        adapter.close()
        sent = fake.requests[0].json
    assert {name: value for name, value in sent.items() if "reasoning" in name} == told
    assert sent["response_format"]["type"] == ("json_schema" if "gpt-oss" in model else "json_object")


# ----------------------------------------------------------------------------------------------------- what goes wrong


@dataclass(frozen=True)
class Case:
    """``instead`` is what differs for single services, ``hasty`` asks with little patience."""

    reply: str
    error: type[ProviderError]
    status: int | None = None
    says: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, dict[str, Any]] = field(default_factory=dict)
    hasty: bool = False


def _bad(reply: str, outcome: CallOutcome, spent: bool = False, **more: Any) -> Case:
    tokens = (services.PROMPT_TOKENS, services.COMPLETION_TOKENS) if spent else (0, 0)
    told = {"outcome": outcome, "prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return Case(reply, BadAnswer, more=told, **more)


def _limited(reply: str, retry_after: float | None, *, daily: bool = False, **more: Any) -> Case:
    told = {"retry_after": retry_after, "daily": daily, "busy": False}
    return Case(reply, RateLimited, 429, "limit of the day" if daily else "too often", told, **more)


def _down(reply: str, status: int | None = None, says: str = "", **more: Any) -> Case:
    return Case(reply, ProviderUnavailable, status, says, {"unreachable": False}, **more)


def _busy(reply: str, retry_after: float | None, **more: Any) -> Case:
    told = {"retry_after": retry_after, "daily": False, "busy": True}
    return Case(reply, RateLimited, 503, "busy", told, **more)


CASES = [
    Case("bad_request", ProviderError, 400, "temperature must be at most 2"),
    Case("too_large", ProviderError, 413, "Request too large"),
    Case("unauthorized", TeacherRefused, 401, "refused the key"),
    Case("forbidden", TeacherRefused, 403, "refused the key"),
    Case("moderated", TeacherRefused, 403, "refused this request (HTTP 403). It says: Blocked by moderation."),
    Case("region", TeacherRefused, 403, "refused this request (HTTP 403). It says: Country, region"),
    Case("invalid_key", TeacherRefused, 401, "refused the key", instead={"gemini": {"status": 400}}),
    Case("no_credit", TeacherRefused, 402, "credit is used up"),
    Case("not_found", TeacherRefused, 404, "MODEL"),
    Case("gone", TeacherRefused, 410, "MODEL"),
    Case("unknown_model", TeacherRefused, 404, "MODEL", instead={"huggingface": {"status": 400}}),
    Case(
        "decommissioned",
        TeacherRefused,
        400,
        "MODEL",
        instead={"ollama": {"status": 404}, "gemini": {"status": 404}},
    ),
    Case("redirect", TeacherRefused, 307, "sends requests elsewhere"),
    Case(
        "no_quota",
        TeacherRefused,
        429,
        "credit is used up",
        instead={  # these have no word for it
            name: {"error": RateLimited, "says": "too often", "more": {"retry_after": None, "daily": False}}
            for name in ("ollama", "gemini")
        },
    ),
    _limited("rate_limited", 7.0),
    _limited("rate_limited_fraction", 0.5),
    _limited("rate_limited_bare", None),
    _limited("rate_limited_past", None),
    _limited("rate_limited_negative", None),
    _limited("rate_limited_absurd", None),
    _limited("rate_limited_nonsense", None),
    _limited("rate_limited_words", 86.4),
    _limited("rate_limited_reset", 7.66),
    _limited("rate_limited_details", None, instead={"gemini": {"more": {"retry_after": 34.0}}}),
    _limited(
        "rate_limited_daily",
        None,
        daily=True,
        instead={"groq": {"more": {"retry_after": 23 * 60 + 58.56, "daily": True, "busy": False}}},
    ),
    _down("error_500", 500, "Internal error"),
    _down("error_503", 503, "Service unavailable"),
    _busy("busy", None, instead={"huggingface": {"more": {"busy": True, "retry_after": 20.5, "daily": False}}}),
    _busy("later", 7.0),
    _busy("later_fraction", 0.5),
    _down("later_past", 503, "Service unavailable"),
    _down("later_absurd", 503, "Service unavailable"),
    _down("later_nonsense", 503, "Service unavailable"),
    _down("later_reset", 503, "Service unavailable"),
    _down("error_inside", 200, "the model runner has stopped"),
    _down("dropped", 200, "broke off"),
    _down("dropped_at_once", None, "broke off"),
    _down("ends_early", 200, "broke off"),
    _down("hang", None, "within", hasty=True),
    _down("hang_after_start", 200, "did not finish its answer within 0.25 seconds", hasty=True),
    _down("trickle", 200, "did not finish its answer within 0.25 seconds", hasty=True),
    _down("bad_json", 200, "cannot be read"),
    _down("not_utf8", 200, "cannot be read"),
    _down("html", 200),
    _down("nothing", 200),
    _down("packed", None, "packed"),
    _bad("wrong_shape", CallOutcome.garbled),
    _bad("wrong_types", CallOutcome.garbled),
    _bad("a_list", CallOutcome.garbled),
    _bad("empty", CallOutcome.empty, spent=True),
    _bad("only_thinking", CallOutcome.empty, spent=True),
    _bad("safety", CallOutcome.safety, spent=True),
    _bad("safety_prompt", CallOutcome.safety, spent=True, instead={"gemini": {"more": {"outcome": "safety"}}}),
    _bad("huge", CallOutcome.too_long),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reply)
def test_a_failure_is_told_for_what_it_is(station: Station, streamed: bool, case: Case):
    case = replace(case, **case.instead.get(station.provider, {}))
    patience = HASTY if case.hasty else {}
    station.adapter(**patience)
    begun = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        station.ask(case.reply, streamed=streamed, **patience)
    error, words = caught.value, str(caught.value)
    assert type(error) is case.error
    assert error.status == case.status
    assert {name: getattr(error, name) for name in case.more} == case.more
    assert words.startswith(LABELS[station.provider])
    assert case.says.replace("MODEL", station.model) in words
    assert len(words) < 400 and "{" not in words and KEY not in words
    assert len(station.fake.requests) == 1, "asked more than once"
    assert not case.hasty or time.monotonic() - begun < HASTY["total"] + BUSY


@pytest.mark.parametrize(("reply", "busy"), [("rate_limited_date", False), ("later_date", True)])
def test_a_date_says_how_long_to_wait(station: Station, reply: str, busy: bool):
    with pytest.raises(RateLimited) as caught:
        station.ask(reply, streamed=False)
    assert caught.value.retry_after == pytest.approx(90, abs=5)
    assert caught.value.busy == busy


@pytest.mark.parametrize(
    ("status", "message", "means_model"),
    [
        (400, "The model `m` does not exist or you do not have access to it.", True),
        (400, "models/m is not found for API version v1beta", True),
        (400, "The requested model 'Org/M' is not supported by any provider you have enabled.", True),
        (400, "The model `m` has been decommissioned and is no longer supported.", True),
        (400, "Model with id 'm' was not found", True),
        (400, "Model m not found", True),
        (422, "model m is not supported", True),
        (403, "Model org/other-7b does not exist", True),
        (400, "The model you requested does not exist", True),
        (400, "org/m is not a valid model ID", True),
        (400, "Unknown model", True),
        (400, "Invalid request for model m; field not found", False),
        (400, "Invalid request for model m: field not found", False),
        (400, "Invalid request for model 'm', tool 'search' does not exist", False),
        (400, "For this model temperature is not supported", False),
        (400, "The model parameter top_k is not supported", False),
        (400, "model m: response_format is no longer supported", False),
        (422, "The `model` template was not found", False),
        (403, "The model m was asked for a voice; voice not found", False),
    ],
)
def test_only_words_about_the_model_itself_say_that_it_is_gone(
    status: int, message: str, means_model: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(services.REFUSALS, "this", (status, message))
    with FakeService("openai_compatible", "this") as fake:
        adapter = connect("openai_compatible", Access(fake.url, KEY))
        with pytest.raises(ProviderError) as caught:
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
    assert ("does not have the model m." in str(caught.value)) == means_model
    assert caught.value.status == status
    assert isinstance(caught.value, TeacherRefused) == (means_model or status == 403)


@pytest.mark.parametrize(
    ("message", "about_key"),
    [
        ("Invalid API key", True),
        ("The caller does not have permission", True),
        ("This authentication method is not enough", True),
        ("Your account is suspended", True),
        ("This user token has expired", True),
        ("Access denied. Please check your network settings.", False),
        ("The turkey is off limits", False),
        ("Too many tokens of this kind", False),
    ],
)
@pytest.mark.parametrize("provider", ["groq", "gemini"])
def test_a_key_is_blamed_only_by_words_about_it(
    provider: str, message: str, about_key: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(services.REFUSALS, "this", (403, message))
    with FakeService(provider, "this") as fake:
        adapter = connect(provider, Access(fake.url, KEY))
        with pytest.raises(TeacherRefused) as caught:
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
    assert ("refused the key" in str(caught.value)) == about_key
    assert message.rstrip(".") in str(caught.value) and caught.value.status == 403


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "2.5", "x-ratelimit-reset-tokens": "9s"}, 2.5),
        ({"retry-after": "nan", "x-ratelimit-reset-tokens": "9s"}, 9.0),
        ({"retry-after": "604801"}, None),
        ({"retry-after": "604800"}, 604800.0),
        ({"x-ratelimit-reset-tokens": "9s", "x-ratelimit-reset-requests": "1h2m3.5s"}, 9.0),
        ({"x-ratelimit-reset-requests": "120ms", "x-ratelimit-remaining-requests": "0"}, 0.12),
        (
            {
                "x-ratelimit-reset-tokens": "9s",
                "x-ratelimit-reset-requests": "1m",
                "x-ratelimit-remaining-requests": "0",
            },
            60.0,
        ),
        (
            {"ratelimit-reset": "30", "ratelimit-remaining": "0", "x-ratelimit-reset-tokens": "40s"}
            | {"x-ratelimit-remaining-tokens": "0"},
            40.0,
        ),
        ({"x-ratelimit-reset": "1m-5s"}, None),
        ({}, None),
    ],
)
def test_headers_say_how_long_to_wait(headers: dict[str, str], wait: float | None):
    exchange = Exchange(Access("http://127.0.0.1:1"), "Groq")
    exchange.headers = headers
    assert retry_after(exchange, Told()) == wait


def test_a_moment_says_how_long_to_wait():
    exchange = Exchange(Access("http://127.0.0.1:1"), "OpenRouter")
    for reset in (time.time() + 50, (time.time() + 50) * 1000):
        exchange.headers = {"x-ratelimit-reset": f"{reset:.0f}"}
        assert retry_after(exchange, Told()) == pytest.approx(50, abs=2)


def test_the_first_piece_of_a_stream_has_a_time_limit_of_its_own(station: Station):
    station.adapter(first_token=0.12, total=5.0)
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable, match=r"did not begin to answer within 0\.12 seconds"):
        station.ask("hang", streamed=True, first_token=0.12, total=5.0)
    assert 0.12 <= time.monotonic() - begun < 0.12 + BUSY


def test_who_is_not_there_is_unreachable(station: Station, streamed: bool):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        adapter = connect(station.provider, Access(address, KEY))
        with pytest.raises(ProviderUnavailable, match=r"cannot be reached at http://127\.0\.0\.1") as caught:
            if streamed:
                drawn(adapter.stream(station.model, MESSAGES, OPTIONS))
            else:
                adapter.complete(station.model, MESSAGES, OPTIONS)
        adapter.close()
    assert caught.value.unreachable and caught.value.status is None
    assert station.provider != "ollama" or "ollama serve" in str(caught.value)


def test_who_has_no_name_is_unreachable(station: Station, monkeypatch: pytest.MonkeyPatch):
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    adapter = connect(station.provider, Access("http://service.example", KEY))
    with pytest.raises(ProviderUnavailable) as caught:
        adapter.complete(station.model, MESSAGES, OPTIONS)
    adapter.close()
    assert caught.value.unreachable


@pytest.mark.parametrize("reply", ["echoes_key", "unauthorized", "error_500", "rate_limited", "wrong_shape", "dropped"])
def test_the_key_is_told_to_nobody(station: Station, streamed: bool, reply: str, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as caught:
        station.ask(reply, streamed=streamed)
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told + repr(caught.value) + repr(Access("http://x", KEY))
    assert not [record for record in caplog.records if KEY in record.getMessage() + str(record.args)]


def test_a_service_that_recovers_is_used_again(station: Station, streamed: bool):
    for reply in ("dropped", "error_500", "rate_limited"):
        with pytest.raises(ProviderError):
            station.ask(reply, streamed=streamed)
        assert station.ask("ok", streamed=streamed).text == services.TEXT


# ---------------------------------------------------------------------------------------------------------------- keys


FROM_OUTSIDE = "from-the-environment"


@pytest.mark.parametrize(
    ("provider", "key"),
    [(provider, KEY) for provider in PROVIDERS]
    + [(provider, None) for provider in PROVIDERS if provider not in ("groq", "gemini")],
)
def test_no_client_finds_a_key_or_an_address_by_itself(
    provider: str, monkeypatch: pytest.MonkeyPatch, streamed: bool, key: str | None
):
    names = "GROQ_API_KEY GOOGLE_API_KEY GEMINI_API_KEY OLLAMA_API_KEY HF_TOKEN HUGGING_FACE_HUB_TOKEN OPENAI_API_KEY"
    for name in names.split():
        monkeypatch.setenv(name, FROM_OUTSIDE)
    for name in ("GROQ_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "OLLAMA_HOST", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "http://elsewhere.example")
    monkeypatch.setenv("GROQ_CUSTOM_HEADERS", f"Authorization: Bearer {FROM_OUTSIDE}")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    with FakeService(provider) as fake:
        adapter = connect(provider, Access(fake.url, key))
        if streamed:
            drawn(adapter.stream("m", MESSAGES, OPTIONS))
        else:
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.models()
        adapter.close()
    assert len(fake.requests) == 2
    for request in fake.requests:
        assert FROM_OUTSIDE not in str(request.headers)
        held = request.headers.get("authorization") or request.headers.get("x-goog-api-key")
        assert held == (key if provider == "gemini" else key and f"Bearer {key}")


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/v1",
        "http://169.254.0.1:80",
        "http://2852039166",
        "http://0xa9fea9fe",
        "http://169.254.43518",
        "http://[fe80::1]:8000",
        "http://[fe80::1%25eth0]",
        "http://[::ffff:169.254.169.254]",
        "http://user@169.254.169.254.",
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_link_local_address_is_refused(provider: str, address: str):
    with pytest.raises(TeacherRefused, match=r"address of .* is link-local"):
        connect(provider, Access(address, KEY))


@pytest.mark.parametrize("provider", ["groq", "gemini"])
def test_who_needs_a_key_says_so_before_anything_is_sent(provider: str):
    with pytest.raises(TeacherRefused, match="needs a key"):
        connect(provider, Access("http://127.0.0.1:9"))


@pytest.mark.parametrize("key", ["ключ", "two words", "line\nbreak"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(provider: str, key: str):
    with pytest.raises(TeacherRefused, match="characters that no key has") as caught:
        connect(provider, Access("http://127.0.0.1:9", key))
    assert key not in str(caught.value)


@pytest.mark.parametrize("address", ["gopher://x", "ftp://127.0.0.1", "http://[::1", "http://a b", "http://x:99999999"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_address_that_cannot_be_one_is_refused(provider: str, address: str):
    with pytest.raises(TeacherRefused, match=r"address of .* cannot be used"):
        connect(provider, Access(address, KEY))


def test_blanks_around_a_key_do_not_count(station: Station):
    adapter = connect(station.provider, Access(station.fake.url, f" {KEY}\n"))
    station.reply = "ok"
    adapter.complete(station.model, MESSAGES, OPTIONS)
    adapter.close()
    assert (
        station.fake.requests[-1]
        .headers["x-goog-api-key" if station.provider == "gemini" else "authorization"]
        .endswith(KEY)
    )


# --------------------------------------------------------------------------------------------------- this machine only


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_to_stay_here_is_never_sent_elsewhere(provider: str, streamed: bool, monkeypatch: pytest.MonkeyPatch):
    looked_up: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: looked_up.append(args) or [])
    adapter = connect(provider, Access("https://service.example", KEY, local_only=True))
    with pytest.raises(TeacherRefused, match=r"stay on this machine, but service\.example is elsewhere"):
        if streamed:
            drawn(adapter.stream("m", MESSAGES, OPTIONS))
        else:
            adapter.complete("m", MESSAGES, OPTIONS)
    with pytest.raises(TeacherRefused):
        adapter.models()
    adapter.close()
    assert looked_up == []


def test_a_model_in_the_cloud_is_not_asked_for_what_is_to_stay_here():
    with FakeService("ollama") as fake:
        adapter = connect("ollama", Access(fake.url, local_only=True))
        for model in ("gpt-oss:120b-cloud", "gpt-oss:120b-CLOUD", "glm-4.6:Cloud"):
            with pytest.raises(TeacherRefused, match="runs in Ollama's cloud"):
                adapter.complete(model, MESSAGES, OPTIONS)
            with pytest.raises(TeacherRefused, match="runs in Ollama's cloud"):
                drawn(adapter.stream(model, MESSAGES, OPTIONS))
        assert fake.requests == []
        assert adapter.complete("llama3.2:3b", MESSAGES, OPTIONS).text
        adapter.close()


ALIASES = {
    "models": [
        {"name": "llama3.2:3b", "model": "llama3.2:3b"},
        {"name": "mine:latest", "model": "mine:latest", "remote_host": "https://ollama.com:443"},
        {"name": "Ours:big", "model": "Ours:big", "remote_model": "gpt-oss:120b"},
    ]
}


@pytest.mark.parametrize(
    "model",
    [
        *("mine", "mine:latest", "MINE", "library/mine", "registry.ollama.ai/library/mine:latest"),
        *("ours:BIG", "Ours:big", "https://registry.ollama.ai/library/mine", " mine"),
    ],
)
def test_a_model_in_the_cloud_is_known_under_any_name(model: str, streamed: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(services.REPLIES, "aliases", json.dumps(ALIASES).encode())
    with FakeService("ollama", listing="aliases") as fake:
        here, anywhere = connect("ollama", Access(fake.url, local_only=True)), connect("ollama", Access(fake.url))
        for _ in range(2):
            with pytest.raises(TeacherRefused, match="runs in Ollama's cloud"):
                if streamed:
                    drawn(here.stream(model, MESSAGES, OPTIONS))
                else:
                    here.complete(model, MESSAGES, OPTIONS)
        assert [request.path for request in fake.requests] == ["/api/tags"]
        for unlisted in ("ours", "mine:other"):
            assert here.complete(unlisted, MESSAGES, OPTIONS).text, "the server is to say that it has none"
        assert anywhere.complete(model, MESSAGES, OPTIONS).text
        here.close()
        anywhere.close()
    assert len(fake.completions) == 3


def test_models_are_listed_once_for_many_completions():
    with FakeService("ollama", delay=0.05) as fake:
        adapter = connect("ollama", Access(fake.url, local_only=True))
        with ThreadPoolExecutor(16) as pool:
            asked = [pool.submit(adapter.complete, "llama3.2:3b", MESSAGES, OPTIONS) for _ in range(32)]
            assert all(one.result().text for one in asked)
        adapter.close()
    assert len(fake.completions) == 32 and len(fake.requests) == 33


@pytest.mark.parametrize(("reply", "error"), [("error_503", ProviderUnavailable), ("wrong_shape", BadAnswer)])
def test_without_a_list_nothing_is_asked_that_is_to_stay_here(reply: str, error: type[ProviderError], streamed: bool):
    with FakeService("ollama", listing=[reply, "ok"]) as fake:
        adapter = connect("ollama", Access(fake.url, local_only=True))
        with pytest.raises(error):
            if streamed:
                drawn(adapter.stream("llama3.2:3b", MESSAGES, OPTIONS))
            else:
                adapter.complete("llama3.2:3b", MESSAGES, OPTIONS)
        assert fake.completions == []
        assert adapter.complete("llama3.2:3b", MESSAGES, OPTIONS).text
        adapter.close()


def test_the_wait_for_a_list_ends_with_stop_and_with_the_time():
    with FakeService("ollama", listing="hang") as fake:
        adapter = connect("ollama", Access(fake.url, local_only=True, total=0.6))
        stop, begun = threading.Event(), time.monotonic()
        with ThreadPoolExecutor(6) as pool:
            late = [pool.submit(adapter.complete, "llama3.2:3b", MESSAGES, OPTIONS) for _ in range(4)]
            stopped = pool.submit(adapter.complete, "llama3.2:3b", MESSAGES, replace(OPTIONS, stop=stop))
            stop.set()
            with pytest.raises(Cancelled):
                stopped.result()
            for one in late:
                with pytest.raises(ProviderUnavailable):
                    one.result()
        adapter.close()
    assert fake.completions == [] and time.monotonic() - begun < 0.6 + BUSY


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nothing_for_this_machine_goes_through_a_proxy(provider: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with FakeService(provider) as fake:
        adapter = connect(provider, Access(fake.url, KEY))
        assert adapter.complete("m", MESSAGES, OPTIONS).text == services.TEXT
        adapter.close()


# ------------------------------------------------------------------------------------------------------------- listing


def test_models_are_listed(station: Station):
    station.reply = "ok"
    station.fake.requests.clear()
    assert station.adapter().models() == {
        "ollama": [
            ListedModel("llama3.2:3b"),
            ListedModel("qwen3:8b"),
            ListedModel("gpt-oss:120b-cloud", remote=True),
        ],
        "groq": [ListedModel(name) for name in services.MODELS["groq"][:3]],
        "gemini": [ListedModel(name) for name in services.MODELS["gemini"][:2]],
    }.get(station.provider, [ListedModel(name) for name in services.MODELS[station.provider]])
    path = {"ollama": "/api/tags", "groq": "/openai/v1/models", "gemini": "/v1beta/models?pageSize=1000"}
    assert [request.path for request in station.fake.requests] == [path.get(station.provider, "/v1/models")]


WRITES = {
    "llama3.2:3b": True,
    "Eclipse-12B": True,
    "mistral-small-3.2": True,
    "llama-vision-imagery": True,
    "Roberto-7b": True,
    "nomic-embed-text:latest": False,
    "Qwen/Qwen3-Embedding-8B": False,
    "bge-m3": False,
    "sentence-transformers/all-MiniLM-L6-v2": False,
    "google-bert/bert-base-uncased": False,
    "Qwen3-Reranker-4B": False,
    "openai/whisper-large-v3": False,
    "tts-1-hd": False,
    "kokoro-82m": False,
    "openai/clip-vit-base": False,
    "stable-diffusion-3.5": False,
    "black-forest-labs/FLUX.1-dev": False,
    "gemini-2.5-flash-image": False,
}


@pytest.mark.parametrize("provider", ["ollama", "huggingface", "openai_compatible", "gemini"])
def test_a_list_says_which_models_write(provider: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(services.MODELS, provider, list(WRITES))
    expected = WRITES
    if provider == "ollama":
        families = {"a": "bert", "b": "nomic-bert-moe", "c": "llama", "d": None}
        models: list[dict[str, Any]] = [{"name": name, "model": name} for name in WRITES]
        models += [
            {"model": name, "details": {"family": family, "families": [family, "clip"] if family else None}}
            for name, family in families.items()
        ]
        expected = WRITES | {"a": False, "b": False, "c": True, "d": True}
        monkeypatch.setitem(services.REPLIES, "kinds", json.dumps({"models": models}).encode())
    elif provider == "gemini":
        expected = {name: writes for name, writes in WRITES.items() if "embedding" not in name}
    with FakeService(provider, listing="kinds" if provider == "ollama" else "ok") as fake:
        adapter = connect(provider, Access(fake.url, KEY))
        found = {model.id: model.writes for model in adapter.models()}
        adapter.close()
    assert found == expected


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        ("unauthorized", TeacherRefused, "refused the key"),
        ("not_found", TeacherRefused, "no list of models at this address"),
        ("error_503", ProviderUnavailable, "trouble"),
        ("bad_json", ProviderUnavailable, "cannot be read"),
        ("nothing", ProviderUnavailable, "cannot be read"),
        ("wrong_shape", BadAnswer, "not understood"),
        ("a_list", BadAnswer, "not understood"),
        ("hang", ProviderUnavailable, "within"),
        ("redirect", TeacherRefused, "sends requests elsewhere"),
    ],
)
def test_a_list_of_models_can_fail(station: Station, reply: str, error: type[ProviderError], says: str):
    station.reply = reply
    with pytest.raises(error, match=says) as caught:
        station.adapter(**HASTY).models()
    assert type(caught.value) is error


# ---------------------------------------------------------------------------------------------- stopping, many at once


def test_stop_ends_a_stream_between_two_pieces(station: Station):
    station.reply = "ok"
    stop = threading.Event()
    stream = station.adapter().stream(station.model, MESSAGES, replace(OPTIONS, stop=stop))
    assert next(stream)
    stop.set()
    with pytest.raises(Cancelled):
        drawn(stream)


def test_stop_ends_the_wait_for_an_answer(station: Station, streamed: bool):
    stop = threading.Event()
    timer = threading.Timer(0.05, stop.set)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        station.ask("hang", streamed=streamed, options=replace(OPTIONS, stop=stop))
    timer.join()
    assert time.monotonic() - begun < 0.05 + BUSY


def test_nothing_is_sent_after_stop(station: Station, streamed: bool):
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        station.ask("ok", streamed=streamed, options=replace(OPTIONS, stop=stop))
    assert station.fake.requests == []


def test_a_stream_that_nobody_reads_on_lets_go_of_its_connection(station: Station):
    station.reply = "a very long story " * 40_000
    for _ in range(3):
        stream = station.adapter().stream(station.model, MESSAGES, OPTIONS)
        assert next(stream)
        stream.close()
    deadline = time.monotonic() + 5
    while station.fake.at_once and time.monotonic() < deadline:
        time.sleep(0.01)
    assert station.fake.at_once == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_sixty_four_threads_share_one_client(provider: str):
    with FakeService(provider, lambda number: f"story {number}", delay=0.15) as fake:
        adapter = connect(provider, Access(fake.url, KEY))

        def ask(number: int) -> str:
            if number % 2:
                return adapter.complete("m", MESSAGES, OPTIONS).text
            pieces, completion = drawn(adapter.stream("m", MESSAGES, OPTIONS))
            assert "".join(pieces) == completion.text
            return completion.text

        with ThreadPoolExecutor(64) as pool:
            texts = list(pool.map(ask, range(128)))
        adapter.close()
    assert sorted(texts) == sorted(f"story {number}" for number in range(128))
    assert fake.most_at_once > 16


@pytest.mark.parametrize("provider", PROVIDERS)
def test_connections_are_kept(provider: str, streamed: bool):
    with FakeService(provider) as fake:
        adapter = connect(provider, Access(fake.url, KEY))
        for _ in range(5):
            if streamed:
                drawn(adapter.stream("m", MESSAGES, OPTIONS))
            else:
                adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
    assert fake.connections == 1


# ---------------------------------------------------------------------------------------------------------- chat model


def test_a_model_of_a_service_is_a_chat_model(station: Station):
    station.reply = "ok"
    model = ServiceModel(station.adapter(), station.model)
    assert (model.provider, model.model) == (station.provider, station.model)
    assert model.name == f"{station.provider}/{station.model}"
    assert model.label == f"{LABELS[station.provider]} · {station.model}"
    assert 1 <= model.in_flight <= 64
    assert model.complete(MESSAGES, OPTIONS).text == services.TEXT
    assert drawn(model.stream(MESSAGES, OPTIONS))[1].text == services.TEXT


def test_there_is_no_adapter_to_what_is_no_service():
    with pytest.raises(InvalidInput, match="no teacher service 'storyteller'"):
        connect("storyteller", Access("http://127.0.0.1:9"))


@pytest.mark.parametrize("module", ["zega_core.providers", "zega_core.providers.service"])
def test_client_libraries_are_loaded_only_when_a_service_is_asked(module: str):
    clients = {"ollama", "groq", "google.genai", "huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2"}
    code = f"import sys, {module}; print(sorted({clients!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434",
        "http://127.0.0.1",
        "127.0.0.1",
        "127.8.9.10:1234",
        ":11434",
        "localhost:1234",
        "LOCALHOST",
        "http://localhost.:80/v1",
        "http://[::1]:11434",
        "[::1]:11434",
        "0.0.0.0",
        "http://0.0.0.0:11434/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_addresses_of_this_machine(url: str):
    assert is_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://api.groq.com",
        "ollama.com",
        "192.168.1.20:11434",
        "http://10.0.0.1",
        "http://127.0.0.1.nip.io",
        "http://localhost.example",
        "http://zega.localhost:11434",
        ".localhost",
        "http://127.0.0.1@evil.example",
        "http://evil.example/127.0.0.1",
        "http://[::1",
        "http://127.0.0.1:port",
        "http://[2001:db8::1]",
    ],
)
def test_addresses_elsewhere(url: str):
    assert not is_loopback(url)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("127.0.0.1", "http://127.0.0.1:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("host:1234/", "http://host:1234"),
        ("http://host", "http://host:80"),
        ("https://ollama.com", "https://ollama.com:443"),
        ("[::1]", "http://[::1]:11434"),
        ("http://[::]:1", "http://[::1]:1"),
        ("host/behind/", "http://host:11434/behind"),
    ],
)
def test_ollama_understands_what_ollama_host_may_hold(host: str, address: str):
    from zega_core.providers.ollama import address_of

    assert address_of(host) == address


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        ("http://127.0.0.1:1234", "http://127.0.0.1:1234/v1"),
        ("127.0.0.1:1234/", "http://127.0.0.1:1234/v1"),
        ("http://127.0.0.1:1234/v1/", "http://127.0.0.1:1234/v1"),
        ("http://127.0.0.1:1234/v1/chat/completions", "http://127.0.0.1:1234/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("https://example.com/v1beta/openai/", "https://example.com/v1beta/openai"),
    ],
)
def test_a_compatible_server_is_found_with_or_without_its_version(base_url: str, asked: str):
    from zega_core.providers.openai_compatible import OpenAICompatible

    adapter = OpenAICompatible(Access(base_url))
    adapter.close()
    assert adapter.access.base_url == asked


@pytest.mark.parametrize(
    ("provider", "says"),
    [("ollama", "ollama signin"), ("huggingface", "asks for a key"), ("openai_compatible", "asks for a key")],
)
def test_who_was_asked_without_a_key_may_ask_for_one(provider: str, says: str):
    with FakeService(provider, "unauthorized") as fake:
        adapter = connect(provider, Access(fake.url))
        with pytest.raises(TeacherRefused, match=says):
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()


@pytest.mark.parametrize(
    ("body", "error", "told"),
    [
        ({"message": "Over", "code": 429, "metadata": {"headers": {"X-RateLimit-Reset": "30"}}}, RateLimited, 30.0),
        ({"message": "Upstream is gone", "code": 502}, ProviderUnavailable, None),
        ({"message": "flagged", "code": "content_filter"}, BadAnswer, None),
        ({"message": "Failed to generate JSON", "code": "json_validate_failed"}, BadAnswer, None),
        ({"message": "limit: 0, model: gemini-3.1-pro", "code": 429}, TeacherRefused, None),
        ({"message": "cached limit: 0.5 of the rest", "code": 429}, RateLimited, None),
        ({"message": '{"nested": "dump"}', "code": 400}, ProviderError, None),
        ({"message": "long " * 200, "code": 400}, ProviderError, None),
    ],
)
def test_an_error_inside_an_answer_counts_as_one(
    body: dict[str, Any], error: type[ProviderError], told: float | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(services.REPLIES, "this", json.dumps({"error": body}).encode())
    with FakeService("openai_compatible", "this") as fake:
        adapter = connect("openai_compatible", Access(fake.url))
        with pytest.raises(ProviderError) as caught:
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
    assert type(caught.value) is error
    assert getattr(caught.value, "retry_after", None) == told
    assert len(str(caught.value)) < 300 and "{" not in str(caught.value)


@pytest.mark.parametrize("provider", ["groq", "gemini", "huggingface"])
def test_an_address_may_name_the_version_too(provider: str):
    version = {"groq": "/openai/v1/", "gemini": "/v1beta/", "huggingface": "/chat/completions"}[provider]
    with FakeService(provider) as fake:
        adapter = connect(provider, Access(fake.url + version, KEY))
        adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
        expected = {"groq": "/openai/v1/chat/completions", "gemini": "/v1beta/models/m:generateContent"}
        assert fake.requests[0].path == expected.get(provider, "/v1/chat/completions")


@pytest.mark.parametrize(
    ("wanted", "listed", "found"),
    [
        (
            "llama-3.1-8b-instant",
            ["whisper-large-v3", "llama-3.3-70b-versatile", "llama-4-8b-instant"],
            "llama-4-8b-instant",
        ),
        ("llama3-70b-8192", ["llama-3.1-8b-instant", "llama-3.3-70b-versatile"], "llama-3.3-70b-versatile"),
        ("gemini-1.5-flash", ["gemini-2.5-pro", "gemini-2.5-flash", "gemma-3-27b-it"], "gemini-2.5-flash"),
        ("llama3.2", ["qwen3:8b", "llama3.2:3b"], "llama3.2:3b"),
        (
            "meta-llama/Llama-3-8B-Instruct",
            ["Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct"],
            "meta-llama/Llama-3.1-8B-Instruct",
        ),
        ("llama3.2", ["zzz"], None),
        ("llama3.2", [], None),
    ],
)
def test_the_nearest_model_is_of_the_same_family_and_size(wanted: str, listed: Sequence[str], found: str | None):
    assert nearest(wanted, listed) == found


# ------------------------------------------------------------------------------------------------------- the stand-ins


def test_a_stand_in_can_be_busy_each_so_often_and_limit_its_guests():
    with FakeService("ollama", busy_every=2) as fake:
        adapter = connect("ollama", Access(fake.url))
        assert adapter.complete("m", MESSAGES, OPTIONS).text
        with pytest.raises(RateLimited) as caught:
            adapter.complete("m", MESSAGES, OPTIONS)
        assert caught.value.busy and adapter.complete("m", MESSAGES, OPTIONS).text
        adapter.close()
    with FakeService("groq", per_minute=2) as fake:
        adapter = connect("groq", Access(fake.url, KEY))
        for _ in range(2):
            adapter.complete("m", MESSAGES, OPTIONS)
        with pytest.raises(RateLimited) as caught:
            adapter.complete("m", MESSAGES, OPTIONS)
        adapter.close()
    assert caught.value.retry_after == pytest.approx(60, abs=2)


def test_a_stand_in_runs_as_a_process():
    command = [sys.executable, "-m", "tests.support.services", "--provider", "ollama", "--script", "one,two"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        adapter = connect("ollama", Access(process.stdout.readline().strip()))
        texts = [adapter.complete("m", MESSAGES, OPTIONS).text for _ in range(3)]
        adapter.close()
        process.kill()
    assert texts == ["one", "two", "one"]
