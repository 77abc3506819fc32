"""Examples: found, read, changed, brought and taken out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from zega_core import after_saving, collection, db, importing
from zega_core.amending import Amendment, amend
from zega_core.api import limiting, problems, threads
from zega_core.api.access import ForWriter
from zega_core.api.fields import (
    FILE_BODY,
    Answer,
    ElementName,
    GenreName,
    Line,
    PageNumber,
    PageSize,
    RowId,
    Searched,
    Sent,
    Text,
    Upload,
    UsedSettings,
    file_of,
)
from zega_core.api.routes import pages
from zega_core.facts.base import Facts, Said
from zega_core.facts.examples import ExampleFacts, ExamplePage, of_example
from zega_core.fine_tune import columns
from zega_core.store import collection as rows
from zega_core.store.collection import Filter
from zega_core.tables import Source

router = APIRouter(prefix="/api", tags=["examples"])
router.include_router(pages.router)
MOST_AT_ONCE = 1_000
MEDIA = {"csv": "text/csv; charset=utf-8"}


async def _filter(
    source: Annotated[list[Source] | None, Query(max_length=8)] = None,
    genre: Annotated[list[GenreName | Literal[""]] | None, Query(max_length=12)] = None,
    element: Annotated[list[ElementName | Literal[""]] | None, Query(max_length=8)] = None,
    teacher: Annotated[list[Annotated[Text, Field(max_length=100)]] | None, Query(max_length=50)] = None,
    status: Annotated[list[Literal["kept", "set_aside"]] | None, Query(max_length=2)] = None,
    tag: Annotated[Text, Query(max_length=40)] = "",
    low: Annotated[float | None, Query(ge=0, le=10, description="Lowest score.")] = None,
    high: Annotated[float | None, Query(ge=0, le=10, description="Highest score.")] = None,
    rated: Annotated[bool | None, Query(description="Rated by the writer, or not.")] = None,
    edited: Annotated[bool, Query(description="Only what the writer edited.")] = False,
    text: Searched = "",
) -> Filter:
    return Filter(
        source=tuple(source or ()),
        genre=tuple(genre or ()),
        element=tuple(element or ()),
        teacher=tuple(teacher or ()),
        status=tuple(status or ()),
        tag=tag,
        low=low,
        high=high,
        rated=rated,
        edited=edited,
        text=text,
    )


Wanted = Annotated[Filter, Depends(_filter)]


class Change(Sent):
    """What is left out stays. ``stars`` 0 takes them back; ``tags`` are all that it has from now on; ``include``: learn
    from it whatever its score, or no more. ``seen`` as it was answered: 409 where the example was changed since."""

    completion: Answer | None = None
    prompt: Annotated[Text, Field(max_length=4_000)] | None = None
    stars: Annotated[int, Field(ge=0, le=5)] | None = None
    tags: Annotated[list[Annotated[Text, Field(min_length=1, max_length=40)]], Field(max_length=20)] | None = None
    include: bool | None = None
    seen: Annotated[str, Field(max_length=64)] | None = None


class Changed(Facts):
    example: ExampleFacts
    message: str


class ToDelete(Sent):
    ids: Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1)]], Field(min_length=1, max_length=MOST_AT_ONCE)]


class FaultFacts(Facts):
    line: int
    message: str


class ImportedFacts(Facts):
    """``duplicates`` were there already. ``errors`` are the first of ``bad`` lines that could not be taken."""

    kept: int
    set_aside: int
    duplicates: int
    claimed: int
    bad: int
    finished: bool
    errors: list[FaultFacts]
    notes: list[str]


@router.get("/examples", operation_id="list_examples", responses=problems.documented(404, 422))
def list_examples(
    writer: ForWriter,
    wanted: Wanted,
    sort: Literal["newest", "oldest", "best", "worst"] = "newest",
    page: PageNumber = 1,
    size: PageSize = 20,
) -> ExamplePage:
    """Examples by the filters of the page Examples, a page at a time."""
    with db.reading() as session:
        total = rows.count(session, writer, wanted)
        found = rows.page(session, writer, wanted, sort, page, size)
        return ExamplePage(examples=[of_example(one) for one in found], total=total, page=page, size=size)


@router.get(
    "/examples/export",
    operation_id="export_examples",
    responses=problems.documented(404, 422) | {200: {"content": {"application/jsonl": {}, "text/csv": {}}}},
    response_class=StreamingResponse,
)
def export_examples(
    writer: ForWriter,
    wanted: Wanted,
    form: Annotated[
        Literal["jsonl", "csv", "preferences", "chat", "alpaca", "sharegpt"], Query(alias="format")
    ] = "jsonl",
) -> StreamingResponse:
    """All that the filters leave, newest first, as one file."""
    name = f"examples-{form}.{'csv' if form == 'csv' else 'jsonl'}"
    with db.reading() as session:
        parts = collection.export(session, writer, wanted, form)
        return file_of(parts, name, MEDIA.get(form, "application/jsonl"))


@router.post(
    "/examples/import",
    operation_id="import_examples",
    responses=problems.documented(404, 422),
    openapi_extra=FILE_BODY,
    max_body_size=limiting.MOST_UPLOAD,
)
@threads.long
def import_examples(
    writer: ForWriter,
    settings: UsedSettings,
    data: Upload,
    name: Annotated[Line, Query(min_length=1, description="What the file is called.")] = "sent.jsonl",
    own: Annotated[bool, Query(description="The writer wrote these themselves: they count most.")] = False,
    prompt: Annotated[Line | None, Query(description="Column of what was asked, where it cannot be guessed.")] = None,
    completion: Annotated[Line | None, Query(description="Column of the text.")] = None,
) -> ImportedFacts:
    """Take the pairs of a CSV or JSONL file: each is scored, and kept or set aside. The answer comes when all are; who
    hangs up loses nothing, and the same file again completes what is missing."""
    mapping = _mapping(columns.look(data, name), prompt, completion)
    found = importing.import_pairs(writer, columns.lines(data, name, mapping), settings, own=own, name=name)
    after_saving.see_to_it(writer, settings)
    return ImportedFacts(
        kept=found.kept,
        set_aside=found.set_aside,
        duplicates=found.duplicates,
        claimed=found.claimed,
        bad=found.bad,
        finished=found.finished,
        errors=[FaultFacts(line=line, message=message) for line, message in found.errors],
        notes=found.notes,
    )


def _mapping(found: columns.Columns, prompt: str | None, completion: str | None) -> dict[str, str]:
    given = {"prompt": prompt, "completion": completion}
    return dict(found.guess) | {part: name for part, name in given.items() if name is not None}


@router.post("/examples/undo", operation_id="undo_change", responses=problems.documented(404, 422))
def undo_change(writer: ForWriter, settings: UsedSettings) -> Said:
    """Take back the writer's last change of examples, wherever it was made."""
    with db.session(settings) as session:
        said = collection.undo(session, writer, settings)
    return Said(message=said or collection.NOTHING)


@router.post("/examples/delete", operation_id="delete_examples", responses=problems.documented(404, 422))
def delete_examples(wanted: ToDelete, writer: ForWriter, settings: UsedSettings) -> Said:
    """Delete several at once, as one change; Undo brings them back for some days. What is not there is passed over."""
    with db.session(settings) as session:
        return Said(message=collection.delete(session, writer, wanted.ids, settings))


@router.get("/examples/{example_id}", operation_id="get_example", responses=problems.documented(404, 422))
def get_example(example_id: RowId, writer: ForWriter) -> ExampleFacts:
    """One example, whole."""
    with db.reading() as session:
        return of_example(rows.get(session, writer, example_id))


@router.patch("/examples/{example_id}", operation_id="change_example", responses=problems.documented(404, 409, 422))
def change_example(example_id: RowId, change: Change, writer: ForWriter, settings: UsedSettings) -> Changed:
    """Edit its text or its prompt, give stars, set its tags, include or exclude it. An edited text is scored again."""
    wanted = Amendment(**change.model_dump(exclude={"seen"}))
    with db.session(settings) as session:
        row, said = amend(session, writer, example_id, wanted, settings, seen=change.seen)
        return Changed(example=of_example(row), message=" ".join(said))


@router.delete("/examples/{example_id}", operation_id="delete_example", responses=problems.documented(404, 422))
def delete_example(example_id: RowId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Delete one; Undo brings it back for some days."""
    with db.session(settings) as session:
        rows.get(session, writer, example_id)
        return Said(message=collection.delete(session, writer, [example_id], settings))
