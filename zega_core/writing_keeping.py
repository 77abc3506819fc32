"""What a writer does with a text that a model wrote: edit it, rate it, keep it as an example, choose it, put it on the
shelf. Everything is in the caller's transaction.

A text with 4 or 5 stars, one that was edited, and one that the writer keeps by a word are examples; 1 or 2 stars take
that back. The prompt of the example is the request in the form used in training, without what stood around it.
"""

from __future__ import annotations

import unicodedata

from sqlmodel import Session

from zega_core import changes, collection, shelf
from zega_core.dataset import text_hash
from zega_core.errors import InvalidInput
from zega_core.pieces import SAME_WORDS, set_aside_as_duplicate, storable
from zega_core.quality.agreement import KEEP
from zega_core.settings import Settings
from zega_core.settling import known
from zega_core.store import examples, writings
from zega_core.tables import Example, ExampleStatus, Source, Story, now
from zega_core.taste import refit, taste_of
from zega_core.writing_configs import WriteRequest
from zega_core.writing_requests import form_of, scored, subject
from zega_core.writing_tables import Take, TakeState

MAX_CHARS = 20_000
GOOD, BAD = 4, 2
"""From how many stars on a text is learned from, and up to how many it is not."""


def edit(session: Session, writer_id: str, take_id: int, text: str, settings: Settings) -> Take:
    """Change a text, and keep it as an example: with the model's own text it is a preference pair, the edit being
    preferred. That text stays beside it until the take reads like it again; then what only the edit kept is let go.
    Raises InvalidInput, NotFound."""
    text = _checked(text)
    take = _written(session, writer_id, take_id)
    if text == take.text:
        return take
    original = take.text if take.original is None else take.original
    by_edit = _kept_by_edit(session, take)
    take.original = None if text == original else original
    take.edited_at = None if take.original is None else take.edited_at or now()
    take.text = text
    wanted = _request(session, take)
    report = scored(text, _asked(take, wanted), wanted)
    take.quality = taste_of(session, writer_id, settings).worth(report, None)
    session.add(take)
    session.flush()
    if take.original is None and by_edit:
        return _let_go(session, take, settings)
    if take.example_id is not None:
        collection.edit_text(session, writer_id, take.example_id, text, settings)
    elif take.original is not None:
        _keep(session, take, settings)
    return take


def rate(session: Session, writer_id: str, take_id: int, stars: int | None, settings: Settings) -> Take:
    """Give stars, 1 to 5, or take them back with None. Raises InvalidInput, NotFound."""
    if stars is not None and (isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= 5):
        raise InvalidInput("A text gets 1 to 5 stars.")
    take = _written(session, writer_id, take_id)
    take.rating = stars
    session.add(take)
    session.flush()
    if stars is not None and stars <= BAD:
        return _let_go(session, take, settings)
    if take.example_id is not None:
        collection.rate(session, writer_id, [take.example_id], stars, settings)
    if stars is not None and stars >= GOOD:
        _keep(session, take, settings)
    return take


def keep(session: Session, writer_id: str, take_id: int, settings: Settings) -> Example:
    """Learn from a text. The very words of a kept example are kept once: then the new one is set aside, and its reason
    says so. Raises InvalidInput, NotFound."""
    return _keep(session, _written(session, writer_id, take_id), settings)


def unkeep(session: Session, writer_id: str, take_id: int, settings: Settings) -> Take:
    """Learn from it no more: its example is deleted, which can be undone among the examples. Raises NotFound."""
    return _let_go(session, writings.hold_take(session, writer_id, take_id), settings)


def choose(session: Session, writer_id: str, take_id: int) -> list[Take]:
    """The better one of two that were written side by side; both are named from then on. A blind choice stands. Raises
    InvalidInput where there is nothing to choose between, NotFound."""
    take = writings.hold_take(session, writer_id, take_id)
    both = writings.of_pair(session, take) if take.pair else [take]
    if len(both) < 2 or not all(one.text.strip() for one in both):
        raise InvalidInput("There are no two texts to choose between. Let two models write side by side first.")
    if any(one.state == TakeState.writing for one in both):
        raise InvalidInput("One of the two is still being written. Choose when both have ended.")
    if take.blind and take.chosen is False:
        raise InvalidInput("You chose the other one before you knew who wrote it. That stands.")
    for one in both:
        one.chosen = one.id == take.id
        session.add(one)
    session.flush()
    return both


def save_story(session: Session, writer_id: str, take_id: int, title: str, settings: Settings) -> Story:
    """Put a text on the shelf, with its title, else its first words. The same words of one take are saved once. What
    was kept of it as an example is the story's example. Raises InvalidInput, NotFound."""
    take = _written(session, writer_id, take_id)
    wanted = _request(session, take)
    form = form_of(wanted, _asked(take, wanted))
    return shelf.save(
        session,
        writer_id,
        title,
        take.text,
        genre=form.genre,
        element=form.element,
        take=take,
        example_id=take.example_id,
    )


def _written(session: Session, writer_id: str, take_id: int) -> Take:
    """A text that nobody writes any more; nobody else changes what belongs to the writer."""
    take = writings.hold_take(session, writer_id, take_id)
    if take.state == TakeState.writing:
        raise InvalidInput("This text is still being written. Wait for its end, or press Stop first.")
    if not take.text.strip():
        raise InvalidInput("There is no text here. Ask for another one.")
    return take


def _checked(text: object) -> str:
    plain = storable(text).replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""
    plain = "".join(one for one in plain if one in "\n\t" or unicodedata.category(one) != "Cc").strip()
    if not plain:
        raise InvalidInput("An empty text cannot be saved. Write something, or delete it.")
    if len(plain) > MAX_CHARS:
        raise InvalidInput(
            f"A text here can have {MAX_CHARS:,} characters, and this one has {len(plain):,}. Save it as a story and "
            "go on there. Nothing of it is lost."
        )
    return plain


def _request(session: Session, take: Take) -> WriteRequest:
    return writings.request_of(writings.writing_of(session, take))


def _asked(take: Take, wanted: WriteRequest) -> str:
    """What it was asked for in the form used in training."""
    asked = take.context.get("asked") if isinstance(take.context, dict) else None
    return asked if isinstance(asked, str) and asked.strip() else subject(wanted) or wanted.given


def _keep(session: Session, take: Take, settings: Settings) -> Example:
    there = None if take.example_id is None else session.get(Example, take.example_id, populate_existing=True)
    if there is not None:
        if there.status != ExampleStatus.kept and there.reason != SAME_WORDS:
            collection.include(session, take.user_id, [there.id or 0], settings)
            there = session.get_one(Example, take.example_id)
        return there
    changes.hold(session, take.user_id, ())
    example = _example(session, take, settings)
    twin = examples.kept_with_hash(session, take.user_id, example.text_hash)
    if twin is not None:
        before = session.get(Example, twin)
        if before is not None and (before.source, before.completion) == (Source.rating, example.completion):
            example = before  # it was kept, let go, and brought back by Undo
        else:
            set_aside_as_duplicate(example, twin, SAME_WORDS)
    session.add(example)
    session.flush()
    take.example_id = example.id
    session.add(take)
    session.flush()
    if example.rating is not None:
        refit(session, take.user_id, settings)
    return example


def _kept_by_edit(session: Session, take: Take) -> bool:
    """Whether it became an example because it was changed: no earlier than that, and not for its stars."""
    example = None if take.example_id is None else session.get(Example, take.example_id)
    if example is None or take.edited_at is None or (take.rating or 0) >= GOOD:
        return False
    return example.created_at >= take.edited_at


def _example(session: Session, take: Take, settings: Settings) -> Example:
    wanted = _request(session, take)
    asked, moment = _asked(take, wanted), now()
    known(session, take.user_id, settings)  # this process learns of what others kept before this one is added
    form, report = form_of(wanted, asked), scored(take.text, asked, wanted)
    return Example(
        user_id=take.user_id,
        source=Source.rating,
        genre=form.genre,
        element=form.element,
        modifier=wanted.modifier or None,
        prompt=form.prompt,
        completion=take.text,
        text_hash=text_hash(take.text),
        original=take.original,
        edited_at=take.edited_at,
        status=ExampleStatus.kept,
        decision=KEEP,
        rating=take.rating,
        rated_at=moment,
        quality=taste_of(session, take.user_id, settings).worth(report, None),
        quality_report=report.as_dict(),
        quality_version=report.version,
        model=take.model[:100],
        seed=take.seed,
    )


def _let_go(session: Session, take: Take, settings: Settings) -> Take:
    if take.example_id is not None:
        example_id, take.example_id = take.example_id, None
        session.add(take)
        session.flush()
        collection.delete(session, take.user_id, [example_id], settings)
        take = writings.take(session, take.user_id, take.id or 0)
    return take
