"""Proofs: is a version better?"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from zega_core import db, versions
from zega_core.api import once, problems
from zega_core.api.access import ForWriter
from zega_core.api.fields import MOST, Number, RunId, Sent, Text, UsedSettings
from zega_core.configs import check_judge
from zega_core.facts.models import ProofFacts, of_proof
from zega_core.jobs import client
from zega_core.store import proofs

router = APIRouter(prefix="/proofs", tags=["proofs"], route_class=once.Route)


class ProofAsked(Sent):
    """``version`` left out is the newest, ``against`` what is in use; 0 is the base model. ``judge`` is a teacher that
    also compares the texts; left out, the writer's own choice."""

    version: Number | None = None
    against: Annotated[int, Field(ge=0, le=MOST)] | None = None
    judge: Annotated[Text, Field(max_length=100)] | None = None


class JudgeAsked(Sent):
    judge: Annotated[Text, Field(min_length=1, max_length=100)]


@router.get("", operation_id="list_proofs", responses=problems.documented(404, 422))
def list_proofs(writer: ForWriter) -> list[ProofFacts]:
    """Proofs, newest first."""
    with db.reading() as session:
        return [of_proof(row) for row in proofs.of_writer(session, writer)]


@router.post(
    "",
    operation_id="start_proof",
    status_code=202,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
)
def start_proof(
    wanted: ProofAsked, writer: ForWriter, settings: UsedSettings, begun: once.Begun, response: Response
) -> ProofFacts:
    """Have both write on the same prompts and everything measured; a proof of the same two that is under way is given
    again."""
    run_id = begun.earlier or client.prove(
        writer,
        wanted.version,
        against=versions.ANY if wanted.against is None else wanted.against or None,
        judge=wanted.judge and check_judge(wanted.judge),
        trigger="api",
        one_at_a_time=True,
        noted=begun.note,
        settings=settings,
    )
    response.headers["Location"] = f"/api/proofs/{run_id}"
    return get_proof(run_id, writer)


@router.get("/{run_id}", operation_id="get_proof", responses=problems.documented(404, 422))
def get_proof(run_id: RunId, writer: ForWriter) -> ProofFacts:
    """One proof: its verdict, the reasons and every figure; stop it and go on with it under /api/runs."""
    with db.reading() as session:
        return of_proof(proofs.get(session, writer, run_id))


@router.post("/{run_id}/judge", operation_id="ask_judge", status_code=202, responses=problems.documented(404, 422))
def ask_judge(run_id: RunId, wanted: JudgeAsked, writer: ForWriter, settings: UsedSettings) -> ProofFacts:
    """Have a teacher read the texts of a proof that has its verdict; nothing is written anew."""
    client.ask_judge(writer, run_id, wanted.judge, settings)
    return get_proof(run_id, writer)
