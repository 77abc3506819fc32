"""The threads in which takes are written. What is written is stored as it comes, so that a page that is drawn again, or
another process, sees it, and a process that is killed loses a fraction of a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any

from zega_core import db, writing_authors
from zega_core.context import Context, build
from zega_core.errors import Cancelled, ZegaError
from zega_core.pieces import storable
from zega_core.providers import label_of
from zega_core.providers.base import Call, Completion, GenerationOptions
from zega_core.settings import Settings
from zega_core.store import ledger, writings
from zega_core.tables import now
from zega_core.taste import taste_of
from zega_core.writing_authors import Asked
from zega_core.writing_configs import WriteRequest
from zega_core.writing_material import Material
from zega_core.writing_requests import brief_of, scored
from zega_core.writing_tables import Take, TakeState

log = getLogger(__name__)

EVERY = 0.25
"""Seconds between two looks at what is written, and at whether it is still wanted."""
HEARTBEAT = 5.0
"""Seconds after which a sign of life is stored although there is no new text."""
AT_ONCE = 3
"""Texts that one process writes at the same time; the others wait."""
TEACHER_ROOM = 200
"""Tokens that a teacher may take on top of what the words need, as it keeps to them roughly."""
STOPPED = "The text was stopped."
NOTHING = "It wrote nothing. Try again, or change the brief."
LOOKING = "Looking for what to recall."
FAULT = "It could not write. Try again; if that fails, run `zega doctor`."

_places = threading.BoundedSemaphore(AT_ONCE)
_jobs: dict[str, list[Job]] = {}
_lock = threading.Lock()


@dataclass
class Draft:
    """One take while it is written. The thread that writes changes it; the one that stores reads it."""

    take_id: int
    seed: int
    asked: Asked
    text: str = ""
    note: str = ""
    error: str = ""
    label: str = ""
    model: str = ""
    state: str = TakeState.writing
    cut: bool = False
    first_ms: int | None = None
    seconds: float = 0.0
    quality: float | None = None
    context: Context | None = None
    calls: Sequence[Call] = ()
    waits: str = ""
    ended: bool = False
    seen: dict[str, Any] = field(default_factory=dict)
    """What was stored last."""
    stored: bool = False
    beat: float = 0.0

    def tell(self, waits: str) -> None:
        self.waits = waits

    def values(self) -> dict[str, Any]:
        """The columns as they are now. While it waits for a model, the note says so."""
        said = [self.asked.note, self.note, *(self.context.left_out if self.context else ())]
        if not self.text and not self.ended:
            said.append(self.waits)
        return {
            "text": self.text.strip() if self.ended else self.text.lstrip(),
            "note": " ".join(filter(None, said)),
            "label": (self.label or self.asked.label)[:120],
            "model": (self.model or self.asked.model)[:120],
            "cut": self.cut,
            "first_ms": self.first_ms,
            "seconds": round(self.seconds, 3),
        } | ({"context": self.context.to_json()} if self.context else {})


class Job:
    """The takes that were asked for together. Those of models of this machine are written one after the other: two at
    once would share the processor and show neither's pace."""

    def __init__(self, key: str, wanted: WriteRequest, takes: Sequence[tuple[Take, Asked]], settings: Settings) -> None:
        self.key, self.settings, self.stopped = key, settings, threading.Event()
        self._news = threading.Event()
        self.drafts = [Draft(take.id or 0, take.seed, asked) for take, asked in takes]
        self._wanted, self._material = wanted, Material(wanted, settings, self.stopped)
        lanes: dict[str, list[Draft]] = {}
        for draft in self.drafts:
            lanes.setdefault("own" if draft.asked.kind == "own" else draft.asked.name, []).append(draft)
        self._threads = [
            threading.Thread(target=self._write_all, args=(lane,), name="writing", daemon=True)
            for lane in lanes.values()
        ]
        self._keeper = threading.Thread(target=self._store, name="writing-store", daemon=True)

    def start(self) -> None:
        with _lock:
            _jobs.setdefault(self.key, []).append(self)
        for thread in (*self._threads, self._keeper):
            thread.start()

    def wait(self, until: float) -> bool:
        """Whether all is written and stored by then (``time.monotonic``)."""
        self._keeper.join(max(0.0, until - time.monotonic()))
        return not self._keeper.is_alive()

    def _write_all(self, lane: Sequence[Draft]) -> None:
        for draft in lane:
            try:
                self._write_in_turn(draft)
            except Cancelled as error:
                draft.calls, draft.state = error.calls or draft.calls, TakeState.stopped
            except ZegaError as error:
                draft.calls = getattr(error, "calls", ()) or draft.calls
                draft.state, draft.error = TakeState.failed, str(error)
            except Exception:  # a thread has nobody above it that would say so
                log.exception("a text could not be written")
                draft.state, draft.error = TakeState.failed, FAULT
            _name(draft)
            draft.ended = True
            self._news.set()

    def _write_in_turn(self, draft: Draft) -> None:
        with ExitStack() as held:
            while not _places.acquire(timeout=EVERY / 2):
                if self.stopped.is_set():
                    break
            else:
                held.callback(_places.release)
            if self.stopped.is_set():
                draft.state = TakeState.stopped
                return
            self._write(draft)

    def _write(self, draft: Draft) -> None:
        began = time.monotonic()
        draft.tell(LOOKING)
        draft.context = self._context(draft)
        draft.tell("")
        model = draft.asked.begin(draft.tell, self.stopped)
        pieces = model.stream(draft.context.messages, self._options(draft))
        first: float | None = None
        try:
            while True:
                piece = storable(pieces.throw(Cancelled(STOPPED)) if self.stopped.is_set() else next(pieces))
                moment = time.monotonic()
                draft.text += piece
                if piece.strip() and first is None:
                    first, draft.first_ms = moment, round((moment - began) * 1000)
                    self._news.set()  # the first words are not kept waiting
                draft.seconds = moment - (first or moment)
        except StopIteration as ended:
            self._ended(draft, ended.value)
        finally:
            pieces.close()
        if not draft.text.strip():
            draft.state, draft.error = TakeState.failed, NOTHING
        else:
            report = scored(draft.text.strip(), draft.context.asked, self._wanted)
            with db.reading(self.settings) as session:
                draft.quality = taste_of(session, self._wanted.writer_id, self.settings).worth(report, None)
            draft.state = TakeState.done

    def _ended(self, draft: Draft, completion: Completion) -> None:
        draft.cut, draft.calls = completion.cut_off, completion.calls
        if draft.asked.kind == "teacher":  # what it came with is off
            draft.text = storable(completion.text)

    def _context(self, draft: Draft) -> Context:
        kind, wanted = draft.asked.kind, self._wanted
        if kind == writing_authors.STORYTELLER:
            draft.note = writing_authors.ONLY_NEW if wanted.task != "write" else ""
            return build(wanted, (), (), room_tokens=writing_authors.TEACHERS_ROOM, own=True)
        room = writing_authors.room(draft.asked, wanted.words)
        draft.note = self._material.note
        return build(
            wanted,
            self._material.hints,
            self._material.recalled,
            room_tokens=room.tokens,
            own=kind == "own",
            goes_on=room.goes_on,
            count=room.count,
        )

    def _options(self, draft: Draft) -> GenerationOptions:
        wanted, kind = self._wanted, draft.asked.kind
        tokens = writing_authors.tokens_for(wanted.words)
        return GenerationOptions(
            max_tokens=tokens if kind == "own" else max(2 * tokens, tokens + TEACHER_ROOM),
            temperature=wanted.temperature,
            seed=draft.seed,
            brief=brief_of(wanted) if kind == writing_authors.STORYTELLER else None,
            may_break_off=True,
            stop=self.stopped,
        )

    def _store(self) -> None:
        while not all(draft.stored for draft in self.drafts):
            try:
                self._store_once()
            except ZegaError as error:  # the database is busy, or the disk is full: what is written stays in mind
                log.warning("a text could not be stored yet: %s", error)
            except Exception:
                log.exception("a text could not be stored yet")
            if not all(draft.stored for draft in self.drafts):
                self._news.wait(EVERY)
                self._news.clear()
        with _lock:
            left = [job for job in _jobs.get(self.key, ()) if job is not self]
            _jobs.pop(self.key, None)
            if left:
                _jobs[self.key] = left

    def _store_once(self) -> None:
        waiting = [draft for draft in self.drafts if not draft.stored]
        with db.reading(self.settings) as session:
            states = writings.in_states(session, [draft.take_id for draft in waiting])
        if any(states.get(draft.take_id) != TakeState.writing for draft in waiting):
            self.stopped.set()
        due = [draft for draft in waiting if _is_due(draft)]
        if not due:
            return
        with db.session(self.settings) as session:
            written = [_write_down(session, draft, self._wanted.writer_id, self.stopped) for draft in due]
        for draft, seen in zip(due, written, strict=True):
            draft.seen, draft.beat, draft.stored = seen, time.monotonic(), "state" in seen


def _name(draft: Draft) -> None:
    """Which teacher wrote it: the last one that was asked."""
    if draft.asked.kind == "teacher" and draft.text and draft.calls:
        last = draft.calls[-1]
        draft.model = f"{last.provider}/{last.model}"
        draft.label = label_of(draft.model)


def _is_due(draft: Draft) -> bool:
    return draft.ended or time.monotonic() - draft.beat > HEARTBEAT or draft.values() != draft.seen


def _write_down(session: db.Session, draft: Draft, writer_id: str, stopped: threading.Event) -> dict[str, Any]:
    """Store what is new of a draft; what is stored of it then."""
    ended, now_known = draft.ended, draft.values()  # in this order: it may end meanwhile
    if ended:
        now_known |= {"state": draft.state, "error": draft.error, "quality": draft.quality}
        ledger.add(session, writer_id, draft.calls, role="teacher")
    fresh = {name: value for name, value in now_known.items() if name not in draft.seen or draft.seen[name] != value}
    if not writings.write_down(session, draft.take_id, {**fresh, "heartbeat_at": now()}):
        stopped.set()
        if ended:
            kept = {name: value for name, value in now_known.items() if name not in ("state", "error")}
            writings.write_after_stop(session, draft.take_id, kept)
    return now_known


def running(key: str) -> list[Job]:
    """What this process writes for a request."""
    with _lock:
        return list(_jobs.get(key, ()))
