"""A writer who has something of everything: a row in each table that belongs to writers, with a word in every text."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from tests.support import proved
from tests.support.outcome import RESULT
from zega_core import conversation_tables as talks
from zega_core import db, door_tables, proof_tables, teacher_tables, version_tables, writing_tables
from zega_core.configs import FineTuneConfig, TasteConfig, TeachingConfig
from zega_core.fine_tune.plan import Plan
from zega_core.settings import Settings
from zega_core.store import writers
from zega_core.tables import Example, Memory, RunStatus, Story, Taste, TrainingSession, Writer, now


def rows(writer: str, number: int, letter: str, word: str) -> list[Any]:
    """All that is stored of them. ``number`` is the id of each row, ``letter`` 32 times the key of whatever has one."""
    key, text, at = letter * 32, f"{word} was written here.", now() - timedelta(days=2)
    ended = {"status": RunStatus.done, "completed_at": at, "created_at": at}
    mine: dict[str, Any] = {"user_id": writer, "id": number}
    piece = {"genre": "mystery", "element": "scene", "prompt": f"{word} as a prompt", "quality": 8.2}
    return [
        TrainingSession(
            **mine,
            session_id=key,
            num_examples_requested=1,
            num_examples_successful=1,
            genres_selected=["mystery"],
            genre_distribution_json={"mystery": 1},
            model_performance_json={},
            seed=1,
            order_seed=1,
            draw_from={},
            teacher=f"{word}/teacher",
            average_quality=8.2,
            started_at=at,
            recorded=True,
            **ended,
        ),
        teacher_tables.SessionTeacher(
            user_id=writer, session_id=number, model=f"{word}/teacher", made=1, kept=1, scored=1, quality_sum=8.2
        ),
        talks.Conversation(**mine, key=key, name=f"{word} talk", purpose=text),
        talks.Manuscript(
            **mine,
            run_id=key,
            name=f"{word}.txt",
            format="txt",
            original=text.encode(),
            content_hash=letter * 64,
            words=4,
            passages=1,
            done=1,
            notes=[text],
            **ended,
        ),
        Example(
            **mine,
            **piece,
            session_id=number,
            idx=0,
            completion=text,
            status="kept",
            text_hash=key,
            model="storyteller",
            rating=4,
            rated_at=at,
            tags=[f"{word}-tag"],
            origin=f"{word} file",
            original=f"{word} before",
            edited_at=at,
        ),
        Story(**mine, example_id=number, title=f"{word} story", genre="mystery", body=text, quality=8.2),
        Memory(**mine, body=text),
        Taste(user_id=writer, config=TasteConfig(keep_score=7.5).model_dump()),
        talks.Turn(**mine, conversation_id=number, number=1, state="answered", question=text, draft=text, example=text),
        talks.TrainingTrigger(user_id=writer, config={}),
        talks.Notification(**mine, key=f"{word}-1", kind="finished", text=text, page="fine_tune.py"),
        talks.ExampleChange(**mine, batch=key, action="edit", example_id=number, before={"completion": text}),
        door_tables.ApiKey(**mine, name=f"{word} key", prefix=f"zega_{letter * 6}", hash=letter * 64),
        door_tables.OnceOnly(
            user_id=writer, key=f"{word}-1", request_hash=letter * 64, body=json.dumps({"text": text})
        ),
        door_tables.SignIn(**mine, issuer="https://id.example", subject=writer, email=f"{word}@example.org"),
        teacher_tables.AutoTrainingConfig(user_id=writer, config=TeachingConfig().model_dump(mode="json")),
        teacher_tables.ProviderCall(
            **mine,
            session_id=number,
            role="teacher",
            provider="groq",
            model=f"{word}-model",
            outcome="ok",
            sent_chars=number,
            remote=True,
            at=at,
        ),
        teacher_tables.Candidate(
            **mine, session_id=number, idx=0, model=f"groq/{word}", completion=text, quality=7.0, won=True
        ),
        teacher_tables.TeacherCheck(**mine, provider="groq", model=f"{word}-model", result={"message": text}),
        teacher_tables.Favourite(**mine, name=f"{word} set", genres=["mystery"], num_examples=3),
        writing_tables.Writing(**mine, key=key, task="continue", brief=text, given=text, request={}, story_id=number),
        writing_tables.Take(
            **mine,
            key=key,
            writing_id=number,
            number=1,
            text=text,
            original=text,
            state="done",
            label=f"{word} author",
            context={},
            example_id=number,
            story_id=number,
        ),
        writing_tables.WritingChoice(user_id=writer, config={}),
        writing_tables.StyleProfile(user_id=writer, corrections={}),
        version_tables.FineTuning(user_id=writer, config=FineTuneConfig().model_dump(mode="json")),
        version_tables.FineTune(
            **mine,
            run_id=key,
            trigger="writer",
            config=FineTuneConfig().model_dump(mode="json"),
            notes=[text],
            version_number=number,
            **ended,
        ),
        version_tables.TrainingMetric(fine_tune_id=number, step=1, epoch=0.5, loss=3.0),
        version_tables.Version(
            **mine,
            number=number,
            name=f"{word} version",
            fine_tune_id=number,
            base="",
            base_hash=RESULT.base_hash,
            data_hash=letter * 64,
            examples=50,
            own_share=0.25,
            settings=json.loads(json.dumps(asdict(Plan(base="built-in")))),
            metrics={name: value for name, value in asdict(RESULT).items() if name not in ("files", "base_hash")},
            files={},
            size_bytes=RESULT.size_bytes,
            seconds=RESULT.seconds,
        ),
        version_tables.Promotion(**mine, version_id=number),
        proof_tables.Proof(
            **mine,
            run_id=key,
            trigger="fine_tune",
            version_number=number,
            verdict="better",
            reasons=[text],
            notes=[text],
            figures=proved.figures().as_dict(),
            **ended,
        ),
        proof_tables.ProofText(
            proof_id=number,
            place=0,
            prompt=text,
            genre="mystery",
            element="scene",
            source="held_out",
            seed=1,
            before=text,
            after=text,
            before_ended=True,
            after_ended=True,
            score_before=7.0,
            score_after=8.0,
            judged={},
        ),
        proof_tables.Export(
            **mine,
            run_id=key,
            trigger="writer",
            format="jsonl",
            folder=f"jsonl-{word}",
            files={f"{word}.jsonl": letter * 64},
            notes=[text],
            **ended,
        ),
    ]


def store(settings: Settings, writer: str, number: int, letter: str, word: str) -> None:
    with db.session(settings) as session:
        if session.get(Writer, writer) is None:
            writers.add(session, writer)
        for row in rows(writer, number, letter, word):
            session.add(row)
            session.flush()
    folder = settings.home / "exports" / writer / f"jsonl-{word}"
    folder.mkdir(parents=True)
    (folder / f"{word}.jsonl").write_text(f"{word} was written here.", encoding="utf-8")


def tables_without(session: Session, writer: str) -> list[str]:
    """Names of the tables that belong to writers and hold nothing of this one."""
    tables = [table for table in Writer.metadata.sorted_tables if "user_id" in table.columns]
    return [
        table.name
        for table in tables
        if session.connection().execute(table.select().where(table.c.user_id == writer).limit(1)).first() is None
    ]
