"""Fine-Tune: what your model would learn from, watch it learn, choose the version that writes, try it."""

import streamlit as st
from sqlmodel import Session

from zega_core import db, fine_tune_words, triggers
from zega_core.learning import Outlook, look
from zega_core.learning_words import own_words
from zega_core.settings import get_settings
from zega_core.store import examples, fine_tunes, versions
from zega_core.triggers import Until
from zega_ui import fine_tune_form, fine_tune_live, playground, versions_view
from zega_ui.boot import open_page
from zega_ui.components import empty_state, page_header, refusal, shielded

writer = open_page()
settings = get_settings()
Seen = tuple[tuple[tuple[str, str], ...], int | None]


def stands(session: Session) -> Seen:
    """Changes when the page should be drawn anew: another state of the last fine-tunes, another version in use."""
    promoted = versions.promoted(session, writer)
    rows = fine_tunes.recent(session, writer, 5)
    return tuple((row.run_id, row.status) for row in rows), None if promoted is None else promoted.number


def watch(seen: Seen) -> None:
    """While nothing is under way: notice what was started or chosen elsewhere."""
    with db.reading() as session:
        found = stands(session)
    if found != seen:
        st.rerun()


def not_yet(outlook: Outlook, until: Until) -> None:
    with db.reading() as session:
        kept = examples.count_kept(session, writer)
    empty_state(
        "tune",
        "Not enough to learn from yet" if kept else "No kept examples yet",
        outlook.missing,
        lambda: st.page_link("pages/auto_train.py", label="Write with Auto-Train", icon=":material/auto_stories:"),
    )
    st.progress(min(1.0, until.new / until.every), text=f"{until.in_words()}.")
    st.caption(f"You can start one as soon as there is enough. {own_words()}")


page_header(
    "Fine-Tune", "Your kept examples become a version of your own model. You see how it learns, and you choose."
)
refusal()
with db.reading() as opened:
    seen = stands(opened)
    going = fine_tunes.under_way(opened, writer)
    last = fine_tunes.latest(opened, writer)
    mine, promoted = versions.all_of(opened, writer), versions.promoted(opened, writer)

if going:
    main, side = st.columns([7, 5], gap="large")
    with main:
        st.fragment(shielded(fine_tune_live.live), run_every=1)(writer, going[0].run_id, fine_tune_live.stand(going))
    with side, st.container(border=True, key="setup"):
        fine_tune_live.controls(writer, going[0], going[1:])
else:
    with db.reading() as opened:
        config, until = fine_tunes.load_config(opened, writer), triggers.until_next(opened, writer, settings)
        outlook = look(opened, writer, settings, config)
    if last is None and outlook.missing:
        not_yet(outlook, until)
    else:
        # On a phone columns stack: what matters most comes first.
        if last is None:
            side, main = st.columns([5, 7], gap="large")
        else:
            main, side = st.columns([7, 5], gap="large")
        with main:
            if last is None:
                fine_tune_form.learns_from(outlook.summary, outlook.warnings)
            else:
                made = next((one for one in mine if one.number == last.version_number), None)
                fine_tune_live.result(writer, last, made, promoted)
        with side, st.container(border=True, key="setup"):
            can_continue = last is not None and fine_tune_words.can_continue(last)
            fine_tune_form.setup(writer, outlook, config, until, primary=not can_continue)
        if last is not None and outlook.summary.examples:
            fine_tune_form.learns_from(outlook.summary, outlook.warnings)
    st.fragment(shielded(watch), run_every=2)(seen)
if mine:
    versions_view.show(writer, mine, promoted)
    playground.show(writer, mine, promoted)
