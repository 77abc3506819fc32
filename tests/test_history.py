"""One session closely, two beside each other, what is archived or deleted, files, and the page to share."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pyarrow.parquet
import pytest
from sqlmodel import select

from tests.support.history import NOON, conversation_row, did, number_of, renewed, session_row, written
from zega_core import collection, db, history, history_files, history_share, history_words
from zega_core.configs import AutoTrainConfig
from zega_core.errors import InvalidInput, NotFound
from zega_core.history import Recommendation
from zega_core.settings import Settings
from zega_core.store import examples, history_totals, ledger, sessions
from zega_core.store.history import Filter, Kind, Row
from zega_core.tables import Example, ExampleStatus, RunStatus, TrainingSession, now
from zega_core.teacher_tables import Candidate, ProviderCall, SessionTeacher


def detail(key: str, writer: str = "ana") -> history.Detail:
    with db.reading() as session:
        return history.detail(session, writer, key)


def call(key: str, **more: Any) -> None:
    values = {"role": "teacher", "provider": "groq", "model": "a", "outcome": "ok", "cost": 0.5, "at": now()}
    with db.session() as session:
        session.add(ProviderCall(user_id="ana", session_id=number_of(key), **values | more))


def vote(key: str, model: str, *, won: bool, writer: str = "ana") -> None:
    with db.session() as session:
        candidate = Candidate(
            user_id=writer, session_id=number_of(key), idx=0, model=model, completion="x", quality=5.0, won=won
        )
        session.add(candidate)


def test_a_session_says_all_that_is_known_of_it(config: Settings):
    key = session_row(
        budget=2.0, seed=7, min_votes=2, genre_distribution_json={"fantasy": 6}, attempt=2,
        model_performance_json={"groq/a": {"count": 2, "avg_quality": 8.1}, "b": "?", "c/d": {"count": 4}},
    )  # fmt: skip
    written(key, "kept", idx=0, created_at=NOON)
    written(key, "", idx=1, status=ExampleStatus.failed, reason="No answer.", quality=None, model=None)
    vote(key, "groq/a", won=True)
    call(key)
    call(key, outcome="empty", cost=0.0)
    found = detail(key)
    assert dict(found.options) == {
        "Examples asked for": "10",
        "Genres": "Fantasy",
        "Asked": "Built-in storyteller",
        "Kept pieces into memory": "No",
        "Best pieces saved as stories": "No",
        "Teachers for each piece": "2",
        "Budget": "2.00 €",
        "Seed": "7",
    }
    assert [(one.model, one.kept, one.quality) for one in found.performance] == [("c/d", 4, None), ("groq/a", 2, 8.1)]
    assert (found.unanswered, found.calls) == ({"No answer.": 1}, {"empty": 1})
    assert [(one.model, one.wins) for one in found.votes] == [("groq/a", 1)]
    told = [event.what for event in found.timeline]
    assert told[0] in ("Asked for", "First piece")
    assert "Finished, attempt 2" in told
    with pytest.raises(NotFound, match="There is no such session"):
        detail(key, "ben")


def test_two_sessions_are_compared_line_by_line(config: Settings):
    first = session_row(seed=7, model_performance_json={"groq/a": {"count": 2, "avg_quality": 8.1}})
    second = session_row(seed=7, average_quality=8.0, genre_distribution_json={"horror": 3, "poetry": "x"})
    with db.reading() as session:
        lines = {(line.part, line.label): line for line in history.difference(session, "ana", first, second)}
        with pytest.raises(NotFound):
            history.difference(session, "ben", first, second)
    assert lines["settings", "Seed"].same
    quality = lines["figures", "Average quality"]
    assert (quality.first, quality.second, quality.same) == ("7.0", "8.0", False)
    assert lines["teachers", "Groq · a"].second == "–"
    assert (lines["genres", "Horror"].first, lines["genres", "Horror"].second) == ("–", "3 kept")
    assert {part for part, _ in lines} == {"settings", "figures", "teachers", "genres"}


def test_what_is_archive_counts_and_can_be_brought_back(config: Settings):
    key = session_row()
    assert history.archive("ana", [key, key, "none"], config) == "1 session archived. It counts all the same."
    assert "already" in history.archive("ana", [key], config)
    with db.reading() as session:
        assert history_totals.totals(session, "ana").sessions == 1
    assert history.unarchive("ana", [key], config) == "1 session brought back."
    for do in (history.archive, history.unarchive, history.delete):
        with pytest.raises(NotFound) as theirs:
            do("ben", [key], config)
        with pytest.raises(NotFound) as missing:
            do("ben", ["0" * 32], config)
        assert str(theirs.value) == str(missing.value)


def test_deleting_a_session_leaves_what_was_kept(config: Settings, database: str):
    key, other, theirs = session_row(), session_row(days=1), session_row("ben")
    row_id = number_of(key)
    kept = written(key, "A lantern", idx=0)
    aside = written(key, "A rope", idx=1, status=ExampleStatus.set_aside)
    failed = written(key, "", idx=2, status=ExampleStatus.failed, model=None)
    elsewhere = written(other, "A bell", idx=0)
    his = written(theirs, "His", "ben", idx=0)
    vote(key, "groq/a", won=True)
    call(key)
    renewed(key)
    said = history.delete("ana", [key, theirs, "none"], config)
    assert said == "1 session deleted. 1 kept example stays on the page Examples."
    with db.reading() as session:
        assert {row.session_id for row in session.exec(select(TrainingSession))} == {other, theirs}
        assert {row.id for row in session.exec(select(Example))} == {kept, elsewhere, his}
        left = session.get_one(Example, kept)
        assert (left.session_id, left.idx, left.status) == (None, None, "kept")
        assert session.exec(select(Candidate)).all() == []
        assert session.exec(select(SessionTeacher).where(SessionTeacher.session_id == row_id)).all() == []
        (noted,) = session.exec(select(ProviderCall)).all()
        assert (noted.session_id, noted.cost) == (None, 0.5)
        assert ledger.spent_beside(session, "ana", NOON) == 0
        assert session.get(Example, aside) is None
        assert session.get(Example, failed) is None
    assert "There is no" not in said


def test_examples_that_go_with_their_session_can_be_brought_back(config: Settings):
    key = session_row()
    kept = written(key, "A lantern", idx=0)
    aside = written(key, "A rope", idx=1, status=ExampleStatus.set_aside)
    assert "7 days" in history.delete("ana", [key], config, with_examples=True)
    with db.reading() as session:
        assert session.exec(select(Example)).all() == []
    with db.session() as session:
        assert collection.undo(session, "ana", config) == "2 examples are back."
    with db.reading() as session:
        assert {row.id for row in session.exec(select(Example))} == {kept, aside}


def test_a_session_that_is_still_written_stays(config: Settings):
    running, ended = session_row(status=RunStatus.running), session_row()
    with pytest.raises(InvalidInput, match="Stop it first"):
        history.delete("ana", [running], config)
    said = history.delete("ana", [running, ended], config)
    assert said == "1 session deleted. 1 session that is still written stayed."
    with db.reading() as session:
        assert sessions.get(session, "ana", running)


def test_nothing_is_asked_for_again_when_an_earlier_session_is_deleted(config: Settings):
    def ask() -> TrainingSession:
        with db.session() as session:
            wish = AutoTrainConfig(writer_id="ana", num_examples=10, genres=("fantasy", "horror"))
            row = sessions.create(session, wish, teacher="storyteller", order_seed=3)
            row.status = RunStatus.done
            session.add(row)
            return row

    first, second = ask(), ask()
    assert second.draw_from == {"fantasy": 5, "horror": 5}
    history.delete("ana", [first.session_id], config)
    assert ask().draw_from == {"fantasy": 10, "horror": 10}


def test_a_record_that_is_written_keeps_sums_of_each_teacher(config: Settings):
    from zega_core.store import runs

    key = session_row(recorded=False)
    written(key, "A lantern", idx=0, model="groq/a", quality=9.0)
    with db.session() as session:
        runs.write_record(session, key)
    with db.reading() as session:
        (share,) = history.teachers_of(session, "ana", Filter())
        assert history.genres_of(session, "ana", Filter()) == {"fantasy": 1}
    assert (share.model, share.kept, share.made, share.quality) == ("groq/a", 1, 1, 9.0)
    with db.session() as session:
        collection.delete(session, "ana", [row.id or 0 for row in session.exec(select(Example))], config)
    with db.reading() as session:
        assert history.teachers_of(session, "ana", Filter()) == []


def test_figures_of_one_genre_are_of_its_sessions(config: Settings):
    horror = session_row(genres_selected=["horror"])
    did(horror, "groq/a", made=4, kept=2, scored=4, quality_sum=28.0, wins=1, votes=2)
    did(session_row(), "groq/a", made=10, kept=10)
    did(session_row("ben"), "groq/a", writer="ben", made=50, kept=50)
    with db.reading() as session:
        (share,) = history.teachers_of(session, "ana", Filter(genres=("horror",)))
        every = history.teachers_of(session, "ana", Filter())[0]
        assert history.teachers_of(session, "ana", Filter(kinds=(Kind.fine_tune,))) == []
    assert (share.kept, share.made, share.quality, share.wins, share.sessions) == (2, 4, 7.0, 1, 1)
    assert (every.kept, every.made) == (12, 14)


def rows_of(number: int) -> Iterator[Row]:
    for one in range(number):
        yield Row(Kind.auto_train, f"{one:032x}", NOON, "done", 6, 10, 7.0, 5.0, 9.0, ("horror",), "groq/a", 1.5)


def test_files_hold_every_row_and_guard_against_formulas():
    hostile = Row(
        Kind.conversation, "a", NOON, "open", name='=HYPERLINK("http://evil")', error="-1\r\nnext, \"line\" \ud800",
        teacher="@a", genres=("horror", "sci_fi"),
    )  # fmt: skip
    data = b"".join(history_files.csv([hostile]))
    assert data.startswith(b"\xef\xbb\xbfkind,id,started_at")
    assert data.endswith(b"\r\n")
    (found,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert found["name"].startswith("'=")
    assert found["teacher"] == "'@a"
    assert found["error"] == '\'-1\r\nnext, "line" ?'
    assert (found["kept"], found["quality"], found["genres"]) == ("", "", "horror, sci_fi")
    told = json.loads(b"".join(history_files.json([hostile])))
    assert told[0]["name"] == hostile.name
    assert json.loads(b"".join(history_files.json([]))) == []
    assert b"".join(history_files.csv([])).count(b"\r\n") == 1


@pytest.mark.parametrize("number", [0, 1, 1_000, 2_500])
def test_parquet_has_types(number: int):
    table = pyarrow.parquet.read_table(io.BytesIO(b"".join(history_files.parquet(rows_of(number)))))
    assert table.num_rows == number
    assert [str(table.schema.field(name).type) for name in ("started_at", "kept", "quality", "genres", "archived")] == [
        "timestamp[us, tz=UTC]",
        "int64",
        "double",
        "list<element: string>",
        "bool",
    ]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_long_history_takes_no_more_memory_than_a_part(form: str):
    def most(number: int) -> int:
        tracemalloc.start()
        for _ in history_files.FORMS[form](rows_of(number)):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(1_000)  # what is loaded on the way
    assert most(12_000) < 2 * most(3_000)


class Page(HTMLParser):
    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def shared(key: str, *, with_texts: bool = False) -> Page:
    with db.reading() as session:
        return Page(history_share.page(session, "ana", key, with_texts=with_texts))


def test_a_shared_session_holds_no_text_unless_that_is_asked_for(config: Settings):
    evil = "<script>alert(1)</script>"
    key = session_row(
        genre_distribution_json={"fantasy": 6, evil: 2, "horror": "x"},
        model_performance_json={evil: {"count": 6, "avg_quality": 8.0}},
        teacher=evil,
        error="/home/ana/secret",
    )
    written(key, f"The harbour {evil}\x00", prompt=f"Ask {evil}", idx=0)
    written(key, "", idx=1, status=ExampleStatus.failed, model=None)
    plain, whole = shared(key), shared(key, with_texts=True)
    for page in (plain, whole):
        assert not page.tags & {"script", "img", "link", "iframe", "a", "form"}
        assert not {name for name in page.attributes if name.startswith("on")}
        assert "\x00" not in page.text
        assert "viewport" in str(page.attributes | {"viewport"})
        for hidden in (key, "ana", "/home"):
            assert not re.search(rf"\b{re.escape(hidden)}\b", page.text)
        assert "This is the record of one session that ZEGA ran" in page.text
        assert "6 of 10" in page.text
    assert "harbour" not in plain.text
    assert "It holds none of the texts." in plain.text
    assert f"The harbour {evil}" in whole.text
    assert f"Ask {evil}" in whole.text
    with db.reading() as session, pytest.raises(NotFound):
        history_share.page(session, "ben", key)


def test_every_piece_of_a_long_session_is_shared(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history_share, "AT_ONCE", 2)
    key = session_row()
    for number in range(5):
        written(key, f"Piece {number}.", idx=number)
    found = shared(key, with_texts=True).text
    assert [f"Piece {number}." in found for number in range(5)] == [True] * 5
    with db.reading() as session:
        assert len(examples.page(session, "ana", number_of(key), size=10)) == 5


def test_words_say_what_is_known():
    found = Recommendation("mystery", "groq/a", 40, 100, 91, 0.91, 0.84, 0.95, 8.3)
    assert history_words.recommended(found) == "Mystery with Groq · a keeps 91% at 8.3; 40 sessions."
    assert "between 84% and 95%" in history_words.evidence(found)
    assert history_words.recommended(None).startswith("Not enough yet")
    assert history_words.status("unheard of") == "unheard of"


def test_a_trend_that_rounds_to_nothing_has_no_minus():
    flat = history.Trends(sessions=0, kept=0, share=-0.001, stories=0, quality=-0.04, seconds=-0.0)
    said = history_words.trends(history.Cards(2, 0, 6, 10, 0, 7.0, 60.0, flat))
    assert (said["share"], said["quality"]) == ("+0 points in 30 days", "+0.0 in 30 days")


def test_trends_are_told_only_where_there_is_something_to_compare(config: Settings):
    session_row(days=-45, average_quality=6.0, num_examples_successful=2, num_examples_set_aside=8)
    with db.reading() as session:
        assert history_words.trends(history.cards(session, "ana", Filter(), NOON)) == {}
    session_row(days=-5, average_quality=7.5, total_time_seconds=30.0)
    conversation_row()
    with db.reading() as session:
        assert history_words.trends(history.cards(session, "ana", Filter(), NOON)) == {
            "sessions": "+0 in 30 days",
            "kept": "+4 in 30 days",
            "share": "+40 points in 30 days",
            "stories": "+0 in 30 days",
            "quality": "+1.5 in 30 days",
            "seconds": "-30.0 s in 30 days",
        }
