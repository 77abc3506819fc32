"""Fine-Tune: what your model would learn from, watch it learn, whether it is better, what it is for outside."""

import streamlit as st
from sqlmodel import Session

from zega_core import db, fine_tune_words, triggers
from zega_core.learning import Outlook, look
from zega_core.learning_words import own_words
from zega_core.settings import get_settings
from zega_core.store import examples, exports, fine_tunes, proofs, versions
from zega_core.triggers import Until
from zega_ui import exports_view, fine_tune_form, fine_tune_live, playground, proof_view, versions_view
from zega_ui.boot import open_page
from zega_ui.components import empty_state, page_header, refusal, shielded

writer = open_page()
settings = get_settings()
Seen = tuple[frozenset[tuple[str, str]], int | None]


def stands(session: Session) -> Seen:
    """Changes when the page should be drawn anew: another state of a run, another version in use."""
    promoted = versions.promoted(session, writer)
    rows = [
        *fine_tunes.recent(session, writer, 5),
        *proofs.under_way(session, writer),
        *exports.of_writer(session, writer),
    ]
    return frozenset((row.run_id, row.status) for row in rows), None if promoted is None else promoted.number


def watch(seen: Seen) -> None:
    """Notice what was started, has ended or was chosen elsewhere."""
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
    proven, taken = proofs.of_writer(opened, writer), exports.of_writer(opened, writer)
there = {version.number for version in mine}
proven = [row for row in proven if row.version_number in there]
newest = {row.version_number: row for row in reversed(proven)}
in_use = None if promoted is None else promoted.number
shown = None if going or last is None else last.version_number

outlook = None
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
                fine_tune_live.result(writer, last, made, promoted, newest.get(shown or 0))
        with side, st.container(border=True, key="setup"):
            can_continue = last is not None and fine_tune_words.can_continue(last)
            fine_tune_form.setup(writer, outlook, config, until, primary=not can_continue)
if mine:
    proof_view.reading(writer, proven, shown, in_use)
    versions_view.show(writer, mine, promoted, newest)
    playground.show(writer, mine, promoted)
exports_view.show(writer, mine, promoted, taken)
if outlook is not None and last is not None and outlook.summary.examples:
    fine_tune_form.learns_from_folded(outlook.summary, outlook.warnings)
st.fragment(shielded(watch), run_every=2)(seen)
