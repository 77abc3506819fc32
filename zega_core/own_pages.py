"""A writer's own pages become examples: taken as they come, cut into passages, and for each a prompt to which it is the
answer. The rows are the checkpoint: a passage is stored once, whoever works on it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from hashlib import sha256
from logging import getLogger
from time import monotonic

from zega_core import changes, db, prompting
from zega_core.catalog import load_catalog
from zega_core.conversation_tables import Manuscript
from zega_core.dataset import text_hash
from zega_core.errors import HomeError, InvalidInput, NotFound, ZegaError
from zega_core.manuscripts import backwards, looking
from zega_core.manuscripts.details import genre_of
from zega_core.manuscripts.looking import Look
from zega_core.manuscripts.splitting import Passage
from zega_core.pieces import set_aside_as_duplicate, storable
from zega_core.prompting import Prompted, Prompter
from zega_core.providers.base import Call
from zega_core.quality import QualityReport, score
from zega_core.settings import Settings
from zega_core.settling import OWN_WORDS, Kept, forget_known, known, settle
from zega_core.store import changes as stored_changes
from zega_core.store import leases, ledger, manuscripts, ratings, writers
from zega_core.tables import Example, ExampleStatus, RunStatus, Source
from zega_core.taste import Taste, taste_of

log = getLogger(__name__)

BATCH = 20
"""Passages stored in one transaction. They are scored before it."""
MAX_NAME = 200
LONGEST_PROMPT = 2_000
"""Characters of a prompt that the writer gives."""
REPEATS_OWN = "It repeats a passage of your own pages."
_FREED = 2_000
"""Pieces that are looked at again after an erasure, because they only repeated what is gone."""


def look(data: bytes, name: str) -> Look:
    """Read a file without storing anything. Raises InvalidInput, with a sentence, for what cannot be taken."""
    return looking.look(data, _name(name))


def _name(name: str) -> str:
    return storable(re.split(r"[\\/]", name)[-1]).strip()[:MAX_NAME] or "Pasted pages"


def add(
    session: db.Session,
    writer_id: str,
    name: str,
    data: bytes,
    settings: Settings,
    *,
    genre: str = "",
    ask_teacher: bool = False,
) -> Manuscript:
    """Take pages, to be read by a worker; the same file again gives the one that is there. ``name`` ends as the file
    does; pasted text has no ending. ``genre`` is a key of the catalog or empty. Raises InvalidInput for what cannot be
    taken."""
    if genre:
        load_catalog().genre(genre)
    name = _name(name)
    document, found = looking.read(data, name)
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    words = sha256(data).hexdigest()
    return manuscripts.same(session, writer_id, words) or manuscripts.create(
        session,
        writer_id,
        name=name,
        format=document.format,
        original=data,
        content_hash=words,
        genre=genre,
        ask_teacher=ask_teacher,
        words=found.words,
        chapters=found.chapters,
        passages=len(found.passages),
        notes=looking.notes(document, found),
    )


def run(run_id: str, attempt: int, *, settings: Settings) -> RunStatus | None:
    """Read pages and store what is missing of them; the final status, or None if they are not ours (any more). Raises
    HomeError when the database cannot be written: the run then waits to be taken up again."""
    with db.session(settings) as session:
        row = manuscripts.by_run_id(session, run_id)
        row = None if row is None else leases.begin(session, Manuscript, row.id, attempt)
        if row is None:
            return None
    started, error, notes = monotonic(), None, list(row.notes)
    try:
        work = _Work(row, settings)
        status = work.through()
        notes = work.all_notes()
    except HomeError:
        raise
    except ZegaError as known:
        log.warning("own pages %s failed: %s", run_id, known)
        status, error = RunStatus.failed, f"{known} What was read is safe."
    except Exception as unexpected:
        log.exception("own pages %s failed", run_id)
        status = RunStatus.failed
        error = f"Reading met an error it does not know ({type(unexpected).__name__}). What was read is safe."
    if status is None:
        return None
    with db.session(settings) as session:
        ended = leases.end(session, row, status, monotonic() - started, error, phase="", notes=notes)
    return status if ended else None


class _Work:
    """One attempt."""

    def __init__(self, row: Manuscript, settings: Settings) -> None:
        self.row, self.settings = row, settings
        self.kept = Kept(row.user_id, settings, stored=True)
        self.prompter: Prompter | None = None
        self.notes: list[str] = []
        self.done = row.done

    def through(self) -> RunStatus | None:
        """The status to end with; None when it is not ours any more."""
        with db.session(self.settings) as session:
            status = leases.holds(session, self.row, phase="reading")
            if status in (None, RunStatus.stopping):
                return status and RunStatus.stopped
            data = manuscripts.original(session, self.row.id or 0)
            spent = ledger.spent_beside(session, self.row.user_id, self.row.created_at)
        document, found = looking.read(data, self.row.name)
        self.notes = looking.notes(document, found)
        asked = backwards.requests(found.passages)
        self.genre = self.row.genre or genre_of([one.text for one in found.passages])
        if self.row.ask_teacher:
            self.prompter = prompting.prompter_of(self.row.user_id, self.settings, spent=spent)
        # Stored in their order, so what was deleted since is not written once more.
        missing = list(zip(found.passages, asked, strict=True))[self.done :]
        for start in range(0, len(missing), BATCH):
            status = self._batch(missing[start : start + BATCH])
            if status is None or status == RunStatus.stopping:
                return status and RunStatus.stopped
        return RunStatus.done

    def all_notes(self) -> list[str]:
        return self.notes + (self.prompter.notes() if self.prompter else [])

    def _batch(self, pairs: list[tuple[Passage, backwards.Request]]) -> RunStatus | None:
        """Prompts, scores, then one transaction: proof that the lease holds, heartbeat, and the rows."""
        texts = [storable(passage.text) for passage, _ in pairs]
        prompted = [Prompted(request.prompt) for _, request in pairs]
        if self.prompter is not None:
            asked = [(text, request.prompt) for text, (_, request) in zip(texts, pairs, strict=True)]
            answered = self.prompter.through(asked, self._beat, self._bill)
            if answered is None:
                return self._beat()
            prompted = answered
        reports = [
            score(text, one.prompt, self.genre, request.element)
            for text, one, (_, request) in zip(texts, prompted, pairs, strict=True)
        ]
        with db.reading(self.settings) as session:
            self.kept.learn(session)  # the long part of looking for twins, before the transaction
        with db.session(self.settings) as session:
            for one in prompted:  # its calls were made, whoever the run belongs to now
                ledger.add(session, self.row.user_id, one.calls, role="teacher")
            status = leases.holds(session, self.row, phase="passages", done=self.done + len(pairs))
            if status is None:
                return None
            writers.lock(session, self.row.user_id)  # other runs of this writer keep texts, too
            taste = taste_of(session, self.row.user_id, self.settings)
            self.kept.learn(session)
            for (passage, request), text, one, report in zip(pairs, texts, prompted, reports, strict=True):
                example = self._example(passage.idx, text, one.prompt, request.element)
                self._store(session, example, report, taste)
        self.done += len(pairs)
        return status

    def _beat(self) -> RunStatus | None:
        with db.session(self.settings) as session:
            return leases.holds(session, self.row)

    def _bill(self, calls: Sequence[Call]) -> None:
        """Calls whose answers came too late to be used: they were made, and may have cost something."""
        if calls:
            with db.session(self.settings) as session:
                ledger.add(session, self.row.user_id, calls, role="teacher")

    def _example(self, idx: int, text: str, prompt: str, element: str) -> Example:
        return Example(
            user_id=self.row.user_id,
            source=Source.manuscript,
            manuscript_id=self.row.id,
            idx=idx,
            genre=self.genre,
            element=element,
            origin=self.row.name,
            prompt=prompt,
            completion=text,
            text_hash=text_hash(text),
            status=ExampleStatus.kept,
        )

    def _store(self, session: db.Session, example: Example, report: QualityReport, taste: Taste) -> None:
        settle(session, example, report, taste.worth(report, None), taste, self.kept)
        gave_way: list[Example] = []
        while example.status == ExampleStatus.kept and (twin := self.kept.twin(session, example)) is not None:
            other = ratings.get(session, self.row.user_id, twin[0])
            if other.source != Source.imported or other.decision is not None:
                set_aside_as_duplicate(example, *twin)
                break
            other.status, other.reason = ExampleStatus.set_aside, REPEATS_OWN  # the writer's own words come first
            self.kept.remove(other)
            gave_way.append(other)
            session.flush()
        session.add(example)
        session.flush()
        for other in gave_way:
            other.duplicate_of = example.id if example.status == ExampleStatus.kept else example.duplicate_of
        if example.status == ExampleStatus.kept:
            self.kept.add(example)


def erase(session: db.Session, writer_id: str, run_id: str, settings: Settings) -> int:
    """The original, the passages made of it, and the stories, what is remembered and what could be undone of them; how
    many passages. Of passages that were deleted before, too. What was set aside only because it repeats one of them is
    looked at again. A run under way ends."""
    row = manuscripts.get(session, writer_id, run_id)
    leases.ask_to_stop(session, row)  # holds the row: a batch under way is stored before this, or not at all
    writers.lock(session, writer_id)
    ids = manuscripts.passage_ids(session, writer_id, row.id or 0)
    gone, stories = manuscripts.deleted(session, row)
    manuscripts.remove_stories(session, writer_id, ids, stories)
    for some in changes.in_chunks(ids):
        stored_changes.remove(session, writer_id, some)
    changes.erase(session, writer_id, [*ids, *gone])
    manuscripts.remove(session, row)
    session.flush()
    _free(session, writer_id, [*ids, *gone], settings)
    return len(ids)


def _free(session: db.Session, writer_id: str, ids: Collection[int], settings: Settings) -> None:
    """What repeated only what is gone is kept now, if its score or its writer would have it so."""
    repeats = [
        example
        for some in changes.in_chunks(ids)
        for example in manuscripts.repeating(session, writer_id, some, _FREED)
    ]
    if not repeats:
        return
    # The newest only: to learn all that is kept takes as long as others can wait for SQLite's lock.
    kept, taste = known(session, writer_id, settings), taste_of(session, writer_id, settings)
    forget_known(writer_id, settings)
    for example in repeats[:_FREED]:
        twin = kept.twin(session, example)
        if twin is not None:
            set_aside_as_duplicate(example, *twin)
        elif example.source in OWN_WORDS or (example.quality or 0.0) >= taste.keep_score:
            example.status, example.reason, example.duplicate_of = ExampleStatus.kept, None, None
        else:
            example.reason, example.duplicate_of = taste.below(None, example.quality or 0.0), None
        session.add(example)
        session.flush()
        if example.status == ExampleStatus.kept:
            kept.add(example)


def rewrite_prompt(session: db.Session, writer_id: str, example_id: int, prompt: str, settings: Settings) -> str:
    """Give a passage the writer's own prompt and score it anew; it can be undone. Returns what to tell the writer.
    Raises NotFound for what is no passage of theirs, InvalidInput for what is no prompt."""
    prompt = " ".join(storable(prompt).split())
    example = ratings.get(session, writer_id, example_id)
    if example.manuscript_id is None:
        raise NotFound("There is no such passage. It may have been erased; open the page again.")
    if not 3 <= len(prompt) <= LONGEST_PROMPT:
        raise InvalidInput(f"A prompt has 3 to {LONGEST_PROMPT:,} characters. Write what somebody would ask for.")
    if prompt == example.prompt:
        return "The prompt was like this already."
    changes.hold(session, writer_id, [])
    changes.note(session, writer_id, "edit", [example], batch=secrets.token_hex(16))
    report = score(example.completion, prompt, example.genre, example.element or None)
    example.prompt, example.quality_report = prompt, report.as_dict()
    example.quality_version = report.version
    example.quality = taste_of(session, writer_id, settings).worth(report, example.judge_score)
    session.add(example)
    return "The prompt is changed."
