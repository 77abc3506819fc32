"""The frame around every page: style, worker, writer, navigation, and one place for errors.

``streamlit run app.py`` starts a worker if none is there; ``make run`` (``zega up``) also restarts it.
"""

import logging
import subprocess

import streamlit as st

from zega_core import db
from zega_core.errors import ZegaError
from zega_core.jobs import launcher
from zega_core.settings import ROOT, get_settings
from zega_core.store import writers
from zega_ui import bell, sign_in_view
from zega_ui.boot import WRITER, current_writer, is_open, people_sign_in
from zega_ui.components import error_state

log = logging.getLogger("zega")


def worker_answers(worker: subprocess.Popen[bytes] | None) -> bool:
    return worker.poll() is None if worker is not None else launcher.worker_is_alive(get_settings())


@st.cache_resource(show_spinner=False, validate=worker_answers)
def worker_process() -> subprocess.Popen[bytes] | None:
    return launcher.ensure_worker(get_settings())


def choose_writer() -> None:
    with db.session() as session:
        writers.touch(session, st.session_state[WRITER])


def add_writer() -> None:
    try:
        with db.session() as session:
            st.session_state[WRITER] = writers.add(session, st.session_state["new_writer"].strip()).id
        choose_writer()
        st.session_state["new_writer"] = ""
        st.session_state.pop("new_writer_error", None)
    except ZegaError as error:
        st.session_state["new_writer_error"] = str(error)


def writer_menu() -> None:
    current_writer()
    with db.reading() as session:
        names = writers.ids(session)
    st.selectbox("Writer", sorted(names), key=WRITER, on_change=choose_writer, persist_state="session")
    with st.popover("Add a writer", icon=":material/person_add:", width="stretch"):
        st.text_input("Name", key="new_writer", max_chars=64, placeholder="ana", help="Small letters and digits")
        st.button("Add", on_click=add_writer, key="add_writer")
        if "new_writer_error" in st.session_state:
            st.text(st.session_state["new_writer_error"])


st.set_page_config(page_icon=ROOT / "static" / "favicon.svg", layout="wide", initial_sidebar_state="auto")
st.html(ROOT / "static" / "zega.css")
st.logo(ROOT / "static" / "logo.svg", size="large")

opened = is_open()
page = st.navigation(
    {
        "Teach": [
            st.Page("pages/auto_train.py", title="Auto-Train", icon=":material/auto_stories:", default=True),
            st.Page("pages/conversational_trainer.py", title="Conversation", icon=":material/forum:"),
        ],
        "Model": [
            st.Page("pages/fine_tune.py", title="Fine-Tune", icon=":material/tune:"),
            st.Page("pages/write.py", title="Write", icon=":material/edit_note:"),
        ],
        "Review": [
            st.Page("pages/history.py", title="History", icon=":material/history:"),
            st.Page("pages/examples.py", title="Examples", icon=":material/library_books:"),
            st.Page("pages/quality.py", title="Quality", icon=":material/star:"),
        ],
        "Setup": [
            st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
            st.Page("pages/privacy.py", title="Privacy", icon=":material/shield:"),
        ],
    },
    position="sidebar" if opened else "hidden",
)
try:
    worker_process()
    if opened:
        with st.sidebar:
            sign_in_view.menu() if people_sign_in() else writer_menu()
            bell.show(current_writer())
        page.run()
    else:
        sign_in_view.page()
except ZegaError as error:
    log.warning("%s", error)
    error_state("ZEGA cannot go on here", str(error), "Reload the page when that is done.")
except Exception as error:  # st.stop, st.rerun and st.switch_page are not Exceptions and pass
    log.exception("page %s failed", page.url_path or "auto_train")
    error_state(
        "This page could not be drawn",
        "Nothing you wrote is lost: runs and answers are saved as they happen.",
        f"Reload the page. If it happens again, logs/app.log has the details ({type(error).__name__}).",
    )
