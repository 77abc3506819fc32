"""What judges said of both, and asking one more."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from zega_core import db, providers, teacher_checks, teacher_words, teachers
from zega_core import proof_words as words
from zega_core.jobs import client
from zega_core.proof.figures import Figures
from zega_core.proof_tables import Proof, ProofText
from zega_core.settings import get_settings
from zega_core.store import teaching
from zega_core.tables import UNFINISHED
from zega_ui import teaching_form as form
from zega_ui.components import plain

WHERE = "judge"


def show(writer: str, row: Proof, found: Figures | None, texts: Sequence[ProofText]) -> None:
    form.explain(WHERE)
    for one in found.judged if found is not None else []:
        st.text(words.judge(one, row))
    if row.status in UNFINISHED:
        st.caption("As soon as this proof has come to its end, a judge can be asked.")
        return
    if not row.verdict or not any(map(words.is_whole, texts)):
        st.caption("A judge reads what both wrote. It can be asked when there is a verdict.")
        return
    with db.reading() as session:
        config = teaching.load(session, writer)
        places = {place.key: place for place in teachers.places(get_settings(), config)}
        standings = {key: teacher_checks.standing(session, writer, place) for key, place in places.items()}
    names = [name for name in teacher_words.judges(list(places.values()), standings, config.judge) if name]
    if not names:
        st.caption("A judge is a teacher that compares both texts of each pair. You have none that can do so yet.")
        st.page_link("pages/settings.py", label="Connect a teacher", icon=":material/settings:")
        return
    name = st.selectbox(
        "Judge",
        names,
        key="proof-judge",
        index=names.index(config.judge) if config.judge in names else 0,
        format_func=providers.label_of,
    )
    provider, _, model = name.partition("/")
    place, standing = places[provider], standings[provider]
    if place.absent:  # the judge of Settings can be chosen all the same
        st.caption(plain(f"{place.label} cannot be asked. {place.absent}"))
        st.page_link("pages/settings.py", label="Open Settings", icon=":material/settings:")
        return
    elsewhere = standing.found.elsewhere if standing.found is not None else ()
    st.text(words.judging(texts, teachers.price_of(place, model, elsewhere)))
    if teachers.leaves(place, model, elsewhere):
        st.caption(plain(f"The prompts and both texts are sent to {place.label}."))
    else:
        st.caption("Nothing leaves this machine.")
    st.button(
        "Ask this judge",
        key="judge-ask",
        icon=":material/gavel:",
        on_click=form.act,
        args=(WHERE, client.ask_judge, writer, row.run_id, name),
    )
