"""Taking the history along: what is looked at as a file, and one session as a page to share."""

from __future__ import annotations

from functools import partial

import streamlit as st

from zega_core import db, history_files, history_share
from zega_core.analytics import plural
from zega_core.store import history
from zega_core.store.history import Filter
from zega_core.tables import TrainingSession
from zega_ui.history_address import View

FORMS = {"csv": "CSV, for a spreadsheet", "json": "JSON", "parquet": "Parquet, for pandas and others"}
TEXTS_TOO = "share-texts"


def export(writer: str, view: View, total: int) -> None:
    """Files are made when they are asked for."""
    drawer = st.popover("Export", icon=":material/download:", on_change="rerun", key="history-export")
    if not drawer.open:
        return
    with drawer:
        st.caption(f"{plural(total, 'row')}, as filtered, newest first. No texts are in it.")
        for form, label in FORMS.items():
            st.download_button(
                label,
                partial(file, writer, view.found, form),
                file_name=f"zega-history.{form}",
                mime=history_files.MEDIA_TYPES[form],
                key=f"export-{form}",
                on_click="ignore",
                width="stretch",
            )


def file(writer: str, found: Filter, form: str) -> bytes:
    with db.reading() as session:
        return b"".join(history_files.FORMS[form](history.every(session, writer, found)))


def share(writer: str, row: TrainingSession) -> None:
    """One file that opens in any browser; texts are in it only where the writer ticks that."""
    drawer = st.popover("Share", icon=":material/share:", on_change="rerun", key="session-share")
    if not drawer.open:
        return
    with drawer:
        st.caption("One HTML file to send or to keep. It holds figures, and nothing is sent anywhere.")
        texts = st.checkbox("With the texts", key=TEXTS_TOO)
        if texts:
            st.caption("Everybody who has the file can read the pieces.")
        st.download_button(
            "Download the page",
            partial(page, writer, row.session_id, texts),
            file_name=f"zega-session-{row.session_id[:8]}.html",
            mime="text/html",
            key="share-download",
            icon=":material/download:",
            on_click="ignore",
        )


def page(writer: str, session_id: str, texts: bool) -> bytes:
    with db.reading() as session:
        return history_share.page(session, writer, session_id, with_texts=texts)
