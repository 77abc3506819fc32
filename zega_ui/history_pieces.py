"""Every piece of one session: the text, its reasons, the other answers, and what the writer says of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from zega_core import db, providers
from zega_core.store import candidates, examples
from zega_core.tables import Example, ExampleStatus, TrainingSession
from zega_ui.components import piece, prose, section
from zega_ui.rating_form import controls

SIZE = 5
SHOWN = {"Kept": ExampleStatus.kept, "Set aside": ExampleStatus.set_aside, "No answer": ExampleStatus.failed}


def show(writer: str, row: TrainingSession, tally: examples.Tally) -> None:
    section(
        "Pieces",
        "Stars say how good a piece is to you and move nothing. Keep and Discard decide, whatever it scored.",
    )
    counts = {"All": tally.done, "Kept": tally.kept, "Set aside": tally.set_aside, "No answer": tally.failed}
    shown = st.segmented_control(
        "Show",
        [name for name, number in counts.items() if number or name == "All"],
        default="All",
        required=True,
        key="shown",
        format_func=lambda name: f"{name} {counts[name]}",
    )
    if not tally.done:
        handed_in = "It was handed in by a program, without its pieces." if row.reported else ""
        st.caption(handed_in or "Nothing has been written in this session.")
        return
    pages = -(-counts[shown] // SIZE)
    slot = st.container()
    number = st.pagination(pages, key="piece", bind="query-params", max_visible_pages=5) if pages > 1 else 1
    with db.reading() as session:
        found = examples.page(
            session, writer, row.id or 0, status=SHOWN.get(shown), number=min(number, pages), size=SIZE
        )
    with slot:
        for example in found:
            piece(example, whole=True, below=partial(controls, writer))
            if example.votes > 1:
                _other_answers(writer, example)


def _other_answers(writer: str, example: Example) -> None:
    with db.reading() as session:
        found = candidates.of_example(session, writer, example.session_id or 0, example.idx or 0)
    with st.expander(f"The other answers ({len(found) - 1})", key=f"others-{example.id}"):
        for candidate in found:
            if not candidate.won:
                twin = "" if candidate.counted else " · nearly the same, so it did not count"
                st.caption(f"{providers.label_of(candidate.model)} · {candidate.quality:.1f}{twin}")
                prose(candidate.completion, f"candidate-{candidate.id}")
