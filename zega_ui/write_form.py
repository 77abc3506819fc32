"""What is to be written, and who writes it: a brief, or a text to go on with or to rewrite."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from zega_core import db, writing, writing_words
from zega_core.catalog import load_catalog
from zega_core.errors import NotFound
from zega_core.settings import Settings
from zega_core.store import writing_choices
from zega_core.writing import Author
from zega_core.writing_configs import CUSTOM, WriteRequest, WritingConfig
from zega_core.writing_tables import Writing
from zega_core.writing_words import TASKS
from zega_ui import teaching_form as form
from zega_ui import write_draft
from zega_ui.components import genre_label_of, plain, section
from zega_ui.write_draft import Draft

WHERE = "write"
"""Beside the form: why a press was refused."""
BUTTON = "write-now"
TASK, GENRE, ELEMENT = "task", "genre", "element"
"""Keys of controls that are in the address, too, so that they outlive a refresh."""
FIRST, SECOND, PAIR, BLIND = "write-first", "write-second", "write-pair", "write-blind"
DARING = "The temperature: 0 takes no chances."
STORY = "write-story"
"""The story on the shelf that the given text was taken from."""
ASKED = "write-asked"
"""What was asked for last in this visit, and the key of its writing."""
state = st.session_state


def brief_draft(writer: str) -> Draft:
    return Draft("write-brief", f"write:{writer}:brief", BUTTON)


def given_draft(writer: str) -> Draft:
    return Draft("write-given", f"write:{writer}:given", BUTTON)


def show(writer: str, settings: Settings, shown: Writing | None, *, busy: bool, begun: Callable[[str], None]) -> None:
    """``shown`` is the writing that the page shows: a fresh visit begins with its request. ``begun`` is told the key of
    a new one. While one is being written (``busy``) another waits."""
    with db.reading() as session:
        config = writing_choices.load(session, writer)
        authors = {author.name: author for author in writing.authors(session, writer, settings)}
    if shown is not None:
        section("Write something else")
    _what(writer, shown)
    _who(authors, config)
    form.explain(WHERE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="write-row"):
        st.button(
            "Write",
            type="primary",
            icon=":material/edit_note:",
            key=BUTTON,
            disabled=busy,
            help="One text at a time: stop the one that is being written, or wait for it." if busy else None,
            on_click=form.act,
            args=(WHERE, _begin, writer, settings, config, begun),
        )
        _how(writer, config)
    st.caption(writing_words.choices(config))


def _what(writer: str, shown: Writing | None) -> None:
    task = st.segmented_control(
        "What shall it do?",
        list(TASKS),
        default=shown.task if shown is not None and shown.task in TASKS else "write",
        required=True,
        format_func=TASKS.__getitem__,
        key=TASK,
        bind="query-params",
        persist_state="session",
        wrap=True,
    )
    given, brief = given_draft(writer), brief_draft(writer)
    if task != "write":
        write_draft.area(
            given,
            "Your text",
            height=220,
            placeholder="Paste or write the text here",
            begin="" if shown is None else shown.given,
        )
    write_draft.area(
        brief,
        "What should it be about?" if task == "write" else "Anything to keep in mind? (optional)",
        height=104,
        placeholder="A lighthouse keeper finds a light that answers" if task == "write" else "",
        begin="" if shown is None else shown.brief,
    )
    catalog = load_catalog()
    st.pills(
        "Genre (optional)",
        [genre.key for genre in catalog.genres],
        format_func=genre_label_of,
        default=shown.genre if shown is not None and shown.genre in {one.key for one in catalog.genres} else None,
        key=GENRE,
        bind="query-params",
        persist_state="session",
        wrap=True,
    )
    elements = {element.key: element.label for element in catalog.elements}
    st.pills(
        "Element (optional)",
        list(elements),
        format_func=elements.__getitem__,
        default=shown.element if shown is not None and shown.element in elements else None,
        key=ELEMENT,
        bind="query-params",
        persist_state="session",
        wrap=True,
    )


def _who(authors: Mapping[str, Author], config: WritingConfig) -> None:
    names = list(authors)
    usual = next((name for name in names if (name == CUSTOM) == config.custom), names[0])
    first = _author("Who writes?", FIRST, authors, usual)
    if st.toggle("Two side by side", key=PAIR, persist_state="session"):
        other = next((name for name in names if name != first), first)
        _author("And beside it", SECOND, authors, other)
        st.toggle(
            "Hide who wrote which until I have chosen", key=BLIND, persist_state="session", help="A fair comparison."
        )


def _author(label: str, key: str, authors: Mapping[str, Author], usual: str) -> str:
    names = list(authors)
    if state.get(key) not in names:
        state[key] = usual
    name = st.selectbox(label, names, format_func=lambda one: authors[one].label, key=key, persist_state="session")
    if authors[name].note:
        st.caption(plain(authors[name].note))
        if name == CUSTOM:
            st.page_link("pages/fine_tune.py", label="To your own versions", icon=":material/tune:")
    return name


def _how(writer: str, config: WritingConfig) -> None:
    def choice(field: str) -> Mapping[str, object]:
        key = f"write-{field}"
        return {
            "key": form.shows(key, getattr(config, field)),
            "on_change": form.act,
            "args": (WHERE, _choose, writer, field, key),
        }

    with st.popover("How it writes", icon=":material/tune:", key="write-how"):
        st.slider("Words at most", 20, 800, step=20, **choice("words"))  # type: ignore[arg-type]
        st.slider("Daring", 0.0, 1.5, step=0.1, help=DARING, **choice("temperature"))  # type: ignore[arg-type]
        st.toggle("Give it hints on my style", **choice("hints"))  # type: ignore[arg-type]
        st.toggle("Let it recall my own texts", **choice("recall"))  # type: ignore[arg-type]
        if config.recall and not config.memory:
            st.markdown(":gray[Nothing is in its memory yet. Choose under Memory what may be recalled.]")


def _choose(writer: str, field: str, key: str) -> None:
    with db.session() as session:
        config = writing_choices.load(session, writer)
        writing_choices.save(session, writer, WritingConfig.model_validate({**config.model_dump(), field: state[key]}))


def _begin(writer: str, settings: Settings, config: WritingConfig, begun: Callable[[str], None]) -> None:
    request = _request(writer, config)
    asked, key = state.get(ASKED, (None, ""))
    with db.reading() as session:
        is_second_press = asked == request and writing.is_under_way(session, writer, key)
    if not is_second_press:
        key = _start(request, settings).key
    state[ASKED] = (request, key)
    write_draft.forget(brief_draft(writer))
    if request.task != "write":
        write_draft.forget(given_draft(writer))
    begun(key)


def _start(request: WriteRequest, settings: Settings) -> Writing:
    try:
        return writing.start(request, settings)
    except NotFound:
        if state.pop(STORY, None) is None:
            raise
    return writing.start(request.model_copy(update={"story_id": None}), settings)  # the story was deleted meanwhile


def _request(writer: str, config: WritingConfig) -> WriteRequest:
    """Raises InvalidInput, which says what is missing."""
    pair = bool(state.get(PAIR))
    task = state.get(TASK) or "write"
    return WriteRequest(
        writer_id=writer,
        task=task,
        brief=write_draft.text(brief_draft(writer)),
        given=write_draft.text(given_draft(writer)) if task != "write" else "",
        genre=state.get(GENRE) or "",
        element=state.get(ELEMENT) or "",
        authors=(state[FIRST], state[SECOND]) if pair else (state[FIRST],),
        blind=pair and bool(state.get(BLIND)),
        hints=config.hints,
        recall=config.recall,
        temperature=config.temperature,
        words=config.words,
        story_id=state.get(STORY) if task != "write" else None,
    )


def take_up(writer: str, row: Writing) -> None:
    """Put an earlier request into the form, to change it and have it written anew."""
    state[TASK], state[GENRE], state[ELEMENT] = row.task, row.genre or None, row.element or None
    state[STORY] = row.story_id
    write_draft.fill(brief_draft(writer), row.brief)
    write_draft.fill(given_draft(writer), row.given)


def go_on(writer: str, text: str, *, genre: str = "", element: str = "", story_id: int | None = None) -> None:
    """Put a text into the form, to be gone on with."""
    state[TASK], state[GENRE], state[ELEMENT] = "continue", genre or None, element or None
    state[STORY] = story_id
    write_draft.fill(brief_draft(writer), "")
    write_draft.fill(given_draft(writer), text)
