"""Auto-Train: ask for examples, watch them being written and scored, see what was kept."""

import streamlit as st

from zega_core import db, providers
from zega_core.analytics import in_words, pace, per_minute, plural, took, until_fine_tune
from zega_core.catalog import load_catalog
from zega_core.configs import MAX_EXAMPLES, AutoTrainConfig, checked
from zega_core.errors import ZegaError
from zega_core.jobs import client
from zega_core.settings import get_settings
from zega_core.store import examples, favourites, sessions
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession
from zega_ui.boot import open_page
from zega_ui.components import empty_state, error_state, genre_label, genre_label_of, page_header, piece, section
from zega_ui.session_view import figures, kept_by_genre, scores_of

writer = open_page()
settings, catalog = get_settings(), load_catalog()
teacher = providers.build_teacher(settings)
state = st.session_state
FEED = 5


def guarded(action, *arguments) -> None:
    """Run what a button asks for; a refusal is shown above the form."""
    state.pop("auto_train_error", None)
    try:
        action(*arguments)
    except ZegaError as error:
        state["auto_train_error"] = str(error)


def start() -> None:
    config = checked(
        AutoTrainConfig,
        writer_id=writer,
        num_examples=state.auto_train_n,
        genres=tuple(state.auto_train_genres),
        store_in_memory=state.auto_train_memory,
        save_to_database=state.auto_train_stories,
    )
    client.start_auto_train(config, teacher=teacher.name, one_at_a_time=True)


def use_favourite(genres: list[str], number: int) -> None:
    state.auto_train_genres = genres
    state.auto_train_n = state.auto_train_box = number


def save_favourite() -> None:
    with db.session() as session:
        favourites.save(session, writer, state.favourite_name, state.auto_train_genres, state.auto_train_n)
    state.favourite_name = ""


def remove_favourite(name: str) -> None:
    with db.session() as session:
        favourites.remove(session, writer, name)


def follow(source: str, target: str) -> None:
    state[target] = state[source]


def number_of_examples() -> int:
    state.setdefault("auto_train_n", 20)
    state.setdefault("auto_train_box", state.auto_train_n)
    wide, narrow = st.columns([5, 2], vertical_alignment="bottom", gap="small")
    wide.slider(
        "How many examples",
        1,
        MAX_EXAMPLES,
        key="auto_train_n",
        persist_state="session",
        on_change=follow,
        args=("auto_train_n", "auto_train_box"),
    )
    narrow.number_input(
        "Number of examples",
        1,
        MAX_EXAMPLES,
        key="auto_train_box",
        persist_state="session",
        label_visibility="collapsed",
        on_change=follow,
        args=("auto_train_box", "auto_train_n"),
    )
    return state.auto_train_n


def favourite_menu() -> None:
    with db.reading() as session:
        mine = favourites.of_writer(session, writer)
    with st.popover("Favourites", icon=":material/bookmark:", width="stretch"):
        for favourite in mine:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.button(
                    f"{favourite.name} · {favourite.num_examples}",
                    key=f"use-{favourite.id}",
                    help=", ".join(catalog.genre(key).label for key in favourite.genres),
                    width="stretch",
                    on_click=use_favourite,
                    args=(favourite.genres, favourite.num_examples),
                )
                st.button(
                    "Remove",
                    key=f"remove-{favourite.id}",
                    type="tertiary",
                    on_click=guarded,
                    args=(remove_favourite, favourite.name),
                )
        if not mine:
            st.caption("Save a number and a choice of genres that you want to use again.")
        st.text_input("Save the present choice as", key="favourite_name", max_chars=favourites.MAX_NAME)
        st.button("Save", key="save_favourite", on_click=guarded, args=(save_favourite,))


def forecast(number: int) -> str:
    with db.reading() as session:
        each = sessions.seconds_per_example(session, teacher.name)
    if each is None:
        return "How long it takes here, the first run will tell."
    return f"Takes {in_words(each * number)}, going by your last runs."


def setup(primary: bool) -> None:
    section("New run")
    number = number_of_examples()
    chosen = st.pills(
        "Genres",
        [genre.key for genre in catalog.genres],
        selection_mode="multi",
        key="auto_train_genres",
        persist_state="session",
        format_func=genre_label_of,
        wrap=True,
    )
    if not chosen:
        st.caption("No genre chosen: all eight take turns.")
    favourite_menu()
    st.checkbox(
        "Also put kept pieces into memory",
        key="auto_train_memory",
        persist_state="session",
        help="Memory is what ZEGA may recall while it writes for you. Kept pieces become training examples either way.",
    )
    st.checkbox(
        f"Also save pieces of {settings.story_score:.1f} or more as stories",
        key="auto_train_stories",
        persist_state="session",
        help="Stories are for reading. Training examples are not stories unless you ask for it here.",
    )
    st.button(
        "Start writing",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        width="stretch",
        on_click=guarded,
        args=(start,),
        key="start",
    )
    st.caption(f"{forecast(number)} {teacher.label} writes; pieces of {settings.keep_score:.1f} or more are kept.")


def under_way(row: TrainingSession) -> None:
    section("This run")
    st.markdown(f"**{plural(row.num_examples_requested, 'example')}**")
    st.markdown("  \n".join(genre_label(catalog.genre(key)) for key in row.genres_selected))
    if row.stored_in_memory:
        st.caption("Kept pieces go into memory.")
    if row.saved_to_database:
        st.caption(f"Pieces of {settings.story_score:.1f} or more are saved as stories.")
    stopping = row.status == RunStatus.stopping
    st.button(
        "Stopping" if stopping else "Stop",
        icon=":material/stop_circle:",
        width="stretch",
        on_click=guarded,
        args=(client.stop, writer, row.session_id),
        disabled=stopping,
        key="stop",
    )
    st.caption("Stop keeps everything that is written. You can continue later.")


def live(session_id: str) -> None:
    """Redrawn every second from the rows; the run itself is elsewhere."""
    try:
        with db.reading() as session:
            row = sessions.get(session, writer, session_id)
            tally = examples.tally(session, row.id or 0)
            feed = examples.newest(session, writer, row.id or 0, FEED)
            rate = pace(examples.latest_moments(session, row.id or 0))
    except ZegaError as error:
        error_state("The run cannot be shown just now", str(error), "It goes on by itself.")
        return
    if row.status not in UNFINISHED:
        st.rerun()
    section({RunStatus.queued: "Waiting for the worker", RunStatus.stopping: "Stopping"}.get(row.status, "Writing now"))
    left = row.num_examples_requested - tally.done
    hint = f"{per_minute(rate)} · {in_words(left / rate)} left" if rate else "beginning"
    st.progress(tally.done / row.num_examples_requested, text=f"{tally.done} of {row.num_examples_requested} · {hint}")
    counts = f"{tally.kept} kept · {tally.set_aside} set aside · {tally.failed} without an answer"
    st.caption(counts + (f" · average quality {tally.average:.1f}" if tally.average is not None else ""))
    for example in feed:
        piece(example, whole=False)
    st.caption(":material/bedtime: You can close this page. The run goes on, and you will find it here again.")


def results(row: TrainingSession) -> None:
    with db.reading() as session:
        tally = examples.tally(session, row.id or 0)
        scores = examples.qualities(session, row.id or 0)
        kept = examples.count_kept(session, writer)
        feed = examples.newest(session, writer, row.id or 0, FEED)
    missing = row.num_examples_requested - tally.kept - tally.set_aside
    title = {RunStatus.stopped: "Last run, stopped early", RunStatus.failed: "Last run, interrupted"}
    seconds = took(row.active_seconds)
    section(title.get(row.status, "Last run"), f"{tally.done} of {row.num_examples_requested} examples in {seconds}")
    if row.error:
        error_state("The run could not finish", row.error, "Continue writes what is missing.")
    if missing and row.status in (RunStatus.stopped, RunStatus.failed):
        st.button(
            f"Continue with the other {missing}",
            type="primary",
            icon=":material/play_arrow:",
            on_click=guarded,
            args=(client.resume, writer, row.session_id),
            key="continue",
        )
    figures(tally)
    left, right = st.columns(2, gap="large")
    with left:
        kept_by_genre(tally)
    with right:
        scores_of(scores)
        next_fine_tune(kept)
    section("Newest pieces")
    for example in feed:
        piece(example, whole=False)
    st.page_link(
        "pages/history.py",
        label="All pieces of this run",
        icon=":material/history:",
        query_params={"session": row.session_id},
    )


def next_fine_tune(kept: int) -> None:
    every = settings.fine_tune_every
    short = until_fine_tune(kept, every)
    st.markdown("**Next fine-tune**")
    st.progress(min(1.0, kept / every), text=f"{min(kept, every)} of {every} kept examples")
    learn = "and your model can learn from them."
    st.caption(f"{plural(short, 'more kept example')} {learn}" if short else "There is enough to learn from.")
    st.page_link("pages/fine_tune.py", label="Go to Fine-Tune", icon=":material/tune:")


page_header(
    "Auto-Train",
    "A teacher writes short pieces in the genres you choose. The strongest are kept, and your model learns from them.",
)
if "auto_train_error" in state:
    error_state("That could not be done", state["auto_train_error"])
with db.reading() as opened:
    last = sessions.latest(opened, writer)
running = last is not None and last.status in UNFINISHED
unfinished = last is not None and last.status in (RunStatus.stopped, RunStatus.failed)

# On a phone columns stack: what matters most comes first.
if last is None:
    side, main = st.columns([5, 7], gap="large")
else:
    main, side = st.columns([7, 5], gap="large")
with main:
    if last is None:
        empty_state(
            "auto_stories",
            "Nothing has been written yet",
            "Choose a few genres, or none for all, and press Start writing. "
            "The built-in storyteller needs no account and no network.",
        )
    elif running:
        st.fragment(live, run_every=1)(last.session_id)
    else:
        results(last)
with side, st.container(border=True, key="setup"):
    if last is not None and running:
        under_way(last)
    else:
        setup(primary=not unfinished)
