"""What repeats in kept pieces reaches the next requests, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.support.teachers import ScriptedTeacher, catalog, story
from zega_core import auto_train, db
from zega_core.auto_train import order_seed
from zega_core.avoidance import avoid_list
from zega_core.catalog import Avoid
from zega_core.configs import AutoTrainConfig, TasteConfig
from zega_core.dataset import text_hash
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.settings import Settings
from zega_core.store import kept, sessions, tastes
from zega_core.tables import Example, ExampleStatus, Source

CATALOG = catalog()
SENTENCE = "Do not call anybody Elara"
pytestmark = pytest.mark.usefixtures("database")


class Listening(ScriptedTeacher):
    """Keeps what it was asked, and writes of Elara."""

    def __init__(self) -> None:
        super().__init__(lambda number, options: about_elara(options.seed), in_flight=1)
        self.asked: list[str] = []

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        self.asked.append(messages[-1].content)
        return super().complete(messages, options)


def about_elara(seed: int) -> str:
    return f"{story(seed)} So {seed} Elara said it, and then {seed + 1} Elara looked at it."


def keep(number: int, *, writer: str = "default", source: Source = Source.auto, first: int = 0) -> list[int]:
    ids: list[int] = []
    for seed in range(first, first + number):
        text = about_elara(seed)
        with db.session() as session:
            tastes.save(session, writer, tastes.load(session, writer))
            example = Example(
                user_id=writer,
                genre="fantasy",
                element="scene",
                prompt="A keeper",
                completion=text,
                status=ExampleStatus.kept,
                source=source,
                text_hash=text_hash(text),
            )
            session.add(example)
            session.flush()
            ids.append(example.id or 0)
    return ids


def run(teacher: Listening, settings: Settings, number: int = 2) -> None:
    config = AutoTrainConfig(num_examples=number)
    with db.session() as session:
        row = sessions.create(session, config, teacher="scripted", order_seed=order_seed("default"))
    generous = settings.model_copy(update={"keep_score": 0.0})
    auto_train.run(row.session_id, 1, settings=generous, catalog=CATALOG, teacher=teacher)


def test_three_kept_pieces_with_one_name_and_the_next_request_asks_for_another(config: Settings):
    keep(3)
    teacher = Listening()
    run(teacher, config)
    assert len(teacher.asked) == 2
    assert all(SENTENCE in asked for asked in teacher.asked)
    with db.reading() as session:
        stored = {one.prompt for one in kept.written(session, "default")}
    assert stored <= {"A keeper", *(prompt.text for prompt in CATALOG.prompts)}


def test_two_are_not_enough(config: Settings):
    keep(2)
    teacher = Listening()
    run(teacher, config, number=1)
    assert not [asked for asked in teacher.asked if "Do not" in asked]


def test_switched_off_nothing_is_said(config: Settings):
    keep(4)
    with db.session() as session:
        tastes.save(session, "default", TasteConfig(avoid=False))
    teacher = Listening()
    run(teacher, config)
    assert not [asked for asked in teacher.asked if "Do not" in asked]


def test_a_run_notices_what_comes_up_in_it(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auto_train, "LOOK_SHARE", 1e9)
    teacher = Listening()
    run(teacher, config, number=auto_train.LOOK_AGAIN + 5)
    assert SENTENCE not in teacher.asked[0]
    assert SENTENCE in teacher.asked[-1]


def test_only_what_teachers_wrote_for_this_writer_counts(config: Settings):
    keep(5, writer="ana")
    keep(5, source=Source.manuscript, first=20)
    with db.reading() as session:
        assert avoid_list(session, "default") == Avoid()
        assert "Elara" in avoid_list(session, "ana").names
        assert avoid_list(session, "nobody") == Avoid()


def test_kept_pieces_are_read_newest_last_and_only_ones_own(config: Settings):
    mine, theirs = keep(3), keep(2, writer="ana", first=10)
    with db.reading() as session:
        assert [one.id for one in kept.written(session, "default")] == mine
        assert [one.id for one in kept.written(session, "default", limit=2)] == mine[1:]
        assert [one.id for one in kept.by_ids(session, "default", [mine[2], theirs[0], mine[0]])] == [mine[2], mine[0]]
        assert kept.by_ids(session, "default", []) == []


def test_the_stamp_changes_whenever_other_pieces_are_kept(config: Settings):
    def stamp(writer: str = "default") -> tuple[int, int, int]:
        with db.reading() as session:
            return kept.stamp(session, writer)

    assert stamp() == (0, 0, 0)
    ids = keep(3)
    before = stamp()
    keep(1, writer="ana", first=10)
    assert stamp() == before

    def set_status(identity: int, status: ExampleStatus) -> None:
        with db.session() as session:
            example = session.get(Example, identity)
            assert example is not None
            example.status = status
            session.add(example)

    set_status(ids[0], ExampleStatus.set_aside)
    without_first = stamp()
    set_status(ids[0], ExampleStatus.kept)
    set_status(ids[1], ExampleStatus.set_aside)
    assert len({before, without_first, stamp()}) == 3
