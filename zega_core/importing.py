"""Pairs that a writer brings along in a file: scored, and kept or set aside, as everything else.

Each batch is one transaction, and what is there already is found by its words. So an import that was killed is
completed by importing the file again, and doing that once more adds nothing.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from zega_core import db
from zega_core.analytics import plural
from zega_core.catalog import load_catalog
from zega_core.configs import check_writer_id
from zega_core.dataset import text_hash
from zega_core.errors import InvalidInput
from zega_core.fine_tune import pairs
from zega_core.fine_tune.pairs import Line, Pair
from zega_core.pieces import set_aside_as_duplicate, storable
from zega_core.quality import QualityReport, score
from zega_core.quality.agreement import DISCARD
from zega_core.settings import Settings
from zega_core.settling import Kept, set_aside_for_its_score, settle
from zega_core.store import imported, writers
from zega_core.tables import Example, ExampleStatus, Source
from zega_core.taste import Taste, taste_of

BATCH, BATCH_CHARS = 50, 200_000
"""Pairs, and characters of them, stored in one transaction. They are scored before it."""
MOST = 100_000
"""New pairs that one import takes."""
TOO_BAD = 100_000
"""Faults after which the rest of a file is not read: it must be another kind of file."""
TOLD = 1_000
"""Lines after which progress is told where nothing is stored."""
SHOWN = 200
"""Errors that are told one by one."""
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Imported:
    """``duplicates`` were there already, word for word, and ``claimed`` are those of them that now count as the
    writer's own. ``errors`` are line and sentence of the first ``SHOWN`` of ``bad``; ``notes`` are sentences on the
    whole. ``finished`` unless it was stopped, or met its limit."""

    kept: int
    set_aside: int
    duplicates: int
    claimed: int
    bad: int
    errors: list[tuple[int, str]]
    notes: list[str]
    finished: bool


def import_pairs(
    writer_id: str,
    source: Path | Iterable[str | bytes],
    settings: Settings,
    *,
    own: bool,
    name: str = "",
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Imported:
    """Store the pairs of a JSONL file, or of its lines (``fine_tune.pairs``). ``own`` when the writer wrote them: they
    are kept whatever their score, and weigh as manuscript pages. ``name`` is the file's.

    ``progress`` is told bytes read and bytes in all (0 where that is not known) now and then. Once ``stop`` is set it
    ends with what is stored. Raises InvalidInput for a file that cannot be read at all, HomeError when the database
    cannot be used.
    """
    check_writer_id(writer_id)
    called = _file_name(name or (source.name if isinstance(source, Path) else ""))
    size = source.stat().st_size if isinstance(source, Path) and source.is_file() else 0
    work = _Import(writer_id, settings, own, called)
    tell, stop = progress or (lambda done, of: None), stop or threading.Event()
    number = 0
    for line in pairs.read(source, called or "The file", load_catalog()):
        number += 1
        work.note(line)
        for pair in line.pairs:
            work.take(pair)
            if work.full:
                work.store()
                tell(line.end, size)
            if work.over or stop.is_set():
                break
        if number % TOLD == 0:
            tell(line.end, size)
        if stop.is_set():
            return work.outcome(finished=False)
        if work.over:
            break
    if not number:
        raise InvalidInput(f"{called or 'The file'} holds no pairs: it is empty.")
    work.store()
    if not work.over:
        tell(size, size)
    return work.outcome(finished=not work.over)


def _file_name(name: str) -> str:
    return storable(re.split(r"[\\/]", name)[-1]).strip()[:MAX_NAME]


class _Import:
    """One import under way."""

    def __init__(self, writer_id: str, settings: Settings, own: bool, name: str) -> None:
        self.writer_id, self.settings, self.name = writer_id, settings, name
        self.source = Source.manuscript if own else Source.imported
        self.kept = Kept(writer_id, settings, stored=True)
        self.waiting: dict[str, Pair] = {}
        self.counts: Counter[str] = Counter()
        self.errors: list[tuple[int, str]] = []
        self.unknown: Counter[str] = Counter()
        self.chars = 0
        with db.session(settings) as session:
            writers.ensure(session, writer_id)

    @property
    def full(self) -> bool:
        return len(self.waiting) >= BATCH or self.chars >= BATCH_CHARS

    @property
    def stored(self) -> int:
        return self.counts[ExampleStatus.kept] + self.counts[ExampleStatus.set_aside]

    @property
    def over(self) -> bool:
        return self.stored >= MOST or self.counts["bad"] >= TOO_BAD

    def note(self, line: Line) -> None:
        """What is to be said of a line."""
        self.counts["system"] += line.system
        self.counts["bad"] += len(line.faults)
        self.errors += [(line.number, fault) for fault in line.faults[: SHOWN - len(self.errors)]]
        if len(self.unknown) < SHOWN:
            self.unknown.update(line.unknown)

    def take(self, pair: Pair) -> None:
        pair = replace(
            pair,
            prompt=storable(pair.prompt),
            completion=storable(pair.completion),
            tags=tuple(map(storable, pair.tags)),
        )
        words = text_hash(pair.completion)
        if words in self.waiting:
            self.counts["duplicates"] += 1
            return
        self.waiting[words] = pair
        self.chars += len(pair.prompt) + len(pair.completion)

    def store(self) -> None:
        """Score and store what waits."""
        waiting, self.waiting, self.chars = self.waiting, {}, 0
        if not waiting:
            return
        with db.reading(self.settings) as session:
            there = imported.present(session, self.writer_id, waiting)
            new = {words: pair for words, pair in waiting.items() if words not in there}
            if not new and not any(self._claims(example) for example in there.values()):
                self.counts["duplicates"] += len(waiting)
                return
            self.kept.learn(session)  # the long part of looking for twins, before the transaction
        reports = {words: _scored(pair) for words, pair in new.items()}
        with db.session(self.settings) as session:
            writers.lock(session, self.writer_id)  # runs of this writer keep texts, too
            taste = taste_of(session, self.writer_id, self.settings)
            self.kept.learn(session)
            there = imported.present(session, self.writer_id, waiting)
            for words, pair in waiting.items():
                if words in there:
                    self._meet(session, there[words])
                else:
                    self._add(session, pair, words, reports.get(words) or _scored(pair), taste)

    def _add(self, session: db.Session, pair: Pair, words: str, report: QualityReport, taste: Taste) -> None:
        example = Example(
            user_id=self.writer_id,
            source=self.source,
            genre=pair.genre,
            element=pair.element,
            origin=self.name or None,
            prompt=pair.prompt,
            completion=pair.completion,
            text_hash=words,
            tags=list(pair.tags),
            status=ExampleStatus.kept,
        )
        settle(session, example, report, taste.worth(report, None), taste, self.kept)
        if example.status == ExampleStatus.kept and (twin := self.kept.twin(session, example)) is not None:
            set_aside_as_duplicate(example, *twin)
        session.add(example)
        session.flush()
        if example.status == ExampleStatus.kept:
            self.kept.add(example)
        self.counts[example.status] += 1

    def _claims(self, example: Example) -> bool:
        """Whether words that were imported before turn out to be the writer's own."""
        imported_before = example.source == Source.imported and example.decision != DISCARD
        return self.source == Source.manuscript and imported_before

    def _meet(self, session: db.Session, example: Example) -> None:
        self.counts["duplicates"] += 1
        if not self._claims(example):
            return
        self.counts["claimed"] += 1
        example.source = Source.manuscript
        if example.status == ExampleStatus.set_aside and set_aside_for_its_score(example):
            twin = self.kept.twin(session, example)
            if twin is not None:
                set_aside_as_duplicate(example, *twin)
            else:
                example.status, example.reason = ExampleStatus.kept, None
                self.kept.add(example)
        session.add(example)

    def outcome(self, finished: bool) -> Imported:
        return Imported(
            kept=self.counts[ExampleStatus.kept],
            set_aside=self.counts[ExampleStatus.set_aside],
            duplicates=self.counts["duplicates"],
            claimed=self.counts["claimed"],
            bad=self.counts["bad"],
            errors=self.errors,
            notes=list(self._notes()),
            finished=finished,
        )

    def _notes(self) -> Iterable[str]:
        if self.stored >= MOST:
            yield f"One import takes {MOST:,} new pairs. Import the file again to go on with the rest."
        if self.counts["bad"] >= TOO_BAD:
            yield f"{TOO_BAD:,} lines cannot be used, so the rest was not read. Check that this is the right file."
        if self.counts["bad"] > SHOWN:
            yield f"Only the first {SHOWN} of {self.counts['bad']:,} errors are listed."
        if self.counts["system"]:
            yield f"System messages are not learned from: {plural(self.counts['system'], 'line')} had one."
        if self.unknown:
            names = ", ".join(name for name, _ in self.unknown.most_common(5))
            yield f"ZEGA does not know these, so they were left empty: {names}."


def _scored(pair: Pair) -> QualityReport:
    return score(pair.completion, pair.prompt, pair.genre, pair.element or None)


def in_words(found: Imported, called: str = "line") -> list[str]:
    """What came of an import, a sentence each; then every line (``called`` a row in a table) that could not be taken,
    and why."""
    said = f"{plural(found.kept, 'pair')} kept, {found.set_aside:,} set aside, {found.duplicates:,} there already."
    if found.claimed:
        said += f" {found.claimed:,} of those count as your own words now."
    if found.bad:
        said += f" {plural(found.bad, called)} could not be taken."
    if called == "row":  # whose columns have names of their own
        return [said, *found.notes, *(f"Row {line}: {_of_a_row(why)}" for line, why in found.errors)]
    return [said, *found.notes, *(f"{called.capitalize()} {line}: {why}" for line, why in found.errors)]


def _of_a_row(why: str) -> str:
    return why.replace('"prompt"', "What was asked").replace('"completion"', "The text")
