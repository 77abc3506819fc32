"""The training history: the seeds' endpoints, in their names, and what goes beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from zega_core import db, history, history_files, history_reports, history_share, history_words
from zega_core.api import problems
from zega_core.api.access import Asking, session_of
from zega_core.api.fields import file_of, spooled
from zega_core.api.history_schemas import (
    AsTold,
    Compared,
    Looked,
    PageOfRecords,
    Recommended,
    Record,
    Said,
    Stats,
)
from zega_core.history_reports import SESSION_ID, Report
from zega_core.settings import get_settings
from zega_core.store import history as rows
from zega_core.store import history_totals, sessions
from zega_core.store.history import Order
from zega_core.tables import TrainingSession

router = APIRouter(prefix="/api/training-history", tags=["training history"])
SessionId = Annotated[str, Path(pattern=SESSION_ID, description="The session's sessionId.")]
UserId = Annotated[str, Path(max_length=64, description="The writer's id.")]
Ordered = Annotated[Order, Query(description="In which order.")]
MOST_PAGES = 10_000_000


@router.post(
    "",
    operation_id="save_training_history",
    summary="Hand in the record of a session that another program ran",
    status_code=201,
    response_model=Record,
    responses={200: {"model": Record, "description": "It was there already, just so."}}
    | problems.documented(404, 409, 422),
)
def save(report: Report, asking: Asking, response: Response) -> Record:
    """The same record again is the one that is there; another one with its sessionId is refused."""
    writer = asking.checked(report.user_id)
    with db.session() as session:
        stored = history_reports.hand_in(session, writer, report)
        session.flush()
    response.status_code = 201 if stored.new else 200
    response.headers["Location"] = f"{router.prefix}/session/{stored.row.session_id}"
    return Record.of(stored.row)


@router.get(
    "/user/{user_id}",
    operation_id="list_training_history",
    summary="Every training session of a writer, newest first",
    response_model=list[Record],
    responses=problems.documented(404, 422),
)
def every(user_id: UserId, asking: Asking, wanted: Looked) -> StreamingResponse:
    """A long history takes no more memory than a short one."""
    writer = asking.checked(user_id)
    with db.reading() as session:
        return spooled(_array(rows.every_session(session, writer, wanted)), "application/json")


@router.get(
    "/user/{user_id}/paginated",
    operation_id="page_training_history",
    summary="The training sessions of a writer, a page at a time",
    responses=problems.documented(404, 422),
)
def paginated(
    user_id: UserId,
    asking: Asking,
    wanted: Looked,
    page: Annotated[int, Query(ge=0, le=MOST_PAGES, description="From 0.")] = 0,
    size: Annotated[int, Query(ge=1, le=500, description="Sessions on a page.")] = 10,
    order: Ordered = Order.newest,
) -> PageOfRecords:
    writer = asking.checked(user_id)
    with db.reading() as session:
        total = rows.count(session, writer, wanted)
        found = rows.page_of_sessions(session, writer, wanted, order, number=page + 1, size=size)
    return PageOfRecords.of([Record.of(row) for row in found], total=total, number=page, size=size)


@router.get(
    "/session/{session_id}",
    operation_id="get_training_session",
    summary="One training session",
    responses=problems.documented(404, 422),
)
def one(session_id: SessionId, asking: Asking) -> Record:
    return Record.of(session_of(asking, session_id))


@router.get(
    "/user/{user_id}/stats",
    operation_id="get_training_history_stats",
    summary="The totals of a writer's training sessions",
    responses=problems.documented(404, 422),
)
def stats(user_id: UserId, asking: Asking) -> Stats:
    """Over the sessions that have a record, whether they were archived or not."""
    writer = asking.checked(user_id)
    with db.reading() as session:
        return Stats.of(history_totals.totals(session, writer, recorded=True))


@router.get(
    "/user/{user_id}/recent",
    operation_id="list_recent_training_history",
    summary="The training sessions that ended last",
    responses=problems.documented(404, 422),
)
def recent(
    user_id: UserId,
    asking: Asking,
    limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 5,
) -> list[Record]:
    writer = asking.checked(user_id)
    with db.reading() as session:
        return [Record.of(row) for row in sessions.completed(session, writer, limit)]


@router.get(
    "/user/{user_id}/export",
    operation_id="export_training_history",
    summary="Sessions, conversations and fine-tunes as a file",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file.", "content": {kind: {} for kind in history_files.MEDIA_TYPES.values()}},
    }
    | problems.documented(404, 422),
)
def export(
    user_id: UserId,
    asking: Asking,
    wanted: AsTold,
    form: Annotated[Literal["csv", "json", "parquet"], Query(alias="format", description="Of the file.")] = "csv",
) -> StreamingResponse:
    """What the filter leaves, newest first."""
    writer = asking.checked(user_id)
    with db.reading() as session:
        parts = history_files.FORMS[form](rows.every(session, writer, wanted))
        return file_of(parts, f"history.{form}", history_files.MEDIA_TYPES[form])


@router.get(
    "/user/{user_id}/recommendation",
    operation_id="get_training_recommendation",
    summary="What has worked best so far, with the evidence",
    responses=problems.documented(404, 422),
)
def recommendation(user_id: UserId, asking: Asking) -> Recommended:
    writer = asking.checked(user_id)
    with db.reading() as session:
        found = history.recommendation(session, writer)
    return Recommended.of(found, history_words.recommended(found))


@router.get(
    "/session/{session_id}/compare/{other_id}",
    operation_id="compare_training_sessions",
    summary="Two training sessions of a writer beside each other",
    responses=problems.documented(404, 422),
)
def compare(
    session_id: SessionId,
    other_id: Annotated[str, Path(pattern=SESSION_ID, description="Another one's.")],
    asking: Asking,
) -> list[Compared]:
    first = session_of(asking, session_id)
    with db.reading() as session:
        lines = history.difference(session, first.user_id, first.session_id, other_id)
    return [
        Compared(part=line.part, label=line.label, first=line.first, second=line.second, same=line.same)
        for line in lines
    ]  # fmt: skip


@router.get(
    "/session/{session_id}/share",
    operation_id="share_training_session",
    summary="One training session as a page to give away",
    response_class=HTMLResponse,
    responses=problems.documented(404, 422),
)
def share(
    session_id: SessionId,
    asking: Asking,
    texts: Annotated[bool, Query(description="Whether what was written is in it.")] = False,
) -> HTMLResponse:
    """A single file that runs nothing and names nobody."""
    row = session_of(asking, session_id)
    with db.reading() as session:
        page = history_share.page(session, row.user_id, row.session_id, with_texts=texts)
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})


@router.post(
    "/session/{session_id}/archive",
    operation_id="archive_training_session",
    summary="Put a training session out of sight",
    responses=problems.documented(404, 422),
)
def archive(session_id: SessionId, asking: Asking) -> Said:
    """It counts all the same."""
    row = session_of(asking, session_id)
    return Said(message=history.archive(row.user_id, [row.session_id], get_settings()))


@router.post(
    "/session/{session_id}/unarchive",
    operation_id="unarchive_training_session",
    summary="Bring a training session back into the list",
    responses=problems.documented(404, 422),
)
def unarchive(session_id: SessionId, asking: Asking) -> Said:
    row = session_of(asking, session_id)
    return Said(message=history.unarchive(row.user_id, [row.session_id], get_settings()))


@router.delete(
    "/session/{session_id}",
    operation_id="delete_training_session",
    summary="Delete a training session for good",
    responses=problems.documented(404, 422),
)
def delete(
    session_id: SessionId,
    asking: Asking,
    with_examples: Annotated[
        bool, Query(alias="withExamples", description="Whether its examples go, too; that can be undone for 7 days.")
    ] = False,
) -> Said:
    """What was set aside in it goes with it; kept examples stay."""
    row = session_of(asking, session_id)
    return Said(message=history.delete(row.user_id, [row.session_id], get_settings(), with_examples=with_examples))


def _array(found: Iterable[TrainingSession]) -> Iterator[bytes]:
    between = b"["
    for row in found:
        yield between + Record.of(row).model_dump_json(by_alias=True).encode()
        between = b","
    yield b"[]" if between == b"[" else b"]"
