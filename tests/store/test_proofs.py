"""Proofs as rows: each writer their own, every text and every choice stored once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from sqlmodel import select

from tests.support import tuned
from zega_core import db
from zega_core.errors import InvalidInput, NotFound
from zega_core.proof_tables import Proof, ProofText
from zega_core.settings import Settings
from zega_core.store import leases, proofs
from zega_core.store import versions as rows
from zega_core.tables import RunStatus

pytestmark = pytest.mark.usefixtures("database")


def create(
    config: Settings, number: int = 1, writer: str = "ana", status: str = RunStatus.queued, **more: Any
) -> Proof:
    values = {"against": None, "promote": False, "judge": "", "trigger": "writer"}
    with db.session(config) as session:
        row = proofs.create(session, writer, number, **values | more)
        row.status = status
        session.add(row)
    return row


def prompts(config: Settings, row: Proof, number: int = 3) -> None:
    asked = [ProofText(proof_id=0, place=at, prompt=f"Write {at}", source="shipped", seed=at) for at in range(number)]
    with db.session(config) as session:
        proofs.add_prompts(session, row, asked)


def write(config: Settings, row: Proof, place: int, text: str = "A text.") -> None:
    with db.session(config) as session:
        for side in ("before", "after"):
            proofs.complete(session, row, place, side, f"{side}: {text}", ended=True, score=7.0)


def texts(config: Settings, row: Proof) -> list[ProofText]:
    with db.reading(config) as session:
        return proofs.texts(session, row)


@pytest.fixture(autouse=True)
def two_writers(database: str, config: Settings) -> None:
    for writer in ("ana", "ben"):
        for _ in range(2):
            tuned.version(config, writer)


def test_another_writers_proof_is_not_found_exactly_like_none_at_all(config: Settings):
    row, said = create(config), []
    with db.reading(config) as session:
        for run_id in (row.run_id, "f" * 32, ""):
            with pytest.raises(NotFound) as caught:
                proofs.get(session, "ben", run_id)
            said.append(str(caught.value))
        assert proofs.of_writer(session, "ben") == []
        assert proofs.latest_of(session, "ben", 1) is None
    assert len(set(said)) == 1


def test_they_are_found_newest_first_by_version_and_by_pair(config: Settings):
    first, second = create(config), create(config, 2, against=1)
    third = create(config, 2, status=RunStatus.done)
    with db.reading(config) as session:
        assert [row.id for row in proofs.of_writer(session, "ana")] == [third.id, second.id, first.id]
        for number, against, row in ((1, None, first), (2, 1, second), (2, None, third)):
            assert (found := proofs.of_pair(session, "ana", number, against)) is not None
            assert found.id == row.id
        assert (latest := proofs.latest_of(session, "ana", 2)) is not None
        assert latest.id == third.id
        assert [row.id for row in proofs.under_way(session, "ana")] == [first.id, second.id]
        assert (newest := proofs.of_newest_version(session, "ana")) is not None
        assert newest.id == second.id
        assert proofs.unfinished(session) == [first.id, second.id]


def test_a_text_is_stored_once(config: Settings):
    row = create(config)
    prompts(config, row)
    flipped = [text.flipped for text in texts(config, row)]
    write(config, row, 1, "The first one.")
    prompts(config, row)
    write(config, row, 1, "Another one.")
    found = texts(config, row)
    assert [text.place for text in found] == [0, 1, 2]
    assert [text.flipped for text in found] == flipped
    assert (found[1].before, found[1].after, found[1].score_after) == (
        "before: The first one.",
        "after: The first one.",
        7.0,
    )
    assert (found[0].before, found[2].after) == (None, None)


def test_two_who_store_the_same_text_at_once_store_one(config: Settings):
    row = create(config)
    prompts(config, row)

    def store(number: int) -> bool:
        with db.session(config) as session:
            return proofs.complete(session, row, 0, "after", f"Text {number}.", ended=True, score=7.0)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(store, range(6))) == 1


def test_the_next_blind_pair_is_whole_and_not_chosen_on(config: Settings):
    row = create(config)
    prompts(config, row, 4)
    write(config, row, 1)
    write(config, row, 3)

    def following(*skip: int) -> int | None:
        with db.reading(config) as session:
            text = proofs.next_blind(session, row, skip)
        return None if text is None else text.place

    assert (following(), following(1), following(1, 3)) == (1, 3, None)
    with db.session(config) as session:
        proofs.choose(session, row, 1, "after")
    assert following() == 3
    with db.session(config) as session:
        proofs.choose(session, row, 3, "tie")
        assert (last := proofs.last_chosen(session, row)) is not None
        assert last.place == 3
        proofs.choose(session, row, 3, "")
        assert (last := proofs.last_chosen(session, row)) is not None
        assert last.place == 1
    assert following() == 3


@pytest.mark.parametrize(
    "place, choice, error", [(1, "first", InvalidInput), (0, "after", NotFound), (-1, "tie", NotFound)]
)
def test_what_cannot_be_chosen_is_refused(config: Settings, place: int, choice: str, error: type[Exception]):
    row = create(config)
    prompts(config, row)
    write(config, row, 1)
    with db.session(config) as session, pytest.raises(error):
        proofs.choose(session, row, place, choice)


def test_judges_stand_beside_each_other(config: Settings):
    row = create(config)
    prompts(config, row)
    with db.session(config) as session:
        proofs.add_judgement(session, row, 0, "groq/a", {"winner": "after"})
        proofs.add_judgement(session, row, 0, "ollama/b", {"winner": "tie"})
    assert texts(config, row)[0].judged == {"groq/a": {"winner": "after"}, "ollama/b": {"winner": "tie"}}


def test_asking_a_judge_queues_what_has_a_verdict_and_asks_again_for_what_could_not_be_used(config: Settings):
    row = create(config, status=RunStatus.done)
    with db.session(config) as session, pytest.raises(InvalidInput, match="not ended"):
        proofs.ask_judge(session, proofs.get(session, "ana", row.run_id), "groq/a")
    prompts(config, row)
    with db.session(config) as session:
        found = proofs.get(session, "ana", row.run_id)
        found.verdict, found.promote = "not_shown", True
        session.add(found)
        for place, winner in enumerate(("after", "")):
            proofs.add_judgement(session, row, place, "groq/a", {"winner": winner})
    with db.session(config) as session:
        again = proofs.ask_judge(session, proofs.get(session, "ana", row.run_id), "groq/a")
    assert again is not None
    assert (again.status, again.attempt, again.judge, again.promote) == (RunStatus.queued, 2, "groq/a", False)
    assert [text.judged for text in texts(config, row)] == [{"groq/a": {"winner": "after"}}, {}, {}]


@pytest.mark.parametrize("status", [RunStatus.queued, RunStatus.running, RunStatus.done])
def test_only_what_was_stopped_or_failed_is_continued(config: Settings, status: RunStatus):
    row = create(config, status=status)
    with db.session(config) as session:
        assert proofs.ask_to_continue(session, proofs.get(session, "ana", row.run_id)) is None
    stopped = create(config, status=RunStatus.stopped)
    with db.session(config) as session:
        again = proofs.ask_to_continue(session, proofs.get(session, "ana", stopped.run_id))
        assert again is not None
        assert leases.begin(session, Proof, again.id, 2) is not None


def test_deleting_a_version_deletes_its_proofs_and_texts_and_no_others(config: Settings):
    mine, other, theirs = create(config), create(config, 2, against=1), create(config, 1, "ben")
    for row in (mine, other, theirs):
        prompts(config, row)
    with db.session(config) as session:
        rows.remove(session, rows.get(session, "ana", 1))
    with db.reading(config) as session:
        assert {row.id for row in session.exec(select(Proof))} == {other.id, theirs.id}
        assert {text.proof_id for text in session.exec(select(ProofText))} == {other.id, theirs.id}


def test_deleting_a_version_waits_for_who_stores_its_prompts(config: Settings, database: str):
    """A worker is about to commit them; a proof that still has texts cannot be deleted."""
    row = create(config)
    with db.session(config) as session:
        leases.begin(session, Proof, row.id, 1)
        session.flush()
        proofs.add_prompts(session, row, [ProofText(proof_id=0, place=0, prompt="A lamp", source="shipped", seed=1)])

        def remove() -> None:
            with db.session(config) as other:
                rows.remove(other, rows.get(other, "ana", 1))

        with ThreadPoolExecutor(1) as pool:
            removing = pool.submit(remove)
            wait([removing], 1)
            session.commit()
            removing.result(30)
    with db.reading(config) as session:
        assert not session.exec(select(ProofText)).all()


@pytest.mark.parametrize("there", [[], "x", 7])
def test_what_cannot_be_read_of_a_judge_is_replaced(config: Settings, there: Any):
    row = create(config)
    prompts(config, row)
    with db.session(config) as session:
        text = proofs.texts(session, row)[0]
        text.judged = there
        session.add(text)
    with db.session(config) as session:
        proofs.add_judgement(session, row, 0, "groq/x", {"winner": "tie"})
    with db.reading(config) as session:
        assert proofs.texts(session, row)[0].judged == {"groq/x": {"winner": "tie"}}
