"""Auto-Train: ask for examples, watch them being written and scored, see what was kept."""

import streamlit as st

from zega_core import db, teachers, triggers
from zega_core.analytics import euros, in_words, no_sign_of_life, pace, per_minute, plural, took
from zega_core.catalog import load_catalog
from zega_core.configs import MAX_EXAMPLES, AutoTrainConfig, checked
from zega_core.jobs import client
from zega_core.outlook import ahead
from zega_core.settings import get_settings
from zega_core.store import checks, examples, ledger, sessions
from zega_core.tables import UNFINISHED, RunStatus, TrainingSession, now
from zega_core.taste import taste_of
from zega_ui import story_address, teaching_form
from zega_ui.boot import open_page
from zega_ui.components import (
    empty_state,
    error_state,
    genre_label_of,
    guarded,
    page_header,
    piece,
    refusal,
    section,
    shielded,
)
from zega_ui.favourite_menu import GENRES, NUMBER, NUMBER_BOX, favourite_menu
from zega_ui.session_view import figures, kept_by_genre, scores_of

writer = open_page()
settings, catalog = get_settings(), load_catalog()
lineup = teachers.lineup(settings, writer)
state = st.session_state
FEED = 5
HEADINGS = {
    RunStatus.queued: "Waiting for the worker",
    RunStatus.running: "Writing now",
    RunStatus.stopping: "Stopping",
    RunStatus.stopped: "Last run, stopped early",
    RunStatus.failed: "Last run, interrupted",
    RunStatus.done: "Last run",
}


def start() -> None:
    config = checked(
        AutoTrainConfig,
        writer_id=writer,
        num_examples=state[NUMBER],
        genres=tuple(state[GENRES]),
        store_in_memory=state.auto_train_memory,
        save_to_database=state.auto_train_stories,
    )
    client.start_auto_train(config, teacher=lineup, one_at_a_time=True)


def follow(source: str, target: str) -> None:
    state[target] = state[source]


def number_of_examples() -> int:
    state.setdefault(NUMBER, 20)
    state.setdefault(NUMBER_BOX, state[NUMBER])
    wide, narrow = st.columns([5, 2], vertical_alignment="bottom", gap="small")
    wide.slider(
        "How many examples",
        1,
        MAX_EXAMPLES,
        key=NUMBER,
        persist_state="session",
        on_change=follow,
        args=(NUMBER, NUMBER_BOX),
    )
    narrow.number_input(
        "Number of examples",
        1,
        MAX_EXAMPLES,
        key=NUMBER_BOX,
        persist_state="session",
        label_visibility="collapsed",
        on_change=follow,
        args=(NUMBER_BOX, NUMBER),
    )
    return state[NUMBER]


def forecast(number: int) -> None:
    """Who will write, how long it takes and what it costs; and what stands in the way. Has the worker look again at
    services that nobody has looked at for a while."""
    found = ahead(settings, writer, number)
    if found.sentences:
        said = " ".join(found.sentences)
    else:
        with db.reading() as session:
            each = sessions.seconds_per_example(session, writer, lineup)
        said = "How long it takes here, the first run will tell."
        if each is not None:
            said = f"Takes {in_words(each * number)}, going by your last runs."
    st.caption(f"{said} Pieces of {keep:.1f} or more are kept.")
    st.caption(f"Asked in this order: {found.who}.")
    for trouble in found.troubles:
        st.caption(f":material/info: {trouble}")
    st.page_link("pages/settings.py", label="Teachers and limits", icon=":material/settings:")
    busy = {key for key, stands in found.standings.items() if stands.looking}
    teaching_form.look(writer, teaching_form.due(writer, found.places, found.standings, busy))


def setup(primary: bool) -> None:
    section("New run")
    number = number_of_examples()
    chosen = st.pills(
        "Genres",
        [genre.key for genre in catalog.genres],
        selection_mode="multi",
        key=GENRES,
        persist_state="session",
        format_func=genre_label_of,
        wrap=True,
    )
    if not chosen:
        st.caption("No genre chosen: all eight take turns.")
    favourite_menu(writer)
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
        help="Stories are for reading. Training examples are not stories unless you ask for it here. They stand on the "
        "page Write, under Your stories.",
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
    forecast(number)


def under_way(row: TrainingSession) -> None:
    section("This run")
    st.markdown(f"**{plural(row.num_examples_requested, 'example')}**")
    st.markdown("  \n".join(map(genre_label_of, row.genres_selected)))
    if row.stored_in_memory:
        st.caption("Kept pieces go into memory.")
    if row.saved_to_database:
        st.caption(
            f"Pieces of {settings.story_score:.1f} or more are saved as stories. You find them under Your stories."
        )
    stopping = row.status == RunStatus.stopping
    st.button(
        "Stopping" if stopping else "Stop writing",
        icon=":material/stop_circle:",
        width="stretch",
        on_click=guarded,
        args=(client.stop, writer, row.session_id),
        disabled=stopping,
        key="stop",
    )
    st.caption("Everything that is written is kept, and you can continue later.")


def live(session_id: str) -> None:
    """Redrawn every second from the rows; the run itself is elsewhere."""
    with db.reading() as session:
        row = sessions.get(session, writer, session_id)
        tally = examples.tally(session, row.id or 0)
        feed = examples.newest(session, writer, row.id or 0, FEED)
        rate = pace(examples.latest_moments(session, row.id or 0))
        spent = ledger.spent(session, row.id or 0)
    if row.status not in UNFINISHED:
        st.rerun()
    section(HEADINGS[RunStatus(row.status)])
    if row.status == RunStatus.queued:
        st.caption("It begins within seconds, or when a run before it ends. If it does not, ask `zega doctor`.")
    left = row.num_examples_requested - tally.done
    hint = f"{per_minute(rate)} · {in_words(left / rate)} left" if rate else "beginning"
    st.progress(tally.done / row.num_examples_requested, text=f"{tally.done} of {row.num_examples_requested} · {hint}")
    trouble = no_sign_of_life(row.heartbeat_at or row.created_at, now()) if row.status != RunStatus.queued else None
    if trouble:
        error_state("The run is held up", trouble, key="silent")
    counts = f"{tally.kept} kept · {tally.set_aside} set aside · {tally.failed} without an answer"
    st.caption(counts + (f" · average quality {tally.average:.1f}" if tally.average is not None else ""))
    if spent or row.budget is not None:
        st.caption(f"{euros(spent)} spent so far" + (f" of {euros(row.budget)}" if row.budget is not None else ""))
    for example in feed:
        piece(example, whole=False)
    st.caption(":material/bedtime: You can close this page. The run goes on, and you will find it here again.")


def watch(seen: tuple[str, str] | None, checked: int) -> None:
    """While nothing runs here: notice a run that was started elsewhere, and what a look at a service found."""
    with db.reading() as session:
        row, newest = sessions.latest(session, writer), checks.newest(session, writer)
    if (None if row is None else (row.session_id, row.status)) != seen or newest != checked:
        st.rerun()


def results(row: TrainingSession) -> None:
    with db.reading() as session:
        tally = examples.tally(session, row.id or 0)
        scores = examples.qualities(session, row.id or 0)
        feed = examples.newest(session, writer, row.id or 0, FEED)
    missing = row.num_examples_requested - tally.kept - tally.set_aside
    done = f"{tally.done} of {row.num_examples_requested} examples in {took(row.active_seconds)}"
    section(HEADINGS[RunStatus(row.status)], done)
    if row.error:
        error_state("The run could not finish", row.error, "Continue writes what is missing.")
    if missing:
        st.button(
            f"Continue with the other {missing}" if tally.done < row.num_examples_requested else f"Try {missing} again",
            type="secondary" if row.status == RunStatus.done else "primary",
            icon=":material/play_arrow:",
            on_click=guarded,
            args=(client.resume, writer, row.session_id),
            key="continue",
        )
    figures(tally, keep)
    story_address.link(tally.stories)
    left, right = st.columns(2, gap="large")
    with left:
        kept_by_genre(tally)
    with right:
        scores_of(scores, keep)
        next_fine_tune()
    section("Newest pieces")
    for example in feed:
        piece(example, whole=False)
    st.page_link(
        "pages/history.py",
        label="All pieces of this run",
        icon=":material/history:",
        query_params={"session": row.session_id},
    )


def next_fine_tune() -> None:
    with db.reading() as session:
        until = triggers.until_next(session, writer, settings)
        lacks = triggers.missing(session, writer)
    st.markdown("**Next fine-tune**")
    st.progress(min(1.0, until.new / until.every), text=until.in_words())
    if lacks:
        st.caption(lacks)
    st.page_link("pages/fine_tune.py", label="Go to Fine-Tune", icon=":material/tune:")


page_header(
    "Auto-Train",
    "A teacher writes short pieces in the genres you choose. The strongest are kept, and your model learns from them.",
)
refusal()
with db.reading() as opened:
    last, checked_last = sessions.latest(opened, writer), checks.newest(opened, writer)
    keep = taste_of(opened, writer, settings).keep_score
running = last is not None and last.status in UNFINISHED
to_continue = last is not None and last.status in (RunStatus.stopped, RunStatus.failed)

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
        st.fragment(shielded(live), run_every=1)(last.session_id)
    else:
        results(last)
with side, st.container(border=True, key="setup"):
    if last is not None and running:
        under_way(last)
    else:
        setup(primary=not to_continue)
        st.fragment(shielded(watch), run_every=2)(
            None if last is None else (last.session_id, last.status), checked_last
        )
