"""Exports: training data and models, made by a worker and downloaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse
from pydantic import Field

from zega_core import db, export_words, exporting
from zega_core.api import once, problems
from zega_core.api.access import ForWriter
from zega_core.api.fields import MOST, Line, RunId, Sent, UsedSettings, attachment
from zega_core.errors import InvalidInput, NotFound
from zega_core.facts.base import Said
from zega_core.facts.models import ExportFacts, FormatFacts, formats, of_export
from zega_core.jobs import client
from zega_core.store import exports

router = APIRouter(prefix="/exports", tags=["exports"], route_class=once.Route)
FILE = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


class ExportAsked(Sent):
    """``version`` left out: of a model the one in use, else the newest; training data as it is kept now. 0 is the
    built-in base model (gguf only)."""

    format: Line
    version: Annotated[int, Field(ge=0, le=MOST)] | None = None


@router.get("/formats", operation_id="list_formats")
def list_formats() -> list[FormatFacts]:
    """What can be exported, and what each is for."""
    return formats()


@router.get("", operation_id="list_exports", responses=problems.documented(404, 422))
def list_exports(writer: ForWriter) -> list[ExportFacts]:
    """Exports, newest first."""
    with db.reading() as session:
        return [of_export(row) for row in exports.of_writer(session, writer)]


@router.post(
    "",
    operation_id="start_export",
    status_code=202,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
)
def start_export(
    wanted: ExportAsked, writer: ForWriter, settings: UsedSettings, begun: once.Begun, response: Response
) -> ExportFacts:
    """Have an export made; one of the same format and version that is under way is given again."""
    run_id = begun.earlier or client.export(
        writer,
        wanted.format,
        wanted.version,
        trigger="api",
        one_at_a_time=True,
        noted=begun.note,
        settings=settings,
    )
    response.headers["Location"] = f"/api/exports/{run_id}"
    return get_export(run_id, writer)


@router.get("/{run_id}", operation_id="get_export", responses=problems.documented(404, 422))
def get_export(run_id: RunId, writer: ForWriter) -> ExportFacts:
    """How far it is, and its files."""
    with db.reading() as session:
        return of_export(exports.get(session, writer, run_id))


@router.delete("/{run_id}", operation_id="delete_export", responses=problems.documented(404, 422))
def delete_export(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Delete it with its files."""
    exporting.delete(writer, run_id, settings)
    return Said(message="The export is deleted, with its files.")


@router.get(
    "/{run_id}/archive",
    operation_id="download_export",
    responses=problems.documented(404, 422) | FILE,
    response_class=FileResponse,
)
def download_export(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> FileResponse:
    """All its files in one zip."""
    with db.reading(settings) as session:
        row = exports.get(session, writer, run_id)
    if not export_words.can_download(row):
        raise InvalidInput("This export is too large for one archive. Download its files one by one.")
    path = exporting.archive(row, settings)
    return FileResponse(path, media_type="application/zip", headers=attachment(f"{row.folder}.zip"))


@router.get(
    "/{run_id}/files/{name:path}",
    operation_id="download_file",
    responses=problems.documented(404, 422) | FILE,
    response_class=FileResponse,
)
def download_file(
    run_id: RunId,
    name: Annotated[str, Path(max_length=300, description="As it stands in the export's files.")],
    writer: ForWriter,
    settings: UsedSettings,
) -> FileResponse:
    """One of its files."""
    with db.reading(settings) as session:
        row = exports.get(session, writer, run_id)
    folder = exporting.whole(row, settings)
    if name not in row.files:
        raise NotFound("This export has no such file. Take a name from its list of files.")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise NotFound("This file is not there any more. Delete the export and make a new one.")
    return FileResponse(path, media_type="application/octet-stream", headers=attachment(path.name))
