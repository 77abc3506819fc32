"""A writer rates a piece: stars say how good it is; keep and discard also move it, whatever it scored."""

from __future__ import annotations

from sqlmodel import Session

from zega_core.errors import InvalidInput, NotFound
from zega_core.pieces import CUT_OFF, SAME_WORDS, set_aside_as_duplicate
from zega_core.quality.agreement import DISCARD, KEEP
from zega_core.quality.spread import Scored, in_turn
from zega_core.quality.stored import read_report
from zega_core.quality.validation import number
from zega_core.settings import Settings
from zega_core.settling import DISCARDED, OWN_WORDS, is_weak
from zega_core.store import examples, ratings, writers
from zega_core.tables import Example, ExampleStatus, now
from zega_core.taste import Taste, taste_of


def rate(
    session: Session,
    writer_id: str,
    example_id: int,
    settings: Settings,
    *,
    stars: int | None = None,
    decision: str | None = None,
) -> str:
    """Note stars (1 to 5), which move nothing, or a decision, which keeps the piece or sets it aside.

    A piece with exactly the words of one that is kept stays set aside; the sentence returned says so and is empty
    otherwise. Raises InvalidInput, and NotFound for another writer's piece as for none.
    """
    if (stars is None) == (decision is None):
        raise InvalidInput("Give either stars, or keep or discard.")
    if stars is not None and (isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= 5):
        raise InvalidInput("A piece gets 1 to 5 stars.")
    if decision is not None and decision not in (KEEP, DISCARD):
        raise InvalidInput("A piece can be kept or discarded.")
    example = _open(session, writer_id, example_id)
    example.rated_at, said = now(), ""
    if stars is not None:
        example.rating = stars
    else:
        before = example.status
        if example.decision is not None:
            _settle(session, example, settings)
        example.decision = decision
        said = _move(session, example)
        _done(session, example, before)
    session.add(example)
    return said


def clear(
    session: Session, writer_id: str, example_id: int, settings: Settings, *, stars: bool = True, decision: bool = True
) -> None:
    """Take back the stars, the decision, or both. Without a decision the piece is kept or set aside by its score again.
    Raises NotFound as ``rate`` does."""
    example = _open(session, writer_id, example_id)
    if stars:
        example.rating = None
    if decision and example.decision is not None:
        before = example.status
        _settle(session, example, settings)
        _done(session, example, before)
    if example.rating is None and example.decision is None:
        example.rated_at = None
    session.add(example)


def waiting(session: Session, writer_id: str) -> list[int]:
    """Pieces without a rating, the one to rate next first."""
    unrated, rated = (ratings.scored(session, writer_id, rated=which) for which in (False, True))
    return in_turn([one for one in unrated if _has_score(one)], [one for one in rated if _has_score(one)])


def _has_score(one: Scored) -> bool:
    return number(one.score, 0, 10) is not None


def _open(session: Session, writer_id: str, example_id: int) -> Example:
    """The piece as it is now, and nobody else changes it until the end of the transaction. Its session's row is taken
    before the writer's, as runs and scoring again do it: nobody waits for one who waits for them."""
    if isinstance(example_id, bool) or not isinstance(example_id, int) or not 0 < example_id < 2**63:
        raise InvalidInput("A piece is named by its number.")
    example = ratings.get(session, writer_id, example_id)
    ratings.hold_session(session, example)
    writers.lock(session, writer_id)
    session.refresh(example)
    if example.status == ExampleStatus.failed or not example.completion:
        raise NotFound("There is no text to rate: the teacher gave no answer.")
    return example


def _move(session: Session, example: Example) -> str:
    twin = examples.kept_with_hash(session, example.user_id, example.text_hash)
    return decide(example, twin)


def decide(example: Example, twin: int | None) -> str:
    """Do what its decision says; ``twin`` is what is kept with its words. A kept piece keeps the reason for which it
    had been set aside, to go back to. The sentence returned says why it stays set aside, and is empty otherwise."""
    if example.decision == DISCARD:
        if example.status == ExampleStatus.kept:
            example.status, example.reason = ExampleStatus.set_aside, DISCARDED
        return ""
    if twin is not None and twin != example.id:
        set_aside_as_duplicate(example, twin, SAME_WORDS)
        return f"{SAME_WORDS} It stays set aside."
    example.status = ExampleStatus.kept
    return ""


def _settle(session: Session, example: Example, settings: Settings) -> None:
    twin = examples.kept_with_hash(session, example.user_id, example.text_hash)
    repeated = example.duplicate_of
    still = repeated is not None and ratings.is_kept(session, example.user_id, repeated)
    undecide(example, twin, repeats=still, taste=taste_of(session, example.user_id, settings))


def undecide(example: Example, twin: int | None, *, repeats: bool, taste: Taste) -> None:
    """Give it the status without a decision: cut off, a duplicate, or by the score that decided. ``twin`` is what is
    kept with its words; it ``repeats`` while what it is a near duplicate of is kept."""
    example.decision = None
    if twin is not None and twin != example.id:
        set_aside_as_duplicate(example, twin, SAME_WORDS)
    elif example.duplicate_of is not None and repeats:
        set_aside_as_duplicate(example, example.duplicate_of, "Much of it is in a piece you have already kept.")
    elif example.reason == CUT_OFF or is_weak(example):
        example.status = ExampleStatus.set_aside
    else:
        by_score(example, taste)


def by_score(example: Example, taste: Taste) -> None:
    """Keep it, or set it aside, by its score alone. Own words are kept."""
    report = read_report(example.quality_report)
    worth, example.duplicate_of = number(example.quality, 0, 10) or 0.0, None
    if worth >= taste.keep_score or example.source in OWN_WORDS:
        example.status, example.reason = ExampleStatus.kept, None
        return
    example.status = ExampleStatus.set_aside
    example.reason = taste.below(report, worth)


def _done(session: Session, example: Example, before: str) -> None:
    """What follows from another status: memory holds what is kept, and the record counts it. A story that was saved
    for reading stays."""
    session.add(example)
    if example.status == before:
        return
    examples.remember_as_it_is(session, example)
    ratings.renew_record(session, example)
