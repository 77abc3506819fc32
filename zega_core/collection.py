"""What a writer does to their examples, one or many at a time: edit, rate, tag, include, exclude, delete.

Each call is one change that can be undone (``changes``), and says in a sentence what was done. Ids of other writers'
examples are like those of none: many are passed over, one is not found. Many are done in parts, so that memory stays
bounded, and more than ``changes.AT_ONCE`` are committed in parts, so that nobody waits long.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from zega_core import changes, deciding
from zega_core.analytics import plural
from zega_core.answering import checked_text, write
from zega_core.dataset import text_hash
from zega_core.errors import InvalidInput
from zega_core.exports import training_data
from zega_core.fine_tune.pairs import LONGEST_TAG, MOST_TAGS
from zega_core.fine_tune.written import FORMS
from zega_core.pieces import SAME_WORDS, set_aside_as_duplicate
from zega_core.quality import score
from zega_core.quality.agreement import DISCARD, KEEP
from zega_core.rating import by_score
from zega_core.settings import Settings
from zega_core.settling import forget_known, known
from zega_core.store import answers, collection, conversations, examples
from zega_core.store import changes as change_rows
from zega_core.store.collection import Filter
from zega_core.tables import Example, ExampleStatus, Source, now
from zega_core.taste import refit, taste_of

LONGEST_PROMPT = 4_000
NOTHING = "Nothing was changed."
EXPORTED_AS = (*FORMS, *(form for form in training_data.SHAPES if form not in FORMS))


def edit_text(
    session: Session, writer_id: str, example_id: int, text: str, settings: Settings, *, prompt: str | None = None
) -> str:
    """Change the text of an example, and what was asked where ``prompt`` is given. It is scored again; the first text
    stays beside it (``Example.original``) until the example reads like that again. Raises InvalidInput, NotFound."""
    text = checked_text(text)
    asked = None if prompt is None else _checked_prompt(prompt)
    ended = changes.hold(
        session, writer_id, deciding.sessions_of(session, writer_id, [_known(session, writer_id, example_id)])
    )
    example = collection.rows(session, writer_id, [example_id])[0]
    if text == example.completion and asked in (None, example.prompt):
        return NOTHING
    changes.note(session, writer_id, "edit", [example], batch=_batch())
    before, example.prompt = example.status, example.prompt if asked is None else asked
    if text != example.completion:
        original = example.completion if example.original is None else example.original
        example.original = None if text == original else original
        example.edited_at = None if example.original is None else now()
        example.judge_score = example.judge_report = None
    _rewrite(session, example, text, settings)
    session.add(example)
    session.flush()
    deciding.follow_in_memory(session, writer_id, [example])
    changes.renew_records(session, ended)
    return _edited(example, before)


def rate(session: Session, writer_id: str, ids: Collection[int], stars: int | None, settings: Settings) -> str:
    """Give stars, 1 to 5, or take them back with None; they move nothing. Raises InvalidInput."""
    if stars is not None and (isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= 5):
        raise InvalidInput("An example gets 1 to 5 stars.")

    def stars_of(example: Example) -> dict[str, Any]:
        if example.rating == stars:
            return {}
        return {"rating": stars, "rated_at": None if stars is None and example.decision is None else now()}

    number = _each(session, writer_id, ids, "rate", stars_of)
    if not number:
        return NOTHING
    refit(session, writer_id, settings)
    said = "lost their stars" if stars is None else f"rated with {plural(stars, 'star')}"
    return f"{plural(number, 'example')} {said}."


def tag(
    session: Session, writer_id: str, ids: Collection[int], add: Collection[str] = (), remove: Collection[str] = ()
) -> str:
    """Add tags and remove others. The same letters in another case are the same tag; it stays as it was first written.
    Raises InvalidInput."""
    spelled = {one.casefold(): one for one in collection.tags(session, writer_id)}
    wanted = [spelled.setdefault(one.casefold(), one) for one in _checked_tags(add)]
    gone = {one.casefold() for one in _checked_tags(remove)}
    full = 0

    def tags_of(example: Example) -> dict[str, Any]:
        nonlocal full
        tags = [one for one in example.tags if one.casefold() not in gone]
        have = {one.casefold() for one in tags}
        tags += [one for one in wanted if one.casefold() not in have]
        full += len(tags) > MOST_TAGS
        return {} if len(tags) > MOST_TAGS or tags == example.tags else {"tags": tags}

    number = _each(session, writer_id, ids, "tag", tags_of)
    most = f"An example can have {MOST_TAGS} tags. Remove one of them first."
    if full and not number:
        raise InvalidInput(most)
    said = f"The tags of {plural(number, 'example')} are changed." if number else NOTHING
    return f"{said} {plural(full, 'example')} stayed as before. {most}" if full else said


def include(session: Session, writer_id: str, ids: Collection[int], settings: Settings) -> str:
    """Learn from them whatever their score. What has exactly the words of a kept one stays set aside, and that is
    said."""
    return _decide(session, writer_id, ids, settings, KEEP)


def exclude(session: Session, writer_id: str, ids: Collection[int], settings: Settings) -> str:
    """Learn from them no more, whatever their score."""
    return _decide(session, writer_id, ids, settings, DISCARD)


def delete(session: Session, writer_id: str, ids: Collection[int], settings: Settings) -> str:
    """For ``changes.UNDO_DAYS`` they can be brought back, then they are gone."""
    number, batch, rated = 0, _batch(), False
    for part in deciding.in_parts(session, writer_id, _checked_ids(ids)):
        for some in changes.in_chunks(part):
            found = collection.rows(session, writer_id, some)
            rated = rated or any(one.rated_at is not None for one in found)
            changes.note(session, writer_id, "delete", found, batch=batch)
            number += change_rows.remove(session, writer_id, [one.id or 0 for one in found])
            deciding.let_go(session, found)
    change_rows.renew(session)
    if rated:
        refit(session, writer_id, settings)
    return f"{plural(number, 'example')} deleted." if number else NOTHING


def undo(session: Session, writer_id: str, settings: Settings, *, batch: str = "") -> str:
    """Take back the writer's last change (``changes.undo``) with all that follows from it."""
    said = changes.undo(session, writer_id, settings, batch=batch)
    if said:
        conversations.leave_one_open(session, writer_id)
        refit(session, writer_id, settings)
    return said


def export(
    session: Session, writer_id: str, found: Filter, form: str, *, ids: Collection[int] | None = None
) -> Iterator[bytes]:
    """What a filter leaves, or of it only ``ids``, newest first: as ``jsonl`` or ``csv`` (``fine_tune.columns`` reads
    both back), as ``preferences``, the pairs of what was edited, or in the form of another tool
    (``exports.training_data``). Raises InvalidInput for another form."""
    if form not in EXPORTED_AS:
        raise InvalidInput(f"Examples can be exported as {', '.join(EXPORTED_AS)}.")
    if form == "preferences":
        found = replace(found, edited=True)
    only = None if ids is None else set(ids)
    rows = _in_order(session, writer_id, found, only)
    if form in FORMS:
        yield from FORMS[form](rows)
    else:
        yield from training_data.lines(form, (training_data.Pair(row.prompt, row.completion) for row in rows))


def _in_order(session: Session, writer_id: str, found: Filter, only: set[int] | None) -> Iterator[Example]:
    for some in collection.in_chunks(session, writer_id, found, changes.CHUNK):
        yield from (one for one in some if only is None or one.id in only)


def _batch() -> str:
    return secrets.token_hex(16)


def _known(session: Session, writer_id: str, example_id: int) -> int:
    return collection.get(session, writer_id, example_id).id or 0


def _checked_ids(ids: Collection[int]) -> list[int]:
    """Each once, in their order; what cannot be an id is none."""
    good = (one for one in ids if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**31)
    return list(dict.fromkeys(good))


def _checked_prompt(prompt: str) -> str:
    try:
        plain = checked_text(prompt)
    except InvalidInput as error:
        raise InvalidInput(f"What was asked needs 1 to {LONGEST_PROMPT:,} characters.") from error
    if len(plain) > LONGEST_PROMPT:
        raise InvalidInput(f"What was asked can have {LONGEST_PROMPT:,} characters, and this has {len(plain):,}.")
    return plain


def _checked_tags(tags: Collection[str]) -> list[str]:
    """Trimmed, each once whatever its case."""
    found: dict[str, str] = {}
    for one in tags:
        plain = (
            " ".join(one.replace("\x00", "").encode(errors="replace").decode().split()) if isinstance(one, str) else ""
        )
        if not 1 <= len(plain) <= LONGEST_TAG or "," in plain:
            raise InvalidInput(f"A tag has 1 to {LONGEST_TAG} characters and no comma.")
        found.setdefault(plain.casefold(), plain)
    return list(found.values())


def _each(
    session: Session, writer_id: str, ids: Collection[int], action: str, values_of: Callable[[Example], dict[str, Any]]
) -> int:
    """Set what ``values_of`` gives for each, which is nothing where nothing is to be changed; how many were changed."""
    number, batch = 0, _batch()
    for part in deciding.in_parts(session, writer_id, _checked_ids(ids), records=False):
        for some in changes.in_chunks(part):
            rows = collection.rows(session, writer_id, some)
            wanted = {row.id: values for row in rows if (values := values_of(row))}
            changed = [row for row in rows if row.id in wanted]
            changes.note(session, writer_id, action, changed, batch=batch)
            for row in changed:
                for name, value in wanted[row.id].items():
                    setattr(row, name, value)
            number += len(changed)
            deciding.let_go(session, rows)
    return number


def _decide(session: Session, writer_id: str, ids: Collection[int], settings: Settings, decision: str) -> str:
    done = deciding.decide_all(session, writer_id, _checked_ids(ids), settings, decision)
    if not done.decided:
        return NOTHING
    refit(session, writer_id, settings)
    verb = "included" if decision == KEEP else "excluded"
    said = f"{plural(done.decided - done.twins, 'example')} {verb}."
    if not done.twins:
        return said
    they = "it has" if done.twins == 1 else "they have"
    return (
        f"{said} {plural(done.twins, 'example')} stayed set aside: {they} the words of a piece you have already kept."
    )


def _rewrite(session: Session, example: Example, text: str, settings: Settings) -> None:
    """Score it with this text, and keep it or set it aside."""
    if example.source == Source.conversation:
        turn = answers.turn_of(session, example)
        asked, shown = (turn.words, turn.example) if turn is not None else (0, "")
        write(session, example, text, settings, asked_words=asked, shown=shown)
        return
    session.flush()
    taste, kept = taste_of(session, example.user_id, settings), known(session, example.user_id, settings)
    forget_known(example.user_id, settings)
    report = score(text, example.prompt, example.genre, example.element or None)
    with session.no_autoflush:  # it may have the words of a kept piece until it is set aside
        example.completion, example.text_hash = text, text_hash(text)
        example.quality, example.quality_version = taste.worth(report, example.judge_score), report.version
        example.quality_report = report.as_dict()
        if example.decision == DISCARD:
            return
        twin = examples.kept_with_hash(session, example.user_id, example.text_hash)
        if twin is not None and twin != example.id:
            set_aside_as_duplicate(example, twin, SAME_WORDS)
        elif example.decision == KEEP:
            example.status, example.duplicate_of = ExampleStatus.kept, None
        elif (near := kept.twin(session, example)) is not None:
            set_aside_as_duplicate(example, *near)
        else:
            by_score(example, taste)


def _edited(example: Example, before: str) -> str:
    if example.status == ExampleStatus.kept:
        return "Saved. It is kept now." if before != ExampleStatus.kept else "Saved."
    verb = "is set aside now" if before == ExampleStatus.kept else "stays set aside"
    return f"Saved. It {verb}: {example.reason or 'you discarded it.'}"
