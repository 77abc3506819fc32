"""What a page is told of a fine-tune before there is one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.support import tuned
from tests.support.scored import add
from tests.support.teachers import story
from zega_core import db, learning, versions
from zega_core.configs import FineTuneConfig
from zega_core.fine_tune import base as bases
from zega_core.fine_tune.plan import write_run
from zega_core.learning import Outlook, look, prepared
from zega_core.settings import Settings
from zega_core.store import learned, writers
from zega_core.tables import Example, ExampleStatus, RunStatus, Source, now
from zega_core.tables import Taste as TasteRow
from zega_core.version_tables import FineTune

pytestmark = pytest.mark.usefixtures("database")


def keep(number: int, *, writer: str = "ana", **more: Any) -> int:
    values: dict[str, Any] = {"prompt": f"The {number}th keeper mends a lantern", "score": 8.2, "writer": writer}
    return add(story(number), **values | more)


def outlook(config: Settings, writer: str = "ana", **choices: Any) -> Outlook:
    with db.reading(config) as session:
        return look(session, writer, config, FineTuneConfig(**choices))


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for the next look."""
    monkeypatch.setattr(learning, "LOOK_SHARE", 1e9)


def test_a_writer_is_told_what_is_missing_and_then_what_it_takes(config: Settings):
    assert "Keep 15 more" in outlook(config).missing
    for number in range(14):
        keep(number)
    assert "Keep 1 more" in outlook(config).missing
    keep(14, source=Source.manuscript)
    ready = outlook(config)
    assert ready.ready
    assert ready.summary.sources == {"auto": 14, "manuscript": 1}
    assert ready.plan is not None
    assert ready.plan.base_name == ""
    assert ready.forecast is not None
    assert ready.forecast.seconds > 0
    assert ready.warnings == ready.summary.warnings


def test_only_ones_own_kept_pieces_count(config: Settings):
    for number in range(20):
        keep(number)
    keep(30, writer="ben")
    add(story(40), kept=False)
    assert outlook(config).summary.examples == 20
    assert outlook(config, "ben").summary.examples == 1
    with db.reading(config) as session:
        found = prepared(session, "ana", config)
    assert len(found.rows) == 20
    assert [row.example_id for row in found.rows] == sorted(row.example_id for row in found.rows)


def test_what_was_trained_on_is_not_held_out(config: Settings):
    for number in range(40):
        keep(number)
    with db.reading(config) as session:
        held = [row.prompt for row in prepared(session, "ana", config).rows if row.split != "train"]
        again = prepared(session, "ana", config, trained=held).rows
    assert held
    assert {row.split for row in again if row.prompt in held} == {"train"}


def put_in_use(config: Settings, task: learning.Task) -> None:
    """The version that a task comes to, as far as the next task looks at it."""
    row = tuned.version(config, "ana", promote=True, base_hash=bases.weights_hash(bases.BUILT_IN))
    write_run(versions.folder_of(config, "ana", row.number), task.plan, task.rows)


def test_over_several_versions_nothing_that_was_learned_becomes_new_or_is_held_out(config: Settings):
    """v2 goes on from v1 with a part of what v1 learned; v3 has to know the rest, too, also what was discarded."""
    for number in range(80):
        keep(number)
    tasks = [learning.task("ana", config, FineTuneConfig())]
    learned_first = {row.prompt for row in tasks[0].rows if row.split == "train"}
    with db.session(config) as session:
        for row in [row for row in tasks[0].rows if row.split == "train"][:20]:
            session.get_one(Example, row.example_id).status = ExampleStatus.set_aside
    for round in (1, 2):
        put_in_use(config, tasks[-1])
        for number in range(100 * round, 100 * round + 10):
            keep(number)
        tasks.append(learning.task("ana", config, FineTuneConfig()))
    put_in_use(config, tasks[-1])
    assert [task.plan.parent for task in tasks] == [None, 1, 2]
    for before, task in pairwise(tasks):
        known = {row.example_id for row in before.rows if row.split == "train"}
        again = [row for row in task.rows if row.example_id in known and row.weight]
        new = [row for row in task.rows if row.split == "train" and row.example_id not in known]
        assert len(new) <= 10 < 20 == len(again) < len(known)
        assert all(row.completion for row in task.rows if row.weight)
        assert not any(row.completion for row in task.rows if not row.weight)
    # What the first version learned and was discarded comes again in other words.
    for number, prompt in enumerate(sorted(learned_first)):
        keep(500 + number, prompt=prompt)
    last = learning.task("ana", config, FineTuneConfig())
    held = {row.prompt for row in last.rows if row.split != "train"}
    assert held
    assert not held & learned_first


def test_a_look_lasts_while_nothing_changes(config: Settings, monkeypatch: pytest.MonkeyPatch):
    for number in range(20):
        keep(number)
    read: list[str] = []
    real = learned.kept
    monkeypatch.setattr(learned, "kept", lambda session, writer: read.append(writer) or real(session, writer))
    first = outlook(config)
    assert outlook(config, epochs=2).summary is first.summary  # other choices need no other look
    assert read == ["ana"]
    keep(50)
    assert outlook(config).summary.examples == 21
    with db.session(config) as session:
        session.merge(TasteRow(user_id="ana", rescored_at=now()))
    outlook(config)
    assert read == ["ana"] * 3


def test_a_run_that_keeps_all_the_time_is_not_followed_piece_by_piece(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    keep(1)
    outlook(config)
    monkeypatch.setattr(learning, "LOOK_SHARE", 1e-9)
    keep(2)
    assert outlook(config).summary.examples == 1
    monkeypatch.setattr(learning, "LOOK_SHARE", 1e9)
    assert outlook(config).summary.examples == 2


def test_a_base_that_is_not_there_is_said_and_the_rest_stands(config: Settings, tmp_path: Path):
    for number in range(20):
        keep(number)
    for base in ("nobody/nothing-1B", str(tmp_path), "/nowhere/at/all"):
        found = outlook(config, base=base)
        assert found.trouble
        assert not found.ready
        assert found.plan is None
        assert found.forecast is None
        assert found.summary.examples == 20


def test_the_pace_is_that_of_ones_own_finished_fine_tunes_with_the_base(config: Settings):
    def fine_tune(name: str, rate: float | None, base: str = "", status: str = RunStatus.done, writer: str = "ana"):
        with db.session(config) as session:
            writers.ensure(session, writer)
            chosen = FineTuneConfig(base=base).model_dump()
            session.add(
                FineTune(
                    user_id=writer, run_id=name, trigger="writer", config=chosen, tokens_per_second=rate, status=status
                )
            )

    def pace(base: str = "") -> float | None:
        with db.reading(config) as session:
            return learned.pace(session, "ana", base)

    assert pace() is None
    fine_tune("a", 900.0, writer="ben")
    fine_tune("b", 50.0, base="a/b")
    fine_tune("c", 7.0, status=RunStatus.failed)
    fine_tune("d", None)
    fine_tune("e", 0.0)
    assert pace() is None
    for number, rate in enumerate((10.0, 1000.0, 1200.0, 1300.0, 1400.0, 1500.0)):
        fine_tune(f"f{number}", rate)
    assert pace() == 1300.0
    assert pace("a/b") == 50.0
    keep(1)
    found = outlook(config)
    assert found.forecast is not None
    assert found.forecast.tokens_per_second == 1300.0


def test_rows_of_a_strange_hand_are_counted_and_do_no_harm(config: Settings):
    if config.uses_postgresql:
        pytest.skip("PostgreSQL holds to the types of its columns")
    for number in range(16):
        keep(number)
    with db.session(config) as session:
        session.connection().execute(text("UPDATE example SET completion = x'00ff' WHERE id = 1"))
        session.connection().execute(text("UPDATE example SET quality = 'good', genre = x'01' WHERE id = 2"))
        session.connection().execute(text("UPDATE example SET source = 'rumour', origin = 12 WHERE id = 3"))
        session.connection().execute(text("UPDATE example SET modifier = 9 WHERE id = 4"))
    summary = outlook(config).summary
    assert summary.examples == 14
    assert summary.left_out == {"cannot be read": 2}


def test_all_are_read_oldest_first(config: Settings):
    with db.session(config) as session:
        writers.ensure(session, "ana")
        session.add_all(
            Example(
                user_id="ana",
                genre="horror",
                element="scene",
                prompt=f"Prompt {number % 90}",
                completion=f"It rained {number} times.",
                status=ExampleStatus.kept,
                text_hash=str(number),
            )
            for number in range(1_000)
        )
    with db.reading(config) as session:
        rows = learned.kept(session, "ana")
    assert len(rows) == 1_000
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert outlook(config).summary.prompts == 90
