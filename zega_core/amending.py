"""Several changes of one example at once, by programs: refused where it was changed since it was read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

from sqlmodel import Session

from zega_core import collection, deciding
from zega_core.changes import hold
from zega_core.errors import ChangedElsewhere, InvalidInput
from zega_core.settings import Settings
from zega_core.store.collection import get
from zega_core.tables import Example


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is None stays. ``stars`` 0 takes them back; ``tags`` are all that it has from now on; ``include`` is learned
    from whatever its score (True), or not any more (False)."""

    completion: str | None = None
    prompt: str | None = None
    stars: int | None = None
    tags: Collection[str] | None = None
    include: bool | None = None


def stamp(example: Example) -> str:
    """Of what a writer can change: another one means that it was changed."""
    parts = (example.completion, example.prompt, example.status, example.rating, example.decision, *example.tags)
    return blake2b("\0".join(map(str, parts)).encode(errors="replace"), digest_size=16).hexdigest()


def amend(
    session: Session, writer_id: str, example_id: int, wanted: Amendment, settings: Settings, *, seen: str | None = None
) -> tuple[Example, list[str]]:
    """The example as it is then, and what was done, a sentence each. With ``seen``, the ``stamp`` of the example as it
    was read, nothing is changed where it is another by now: that raises ChangedElsewhere. Raises InvalidInput,
    NotFound."""
    hold(session, writer_id, deciding.sessions_of(session, writer_id, [get(session, writer_id, example_id).id or 0]))
    session.expire_all()
    example = get(session, writer_id, example_id)
    if seen is not None and seen != stamp(example):
        raise ChangedElsewhere(
            "This example was changed elsewhere since it was read. Nothing was overwritten: read it again, then send "
            "the change with the new value of `seen`."
        )
    if wanted == Amendment():
        raise InvalidInput("Say what to change: completion, prompt, stars, tags or include.")
    said = _changed(session, example, wanted, settings)
    session.flush()
    session.expire_all()
    return get(session, writer_id, example_id), said


def _changed(session: Session, example: Example, wanted: Amendment, settings: Settings) -> list[str]:
    writer_id, identity, said = example.user_id, example.id or 0, list[str]()
    if wanted.completion is not None or wanted.prompt is not None:
        text = example.completion if wanted.completion is None else wanted.completion
        said.append(collection.edit_text(session, writer_id, identity, text, settings, prompt=wanted.prompt))
    if wanted.stars is not None:
        said.append(collection.rate(session, writer_id, [identity], wanted.stars or None, settings))
    if wanted.tags is not None:
        gone = [one for one in example.tags if one not in wanted.tags]
        said.append(collection.tag(session, writer_id, [identity], wanted.tags, gone))
    if wanted.include is not None:
        decide = collection.include if wanted.include else collection.exclude
        said.append(decide(session, writer_id, [identity], settings))
    return said
