"""Scoring stored pieces again, without writing them again: after the score or the writer's taste has changed.

The writer's row says how far a pass has come, and is written in the transaction of each batch. So a pass that was
killed goes on where it stood, and two at once (a worker's, the command line's) share the work: a batch that the other
one has stored is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from logging import getLogger
from typing import Any

from zega_core import db, refitting
from zega_core.catalog import load_catalog
from zega_core.errors import HomeError, InvalidInput, NotFound, ZegaError
from zega_core.passes import Outcome, Progress, before_taste, read_progress, signature
from zega_core.quality import QUALITY_VERSION, QualityReport, score
from zega_core.quality.validation import number
from zega_core.settings import Settings
from zega_core.settling import Kept, set_aside_for_its_score, settle
from zega_core.store import scores, writers
from zega_core.store.scores import Text
from zega_core.tables import Example, ExampleStatus, now
from zega_core.tables import Taste as TasteRow
from zega_core.taste import Taste, taste_of

log = getLogger(__name__)

BATCH = 100
"""Pieces stored in one transaction. They are scored before it, so that others wait for the storing only."""
ROUNDS = 2
"""Passes that may follow the first because ratings that came meanwhile have changed the taste."""


def rescore(
    writer_id: str,
    settings: Settings,
    *,
    everything: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Score again every piece of the writer whose score is of another version; all of them with ``everything`` or
    when the writer's taste has changed. A pass that was interrupted goes on with its rest.

    ``dry_run`` finds out what would change and stores nothing. ``progress`` is told how many are done of how many.
    Once ``stop`` is set the pass ends with what is stored; its outcome is not ``finished``. Raises NotFound for a
    writer that there is not, HomeError when the database cannot be used.
    """
    with db.reading(settings) as session:
        try:
            writers.get(session, writer_id)
        except NotFound as error:
            raise NotFound(f"There is no writer called {writer_id}.") from error
    stop, tell = stop or threading.Event(), progress or (lambda done, of: None)
    if dry_run:
        taste = refitting.foresee(writer_id, settings, measured)
        return _Pass(writer_id, settings, everything, stop=stop, foreseen=taste).run(tell).outcome(dry_run)
    refitting.refit(writer_id, settings, measured, stop)
    state = _Pass(writer_id, settings, everything, stop=stop).run(tell)
    for _ in range(ROUNDS):  # a piece may have been rated meanwhile, before it had its report of today
        if not state.finished or not refitting.refit(writer_id, settings, measured, stop):
            break
        state = _Pass(writer_id, settings, False, stop=stop).run(tell)
    return state.outcome()


def measured(text: Text, written: str) -> QualityReport | None:
    """None for a row that another version wrote, or nobody of ours."""
    if not all(isinstance(one, str) for one in (written, text.prompt, text.genre, text.element)):
        return None
    try:
        if text.genre:  # what was imported may have neither
            load_catalog().genre(text.genre)
        element = load_catalog().element(text.element) if text.element else None
    except InvalidInput:
        return None
    return score(written, text.prompt, text.genre, element)


def answer(writer_id: str, settings: Settings) -> None:
    """Do what a page asked for, once. A failure is kept as a sentence for the page; raises HomeError, after which the
    request waits to be taken up again."""
    with db.reading(settings) as session:
        if not scores.waits(scores.peek(session, writer_id)):
            return
    try:
        rescore(writer_id, settings)
        return
    except HomeError:
        raise
    except ZegaError as known:
        error = str(known)
    except Exception as unexpected:
        log.exception("the pieces of a writer could not be scored again")
        error = f"Scoring again met an error it does not know ({type(unexpected).__name__})."
    with db.session(settings) as session:
        row = scores.row(session, writer_id, hold=True)
        before = row.rescore_result if isinstance(row.rescore_result, dict) else {}
        row.rescore_result = {**before, "error": f"{error} What was scored is safe."}
        session.add(row)


@dataclass(slots=True)
class _Scored:
    """A batch, measured: reports by the id of the piece, votes by the id of the candidate."""

    texts: dict[int, Text]
    reports: dict[int, QualityReport]
    votes: dict[int, float]
    unreadable: int


class _Pass:
    """One pass over a writer's pieces. ``state`` is what is stored of it, or would be: with ``foreseen``, the taste
    that would be fitted first, nothing is stored."""

    def __init__(
        self,
        writer_id: str,
        settings: Settings,
        everything: bool,
        *,
        stop: threading.Event,
        foreseen: Taste | None = None,
    ) -> None:
        self.writer_id, self.settings, self.stored, self.stop = writer_id, settings, foreseen is None, stop
        self._foreseen = foreseen
        self._begin(everything)

    def run(self, tell: Callable[[int, int], None]) -> Progress:
        """To its end, or until it is stopped."""
        while not self.state.finished:
            tell(self.state.done, self.state.of)
            if not self.next_batch():
                break
        tell(self.state.done, max(self.state.of, self.state.done))
        return self.state

    def _taste(self, session: db.Session) -> Taste:
        return self._foreseen or taste_of(session, self.writer_id, self.settings)

    def _transaction(self) -> Any:
        return db.session(self.settings) if self.stored else db.reading(self.settings)

    def _begin(self, everything: bool, *, shared: bool = False) -> None:
        """Take up the pass that was interrupted, or begin a new one. ``shared`` also takes one that is finished: it
        was ours, and another process has done the rest."""
        self.kept = Kept(self.writer_id, self.settings, stored=self.stored)
        with self._transaction() as session:
            row = self._row(session)
            taste = self._taste(session)
            sign, last = signature(taste), read_progress(row.rescore_result)
            everything = everything or before_taste(session, row, taste) > 0 or self._would_change(session)
            if last is not None and self._goes_on(last, sign, everything, shared):
                self.state = replace(last, error="")
            else:
                self.state = Progress(time.time(), QUALITY_VERSION, sign, everything, of=0)
            if not self.state.finished:
                rest = scores.count(session, self.writer_id, not_of=self._not_of, after=self.state.after)
                self.state = replace(self.state, of=self.state.done + rest)
                self._write(session, row)

    def _would_change(self, session: db.Session) -> bool:
        """Whether fitting first, which is only foreseen, would change the taste."""
        now_acting = taste_of(session, self.writer_id, self.settings).acting()
        return self._foreseen is not None and self._foreseen.acting() != now_acting

    def _goes_on(self, last: Progress, sign: str, everything: bool, shared: bool) -> bool:
        same = (last.version, last.taste) == (QUALITY_VERSION, sign) and last.everything >= everything
        return self.stored and same and (shared or not last.finished)

    @property
    def _not_of(self) -> int | None:
        return None if self.state.everything else QUALITY_VERSION

    def _row(self, session: db.Session) -> TasteRow:
        return scores.row(session, self.writer_id, hold=True) if self.stored else scores.peek(session, self.writer_id)

    def _write(self, session: db.Session, row: TasteRow) -> None:
        self.state = replace(self.state, at=time.time())
        if self.stored:
            row.rescore_result = asdict(self.state)
            session.add(row)

    def next_batch(self) -> bool:
        """Score and store one; False when the pass was stopped."""
        if self.stop.is_set():
            return False
        with db.reading(self.settings) as session:
            taste = self._taste(session)
            texts = scores.texts(session, self.writer_id, not_of=self._not_of, after=self.state.after, limit=BATCH)
            votes = scores.candidates(session, self.writer_id, [text.id for text in texts])
        batch = self._scored(texts, votes)
        if batch is None:
            return False
        if any(self._may_come_back(text, batch, taste) for text in texts):
            with db.reading(self.settings) as session:  # the long part of looking for twins, before the transaction
                self.kept.learn(session)
        self._store(batch)
        return True

    def _scored(self, texts: list[Text], votes: list[tuple[int, int, str]]) -> _Scored | None:
        """None when the pass was stopped meanwhile."""
        batch = _Scored({text.id: text for text in texts}, {}, {}, 0)
        for text in texts:
            if self.stop.is_set():
                return None
            report = measured(text, text.completion)
            if report is None:
                batch.unreadable += 1
            else:
                batch.reports[text.id] = report
        for candidate, piece, written in votes:
            report = measured(batch.texts[piece], written)
            if report is not None:
                batch.votes[candidate] = report.score
        return batch

    def _may_come_back(self, text: Text, batch: _Scored, taste: Taste) -> bool:
        report = batch.reports.get(text.id)
        if report is None or text.status != ExampleStatus.set_aside:
            return False
        return taste.worth(report, number(text.judge_score, 0, 10)) >= taste.keep_score

    def _store(self, batch: _Scored) -> None:
        """One transaction: proof that nobody else has done this batch and that the taste is the same, then the rows."""
        with self._transaction() as session:
            mine = {text.session_id for text in batch.texts.values() if text.session_id is not None}
            records = scores.hold_records(session, self.writer_id, mine) if self.stored else []
            row = self._row(session)
            taste = self._taste(session)
            ours = self._still_ours(row, taste)
            if ours:
                self._settle_all(session, batch, taste)
                self._advance(session, row, batch)
                for session_id in records:
                    scores.write_scores_of_record(session, session_id)
        if not ours:
            self._begin(self.state.everything, shared=True)

    def _still_ours(self, row: TasteRow, taste: Taste) -> bool:
        if signature(taste) != self.state.taste:
            return False
        stored = read_progress(row.rescore_result)
        here = (self.state.pass_id, self.state.after, self.state.done)
        return not self.stored or (stored is not None and (stored.pass_id, stored.after, stored.done) == here)

    def _settle_all(self, session: db.Session, batch: _Scored, taste: Taste) -> None:
        """What falls goes first: it is no twin any more of what comes back."""
        found = scores.pieces(session, self.writer_id, batch.reports, hold=self.stored)
        # Another text than the one that was scored: whoever wrote it has scored it.
        found = [one for one in found if one.completion == batch.texts[one.id or 0].completion]
        worth = {one.id or 0: taste.worth(batch.reports[one.id or 0], number(one.judge_score, 0, 10)) for one in found}
        if any(set_aside_for_its_score(one) and worth[one.id or 0] >= taste.keep_score for one in found):
            self.kept.learn(session)
        for example in sorted(found, key=lambda one: worth[one.id or 0] >= taste.keep_score):
            if not self.stored:
                session.expunge(example)
            identity = example.id or 0
            before, version, status = number(example.quality, 0, 10), example.quality_version, example.status
            settle(session, example, batch.reports[identity], worth[identity], taste, self.kept)
            self._count(before, version, status, example)
        if self.stored:
            session.flush()
            scores.set_vote_qualities(session, self.writer_id, batch.votes)
            scores.set_story_qualities(session, self.writer_id, worth)

    def _count(self, before: float | None, version: object, status: str, example: Example) -> None:
        state, after = self.state, example.quality or 0.0
        name = "none" if version is None else str(version)[:20]
        self.state = replace(
            state,
            counted=state.counted + 1,
            changed=state.changed + (before is None or abs(before - after) > 1e-9),
            now_kept=state.now_kept + (status != example.status == ExampleStatus.kept),
            now_set_aside=state.now_set_aside + (status != example.status == ExampleStatus.set_aside),
            scored_before=state.scored_before + (before is not None),
            sum_before=state.sum_before + (before or 0.0),
            sum_after=state.sum_after + (0.0 if before is None else after),
            from_versions={**state.from_versions, name: state.from_versions.get(name, 0) + 1},
        )

    def _advance(self, session: db.Session, row: TasteRow, batch: _Scored) -> None:
        after, unreadable = max(batch.texts, default=self.state.after), self.state.unreadable + batch.unreadable
        self.state = replace(self.state, after=after, unreadable=unreadable, finished=not batch.texts)
        if self.stored and self.state.finished:
            row.rescored_at = now()
        self._write(session, row)
