"""Proofs: their runs, the texts that they rest on, and the writer's blind choices."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from zega_core.errors import InvalidInput, NotFound
from zega_core.proof_tables import Proof, ProofText
from zega_core.store import leases
from zega_core.tables import RESUMABLE, UNFINISHED, RunStatus, now
from zega_core.version_tables import Version

CHOICES = ("before", "after", "tie")
"""What a writer may like better; the last is neither."""


def create(
    session: Session,
    writer_id: str,
    version_number: int,
    *,
    against: int | None,
    promote: bool,
    judge: str,
    trigger: str,
) -> Proof:
    """A queued proof. Its texts come when it is prepared."""
    row = Proof(
        user_id=writer_id,
        run_id=secrets.token_hex(16),
        trigger=trigger,
        version_number=version_number,
        against=against,
        promote=promote,
        judge=judge,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, writer_id: str, run_id: str) -> Proof:
    """The writer's proof; another writer's is not found, exactly like one that does not exist."""
    row = session.exec(select(Proof).where(Proof.user_id == writer_id, Proof.run_id == run_id)).first()
    if row is None:
        raise NotFound("There is no such proof. It may have been deleted; choose one on the Fine-Tune page.")
    return row


def by_run_id(session: Session, run_id: str) -> Proof | None:
    """Whoever's it is: for workers."""
    return session.exec(select(Proof).where(Proof.run_id == run_id)).first()


def of_writer(session: Session, writer_id: str) -> list[Proof]:
    """Newest first."""
    return list(session.exec(select(Proof).where(Proof.user_id == writer_id).order_by(col(Proof.id).desc())).all())


def latest_of(session: Session, writer_id: str, version_number: int) -> Proof | None:
    """The newest proof of a version."""
    query = select(Proof).where(Proof.user_id == writer_id, Proof.version_number == version_number)
    return session.exec(query.order_by(col(Proof.id).desc())).first()


def of_pair(session: Session, writer_id: str, version_number: int, against: int | None) -> Proof | None:
    """The newest proof of this version against that one."""
    query = select(Proof).where(
        Proof.user_id == writer_id,
        Proof.version_number == version_number,
        col(Proof.against).is_(None) if against is None else Proof.against == against,
    )
    return session.exec(query.order_by(col(Proof.id).desc())).first()


def under_way(session: Session, writer_id: str) -> list[Proof]:
    """Those that wait or are worked on, oldest first."""
    query = select(Proof).where(Proof.user_id == writer_id, col(Proof.status).in_(UNFINISHED))
    return list(session.exec(query.order_by(col(Proof.id))).all())


def of_newest_version(session: Session, writer_id: str) -> Proof | None:
    """The unfinished proof of the writer's newest version: what is in use may change when it ends."""
    newest = session.exec(
        select(Version.number).where(Version.user_id == writer_id).order_by(col(Version.number).desc())
    ).first()
    return next((row for row in under_way(session, writer_id) if row.version_number == newest), None)


def unfinished(session: Session) -> list[int]:
    """Row ids of everybody's, oldest first."""
    query = select(Proof.id).where(col(Proof.status).in_(UNFINISHED)).order_by(col(Proof.id))
    return [identity for identity in session.exec(query) if identity is not None]


def unfinished_runs(session: Session) -> set[str]:
    """Run ids of everybody's."""
    return set(session.exec(select(Proof.run_id).where(col(Proof.status).in_(UNFINISHED))).all())


def ask_to_continue(session: Session, row: Proof) -> Proof | None:
    """Queue a stopped or failed one again; None if there is nothing to continue, or another press was first."""
    return leases.queue_again(session, row, RESUMABLE)


def ask_judge(session: Session, row: Proof, judge: str) -> Proof | None:
    """Queue one that has a verdict again, for this judge to read its texts; it puts nothing in use any more. None if
    another press was first. Raises InvalidInput while there is no verdict."""
    if not row.verdict or row.status in UNFINISHED:
        raise InvalidInput("This proof has not ended yet. Wait for its verdict, or press Continue; then ask a judge.")
    for text in texts(session, row):  # what could not be used is asked for again
        said = text.judged.get(judge) if isinstance(text.judged, dict) else None
        if isinstance(said, dict) and said.get("winner") not in CHOICES:
            text.judged = {name: one for name, one in text.judged.items() if name != judge}
            session.add(text)
    session.flush()
    again = [RunStatus.done, *RESUMABLE]
    return leases.queue_again(session, row, again, judge=judge, promote=False)


def take_over(session: Session, row: Proof) -> Proof | None:
    """Make a new attempt of one that nobody works on any more; None if somebody was faster."""
    return leases.queue_again(session, row, UNFINISHED)


def texts(session: Session, row: Proof) -> list[ProofText]:
    """By place."""
    query = select(ProofText).where(ProofText.proof_id == row.id).order_by(col(ProofText.place))
    return list(session.exec(query).all())


def add_prompts(session: Session, row: Proof, asked: Iterable[ProofText]) -> None:
    """What both are asked; a place that is there already stays as it is. Which text is shown first to a writer who does
    not know which is which is drawn here."""
    there = {text.place for text in texts(session, row)}
    for text in asked:
        if text.place not in there:
            text.proof_id, text.flipped = row.id or 0, bool(secrets.randbelow(2))
            session.add(text)
    session.flush()


def complete(
    session: Session,
    row: Proof,
    place: int,
    side: Literal["before", "after"],
    text: str,
    *,
    ended: bool,
    score: float,
) -> bool:
    """Store what one side wrote, once: a text that is there stays. Whether it is new."""
    mine = col(ProofText.before) if side == "before" else col(ProofText.after)
    found = session.exec(
        update(ProofText)
        .where(col(ProofText.proof_id) == row.id, col(ProofText.place) == place, mine.is_(None))
        .values({side: text, f"{side}_ended": ended, f"score_{side}": score})
        .execution_options(synchronize_session=False)
    )
    return found.rowcount == 1


def add_judgement(session: Session, row: Proof, place: int, judge: str, said: Mapping[str, Any]) -> None:
    """Store what a judge said of one pair beside what others said."""
    query = select(ProofText).where(ProofText.proof_id == row.id, ProofText.place == place)
    text = session.exec(query.with_for_update()).first()
    if text is not None:
        others = text.judged if isinstance(text.judged, dict) else {}
        text.judged = {**others, judge: dict(said)}
        session.add(text)
        session.flush()


def next_blind(session: Session, row: Proof, skip: Collection[int] = ()) -> ProofText | None:
    """The pair to choose on next: both texts are there, the writer has not chosen, and its place is not in ``skip``."""
    waiting = (text for text in texts(session, row) if is_pair(text) and not text.choice)
    return next((text for text in waiting if text.place not in skip), None)


def choose(session: Session, row: Proof, place: int, choice: str) -> None:
    """The writer likes this one better (``CHOICES``); empty takes the choice back. Raises InvalidInput for another
    word and NotFound for a place without two texts."""
    if choice not in ("", *CHOICES):
        raise InvalidInput("Choose one of the two texts, or both alike.")
    text = session.exec(select(ProofText).where(ProofText.proof_id == row.id, ProofText.place == place)).first()
    if text is None or not is_pair(text):
        raise NotFound("There are no two texts to choose from any more. Choose on another pair.")
    text.choice, text.chosen_at = choice, now() if choice else None
    session.add(text)
    session.flush()


def last_chosen(session: Session, row: Proof) -> ProofText | None:
    """The pair that the writer chose on last."""
    query = select(ProofText).where(ProofText.proof_id == row.id, col(ProofText.chosen_at).is_not(None))
    return session.exec(query.order_by(col(ProofText.chosen_at).desc(), col(ProofText.place).desc())).first()


def is_pair(text: ProofText) -> bool:
    return text.before is not None and text.after is not None


def remove_of(session: Session, writer_id: str, version_number: int) -> None:
    """The proofs of a version that is deleted, with their texts."""
    mine = select(Proof.id).where(Proof.user_id == writer_id, Proof.version_number == version_number)
    session.exec(mine.with_for_update()).all()  # a worker that stores prompts or texts now is waited for
    session.exec(delete(ProofText).where(col(ProofText.proof_id).in_(mine)))
    session.exec(delete(Proof).where(col(Proof.user_id) == writer_id, col(Proof.version_number) == version_number))
