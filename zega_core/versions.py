"""A writer's versions: which is in use, their names, their files.

A version is complete or absent: its files lie in their folder before its row is written, and its row is deleted before
they are.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from zega_core import db
from zega_core.configs import check_writer_id
from zega_core.errors import ChangedElsewhere, InvalidInput, NotFound
from zega_core.fine_tune.base import check_adapter
from zega_core.settings import Settings
from zega_core.store import versions, writers
from zega_core.version_tables import Version

log = getLogger(__name__)

LONGEST_NAME = 60
ANY = -1
"""In the place of a number: whatever is in use."""


def folder_of(settings: Settings, writer_id: str, number: int) -> Path:
    """Where a version's files are. Raises InvalidInput for an id that is no slug."""
    return settings.home / "versions" / check_writer_id(writer_id) / f"v{int(number)}"


def model_name(writer_id: str) -> str:
    """What the version in use is called outside ZEGA."""
    return f"zega-{writer_id}"


def promote(writer_id: str, number: int | None, settings: Settings, *, instead_of: int | None = ANY) -> None:
    """Let this version write for the writer; None is the base model. ``instead_of`` is the version that was in use
    when the writer decided (None: the base model): if it is another one by now, nothing changes: that raises
    ChangedElsewhere. Raises NotFound for a version that there is not, or whose files are gone."""
    with db.session(settings) as session:
        writers.get(session, writer_id)
        writers.lock(session, writer_id)
        in_use = _in_use_still(session, writer_id, instead_of)
        version = None if number is None else versions.get(session, writer_id, number)
        if version is not None:
            check_files(settings, version)
        if in_use != number:
            versions.promote(session, writer_id, version)


def roll_back(writer_id: str, settings: Settings, *, instead_of: int | None = ANY) -> int | None:
    """Use again what was in use before; its number, None for the base model. Raises InvalidInput when there is
    nothing to go back to, and like ``promote``: a second press must not go back twice."""
    with db.session(settings) as session:
        writers.get(session, writer_id)
        writers.lock(session, writer_id)
        _in_use_still(session, writer_id, instead_of)
        possible, earlier = versions.before_this(session, writer_id)
        if not possible:
            raise InvalidInput("Nothing was in use before, so there is nothing to go back to.")
        if earlier is not None:
            check_files(settings, earlier)
        versions.take_back_last(session, writer_id)
        return None if earlier is None else earlier.number


def _in_use_still(session: db.Session, writer_id: str, expected: int | None) -> int | None:
    """The number of the version in use, None for the base model; raises ChangedElsewhere if another one is
    expected."""
    current = versions.promoted(session, writer_id)
    in_use = None if current is None else current.number
    if expected not in (ANY, in_use):
        now_used = "the base model" if in_use is None else f"v{in_use}"
        raise ChangedElsewhere(f"Meanwhile {now_used} was put in use. Look again, then choose.")
    return in_use


def rename(writer_id: str, number: int, name: str, settings: Settings) -> None:
    """Give a version a name of up to 60 characters; empty takes it away."""
    name = " ".join(name.split())
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"A name has at most {LONGEST_NAME} characters, all of them visible.")
    with db.session(settings) as session:
        version = versions.get(session, writer_id, number)
        version.name = name
        session.add(version)


def delete(writer_id: str, number: int, settings: Settings) -> None:
    """Delete a version and its files. The one in use stays: raises InvalidInput for it."""
    with db.session(settings) as session:
        version = versions.get(session, writer_id, number)
        writers.lock(session, writer_id)
        current = versions.promoted(session, writer_id)
        if current is not None and current.number == number:
            raise InvalidInput(f"v{number} is in use. Use another version or the base model first, then delete it.")
        versions.remove(session, version)
    shutil.rmtree(folder_of(settings, writer_id, number), ignore_errors=True)


def pair(
    session: db.Session, writer_id: str, number: int | None, against: int | None = ANY
) -> tuple[Version, Version | None]:
    """The version to prove (None: the newest) and the one that it is compared with, None for the base model: by default
    the version in use, if that is another one on the same base model. Raises NotFound for a version that there is not,
    InvalidInput for two that cannot be compared."""
    if number is None:
        version = next(iter(versions.all_of(session, writer_id)), None)
        if version is None:
            raise NotFound("There is no version yet, so there is nothing to prove. Fine-tune first.")
    else:
        version = versions.get(session, writer_id, number)
    if against is None:
        return version, None
    if against == ANY:
        current = versions.promoted(session, writer_id)
        fits = current is not None and current.number != version.number and current.base_hash == version.base_hash
        return version, current if fits else None
    other = versions.get(session, writer_id, against)
    if other.number == version.number:
        raise InvalidInput("A version cannot be compared with itself. Choose another version, or the base model.")
    if other.base_hash != version.base_hash:
        raise InvalidInput(
            f"v{version.number} and v{other.number} were trained on different base models. Compare each with its base "
            "model."
        )
    return version, other


def opponent(session: db.Session, made: Version, settings: Settings) -> tuple[int | None, str]:
    """What a version that was just made is compared with before it is put in use by itself: the number of the version
    in use, None for the base model. Where that cannot be, a sentence says that it is not put in use by itself."""
    current = versions.promoted(session, made.user_id)
    if current is None:
        return None, ""
    why = f"belongs to another base model than v{made.number}"
    if current.base_hash == made.base_hash:
        try:
            check_adapter(folder_of(settings, made.user_id, current.number), made.base_hash)
            return current.number, ""
        except InvalidInput as error:
            why = f"cannot be used as it is: {error}".rstrip(".")
    return None, (
        f"{in_words(current)}, which is in use, {why}. So v{made.number} is compared with the base model and is not "
        "put in use by itself. Let both write under Try it, then choose."
    )


def not_compared(current: Version | None, against: int | None) -> list[str]:
    """What to say, and why a better version is not put in use by itself, where another one is in use by now than it was
    compared with (None: the base model)."""
    if against == (None if current is None else current.number):
        return []
    compared = "the base model" if against is None else f"v{against}"
    return [
        f"It was compared with {compared}, and by now {in_words(current)} is in use. So it was not put in use by "
        "itself: prove it again, or let both write under Try it, then choose."
    ]


def check_files(settings: Settings, version: Version) -> None:
    """Raises NotFound when a version's files are not there."""
    folder = folder_of(settings, version.user_id, version.number)
    missing = [name for name in version.files if not (folder / Path(name).name).is_file()]
    if missing or not version.files:
        raise NotFound(
            f"The files of v{version.number} are not in {folder}. Put them back from a backup, or delete the version; "
            "the others are not touched."
        )


def in_words(version: Version | None) -> str:
    if version is None:
        return "the base model"
    return f"v{version.number} ({version.name})" if version.name else f"v{version.number}"


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    first: str
    second: str
    differs: bool


def compare(first: Version, second: Version) -> list[Difference]:
    """Two versions side by side: what they learned from, how, and what came of it."""
    rows = zip(_facts(first), _facts(second), strict=True)
    return [Difference(label, one, other, one != other) for (label, one), (_, other) in rows]


def _facts(version: Version) -> list[tuple[str, str]]:
    metrics = version.metrics if isinstance(version.metrics, dict) else {}
    chosen = version.settings if isinstance(version.settings, dict) else {}
    return [
        ("Begins from", "the base model" if version.parent is None else f"v{version.parent}"),
        ("Base model", version.base or "built-in"),
        ("Base weights", version.base_hash[:12]),
        ("Examples", _number(version.examples, ",.0f")),
        ("Data", version.data_hash[:12]),
        ("Your own words", _number(version.own_share, ".0%")),
        ("Perplexity before", _number(metrics.get("perplexity_before"), ".1f")),
        ("Perplexity after", _number(metrics.get("perplexity_after"), ".1f")),
        ("Validation loss", _number(metrics.get("validation_loss"), ".3f")),
        ("Steps", _number(metrics.get("steps"), ",.0f")),
        ("Best at step", _number(metrics.get("best_step"), ",.0f")),
        ("Strength", _number(metrics.get("strength"), ".0%")),
        *((label, _shown(chosen.get(key))) for key, label in CHOSEN.items()),
        ("Size in bytes", _number(version.size_bytes, ",.0f")),
        ("Training time in seconds", _number(version.seconds, ",.0f")),
    ]


CHOSEN = {
    "rank": "Rank",
    "alpha": "Alpha",
    "learning_rate": "Learning rate",
    "epochs": "Epochs at most",
    "batch_size": "Batch",
    "max_length": "Window",
    "seed": "Seed",
}


def _number(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) and not isinstance(value, bool) else "–"


def _shown(value: object) -> str:
    return str(value)[:40] if isinstance(value, int | float | str) else "–"
