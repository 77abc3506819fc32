"""What Conversation says of the training that its answers began: how far it is, and what came of it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.test_conversation import all_text, opened
from tests.support import fine_tuned, proved
from zega_core import conversation, db
from zega_core.settings import Settings
from zega_core.store import fine_tunes
from zega_core.tables import RunStatus


@pytest.fixture
def talking(app: AppTest, config: Settings) -> AppTest:
    """A writer who has begun a conversation; the page is not open yet."""
    with db.session() as session:
        conversation.start(session, "default", config)
    return app


def bars(app: AppTest) -> list[str]:
    return [str(getattr(one, "text", "")) for one in app.get("progress")]


def test_how_far_it_is_to_the_next_training(talking: AppTest):
    opened(talking)
    assert bars(talking) == ["0 of 20 answers until the next training\\."]


def test_a_training_that_runs_is_shown_with_its_step(talking: AppTest):
    fine_tuned.run(RunStatus.running, step=34)
    said = all_text(opened(talking))
    assert "Your model learns from your answers." in said
    assert any("Step 34 of 60" in text for text in bars(talking))
    assert "tokens" not in said + " ".join(bars(talking))
    assert "You can go on answering, or close this page." in said


def test_a_proof_under_way_is_shown(talking: AppTest):
    fine_tuned.version(1)
    proved.proof(1, status=RunStatus.running, texts=0, phase="writing", done=9, total=72)
    said = all_text(opened(talking))
    assert "Version 1 is trained." in said
    assert any("9 of 72 texts written" in text for text in bars(talking))


@pytest.mark.parametrize(
    ("verdict", "in_use", "then"),
    [
        ("better", 1, "Try it in Fine-Tune, and go on answering"),
        ("not_shown", None, "more of your own words help most"),
        ("worse", None, "more of your own words help most"),
    ],
)
def test_the_verdict_is_told_with_its_reason_and_what_to_do_next(
    talking: AppTest, verdict: str, in_use: int | None, then: str
):
    fine_tuned.version(1)
    row = proved.proof(1, verdict, texts=0)
    fine_tuned.promote(in_use)
    said = all_text(opened(talking))
    assert "Version 1 of your model is finished." in said
    assert row.reasons[0] in said
    assert then in said


def test_a_training_that_failed_says_why_and_that_the_answers_are_safe(talking: AppTest):
    fine_tuned.run(RunStatus.failed, step=5, error="The disk is full. Free some space, then press Continue.")
    said = all_text(opened(talking))
    assert "The disk is full." in said
    assert "Your answers are safe." in said


def test_where_training_by_itself_is_off_nothing_is_promised(talking: AppTest):
    with db.session() as session:
        config = fine_tunes.load_config(session, "default")
        fine_tunes.save_config(session, "default", config.model_copy(update={"automatic": False}))
    assert "Training by itself is off." in all_text(opened(talking))
