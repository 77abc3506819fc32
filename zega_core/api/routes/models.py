"""Versions of a writer's model, and the fine-tunes that made them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from zega_core import db, versions
from zega_core.api import problems
from zega_core.api.access import ForWriter
from zega_core.api.fields import MOST, RowId, RunId, Sent, Text, UsedSettings
from zega_core.api.routes import exports, proofs
from zega_core.facts.base import Said
from zega_core.facts.models import (
    DifferenceFacts,
    FineTuneFacts,
    FineTuneWithMetrics,
    InUse,
    VersionFacts,
    VersionList,
    of_difference,
    of_fine_tune,
    of_version,
    of_versions,
    with_metrics,
)
from zega_core.store import fine_tunes
from zega_core.store import versions as rows

router = APIRouter(prefix="/api")
router.include_router(proofs.router)
router.include_router(exports.router)
NumberOrBase = Annotated[int, Path(ge=0, le=MOST, description="0 is the base model.")]


class Chosen(Sent):
    """``instead_of`` is the version that was in use when you decided (0: the base model): 409 if it is another one by
    now."""

    instead_of: Annotated[int, Field(ge=0, le=MOST)] | None = None

    def before(self) -> int | None:
        return versions.ANY if self.instead_of is None else self.instead_of or None


class Named(Sent):
    """Empty takes the name away."""

    name: Annotated[Text, Field(max_length=versions.LONGEST_NAME)]


@router.get("/versions", operation_id="list_versions", tags=["versions"], responses=problems.documented(404, 422))
def list_versions(writer: ForWriter) -> VersionList:
    """Every version, newest first, and which one writes."""
    with db.reading() as session:
        return of_versions(writer, rows.all_of(session, writer), rows.promoted(session, writer))


@router.post(
    "/versions/roll-back", operation_id="roll_back", tags=["versions"], responses=problems.documented(404, 409, 422)
)
def roll_back(writer: ForWriter, settings: UsedSettings, chosen: Chosen | None = None) -> InUse:
    """Use again what was in use before."""
    return _in_use(versions.roll_back(writer, settings, instead_of=(chosen or Chosen()).before()), writer)


@router.get(
    "/versions/{number}", operation_id="get_version", tags=["versions"], responses=problems.documented(404, 422)
)
def get_version(number: RowId, writer: ForWriter) -> VersionFacts:
    """One version: what it learned from, how, and what was measured."""
    with db.reading() as session:
        return of_version(rows.get(session, writer, number), rows.promoted(session, writer))


@router.patch(
    "/versions/{number}", operation_id="rename_version", tags=["versions"], responses=problems.documented(404, 422)
)
def rename_version(number: RowId, named: Named, writer: ForWriter, settings: UsedSettings) -> VersionFacts:
    """Give it a name."""
    versions.rename(writer, number, named.name, settings)
    return get_version(number, writer)


@router.delete(
    "/versions/{number}", operation_id="delete_version", tags=["versions"], responses=problems.documented(404, 422)
)
def delete_version(number: RowId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Delete it with its files, for good. The one in use stays."""
    versions.delete(writer, number, settings)
    return Said(message=f"v{number} is deleted, with its files.")


@router.post(
    "/versions/{number}/promote",
    operation_id="promote_version",
    tags=["versions"],
    responses=problems.documented(404, 409, 422),
)
def promote_version(
    number: NumberOrBase, writer: ForWriter, settings: UsedSettings, chosen: Chosen | None = None
) -> InUse:
    """Let this version write from now on."""
    versions.promote(writer, number or None, settings, instead_of=(chosen or Chosen()).before())
    return _in_use(number or None, writer)


@router.get(
    "/versions/{number}/difference",
    operation_id="compare_versions",
    tags=["versions"],
    responses=problems.documented(404, 422),
)
def compare_versions(
    number: RowId, writer: ForWriter, to: Annotated[int, Query(ge=1, le=MOST, description="Number of the other.")]
) -> list[DifferenceFacts]:
    """Two versions side by side, with what differs marked."""
    with db.reading() as session:
        found = versions.compare(rows.get(session, writer, number), rows.get(session, writer, to))
    return [of_difference(one) for one in found]


@router.get("/fine-tunes", operation_id="list_fine_tunes", tags=["fine-tunes"], responses=problems.documented(404, 422))
def list_fine_tunes(writer: ForWriter, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[FineTuneFacts]:
    """Fine-tunes, newest first."""
    with db.reading() as session:
        return [
            of_fine_tune(row, rows.find(session, writer, row.version_number or 0))
            for row in fine_tunes.recent(session, writer, limit)
        ]


@router.get(
    "/fine-tunes/{run_id}", operation_id="get_fine_tune", tags=["fine-tunes"], responses=problems.documented(404, 422)
)
def get_fine_tune(run_id: RunId, writer: ForWriter) -> FineTuneWithMetrics:
    """One fine-tune with what was measured at each step; stop it and go on with it under /api/runs."""
    with db.reading() as session:
        row = fine_tunes.get(session, writer, run_id)
        version = rows.find(session, writer, row.version_number or 0)
        return with_metrics(row, version, fine_tunes.metrics(session, writer, run_id))


def _in_use(number: int | None, writer: str) -> InUse:
    name = "the base model" if number is None else f"v{number}"
    return InUse(promoted=number, message=f"{versions.model_name(writer)} is {name} now.")
