"""What repeats, what to avoid and worn phrases, as a writer meets them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.quality.test_sameness import filler, with_name
from zega_core import db
from zega_core.configs import TasteConfig
from zega_core.dataset import text_hash
from zega_core.jobs import launcher
from zega_core.quality.worn import Density
from zega_core.settings import Settings
from zega_core.store import tastes, writers
from zega_core.tables import Example, ExampleStatus
from zega_ui import worn_view

View = Callable[[], AppTest]


def page() -> None:
    from zega_ui import sameness_view

    sameness_view.show("default")


@pytest.fixture
def view(config: Settings, monkeypatch: pytest.MonkeyPatch) -> View:
    """The view alone, drawn afresh at each call."""
    monkeypatch.setattr(launcher, "ensure_worker", lambda settings: None)
    config.prepare_home()
    st.cache_data.clear()
    with db.session() as session:
        writers.ensure(session, "default")
    return lambda: AppTest.from_function(page, default_timeout=30).run()


def keep(*texts: str, writer: str = "default", model: str = "groq/llama-3.1-8b-instant") -> None:
    with db.session() as session:
        writers.ensure(session, writer)
        for text in texts:
            session.add(
                Example(
                    user_id=writer,
                    genre="horror",
                    element="scene",
                    prompt="A *bold* prompt :red[x]",
                    completion=text,
                    model=model,
                    status=ExampleStatus.kept,
                    quality=8.0,
                    text_hash=text_hash(text),
                )
            )


def stored() -> TasteConfig:
    with db.reading() as session:
        return tastes.load(session, "default")


def labels(app: AppTest) -> list[str]:
    return [one.label.replace("\\", "") for one in app.expander]


def test_with_nothing_kept_the_view_says_what_will_be_here(config: Settings, app: AppTest, monkeypatch):
    # Its link to Auto-Train needs the app around it.
    from zega_ui import sameness_view

    monkeypatch.setattr(sameness_view.st, "page_link", lambda *_, **__: None)
    empty = AppTest.from_function(page, default_timeout=30).run()
    assert not empty.exception
    assert "Nothing to compare yet" in all_text(empty)
    assert empty.text_input(key="worn_typed")


def test_one_piece_repeats_nothing_yet(view: View):
    keep(with_name("Elara", 1))
    app = view()
    assert not app.exception
    assert "nothing can come back yet" in all_text(app)
    assert "Nothing has to be avoided yet" in all_text(app)


def test_names_are_told_in_a_sentence_and_open_to_their_pieces(view: View):
    keep(*(with_name("Elara", n) for n in range(4)))
    app = view()
    assert "4 characters are called Elara." in labels(app)
    assert not [one for one in app.text if "Elara said" in one.value]
    app.session_state["repeats-person-Elara"] = True
    app.run()
    assert not app.exception
    texts = [one.value for one in app.text]
    assert with_name("Elara", 3) in texts
    assert "Asked for: A *bold* prompt :red[x]" in texts
    assert len([text for text in texts if "Elara said" in text]) == 3


def test_another_writers_pieces_are_not_looked_at(view: View):
    keep(*(with_name("Elara", n) for n in range(4)), writer="ana")
    keep(filler(1), filler(2))
    assert "Elara" not in all_text(view()) + " ".join(labels(view()))


def test_many_repetitions_come_in_pages_and_by_kind(view: View):
    for number in range(12):
        line = f"the {number}th keeper of lamps number{number}"
        keep(*(f"{filler(10 * number + n)} {n} {line} {n}." for n in range(4)))
    keep(*(with_name("Elara", n) for n in range(900, 906)))
    app = view()
    assert not app.exception
    assert len([one for one in labels(app) if "pieces say" in one or "called" in one]) == 8
    app.session_state["repeats_shown"] = "Names"
    app.run()
    assert [one for one in labels(app) if "pieces" in one or "called" in one] == ["6 characters are called Elara."]


def test_what_is_avoided_can_be_switched_off_and_on(view: View):
    keep(*(with_name("Elara", n) for n in range(4)))
    app = view()
    assert "Do not call anybody Elara." in all_text(app)
    app.toggle(key="avoid_on").set_value(False).run()
    assert not stored().avoid
    assert "Do not call" not in all_text(app)
    app.toggle(key="avoid_on").set_value(True).run()
    assert stored().avoid


def test_worn_phrases_are_counted_and_compared(view: View):
    keep(*(f"{filler(n)} It was a testament to nothing. Time stood still." for n in range(3)))
    keep(filler(70), filler(71), model="storyteller")
    app = view()
    table = app.dataframe[0].value
    assert dict(zip(table["Phrase"], table["Times"], strict=True)) == {"testament to": 3, "time stood still": 3}
    assert list(table["Pieces"]) == [3, 3]
    text = all_text(app)
    assert "Published fiction has one in about" in text
    assert "Built-in storyteller: 0 in 1,000 words" in text


def test_none_found_is_a_sentence_and_not_a_row_of_noughts(view: View):
    keep(filler(1), filler(2))
    app = view()
    assert "None of the phrases on your list stands in the" in all_text(app)
    assert not app.metric


@pytest.mark.parametrize(
    ("times", "words", "said"),
    [
        (1, 1_000, "Your pieces have 1 of that list: with fewer than 5, chance decides."),
        (5, 400_000, "By the same list your pieces have fewer."),
        (5, 80_000, "By the same list your pieces have about as many."),
        (5, 50_000, "By the same list your pieces have about 2 times as many."),
        (60, 90_000, "By the same list your pieces have about 10 times as many."),
    ],
)
def test_the_comparison_with_published_fiction_is_true(times: int, words: int, said: str):
    assert worn_view._compared(Density("", words, times)).endswith(f" {said}")


def test_the_writers_own_phrases_are_not_compared_with_fiction(view: View):
    keep(*(f"{filler(n)} It was cold as slate, a testament to winter {n}." for n in range(3)))
    with db.session() as session:
        tastes.save(session, "default", TasteConfig(worn=("cold as slate",), not_worn=("testament to",)))
    text = all_text(view())
    assert "Your pieces have 3 of that list" in text
    with db.session() as session:
        tastes.save(session, "default", TasteConfig(worn=("cold as slate", "winter"), not_worn=("testament to",)))
    assert "Your pieces have 3 of that list" in all_text(view())


def test_a_phrase_is_added_found_taken_off_and_the_catalogs_restored(view: View):
    keep(*(f"{filler(n)} It was cold as slate, a testament to winter {n}." for n in range(3)))
    app = view()
    app.text_input(key="worn_typed").set_value("Cold as  slate")
    add(app)
    assert stored().worn == ("cold as slate",)
    assert "cold as slate" in list(app.dataframe[0].value["Phrase"])
    for phrase in ("cold as slate", "testament to"):
        app.selectbox(key="worn_taken_off").set_value(phrase)
        app.button(key="worn_take_off").click().run()
    assert (stored().worn, stored().not_worn) == ((), ("testament to",))
    assert not app.dataframe
    assert "Taken off: testament to" in all_text(app)
    app.button(key="worn_restore").click().run()
    assert stored() == TasteConfig()
    assert list(app.dataframe[0].value["Phrase"]) == ["testament to"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [("<b>*x*</b> :red[y]", "made of letters"), ("the", "every text needs"), ("testament to", "already")],
)
def test_what_cannot_be_added_is_explained_and_nothing_changes(view: View, typed: str, why: str):
    keep(filler(1))
    app = view()
    app.text_input(key="worn_typed").set_value(typed)
    add(app)
    assert not app.exception
    assert why in all_text(app)
    assert stored() == TasteConfig()
    assert app.text_input(key="worn_typed").value == typed


def test_a_very_long_word_and_markup_in_pieces_are_shown_as_text(view: View):
    name = "Elara" + "a" * 15
    keep(*(f"**{filler(n)}** $5 <b> * * * {'x' * 300} So {n} {name} said :red[{n}]. {name}'s." for n in range(4)))
    app = view()
    assert not app.exception
    assert f"4 characters are called {name}." in labels(app)


def add(app: AppTest) -> None:
    next(button for button in app.button if button.label == "Add").click().run()
