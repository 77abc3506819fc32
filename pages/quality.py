"""Quality: rate pieces blind, see how far the score agrees, let it learn a little of your taste, see what repeats."""

import pandas as pd
import streamlit as st

from zega_core import db, taste, taste_words
from zega_core.quality import agreement, personal
from zega_core.settings import get_settings
from zega_core.store import ratings
from zega_core.taste import Overview
from zega_ui import rescore_view, sameness_view
from zega_ui.boot import open_page
from zega_ui.components import guarded, page_header, refusal, section
from zega_ui.rating_form import Blind
from zega_ui.teaching_form import mirror

writer = open_page()
settings = get_settings()
SHOWN, FAR = 10, 0.2
"""Disagreements that are told, and the share of the whole order from which on two places differ much."""
UNTIL = "Those that you have stay as they are until you press *Score them again* (or call `zega rescore`)."


def choose(**values: object) -> None:
    with db.session() as session:
        taste.choose(session, writer, settings, **values)


def switched(field: str) -> None:
    guarded(lambda: choose(**{field: st.session_state[f"taste-{field}"]}))


def known() -> Overview:
    with db.reading() as session:
        found = taste.overview(session, writer, settings)
    if found.outdated:
        with db.session() as session:
            taste.refit(session, writer, settings)
            return taste.overview(session, writer, settings)
    return found


def rate_tab() -> None:
    with db.reading() as session:
        total = ratings.count(session, writer)
    st.caption(taste_words.so_far(total))
    Blind(writer).show()


def agreement_tab() -> None:
    found = known()
    section("How far the score agrees with you")
    if left_out := taste_words.not_counted(found):
        st.caption(left_out)
    if len(found.pieces) < agreement.ENOUGH:
        st.progress(len(found.pieces) / agreement.ENOUGH, text=taste_words.to_go(len(found.pieces), agreement.ENOUGH))
        st.caption("With fewer, chance alone looks like agreement. Nothing is shown until then.")
        return
    st.text(taste_words.agreed(found.score_and_writer, "The score", "you"))
    st.caption(f"{taste_words.SCALE} Ratings given in History count, too.")
    if found.taste.corrects:
        st.caption("This is the score as it is measured, before your correction; the next tab says what that brings.")
    disagreements(found)
    threshold(found)


def disagreements(found: Overview) -> None:
    section("Where you differ most", "Pieces that rank much higher, or much lower, with you than with the score.")
    rows = [one for one in taste.disagreements(found) if abs(one[1]) >= FAR][:SHOWN]
    if not rows:
        st.caption("You and the score put every rated piece at about the same place.")
        return
    frame = pd.DataFrame(
        {
            "You": [taste_words.rating(one.rating) for one, _ in rows],
            "Score": [one.report.score for one, _ in rows],
            "You think": ["better of it" if higher > 0 else "less of it" for _, higher in rows],
            "Piece": [" ".join(one.opening.split()) for one, _ in rows],
        }
    )
    column = st.column_config
    st.dataframe(
        frame,
        key="differ",
        hide_index=True,
        height="content",
        row_height=38,
        alt="Rated pieces, the largest disagreements first",
        column_config={
            "You": column.TextColumn(width=90),
            "Score": column.ProgressColumn(min_value=0, max_value=10, format="%.1f", width=104),
            "You think": column.TextColumn(width=92),
            "Piece": column.TextColumn(width=430),
        },
    )


def threshold(found: Overview) -> None:
    keep, proposal = found.taste.keep_score, found.proposal
    section("What is kept", f"Pieces of {keep:.1f} or more are kept.")
    if said := taste_words.decisions(found.decided):
        st.text(said)
    st.text(taste_words.proposal(proposal))
    with st.container(horizontal=True, gap="small"):
        if proposal is not None and proposal.best.threshold != keep:
            best = proposal.best.threshold
            st.button(
                f"Keep from {best:.1f} on",
                key="take_over",
                type="primary",
                on_click=guarded,
                args=(lambda: choose(keep_score=best),),
            )
        if found.taste.config.keep_score is not None:
            st.button(
                f"Back to {settings.keep_score:.1f}",
                key="back",
                on_click=guarded,
                args=(lambda: choose(keep_score=None),),
            )
    st.caption(f"A change holds for pieces from now on. {UNTIL}")


def correction_tab() -> None:
    found = known()
    section(
        "Your correction",
        f"A small shift of the score, at most {personal.MOST} points, learned from your ratings. It acts only if it "
        "was shown to bring the score closer to you.",
    )
    if left_out := taste_words.not_counted(found):
        st.caption(left_out)
    if len(found.pieces) < personal.ENOUGH:
        st.progress(len(found.pieces) / personal.ENOUGH, text=taste_words.to_go(len(found.pieces), personal.ENOUGH))
        return
    st.text(taste_words.correction(found.taste))
    mine = found.taste.correction
    if mine is not None and mine.gain is not None:
        st.caption(taste_words.SCALE)
    if mine is None or not mine.acts:
        st.caption("It is tried again with every rating.")
        return
    for sentence in taste_words.leanings(mine):
        st.text(sentence)
    st.toggle(
        "Let my correction act",
        key=mirror("taste-personal", found.taste.config.personal),
        on_change=switched,
        args=("personal",),
    )
    st.caption(
        f"It changes the score of pieces from now on. {UNTIL} A piece that is no proper answer is never lifted by it."
    )


def judge_tab() -> None:
    found = known()
    section("The judge", "A teacher that also scores what is kept. You choose one in Settings.")
    st.text(taste_words.judge(found))
    st.markdown("**The judge and you**")
    st.text(taste_words.agreed(found.judge_and_writer, "The judge", "you"))
    st.markdown("**The judge and the measured score**")
    st.text(taste_words.agreed(found.judge_and_score, "The judge", "the score"))
    if max(found.judge_and_writer.pieces, found.judge_and_score.pieces) >= agreement.ENOUGH:
        st.caption(taste_words.SCALE)
    st.toggle(
        "Let the judge have the part it has earned",
        key=mirror("taste-judge", found.taste.config.judge),
        on_change=switched,
        args=("judge",),
    )
    st.caption(
        "Models that judge like long, ornate texts, and expert readers often do not. So a judge counts nothing until "
        "your own ratings show that it helps, and never more than half."
    )
    st.page_link("pages/settings.py", label="Choose a judge", icon=":material/settings:")


page_header(
    "Quality",
    "Rate pieces as a reader. ZEGA shows how far its score agrees with you, learns from it, and says what repeats.",
)
refusal()
TABS = {
    "Rate": rate_tab,
    "Agreement": agreement_tab,
    "Your correction": correction_tab,
    "Judge": judge_tab,
    "Sameness": lambda: sameness_view.show(writer),
}
head = st.container()
tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
with head:
    rescore_view.show(writer, quiet=bool(tabs[0].open))
for tab, draw in zip(tabs, TABS.values(), strict=True):
    if tab.open:
        with tab:
            draw()
