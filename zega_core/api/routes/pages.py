"""The writer's own pages: brought, read by a worker, erased."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from zega_core import db, own_pages, own_pages_words
from zega_core.api import limiting, once, problems, threads
from zega_core.api.access import ForWriter
from zega_core.api.fields import FILE_BODY, GenreName, Line, RunId, Sent, Text, Upload, UsedSettings
from zega_core.facts.base import Said
from zega_core.facts.pages import PagesFacts, every_pages, pages_facts
from zega_core.jobs import client
from zega_core.store import manuscripts

router = APIRouter(prefix="/pages", tags=["own pages"], route_class=once.Route)
Genre = Annotated[GenreName | Literal[""], Query(description="Left out: by its words.")]
AskTeacher = Annotated[bool, Query(description="A teacher may read the passages to write their prompts.")]


class Pasted(Sent):
    """``name`` is what it is called."""

    text: Annotated[Text, Field(min_length=1, max_length=2_000_000)]
    name: Line = "Pasted pages"
    genre: GenreName | Literal[""] = ""
    ask_teacher: bool = False


@router.get("", operation_id="list_pages", responses=problems.documented(404, 422))
def list_pages(writer: ForWriter, settings: UsedSettings) -> list[PagesFacts]:
    """All pages that were brought, newest first, and how far they are read."""
    return every_pages(writer, settings)


@router.post(
    "/upload",
    operation_id="upload_pages",
    status_code=202,
    responses=problems.documented(404, 422),
    openapi_extra=FILE_BODY,
    max_body_size=limiting.MOST_UPLOAD,
)
@threads.long
def upload_pages(
    writer: ForWriter,
    settings: UsedSettings,
    data: Upload,
    name: Annotated[Line, Query(min_length=1, description="With its ending: .docx, .epub, .md or .txt.")],
    genre: Genre = "",
    ask_teacher: AskTeacher = False,
) -> PagesFacts:
    """Bring a file; a worker reads it. The same file again gives the one that is there."""
    run_id = client.add_pages(writer, name, data, genre=genre, ask_teacher=ask_teacher, settings=settings)
    return pages_facts(writer, run_id, settings)


@router.post(
    "/paste",
    operation_id="paste_pages",
    status_code=202,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
    max_body_size=limiting.MOST_UPLOAD,
)
def paste_pages(pasted: Pasted, writer: ForWriter, settings: UsedSettings) -> PagesFacts:
    """The same with pasted text."""
    data, name = pasted.text.encode("utf-8", "replace"), own_pages_words.as_pasted(pasted.name)
    run_id = client.add_pages(writer, name, data, genre=pasted.genre, ask_teacher=pasted.ask_teacher, settings=settings)
    return pages_facts(writer, run_id, settings)


@router.get("/{run_id}", operation_id="get_pages", responses=problems.documented(404, 422))
def get_pages(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> PagesFacts:
    """One of them; stop it and go on with it under /api/runs."""
    return pages_facts(writer, run_id, settings)


@router.delete("/{run_id}", operation_id="erase_pages", responses=problems.documented(404, 422))
def erase_pages(run_id: RunId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Erase pages and everything made of them, for good."""
    with db.session(settings) as session:
        name = manuscripts.get(session, writer, run_id).name
        number = own_pages.erase(session, writer, run_id, settings)
    return Said(message=own_pages_words.erased(name, number))
