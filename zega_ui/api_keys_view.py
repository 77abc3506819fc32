"""Keys of the REST API, on Settings: make one, see it once, revoke it."""

from __future__ import annotations

import streamlit as st

from zega_core import db
from zega_core.analytics import plural
from zega_core.door_tables import ApiKey
from zega_core.settings import Settings
from zega_core.store import api_keys
from zega_ui import teaching_form as form
from zega_ui import write_copy
from zega_ui.components import plain, section
from zega_ui.teacher_cards import clock

WHERE, NAME = "api keys", "api-key-name"
NEW, COPIED = "api-key-new", "api-key-copied"
"""A new key in clear is in this tab only, until it is copied or the page is left: then the box to tick is gone."""
state = st.session_state


def show(writer: str, settings: Settings) -> None:
    section("Keys of the API")
    at = address(settings)
    st.markdown(
        f"With a key a program of yours can do what these pages do, for you alone. The API is started with `zega api`; "
        f"it is then at [{at}]({at}/docs), where every request is described. A program sends its key with each: "
        "`Authorization: Bearer zega_…`"
    )
    form.explain(WHERE)
    _new()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("What the key is for", key=NAME, max_chars=api_keys.MAX_NAME, placeholder="laptop", width=320)
        st.button(
            "Make a key", icon=":material/key:", key="api-key-make", on_click=form.act, args=(WHERE, _make, writer)
        )
    with db.reading() as session:
        found = api_keys.of_writer(session, writer)
    for key in (key for key in found if key.revoked_at is None):
        _row(writer, key)
    if gone := [key for key in found if key.revoked_at is not None]:
        with st.expander(f"{plural(len(gone), 'revoked key')}", key="api-keys-gone"):
            for key in gone:
                st.caption(plain(f"{key.name} · {key.prefix}… · revoked at {clock(key.revoked_at or key.created_at)}"))


def address(settings: Settings) -> str:
    """Where the API answers somebody at this machine, or elsewhere where it listens on one address only."""
    host = "localhost" if settings.api_host in ("127.0.0.1", "0.0.0.0", "::1", "::") else settings.api_host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.api_port}"


def _new() -> None:
    if NEW in state and COPIED not in state:
        del state[NEW]
    if NEW not in state:
        return
    with st.container(border=True, key="api-key-shown"):
        st.markdown("**This is your new key. It is not shown again: copy it now to where you will use it.**")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.code(state[NEW], language=None, wrap_lines=True)
            write_copy.button(state[NEW], key="api-key-copy")
        st.checkbox("I have copied it", key=COPIED, on_change=_forget)


def _row(writer: str, key: ApiKey) -> None:
    used = "never used" if key.last_used_at is None else f"last used at {clock(key.last_used_at)}"
    with st.container(key=f"feed-api-key-{key.id}", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap="xxsmall"):
            st.text(key.name)
            st.caption(plain(f"{key.prefix}… · made at {clock(key.created_at)} · {used}"))
        with st.popover("Revoke", icon=":material/block:", key=f"api-key-popover-{key.id}"):
            st.markdown("Whatever uses this key is refused from then on. That cannot be undone.")
            st.button(
                "Yes, revoke it",
                key=f"api-key-revoke-{key.id}",
                on_click=form.act,
                args=(WHERE, _revoke, writer, key.id),
            )


def _make(writer: str) -> None:
    with db.session() as session:
        _, clear = api_keys.create(session, writer, str(state.get(NAME) or ""))
    state[NEW], state[COPIED], state[NAME] = clear, False, ""


def _revoke(writer: str, key_id: int) -> None:
    with db.session() as session:
        api_keys.revoke(session, writer, key_id)


def _forget() -> None:
    state.pop(NEW, None)
