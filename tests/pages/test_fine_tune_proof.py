"""Proofs on the Fine-Tune page: whether a version is better, read, chosen blind, judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import all_text
from tests.support import fine_tuned, proved
from tests.support.fine_tuned import keep, promote, run, version
from tests.support.proved import figures, judged, proof
from zega_core import db
from zega_core.configs import TeacherChoice, TeachingConfig
from zega_core.proof.figures import Change
from zega_core.proof_tables import Proof, ProofText
from zega_core.store import proofs, teaching
from zega_core.tables import RunStatus, now

HOSTILE = "<b>bold</b> :red[x] **stars** $5 [link](https://example.org) # \x00 " + "w" * 300


@pytest.fixture
def page(app: AppTest):
    """Draw the page as it stands now, with one of the tabs open."""

    def draw(tab: str = "") -> AppTest:
        if tab:
            app.switch_page("pages/history.py").run()  # the address is read when the tabs are drawn anew
            app.query_params["proof_tab"] = tab
        app.switch_page("pages/fine_tune.py").run()
        return whole(app)

    return draw


def whole(app: AppTest) -> AppTest:
    assert not app.exception
    assert "could not be drawn" not in all_text(app)
    assert "cannot be shown just now" not in all_text(app)
    return app


def rows() -> list[Proof]:
    with db.reading() as session:
        return proofs.of_writer(session, fine_tuned.WRITER)


def texts(row: Proof) -> list[ProofText]:
    with db.reading() as session:
        return proofs.texts(session, row)


def has(app: AppTest, key: str) -> bool:
    return any(button.key == key for button in app.button)


def badges(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown if element.value.startswith(":") and "-badge[" in element.value]


def table(app: AppTest, number: int = 0) -> dict[str, list[str]]:
    frame = app.table[number].value
    return {str(what): [str(value) for value in line] for what, line in zip(frame.index, frame.values, strict=True)}


def test_a_version_without_a_proof_can_be_proved(page: Any):
    keep(20)
    version(1)
    app = page()
    assert "Is it better?" not in [header.value for header in app.header]
    assert any("Not proved" in badge for badge in badges(app))
    app.button(key="prove-result-1").click().run()
    (row,) = rows()
    assert (row.version_number, row.against, row.promote, row.status) == (1, None, False, RunStatus.queued)
    assert "Waiting to be proved" in [bar.text for bar in app.get("progress")]  # type: ignore[attr-defined]
    assert not has(app, "prove-versions-1")


def test_a_second_press_in_another_tab_gets_the_same_proof(page: Any, app: AppTest):
    version(1)
    page()
    other = AppTest.from_file(app._script_path, default_timeout=30).run()
    other.switch_page("pages/fine_tune.py").run()
    app.button(key="prove-versions-1").click().run()
    other.button(key="prove-versions-1").click().run()
    assert len(rows()) == 1


def test_proving_says_how_far_it_is_and_can_be_stopped_and_continued(page: Any):
    keep(20)
    version(1)
    proof(1, status=RunStatus.running, phase="writing", done=12, total=72, seconds_left=40.0, texts=0)
    app = page()
    assert "Proving it: 12 of 72 texts written · 40 s left" in [
        bar.text.replace("\\", "")
        for bar in app.get("progress")  # type: ignore[attr-defined]
    ]
    assert "If it is better, it is put in use by itself." in all_text(app)
    (row,) = rows()
    app.button(key=f"proof-stop-{row.id}").click().run()
    assert rows()[0].status == RunStatus.stopping
    assert app.button(key=f"proof-stop-{row.id}").disabled
    with db.session() as session:
        found = proofs.get(session, fine_tuned.WRITER, row.run_id)
        found.status = RunStatus.stopped
        session.add(found)
    app = page()
    assert "There is no verdict. What was written is kept." in all_text(app)
    app.button(key=f"proof-continue-{row.id}").click().run()
    assert (rows()[0].status, rows()[0].attempt) == (RunStatus.queued, 2)


def test_a_silent_worker_is_said(page: Any):
    version(1)
    proof(1, status=RunStatus.running, phase="writing", heartbeat_at=now() - timedelta(minutes=5), texts=0)
    assert "The proof is held up" in all_text(page())


def test_one_that_failed_says_why(page: Any):
    version(1)
    proof(1, status=RunStatus.failed, error="The disk is full. Free some space, then press Continue.", texts=3)
    app = page()
    assert "The proof did not come to an end" in all_text(app)
    assert "The disk is full." in all_text(app)
    assert "1 of 3" in all_text(app)


def test_better_has_a_badge_a_reason_and_its_figures(page: Any):
    keep(20)
    version(1)
    promote(1)
    version(2, parent=1)
    promote(2)
    proof(2, against=1, figures=figures(judged=[judged()]).as_dict())
    app = page()
    text = all_text(app)
    assert any("Better" in badge and "trending_up" in badge for badge in badges(app))
    assert "v2 against v1, each on the same 36 prompts, 12 of them yours" in text.replace("\\", "")
    plainly = "Version 2 writes nearer to your style than version 1, and about as well."
    assert text.index(f"{plainly} So v2 was put in use by itself.") < text.index(proved.BETTER)
    found = table(app)
    assert found["Distance to your style"] == ["1\\.21", "0\\.94", "nearer to your style"]
    assert found["Chosen by Ollama · llama3\\.2\\:3b"][:2] == ["8", "18"]
    assert list(app.table[0].value.columns) == ["v1", "v2", "What it means"]
    assert "perplexity fell" not in text
    assert "99% of such proofs" in text


def test_worse_says_so_what_tripped_and_what_helps(page: Any):
    keep(20)
    version(1)
    promote(1)
    version(2, parent=1)
    proof(2, "worse", against=1, figures=figures(length=Change(150.0, 20.0, -140.0, -120.0)).as_dict())
    app = page()
    text = all_text(app)
    assert any("Worse" in badge for badge in badges(app))
    plainly = "Version 2 writes worse than version 1: its texts have become very short. So v1 goes on writing."
    assert text.index(plainly) < text.index("This training did not help. What helps most: more examples")
    assert "Its texts have become very short" in text
    assert has(app, "use-result")


def test_too_few_prompts_is_said(page: Any):
    version(1)
    few = "It was tried on 9 prompts; it takes 30 to show anything."
    missing = ["There are 312 words of your own; it takes 3,000."]
    found = figures(prompts=9, held_out_prompts=9, style=None, perplexity=None, missing=missing)
    proof(1, "not_shown", texts=9, figures=found.as_dict(), reasons=[few, *missing])
    app = page("Style")
    assert few in all_text(app)
    assert "Style was not compared. There are 312 words of your own" in all_text(app)


def test_figures_that_cannot_be_read_are_a_sentence(page: Any):
    version(1)
    proof(1, "worse", figures={"prompts": "many"})
    app = page("Style")
    assert "Its figures cannot be read." in all_text(app)
    assert any("Worse" in badge for badge in badges(app))


def test_pairs_are_read_one_after_the_other_with_whose_they_are(page: Any):
    version(1)
    proof(1)
    app = page()
    assert "Where its score rose most" in all_text(app)
    assert "**Base model** · 7.0 of 10" in all_text(app)
    assert "**v1** · 9.5 of 10" in all_text(app)
    assert any(text.value.startswith("After 35.") for text in app.text)
    assert app.button(key="pair-arrow_back").disabled
    app.button(key="pair-arrow_forward").click().run()
    assert "Where its score fell most" in all_text(app)
    assert any(text.value.startswith("After 0.") for text in app.text)
    app.button(key="pair-arrow_forward").click().run()
    assert "From the middle" in all_text(app)
    app.button(key="pair-arrow_back").click().run()
    assert "Where its score fell most" in all_text(app)


def test_style_is_a_radar_with_a_sentence_and_a_table(page: Any):
    version(1)
    proof(1)
    app = page("Style")
    assert "came nearer to you in" in all_text(app)
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]  # type: ignore[attr-defined]
    assert any("Sentence length: +0.2, +1.1, +1.4" in alt for alt in alts)
    assert any(list(one.value.columns) == ["You", "Base model", "v1"] for one in app.table)


def test_a_blind_choice_is_stored_counted_and_taken_back(page: Any):
    version(1)
    row = proof(1, texts=32)
    app = page("Choose blind")
    shown = [text.value for text in app.text if text.value.startswith(("Before", "After"))]
    assert [text.split(".")[0] for text in shown] == ["Before 0", "After 0"]
    assert "7.0 of 10" not in all_text(app)
    assert "10 to go" in all_text(app)
    app.button(key="blind-that").click().run()
    assert texts(row)[0].choice == "after"
    assert "You chose v1 1 of 1 times and the base model 0." in all_text(app).replace("\\", "")
    shown = [text.value for text in app.text if text.value.startswith(("Before", "After"))]
    assert [text.split(".")[0] for text in shown] == ["After 1", "Before 1"]  # drawn the other way round
    app.button(key="blind-that").click().run()
    app.button(key="blind-both").click().run()
    assert [text.choice for text in texts(row)[:4]] == ["after", "before", "tie", ""]
    assert "Last time: both alike" in all_text(app).replace("\\", "")
    app.button(key="blind-undo").click().run()
    assert [text.choice for text in texts(row)[:4]] == ["after", "before", "", ""]
    assert rows()[0].figures["blind"]["wins"] == 1  # type: ignore[index]
    assert "9 to go" not in all_text(app)
    assert "8 to go" in all_text(app)


def test_skipped_pairs_come_back_when_asked_for(page: Any):
    version(1)
    row = proof(1, texts=2)
    app = page("Choose blind")
    for _ in range(2):
        app.button(key="blind-skip").click().run()
    assert "You skipped the rest" in all_text(app)
    app.button(key="blind-unskip").click().run()
    assert has(app, "blind-this")
    assert [text.choice for text in texts(row)] == ["", ""]


def test_what_was_read_with_its_names_is_not_asked_blind(page: Any):
    version(1)
    proof(1, texts=1)
    page()
    app = page("Choose blind")
    assert not has(app, "blind-this")
    assert "Those that you have read with their names do not count." in all_text(app)


def test_without_a_teacher_no_judge_can_be_asked(page: Any):
    version(1)
    proof(1, figures=figures(judged=[judged()]).as_dict())
    app = page("Judge")
    assert "Ollama · llama3.2:3b chose v1 in 18 of 36 pairs" in all_text(app)
    assert "You have none that can do so yet." in all_text(app)
    assert not has(app, "judge-ask")


def test_a_judge_whose_service_cannot_be_asked_is_said_and_has_no_button(page: Any):
    with db.session() as session:
        teaching.save(session, fine_tuned.WRITER, TeachingConfig(judge="groq/llama-3.3-70b-versatile"))
    version(1)
    proof(1)
    app = page("Judge")
    assert "cannot be asked. No key." in all_text(app).replace("\\", "")
    assert not has(app, "judge-ask")


def test_another_judge_is_asked_by_the_worker_and_what_it_takes_is_said(page: Any):
    with db.session() as session:
        choice = TeacherChoice(provider="ollama", on=True, models=("llama3.2:3b",))  # type: ignore[arg-type]
        teaching.save(session, fine_tuned.WRITER, TeachingConfig(teachers=(choice,), judge="ollama/llama3.2:3b"))
    version(1)
    proof(1)
    app = page("Judge")
    assert "It reads 36 pairs twice, in both orders" in all_text(app)
    assert "which cost nothing" in all_text(app)
    assert "Nothing leaves this machine." in all_text(app)
    app.button(key="judge-ask").click().run()
    (row,) = rows()
    assert (row.status, row.judge, row.verdict) == (RunStatus.queued, "ollama/llama3.2:3b", "better")
    assert not has(app, "judge-ask")
    assert any("Better" in badge for badge in badges(app))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (RunStatus.failed, "The judge was not asked to the end"),
        (RunStatus.stopped, "You stopped before the judge had read every pair."),
    ],
)
def test_a_judge_that_was_not_asked_to_the_end_leaves_the_verdict_and_is_said(page: Any, status: str, said: str):
    version(1)
    row = proof(1, status=status, verdict="better", error="The disk is full.")
    with db.session() as session:
        found = proofs.get(session, fine_tuned.WRITER, row.run_id)
        found.verdict, found.figures, found.reasons = "better", figures().as_dict(), [proved.BETTER]
        session.add(found)
    app = page()
    assert said in all_text(app)
    assert ("The disk is full." in all_text(app)) == (status == RunStatus.failed)
    assert proved.BETTER in all_text(app)
    assert app.button(key=f"proof-continue-{row.id}").label == "Continue with the judge"


def test_each_version_shows_its_verdict_and_any_proof_can_be_read(page: Any):
    for number, verdict in ((1, "worse"), (2, "not_shown"), (3, "better")):
        version(number)
        proof(number, verdict)
    app = page()
    assert sum("Worse" in badge for badge in badges(app)) == 1
    assert sum("Not shown to be better" in badge for badge in badges(app)) == 1
    assert has(app, "prove-versions-2")
    assert app.selectbox(key="proof-of").value == 3
    app.selectbox(key="proof-of").set_value(1).run()
    assert proved.WORSE in all_text(app)


def test_an_older_version_is_proved_again_beside_the_last_one(page: Any):
    for number in (1, 2):
        version(number)
        proof(number)
    app = page()
    app.button(key="prove-versions-1").click().run()
    assert next((row.version_number, row.status) for row in rows()) == (1, RunStatus.queued)
    assert "**Proof of v1**" in all_text(app)
    assert app.selectbox(key="proof-of").value == 1


def test_a_proof_goes_on_beside_a_fine_tune(page: Any):
    version(1)
    proof(1)
    run(RunStatus.running, step=5)
    app = page()
    assert "Learning" in [header.value for header in app.header]
    assert proved.BETTER in all_text(app)


def test_the_proof_of_a_deleted_version_is_not_shown(page: Any):
    version(2)
    proof(1, "worse")
    assert not any("Worse" in badge for badge in badges(page()))


def test_another_writers_proof_is_not_shown(page: Any):
    version(1)
    version(1, writer="ben")
    proof(1, writer="ben")
    app = page()
    assert any("Not proved" in badge for badge in badges(app))
    assert "Is it better?" not in [header.value for header in app.header]


@pytest.mark.parametrize("tab", ["Before and after", "Style", "Choose blind", "Judge"])
def test_hostile_texts_are_shown_as_they_are(page: Any, tab: str):
    version(1, name=HOSTILE[:60])
    text = HOSTILE.replace("\x00", "")
    values = {"before": text, "after": text, "prompt": text, "genre": "<i>"}
    hostile = figures(missing=[text], judged=[judged(judge=text[:90])])
    proof(1, figures=hostile.as_dict(), reasons=[text], notes=[text], text_values=values)
    app = page(tab)
    for element in [*app.markdown, *app.caption]:
        assert "<b>bold" not in element.value
        assert " :red[x]" not in element.value
        assert "[link](" not in element.value


@pytest.mark.parametrize("wrong", [[], "text", 7, {"quality": []}])
def test_wrong_json_in_rows_breaks_nothing(page: Any, wrong: Any):
    version(1)
    proof(1, "of tomorrow", figures=wrong, reasons=wrong, notes=wrong, losses=wrong, phase="?", texts=2)
    app = page()
    assert any("No verdict" in badge for badge in badges(app))
