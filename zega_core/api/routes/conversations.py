"""Conversations in which ZEGA asks and the writer answers."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator

from zega_core import conversation, conversation_stats, db, pairing, talking
from zega_core.api import once, problems, threads
from zega_core.api.access import Asking, Caller, ForWriter, WriterId
from zega_core.api.fields import (
    Answer,
    ConversationKey,
    Line,
    Number,
    PageNumber,
    PageSize,
    Seconds,
    Sent,
    Text,
    UsedSettings,
)
from zega_core.api.routes import auto_config
from zega_core.facts import conversations as facts
from zega_core.facts.base import Facts, Said
from zega_core.facts.conversations import (
    ConversationFacts,
    ConversationPage,
    QuestionFacts,
    SavedFacts,
    StatsFacts,
    TurnFacts,
)
from zega_core.store import conversations as rows
from zega_core.store import writers

router = APIRouter(prefix="/api/training/conversation", tags=["conversations"], route_class=once.Route)
router.include_router(auto_config.router)
Key = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="session_id of the conversation.")]
Purpose = Annotated[Text, Field(max_length=2_000)]


class OfWriter(Sent):
    """``user_id`` as the query parameter of that name."""

    user_id: WriterId | None = None

    def writer(self, asking: Caller, otherwise: str) -> str:
        return otherwise if self.user_id is None else asking.checked(self.user_id)


class Begin(OfWriter):
    """``purpose`` is what the model should be able to do, in the writer's words."""

    purpose: Purpose = ""
    name: Annotated[Text, Field(max_length=80)] = ""


class Begun(Facts):
    session: ConversationFacts
    welcome: str
    question: QuestionFacts


class Respond(OfWriter):
    """With ``response`` the question ``turn_id`` is answered, with ``skip`` it is left; with neither the open question
    comes again. ``seconds`` is what the writer spent on it."""

    session_id: ConversationKey
    turn_id: Number | None = None
    response: Answer | None = None
    skip: bool = False
    seconds: Seconds = 0.0

    @model_validator(mode="after")
    def _names_its_question(self) -> Self:
        if (self.response is not None or self.skip) and self.turn_id is None:
            raise ValueError("say which question it is: turn_id, as it came with the question.")
        if self.response is not None and self.skip:
            raise ValueError("answer the question or skip it.")
        return self


class Responded(Facts):
    """``saved`` is what came of the answer, ``question`` what is asked next. ``training_run_id`` names the training
    that this answer set off."""

    session_id: str
    saved: SavedFacts | None
    question: QuestionFacts
    training_run_id: str | None


class Pair(OfWriter):
    """An answer to a question of ZEGA's (``turn_id``), or to one of your own (``query``)."""

    session_id: ConversationKey
    turn_id: Number | None = None
    query: Annotated[Text, Field(min_length=1, max_length=pairing.LONGEST_QUESTION)] | None = None
    response: Answer
    seconds: Seconds = 0.0

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.turn_id is None) == (self.query is None):
            raise ValueError("say what was asked: turn_id of a question of ZEGA's, or query with your own.")
        return self


class Added(Facts):
    session_id: str
    saved: SavedFacts
    training_run_id: str | None


class ConversationChange(Sent):
    """What is left out stays."""

    name: Annotated[Text, Field(min_length=1, max_length=80)] | None = None
    purpose: Purpose | None = None
    paused: bool | None = None


class WithTurns(Facts):
    """``turns`` oldest first; ``earlier`` says that there are more before them."""

    session: ConversationFacts
    turns: list[TurnFacts]
    earlier: bool


@router.post(
    "/start",
    operation_id="start_conversation",
    status_code=201,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
)
@threads.long
def start(wanted: Begin, writer: ForWriter, asking: Asking, settings: UsedSettings, begun: once.Begun) -> Begun:
    """Begin a conversation; its first question is asked."""
    writer = wanted.writer(asking, writer)
    found = talking.begin(
        writer, settings, purpose=wanted.purpose, name=wanted.name, earlier=begun.earlier, noted=begun.note
    )
    return Begun(
        session=facts.of_conversation(found.conversation, found.answers),
        welcome=found.welcome,
        question=facts.of_question(found.question),
    )


@router.post(
    "/generate-and-respond",
    operation_id="respond",
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
)
@threads.long
def respond(wanted: Respond, writer: ForWriter, asking: Asking, settings: UsedSettings) -> Responded:
    """Answer or skip a question, and get the next. A question is answered once: the same answer sent twice is stored
    once."""
    writer, saved, training = wanted.writer(asking, writer), None, None
    if wanted.response is not None and wanted.turn_id is not None:
        saved, training = talking.answer(
            writer, wanted.session_id, wanted.turn_id, wanted.response, settings, seconds=wanted.seconds
        )
    elif wanted.skip and wanted.turn_id is not None:
        with db.session(settings) as session:
            conversation.skip(session, writer, wanted.session_id, wanted.turn_id)
    return Responded(
        session_id=wanted.session_id,
        saved=None if saved is None else facts.of_saved(saved),
        question=facts.of_question(talking.question(writer, wanted.session_id, settings)),
        training_run_id=training,
    )


@router.post(
    "/add-pair",
    operation_id="add_pair",
    status_code=201,
    responses=problems.documented(404, 422),
    dependencies=[once.HONOURED],
)
def add_pair(pair: Pair, writer: ForWriter, asking: Asking, settings: UsedSettings) -> Added:
    """Save a question with its answer; nothing else is asked."""
    writer = pair.writer(asking, writer)
    if pair.turn_id is not None:
        saved, training = talking.answer(
            writer, pair.session_id, pair.turn_id, pair.response, settings, seconds=pair.seconds
        )
    else:
        saved, training = talking.add_pair(
            writer, pair.session_id, pair.query or "", pair.response, settings, seconds=pair.seconds
        )
    return Added(session_id=pair.session_id, saved=facts.of_saved(saved), training_run_id=training)


@router.get("/sessions", operation_id="list_conversations", responses=problems.documented(404, 422))
def list_conversations(writer: ForWriter, page: PageNumber = 1, size: PageSize = 20) -> ConversationPage:
    """The writer's conversations, the one used last first."""
    with db.reading() as session:
        found, answered = rows.of_writer(session, writer), rows.answered(session, writer)
    shown = found[(page - 1) * size : page * size]
    return ConversationPage(
        sessions=[facts.of_conversation(row, answered.get(row.key, 0)) for row in shown],
        total=len(found),
        page=page,
        size=size,
    )


@router.get("/sessions/{session_id}", operation_id="get_conversation", responses=problems.documented(404, 422))
def get_conversation(
    session_id: Key,
    writer: ForWriter,
    before: Annotated[int | None, Query(ge=1, le=10**6, description="Only turns with a lower number.")] = None,
    size: PageSize = 20,
) -> WithTurns:
    """What was asked and answered in it, the newest turns."""
    with db.reading() as session:
        row, answered = rows.get(session, writer, session_id), rows.answered(session, writer)
        turns = rows.turns(session, writer, session_id, before=before, limit=size + 1)
    return WithTurns(
        session=facts.of_conversation(row, answered.get(row.key, 0)),
        turns=[facts.of_turn(turn, example) for turn, example in turns[-size:]],
        earlier=len(turns) > size,
    )


@router.patch("/sessions/{session_id}", operation_id="change_conversation", responses=problems.documented(404, 422))
def change_conversation(
    session_id: Key, change: ConversationChange, writer: ForWriter, settings: UsedSettings
) -> ConversationFacts:
    """Its name, its purpose, or whether it is paused."""
    with db.session(settings) as session:
        row = rows.hold(session, writer, session_id)
        if change.name is not None:
            conversation.rename(session, writer, session_id, change.name)
        if change.purpose is not None:
            conversation.set_purpose(session, writer, session_id, change.purpose)
        if change.paused is not None:
            conversation.pause(session, writer, session_id, paused=change.paused)
        session.flush()
        row = rows.get(session, writer, session_id)
        return facts.of_conversation(row, rows.answered(session, writer).get(row.key, 0))


@router.delete("/sessions/{session_id}", operation_id="delete_conversation", responses=problems.documented(404, 422))
def delete_conversation(
    session_id: Key,
    writer: ForWriter,
    settings: UsedSettings,
    with_answers: Annotated[bool, Query(description="Its answers go, too; Undo brings those back.")] = False,
) -> Said:
    """Its questions and drafts go; its answers stay examples."""
    with db.session(settings) as session:
        number = conversation.delete_conversation(session, writer, session_id, with_answers=with_answers)
    return Said(message=talking.deleted(number))


@router.get("/stats/{id}", operation_id="conversation_stats", responses=problems.documented(404, 422))
def stats(
    id: str,
    asking: Asking,
    settings: UsedSettings,
    zone: Annotated[Line, Query(description="Time zone by which days are counted.")] = "UTC",
) -> StatsFacts:
    """How it goes. ``id`` is a conversation's, for that one, or a writer's, for all of theirs."""
    conversation_stats.check_zone(zone)
    with db.reading(settings) as session:
        row = rows.by_key(session, id)
        if row is not None and asking.writer in (None, row.user_id):
            writer, key = row.user_id, row.key
        else:  # another writer's conversation answers like one that is not there
            writer, key = asking.checked(id), None
            writers.get(session, writer)
        found = conversation_stats.stats(session, writer, zone, settings)
        counted = found if key is None else conversation_stats.of_conversation(session, writer, key, zone, settings)
        pairs, goal = talking.standing(session, writer, settings)
    return facts.of_stats(writer, key, found, counted, pairs, goal)
