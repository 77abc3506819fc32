"""Fine-Tune: what your model would learn from. Training itself is not part of this version."""

import streamlit as st

from zega_core import charts, db
from zega_core.analytics import plural, until_fine_tune
from zega_core.catalog import load_catalog
from zega_core.settings import get_settings
from zega_core.store import examples
from zega_ui.boot import open_page
from zega_ui.components import chart, empty_state, genre_name, page_header, section

writer = open_page()
settings, catalog = get_settings(), load_catalog()

page_header("Fine-Tune", "What your own model will learn from.")
with db.reading() as session:
    kept = examples.count_kept(session, writer)
    by_genre = examples.count_kept_by_genre(session, writer)
if not kept:
    empty_state(
        "tune",
        "No kept examples yet",
        f"A fine-tune begins at {settings.fine_tune_every} kept examples. Auto-Train writes and keeps them.",
        lambda: st.page_link("pages/auto_train.py", label="Start with Auto-Train", icon=":material/auto_stories:"),
    )
    st.stop()

left, right = st.columns(2, gap="large")
short = until_fine_tune(kept, settings.fine_tune_every)
with left:
    section("How far you are")
    chart(
        charts.readiness(kept, settings.fine_tune_every),
        key="readiness",
        alt=f"{kept} kept examples, {settings.fine_tune_every} needed",
    )
    if short:
        st.markdown(f"{plural(short, 'more kept example')} and there is enough to learn from.")
        st.page_link("pages/auto_train.py", label="Write more with Auto-Train", icon=":material/auto_stories:")
    else:
        st.markdown("There is enough to learn from.")
    st.caption("This version of ZEGA collects examples. It does not train a model yet; nothing you collect is lost.")
with right:
    section("Kept examples by genre")
    words = ", ".join(f"{genre_name(key)} {number}" for key, number in by_genre.items())
    chart(charts.genre_distribution(by_genre, catalog.genres), key="genres", alt=f"Kept examples by genre: {words}")
