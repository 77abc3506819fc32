"""Settings: who teaches, in which order, and the rules of a run."""

import streamlit as st

from zega_core import db, providers, teacher_checks, teacher_words, teachers
from zega_core.configs import TasteConfig
from zega_core.settings import get_settings
from zega_core.store import tastes
from zega_core.teacher_words import Asked
from zega_ui import api_keys_view
from zega_ui import teaching_form as form
from zega_ui.boot import open_page
from zega_ui.components import page_header, section, shielded
from zega_ui.teacher_cards import Card, storyteller_card, teacher_card

writer = open_page()
settings = get_settings()


def rules() -> None:
    section("How a run works")
    form.explain(form.RULES)
    votes = st.segmented_control(
        "Teachers for each piece",
        [1, 2, 3, 4, 5],
        required=True,
        key=form.mirror("votes", config.min_votes),
        on_change=form.set_rule,
        args=(writer, "min_votes", "votes"),
    )
    st.caption(teacher_words.votes_in_words(votes or 1))
    st.number_input(
        "Budget for a session, in euros",
        value=None,
        step=0.5,
        key=form.mirror("budget", config.budget),
        placeholder="no limit",
        on_change=form.set_rule,
        args=(writer, "budget", "budget"),
    )
    st.caption(teacher_words.budget_in_words())
    st.selectbox(
        "Judge",
        teacher_words.judges(places, standings, config.judge),
        key=form.mirror("judge", config.judge),
        format_func=lambda name: providers.label_of(name) if name else "Nobody",
        on_change=form.set_rule,
        args=(writer, "judge", "judge"),
    )
    st.caption("Scores what is kept. Its score counts only as far as your own ratings show that it helps: see Quality.")
    st.toggle(
        "Local only",
        key=form.mirror("local_only", config.local_only),
        on_change=form.set_rule,
        args=(writer, "local_only", "local_only"),
    )
    st.caption(teacher_words.local_only_in_words(config.local_only))
    st.page_link("pages/privacy.py", label="What leaves this machine", icon=":material/shield:")


def thresholds(mine: TasteConfig) -> None:
    if mine.keep_score is not None:
        st.caption(f"Your own choice: pieces of {mine.keep_score:.1f} or more are kept.")
    usual = "" if mine.keep_score is None else " unless a writer chooses otherwise"
    st.caption(
        f"Set when ZEGA starts: pieces of {settings.keep_score:.1f} or more are kept{usual} (ZEGA_KEEP_SCORE), "
        f"{settings.story_score:.1f} or more can be saved as stories (ZEGA_STORY_SCORE), "
        f"a fine-tune begins at every {settings.fine_tune_every} new ones (ZEGA_FINE_TUNE_EVERY), and a piece that "
        f"shares more than {settings.near_duplicate_share:.0%} with another is set aside (ZEGA_NEAR_DUPLICATE_SHARE)."
    )


def watch(asked: list[Asked], seen: dict[Asked, bool]) -> None:
    """While somebody is looked at or tested: draw the page again as soon as there is news."""
    with db.reading() as session:
        still = teacher_words.waiting(session, writer, asked)
    if still != seen:
        st.rerun()


page_header(
    "Settings", "Who teaches your model, in which order, and what a run may cost. Every change is saved at once."
)
config = form.load(writer)
places = teachers.places(settings, config)
with db.reading() as opened:
    mine = tastes.load(opened, writer)
    standings = {place.key: teacher_checks.standing(opened, writer, place) for place in places}
    asked: list[Asked] = [
        (place.key, model)
        for place in places
        for model in ("", *place.models(teacher_words.listed(standings[place.key])))
    ]
    waiting = teacher_words.waiting(opened, writer, asked)
looks = form.due(writer, places, standings, {provider for provider, model in waiting if not model})
waiting |= {(provider, ""): False for provider in looks}

main, side = st.columns([7, 5], gap="large")
with main:
    section("Teachers")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.caption("Asked from top to bottom: the next one writes when those above cannot.", width="stretch")
        st.button(
            "Look again",
            icon=":material/refresh:",
            on_click=form.look_anew,
            args=(writer, [place.key for place in places]),
            key="look",
        )
    for number, place in enumerate(places, start=1):
        tested = {model: late for (provider, model), late in waiting.items() if provider == place.key}
        teacher_card(Card(writer, place, standings[place.key], tested, number, len(places)))
    storyteller_card(writer, config.storyteller)
with side, st.container(border=True, key="rules"):
    rules()
thresholds(mine)
st.page_link("pages/quality.py", label="Your own threshold, from your ratings", icon=":material/star:")
api_keys_view.show(writer, settings)
# Last, so that the page is there already while the worker is told.
form.look(writer, looks)
if waiting:
    st.fragment(shielded(watch), run_every=1)(asked, waiting)
