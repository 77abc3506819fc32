"""Who teaches: services set up by environment, keys and choices, over real clients and stand-in services."""

from __future__ import annotations

import json
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlmodel import select

from tests.support.services import FakeService
from tests.support.teachers import story
from tests.support.worker import until
from zega_core import auto_train, db, keys, staffing, teacher_checks, teachers
from zega_core.catalog import load_catalog
from zega_core.configs import AutoTrainConfig, TeacherChoice, TeachingConfig, checked
from zega_core.errors import HomeError, InvalidInput
from zega_core.jobs import client, workflows
from zega_core.providers.base import Call
from zega_core.settings import Settings
from zega_core.store import candidates, checks, ledger, sessions, teaching
from zega_core.tables import CallOutcome, Example, ExampleStatus, RunStatus, TrainingSession
from zega_core.teacher_tables import Candidate, ProviderCall

KEY = "gsk_a_key_that_nobody_may_see"
ADDRESS = {
    "ollama": "OLLAMA_HOST",
    "groq": "GROQ_BASE_URL",
    "gemini": "GOOGLE_GEMINI_BASE_URL",
    "huggingface": "ZEGA_HF_BASE_URL",
    "openai_compatible": "ZEGA_OPENAI_BASE_URL",
}
MODEL = {
    "groq": "llama-3.1-8b-instant",
    "gemini": "gemini-2.5-flash",
    "huggingface": "meta-llama/Llama-3.1-8B-Instruct",
}
"""Models that the stand-ins list, whatever the catalog says today."""
KEYS = {"groq": "GROQ_API_KEY", "gemini": "GOOGLE_API_KEY", "huggingface": "HF_TOKEN"}


def writes(number: int) -> str:
    return story(1000 + number, sentences=14)


class Services:
    """Stand-ins that are set up as a writer would: by environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._monkeypatch, self._stack = monkeypatch, stack

    def add(self, provider: str, script: object = writes, **more: object) -> FakeService:
        service = self._stack.enter_context(FakeService(provider, script, **more))  # type: ignore[arg-type]
        self._monkeypatch.setenv(ADDRESS[provider], service.url)
        if provider in KEYS:
            self._monkeypatch.setenv(KEYS[provider], KEY)
        return service


@pytest.fixture
def services(config: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    choose()
    with ExitStack() as stack:
        yield Services(monkeypatch, stack)


def ours(**more: object) -> TeachingConfig:
    """Every service on, with the models that the stand-ins list."""
    if "teachers" not in more:
        names = [choice.provider for choice in TeachingConfig().in_order()]
        more["teachers"] = tuple(TeacherChoice(provider=name, models=_models(name)) for name in names)
    return checked(TeachingConfig, **more)


def _models(name: str) -> tuple[str, ...]:
    return (MODEL[name],) if name in MODEL else ()


def choose(**more: object) -> TeachingConfig:
    config = ours(**more)
    with db.session() as session:
        teaching.save(session, "default", config)
    return config


UNLIMITED: dict[str, int | None] = {
    f"{kind}_per_{length}": None for kind in ("requests", "tokens") for length in ("minute", "day")
}


def only(*names: str, limits: dict[str, int | None] | None = None) -> tuple[TeacherChoice, ...]:
    """These services on, in this order; all others off."""
    chosen = [TeacherChoice(provider=name, models=_models(name), limits=limits or {}) for name in names]  # type: ignore[arg-type]
    others = [choice.model_copy(update={"on": False}) for choice in TeachingConfig().in_order()]
    return (*chosen, *(choice for choice in others if choice.provider not in names))


def run(config: Settings, number: int = 6, attempt: int = 1, session_id: str = "") -> TrainingSession:
    """A session as the worker runs it."""
    if not session_id:
        with db.session() as session:
            asked = AutoTrainConfig(num_examples=number, genres=("fantasy",), seed=3)
            session_id = sessions.create(session, asked, teacher="x", order_seed=3).session_id
    staff = staffing.staff_of(session_id, config)
    auto_train.run(
        session_id,
        attempt,
        settings=config.model_copy(update={"keep_score": 0.0}),
        catalog=load_catalog(),
        teacher=staff.teacher,
        votes=staff.votes,
        judge=staff.judge,
        budget=staff.budget,
    )
    with db.reading() as session:
        return sessions.by_id(session, session_id)


def rows() -> list[Example]:
    with db.reading() as session:
        return list(session.exec(select(Example)))


def calls() -> list[ProviderCall]:
    with db.reading() as session:
        return list(session.exec(select(ProviderCall)))


def outcomes() -> Counter[tuple[str, str]]:
    return Counter((call.provider, call.outcome) for call in calls())


class TestPlaces:
    def test_without_anything_only_ollama_may_be_asked_and_the_storyteller(self, config: Settings):
        assert teachers.lineup(config, "default") == "ollama, storyteller"
        absent = {place.key: place.absent for place in teachers.places(config, TeachingConfig())}
        assert absent["groq"].startswith("No key")
        assert absent["openai_compatible"].startswith("No address")

    @pytest.mark.parametrize("provider, name", [*KEYS.items(), ("gemini", "GEMINI_API_KEY")])
    def test_a_key_in_the_environment_is_enough(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch, provider: str, name: str
    ):
        monkeypatch.setenv(name, KEY)
        place = teachers.place(config, TeachingConfig(), provider)
        assert (place.absent, place.access.key, place.key_source) == ("", KEY, "environment")
        assert not place.local

    def test_the_writers_order_holds_and_the_others_follow(self, config: Settings):
        ours = TeachingConfig(teachers=(TeacherChoice(provider="gemini"), TeacherChoice(provider="ollama")))  # type: ignore[arg-type]
        found = [place.key for place in teachers.places(config, ours)]
        assert found == ["gemini", "ollama", "groq", "huggingface", "openai_compatible"]

    @pytest.mark.parametrize(
        "address, local",
        [
            ("http://127.0.0.1:1234/v1", True),
            ("http://localhost:8080", True),
            ("http://[::1]:8080/v1", True),
            ("http://192.168.1.5:1234", False),
            ("https://openrouter.ai/api/v1", False),
            ("http://localhost.evil.example", False),
            ("http://127.0.0.1.evil.example", False),
        ],
    )
    def test_local_is_what_is_on_this_machine(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch, address: str, local: bool
    ):
        monkeypatch.setenv("ZEGA_OPENAI_BASE_URL", address)
        place = teachers.place(config, TeachingConfig(local_only=True), "openai_compatible")
        assert place.local is local
        assert (place.absent == "") is local

    def test_limits_of_the_writer_stand_in_for_the_catalogs(self, config: Settings):
        choice = TeacherChoice(provider="groq", limits={"requests_per_minute": 5, "tokens_per_day": None})  # type: ignore[arg-type]
        place = teachers.place(config, TeachingConfig(teachers=(choice,)), "groq")
        model = place.models()[0]
        found = {limit.name: limit.amount for limit in teachers.limits_of(place, model)}
        catalogs = place.provider.model(model).limits
        assert found == {**catalogs, "requests_per_minute": 5, "tokens_per_day": teachers.NO_LIMIT}

    def test_prices(self, config: Settings, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("ZEGA_OPENAI_BASE_URL", "https://openrouter.ai/api/v1")
        remote = teachers.place(config, TeachingConfig(), "openai_compatible")
        assert teachers.price_of(remote, "any")(1000, 1000) is None
        priced = TeacherChoice(provider="openai_compatible", price_in=1.0, price_out=3.0)  # type: ignore[arg-type]
        remote = teachers.place(config, TeachingConfig(teachers=(priced,)), "openai_compatible")
        assert teachers.price_of(remote, "any")(1_000_000, 1_000_000) == pytest.approx(4 * 0.86)
        assert teachers.price_of(teachers.place(config, TeachingConfig(), "ollama"), "any")(10**6, 10**6) == 0.0


class TestChoices:
    @pytest.mark.parametrize(
        "values",
        [
            {"budget": 0},
            {"budget": float("nan")},
            {"budget": float("inf")},
            {"min_votes": 0},
            {"min_votes": 6},
            {"teachers": [{"provider": "clippy"}]},
            {"teachers": [{"provider": "groq", "in_flight": 0}]},
            {"teachers": [{"provider": "groq", "limits": {"requests_per_minute": 0}}]},
            {"teachers": [{"provider": "groq", "limits": {"requests_per_hour": 1}}]},
            {"teachers": [{"provider": "openai_compatible", "base_url": "javascript:alert(1)"}]},
            {"teachers": [{"provider": "openai_compatible", "base_url": "http://user:pass@host/v1"}]},
            {"teachers": [{"provider": "groq", "models": ["a b; drop table"]}]},
            {"teachers": [{"provider": "groq", "models": ["m"] * 9}]},
            {"surprise": True},
        ],
    )
    def test_what_cannot_be_is_refused_in_words(self, values: dict[str, object]):
        with pytest.raises(InvalidInput) as raised:
            checked(TeachingConfig, **values)
        assert "Traceback" not in str(raised.value)

    def test_choices_are_the_writers_own_and_come_back(self, config: Settings):
        ours = choose(budget=0.5, min_votes=2, local_only=True, teachers=only("groq"))
        with db.reading() as session:
            assert teaching.load(session, "default") == ours
            assert teaching.load(session, "somebody-else") == TeachingConfig()

    @pytest.mark.parametrize(
        "row, budget",
        [({"teachers": 7}, None), ({"later": 1, "budget": 0.5, "local_only": False}, 0.5), ({"budget": "x"}, None)],
    )
    def test_of_a_row_of_another_version_nothing_is_taken_that_could_send_or_spend(
        self, config: Settings, row: dict[str, object], budget: float | None
    ):
        choose()
        with db.session() as session:
            session.get_one(teaching.AutoTrainingConfig, "default").config = row
        with db.reading() as session:
            assert teaching.load(session, "default") == TeachingConfig(local_only=True, budget=budget)


class TestKeys:
    def test_a_key_is_kept_for_its_owner_only_and_comes_before_the_environments(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("GROQ_API_KEY", "gsk_of_the_environment")
        keys.save_key(config, "groq", f"  {KEY}\n")
        assert keys.key_of(config, "groq") == KEY
        assert keys.source_of(config, "groq") == "entered"
        mode = stat.S_IMODE((config.home / "keys.json").stat().st_mode)
        assert mode == 0o600
        keys.forget_key(config, "groq")
        assert keys.key_of(config, "groq") == "gsk_of_the_environment"
        assert keys.source_of(config, "groq") == "environment"

    @pytest.mark.parametrize(
        "key", ["", "short", "has a space in it", "x" * 501, "ключ-от-сервиса", "two\nlines-of-it"]
    )
    def test_what_is_no_key_is_refused_and_not_repeated(self, config: Settings, key: str):
        with pytest.raises(InvalidInput) as raised:
            keys.save_key(config, "groq", key)
        assert len(key) < 5 or key not in str(raised.value)
        assert not (config.home / "keys.json").exists()

    def test_the_key_of_a_server_of_ones_own_goes_to_no_other_address(
        self, config: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        def key_at(address: str) -> str | None:
            choice = TeacherChoice(provider="openai_compatible", base_url=address)  # type: ignore[arg-type]
            return teachers.place(config, TeachingConfig(teachers=(choice,)), "openai_compatible").access.key

        monkeypatch.setenv("ZEGA_OPENAI_BASE_URL", "https://one.example/v1")
        monkeypatch.setenv("ZEGA_OPENAI_API_KEY", "key_of_the_environment")
        assert key_at("") == key_at("https://one.example/v1") == "key_of_the_environment"
        assert key_at("https://two.example/v1") is None
        keys.save_key(config, "openai_compatible", KEY, "https://two.example/v1")
        assert key_at("https://two.example/other") == KEY
        assert key_at("https://three.example/v1") is None
        keys.forget_key(config, "openai_compatible", "https://two.example/v1")
        assert key_at("https://two.example/v1") is None

    @pytest.mark.parametrize("content", ["{", "[]", '"x"', "\x00"])
    def test_a_damaged_file_is_named(self, config: Settings, content: str):
        config.prepare_home()
        (config.home / "keys.json").write_text(content, encoding="utf-8")
        with pytest.raises(HomeError, match=r"keys\.json is damaged"):
            keys.key_of(config, "groq")

    def test_other_entries_of_the_file_do_no_harm(self, config: Settings):
        config.prepare_home()
        (config.home / "keys.json").write_text(json.dumps({"groq": 5, "x": "y", "gemini": KEY}), encoding="utf-8")
        assert keys.key_of(config, "groq") is None
        assert keys.key_of(config, "gemini") == KEY


class TestLook:
    def look(self, config: Settings, provider: str, choices: TeachingConfig | None = None) -> teacher_checks.Look:
        return teacher_checks.look(teachers.place(config, choices or ours(), provider))

    @pytest.mark.parametrize("provider", ADDRESS)
    def test_a_service_that_answers_is_ready_with_its_models(self, config: Settings, services: Services, provider: str):
        service = services.add(provider)
        found = self.look(config, provider)
        assert found.state == "ready"
        assert found.models
        assert found.listed
        assert len(service.requests) == 1

    def test_a_model_that_is_gone_is_named_with_the_nearest(self, config: Settings, services: Services):
        services.add("groq")
        choice = TeacherChoice(provider="groq", models=("llama-3.1-70b-versatile", "llama-3.1-8b-instant"))  # type: ignore[arg-type]
        found = self.look(config, "groq", TeachingConfig(teachers=(choice,)))
        assert found.state == "ready"
        assert found.models == ["llama-3.1-8b-instant"]
        assert found.missing == {"llama-3.1-70b-versatile": "llama-3.3-70b-versatile"}
        assert "llama-3.3-70b-versatile" in found.message

    def test_ollama_names_its_models_with_or_without_a_tag(self, config: Settings, services: Services):
        services.add("ollama")
        choice = TeacherChoice(provider="ollama", models=("llama3.2:3b", "mistral"))  # type: ignore[arg-type]
        found = self.look(config, "ollama", TeachingConfig(teachers=(choice,)))
        assert found.models == ["llama3.2:3b"]
        assert list(found.missing) == ["mistral"]

    def test_models_that_leave_the_machine_are_not_there_when_local_only(self, config: Settings, services: Services):
        services.add("ollama")
        assert "gpt-oss:120b-cloud" not in self.look(config, "ollama", TeachingConfig(local_only=True)).listed

    def test_a_model_of_the_cloud_is_never_taken_by_default_and_never_under_local_only(
        self, config: Settings, services: Services
    ):
        services.add("ollama")
        found = self.look(config, "ollama")
        assert "gpt-oss:120b-cloud" in found.elsewhere
        assert found.models == ["llama3.2:3b"]
        choice = TeacherChoice(provider="ollama", models=("gpt-oss:120b-cloud",))  # type: ignore[arg-type]
        cloud = TeachingConfig(teachers=(choice,), local_only=True, judge="ollama/gpt-oss:120b-cloud")
        assert self.look(config, "ollama", cloud).models == []
        choose(teachers=(choice,), local_only=True, judge="ollama/gpt-oss:120b-cloud")
        with db.session() as session:
            asked = AutoTrainConfig(num_examples=1)
            session_id = sessions.create(session, asked, teacher="x", order_seed=3).session_id
        assert staffing.staff_of(session_id, config).judge is None
        place = teachers.place(config, TeachingConfig(), "ollama")
        assert teachers.price_of(place, "mine", ["mine"])(10, 10) is None

    @pytest.mark.parametrize(
        "listing, state", [("unauthorized", "refused"), ("error_500", "unreachable"), ("bad_json", "unreachable")]
    )
    def test_what_is_wrong_is_said(self, config: Settings, services: Services, listing: str, state: str):
        services.add("groq", listing=listing)
        found = self.look(config, "groq")
        assert found.state == state
        assert found.message
        assert KEY not in found.message

    def test_nobody_there(self, config: Settings):
        assert self.look(config, "ollama").state == "unreachable"


class TestCheck:
    def ask(self, provider: str, model: str = "") -> int:
        with db.session() as session:
            return checks.ask(session, "default", provider, model).id or 0

    def result(self, provider: str, model: str = "") -> dict[str, object]:
        with db.reading() as session:
            row = checks.latest_done(session, "default", provider, model)
        assert row is not None
        assert row.result is not None
        return row.result

    def test_a_test_asks_for_one_sentence_and_is_in_the_ledger(self, config: Settings, services: Services):
        service = services.add("groq", "The lock had been changed since noon.")
        teacher_checks.check(self.ask("groq", "llama-3.1-8b-instant"), config)
        said = self.result("groq", "llama-3.1-8b-instant")
        assert said["state"] == "ready"
        assert said["text"] == "The lock had been changed since noon."
        assert isinstance(said["seconds"], float)
        assert len(service.completions) == 1
        assert [(call.role, call.outcome, call.session_id) for call in calls()] == [("test", "ok", None)]

    @pytest.mark.parametrize("script", ["unauthorized", "gone", "forbidden", "empty"])
    def test_a_test_that_fails_says_why(self, config: Settings, services: Services, script: str):
        services.add("groq", script)
        teacher_checks.check(self.ask("groq", "llama-3.1-8b-instant"), config)
        said = self.result("groq", "llama-3.1-8b-instant")
        assert said["state"] in ("refused", "unreachable")
        assert said["message"]
        assert KEY not in json.dumps(said)

    @pytest.mark.parametrize("provider", ["ollama", "openai_compatible"])
    def test_a_model_of_the_cloud_is_not_tested_under_local_only(
        self, config: Settings, services: Services, provider: str
    ):
        service = services.add(provider)
        choose(local_only=True)
        teacher_checks.check(self.ask(provider, "gpt-oss:120b-cloud"), config)
        assert self.result(provider, "gpt-oss:120b-cloud")["state"] in ("off", "refused")
        assert not service.completions

    def test_the_same_check_is_under_way_once_and_done_once(self, config: Settings, services: Services):
        service = services.add("groq")
        first = self.ask("groq")
        assert self.ask("groq") == first
        teacher_checks.check(first, config)
        teacher_checks.check(first, config)
        assert len(service.requests) == 1
        assert self.ask("groq") != first

    def test_standing_is_told_without_asking_anybody(self, config: Settings, services: Services):
        service = services.add("groq")
        with db.session() as session:
            place = teachers.place(config, TeachingConfig(), "groq")
            assert teacher_checks.standing(session, "default", place).state == "unknown"
        check = self.ask("groq")
        with db.session() as session:
            assert teacher_checks.standing(session, "default", place).looking
        teacher_checks.check(check, config)
        before = len(service.requests)
        with db.session() as session:
            assert teacher_checks.standing(session, "default", place).state == "ready"
            gone = teachers.place(config, TeachingConfig(teachers=only("ollama")), "groq")
            assert teacher_checks.standing(session, "default", gone).state == "off"
        assert len(service.requests) == before

    def test_a_limit_of_the_day_shows_until_when(self, config: Settings, services: Services):
        services.add("gemini", "rate_limited_daily")
        choose(teachers=only("gemini"), storyteller=False)
        row = run(config, 2)
        assert row.status == RunStatus.stopped
        assert row.error
        assert "limit of the day" in row.error
        with db.session() as session:
            stand = teacher_checks.standing(session, "default", teachers.place(config, choose(), "gemini"))
        assert stand.state == "limited"
        assert stand.until


class TestRun:
    def test_the_first_in_order_writes_everything(self, config: Settings, services: Services):
        groq, gemini = services.add("groq"), services.add("gemini")
        row = run(config)
        assert row.status == RunStatus.done
        assert {example.model for example in rows()} == {"groq/llama-3.1-8b-instant"}
        assert len(groq.completions) == 6
        assert not gemini.completions

    def test_the_seeds_scenario_in_small(self, config: Settings, services: Services):
        services.add("gemini", "rate_limited")
        services.add("groq", "unknown_model")
        services.add("huggingface", "gone")
        services.add("ollama", writes, busy_every=2)
        choose(teachers=only("groq", "huggingface", "gemini", "ollama"), storyteller=False)
        row = run(config, 12)
        assert row.status == RunStatus.done
        assert row.num_examples_failed == 0
        assert Counter(example.model for example in rows()) == {"ollama/llama3.2:3b": 12}
        seen = outcomes()
        assert seen["ollama", "ok"] == 12
        assert seen["groq", "refused"] <= 8  # those that were under way when the first answer came
        assert seen["huggingface", "refused"] <= 8

    @pytest.mark.parametrize(
        "script, outcome",
        [
            ("I'm sorry, but I can't help with writing that scene.", CallOutcome.refusal),
            ("empty", CallOutcome.empty),
            ("length", CallOutcome.cut_off),
            ("safety", CallOutcome.safety),
            (
                "La lanterna era fredda quando il guardiano la portò nella torre. Nessuno gli chiese perché, e lui ne "
                "fu contento. Il fiume non si muoveva, e le barche aspettavano che la notte finisse con la pioggia.",
                CallOutcome.language,
            ),
            ("huge", CallOutcome.too_long),
            ("wrong_shape", CallOutcome.garbled),
        ],
    )
    def test_an_answer_that_is_no_piece_is_counted_and_the_next_teacher_is_asked(
        self, config: Settings, services: Services, script: str, outcome: CallOutcome
    ):
        services.add("groq", script)
        services.add("gemini")
        row = run(config, 2)
        assert row.status == RunStatus.done
        assert {example.model.partition("/")[0] for example in rows() if example.model} == {"gemini"}
        with db.reading() as session:
            totals = ledger.by_teacher(session, row.id or 0)
        bad = {name: number for one in totals for name, number in one.outcomes.items() if name != CallOutcome.ok}
        assert bad == {outcome: 2}

    def test_a_preamble_is_taken_off_before_the_piece_is_kept(self, config: Settings, services: Services):
        services.add("groq", lambda number: f"Sure! Here is a short scene for you:\n\n{writes(number)}")
        run(config, 2)
        assert all(example.completion and not example.completion.startswith("Sure") for example in rows())

    def test_without_a_key_the_run_says_so_and_can_be_continued_with_one(self, config: Settings, services: Services):
        services.add("groq", "unauthorized")
        choose(teachers=only("groq"), storyteller=False)
        row = run(config, 4)
        assert row.status == RunStatus.stopped
        assert row.error
        assert "key" in row.error
        assert KEY not in row.error
        assert row.num_examples_failed == 0

    def test_the_storyteller_stands_in_only_if_it_may(self, config: Settings):
        choose(storyteller=True)
        assert {example.model for example in rows()} == set()
        assert run(config, 3).status == RunStatus.done
        assert {example.model for example in rows()} == {"storyteller"}

    def test_nobody_at_all(self, config: Settings):
        choose(teachers=only(), storyteller=False)
        row = run(config, 3)
        assert row.status == RunStatus.stopped
        assert "No teacher can write now" in (row.error or "")
        assert not rows()

    def test_every_call_is_in_the_ledger_with_tokens_and_cost(
        self, config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
    ):
        services.add("groq", ["error_500", *(writes(number) for number in range(9))])
        monkeypatch.setattr(
            teachers, "price_of", lambda place, model, elsewhere=(): lambda prompt, completion: completion / 1000
        )
        choose(teachers=only("groq"))
        row = run(config, 4)
        noted = calls()
        assert Counter(call.outcome for call in noted) == {"ok": 4, "unavailable": 1}
        good = [call for call in noted if call.outcome == "ok"]
        assert all(call.cost == call.completion_tokens / 1000 > 0 for call in good)
        assert all(call.status == 200 and call.reported and call.sent_chars > 50 for call in good)
        with db.reading() as session:
            (totals,) = ledger.by_teacher(session, row.id or 0)
            assert ledger.spent(session, row.id or 0) == pytest.approx(sum(call.cost or 0 for call in good))
        assert totals.kept == sum(example.status == ExampleStatus.kept for example in rows())
        assert totals.kept_per_euro == pytest.approx(totals.kept / totals.cost)

    def test_an_unknown_price_is_unknown(self, config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch):
        services.add("groq")
        monkeypatch.setattr(teachers, "price_of", lambda place, model, elsewhere=(): lambda prompt, completion: None)
        row = run(config, 2)
        with db.reading() as session:
            totals = ledger.by_teacher(session, row.id or 0)
        assert [(one.cost, one.unpriced, one.kept_per_euro) for one in totals] == [(0.0, 2, None)]


class TestChangesDuringARun:
    def test_local_only_pressed_meanwhile_holds_at_once_and_the_run_goes_on_with_others(
        self, config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
    ):
        groq = services.add("groq", delay=0.05)
        services.add("ollama")
        real = teachers.is_loopback
        monkeypatch.setattr(teachers, "is_loopback", lambda url: real(url) and url != groq.url)
        choose(teachers=only("groq", "ollama", limits=UNLIMITED), storyteller=False)
        asked = AutoTrainConfig(num_examples=60, genres=("fantasy",), seed=3)
        session_id = client.start_auto_train(asked, teacher="x", settings=config)
        thread = threading.Thread(target=workflows.write_missing.__wrapped__, args=(session_id, 1))  # type: ignore[attr-defined]
        thread.start()
        until(lambda: len(groq.completions) > 8)
        choose(teachers=only("groq", "ollama", limits=UNLIMITED), storyteller=False, local_only=True)
        until(lambda: len(rows()) > 30)
        sent = len(groq.completions)
        thread.join(60)
        assert len(groq.completions) == sent < 60
        with db.reading() as session:
            assert sessions.by_id(session, session_id).status == RunStatus.done
        assert sorted(example.idx or 0 for example in rows()) == list(range(60))
        assert {(example.model or "").partition("/")[0] for example in rows()} == {"groq", "ollama"}


class TestBudget:
    def test_a_budget_ends_a_run_cleanly_and_a_larger_one_continues_it(
        self, config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
    ):
        services.add("groq")
        monkeypatch.setattr(
            teachers, "price_of", lambda place, model, elsewhere=(): lambda prompt, completion: completion / 1000
        )
        groq = only("groq", limits=UNLIMITED)
        choose(teachers=groq, storyteller=False, budget=0.5)
        row = run(config, 40)
        assert row.status == RunStatus.stopped
        assert "budget" in (row.error or "")
        assert row.budget == 0.5
        written = len(rows())
        with db.reading() as session:
            spent = ledger.spent(session, row.id or 0)
        assert 0 < written < 40
        assert spent <= 0.5
        assert not [example for example in rows() if example.status == ExampleStatus.failed]
        choose(teachers=groq, storyteller=False, budget=100.0)
        with db.session() as session:
            assert auto_train.runs.ask_to_continue(session, "default", row.session_id)
        row = run(config, attempt=2, session_id=row.session_id)
        assert row.status == RunStatus.done
        assert len(rows()) == 40

    def test_a_teacher_of_unknown_price_is_not_asked_while_there_is_a_budget(
        self, config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
    ):
        unknown, known = services.add("groq"), services.add("gemini")
        prices = {"groq": None, "gemini": 0.0001}
        monkeypatch.setattr(
            teachers, "price_of", lambda place, model, elsewhere=(): lambda prompt, completion: prices[place.key]
        )
        choose(teachers=only("groq", "gemini"), storyteller=False, budget=1.0)
        assert run(config, 3).status == RunStatus.done
        assert not unknown.completions
        assert len(known.completions) == 3
        choose(teachers=only("groq"), storyteller=False, budget=1.0)
        assert "price of llama-3.1-8b-instant is not known" in (run(config, 3).error or "")


class TestVotes:
    def test_the_better_piece_is_kept_and_all_are_recorded(self, config: Settings, services: Services):
        services.add("groq", writes)
        services.add("gemini", lambda number: f"{writes(500 + number)} It was very very very sad and very bad.")
        choose(
            teachers=only("groq", "gemini"),
            storyteller=False,
            min_votes=2,
        )
        row = run(config, 5)
        with db.reading() as session:
            record = list(session.exec(select(Candidate)))
            wins = candidates.wins(session, "default")
        assert row.min_votes == 2
        assert len(record) == 10
        assert sum(one.won for one in record) == 5
        for example in rows():
            mine = [one for one in record if one.idx == example.idx]
            best = max(one.quality for one in mine)
            assert example.quality == best
            assert {one.quality for one in mine if one.won} == {best}
            assert example.votes == 2
        assert sum(one.wins for one in wins) == 5
        assert {one.votes for one in wins} == {5}

    def test_near_duplicates_count_once(self, config: Settings, services: Services):
        services.add("groq", writes)
        services.add("gemini", writes)
        choose(
            teachers=only("groq", "gemini"),
            storyteller=False,
            min_votes=2,
        )
        run(config, 1)
        (example,) = rows()
        assert example.votes == 1
        with db.reading() as session:
            record = list(session.exec(select(Candidate)))
        assert sorted(one.counted for one in record) == [False, True]


class TestJudge:
    def test_the_judges_score_stands_beside_the_measured_one(self, config: Settings, services: Services):
        said = json.dumps({"score": 8, "reason": "It holds together."})
        groq = services.add("groq", writes)
        services.add("gemini", said)
        choose(teachers=only("groq"), judge="gemini/gemini-2.5-flash", storyteller=False)
        run(config, 2)  # the judge's service is off as a teacher, so it is not asked
        assert all(example.judge_score is None for example in rows())
        choose(teachers=only("groq", "gemini"), judge="gemini/gemini-2.5-flash", storyteller=False)
        with db.session() as session:
            for example in session.exec(select(Example)).all():
                session.delete(example)
        run(config, 2)
        assert groq.completions
        for example in rows():
            assert example.quality is not None
            assert example.quality_report
            assert example.judge_score is None or 0 <= example.judge_score <= 10
        assert {call.role for call in calls()} == {"teacher", "judge"}


def test_no_key_is_in_the_database_or_a_log(config: Settings, services: Services, home: Path):
    services.add("groq", ["unauthorized", "rate_limited", "ok"])
    keys.save_key(config, "gemini", "AIza_another_secret_key")
    services.add("gemini")
    run(config, 4)
    db.forget()
    for path in home.rglob("*"):
        if path.is_file() and path.name != "keys.json":
            content = path.read_bytes()
            assert KEY.encode() not in content, path
            assert b"AIza_another_secret_key" not in content, path


def test_what_a_session_has_cost_before_counts_when_it_is_continued(
    config: Settings, services: Services, monkeypatch: pytest.MonkeyPatch
):
    groq = services.add("groq")
    monkeypatch.setattr(teachers, "price_of", lambda place, model, elsewhere=(): lambda prompt, completion: 0.001)
    choose(teachers=only("groq"), storyteller=False, budget=0.5)
    with db.session() as session:
        row = sessions.create(session, AutoTrainConfig(num_examples=3), teacher="x", order_seed=3)
        before = Call("groq", "m", CallOutcome.ok, 200, cost=0.5)
        ledger.add(session, "default", [before], role="teacher", session_id=row.id)
    assert run(config, session_id=row.session_id).status == RunStatus.stopped
    assert not groq.completions
