"""Take it with you, on the Fine-Tune page: every format, what it is for, what came of it, what to type next."""

from __future__ import annotations

import shutil
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support import fine_tuned, proved
from tests.support.fine_tuned import keep, promote, version
from tests.support.proved import export
from zega_core import db, exporting
from zega_core.exports.formats import FORMATS
from zega_core.proof_tables import Export
from zega_core.settings import Settings
from zega_core.store import exports
from zega_core.tables import RunStatus, now

HOSTILE = "<b>bold</b> :red[x] **stars** $5 [link](https://example.org) # " + "w" * 300
HEADING = "Take it with you"


@pytest.fixture
def page(app: AppTest):
    """Draw the page as it stands now."""

    def draw() -> AppTest:
        app.switch_page("pages/fine_tune.py").run()
        assert not app.exception
        assert "could not be drawn" not in all_text(app)
        assert "cannot be shown just now" not in all_text(app)
        return app

    return draw


def rows() -> list[Export]:
    with db.reading() as session:
        return exports.of_writer(session, fine_tuned.WRITER)


def has(app: AppTest, key: str) -> bool:
    return any(button.key == key for button in app.button)


def headings(app: AppTest) -> list[str]:
    return [header.value for header in app.header]


def codes(app: AppTest) -> list[str]:
    return [code.value for code in app.code]


def open_tab(app: AppTest) -> str:
    """Of the last group of tabs, the one that is open at first."""
    group = app.get("tab_container")[-1]
    return group.tabs[group.proto.tab_container.default_tab_index].label  # type: ignore[attr-defined]


def test_with_nothing_there_is_nothing_to_take(page: Any):
    assert HEADING not in headings(page())


def test_without_a_version_examples_can_be_taken_and_a_model_cannot_yet(page: Any):
    keep(8)
    app = page()
    assert HEADING in headings(app)
    assert "Your first fine-tune makes a model" in all_text(app)
    assert not has(app, "export-gguf")
    assert open_tab(app) == "Training data"
    app.button(key="export-jsonl").click().run()
    assert [(row.format, row.version_number, row.status) for row in rows()] == [("jsonl", None, RunStatus.queued)]
    assert "Waiting for the worker" in all_text(app)
    assert app.button(key="export-jsonl").disabled


def test_every_format_says_what_it_is_for(page: Any):
    keep(8)
    version(1)
    app = page()
    text = all_text(app).replace("\\", "")
    for one in FORMATS.values():
        assert one.what in text
        assert has(app, f"export-{one.key}")


@pytest.mark.parametrize("key", ["peft", "merged", "gguf", "ollama"])
def test_a_model_is_made_of_the_version_that_is_chosen(page: Any, key: str):
    for number in (1, 2, 3):
        version(number)
    promote(2)
    app = page()
    assert app.selectbox(key="export-version").value == 2
    app.button(key=f"export-{key}").click().run()
    app.selectbox(key="export-version").set_value(1).run()
    app.button(key=f"export-{key}").click().run()
    assert sorted((row.format, row.version_number) for row in rows()) == [(key, 1), (key, 2)]


def test_training_data_is_of_what_is_kept_now_or_of_a_version(page: Any):
    keep(8)
    version(1)
    app = page()
    app.button(key="export-chat").click().run()
    app.selectbox(key="export-examples").set_value(1).run()
    app.button(key="export-chat").click().run()
    assert [row.version_number for row in rows()] == [1, None]


def test_two_presses_make_one(page: Any, app: AppTest):
    keep(8)
    page()
    other = AppTest.from_file(app._script_path, default_timeout=30).run()
    other.switch_page("pages/fine_tune.py").run()
    app.button(key="export-jsonl").click().run()
    other.button(key="export-jsonl").click().run()
    assert len(rows()) == 1


def test_one_that_is_made_says_what_it_is_at_and_can_be_stopped(page: Any):
    version(1)
    row = export("merged", 1, status=RunStatus.running, phase="merging")
    app = page()
    assert "Joining the base model and what it learned" in all_text(app)
    app.button(key=f"export-stop_circle-{row.id}").click().run()
    assert rows()[0].status == RunStatus.stopping
    assert app.button(key=f"export-stop_circle-{row.id}").disabled


def test_a_silent_worker_is_said(page: Any):
    version(1)
    export("merged", 1, status=RunStatus.running, phase="merging", heartbeat_at=now() - timedelta(minutes=5))
    assert "Nothing has come from the worker" in all_text(page())


def test_what_was_made_says_where_it_is_how_large_and_what_to_type(page: Any, config: Settings):
    version(1)
    row = export("gguf", 1, notes=["Open it in LM Studio."])
    app = page()
    folder = exporting.folder_of(config, row)
    text = all_text(app).replace("\\", "")
    assert "29.4 MB · 3 files · made" in text
    assert f"In {folder}" in text
    assert "Open it in LM Studio." in text
    (typed,) = codes(app)
    assert typed.splitlines()[0] == f"cd {folder}"
    assert "ollama create zega-default -f Modelfile" in typed
    assert [one.proto.label for one in app.get("download_button")] == ["Download (29.4 MB)"]  # type: ignore[attr-defined]
    with zipfile.ZipFile(exporting.archive(row, config)) as packed:
        assert len(packed.namelist()) == 3


def test_a_model_for_python_shows_the_program_of_its_card(page: Any, config: Settings):
    version(1)
    row = export("peft", 1)
    (typed,) = codes(page())
    assert f"folder = Path({str(exporting.folder_of(config, row))!r})" in typed


def test_ollamas_checks_are_green_or_red_with_their_reason(page: Any):
    version(1)
    export("ollama", 1, report=proved.report(ok=False), notes=["Your model is in Ollama as zega-default."])
    app = page()
    assert "Checked in Ollama: 1 of 2 checks did not pass" in [one.label for one in app.expander]
    text = all_text(app).replace("\\", "")
    assert ":red[:material/cancel:] Not passed. Ollama does not list zega-default." in text
    assert ":green[:material/check_circle:] Passed. It answered all 5 prompts." in text
    assert [typed.split()[:3] for typed in codes(app)] == [["ollama", "run", "zega-default"]]


def test_without_ollama_the_commands_are_there(page: Any):
    version(1)
    export("ollama", 1)
    (typed,) = codes(page())
    assert "ollama create zega-default" in typed


def test_one_that_failed_says_why_and_can_be_made_again_or_cleared_away(page: Any):
    version(1)
    row = export("gguf", 1, status=RunStatus.failed, error="This export needs about 40 MB. Free some space.")
    app = page()
    assert "It could not be made" in all_text(app)
    assert "This export needs about 40 MB." in all_text(app)
    app.button(key=f"export-delete-{row.id}").click().run()
    assert not rows()
    assert "It could not be made" not in all_text(app)
    app.button(key="export-gguf").click().run()
    assert [row.status for row in rows()] == [RunStatus.queued]


@pytest.mark.parametrize(("status", "open_"), [("done", False), ("running", True), ("failed", True)])
def test_other_ways_are_folded_away_until_they_have_something_to_say(page: Any, status: str, open_: bool):
    version(1)
    export("gguf", 1, status=status, error="The disk is full." if status == "failed" else None)
    app = page()
    other = {one.label: one for one in app.expander if one.label.startswith("Other ways: ")}
    assert list(other) == [
        "Other ways: Whole model as GGUF, Adapter for Python, Whole model for Python",
        "Other ways: Chat messages, Alpaca, ShareGPT",
    ]
    assert [one.proto.expanded for one in other.values()] == [open_, False]
    folded = {button.key for one in other.values() for button in one.button}
    assert {"export-gguf", "export-peft", "export-merged", "export-chat"} <= folded
    assert not {"export-ollama", "export-jsonl"} & folded
    assert has(app, "export-ollama")


def test_an_export_is_deleted_with_its_files(page: Any, config: Settings):
    version(1)
    row = export("gguf", 1)
    app = page()
    app.button(key=f"export-delete-{row.id}").click().run()
    assert not rows()
    assert not exporting.folder_of(config, row).exists()


def test_files_that_are_gone_are_a_sentence(page: Any, config: Settings):
    version(1)
    row = export("gguf", 1)
    shutil.rmtree(exporting.folder_of(config, row))
    app = page()
    assert "Files of this export are missing" in all_text(app)
    assert not app.get("download_button")
    assert has(app, f"export-delete-{row.id}")


def test_what_is_too_large_for_a_browser_is_taken_from_its_folder(page: Any):
    version(1)
    export("merged", 1, size_bytes=5_000_000_000)
    app = page()
    assert "5.0 GB" in all_text(app).replace("\\", "")
    assert not app.get("download_button")


def test_earlier_ones_are_kept_apart_a_page_at_a_time(page: Any):
    version(2)
    for _ in range(7):
        export("gguf", 2)
    export("gguf", 1)
    app = page()
    assert "Earlier exports (7)" in [one.label for one in app.expander]
    assert "v1 itself has been deleted since." in all_text(app)
    assert len(app.get("download_button")) == 1 + 5
    app.get("pagination")[0].set_value(2).run()
    assert len(app.get("download_button")) == 1 + 2


def test_another_writers_exports_are_not_shown(page: Any):
    keep(8)
    export("jsonl", writer="ben")
    assert not codes(page())


def test_hostile_rows_are_shown_as_they_are(page: Any):
    version(1)
    checks = [{"name": HOSTILE, "ok": "yes", "said": HOSTILE}, "?"]
    export("ollama", 1, notes=[HOSTILE, 7], report={"checks": checks})
    export("gguf", 1, folder="../../etc")
    export("merged", 1, notes="?", report=[], files=["x"])
    export("of tomorrow", 9)
    app = page()
    for element in [*app.markdown, *app.caption]:
        assert "<b>bold" not in element.value
        assert " :red[x]" not in element.value
        assert "[link](" not in element.value
    assert "no name that ZEGA gives" in all_text(app)
    assert "of tomorrow" in all_text(app)
