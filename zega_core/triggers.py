"""When a fine-tune begins by itself, and how far it is until then."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from zega_core.errors import InvalidInput
from zega_core.fine_tune import data
from zega_core.fine_tune.data import Summary
from zega_core.settings import Settings
from zega_core.store import examples, fine_tunes, proofs, sessions
from zega_core.tables import UNFINISHED


@dataclass(frozen=True, slots=True)
class Until:
    """``new`` examples are kept since the last fine-tune was asked for, ``every`` of them start the next one, if it is
    ``automatic``."""

    new: int
    every: int
    automatic: bool

    @property
    def left(self) -> int:
        return max(0, self.every - self.new)

    def in_words(self) -> str:
        """The line that stands wherever it matters."""
        if not self.automatic:
            return f"{self.new:,} new since the last fine-tune; automatic fine-tunes are off"
        if not self.left:
            return f"{self.new:,} new: the next fine-tune begins by itself"
        return f"{self.new:,} of {self.every:,} until the next fine-tune"


def until_next(session: Session, writer_id: str, settings: Settings) -> Until:
    config = fine_tunes.load_config(session, writer_id)
    every = config.every or settings.fine_tune_every
    return Until(fine_tunes.kept_since(session, writer_id), every, config.automatic)


def is_due(session: Session, writer_id: str, settings: Settings) -> bool:
    """Whether the automatic fine-tune should begin now: not while a session writes, whose pieces it would miss, nor
    while the newest version is proved, which may change what it would go on from."""
    until = until_next(session, writer_id, settings)
    if not until.automatic or until.left or fine_tunes.under_way(session, writer_id):
        return False
    if proofs.of_newest_version(session, writer_id) is not None:
        return False
    last = sessions.latest(session, writer_id)
    writing = last is not None and last.status in UNFINISHED
    return not writing and not missing(session, writer_id)


def check(session: Session, writer_id: str) -> None:
    """Raises InvalidInput when there is too little to learn from, with what is missing."""
    why = missing(session, writer_id)
    if why:
        raise InvalidInput(why)


def missing(session: Session, writer_id: str) -> str:
    """What is missing for a fine-tune, as a sentence; empty when there is enough. Counted, not read: what a fine-tune
    then has to leave out is said when it is prepared."""
    counted = Summary(
        examples=examples.count_kept(session, writer_id), prompts=examples.count_kept_prompts(session, writer_id)
    )
    return data.missing(counted)
