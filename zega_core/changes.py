"""Changes of examples that can be undone: what was before is stored with the change, and put back on Undo.

Put back is only what an action changes (``COLUMNS``), so that what happened to an example since, such as a new score,
stays. Whoever changes examples holds the rows of their sessions and then the writer's (``hold``), as everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from math import isfinite
from time import sleep
from typing import Any, TypeVar

from sqlmodel import Session

from zega_core.analytics import plural
from zega_core.conversation_tables import ExampleChange
from zega_core.settings import Settings
from zega_core.store import changes, scores, writers
from zega_core.tables import Example, ExampleStatus, now

UNDO_DAYS = 7
CHUNK = 500
"""Examples that are in memory at a time."""
AT_ONCE = 1_000
"""Examples that are changed, or changed back, in one transaction: others wait for it, on SQLite up to 30 seconds."""
_TURN = 0.2
"""Seconds between two of them: who waits for SQLite's lock looks every tenth of a second."""
SAME_WORDS = "These are the words of a piece you have already kept."
_DECIDED = ("decision", "rated_at", "status", "reason", "duplicate_of")
_SCORED = ("quality", "quality_report", "quality_version", "judge_score", "judge_report")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rate": ("rating", "rated_at"),
    "tag": ("tags",),
    "include": _DECIDED,
    "exclude": _DECIDED,
    "edit": (
        *("prompt", "completion", "text_hash", "original", "edited_at", "status", "reason", "duplicate_of"),
        *_SCORED,
    ),
    "delete": tuple(Example.model_fields),
    "answer": (),
}
"""By action, what of an example it may change. An ``answer`` is an example that was not there before."""
_MOMENTS = ("rated_at", "edited_at", "created_at")
_NUMBERS = ("quality", "judge_score")
_LINKS = "links"
"""Under this key a stored row has what hung on the example."""
_SAID = {
    "rate": ("The stars of the example are as they were.", "The stars of {} are as they were."),
    "tag": ("The tags of the example are as they were.", "The tags of {} are as they were."),
    "include": ("The example is as it was before you included it.", "{} are as they were before you included them."),
    "exclude": ("The example is as it was before you excluded it.", "{} are as they were before you excluded them."),
    "edit": ("The example reads as it did before your edit.", "{} read as they did before your edit."),
    "delete": ("The example is back.", "{} are back."),
    "answer": ("Your answer is taken back. Its words are the draft again.", "{} are taken back."),
}
T = TypeVar("T")


def in_chunks(things: Iterable[T]) -> Iterator[list[T]]:
    """``CHUNK`` of them at a time."""
    rest = iter(things)
    while some := list(islice(rest, CHUNK)):
        yield some


def note(
    session: Session,
    writer_id: str,
    action: str,
    examples: Iterable[Example],
    *,
    batch: str,
    turn_ids: Mapping[int, int] | None = None,
) -> None:
    """Store what the writer's examples are before a change, to be undone with all others of ``batch`` (any new name).
    For an ``answer`` they are what was just stored. ``turn_ids`` are their turns by id of the example, where these do
    not have the example's id yet or not any more."""
    moment, turn_ids = now(), turn_ids or {}
    for some in in_chunks(examples):
        hanging = changes.links(session, writer_id, [one.id or 0 for one in some])
        rows = []
        for example in some:
            links = hanging.get(example.id or 0, changes.Links())
            rows.append(
                {
                    "user_id": writer_id,
                    "batch": batch,
                    "action": action,
                    "example_id": example.id,
                    "turn_id": turn_ids.get(example.id or 0, links.turn),
                    "before": None if action == "answer" else _row(example, action, links),
                    "created_at": moment,
                }
            )
        changes.add(session, rows)


def hold(session: Session, writer_id: str, session_ids: Collection[int]) -> list[int]:
    """Nobody else changes the writer's examples until the end of the transaction. Returns the ended ones of the
    sessions: their records have to be renewed (``renew_records``)."""
    ended = scores.hold_records(session, writer_id, session_ids)
    writers.lock(session, writer_id)
    return ended


def let_others(session: Session) -> None:
    """Commit what was done so far of a long change, and let others have their turn."""
    session.commit()
    sleep(_TURN)


def renew_records(session: Session, ended: Iterable[int]) -> None:
    """What the records of these sessions count, after examples of theirs were changed."""
    session.flush()
    for one in ended:
        scores.write_scores_of_record(session, one)


def newest(session: Session, writer_id: str) -> tuple[str, int] | None:
    """Action and number of examples of what Undo would undo; None where there is nothing."""
    return None if (found := changes.newest(session, writer_id)) is None else (found.action, found.number)


def newest_batch(session: Session, writer_id: str) -> str:
    """The name of what Undo would undo, empty where there is nothing."""
    return "" if (found := changes.newest(session, writer_id)) is None else found.key


def undo(session: Session, writer_id: str, settings: Settings, *, batch: str = "") -> str:
    """Take back the writer's newest change and say what was taken back; empty where there is nothing. With ``batch``
    only if that is the newest one still, so that two presses of one button are one. What is more than ``AT_ONCE`` is
    committed in parts."""
    writers.ensure(session, writer_id)
    session.flush()
    found = changes.newest(session, writer_id)
    if found is None or (batch and found.key != batch):
        return ""
    total = Counter[str]()
    while (done := _undo_part(session, writer_id, found.key)) and done["rows"] == AT_ONCE:
        total += done
        let_others(session)
    total += done
    changes.renew(session)
    return _in_words(found.action, total["back"], total["aside"], total["rows"] - total["back"])


def _undo_part(session: Session, writer_id: str, batch: str) -> Counter[str]:
    """Up to ``AT_ONCE`` changes of a batch: ``rows`` of them, examples that are as before (``back``), and how many of
    these had to be set aside (``aside``)."""
    ended = hold(session, writer_id, changes.sessions_of(session, writer_id, batch, AT_ONCE))
    done = Counter[str]()
    while rows := changes.of_batch(session, writer_id, batch, min(CHUNK, AT_ONCE - done["rows"])):
        back, aside = _undo(session, writer_id, rows)
        done.update(rows=len(rows), back=back, aside=aside)
        changes.drop(session, writer_id, [row.id or 0 for row in rows])
        for row in rows:
            session.expunge(row)
    renew_records(session, ended)
    return done


def erase(session: Session, writer_id: str, example_ids: Iterable[int]) -> None:
    """What is stored of earlier states of these examples goes: it cannot be undone any more."""
    for some in in_chunks(example_ids):
        changes.drop_of_examples(session, writer_id, some)


def purge(session: Session) -> int:
    """Delete what is older than ``UNDO_DAYS``, of all writers, a part at a time; how many rows went."""
    return changes.drop_before(session, now() - timedelta(days=UNDO_DAYS), 10 * CHUNK)


def _row(example: Example, action: str, links: changes.Links) -> dict[str, Any]:
    row = {name: _plain(getattr(example, name)) for name in COLUMNS[action]}
    if action == "delete":
        return row | {_LINKS: {"story": links.story, "memory": links.memory}}
    if action == "rate" or action == "tag":
        return row
    return row | {_LINKS: {"memory": links.memory}}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _read(row: ExampleChange) -> dict[str, Any]:
    """The stored columns with what JSON cannot hold made of them again, and the id."""
    values = dict(row.before or {})
    values.pop(_LINKS, None)
    values = {name: value for name, value in values.items() if name in COLUMNS.get(row.action, ())}
    for name in _MOMENTS:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    for name in _NUMBERS:
        if values.get(name) is not None:
            values[name] = float(values[name])
    return values | {"id": row.example_id}


def _undo(session: Session, writer_id: str, rows: list[ExampleChange]) -> tuple[int, int]:
    """How many examples are as before, and how many of them had to be set aside instead of kept."""
    action = rows[0].action
    session.flush()
    if action == "answer":
        return _take_answers_back(session, writer_id, rows), 0
    values = [_read(row) for row in rows]
    ids = [row.example_id for row in rows]
    words = changes.hashes(session, writer_id, ids)
    known = [{"text_hash": words.get(one["id"], ""), **one} for one in values]
    here = changes.there(session, writer_id, known)
    if action == "delete":
        usable = [one for one in values if _can_come_back(one, here)]
    else:
        usable = [one for one in values if one["id"] in here.examples]
    hashes = {one["id"]: one["text_hash"] for one in known}
    # What is not kept is written first: it makes room for what is.
    usable.sort(key=lambda one: one.get("status") == ExampleStatus.kept)
    aside = {one["id"] for one in usable if _twice(one, hashes[one["id"]], here)}
    if action == "delete":
        changes.put_back(session, [_placed(one, here) | {"user_id": writer_id} for one in usable])
    else:
        changes.set_values(session, usable)
    back = {one["id"] for one in usable}
    _hang_back(session, writer_id, [row for row in rows if row.example_id in back], aside)
    return len(usable), len(aside)


def _can_come_back(row: Mapping[str, Any], here: changes.There) -> bool:
    """Not what is there, nor a page of a manuscript that was erased."""
    manuscript = row["manuscript_id"]
    return row["id"] not in here.examples and (manuscript is None or manuscript in here.manuscripts)


def _placed(row: Mapping[str, Any], here: changes.There) -> dict[str, Any]:
    """The row without its place in a session or manuscript where another example has that by now."""
    session_id, manuscript, idx = row["session_id"], row["manuscript_id"], row["idx"]
    taken = (session_id, idx) in here.places or (manuscript, idx) in here.passages
    gone = session_id is not None and session_id not in here.sessions
    return {**row, "session_id": None, "manuscript_id": None, "idx": None} if taken or gone else dict(row)


def _twice(row: dict[str, Any], words: str, here: changes.There) -> bool:
    """Whether it would be kept, but another with its words is: then it is set aside, and that is noted."""
    if row.get("status") != ExampleStatus.kept:
        return False
    twin = here.kept.get(words)
    if twin is None or twin == row["id"]:
        here.kept[words] = row["id"]
        return False
    row |= {"status": ExampleStatus.set_aside, "duplicate_of": twin, "reason": SAME_WORDS}
    return True


def _hang_back(session: Session, writer_id: str, rows: list[ExampleChange], aside: Collection[int]) -> None:
    """Memory, stories and turns as they were; what had to be set aside is not remembered."""
    forgotten: list[int] = []
    memories: dict[int, dict[str, Any]] = {}
    for row in rows:
        links = (row.before or {}).get(_LINKS)
        if links is None:
            continue
        memory = links.get("memory")
        if memory is None or row.example_id in aside:
            forgotten.append(row.example_id)
        else:
            memories[row.example_id] = memory | {"created_at": datetime.fromisoformat(memory["created_at"])}
        if links.get("story") is not None:
            changes.link_story(session, writer_id, links["story"], row.example_id)
        if row.action == "delete" and row.turn_id is not None:
            changes.link_turn(session, writer_id, row.turn_id, row.example_id)
    changes.forget(session, writer_id, forgotten)
    changes.remember(session, writer_id, memories)


def _take_answers_back(session: Session, writer_id: str, rows: list[ExampleChange]) -> int:
    texts = changes.texts(session, writer_id, [row.example_id for row in rows])
    for row in rows:
        if row.turn_id is not None and row.example_id in texts:
            changes.ask_again(session, writer_id, row.turn_id, texts[row.example_id])
    return changes.remove(session, writer_id, list(texts))


def _in_words(action: str, back: int, aside: int, gone: int) -> str:
    if not back:
        return "This could not be undone: what was changed is not there any more."
    one, many = _SAID.get(action, ("The change is undone.", "The changes of {} are undone."))
    said = one if back == 1 else many.format(plural(back, "example"))
    if aside:
        verb = "is" if aside == 1 else "are"
        said += f" {aside:,} of them {verb} set aside: {SAME_WORDS[0].lower()}{SAME_WORDS[1:]}"
    if gone:
        said += f" {plural(gone, 'other')} could not be changed back, for {'it is' if gone == 1 else 'they are'} gone."
    return said
