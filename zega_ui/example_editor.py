"""One example, whole: read, rate, tag, include, exclude, edit, delete, and go on to the next."""

from __future__ import annotations

from functools import partial

import streamlit as st

from zega_core import collection, db
from zega_core.analytics import plural
from zega_core.errors import NotFound
from zega_core.settings import get_settings
from zega_core.store import collection as stored
from zega_core.store.collection import Filter
from zega_core.tables import Example, ExampleStatus
from zega_ui import example_list
from zega_ui.components import asked_for, guarded, heading_of, local_time, plain, prose, why
from zega_ui.example_bulk import change
from zega_ui.example_filters import FROM
from zega_ui.teaching_form import mirror

state = st.session_state
EDITING = "examples-editing"
"""In the session: the example whose text is being edited."""
LONGEST = 20_000
"""Characters that are shown at once, and that an edited text may have."""
KEYS = """
| key | what it does |
|---|---|
| j or → | the next example, or the first one |
| k or ← | the one before |
| 1 to 5 | stars |
| i | include it |
| x | exclude it |
| e | edit it |
| u | undo the last change |
| ? | this list |
"""


def show(writer: str, example_id: int, found: Filter, sort: str) -> None:
    try:
        with db.reading() as session:
            example = stored.get(session, writer, example_id)
            before, after = stored.neighbours(session, writer, found, sort, example_id)
    except NotFound:
        st.caption("There is no such example. It may have been deleted, or belong to another writer.")
        st.button("Close", key="close", on_click=example_list.open_example, args=(None,))
        return
    _steps(writer, found, sort, before, after)
    heading_of(example)
    st.caption(plain(_facts(example)))
    if state.get(EDITING) == example_id:
        _form(writer, example)
        return
    st.text(asked_for(example))
    _text(example)
    _controls(writer, example, before, after)
    with st.expander("Why it scored so", key=f"example-why-{example_id}"):
        why(example, asked=False)


def _steps(writer: str, found: Filter, sort: str, before: int | None, after: int | None) -> None:
    step = partial(example_list.step, writer, found, sort)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="example-steps"):
        st.button(
            "Previous",
            key="previous",
            icon=":material/arrow_back:",
            disabled=before is None,
            on_click=guarded,
            args=(step, False),
        )
        st.button(
            "Next",
            key="next",
            icon=":material/arrow_forward:",
            disabled=after is None,
            on_click=guarded,
            args=(step, True),
        )
        with st.popover("Keys", icon=":material/keyboard:", type="tertiary", key="example-keys"):
            st.markdown(KEYS)
            st.caption("They work while no field is being typed in.")
        st.button("Close", key="close", type="tertiary", on_click=example_list.open_example, args=(None,))


def _facts(example: Example) -> str:
    facts = [FROM.get(example.source, example.source), f"{local_time(example.created_at):%d %B %Y}"]
    if example.edited_at is not None:
        facts.append(f"edited {local_time(example.edited_at):%d %B %Y}")
    facts.append(plural(len(example.completion.split()), "word"))
    if example.origin and example.model:
        facts.append(f"from {example.origin}")
    return " · ".join(facts)


def _text(example: Example) -> None:
    if example.original is None:
        _long(example.completion, f"example-{example.id}")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        learned = example.status == ExampleStatus.kept
        st.caption(
            "Your edit: this is learned from." if learned else "Your edit: set aside, so it is not learned from."
        )
        _long(example.completion, f"example-{example.id}")
    with right:
        st.caption("Before your edit: kept, to show what you changed.")
        _long(example.original, f"example-original-{example.id}")


def _long(text: str, key: str) -> None:
    """All of a text, or its beginning with the rest a press away."""
    if len(text) <= LONGEST or state.get(f"whole-{key}"):
        prose(text, key)
        return
    prose(text[:LONGEST], key)
    st.checkbox(f"Show all {len(text):,} characters", key=f"whole-{key}")


def _controls(writer: str, example: Example, before: int | None, after: int | None) -> None:
    identity, settings = example.id or 0, get_settings()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="example-controls"):
        with st.container(key="example-stars", width="content"):
            key = mirror(f"example-stars-{identity}", None if example.rating is None else example.rating - 1)
            st.feedback("stars", key=key, on_change=_rated, args=(writer, identity, key))
        for word, icon, action, inside in (
            ("Include", "bookmark_add", collection.include, example.status == ExampleStatus.kept),
            ("Exclude", "bookmark_remove", collection.exclude, example.status != ExampleStatus.kept),
        ):
            st.button(
                word,
                key=word.lower(),
                icon=f":material/{icon}:",
                disabled=inside,
                on_click=guarded,
                args=(change, partial(action, writer_id=writer, ids=[identity], settings=settings)),
            )
        st.button("Edit", key="edit", icon=":material/edit:", on_click=_begin, args=(identity,))
        _delete(writer, identity, before, after)
    st.multiselect(
        "Tags",
        example.tags,
        key=mirror(f"example-tags-{identity}", list(example.tags)),
        accept_new_options=True,
        placeholder="Add a word of your own",
        on_change=guarded,
        args=(_tagged, writer, identity, tuple(example.tags)),
    )


def _delete(writer: str, identity: int, before: int | None, after: int | None) -> None:
    after_that = after if after is not None else before
    st.button(
        "Delete",
        key="delete",
        icon=":material/delete:",
        type="tertiary",
        on_click=guarded,
        args=(_deleted, writer, identity, after_that),
    )


def _deleted(writer: str, identity: int, after_that: int | None) -> None:
    """One example needs no question first: Undo brings it back."""
    change(partial(collection.delete, writer_id=writer, ids=[identity], settings=get_settings()))
    example_list.chosen().discard(identity)
    example_list.open_example(after_that)


def _rated(writer: str, identity: int, key: str) -> None:
    given = state[key]
    stars = None if given is None else given + 1
    guarded(change, partial(collection.rate, writer_id=writer, ids=[identity], stars=stars, settings=get_settings()))


def _tagged(writer: str, identity: int, before: tuple[str, ...]) -> None:
    now = state[f"example-tags-{identity}"]
    add, remove = [tag for tag in now if tag not in before], [tag for tag in before if tag not in now]
    change(partial(collection.tag, writer_id=writer, ids=[identity], add=add, remove=remove))


def _begin(identity: int) -> None:
    state[EDITING] = identity


def _form(writer: str, example: Example) -> None:
    identity = example.id or 0
    with st.form(f"edit-{identity}", border=False, enter_to_submit=False):
        st.text_area("What was asked", example.prompt, key=f"edit-prompt-{identity}", height="content")
        st.text_area("The text", example.completion, key=f"edit-text-{identity}", height=420)
        st.caption("The text as it was is kept beside yours, and what you wrote weighs more than a teacher's piece.")
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button(
                "Save", key="save-edit", type="primary", on_click=guarded, args=(_saved, writer, identity)
            )
            st.form_submit_button("Cancel", key="cancel-edit", on_click=_begin, args=(0,))


def _saved(writer: str, identity: int) -> None:
    """A refused text stays in its field."""
    text, prompt = state[f"edit-text-{identity}"], state[f"edit-prompt-{identity}"]
    change(
        partial(
            collection.edit_text,
            writer_id=writer,
            example_id=identity,
            text=text,
            prompt=prompt,
            settings=get_settings(),
        )
    )
    state.pop(EDITING, None)
