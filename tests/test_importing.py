"""Pairs from a file: every good one is stored once, and every bad one has its sentence."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.scored import add, all_pieces, piece, says, told
from tests.support.teachers import story
from zega_core import db, importing, taste
from zega_core.catalog import load_catalog
from zega_core.errors import HomeError, InvalidInput
from zega_core.importing import Imported, import_pairs
from zega_core.quality.stored import read_report
from zega_core.rating import rate
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.tables import ExampleStatus, Source

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def plain_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The score is the number that a text begins with."""
    monkeypatch.setattr(importing, "score", told)


def line(number: int, value: float = 8.0, **more: Any) -> str:
    return json.dumps({"prompt": f"Prompt {number}", "completion": says(value, number), **more})


def bring(config: Settings, lines: Any, *, own: bool = False, name: str = "pairs.jsonl", **more: Any) -> Imported:
    return import_pairs("ana", lines, config, own=own, name=name, **more)


def statuses() -> list[tuple[str, str]]:
    return [(one["source"], one["status"]) for one in all_pieces()]


def test_pairs_are_scored_and_kept_at_the_writers_threshold(config: Settings):
    with db.session(config) as session:
        taste.choose(session, "ana", config, keep_score=6.0)
    found = bring(config, [line(1, 6.1, genre="Horror", element="dialogue"), line(2, 5.9), line(3, 9.5)])
    assert (found.kept, found.set_aside, found.duplicates, found.bad) == (2, 1, 0, 0)
    assert found.finished
    first, second, _ = all_pieces()
    assert (first["source"], first["origin"], first["status"]) == (Source.imported, "pairs.jsonl", ExampleStatus.kept)
    assert (first["genre"], first["element"]) == ("horror", "dialogue")
    assert (second["genre"], second["element"]) == ("", "")
    assert second["reason"].startswith("5.9 is below 6.0.")
    report = read_report(first["quality_report"])
    assert report is not None
    assert (report.score, first["quality"], first["quality_version"]) == (6.1, 6.1, report.version)


def test_own_pages_are_kept_whatever_their_score(config: Settings):
    found = bring(config, [line(1, 2.0), line(2, 9.0)], own=True)
    assert (found.kept, found.set_aside) == (2, 0)
    assert statuses() == [(Source.manuscript, ExampleStatus.kept)] * 2


def test_near_duplicates_are_set_aside_with_what_they_repeat(config: Settings):
    twin = add(says(8.0, 1))
    changed = {"prompt": "Other", "completion": says(8.0, 1).replace("The", "That", 1) + " And then it rained."}
    found = bring(config, [json.dumps(changed), line(2), line(3)], own=True)
    assert (found.kept, found.set_aside) == (2, 1)
    assert all_pieces()[1]["duplicate_of"] == twin
    again = {"prompt": "And in the same file", "completion": says(8.0, 2) + " And then it rained again."}
    assert bring(config, [json.dumps(again)]).set_aside == 1


def test_the_same_file_again_adds_nothing(config: Settings):
    lines = [line(1), line(2, 3.0), line(3), line(3), line(4, 9.0)]
    lines.append(json.dumps({"prompt": "Near", "completion": says(8.0, 4) + " And then it rained."}))
    first = bring(config, lines)
    assert (first.kept, first.set_aside, first.duplicates) == (3, 2, 1)
    before = all_pieces()
    second = bring(config, lines)
    assert (second.kept, second.set_aside, second.duplicates) == (0, 0, 6)
    assert all_pieces() == before


def test_a_killed_import_is_completed_by_the_next(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BATCH", 10)
    lines = [line(number, 8.0 if number % 3 else 4.0) for number in range(60)]
    real, calls = importing._Import._add, []

    def dies(self: Any, *values: Any) -> None:
        calls.append(1)
        if len(calls) == 35:
            raise KeyboardInterrupt
        real(self, *values)

    with monkeypatch.context() as patch:
        patch.setattr(importing._Import, "_add", dies)
        with pytest.raises(KeyboardInterrupt):
            bring(config, lines)
    assert len(all_pieces()) == 30  # whole batches
    found = bring(config, lines)
    assert found.kept + found.set_aside == 30
    assert found.duplicates == 30
    assert len({one["text_hash"] for one in all_pieces()}) == len(all_pieces()) == 60


def test_what_a_teacher_wrote_badly_may_come_as_the_writers_own(config: Settings):
    add(says(3.0, 1), kept=False)
    assert bring(config, [line(1, 3.0)], own=True).kept == 1


def test_what_was_imported_can_be_claimed_as_ones_own(config: Settings):
    lines = [line(1), line(2, 3.0), line(3, 3.5)]
    bring(config, lines)
    discarded = all_pieces()[2]["id"]
    with db.session(config) as session:
        rate(session, "ana", discarded, config, decision="discard")
    found = bring(config, lines, own=True)
    assert (found.kept, found.duplicates, found.claimed) == (0, 3, 2)
    assert statuses() == [
        (Source.manuscript, ExampleStatus.kept),
        (Source.manuscript, ExampleStatus.kept),
        (Source.imported, ExampleStatus.set_aside),
    ]
    assert bring(config, lines, own=True).claimed == 0
    assert bring(config, lines).claimed == 0  # and never the other way round
    assert statuses()[0] == (Source.manuscript, ExampleStatus.kept)


def test_a_piece_that_was_brought_can_be_rated(config: Settings):
    bring(config, [line(1, 3.0)])
    identity = all_pieces()[0]["id"]
    with db.session(config) as session:
        rate(session, "ana", identity, config, stars=4)
        rate(session, "ana", identity, config, decision="keep")
    assert piece(identity).status == ExampleStatus.kept
    assert bring(config, [line(1, 3.0)]).duplicates == 1


def test_a_chat_makes_a_pair_of_every_answer(config: Settings):
    turns = [("system", "Be brief."), ("user", "First?"), ("assistant", says(8.0, 1)), ("assistant", says(8.0, 2))]
    turns += [("user", "Never answered"), ("user", "Second?"), ("assistant", says(8.0, 3)), ("user", "And?")]
    chat = {"messages": [{"role": role, "content": content} for role, content in turns]}
    found = bring(config, [json.dumps(chat)])
    assert [(one["prompt"], one["completion"]) for one in all_pieces()] == [
        ("First?", says(8.0, 1)),
        ("Second?", says(8.0, 3)),
    ]
    assert found.errors == [(1, "What is asked before answer 2 is missing.")]
    assert found.notes == ["System messages are not learned from: 1 line had one."]


def test_a_bad_line_loses_no_good_one(config: Settings, tmp_path: Path):
    file = tmp_path / "mixed.jsonl"
    bad = [b'{"prompt": "caf\xe9", "completion": "b"}', b"", b"no JSON", b"[" * 100_000, b"x" * 3_000_000]
    lines = [line(1).encode(), *bad, line(2).encode()]
    file.write_bytes(b"\r\n".join(lines))
    found = bring(config, file, name="")
    assert found.kept == 2
    assert [number for number, _ in found.errors] == [2, 4, 5, 6]
    assert {one["origin"] for one in all_pieces()} == {"mixed.jsonl"}


def test_what_is_no_file_is_said(config: Settings, tmp_path: Path):
    for path in (tmp_path, tmp_path / "nowhere.jsonl"):
        with pytest.raises(InvalidInput, match="There is no file"):
            bring(config, path)
    (tmp_path / "empty.jsonl").write_bytes(b"\n \n")
    with pytest.raises(InvalidInput, match="holds no pairs"):
        bring(config, tmp_path / "empty.jsonl")
    with pytest.raises(InvalidInput, match="cannot be a writer"):
        import_pairs("../etc", [line(1)], config, own=True, name="")


def test_characters_that_no_database_takes_are_taken_out(config: Settings):
    text = says(8.0, 1) + " \x00\ud83d It ended."
    found = bring(
        config, [json.dumps({"prompt": "A \udc00 prompt", "completion": text})], name="a/b\\c\x00\ud800.jsonl"
    )
    assert found.kept == 1
    (stored,) = all_pieces()
    assert stored["completion"] == says(8.0, 1) + " ? It ended."
    assert stored["prompt"] == "A ? prompt"
    assert stored["origin"] == "c?.jsonl"


def test_a_long_piece_is_taken_whole(config: Settings):
    long = " ".join(["8.0", *(f"{story(number)}" for number in range(150))])
    assert len(long.split()) > 5_000
    assert bring(config, [json.dumps({"prompt": "Long", "completion": long})], own=True).kept == 1
    assert all_pieces()[0]["completion"] == long


def test_genres_that_nobody_knows_are_left_empty_and_said(config: Settings):
    labels = [genre.label for genre in load_catalog().genres]
    found = bring(config, [line(1, genre="western"), line(2, element=4), line(3, genre=labels[2].upper())])
    assert found.kept == 3
    assert found.notes == ["ZEGA does not know these, so they were left empty: genre western, element 4."]
    assert [one["genre"] for one in all_pieces()] == ["", "", load_catalog().genres[2].key]


def test_a_flood_of_bad_lines_is_counted_and_not_all_told(config: Settings):
    found = bring(config, [*(f'{{"prompt": {n}, "genre": "{n}"}}' for n in range(1_000)), line(1)])
    assert (found.bad, len(found.errors), found.kept) == (1_000, importing.SHOWN, 1)
    assert "first 200 of 1,000 errors" in found.notes[0]


def test_another_kind_of_file_is_given_up(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "TOO_BAD", 50)
    monkeypatch.setattr(importing, "TOLD", 10)
    told_at: list[int] = []
    found = bring(config, [line(1), *["x = 1"] * 200], progress=lambda done, of: told_at.append(done))
    assert (found.bad, found.kept, found.finished) == (50, 1, False)
    assert "the right file" in found.notes[0]
    assert len(told_at) == 5


def test_one_import_takes_so_many_and_the_next_the_rest(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BATCH", 5)
    monkeypatch.setattr(importing, "MOST", 10)
    lines = [line(number) for number in range(18)]
    first = bring(config, lines)
    assert (first.kept, first.finished) == (10, False)
    assert "Import the file again" in first.notes[0]
    rest = bring(config, lines)
    assert (rest.kept, rest.duplicates, rest.finished) == (8, 10, True)


def test_it_tells_how_far_it_is_and_can_be_stopped(config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BATCH", 5)
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(line(number) for number in range(23)), encoding="utf-8")
    size, stop, seen = file.stat().st_size, threading.Event(), list[tuple[int, int]]()

    def progress(done: int, of: int) -> None:
        seen.append((done, of))
        if len(seen) == 2:
            stop.set()

    found = bring(config, file, progress=progress, stop=stop)
    assert (found.kept, found.finished) == (10, False)
    assert 0 < seen[0][0] < seen[1][0] < size
    seen.clear()
    found = bring(config, file, progress=progress)
    assert (found.kept, found.duplicates) == (13, 10)
    assert seen[-1] == (size, size)


def test_one_line_of_many_turns_is_stored_batch_by_batch(config: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "BATCH", 5)
    sizes: list[int] = []
    turns = [
        {"role": role, "content": content}
        for number in range(12)
        for role, content in (("user", f"And {number}?"), ("assistant", says(8.0, number)))
    ]
    found = bring(config, [json.dumps({"messages": turns})], progress=lambda done, of: sizes.append(len(all_pieces())))
    assert found.kept == 12
    assert sizes == [5, 10, 12]


def test_two_imports_at_once_store_everything_once(config: Settings):
    db.prepare(config)
    lines = [line(number, 8.0 if number % 2 else 3.0) for number in range(120)]
    found: list[Imported] = []
    threads = [threading.Thread(target=lambda: found.append(bring(config, lines))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert sum(one.kept for one in found) == sum(one.set_aside for one in found) == 60
    assert len({one["text_hash"] for one in all_pieces()}) == len(all_pieces()) == 120


def test_other_writers_texts_are_no_duplicates(config: Settings):
    add(says(8.0, 1), writer="ben")
    assert bring(config, [line(1)]).kept == 1
    with db.reading(config) as session:
        assert examples.count_kept(session, "ben") == 1


def test_a_broken_report_in_the_database_stops_nothing(config: Settings):
    if config.uses_postgresql:
        pytest.skip("PostgreSQL refuses what is no JSON")
    bring(config, [line(1)])
    with db.session(config) as session:
        session.connection().exec_driver_sql("UPDATE example SET quality_report = '{broken'")
    assert bring(config, [line(1), line(2)]).duplicates == 1


def test_trouble_with_the_database_is_said(config: Settings, monkeypatch: pytest.MonkeyPatch):
    bring(config, [line(1)])
    db.forget()
    (config.home / "zega.db").write_bytes(b"no database at all" * 100)
    if config.uses_postgresql:
        pytest.skip("the file is not its database")
    for beside in config.home.glob("zega.db-*"):
        beside.unlink()
    with pytest.raises(HomeError, match="damaged"):
        bring(config, [line(2)])
