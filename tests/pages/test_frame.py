"""What is around every page: writers, errors, and what must not be loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from zega_core import db
from zega_core.configs import AutoTrainConfig
from zega_core.settings import ROOT, Settings
from zega_core.store import sessions
from zega_core.tables import Example, RunStatus

PAGES = sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_draws_with_one_title(app: AppTest, page: str):
    app.switch_page(page).run()
    assert not app.exception
    assert len(app.title) == 1


def test_a_writer_can_be_added_and_is_there_at_the_next_visit(app: AppTest):
    app.text_input(key="new_writer").set_value("ana").run()
    app.button(key="add_writer").click().run()
    assert app.selectbox(key="writer_id").value == "ana"
    later = AppTest.from_file(app._script_path, default_timeout=30).run()
    assert later.selectbox(key="writer_id").value == "ana"
    assert later.selectbox(key="writer_id").options == ["ana", "default"]


@pytest.mark.parametrize("name", ["../x", "Ana Maria", "", "default", "ñ"])
def test_a_name_that_cannot_be_is_refused_in_words(app: AppTest, name: str):
    app.text_input(key="new_writer").set_value(name).run()
    app.button(key="add_writer").click().run()
    assert not app.exception
    assert "small letters" in all_text(app) or "already a writer" in all_text(app)
    assert app.selectbox(key="writer_id").options == ["default"]


def test_a_damaged_database_gets_a_sentence_on_every_page(app: AppTest, home: Path):
    db.forget()
    for path in home.glob("zega.db*"):
        path.write_bytes(b"no database" * 500)
    for page in PAGES:
        app.switch_page(page).run()
        assert not app.exception
        assert "damaged" in all_text(app)
        assert "Traceback" not in all_text(app)


def test_a_home_that_cannot_be_written_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from zega_core.settings import get_settings

    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ZEGA_HOME", str(tmp_path / "file" / "home"))
    get_settings.cache_clear()
    st.cache_resource.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert not app.exception
    assert "choose another folder with ZEGA_HOME" in all_text(app)


def test_no_page_loads_torch(home: Path):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "from zega_core.jobs import launcher; launcher.ensure_worker = lambda settings: None\n"
        "at = AppTest.from_file('app.py', default_timeout=60).run()\n"
        f"for page in {PAGES!r}:\n    at.switch_page(page).run(); assert not at.exception\n"
        "print(sorted({'torch', 'transformers', 'peft', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_server_accepts_every_option_of_the_configuration():
    from streamlit import config

    config.get_config_options(force_reparse=True)
    assert config.get_option("runner.postScriptGC") is False
    assert config.get_option("browser.gatherUsageStats") is False


@pytest.mark.parametrize("page", PAGES)
def test_rows_of_another_catalog_are_drawn_as_they_are(app: AppTest, page: str, config: Settings):
    with db.session() as session:
        ask = AutoTrainConfig(num_examples=1)
        row = sessions.create(session, ask, teacher="a teacher that is gone", order_seed=1)
        row.status, row.recorded, row.genres_selected = RunStatus.done, True, ["western"]
        row.genre_distribution_json = {"western": 1}
        session.add(row)
        session.add(
            Example(
                user_id="default",
                session_id=row.id,
                idx=0,
                genre="western",
                element="limerick",
                modifier="loud",
                prompt="p",
                completion="A piece.",
                status="kept",
                quality=7.5,
                quality_report={"criteria": [{"label": "Wit", "score": 7.0, "reasons": ["It made one laugh."]}]},
                model="a teacher that is gone",
                text_hash="x",
            )
        )
    app.query_params["session"] = row.session_id
    app.switch_page(page).run()
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    assert "cannot be shown" not in all_text(app)
