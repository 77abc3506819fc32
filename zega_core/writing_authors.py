"""Who can be asked to write for a writer, and the chat model behind a name. Asking is left to whoever writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from sqlmodel import Session

from zega_core import db, staffing, teacher_checks, teachers, versions
from zega_core.context import about_tokens
from zega_core.errors import NobodyLeft, NotFound
from zega_core.fine_tune import base as bases
from zega_core.fine_tune.data import TOKENS_A_WORD
from zega_core.local import models
from zega_core.providers import label_of, storyteller
from zega_core.providers.base import StreamingModel
from zega_core.settings import Settings
from zega_core.store import fine_tunes, ledger, teaching
from zega_core.store import versions as version_rows
from zega_core.tables import now
from zega_core.version_tables import Version
from zega_core.writing_configs import BASE, CUSTOM, STORYTELLER, TEACHERS, check_author

A_DAY = timedelta(days=1)
MOST_ROOM = 2_048
"""Tokens of a prompt to a model of this machine: it was trained on no longer ones."""
TEACHERS_ROOM = 3_500
"""Tokens of a prompt to a teacher: services that cost nothing allow about 6,000 a minute."""
TEMPLATE = 48
"""Tokens that a chat template may add."""
NO_VERSION = "You have no trained version yet: the base model writes."
NONE_IN_USE = "None of your versions is in use: the base model writes. You can choose one on the Fine-Tune page."
FIRST = "The first of your teachers that can."
SENT = "It gets what you write here, hints on your style and remembered texts: they leave this machine."
NOBODY = (
    "No teacher can be asked now. See in Settings which are set up, or let your own model write. Your request is kept."
)
ONLY_NEW = "The built-in storyteller writes new pieces only: it has not read the text to work on."
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who can be asked: ``name`` is for a request, ``label`` and ``note`` are for the writer."""

    name: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, and who writes. ``model`` is its name in records, empty until it has answered; ``note`` says who
    stands in and why. ``kind`` is ``own``, ``teacher`` or ``storyteller``; ``base`` is that of an own model.
    ``begin`` gives the chat model, and may ask services or start a process."""

    name: str
    model: str
    label: str
    note: str
    kind: str
    base: str
    begin: Callable[[Tell, threading.Event], StreamingModel]


@dataclass(frozen=True, slots=True)
class Room:
    """How long a prompt may be, in tokens as ``count`` counts them. A model that ``goes_on`` with what it reads follows
    no instructions: the built-in one, and those without a chat template."""

    tokens: int
    count: Callable[[str], int]
    goes_on: bool = False


def authors(session: Session, writer_id: str, settings: Settings) -> list[Author]:
    """Everybody who can be asked, best first. Asks no service whether it is there; one that was
    just found not to be is not among them."""
    own = asked(session, writer_id, CUSTOM, settings)
    named = "" if own.note else f" · {own.label.rpartition(' · ')[2]}"
    found = [Author(CUSTOM, f"Your model{named}", own.note)]
    config = teaching.load(session, writer_id)
    places = [place for place in teachers.places(settings, config) if not place.absent]
    looks = {place.key: teacher_checks.recent_look(session, writer_id, place.key) for place in places}
    places = [place for place in places if (look := looks[place.key]) is None or look.state == "ready"]
    may_leave = {
        f"{place.key}/{model}": teachers.leaves(place, model)
        for place in places
        for model in place.models()
        if not (config.local_only and teachers.leaves(place, model)) and teachers.affordable(config, place, model)
    }
    if places:
        out = any(may_leave.values()) or not (may_leave or config.local_only)
        found.append(Author(TEACHERS, "A teacher", " ".join(filter(None, [FIRST, SENT if out else ""]))))
    found += [Author(name, label_of(name), SENT if out else "") for name, out in may_leave.items() if len(name) <= 100]
    in_use = version_rows.promoted(session, writer_id)
    for version in version_rows.all_of(session, writer_id):
        if in_use is None or version.number != in_use.number:
            found.append(Author(f"version:{version.number}", _label(version)))
    return [
        *found,
        Author(BASE, "Base model", "What your versions are trained on."),
        Author(STORYTELLER, storyteller().label, "Hand-written sentences, no AI. It writes new pieces only."),
    ]


def asked(session: Session, writer_id: str, name: str, settings: Settings) -> Asked:
    """Who writes when ``name`` is asked, as things are now. Raises InvalidInput for what names nobody, NotFound for a
    version that there is not."""
    check_author(name)
    if name == CUSTOM:
        return _custom(session, writer_id, settings)
    if name == BASE:
        return _base(session, writer_id, name, "", settings)
    if name == STORYTELLER:
        teller = storyteller()
        return Asked(name, STORYTELLER, teller.label, "", STORYTELLER, "", lambda tell, stop: teller)
    if name.startswith("version:"):
        version = version_rows.get(session, writer_id, int(name.partition(":")[2]))
        versions.check_files(settings, version)
        return _version(version, name, settings)
    only = "" if name == TEACHERS else name
    label = label_of(only) if only else "A teacher"
    return Asked(name, only, label, "", "teacher", "", lambda tell, stop: _teacher(writer_id, only, settings))


def room(who: Asked, words: int) -> Room:
    """How much the one who writes ``words`` can read. Raises InvalidInput where its base model is not here."""
    if who.kind != "own":
        return Room(TEACHERS_ROOM, about_tokens)
    folder = bases.resolve(who.base)
    info = bases.describe(folder, who.base)
    answer = min(tokens_for(words), info.context // 2)
    rest = info.context - answer - (TEMPLATE if info.has_template else 2)
    return Room(min(rest, MOST_ROOM), _counter(folder), goes_on=folder == bases.BUILT_IN or not info.has_template)


def tokens_for(words: int) -> int:
    return round(words * TOKENS_A_WORD)


def _custom(session: Session, writer_id: str, settings: Settings) -> Asked:
    version = version_rows.promoted(session, writer_id)
    if version is not None:
        try:
            versions.check_files(settings, version)
            return _version(version, CUSTOM, settings)
        except NotFound as error:
            return _base(session, writer_id, CUSTOM, f"{error} Until then the base model writes.", settings)
    note = NONE_IN_USE if version_rows.all_of(session, writer_id) else NO_VERSION
    return _base(session, writer_id, CUSTOM, note, settings)


def _version(version: Version, name: str, settings: Settings) -> Asked:
    model = models.student(settings, version.user_id, version.number)
    begin = _student(version.user_id, version.number, "", settings)
    return Asked(name, model.name, _label(version), "", "own", version.base, begin)


def _base(session: Session, writer_id: str, name: str, note: str, settings: Settings) -> Asked:
    """The base model that the writer's versions sit on, else the one that the next will."""
    known = version_rows.promoted(session, writer_id) or next(iter(version_rows.all_of(session, writer_id)), None)
    base = fine_tunes.load_config(session, writer_id).base if known is None else known.base
    model = models.student(settings, writer_id, None, base)
    return Asked(name, model.name, "Base model", note, "own", base, _student(writer_id, None, base, settings))


def _student(
    writer_id: str, number: int | None, base: str, settings: Settings
) -> Callable[[Tell, threading.Event], StreamingModel]:
    return lambda tell, stop: models.student(settings, writer_id, number, base, waiting=tell)


def has_teacher(writer_id: str, settings: Settings) -> bool:
    """Whether a teacher could be asked now."""
    return _teachers(writer_id, "", settings) is not None


def _teacher(writer_id: str, only: str, settings: Settings) -> StreamingModel:
    """Raises NobodyLeft."""
    group = _teachers(writer_id, only, settings)
    if group is None:
        raise NobodyLeft(NOBODY)
    return group


def _teachers(writer_id: str, only: str, settings: Settings) -> StreamingModel | None:
    """Within the writer's choices as they are now, and what is left of a day's budget; None where nobody is left."""
    with db.reading(settings) as session:
        spent = ledger.spent_beside(session, writer_id, now() - A_DAY)
    return staffing.beside_sessions(writer_id, settings, spent=spent, only=only)


def _label(version: Version) -> str:
    return f"Your model · v{version.number}" + (f" ({version.name})" if version.name else "")


@lru_cache(maxsize=4)
def _counter(folder: Path) -> Callable[[str], int]:
    """Counts as the model's own tokenizer does."""
    with suppress(Exception):  # the library raises bare ones; who loads the model says what is wrong with it
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
    return about_tokens
