"""Conversation: ZEGA asks, you answer the way you would write it, and training follows by itself."""

import streamlit as st

from zega_core.settings import get_settings
from zega_ui import conversation_view, coverage_view, own_pages_view
from zega_ui.boot import open_page
from zega_ui.components import page_header

writer = open_page()
settings = get_settings()
page_header(
    "Conversation", "ZEGA asks, and you answer the way you would write it. Your model learns from your own words."
)
TABS = {
    "Conversation": conversation_view.show,
    "Your own pages": own_pages_view.show,
    "Progress": coverage_view.show,
}
tabs = st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params")
for tab, draw in zip(tabs, TABS.values(), strict=True):
    if tab.open:
        with tab:
            draw(writer, settings)
