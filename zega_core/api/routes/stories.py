"""Stories on a writer's shelf."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from zega_core import after_saving, db, shelf, story_files
from zega_core.api import limiting, once, problems
from zega_core.api.access import ForWriter
from zega_core.api.fields import (
    MOST,
    ElementName,
    GenreName,
    PageNumber,
    PageSize,
    RowId,
    Searched,
    Sent,
    Text,
    UsedSettings,
    file_of,
)
from zega_core.facts.base import Said
from zega_core.facts.stories import StoryPage, WholeStory, of_story, whole
from zega_core.store import stories as rows

router = APIRouter(prefix="/stories", tags=["stories"], route_class=once.Route)
Genre = Annotated[GenreName | Literal["unknown", ""], Query(description="unknown: those without one.")]
Order = Annotated[Literal["newest", "oldest", "title", "score", "longest"], Query()]
Title = Annotated[Text, Field(max_length=shelf.MAX_TITLE)]
Body = Annotated[Text, Field(min_length=1, max_length=shelf.MAX_BODY)]
MEDIA = {
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
MOST_AT_ONCE = 1_000
AT_A_TIME = 500


class NewStory(Sent):
    """Without a title its first words are its title."""

    body: Body
    title: Title = ""
    genre: GenreName | Literal[""] = ""
    element: ElementName | Literal[""] = ""


class StoryChange(Sent):
    """What is left out stays. ``seen`` as it was answered: 409 where the story was changed since."""

    title: Title | None = None
    body: Body | None = None
    genre: GenreName | Literal[""] | None = None
    seen: Annotated[str, Field(max_length=64)] | None = None


@router.get("", operation_id="list_stories", responses=problems.documented(404, 422))
def list_stories(
    writer: ForWriter,
    text: Searched = "",
    genre: Genre = "",
    order: Order = "newest",
    page: PageNumber = 1,
    size: PageSize = 20,
) -> StoryPage:
    """What is on the shelf, or found there, a page at a time."""
    with db.reading() as session:
        found, total = shelf.search(session, writer, text, genre, order, page, size)
    return StoryPage(stories=[of_story(one) for one in found], total=total, page=page, size=size)


@router.post(
    "",
    operation_id="add_story",
    status_code=201,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
    max_body_size=limiting.MOST_UPLOAD,
)
def add_story(story: NewStory, writer: ForWriter, settings: UsedSettings, begun: once.Begun) -> WholeStory:
    """Put a story on the shelf."""
    if begun.earlier:
        return get_story(int(begun.earlier), writer)
    with db.session(settings) as session:
        row = shelf.save(session, writer, story.title, story.body, genre=story.genre, element=story.element)
        begun.note(session, str(row.id))
        found = whole(row)
    after_saving.remember(writer, settings)
    return found


@router.get(
    "/export",
    operation_id="export_stories",
    responses=problems.documented(404, 422) | {200: {"content": {media: {} for media in MEDIA.values()}}},
    response_class=StreamingResponse,
)
def export_stories(
    writer: ForWriter,
    form: Annotated[Literal["txt", "md", "docx"], Query(alias="format")] = "txt",
    story_id: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST)]] | None, Query(max_length=MOST_AT_ONCE, description="None: all.")
    ] = None,
    text: Searched = "",
    genre: Genre = "",
    order: Order = "newest",
) -> StreamingResponse:
    """Stories in one file, several with a table of their titles."""
    with db.reading() as session:
        found = [shelf.get(session, writer, one) for one in dict.fromkeys(story_id or ())]
        if story_id is None:
            ids = rows.ids(session, writer, text, genre, order)
            found = [story for some in rows.in_chunks(session, writer, ids, AT_A_TIME) for story in some]
    data, name = story_files.exported(found, form)
    return file_of([data], name, MEDIA[form])


@router.get("/{story_id}", operation_id="get_story", responses=problems.documented(404, 422))
def get_story(story_id: RowId, writer: ForWriter) -> WholeStory:
    """One story, whole."""
    with db.reading() as session:
        return whole(shelf.get(session, writer, story_id))


@router.patch(
    "/{story_id}",
    operation_id="change_story",
    responses=problems.documented(404, 409, 422),
    max_body_size=limiting.MOST_UPLOAD,
)
def change_story(story_id: RowId, change: StoryChange, writer: ForWriter, settings: UsedSettings) -> WholeStory:
    """Its title, text or genre."""
    with db.session(settings) as session:
        row = shelf.edit(session, writer, story_id, change.title, change.body, genre=change.genre, seen=change.seen)
        found = whole(row)
    after_saving.remember(writer, settings)
    return found


@router.delete("/{story_id}", operation_id="delete_story", responses=problems.documented(404, 422))
def delete_story(story_id: RowId, writer: ForWriter, settings: UsedSettings) -> Said:
    """Delete it for good. What it was saved from, and what was written from it, stay."""
    with db.session(settings) as session:
        shelf.delete(session, writer, story_id)
    return Said(message="The story is deleted.")
