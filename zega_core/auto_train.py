"""One auto-training session: draw combinations, let the teacher write, score, keep or set aside.

The rows are the checkpoint: an example is stored once, in one transaction with proof that this run is
still ours, and whoever comes after a crash works through the indexes that are missing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from logging import getLogger
from time import monotonic

from zega_core import avoidance, db
from zega_core.catalog import Avoid, Brief, Catalog, Modifier, Prompt
from zega_core.dataset import NearDuplicates
from zega_core.errors import BudgetSpent, HomeError, NobodyLeft, ProviderError, ZegaError
from zega_core.pieces import SAME_WORDS, Desk, Draw, Piece, candidates_of, example_of, set_aside_as_duplicate
from zega_core.providers.base import ChatModel
from zega_core.settings import Settings
from zega_core.store import examples, leases, ledger, runs, writers
from zega_core.tables import ExampleStatus, RunStatus, TrainingSession
from zega_core.taste import Taste, taste_of

log = getLogger(__name__)

HEARTBEAT = 0.5
"""Seconds between two looks at the run's row while no piece comes in."""
GRACE = 0.5
"""Seconds that pieces in flight have left when the writer presses Stop."""
KNOWN_TEXTS = 2_000
"""How many of the texts that the writer kept before a new piece is compared with, newest first."""
LOOK_AGAIN, LOOK_SHARE = 25, 0.02
"""After so many pieces a run looks again at what repeats, unless looking took more than this share of the time."""


def order_seed(writer_id: str) -> int:
    """The writer's own order of combinations, the same in every session."""
    return int.from_bytes(blake2b(writer_id.encode(), digest_size=4).digest()) >> 1


def plan(catalog: Catalog, genres: Sequence[str], number: int, order: int, draw_from: Mapping[str, int]) -> list[Draw]:
    """``number`` draws, taking the genres in turn.

    Within a genre every prompt x modifier x element comes once before any comes twice, with elements,
    prompts and modifiers each in rotation, so that short sessions are balanced too. ``draw_from`` skips
    what earlier sessions took.
    """
    streams = {genre: _combinations(catalog, genre, order, draw_from.get(genre, 0)) for genre in genres}
    return [Draw(idx, next(streams[genres[idx % len(genres)]])) for idx in range(number)]


def _combinations(catalog: Catalog, genre: str, order: int, start: int) -> Iterator[Brief]:
    prompts, modifiers, elements = catalog.prompts_of(genre), catalog.modifiers, catalog.elements
    size = len(prompts) * len(modifiers) * len(elements)
    position = start
    while True:
        shuffle = random.Random(f"{order}:{genre}:{position // size}")
        mixed_prompts: list[Prompt] = shuffle.sample(prompts, len(prompts))
        mixed_modifiers: list[Modifier] = shuffle.sample(modifiers, len(modifiers))
        mixed_elements = shuffle.sample(elements, len(elements))
        for within in range(position % size, size):
            turn, which = divmod(within, len(elements))
            prompt = mixed_prompts[(turn + which * 3) % len(prompts)]
            modifier = mixed_modifiers[(turn // len(prompts) + turn + which) % len(modifiers)]
            yield Brief(prompt.text, genre, mixed_elements[which], modifier, prompt, turn=position // size)
        position += size - position % size


def run(
    session_id: str,
    attempt: int,
    *,
    settings: Settings,
    catalog: Catalog,
    teacher: ChatModel,
    votes: int = 1,
    judge: ChatModel | None = None,
    budget: float | None = None,
    changed: Callable[[db.Session], bool] | None = None,
) -> RunStatus | None:
    """Work through the missing indexes of a session; its final status, or None if it is not ours (any more).

    ``votes`` teachers write each piece, ``judge`` looks at what is kept; ``budget`` is noted in the record, the
    teacher itself holds to it. When ``changed`` says that the writer has chosen other teachers, nobody is asked any
    more and the status is running: call it again with those. Raises HomeError when the database cannot be written:
    the run then waits to be taken up again.
    """
    with db.session(settings) as session:
        row = runs.begin(session, session_id, attempt)
        if row is None:
            return None
        row.min_votes, row.budget = votes, budget
    started, error = monotonic(), None
    work = _Work(row, settings, catalog, Desk(teacher, settings, catalog, votes=votes, judge=judge), changed)
    try:
        status = work.through_what_is_missing()
        error = str(work.ended) if work.ended else None
    except HomeError:
        raise
    except ZegaError as known:
        log.warning("session %s failed: %s", session_id, known)
        status, error = RunStatus.failed, f"{known} What was written is safe."
    except Exception as unexpected:
        log.exception("session %s failed", session_id)
        status = RunStatus.failed
        error = f"The run met an error it does not know ({type(unexpected).__name__}). What was written is safe."
    if status in (None, RunStatus.running):
        return status
    return _end(row, RunStatus(status), monotonic() - started, error, settings)


def fail(session_id: str, attempt: int, error: str, settings: Settings) -> None:
    """End an attempt that cannot even begin, for instance because the catalog is broken."""
    with db.session(settings) as session:
        row = runs.begin(session, session_id, attempt)
    if row is not None:
        _end(row, RunStatus.failed, 0.0, error, settings)


def _end(
    row: TrainingSession, status: RunStatus, seconds: float, error: str | None, settings: Settings
) -> RunStatus | None:
    with db.session(settings) as session:
        if not leases.end(session, row, status, seconds, error):
            return None
    record(row.session_id, settings)
    return status


def record(session_id: str, settings: Settings) -> None:
    """Write the history record. A failure is logged and left to reconcile: the training stands either way."""
    try:
        with db.session(settings) as session:
            runs.write_record(session, session_id)
    except Exception:
        log.exception("the record of session %s was not written; it will be repaired", session_id)


class _Work:
    """The pieces of one attempt: written by threads, stored by one."""

    def __init__(
        self,
        row: TrainingSession,
        settings: Settings,
        catalog: Catalog,
        desk: Desk,
        changed: Callable[[db.Session], bool] | None,
    ) -> None:
        self.row, self.settings, self.catalog, self.desk = row, settings, catalog, desk
        self.changed, self.leave = changed, False
        self.known, self.newest_known = NearDuplicates(settings.near_duplicate_share), 0
        self.ended: ProviderError | None = None
        self.taste = Taste(settings.keep_score)
        self.avoid, self.unseen, self.look_from = Avoid(), 0, 0.0

    def through_what_is_missing(self) -> RunStatus | None:
        """Write and store the missing draws; the status to end with, or None when the lease was lost."""
        row = self.row
        draws = plan(self.catalog, row.genres_selected, row.num_examples_requested, row.order_seed, row.draw_from)
        with db.reading(self.settings) as session:
            settled = examples.settled_indexes(session, row.id or 0)
            self._ask_taste(session)
        self._look()
        return self._through([draw for draw in draws if draw.idx not in settled])

    def _through(self, draws: Sequence[Draw]) -> RunStatus | None:
        waiting, pending = iter(draws), set[Future[Piece]]()
        status: RunStatus | None = RunStatus(self.row.status)
        deadline, at_once = 0.0, self.desk.teacher.in_flight
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="teacher")
        try:
            while True:
                if status == RunStatus.stopping or self.leave:
                    self.desk.stop.set()
                    deadline = deadline or monotonic() + GRACE
                elif not self.ended:
                    pending |= {pool.submit(self._write, draw) for draw in islice(waiting, at_once - len(pending))}
                if not pending or (deadline and monotonic() > deadline):
                    return self._end_of(RunStatus(status))
                finished, pending = wait(pending, HEARTBEAT, FIRST_COMPLETED)
                status = self._store_all(finished)
                if status is None:
                    return None
        finally:
            self.desk.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for late in pending:
                late.add_done_callback(self._bill)

    def _end_of(self, status: RunStatus) -> RunStatus:
        if status == RunStatus.stopping or (self.ended and not self.leave):
            return RunStatus.stopped
        return RunStatus.running if self.leave else RunStatus.done

    def _store_all(self, finished: Collection[Future[Piece]]) -> RunStatus | None:
        """Store what came back, also when one of them met an error; that is raised after it."""
        trouble = [error for future in finished if (error := future.exception()) is not None]
        status = self._store([future.result() for future in finished if future.exception() is None])
        if trouble:
            raise trouble[0]
        self.unseen += len(finished)
        if self.unseen >= LOOK_AGAIN and monotonic() > self.look_from:
            self._look()
        return status

    def _look(self) -> None:
        """At what repeats in the writer's examples: the pieces from now on are asked to avoid it."""
        started = monotonic()
        with db.reading(self.settings) as session:
            self.avoid = avoidance.avoid_list(session, self.row.user_id)
        ended = monotonic()
        self.unseen, self.look_from = 0, ended + (ended - started) / LOOK_SHARE

    def _bill(self, late: Future[Piece]) -> None:
        """A piece that came too late to be stored: its calls were made, and may have cost something."""
        if late.cancelled() or late.exception() is not None:
            return
        piece = late.result()
        if not piece.calls and not piece.judge_calls:
            return
        try:
            with db.session(self.settings) as session:
                self._note(session, piece)
        except Exception:  # in a thread that nobody waits for
            log.exception("the calls of a piece that came late could not be noted")

    def _write(self, draw: Draw) -> Piece:
        draw = replace(draw, brief=replace(draw.brief, avoid=self.avoid))
        return self.desk.write(draw, random.Random(f"{self.row.seed}:{draw.idx}").getrandbits(31))

    def _store(self, pieces: Sequence[Piece]) -> RunStatus | None:
        """One transaction: proof that the lease holds, heartbeat, and the rows."""
        with db.session(self.settings) as session:
            for piece in pieces:  # its calls were made, whoever the run belongs to now
                self._note(session, piece)
            status = leases.holds(session, self.row)
            if status is None:
                log.info("session %s is worked on by somebody else now", self.row.session_id)
                return None
            self.leave = self.leave or (self.changed is not None and self.changed(session))
            writers.lock(session, self.row.user_id)  # other runs of this writer keep texts, too
            self._learn(session)
            self._ask_taste(session)
            for piece in pieces:
                if isinstance(piece.ended, NobodyLeft | BudgetSpent):
                    self.ended = self.ended or piece.ended
                elif piece.ended is None:
                    self._store_one(session, piece)
        return status

    def _note(self, session: db.Session, piece: Piece) -> None:
        for role, calls in (("teacher", piece.calls), ("judge", piece.judge_calls)):
            ledger.add(session, self.row.user_id, calls, role=role, session_id=self.row.id)

    def _ask_taste(self, session: db.Session) -> None:
        """What the writer wants of the score now; a change holds from the next piece on."""
        self.taste = taste_of(session, self.row.user_id, self.settings)
        self.desk.keep_score = self.taste.keep_score

    def _learn(self, session: db.Session) -> None:
        """Take in what the writer has kept since the last look, in whatever run."""
        for identity, text in examples.kept_texts(session, self.row.user_id, self.newest_known, KNOWN_TEXTS):
            self.known.add(identity, text)
            self.newest_known = max(self.newest_known, identity)

    def _store_one(self, session: db.Session, piece: Piece) -> None:
        teacher = self.desk.teacher.name[:100]
        example = example_of(piece, self.row, self.taste, self.catalog.version, teacher, self.known)
        if not examples.insert_once(session, example):
            twin = examples.kept_with_hash(session, example.user_id, example.text_hash)
            if twin is None or examples.has_index(session, self.row.id or 0, piece.draw.idx):
                return  # another worker stored this index
            set_aside_as_duplicate(example, twin, SAME_WORDS)
            examples.insert_once(session, example)
        session.add_all(candidates_of(piece, example))
        if example.status == ExampleStatus.kept:
            if self.row.saved_to_database and (example.quality or 0) >= self.settings.story_score:
                examples.add_story(session, example, title=example.prompt[:200])
            if self.row.stored_in_memory:
                examples.remember(session, example)
            self.known.add(example.id or 0, example.completion)
            self.newest_known = max(self.newest_known, example.id or 0)
