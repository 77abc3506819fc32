"""All that is done for a writer by a worker: its state, stopping it, going on with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from zega_core import db, runs
from zega_core.api import problems
from zega_core.api.access import ForWriter
from zega_core.api.fields import RunId, UsedSettings
from zega_core.facts.runs import RunFacts, of_run
from zega_core.runs import Kind

router = APIRouter(prefix="/api/runs", tags=["runs"])


@router.get("", operation_id="list_runs", responses=problems.documented(404, 422))
def list_runs(
    writer: ForWriter,
    kind: Annotated[list[Kind] | None, Query(max_length=8, description="None: all kinds.")] = None,
    unfinished: Annotated[bool, Query(description="Only those that wait or are worked on.")] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[RunFacts]:
    """The newest sessions, fine-tunes, proofs, exports and readings of pages."""
    with db.reading() as session:
        found = runs.of_writer(session, writer, kinds=kind or (), unfinished=unfinished, limit=limit)
        return [of_run(one) for one in found]


@router.get("/{run_id}", operation_id="get_run", responses=problems.documented(404, 422))
def get_run(run_id: RunId, writer: ForWriter) -> RunFacts:
    """One of them, of whatever kind."""
    with db.reading() as session:
        return of_run(runs.find(session, writer, run_id))


@router.post("/{run_id}/stop", operation_id="stop_run", status_code=202, responses=problems.documented(404, 422))
def stop_run(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> RunFacts:
    """Stop it: what is written stays, a fine-tune ends with the best so far, of an export nothing stays."""
    return of_run(runs.stop(writer, run_id, settings))


@router.post(
    "/{run_id}/continue", operation_id="continue_run", status_code=202, responses=problems.documented(404, 422)
)
def continue_run(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> RunFacts:
    """Go on with what was stopped or has failed."""
    return of_run(runs.go_on(writer, run_id, settings))
