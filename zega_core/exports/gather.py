"""Which pairs an export of training data holds: all that is kept now, or exactly what a version was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from sqlmodel import Session

from zega_core import learning, versions
from zega_core.analytics import plural
from zega_core.errors import InvalidInput, NotFound
from zega_core.exports.training_data import Pair
from zega_core.fine_tune.plan import Row, read_rows
from zega_core.settings import Settings
from zega_core.store import learned
from zega_core.store import versions as version_rows
from zega_core.version_tables import Version

log = getLogger(__name__)

DATA = "data.jsonl"
MOST_ANCESTORS = 1000


@dataclass(frozen=True, slots=True)
class Gathered:
    """``notes`` say what is not among ``pairs``, in sentences."""

    pairs: list[Pair]
    notes: list[str]


def kept_now(session: Session, writer_id: str, settings: Settings) -> Gathered:
    """What the writer has kept, worded as a model is trained on it. Raises InvalidInput where there is nothing."""
    found = learning.prepared(session, writer_id, settings)
    if not found.rows:
        raise InvalidInput("There are no kept examples yet. Keep some on the Auto-Train page, then export them.")
    left_out = sum(found.summary.left_out.values())
    notes = [f"Left out: {plural(left_out, 'kept example')} that cannot be learned from."] if left_out else []
    return Gathered([Pair(row.prompt, row.completion) for row in found.rows], notes)


def trained_on(session: Session, version: Version, settings: Settings) -> Gathered:
    """What a version learned from, with what its ancestors had learned before. A version keeps the texts that it was
    trained on itself; those of its ancestors are in their files, or else among the writer's examples. Raises NotFound
    where its own file is missing or damaged."""
    rows = [row for row in _rows(settings, version) if row.split == "train"]
    wanted = {row.example_id for row in rows if not row.completion}
    texts = _of_ancestors(session, version, settings, wanted)
    texts |= {
        identity: text
        for identity, *_, text, _, _, _ in learned.kept(session, version.user_id)
        if identity in wanted and identity not in texts and isinstance(text, str)
    }
    full = [(row.prompt, row.completion or texts.get(row.example_id, "")) for row in rows]
    pairs = [Pair(prompt, completion) for prompt, completion in full if completion]
    if not pairs:
        raise NotFound(f"None of the texts that v{version.number} was trained on are there any more.")
    gone = len(full) - len(pairs)
    notes = [f"{plural(gone, 'text')} of {len(full):,} that earlier versions learned from cannot be found any more."]
    return Gathered(pairs, notes if gone else [])


def _of_ancestors(session: Session, version: Version, settings: Settings, wanted: set[int]) -> dict[int, str]:
    """Texts by the ids of their examples, as the nearest ancestor was trained on them."""
    found, parent = dict[int, str](), version.parent
    for _ in range(MOST_ANCESTORS):
        missing = wanted - found.keys()
        ancestor = None if parent is None or not missing else version_rows.find(session, version.user_id, parent)
        if ancestor is None:
            break
        try:
            rows = _rows(settings, ancestor)
        except NotFound:
            log.warning("the data of v%d cannot be read", ancestor.number)
            rows = []
        found |= {row.example_id: row.completion for row in rows if row.completion and row.example_id in missing}
        parent = ancestor.parent
    return found


def _rows(settings: Settings, version: Version) -> list[Row]:
    folder: Path = versions.folder_of(settings, version.user_id, version.number)
    try:
        rows = list(read_rows(folder))
        if not all(isinstance(text, str) for row in rows for text in (row.prompt, row.completion)):
            raise ValueError("no text")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise NotFound(
            f"What v{version.number} was trained on cannot be read: {DATA} in its folder is missing or damaged. Export "
            "what is kept now, or another version."
        ) from error
    return rows
