"""What a writer does to the stories on their shelf: save, look for, change, delete.

A story is for reading and is no training data: it belongs to the example that it was saved from, where there is one,
and neither changes the other. Ids of other writers' stories are like those of none.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

from sqlmodel import Session

from zega_core.catalog import load_catalog
from zega_core.configs import GenreKey
from zega_core.errors import ChangedElsewhere, InvalidInput
from zega_core.pieces import storable
from zega_core.store import collection, stories, writers, writing_choices
from zega_core.store.stories import ORDERS, UNKNOWN, Hanging
from zega_core.tables import Story, now
from zega_core.writing_configs import MAX_GIVEN
from zega_core.writing_tables import Take

__all__ = ["MAX_BODY", "MAX_TITLE", "ORDERS", "PAGE", "UNKNOWN", "Hanging"]
MAX_TITLE = 200
MAX_BODY = MAX_GIVEN
"""Characters of a story."""
PAGE = 20
_EMPTY_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
_TITLE_WORDS = 60
"""Characters of the first words, where they stand in for a title."""


def save(
    session: Session,
    writer_id: str,
    title: str,
    body: str,
    *,
    genre: str = "",
    element: str = "",
    take: Take | None = None,
    example_id: int | None = None,
) -> Story:
    """Put a story on the shelf. Without a title its first words are its title. ``take`` is what it was written as; the
    same words of one take, or of one example, are saved once: a second time that story is returned. Raises
    InvalidInput, and NotFound for a take or an example that is not the writer's."""
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    body = _body(body)
    stored = None if take is None else stories.take(session, writer_id, take.id)
    here = _saved(session, writer_id, body, stored, example_id)
    if here is None:
        here = stories.add(
            session,
            Story(
                user_id=writer_id,
                example_id=_free(session, writer_id, example_id),
                title=_title(title, body),
                genre=_genre(genre),
                element=_element(element),
                body=body,
                quality=_quality(session, writer_id, body, stored, example_id),
            ),
        )
        _remember(session, writer_id)
    if stored is not None:
        stored.story_id = here.id
        session.add(stored)
        session.flush()
    return here


def get(session: Session, writer_id: str, story_id: int) -> Story:
    """Raises NotFound."""
    return stories.get(session, writer_id, story_id)


def stamp(story: Story) -> str:
    """Of its title, text and genre: another one means that it was changed."""
    return blake2b(
        "\0".join((story.title, story.body, story.genre)).encode(errors="replace"), digest_size=16
    ).hexdigest()


def edit(
    session: Session,
    writer_id: str,
    story_id: int,
    title: str | None = None,
    body: str | None = None,
    *,
    genre: str | None = None,
    seen: str | None = None,
) -> Story:
    """Change what is given. With ``seen``, the ``stamp`` of the story as it was opened, nothing is changed where it is
    another by now: that raises ChangedElsewhere. A changed text has no score any more. Raises InvalidInput,
    NotFound."""
    story = stories.get(session, writer_id, story_id, to_change=True)
    if seen is not None and seen != stamp(story):
        raise ChangedElsewhere(
            "This story was changed in another window since you opened it here. Nothing was overwritten: look at the "
            "newer text, then save yours over it or take the newer one."
        )
    before = stamp(story)
    text = story.body if body is None else _body(body)
    if text != story.body:
        story.body, story.quality = text, None
        stories.forget(session, writer_id, story_id)
        _remember(session, writer_id)
    if title is not None:
        story.title = _title(title, text)
    if genre is not None and genre != story.genre:
        story.genre = _genre(genre)
    if stamp(story) != before:
        story.updated_at = now()
    session.add(story)
    session.flush()
    return story


def hanging(session: Session, writer_id: str, story_id: int) -> Hanging:
    """What deleting it would touch. Raises NotFound."""
    return stories.hanging(session, writer_id, stories.get(session, writer_id, story_id))


def delete(session: Session, writer_id: str, story_id: int) -> None:
    """For good, with what is remembered of it. What was written from it, its example, and the text that it was saved
    from stay. Raises NotFound."""
    stories.get(session, writer_id, story_id, to_change=True)
    stories.remove(session, writer_id, story_id)


def search(
    session: Session,
    writer_id: str,
    text: str = "",
    genre: str = "",
    order: str = "newest",
    page: int = 1,
    size: int = PAGE,
) -> tuple[list[Story], int]:
    """A page of what matches, and how many match: ``text`` are words, or beginnings of words, that must all be in title
    or text, and phrases in quotes; ``genre`` may be ``UNKNOWN``; ``order`` is one of ``ORDERS``. Raises
    InvalidInput."""
    return stories.page(session, writer_id, text, genre, order, page, size)


def _saved(session: Session, writer_id: str, body: str, take: Take | None, example_id: int | None) -> Story | None:
    """The story that is there with these words of this take or example."""
    there = None
    if take is not None and take.story_id is not None:
        there = next(iter(stories.rows(session, writer_id, [take.story_id])), None)
    if there is None and example_id is not None:
        there = stories.of_example(session, writer_id, example_id)
    return there if there is not None and there.body == body else None


def _free(session: Session, writer_id: str, example_id: int | None) -> int | None:
    """The example, unless another story belongs to it already. Raises NotFound for one that is not the writer's."""
    if example_id is None:
        return None
    known = collection.get(session, writer_id, example_id).id or 0
    return None if stories.of_example(session, writer_id, known) is not None else known


def _quality(session: Session, writer_id: str, body: str, take: Take | None, example_id: int | None) -> float | None:
    """The score of the very text that is saved, where it has one."""
    if example_id is not None and (example := collection.get(session, writer_id, example_id)).completion == body:
        return example.quality
    return take.quality if take is not None and _readable(take.text) == body else None


def _remember(session: Session, writer_id: str) -> None:
    """Ask for memory to be brought up to date where the writer wants stories in it."""
    if "story" in writing_choices.load(session, writer_id).memory:
        writing_choices.ask_for_memory(session, writer_id)


def _readable(text: object) -> str:
    """Line ends mended, control characters gone, no empty lines around it."""
    plain = storable(text).replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""
    plain = "".join(one for one in plain if one in "\n\t" or unicodedata.category(one) != "Cc").rstrip()
    return _EMPTY_LINES.sub("", plain)


def _body(text: object) -> str:
    plain = _readable(text)
    if not plain:
        raise InvalidInput("There is no text yet. Write the story first, then save it.")
    if len(plain) > MAX_BODY:
        raise InvalidInput(
            f"A story can have {MAX_BODY:,} characters, and this one has {len(plain):,}. Save it in parts. Nothing of "
            "it is lost."
        )
    return plain


def _title(title: object, body: str) -> str:
    plain = " ".join(_readable(title).split())
    return plain[:MAX_TITLE].strip() or _first_words(body)


def _first_words(body: str) -> str:
    line = " ".join(body.split("\n", 1)[0].split())
    if len(line) <= _TITLE_WORDS:
        return line
    return (line[:_TITLE_WORDS].rsplit(" ", 1)[0] or line[:_TITLE_WORDS]) + "…"


def _genre(genre: str) -> str:
    if genre and genre not in [*GenreKey]:
        raise InvalidInput(f"There is no such genre. Choose from: {', '.join(GenreKey)}; or leave it open.")
    return genre


def _element(element: str) -> str:
    known = [one.key for one in load_catalog().elements]
    if element and element not in known:
        raise InvalidInput(f"There is no such element. Choose from: {', '.join(known)}; or leave it open.")
    return element
