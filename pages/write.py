"""Write: your own model writes, and you have the last word; what you rate and change teaches it."""

import streamlit as st

from zega_core.settings import get_settings
from zega_ui import memory_view, stories_view, style_view, write_view
from zega_ui.boot import open_page
from zega_ui.components import page_header

writer = open_page()
settings = get_settings()
page_header("Write", "Your own model writes, and you have the last word. What you rate and change here teaches it.")
TABS = {
    "Write": write_view.show,
    "Your stories": stories_view.show,
    "Your style": style_view.show,
    "Memory": memory_view.show,
}
tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
for tab, draw in zip(tabs, TABS.values(), strict=True):
    if tab.open:
        with tab:
            draw(writer, settings)
