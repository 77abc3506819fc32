"""The Settings page: how each teacher stands, and every choice saved as it is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from zega_core import db, keys, teacher_checks, teacher_words, teachers
from zega_core.configs import TeachingConfig
from zega_core.door_tables import ApiKey
from zega_core.errors import InvalidInput, ProviderUnavailable, RateLimited
from zega_core.jobs import queues
from zega_core.providers.base import Completion
from zega_core.providers.limits import Pause, Usage
from zega_core.providers.service import Access, ListedModel
from zega_core.settings import Settings
from zega_core.store import api_keys, checks, limits, teaching
from zega_core.tables import now
from zega_core.teacher_checks import Look
from zega_core.teacher_tables import AutoTrainingConfig, TeacherCheck
from zega_ui import api_keys_view
from zega_ui.components import plain

KEY = "gsk_never-to-be-shown-0123456789"
MODEL = "llama-3.1-8b-instant"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker, and no key or address from outside."""
    monkeypatch.setattr(queues, "hand_over", lambda *arguments: None)
    for names in teacher_words.KEY_VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)


def settings_page(app: AppTest) -> AppTest:
    app.switch_page("pages/settings.py").run()
    assert not app.exception
    return app


def stored(writer: str = "default") -> TeachingConfig:
    with db.reading() as session:
        return teaching.load(session, writer)


def store(writer: str = "default", **values: Any) -> TeachingConfig:
    config = TeachingConfig.model_validate(values)
    with db.session() as session:
        teaching.save(session, writer, config)
    return config


def found(provider: str, result: dict[str, Any], model: str = "", writer: str = "default") -> None:
    """What a worker has found."""
    with db.session() as session:
        checks.finish(session, checks.ask(session, writer, provider, model).id or 0, result)


def ready(provider: str, *models: str) -> None:
    found(provider, asdict(Look("ready", "", list(models), list(models))))


def asked() -> set[tuple[str, str]]:
    with db.reading() as session:
        rows = session.exec(select(TeacherCheck)).all()
        return {(row.provider, row.model) for row in rows if row.done_at is None}


def everything(app: AppTest) -> str:
    """All that is sent to the browser, and all that the server remembers of the tab."""
    state = app.session_state._state._state  # type: ignore[attr-defined]
    remembered = [state._new_session_state, state._old_state, state._new_widget_state.states]

    def walk(block: Any) -> Iterator[str]:
        yield str(getattr(block, "proto", ""))
        for child in getattr(block, "children", {}).values():
            yield from walk(child)

    return "\n".join([*walk(app._tree), *map(str, remembered)])


def test_the_first_visit_says_what_each_teacher_lacks(app: AppTest):
    text = all_text(settings_page(app))
    headings = [heading.value for heading in app.subheader]
    assert [heading.partition(". ")[2] for heading in headings[:-1]] == [
        "Ollama",
        "Groq",
        "Gemini",
        "Hugging Face",
        "OpenAI-compatible server",
    ]
    assert headings[-1] == "Built-in storyteller"
    assert "Looking…" in text
    assert text.count("**No key**") == 3
    assert "**No address**" in text
    assert "Sends text to api\\.groq\\.com" in text
    assert "ZEGA_KEEP_SCORE" in text
    assert asked() == {("ollama", "")}


def test_every_state_has_its_word_and_its_sentence(app: AppTest, config: Settings):
    for provider in ("groq", "gemini", "huggingface"):
        keys.save_key(config, provider, KEY)
    choices = store(teachers=[{"provider": "openai_compatible", "base_url": "http://127.0.0.1:1234/v1"}])
    ready("openai_compatible", "tiny")
    found("ollama", asdict(Look("unreachable", "Ollama cannot be reached. Start it.")))
    found("gemini", asdict(Look("refused", "Gemini refused the key.")))
    gone: dict[str, str | None] = {"gemma": "gemma-2"}
    found("huggingface", asdict(Look("model_missing", "It is gone; choose it in Settings.", ["gemma-2"], [], gone)))
    place = teachers.place(config, choices, "groq")
    with db.session() as session:
        row = limits.locked(session, place.scope)
        limits.save(session, row, Usage(pauses={model: Pause(time.time() + 600) for model in place.models()}))
    text = all_text(settings_page(app))
    for word in ("Ready", "Unreachable", "Refused", "Model not listed", "Limited"):
        assert f"**{word}**" in text
    assert "Asks tiny." in text
    assert "Ollama cannot be reached. Start it." in text
    assert "Gemini refused the key." in text
    assert "It does not list gemma." in text
    assert "Nothing is asked until " in text
    assert "choose it in Settings" not in text


def test_a_teacher_is_turned_off_and_on(app: AppTest):
    settings_page(app).toggle(key="on-ollama").set_value(False).run()
    assert not stored().choice("ollama").on
    assert "**Turned off**" in all_text(app)
    assert "models-ollama" not in [box.key for box in app.multiselect]
    app.toggle(key="on-ollama").set_value(True).run()
    assert stored().choice("ollama").on


def test_the_order_is_kept_and_seen_in_another_tab(app: AppTest):
    settings_page(app).button(key="icon-up-gemini").click().run()
    app.button(key="icon-up-gemini").click().run()
    assert [choice.provider for choice in stored().in_order()][:3] == ["gemini", "ollama", "groq"]
    assert app.subheader[0].value == "1. Gemini"
    assert app.button(key="icon-up-gemini").disabled
    other = settings_page(AppTest.from_file(app._script_path, default_timeout=30).run())
    assert other.subheader[0].value == "1. Gemini"
    other.button(key="icon-down-gemini").click().run()
    app.run()
    assert app.subheader[0].value == "1. Ollama"
    assert app.subheader[4].value == "5. OpenAI-compatible server"
    assert app.button(key="icon-down-openai_compatible").disabled


def test_a_key_goes_into_its_file_and_nowhere_else(app: AppTest, config: Settings, home: Path):
    settings_page(app).text_input(key="key-groq").set_value(KEY)
    app.button(key="save-groq").click().run()
    assert not app.exception
    assert "A key is stored." in all_text(app)
    assert keys.key_of(config, "groq") == KEY
    assert (home / "keys.json").stat().st_mode & 0o777 == 0o600
    app.run()
    assert KEY not in everything(app)
    for path in home.rglob("*"):
        if path.is_file() and path.name != "keys.json":
            assert KEY.encode() not in path.read_bytes(), path
    assert ("groq", "") in asked()
    app.button(key="forget-groq").click().run()
    assert keys.key_of(config, "groq") is None
    assert not app.text_input(key="key-groq").value


def test_what_cannot_be_a_key_is_refused_and_forgotten(app: AppTest, config: Settings):
    settings_page(app).text_input(key="key-gemini").set_value("two words that are secret")
    app.button(key="save-gemini").click().run()
    assert "That is not a key." in all_text(app)
    assert keys.source_of(config, "gemini") is None
    app.run()
    assert "two words" not in everything(app)


def test_a_key_of_the_environment_is_named_but_not_shown(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    text = all_text(settings_page(app))
    assert "The key comes from the environment (GROQ_API_KEY)." in text
    assert KEY not in everything(app)


def test_the_nearest_model_can_be_used_instead(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    store(teachers=[{"provider": "groq", "models": ["first", "gone"]}])
    found("groq", asdict(Look("ready", "", ["first", "near"], ["first"], {"gone": "near"})))
    settings_page(app).button(key="instead-groq-gone").click().run()
    assert stored().choice("groq").models == ("first", "near")
    assert app.multiselect(key="models-groq").value == ["first", "near"]
    assert ("groq", "") in asked(), "what it looked for has changed"


def test_models_are_chosen_in_order_and_can_be_typed(app: AppTest):
    ready("ollama", "one", "two")
    settings_page(app)
    assert app.multiselect(key="models-ollama").options == ["one", "two"]
    app.multiselect(key="models-ollama").set_value(["two", "a-new:7b"]).run()
    assert stored().choice("ollama").models == ("two", "a-new:7b")
    app.multiselect(key="models-ollama").set_value([]).run()
    assert stored().choice("ollama").models == ()
    app.multiselect(key="models-ollama").set_value(["no name"]).run()
    assert "That cannot be the name of a model." in all_text(app)
    assert stored().choice("ollama").models == ()
    assert app.multiselect(key="models-ollama").value == ["one"]


def test_limits_and_prices_are_taken_from_the_list_or_set(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    store(teachers=[{"provider": "groq", "models": [MODEL]}])
    settings_page(app)
    listed = teacher_words.listed_limits(teachers.place(config, stored(), "groq"), [MODEL])
    assert app.number_input(key="requests_per_minute-groq").placeholder == listed["requests_per_minute"]
    app.number_input(key="requests_per_minute-groq").set_value(7).run()
    app.number_input(key="price_in-groq").set_value(0.5).run()
    app.number_input(key="in_flight-groq").set_value(2).run()
    app.button_group(key="endless-groq").set_value(["tokens_per_day"]).run()
    groq = stored().choice("groq")
    assert groq.limits == {"requests_per_minute": 7, "tokens_per_day": None}
    assert (groq.price_in, groq.in_flight) == (0.5, 2)
    assert app.number_input(key="tokens_per_day-groq").disabled
    app.number_input(key="requests_per_minute-groq").set_value(None).run()
    app.button_group(key="endless-groq").set_value([]).run()
    assert stored().choice("groq").limits == {}
    assert not app.exception


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("budget", -1.0, "A budget is more than 0"),
        ("budget", 0.0, "A budget is more than 0"),
        ("budget", 1e9, "at most 100,000 euros"),
        ("in_flight-ollama", 0, "from 1 to 64"),
        ("requests_per_day-ollama", 0, "A limit is a whole number from 1"),
        ("tokens_per_minute-ollama", 2 * 10**9, "A limit is a whole number from 1"),
        ("address", "javascript:x", "is not the address of a server"),
        ("address", "http://" + "x" * 400, "at most 300 characters"),
    ],
)
def test_a_value_that_cannot_be_is_explained_and_put_back(app: AppTest, key: str, value: Any, sentence: str):
    settings_page(app)
    field = app.text_input(key=key) if key == "address" else app.number_input(key=key)
    before = field.value
    field.set_value(value).run()
    assert not app.exception
    assert sentence in all_text(app)
    assert stored() == TeachingConfig()
    field = app.text_input(key=key) if key == "address" else app.number_input(key=key)
    assert field.value == before
    app.run()
    assert sentence in all_text(app), "it can be read although the page is drawn again"
    app.toggle(key="on-ollama").set_value(False).run()
    assert sentence not in all_text(app)


@pytest.mark.parametrize("budget", [float("nan"), float("inf")])
def test_a_budget_is_a_number(budget: float):
    with pytest.raises(InvalidInput, match="A budget is more than 0"):
        teacher_words.changed(TeachingConfig(), budget=budget)


def test_the_rules_of_a_run_are_saved_as_they_are_chosen(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    settings_page(app)
    app.button_group(key="votes").set_value(2).run()
    app.number_input(key="budget").set_value(2.5).run()
    app.toggle(key="storyteller").set_value(False).run()
    judge = next(name for name in app.selectbox(key="judge").options if name.startswith("Groq"))
    app.selectbox(key="judge").set_value("groq/" + judge.partition(" · ")[2]).run()
    config_now = stored()
    assert (config_now.min_votes, config_now.budget, config_now.storyteller) == (2, 2.5, False)
    assert config_now.judge.startswith("groq/")
    assert "Two teachers write each piece, and the better one is kept." in all_text(app)
    app.number_input(key="budget").set_value(None).run()
    app.selectbox(key="judge").set_value("").run()
    assert (stored().budget, stored().judge) == (None, "")


def test_local_only_keeps_services_elsewhere_from_being_asked(app: AppTest, config: Settings):
    keys.save_key(config, "groq", KEY)
    settings_page(app)
    assert "models-groq" in [box.key for box in app.multiselect]
    app.toggle(key="local_only").set_value(True).run()
    assert stored().local_only
    assert "By Local only: it is not on this machine." in all_text(app)
    assert "models-groq" not in [box.key for box in app.multiselect]
    assert not [name for name in app.selectbox(key="judge").options if name.startswith("Groq")]


def test_another_writers_choices_are_their_own(app: AppTest):
    store("ana", min_votes=3, local_only=True)
    before = stored("ana")
    settings_page(app).toggle(key="on-ollama").set_value(False).run()
    app.button_group(key="votes").set_value(5).run()
    assert stored("ana") == before
    app.selectbox(key="writer_id").set_value("ana").run()
    assert app.toggle(key="local_only").value
    assert app.button_group(key="votes").value == 3
    assert app.toggle(key="on-ollama").value


@pytest.mark.parametrize(
    "choices", [{"teachers": "all"}, {"colour": "blue"}, [1, 2], "text", None, {"teachers": [{"provider": "gone"}]}]
)
def test_choices_of_another_shape_count_as_none(app: AppTest, choices: Any):
    store()
    with db.session() as session:
        session.get_one(AutoTrainingConfig, "default").config = choices
    settings_page(app)
    assert "could not be drawn" not in all_text(app)
    assert app.subheader[0].value == "1. Ollama"


@pytest.mark.parametrize(
    "result",
    [
        {"state": "ready", "message": "", "models": 3},
        {"state": "ready", "message": "", "models": [1, None]},
        {"state": "perfect", "message": "x"},
        {"state": "ready", "message": None},
        {"state": "ready", "message": "", "missing": ["a"]},
        {"state": "ready", "message": "", "missing": {"a": 1}},
        {"state": ["ready"], "message": ""},
        {"garbage": True},
        {},
    ],
)
def test_a_stored_look_of_another_shape_counts_as_none(app: AppTest, result: dict[str, Any]):
    found("ollama", result)
    text = all_text(settings_page(app))
    assert "could not be drawn" not in text
    assert "Not looked at yet" in text or "Looking" in text or "**Ready**" in text


@pytest.mark.parametrize(
    "result", [{"text": 5}, {"text": "A.", "seconds": "long", "reported": ["x"]}, {"text": "A.", "seconds": -1}, {}]
)
def test_a_stored_test_of_another_shape_is_drawn(app: AppTest, result: dict[str, Any]):
    ready("ollama", "tiny")
    found("ollama", result, "tiny")
    assert "could not be drawn" not in all_text(settings_page(app))


class Scripted:
    """A service that lists one model and writes one sentence, or fails."""

    provider = "ollama"

    def __init__(self, answer: str | Exception) -> None:
        self._answer = answer

    def models(self) -> list[ListedModel]:
        return [ListedModel("tiny")]

    def complete(self, *arguments: object) -> Completion:
        if isinstance(self._answer, Exception):
            raise self._answer
        return Completion(self._answer, "tiny-q4", 12, 9)

    def close(self) -> None:
        pass


Answer = Callable[[str | Exception], None]


@pytest.fixture
def answer(config: Settings, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Do what is asked for, as a worker would, with a service that answers so."""

    def do(said: str | Exception) -> None:
        def connect(provider: str, access: Access) -> Scripted:
            return Scripted(said)

        monkeypatch.setattr(teacher_checks, "connect", connect)
        monkeypatch.setattr(teachers, "connect", connect)
        with db.reading() as session:
            rows = session.exec(select(TeacherCheck).where(TeacherCheck.done_at == None)).all()  # noqa: E711
        for row in rows:
            teacher_checks.check(row.id or 0, config)

    return do


def test_a_look_is_asked_for_and_shown(app: AppTest, answer: Answer):
    settings_page(app)
    answer("")
    app.run()
    assert "Asks tiny." in all_text(app)
    assert not asked()
    app.run()
    assert not asked(), "at most one look a minute"
    app.button(key="look").click().run()
    assert asked() == {("ollama", "")}


def test_a_test_is_asked_for_and_shown_as_written(app: AppTest, answer: Answer):
    ready("ollama", "tiny")
    sentence = "The tide never came back -- not for Mara, :red[not] for me."
    settings_page(app).button(key="test-ollama-tiny").click().run()
    assert app.button(key="test-ollama-tiny").disabled
    assert "tiny is writing a sentence…" in all_text(app)
    answer(sentence)
    app.run()
    assert sentence in [element.value for element in app.text]
    assert "calling itself tiny\\-q4" in all_text(app)
    assert not app.button(key="test-ollama-tiny").disabled


@pytest.mark.parametrize(
    "error", [ProviderUnavailable("It broke off. Try again."), RateLimited("Too often.", retry_after=60)]
)
def test_a_failed_test_says_why(app: AppTest, answer: Answer, error: Exception):
    ready("ollama", "tiny")
    settings_page(app).button(key="test-ollama-tiny").click().run()
    answer(error)
    app.run()
    assert not app.exception
    assert "tiny could not write" in all_text(app)


def test_a_long_answer_is_folded(app: AppTest, answer: Answer):
    ready("ollama", "tiny")
    found("ollama", {"state": "ready", "message": "", "text": "word " * 400, "seconds": 3.0, "reported": ""}, "tiny")
    settings_page(app)
    assert "Read all of it" in [box.label for box in app.expander]
    assert "calling itself" not in all_text(app)


def test_a_check_without_an_answer_says_so(app: AppTest):
    with db.session() as session:
        checks.ask(session, "default", "ollama").asked_at = now() - timedelta(seconds=30)
    assert "the worker is busy or gone" in all_text(settings_page(app))


def test_a_check_that_was_given_up_is_asked_for_again(app: AppTest):
    with db.session() as session:
        checks.ask(session, "default", "ollama").asked_at = now() - timedelta(minutes=10)
    app.session_state["looked"] = {}  # this tab asked minutes ago, too
    settings_page(app)
    with db.reading() as session:
        row = checks.latest(session, "default", "ollama")
    assert row is not None
    assert now() - row.asked_at < timedelta(minutes=1)


def test_an_address_makes_a_server_of_ones_own_a_teacher(app: AppTest):
    settings_page(app).text_input(key="address").set_value("http://me:pw@host/v1").run()
    assert "is not the address of a server" in all_text(app)
    app.text_input(key="address").set_value("https://writing.example:8443/v1").run()
    assert stored().choice("openai_compatible").base_url == "https://writing.example:8443/v1"
    assert "Sends text to writing\\.example\\:8443" in all_text(app)


def keys_of(writer: str = "default") -> list[ApiKey]:
    with db.reading() as session:
        return api_keys.of_writer(session, writer)


def make_key(page: AppTest, name: str) -> str:
    """Make one and give back what is shown of it."""
    page.text_input(key="api-key-name").set_value(name).run()
    page.button(key="api-key-make").click().run()
    assert not page.exception
    return page.code[0].value if page.code else ""


def test_a_key_of_the_api_is_shown_once(app: AppTest):
    page = settings_page(app)
    clear = make_key(page, "*laptop*")
    with db.reading() as session:
        found = api_keys.find(session, clear)
    assert found is not None and found.user_id == "default"
    assert "It is not shown again" in all_text(page)
    page.run()
    assert page.code[0].value == clear  # news about teachers does not take it away
    app.switch_page("pages/history.py").run()
    page = settings_page(app)
    assert not page.code
    assert clear not in all_text(page)
    assert "*laptop*" in all_text(page)
    assert plain(found.prefix) in all_text(page)
    assert "never used" in all_text(page)


def test_a_key_that_is_copied_is_gone_from_the_page(app: AppTest):
    page = settings_page(app)
    clear = make_key(page, "laptop")
    page.checkbox(key="api-key-copied").check().run()
    assert not page.code
    assert clear not in all_text(page)
    assert make_key(page, "phone") != clear


def test_a_key_is_revoked_and_stays_in_the_list(app: AppTest):
    page = settings_page(app)
    clear = make_key(page, "laptop")
    page.button(key=f"api-key-revoke-{keys_of()[0].id}").click().run()
    with db.reading() as session:
        assert api_keys.find(session, clear) is None
    assert "1 revoked key" in [expander.label for expander in page.expander]
    assert not [button for button in page.button if str(button.key).startswith("api-key-revoke")]


def test_a_key_without_a_name_is_refused_in_words(app: AppTest):
    page = settings_page(app)
    assert make_key(page, "  ") == ""
    assert "Give the key a name" in all_text(page)
    assert not keys_of()


@pytest.mark.parametrize(
    ("host", "at"),
    [("127.0.0.1", "http://localhost:8002"), ("::1", "http://localhost:8002"), ("fd00::7", "http://[fd00::7]:8002")],
)
def test_where_the_api_is(host: str, at: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ZEGA_API_HOST", host)
    assert api_keys_view.address(Settings()) == at
