"""When a fine-tune begins by itself, what holds it, and how far it is until then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from zega_core import schedule, tables
from zega_core.configs import TriggerConfig
from zega_core.errors import InvalidInput
from zega_core.fine_tune import data
from zega_core.fine_tune.data import OWN, Summary
from zega_core.settings import Settings
from zega_core.store import examples, fine_tunes, kept, proofs, sessions, training_triggers
from zega_core.tables import UNFINISHED

AUTOMATIC, PAIRS, SCHEDULE = "automatic", "pairs", "schedule"


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


@dataclass(frozen=True, slots=True)
class Due:
    """A fine-tune should begin now: ``trigger`` as in ``FineTune``, and ``why``, half a sentence for the writer."""

    trigger: str
    why: str


@dataclass(frozen=True, slots=True)
class NextUp:
    """What will begin the next fine-tune by itself.

    ``pairs`` answers of ``goal`` are there, while ``by_pairs``, and ``new`` kept examples of ``every``.
    ``scheduled_at`` is the schedule's next moment, None without one. ``reached`` says that one of these is there, and
    so what is waited for is one of the rest: ``not_before`` is when the least time since the last one has passed (None
    when it has), ``holds`` a sentence on what the writer's checks, or learning itself, lack. ``after`` is ``session``
    while pieces are written and ``proof`` while the newest version is proved. ``under_way`` is the run id of a
    fine-tune that waits or runs. Those are empty otherwise. ``on`` is the switch for all of it."""

    pairs: int
    goal: int
    by_pairs: bool
    new: int
    every: int
    scheduled_at: datetime | None
    reached: bool
    not_before: datetime | None
    holds: str
    after: str
    on: bool
    under_way: str


def until_next(session: Session, writer_id: str, settings: Settings) -> Until:
    config = fine_tunes.load_config(session, writer_id)
    every = config.every or settings.fine_tune_every
    return Until(fine_tunes.kept_since(session, writer_id), every, config.automatic)


def goal(session: Session, writer_id: str, settings: Settings) -> int:
    """How many new answers begin the next fine-tune; 0 where answers begin none."""
    config = training_triggers.load(session, writer_id)
    begins = config.by_pairs and fine_tunes.load_config(session, writer_id).automatic
    return _goal(config, settings) if begins else 0


def _goal(config: TriggerConfig, settings: Settings) -> int:
    return config.pairs or settings.conversation_pairs


def due(session: Session, writer_id: str, settings: Settings, now: datetime | None = None) -> tuple[Due | None, str]:
    """The automatic fine-tune that should begin now, else None and what a check of the writer's holds one back for, as
    a sentence, empty where none does. Not while a session writes, whose pieces it would miss, nor while the newest
    version is proved, which may change what it would go on from. Every saved answer asks: it looks once."""
    reason = _ready(session, writer_id, settings, now or tables.now())
    if reason is None or missing(session, writer_id):
        return None, ""
    holds = lacks(session, writer_id)
    return (None, holds) if holds else (reason, "")


def next_up(session: Session, writer_id: str, settings: Settings, now: datetime | None = None) -> NextUp:
    """For a page: how far the next one is, and what it waits for."""
    at, config = now or tables.now(), training_triggers.load(session, writer_id)
    until, under_way = until_next(session, writer_id, settings), fine_tunes.under_way(session, writer_id)
    reached = until.automatic and _reason(session, writer_id, settings, config, until, at) is not None
    return NextUp(
        pairs=fine_tunes.pairs_since(session, writer_id),
        goal=_goal(config, settings),
        by_pairs=config.by_pairs,
        new=until.new,
        every=until.every,
        scheduled_at=None if config.schedule == "off" else schedule.following(*_when(config), at),
        reached=reached,
        not_before=_not_before(session, writer_id, config, at),
        holds=(reached and missing(session, writer_id)) or lacks(session, writer_id),
        after=_after(session, writer_id),
        on=until.automatic,
        under_way=under_way[0].run_id if under_way else "",
    )


def _ready(session: Session, writer_id: str, settings: Settings, at: datetime) -> Due | None:
    """Why one should begin, if nothing but what there is to learn from can hold it."""
    until = until_next(session, writer_id, settings)
    if not until.automatic or fine_tunes.under_way(session, writer_id):
        return None
    config = training_triggers.load(session, writer_id)
    if _not_before(session, writer_id, config, at) or _after(session, writer_id):
        return None
    return _reason(session, writer_id, settings, config, until, at)


def _reason(
    session: Session, writer_id: str, settings: Settings, config: TriggerConfig, until: Until, at: datetime
) -> Due | None:
    pairs = fine_tunes.pairs_since(session, writer_id) if config.by_pairs else 0
    if config.by_pairs and pairs >= _goal(config, settings):
        return Due(PAIRS, f"You have answered {pairs:,} questions")
    if not until.left:
        return Due(AUTOMATIC, f"You have kept {until.new:,} new examples")
    if until.new and _schedule_is_due(session, writer_id, config, at):
        return Due(SCHEDULE, "It is time by your schedule")
    return None


def _schedule_is_due(session: Session, writer_id: str, config: TriggerConfig, at: datetime) -> bool:
    """Whether its newest moment, which may have passed while the machine was off, has had no fine-tune since, and there
    was something new by then. What comes later waits for the next moment."""
    if config.schedule == "off":
        return False
    moment, since = schedule.last(*_when(config), at), training_triggers.since(session, writer_id)
    last = fine_tunes.latest(session, writer_id)
    if since is None or moment <= since or (last is not None and moment <= last.created_at):
        return False
    before = 0 if last is None else last.kept_before
    return examples.count_kept(session, writer_id, until=moment) > before


def _when(config: TriggerConfig) -> tuple[str, str, int | None]:
    return config.at, config.zone, config.weekday if config.schedule == "weekly" else None


def _not_before(session: Session, writer_id: str, config: TriggerConfig, at: datetime) -> datetime | None:
    last = fine_tunes.latest(session, writer_id)
    over = None if last is None else last.created_at + timedelta(hours=config.least_hours)
    return over if over is not None and over > at else None


def _after(session: Session, writer_id: str) -> str:
    if proofs.of_newest_version(session, writer_id) is not None:
        return "proof"
    last = sessions.latest(session, writer_id)
    return "session" if last is not None and last.status in UNFINISHED else ""


def lacks(session: Session, writer_id: str) -> str:
    """What of the writer's own checks is not met by what is kept, with what helps; empty when all are. Counted in the
    database: every saved answer asks."""
    config = training_triggers.load(session, writer_id)
    if config.least_score > 0:
        score = kept.mean_score(session, writer_id)
        if score is not None and round(score, 2) < config.least_score:
            return (
                f"Your examples score {score:.2f} on average, and you ask for {config.least_score:g}. Set weak ones "
                "aside, add better ones, or lower the score."
            )
    if config.least_variety > 1:
        variety = kept.variety(session, writer_id)
        if variety < config.least_variety:
            return (
                f"Your examples have {variety} different genres and elements, and you ask for {config.least_variety}. "
                "Answer questions of other kinds, or lower the number."
            )
    if config.least_own_share > 0:
        share = kept.share_of_words(session, writer_id, OWN)
        if share < config.least_own_share:
            return (
                f"{int(share * 100)} % of the words are your own, and you ask for "
                f"{config.least_own_share * 100:.0f} %. Answer more questions or lower the share."
            )
    return ""


def check(session: Session, writer_id: str) -> None:
    """Raises InvalidInput when there is too little to learn from, with what is missing."""
    why = missing(session, writer_id)
    if why:
        raise InvalidInput(why)


def missing(session: Session, writer_id: str) -> str:
    """What is missing for a fine-tune, as a sentence; empty when there is enough. Counted, not read: what a fine-tune
    then has to leave out is said when it is prepared."""
    counted = Summary(
        examples=examples.count_kept(session, writer_id),
        prompts=examples.count_kept_prompts(session, writer_id, data.LEAST_PROMPTS),
    )
    return data.missing(counted)
