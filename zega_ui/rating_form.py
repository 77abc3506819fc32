"""Rating pieces: blind, one at a time, on the page Quality; with the score in sight in History."""

from __future__ import annotations

import streamlit as st

from zega_core import db, rating, taste, taste_words
from zega_core.errors import NotFound
from zega_core.quality.agreement import DISCARD, KEEP, Rating
from zega_core.settings import get_settings
from zega_core.store import ratings
from zega_core.tables import Example
from zega_ui.components import asked_for, empty_state, guarded, heading_of, prose, why
from zega_ui.teaching_form import mirror

state = st.session_state
TO_THE_TOP = "<script>document.getElementById('stMain')?.scrollTo(0, 0) // {number}</script>"
"""Buttons are below a text; the next text begins above them. The number makes it run again."""
SAID = {KEEP: "You kept it.", DISCARD: "You discarded it."}


def rate(writer: str, example_id: int, *, stars: int | None = None, decision: str | None = None) -> None:
    """Store a rating and fit to it, in one go; what there is to say is said beside the piece."""
    settings = get_settings()
    with db.session() as session:
        said = rating.rate(session, writer, example_id, settings, stars=stars, decision=decision)
        taste.refit(session, writer, settings)
    state["rating_said"] = (example_id, said)


def take_back(writer: str, example_id: int, *, stars: bool = True, decision: bool = True) -> None:
    settings = get_settings()
    with db.session() as session:
        rating.clear(session, writer, example_id, settings, stars=stars, decision=decision)
        taste.refit(session, writer, settings)
    state["rating_said"] = (example_id, "")


def controls(writer: str, example: Example) -> None:
    """Stars, and keep or discard, below a piece whose score is in sight."""
    identity = example.id or 0
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"rating-{identity}"):
        key = mirror(f"stars-{identity}", None if example.rating is None else example.rating - 1)
        st.feedback("stars", key=key, on_change=_stars_changed, args=(writer, identity, key))
        if example.decision in SAID:
            st.caption(SAID[example.decision], width="content")
            st.button(
                "Undo",
                key=f"undecide-{identity}",
                on_click=guarded,
                args=(_undecide, writer, identity),
                type="tertiary",
                icon=":material/undo:",
            )
        else:
            _decide_buttons(writer, identity, _decide)
    _note(identity)


def _stars_changed(writer: str, identity: int, key: str) -> None:
    given = state[key]
    if given is None:
        guarded(lambda: take_back(writer, identity, decision=False))
    else:
        guarded(lambda: rate(writer, identity, stars=given + 1))


def _undecide(writer: str, identity: int) -> None:
    take_back(writer, identity, stars=False)


def _decide(writer: str, identity: int, decision: str) -> None:
    rate(writer, identity, decision=decision)


def _decide_buttons(writer: str, identity: int, action: object) -> None:
    for word, decision, icon in (("Keep", KEEP, "bookmark_add"), ("Discard", DISCARD, "bookmark_remove")):
        st.button(
            word,
            icon=f":material/{icon}:",
            key=f"{decision}-{identity}",
            on_click=guarded,
            args=(action, writer, identity, decision),
        )


def _note(identity: int) -> None:
    about, said = state.get("rating_said", (0, ""))
    if about == identity and said:
        st.caption(f":material/info: {said}")


class Blind:
    """One piece at a time, its score hidden until it is rated. What is shown belongs to this tab of the browser."""

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self._mine = state.setdefault(f"blind-{writer}", {"now": None, "rated": None, "last": None, "skipped": []})

    def show(self) -> None:
        example = self._example()
        if example is None:
            self._nothing()
            return
        rated = self._mine["rated"] == example.id
        heading_of(example, teacher=rated)
        st.text(asked_for(example))
        prose(example.completion, f"rate-{example.id}")
        if rated:
            self._revealed(example)
        else:
            self._ask(example)

    def _example(self) -> Example | None:
        """The piece in hand, or the next one; None when there is none left."""
        with db.reading() as session:
            held = self._mine["now"]
            if held is not None:
                try:
                    example = ratings.get(session, self.writer, held)
                    if self._mine["rated"] == held or example.rated_at is None:
                        return example
                except NotFound:
                    pass
            order = rating.waiting(session, self.writer)
            found = next((one for one in order if one not in self._mine["skipped"]), None)
            self._mine["now"], self._mine["rated"] = found, None
            return None if found is None else ratings.get(session, self.writer, found)

    def _ask(self, example: Example) -> None:
        identity = example.id or 0
        if self._mine.pop("turned", False):
            st.html(TO_THE_TOP.format(number=identity), unsafe_allow_javascript=True)
        st.markdown("**How good is it?**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="blind"):
            key = f"blind-stars-{identity}"
            st.feedback("stars", key=key, on_change=self._stars, args=(identity, key))
            _decide_buttons(self.writer, identity, self._decide)
            st.button(
                "Skip", key="skip", icon=":material/skip_next:", type="tertiary", on_click=self._skip, args=(identity,)
            )
        st.caption(
            "The score stays hidden until you have rated. Stars say how good a piece is and move nothing; Keep makes "
            "it an example for your model, Discard sets it aside, whatever it scored."
        )
        if self._mine["last"] is not None:
            st.button(
                "Take back my last rating",
                key="undo",
                icon=":material/undo:",
                type="tertiary",
                on_click=guarded,
                args=(self._undo,),
            )

    def _revealed(self, example: Example) -> None:
        said = Rating.read(example.rating, example.decision)
        worth = "It has no score." if example.quality is None else f"The score gives it {example.quality:.1f} of 10."
        with st.container(border=True, key="revealed"):
            st.markdown(f"**You said: {taste_words.rating(said) if said else 'nothing'}.** {worth}")
            why(example, asked=False)
            _note(example.id or 0)
            with st.container(horizontal=True, gap="small"):
                st.button(
                    "Next piece", key="next", type="primary", icon=":material/arrow_forward:", on_click=self._next
                )
                st.button(
                    "Undo",
                    key="undo",
                    icon=":material/undo:",
                    type="tertiary",
                    on_click=guarded,
                    args=(self._undo,),
                )

    def _nothing(self) -> None:
        skipped = bool(self._mine["skipped"])
        with db.reading() as session:
            any_rated = ratings.count(session, self.writer) > 0
        if skipped:
            empty_state(
                "skip_next",
                "You skipped the rest",
                "Every other piece is rated.",
                lambda: st.button("Show skipped pieces again", key="unskip", on_click=self._unskip),
            )
        elif any_rated:
            empty_state(
                "star",
                "Every piece is rated",
                "New pieces come here as they are written.",
                lambda: st.page_link("pages/auto_train.py", label="Write more", icon=":material/auto_stories:"),
            )
        else:
            empty_state(
                "star",
                "Nothing to rate yet",
                "Pieces that Auto-Train writes come here one by one, and you say what they are worth to you.",
                lambda: st.page_link(
                    "pages/auto_train.py", label="Start with Auto-Train", icon=":material/auto_stories:"
                ),
            )

    def _stars(self, identity: int, key: str) -> None:
        given = state[key]
        if given is not None:
            guarded(lambda: self._rated(identity, stars=given + 1))

    def _decide(self, writer: str, identity: int, decision: str) -> None:
        self._rated(identity, decision=decision)

    def _rated(self, identity: int, *, stars: int | None = None, decision: str | None = None) -> None:
        rate(self.writer, identity, stars=stars, decision=decision)
        self._mine.update(now=identity, rated=identity, last=identity)

    def _next(self) -> None:
        self._mine.update(now=None, rated=None, turned=True)

    def _skip(self, identity: int) -> None:
        self._mine["skipped"].append(identity)
        self._mine.update(now=None, turned=True)

    def _unskip(self) -> None:
        self._mine["skipped"].clear()

    def _undo(self) -> None:
        """The piece waits for another time: its score has been seen."""
        last = self._mine["last"]
        self._mine.update(now=None, rated=None, last=None, turned=True)
        if last is not None:
            self._mine["skipped"].append(last)
            take_back(self.writer, last)
