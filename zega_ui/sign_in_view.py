"""Where people sign in: the page before they have, and who it is in the sidebar afterwards."""

from __future__ import annotations

import streamlit as st

from zega_core import sign_in
from zega_core.errors import ConfigError, ZegaError
from zega_core.sign_in import Person
from zega_ui.boot import current_writer, signed_in
from zega_ui.components import error_state, page_header


def page() -> None:
    """Stands in place of every page until somebody is signed in."""
    st.set_page_config(page_title="Sign in")
    page_header("Sign in", "What you write with ZEGA is yours alone: nobody else who signs in here can see it.")
    try:
        signed_in()
    except ConfigError as error:
        error_state("Nobody can sign in at the moment", str(error))
        return
    except ZegaError as error:
        error_state("You could not be signed in", str(error), action=_sign_out)
        return
    found = sign_in.providers()
    for name in found:
        st.button(
            "Sign in" if len(found) == 1 else f"Sign in with {_called(name)}",
            type="primary" if name == found[0] else "secondary",
            icon=":material/login:",
            key=f"sign-in-{name}",
            on_click=st.login,
            args=() if name == "default" else (name,),
        )


def menu() -> None:
    """Who is signed in, and the way out."""
    person = signed_in()
    if person is None:
        return
    st.text(_introduced(person))
    st.caption(f"Writer: {current_writer()}")
    _sign_out()


def _introduced(person: Person) -> str:
    return f"{person.name}\n{person.email}" if person.name and person.email else person.shown


def _called(name: str) -> str:
    return "your usual account" if name == "default" else name.replace("-", " ").title()


def _sign_out() -> None:
    st.button("Sign out", icon=":material/logout:", key="sign_out", on_click=st.logout, width="stretch")
