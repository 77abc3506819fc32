"""Your style as a writer meets it: empty, too little, measured, corrected and taken back."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support.labelled import MOTIFS, PAIRS
from tests.support.written import written
from zega_core import db, profile_words, profiling
from zega_core.settings import Settings
from zega_core.style.axes import AXES
from zega_core.style.profile import Corrections
from zega_core.tables import Source

WRITER = "default"


@pytest.fixture
def page(app: AppTest) -> AppTest:
    app.query_params["tab"] = "Your style"
    return app.switch_page("pages/write.py").run()


def own(number: int, writer: str = WRITER) -> None:
    texts = [low for low, _ in PAIRS["tone"]]
    for at in range(number):
        text = f"{at}. {texts[at % 2]} {MOTIFS['haunting']}"
        written(1, writer, source=Source.manuscript, completion=text, genre="horror")


def corrections() -> Corrections:
    with db.reading() as session:
        return profiling.profile_of(session, WRITER)[1]


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def test_without_texts_it_says_what_is_wanted(page: AppTest):
    assert not page.exception
    assert "0 of 10 texts" in all_text(page)
    assert "Answer questions, or add your own pages" in [link.label for link in page.get("page_link")]  # type: ignore[attr-defined]
    assert not page.slider


def test_what_is_new_is_said_to_be_measured_and_then_is_there(page: AppTest, config: Settings):
    own(14)
    page.run()
    assert "It is being measured" in all_text(page)
    assert not page.slider
    profiling.measure(WRITER, config)
    page.run()
    told = all_text(page)
    assert not page.exception
    assert "It is being measured" not in told
    assert "14 texts" in told and "yours" in told
    assert "ghost" not in told.lower() or "The dead return" in told
    assert f"{profile_words.motif_label('haunting')}, in 14 of 14 texts" in told
    assert "Keep the tone dark and serious." in told
    assert len(page.slider) == len(AXES)
    assert "Measured at" in told


def test_of_too_little_nothing_is_drawn_but_it_can_be_set_by_hand(page: AppTest, config: Settings):
    own(3)
    profiling.measure(WRITER, config)
    page.run()
    told = all_text(page)
    assert "3 of 10 texts" in told
    assert "Five sides" not in told
    page.slider[0].set_value(80).run()
    assert corrections().axes == {"descriptiveness": 80.0}


def test_a_side_is_set_by_hand_and_back_to_what_was_measured(page: AppTest, config: Settings):
    own(14)
    profiling.measure(WRITER, config)
    page.run()
    tone = next(one for one in page.slider if one.label.startswith("Tone"))
    measured = tone.value
    assert "Tone as measured" not in labels(page)
    tone.set_value(90).run()
    assert corrections().axes == {"tone": 90.0}
    assert "Keep the tone light, with humour." in all_text(page)
    next(one for one in page.button if one.label == "Tone as measured").click().run()
    assert corrections() == Corrections()
    assert next(one for one in page.slider if one.label.startswith("Tone")).value == measured


def test_themes_are_taken_off_and_put_in(page: AppTest, config: Settings):
    own(14)
    profiling.measure(WRITER, config)
    page.run()
    page.button(key="style-off-haunting").click().run()
    assert corrections().removed == {"haunting"}
    assert "Taken off by you: The dead return" in all_text(page).replace("\\", "")
    page.selectbox(key="style-add-themes").select("fate").run()
    page.selectbox(key="style-add-archetypes").select("witch").run()
    assert corrections().added == {"fate", "witch"}
    assert "Fate and prophecy, put in by you" in all_text(page)
    assert page.selectbox(key="style-add-themes").value is None
    page.selectbox(key="style-add-themes").select("haunting").run()
    assert "haunting" not in corrections().removed
    page.button(key="style-reset").click().run()
    assert corrections() == Corrections()
    assert not page.exception


def test_another_writers_style_is_not_shown(page: AppTest, config: Settings):
    own(14, "ana")
    profiling.measure("ana", config)
    assert "0 of 10 texts" in all_text(page.run())


def test_what_only_teachers_wrote_is_said_to_be_theirs(page: AppTest, config: Settings):
    for at in range(14):
        written(1, WRITER, completion=f"{at}. {MOTIFS['war']} {PAIRS['pacing'][0][0]}")
    profiling.measure(WRITER, config)
    page.run()
    told = all_text(page)
    assert "none of it written by you" in told
    assert "voice of your teachers" in told
