"""A button that copies a text exactly as it was written."""

from __future__ import annotations

from pathlib import Path

from streamlit.components.v2 import component

_button = component(
    "zega_write_copy",
    html='<button type="button">Copy</button><span data-said role="status"></span>',
    css="""
    :host { display: inline-flex; align-items: center; gap: .5rem; }
    button, span { font: 400 .875rem/1.6 "Source Sans", sans-serif; color: light-dark(#1F252A, #E7E4DC); }
    button { min-height: 2.5rem; padding: .25rem 0; border: 0; background: none; cursor: pointer; }
    button:hover { color: light-dark(#27496D, #9DBDE0); }
    button:focus-visible { outline: 2px solid light-dark(#27496D, #9DBDE0); outline-offset: 2px; border-radius: .5rem; }
    span { font-size: .875rem; color: light-dark(#5A6166, #A9AFB0); }
    """,
    js=(Path(__file__).parent / "write_copy.js").read_text(encoding="utf-8"),
)


def button(text: str, key: str) -> None:
    _button(key=key, data={"text": text}, width="content")
