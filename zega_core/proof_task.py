"""What one proof does: who writes, on which prompts, and which texts of the writer's measure them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from zega_core import db, learning, versions
from zega_core.catalog import load_catalog
from zega_core.configs import ProviderKey
from zega_core.errors import InvalidInput, NotFound
from zega_core.fine_tune import base as bases
from zega_core.fine_tune.data import bare, prompt_key
from zega_core.fine_tune.plan import Row
from zega_core.keys import key_of
from zega_core.proof.job import Asked, Held, Job
from zega_core.proof.prompts import Kind, choose
from zega_core.proof_tables import Proof, ProofText
from zega_core.settings import Settings
from zega_core.store import learned, proofs, teaching
from zega_core.store import versions as version_rows
from zega_core.version_tables import Version

WINDOWS = range(16, 1 << 16)
"""Tokens of a window for measuring that can be meant."""


@dataclass(frozen=True, slots=True)
class Rows:
    """``trained`` are those that the version learned, ``held`` those that it has not seen, nor what it is compared
    with; ``known`` those that either of the two has learned."""

    trained: list[Row]
    held: list[Row]
    known: list[Row]

    def as_held(self) -> list[Held]:
        return [Held(row.prompt, row.completion, bool(row.own)) for row in self.held]


def rows_of(row: Proof, settings: Settings) -> Rows:
    """By the folders of the two versions; empty where they cannot be read. The same at every time, as versions do not
    change."""
    with db.reading(settings) as session:
        every = version_rows.all_of(session, row.user_id)
    two = {one.number: one for one in every if one.number in (row.version_number, row.against)}
    read = {number: learning.rows_of(one, every, settings) for number, one in two.items()}
    known = [one for rows in read.values() for one in rows if one.split == "train"]
    mine = read.get(row.version_number, [])
    ids, prompts = {one.example_id for one in known}, {prompt_key(bare(one.prompt)) for one in known}
    held = [
        one
        for one in mine
        if one.split == "held_out" and one.completion.strip()
        and one.example_id not in ids and prompt_key(bare(one.prompt)) not in prompts
    ]  # fmt: skip
    return Rows([one for one in mine if one.split == "train"], held, known)


def prepare(row: Proof, settings: Settings) -> tuple[Job, list[ProofText]]:
    """The job and its prompts as rows. Raises InvalidInput, NotFound or ProviderUnavailable with what is missing."""
    with db.reading(settings) as session:
        version = version_rows.get(session, row.user_id, row.version_number)
        other = None if row.against is None else version_rows.get(session, row.user_id, row.against)
        fetch = not teaching.load(session, row.user_id).local_only
        kinds = learned.kinds(session, row.user_id)
    folder = bases.resolve(version.base, download=fetch, key=key_of(settings, ProviderKey.huggingface))
    base, base_hash = bases.describe(folder, version.base), bases.weights_hash(folder)
    if version.base_hash != base_hash:
        raise InvalidInput(
            f"{base.label} is not the model any more that v{version.number} was trained on. Restore it from a backup, "
            "or train a new version."
        )
    rows = rows_of(row, settings)
    asked = choose(
        rows.held,
        rows.known,
        {number: Kind(*kind) for number, kind in kinds.items()},
        load_catalog(),
        count=settings.proof_prompts,
        run=row.run_id,
        context=base.context,
    )
    window = version.settings.get("max_length") if isinstance(version.settings, dict) else None
    job = Job(
        base=str(folder),
        before="" if other is None else _adapter(other, base_hash, settings),
        after=_adapter(version, base_hash, settings),
        asked=asked,
        held=rows.as_held(),
        max_length=window if isinstance(window, int) and window in WINDOWS else Job.max_length,
    )
    return job, [_as_row(one) for one in asked]


def _adapter(version: Version, base_hash: str, settings: Settings) -> str:
    folder = versions.folder_of(settings, version.user_id, version.number)
    bases.check_adapter(folder, base_hash)
    return str(folder)


def _as_row(asked: Asked) -> ProofText:
    return ProofText(
        proof_id=0,
        place=asked.place,
        prompt=asked.prompt,
        genre=asked.genre,
        element=asked.element,
        source=asked.source,
        seed=asked.seed,
    )


def stored(job: Job) -> dict[str, Any]:
    """The job without its texts, for its row: prompts are rows of their own, and what is held out is in the version's
    folder."""
    longest = {str(one.place): one.max_tokens for one in job.asked}
    return {**asdict(replace(job, asked=[], held=[])), "max_tokens": longest}


def job_of(row: Proof, texts: Sequence[ProofText], settings: Settings) -> Job:
    """The stored job with its texts again, and with what is written and measured by now."""
    kept = dict(row.job or {})
    longest: Mapping[str, int] = kept.pop("max_tokens", {})
    try:
        job = Job(**{**kept, "asked": [_asked(text, longest[str(text.place)]) for text in texts]})
    except (TypeError, LookupError) as error:
        raise NotFound("What this proof was to compare cannot be read any more. Start a new one.") from error
    sides = (("before", [text.before for text in texts]), ("after", [text.after for text in texts]))
    written = [f"{side}:{texts[at].place}" for side, found in sides for at, one in enumerate(found) if one is not None]
    measured = [side for side in ("before", "after") if side in (row.losses or {})]
    return replace(job, held=rows_of(row, settings).as_held(), written=written, measured=measured)


def _asked(text: ProofText, max_tokens: int) -> Asked:
    return Asked(
        place=text.place,
        prompt=text.prompt,
        genre=text.genre,
        element=text.element,
        source="held_out" if text.source == "held_out" else "shipped",
        seed=text.seed,
        max_tokens=max_tokens,
    )


def is_complete(job: Job) -> bool:
    """Whether nothing is left to write or to measure."""
    return len(job.written) == 2 * len(job.asked) and (not job.held or len(job.measured) == 2)


def texts_of(row: Proof, settings: Settings) -> list[ProofText]:
    with db.reading(settings) as session:
        return proofs.texts(session, row)
