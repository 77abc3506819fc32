"""AppTest over app.py, with no worker process: the test itself is the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.support.teachers import ScriptedTeacher
from zega_core import auto_train, db
from zega_core.catalog import load_catalog
from zega_core.jobs import launcher
from zega_core.providers.base import ChatModel
from zega_core.settings import ROOT, Settings
from zega_core.store import sessions
from zega_core.tables import TrainingSession


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """Before its first run every AppTest reads what each installed package says of itself: more than half of the time
    that the pages take, and always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def app(config: Settings, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app as a first visitor meets it. Always begin here; reach pages with ``switch_page``."""
    monkeypatch.setattr(launcher, "ensure_worker", lambda settings: None)
    monkeypatch.setattr(launcher, "worker_is_alive", lambda settings, slot=0: True)
    config.prepare_home()
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()


@pytest.fixture
def work(config: Settings) -> Callable[..., TrainingSession]:
    """Do the writer's waiting run, as a worker would."""

    def once(teacher: ChatModel | None = None, writer: str = "default") -> TrainingSession:
        with db.session() as session:
            row = sessions.latest(session, writer)
        assert row is not None
        catalog = load_catalog()
        auto_train.run(
            row.session_id, row.attempt, settings=config, catalog=catalog, teacher=teacher or ScriptedTeacher()
        )
        with db.reading() as session:
            return sessions.get(session, writer, row.session_id)

    return once


def all_text(app: AppTest) -> str:
    """Everything a reader finds on the page."""
    kinds = (app.title, app.header, app.markdown, app.caption, app.text, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)
