"""A proof as a worker runs it, with a process that writes by a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, replace
from time import monotonic
from typing import Any

import pytest
from sqlmodel import select

from tests.support import provable, prover, tuned
from tests.support.provable import PROMPTS, ask, found, starts, texts, write_script
from tests.support.worker import until
from zega_core import db, proof_weighing, proof_words, proving, staffing, versions
from zega_core.configs import TeachingConfig
from zega_core.errors import InvalidInput, NobodyLeft, NotFound, ProviderUnavailable
from zega_core.jobs import client
from zega_core.proof.figures import read_figures
from zega_core.proof.rule import Verdict
from zega_core.proof_tables import Proof, ProofText
from zega_core.providers.base import Call, Completion, GenerationOptions, Message
from zega_core.settings import Settings
from zega_core.store import leases, proofs, teaching
from zega_core.store import versions as rows
from zega_core.tables import CallOutcome, RunStatus
from zega_core.teacher_tables import ProviderCall

scripted = provable.scripted
pytestmark = pytest.mark.usefixtures("scripted")
NAME = "groq/llama-3.3-70b-versatile"


def run(config: Settings, proof: Proof, attempt: int = 1) -> RunStatus | None:
    return proving.run(proof.run_id, attempt, settings=config)


def run_beside(config: Settings, proof: Proof) -> threading.Thread:
    thread = threading.Thread(target=run, args=(config, proof))
    thread.start()
    return thread


def written(config: Settings, proof: Proof) -> int:
    return sum((one.before is not None) + (one.after is not None) for one in texts(config, proof))


def in_use(config: Settings) -> int | None:
    with db.reading(config) as session:
        version = rows.promoted(session, "ana")
    return None if version is None else version.number


def stop(config: Settings, proof: Proof) -> None:
    with db.session(config) as session:
        leases.ask_to_stop(session, proofs.get(session, "ana", proof.run_id))


def again(config: Settings, proof: Proof) -> None:
    with db.session(config) as session:
        assert proofs.ask_to_continue(session, proofs.get(session, "ana", proof.run_id))


def decide(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    """The rule says this, whatever the figures are."""
    monkeypatch.setattr(proof_weighing, "verdict", lambda figures: Verdict(kind, ["As it was told."]))


def test_both_write_everything_is_measured_and_weighed(config: Settings, database: str):
    provable.version(config)
    proof = ask(config)
    assert run(config, proof) == RunStatus.done
    row, pairs = found(config, proof), texts(config, proof)
    assert len(pairs) == PROMPTS
    assert [one.place for one in pairs] == list(range(PROMPTS))
    assert sum(one.source == "held_out" for one in pairs) == 4
    for one in pairs:
        assert (one.before, one.after) == (prover.text("before", one.place), prover.text("after", one.place))
        assert one.before_ended
        assert one.after_ended
        assert None not in (one.score_before, one.score_after)
    assert len({one.flipped for one in pairs}) == 2
    assert row.losses == {
        "before": {"nats": [200.0] * 4, "tokens": [50] * 4},
        "after": {"nats": [175.0] * 4, "tokens": [50] * 4},
    }
    figures = read_figures(row.figures)
    assert figures is not None
    assert (figures.prompts, figures.held_out_prompts) == (PROMPTS, 4)
    assert figures.perplexity is not None
    assert figures.perplexity.after < figures.perplexity.before
    assert row.verdict in ("better", "not_shown", "worse")
    assert row.reasons
    assert (row.notes, row.phase, row.error, row.done, row.total) == (["One note."], "", None, 2 * PROMPTS, 2 * PROMPTS)
    assert in_use(config) is None
    assert not proving.folder_of(config, proof.run_id).exists()


def test_what_was_trained_on_by_either_is_neither_asked_nor_measured(config: Settings):
    """The version that it is compared with learned two of the texts that the new one has not seen."""
    learned = [provable.row(11), replace(provable.row(99), prompt=provable.row(12).prompt)]
    provable.version(config, rows=learned)
    provable.version(config)
    proof = ask(config, 2, against=1)
    assert run(config, proof) == RunStatus.done
    assert len((found(config, proof).losses or {})["after"]["nats"]) == 2
    held = {one.prompt for one in texts(config, proof) if one.source == "held_out"}
    assert held == {provable.row(13).prompt, provable.row(14).prompt}


@pytest.mark.parametrize("kind, used", [("better", 2), ("not_shown", 1), ("worse", 1)])
def test_only_a_better_one_is_put_in_use_by_itself(
    config: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, used: int
):
    decide(monkeypatch, kind)
    provable.version(config, promote=True)
    provable.version(config)
    proof = ask(config, 2, against=1, promote=True)
    assert run(config, proof) == RunStatus.done
    row = found(config, proof)
    assert (row.verdict, row.reasons) == (kind, ["As it was told."])
    assert (in_use(config), row.promote) == (used, used == 2)


def test_what_the_writer_put_in_use_is_not_said_to_have_been_put_in_use_by_itself(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Their blind choices made it better after the proof had ended."""
    decide(monkeypatch, "not_shown")
    provable.version(config)
    proof = ask(config, promote=True)
    assert run(config, proof) == RunStatus.done
    decide(monkeypatch, "better")
    proving.choose("ana", proof.run_id, 0, "after", config)
    versions.promote("ana", 1, config)
    row = found(config, proof)
    assert (row.verdict, proof_words.use(row, 1, None)) == ("better", "")


def test_one_that_was_asked_for_by_hand_puts_nothing_in_use(config: Settings, monkeypatch: pytest.MonkeyPatch):
    decide(monkeypatch, "better")
    provable.version(config)
    assert run(config, ask(config)) == RunStatus.done
    assert in_use(config) is None


@pytest.mark.parametrize("meanwhile, who", [(2, "v2"), (None, "the base model")])
def test_a_better_one_does_not_take_the_place_of_what_it_was_not_compared_with(
    config: Settings, monkeypatch: pytest.MonkeyPatch, meanwhile: int | None, who: str
):
    decide(monkeypatch, "better")
    provable.version(config, promote=True)
    provable.version(config)
    provable.version(config)
    proof = ask(config, 3, against=1, promote=True)
    versions.promote("ana", meanwhile, config)
    assert run(config, proof) == RunStatus.done
    assert in_use(config) == meanwhile
    assert f"It was compared with v1, and by now {who} is in use" in " ".join(found(config, proof).notes)


def test_a_better_one_that_the_writer_has_put_in_use_meanwhile_needs_no_word(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    decide(monkeypatch, "better")
    provable.version(config)
    proof = ask(config, promote=True)
    versions.promote("ana", 1, config)
    assert run(config, proof) == RunStatus.done
    assert (in_use(config), found(config, proof).notes) == (1, ["One note."])


def test_stop_keeps_what_is_written_and_continue_writes_the_rest(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"hang_at": 10}, {})
    thread = run_beside(config, proof)
    until(lambda: written(config, proof) == 10)
    stop(config, proof)
    pressed = monotonic()
    thread.join(30)
    assert monotonic() - pressed < 10
    assert (found(config, proof).status, written(config, proof)) == (RunStatus.stopped, 10)
    before = [(one.before, one.flipped) for one in texts(config, proof)][:10]
    again(config, proof)
    assert run(config, proof, 2) == RunStatus.done
    assert starts(config) == [0, 10]
    assert [(one.before, one.flipped) for one in texts(config, proof)][:10] == before
    assert written(config, proof) == 2 * PROMPTS


def test_a_killed_process_is_started_again_with_what_is_there(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"die_at": 5}, {"die_at": 7}, {})
    assert run(config, proof) == RunStatus.done
    assert starts(config) == [0, 5, 12]
    assert written(config, proof) == 2 * PROMPTS


def test_a_process_that_is_killed_again_and_again_is_given_up_with_a_sentence(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"die_at": 0})
    assert run(config, proof) == RunStatus.failed
    assert "want of memory" in (found(config, proof).error or "")


def test_a_killed_worker_s_proof_goes_on_where_it_stood(config: Settings, monkeypatch: pytest.MonkeyPatch):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"hang_at": 6}, {})
    with monkeypatch.context() as patch:
        patch.setattr(proving.ChildProcess, "ended", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(config, proof)
    there = written(config, proof)
    with db.session(config) as session:
        assert proofs.take_over(session, proofs.get(session, "ana", proof.run_id))
    assert run(config, proof, 2) == RunStatus.done
    assert (starts(config)[-1], there < 2 * PROMPTS) == (there, True)
    assert len(texts(config, proof)) == PROMPTS


def test_an_attempt_that_was_taken_over_writes_nothing_more(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"hang_at": 3}, {})
    thread = run_beside(config, proof)
    until(lambda: written(config, proof) == 3)
    with db.session(config) as session:
        proofs.take_over(session, proofs.get(session, "ana", proof.run_id))
    thread.join(30)
    assert not thread.is_alive()
    assert (found(config, proof).status, written(config, proof)) == (RunStatus.queued, 3)


def test_a_version_that_is_deleted_meanwhile_takes_its_proof_with_it(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"hang_at": 3})
    thread = run_beside(config, proof)
    until(lambda: written(config, proof) == 3)
    versions.delete("ana", 1, config)
    thread.join(30)
    assert not thread.is_alive()
    with db.reading(config) as session:
        assert not session.exec(select(Proof)).all()
        assert not session.exec(select(ProofText)).all()
    proving.tidy(config)
    assert not proving.folder_of(config, proof.run_id).exists()


@pytest.mark.parametrize("kind", ["refused", "home", "unexpected"])
def test_a_sentence_of_the_process_is_the_error_and_continue_tries_again(config: Settings, kind: str):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"error": "v1's file is damaged. Restore it.", "kind": kind}, {})
    assert run(config, proof) == RunStatus.failed
    assert found(config, proof).error == "v1's file is damaged. Restore it."
    again(config, proof)
    assert run(config, proof, 2) == RunStatus.done


def test_a_process_that_ends_before_everything_is_written_is_an_error(config: Settings):
    provable.version(config)
    proof = ask(config)
    write_script(config, {"leave_out": 2})
    assert run(config, proof) == RunStatus.failed
    assert "before everything was written" in (found(config, proof).error or "")


@pytest.mark.parametrize("trouble", ["gone", "damaged", "another base"])
def test_a_version_that_cannot_write_is_an_error_in_words(config: Settings, trouble: str):
    more: dict[str, Any] = {"base_hash": "c" * 64} if trouble == "another base" else {}
    provable.version(config, **more)
    adapter = versions.folder_of(config, "ana", 1) / "adapter_model.safetensors"
    if trouble == "gone":
        adapter.unlink()
    elif trouble == "damaged":
        adapter.write_bytes(b"damaged")
    proof = ask(config)
    assert run(config, proof) == RunStatus.failed
    error = found(config, proof).error or ""
    assert error.endswith("train a new version.")
    assert not starts(config)


@pytest.mark.parametrize("job", [{"base": 7}, {}, {"strange": "field", "max_tokens": {}}])
def test_a_job_that_another_program_wrote_is_an_error_in_words(config: Settings, job: dict[str, Any]):
    provable.version(config)
    proof = ask(config)
    with db.session(config) as session:
        row = proofs.get(session, "ana", proof.run_id)
        row.job = job
        proofs.add_prompts(session, row, [ProofText(proof_id=0, place=0, prompt="x", source="shipped", seed=1)])
        session.add(row)
    assert run(config, proof) == RunStatus.failed
    assert "Start a new one" in (found(config, proof).error or "")


BROKEN = [{"example_id": [1]}, {"weight": "much"}, {"split": ["train"]}, {"completion": None}]


@pytest.mark.parametrize(
    "data",
    [
        *(None, b"\xff\xfe", b"7\n", b'{"example_id": 1}\n', b"[" * 100_000),
        *(json.dumps(asdict(provable.row(1)) | broken).encode() for broken in BROKEN),
    ],
    ids=["none", "binary", "number", "half", "deep", "id", "weight", "side", "text"],
)
def test_a_version_without_data_that_can_be_read_is_proved_on_shipped_prompts(config: Settings, data: bytes | None):
    provable.version(config)
    path = versions.folder_of(config, "ana", 1) / "data.jsonl"
    path.unlink() if data is None else path.write_bytes(data)
    proof = ask(config)
    assert run(config, proof) == RunStatus.done
    assert {one.source for one in texts(config, proof)} == {"shipped"}
    assert found(config, proof).losses is None


def test_texts_that_only_an_ancestor_has_count_as_learned(config: Settings):
    provable.version(config, rows=[replace(provable.row(1), completion=prover.text("after", 3) + " The end.")])
    without_text = replace(provable.row(1), completion="", weight=0.0)
    provable.version(config, rows=[without_text, *provable.ROWS[1:]], parent=1)
    proof = ask(config, 2)
    assert run(config, proof) == RunStatus.done
    figures = read_figures(found(config, proof).figures)
    assert figures is not None
    assert figures.copies.longest > 50


# --- the judge


class Judge:
    """Prefers ``likes`` ("before", "after", "first"), as a service would answer. ``fails`` is raised instead from call
    ``fails_at`` on."""

    provider, in_flight = "groq", 2
    name = label = NAME

    def __init__(self, likes: str = "after", fails: Exception | None = None, fails_at: int = 0) -> None:
        self.likes, self.fails, self.fails_at, self.asked = likes, fails, fails_at, 0

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        self.asked += 1
        if self.fails is not None and self.asked > self.fails_at:
            raise self.fails
        shown = messages[-1].content
        if self.likes == "nonsense":
            answer = "I like them."
        elif self.likes == "first":
            answer = '{"reason": "It comes first.", "better": "A"}'
        else:
            liked = shown.find(next(one for one in self.texts if one in shown))
            first = liked < shown.index("PIECE B")
            answer = f'{{"reason": "It is calm.", "better": "{"A" if first else "B"}"}}'
        call = Call("groq", "llama-3.3-70b-versatile", CallOutcome.ok, cost=0.001, sent_chars=len(shown), remote=True)
        return Completion(answer, NAME, 10, 10, calls=(call,))

    @property
    def texts(self) -> list[str]:
        return [prover.text(self.likes, place) for place in range(PROMPTS)]


def seat(monkeypatch: pytest.MonkeyPatch, judge: Judge | str) -> list[float]:
    """Who is found when a judge is looked for; what was spent by then."""
    spent: list[float] = []

    def found_one(writer: str, name: str, settings: Settings, *, spent: float = 0.0, noted: list[float] = spent) -> Any:
        noted.append(spent)
        return judge if isinstance(judge, str) else staffing.Seat(judge, lambda session: False)  # type: ignore[arg-type]

    monkeypatch.setattr(staffing, "judge_of", found_one)
    return spent


def calls(config: Settings) -> list[ProviderCall]:
    with db.reading(config) as session:
        return list(session.exec(select(ProviderCall)).all())


def test_a_judge_reads_every_pair_in_both_orders_and_every_call_is_in_the_ledger(
    config: Settings, monkeypatch: pytest.MonkeyPatch, database: str
):
    provable.version(config)
    proof, judge = ask(config, judge=NAME), Judge()
    seat(monkeypatch, judge)
    assert run(config, proof) == RunStatus.done
    assert judge.asked == 2 * PROMPTS
    noted = calls(config)
    assert len(noted) == 2 * PROMPTS
    assert {(one.role, one.session_id, one.remote, one.user_id) for one in noted} == {("judge", None, True, "ana")}
    said = texts(config, proof)[0].judged[NAME]
    assert (said["winner"], said["agreed"], said["first"], said["second"]) == ("after", True, "after", "after")
    figures = read_figures(found(config, proof).figures)
    assert figures is not None
    (judged,) = figures.judged
    assert (judged.duel.wins, judged.disagreed) == (PROMPTS, 0)
    assert (judged.named_first, judged.answers) == (PROMPTS, 2 * PROMPTS)
    assert found(config, proof).notes == ["One note."]


def test_a_judge_that_names_whatever_comes_first_is_found_out(config: Settings, monkeypatch: pytest.MonkeyPatch):
    provable.version(config)
    proof = ask(config, judge=NAME)
    seat(monkeypatch, Judge("first"))
    assert run(config, proof) == RunStatus.done
    figures = read_figures(found(config, proof).figures)
    assert figures is not None
    (judged,) = figures.judged
    assert (judged.disagreed, judged.named_first, judged.answers) == (PROMPTS, 2 * PROMPTS, 2 * PROMPTS)
    assert judged.duel.ties == PROMPTS


@pytest.mark.parametrize(
    "judge, says, heard",
    [
        ("Ollama does not answer.", "was not asked: Ollama does not answer.", 0),
        (
            Judge(fails=NobodyLeft("The limit of the day is used up."), fails_at=10),
            "The limit of the day is used up.",
            5,
        ),
        (Judge(fails=ProviderUnavailable("No answer.")), "gave no answer on 8 of 8 pairs", 0),
        (Judge("nonsense"), "said nothing that can be used on 8 of 8 pairs", 0),
    ],
    ids=["unreachable", "limited", "failing", "nonsense"],
)
def test_a_proof_goes_on_without_its_judge_and_says_so(
    config: Settings, monkeypatch: pytest.MonkeyPatch, judge: Judge | str, says: str, heard: int
):
    provable.version(config)
    proof = ask(config, judge=NAME)
    if isinstance(judge, Judge):
        judge.asked = 0
    seat(monkeypatch, judge)
    assert run(config, proof) == RunStatus.done
    row = found(config, proof)
    assert row.verdict
    (note,) = [one for one in row.notes if one.startswith("The judge ")]
    assert says in note
    usable = [one for one in texts(config, proof) if one.judged.get(NAME, {}).get("winner")]
    assert heard - 1 <= len(usable) <= heard


def test_what_was_judged_before_a_crash_is_not_asked_again(config: Settings, monkeypatch: pytest.MonkeyPatch):
    provable.version(config)
    proof, judge = ask(config, judge=NAME), Judge()
    seat(monkeypatch, judge)
    with monkeypatch.context() as patch:
        patch.setattr(proving, "_conclude", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(config, proof)
    with db.session(config) as session:
        for text in proofs.texts(session, proof)[:6]:
            text.judged = {}
            session.add(text)
    with db.session(config) as session:
        assert proofs.take_over(session, proofs.get(session, "ana", proof.run_id))
    spent = seat(monkeypatch, judge)
    assert run(config, proof, 2) == RunStatus.done
    assert judge.asked == 2 * PROMPTS + 12
    assert starts(config) == [0], "nothing is written again"
    assert spent == [pytest.approx(0.004)]


def test_stop_while_a_judge_reads_keeps_what_it_said(config: Settings, monkeypatch: pytest.MonkeyPatch):
    class Slow(Judge):
        def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
            if self.asked >= 12 and options.stop is not None:
                options.stop.wait(30)
            return super().complete(messages, options)

    provable.version(config)
    proof = ask(config, judge=NAME)
    seat(monkeypatch, Slow())
    thread = run_beside(config, proof)
    until(lambda: found(config, proof).phase == "judging" and found(config, proof).done >= 4)
    stop(config, proof)
    thread.join(30)
    assert found(config, proof).status == RunStatus.stopped
    until(lambda: len(calls(config)) >= 12)
    judge = Judge()
    seat(monkeypatch, judge)
    again(config, proof)
    assert run(config, proof, 2) == RunStatus.done
    assert judge.asked < 2 * PROMPTS


def test_a_judge_is_left_when_the_writer_chooses_otherwise(config: Settings, monkeypatch: pytest.MonkeyPatch):
    """Local only is turned on while a judge elsewhere reads."""
    judge, seats = Judge(), list[object]()
    provable.version(config)
    proof = ask(config, judge=NAME)

    def found_one(writer: str, name: str, settings: Settings, *, spent: float = 0.0) -> Any:
        seats.append("Local only is on.")
        if len(seats) > 1:
            return "Local only is on."
        return staffing.Seat(judge, lambda session: judge.asked > 6)  # type: ignore[arg-type]

    monkeypatch.setattr(staffing, "judge_of", found_one)
    assert run(config, proof) == RunStatus.done
    assert judge.asked < 2 * PROMPTS
    assert any("was not asked: Local only is on." in note for note in found(config, proof).notes)


def test_another_judge_can_be_asked_later_and_nothing_is_written_again(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    decide(monkeypatch, "not_shown")
    provable.version(config)
    proof = ask(config, promote=True, judge="ollama/mistral")
    seat(monkeypatch, "Ollama does not answer.")
    assert run(config, proof) == RunStatus.done
    decide(monkeypatch, "better")
    seat(monkeypatch, Judge())
    client.ask_judge("ana", proof.run_id, NAME, config)
    assert found(config, proof).status == RunStatus.queued
    assert run(config, proof, 2) == RunStatus.done
    row = found(config, proof)
    assert (row.verdict, row.judge, row.notes) == ("better", NAME, ["One note."])
    assert starts(config) == [0]
    assert in_use(config) is None, "asking for an opinion puts nothing in use"


@pytest.mark.parametrize("judge", ["", "groq", "groq/", "nobody/model", "x" * 200])
def test_what_names_no_teacher_cannot_be_asked(config: Settings, judge: str):
    provable.version(config)
    proof = ask(config)
    with pytest.raises(InvalidInput):
        client.ask_judge("ana", proof.run_id, judge, config)


def test_who_judges_is_found_by_the_writers_choices(config: Settings):
    def seated(name: str, **choices: Any) -> object:
        with db.session(config) as session:
            teaching.save(session, "ana", TeachingConfig(**choices))
        return staffing.judge_of("ana", name, config)

    tuned.keep(config, "ana", 1)
    assert seated("groq/x") == "Groq: No key. Enter one to use it."
    assert seated("groq/x", local_only=True) == "Groq: Turned off by Local only."
    assert "cannot be reached" in str(seated("ollama/mistral")) or "Ollama" in str(seated("ollama/mistral"))
    assert "names no service" in str(seated("nobody/x"))


# --- the writer's blind choices


def test_a_blind_choice_is_stored_and_weighed_at_once_and_puts_nothing_in_use(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    provable.version(config)
    proof = ask(config, promote=True)
    assert run(config, proof) == RunStatus.done
    decide(monkeypatch, "better")
    began = monotonic()
    for place in range(3):
        proving.choose("ana", proof.run_id, place, "after", config)
    assert (monotonic() - began) / 3 < 10
    row = found(config, proof)
    figures = read_figures(row.figures)
    assert figures is not None and figures.blind is not None
    assert (figures.blind.wins, row.verdict) == (3, "better")
    assert in_use(config) is None
    proving.take_back("ana", proof.run_id, config)
    figures = read_figures(found(config, proof).figures)
    assert figures is not None and figures.blind is not None
    assert figures.blind.wins == 2


def test_a_choice_made_while_it_is_weighed_is_weighed_in(config: Settings, monkeypatch: pytest.MonkeyPatch):
    provable.version(config)
    proof = ask(config)
    weighed, chosen = proof_weighing.weighed, list[int]()

    def slow(*arguments: Any) -> proof_weighing.Weighed:
        found = weighed(*arguments)
        if len(chosen) < 2:
            chosen.append(len(chosen))
            proving.choose("ana", proof.run_id, chosen[-1], "before", config)
        return found

    monkeypatch.setattr(proof_weighing, "weighed", slow)
    assert run(config, proof) == RunStatus.done
    figures = read_figures(found(config, proof).figures)
    assert figures is not None and figures.blind is not None
    assert figures.blind.losses == 2


def test_a_choice_made_at_the_moment_of_the_verdict_is_weighed(
    config: Settings, monkeypatch: pytest.MonkeyPatch, database: str
):
    """The worker ends the proof between the writer's look at it and the end of their transaction."""
    provable.version(config)
    proof = ask(config)
    with monkeypatch.context() as patch:
        patch.setattr(proving, "_conclude", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(config, proof)
    with db.session(config) as session:
        assert proofs.take_over(session, proofs.get(session, "ana", proof.run_id))
    worker, choose = threading.Thread(target=run, args=(config, proof, 2)), proofs.choose

    def slow(*arguments: Any) -> None:
        choose(*arguments)
        worker.start()
        worker.join(3)  # it waits for this transaction

    monkeypatch.setattr(proofs, "choose", slow)
    proving.choose("ana", proof.run_id, 0, "after", config)
    worker.join(60)
    figures = read_figures(found(config, proof).figures)
    assert figures is not None and figures.blind is not None
    assert figures.blind.wins == 1


def test_what_was_measured_stays_when_the_other_version_is_deleted(config: Settings, monkeypatch: pytest.MonkeyPatch):
    """Another judge can be asked all the same, and nothing is written or measured again."""
    provable.version(config, rows=[provable.row(number) for number in (11, 12, 13, 14)])
    provable.version(config)
    provable.version(config, rows=[provable.row(11)])
    first, second = ask(config, 2, against=1), ask(config, 2, against=3)
    assert (run(config, first), run(config, second)) == (RunStatus.done, RunStatus.done)
    before = read_figures(found(config, second).figures)
    assert before is not None and before.perplexity is not None
    versions.delete("ana", 1, config)
    versions.delete("ana", 3, config)
    proving.choose("ana", second.run_id, 0, "after", config)
    after = read_figures(found(config, second).figures)
    assert after is not None and after.blind is not None
    assert replace(after, blind=None) == before
    seat(monkeypatch, Judge())
    client.ask_judge("ana", first.run_id, NAME, config)
    assert run(config, first, 2) == RunStatus.done
    assert len(texts(config, first)[0].judged) == 1
    assert starts(config) == [0, 0]


def test_what_was_chosen_and_judged_counts_though_the_judge_was_stopped(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    class Slow(Judge):
        def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
            if self.asked >= 8 and options.stop is not None:
                options.stop.wait(30)
            return super().complete(messages, options)

    provable.version(config)
    proof = ask(config)
    assert run(config, proof) == RunStatus.done
    client.ask_judge("ana", proof.run_id, NAME, config)
    proving.choose("ana", proof.run_id, 0, "after", config)
    client.stop_proof("ana", proof.run_id, config)
    figures = read_figures(found(config, proof).figures)
    assert figures is not None and figures.blind is not None
    assert figures.blind.wins == 1, "it was stopped before a worker had begun"

    seat(monkeypatch, Slow())
    again(config, proof)
    thread = threading.Thread(target=run, args=(config, proof, 3))
    thread.start()
    until(lambda: found(config, proof).phase == "judging" and found(config, proof).done >= 2)
    proving.choose("ana", proof.run_id, 1, "after", config)
    stop(config, proof)
    thread.join(30)
    assert found(config, proof).status == RunStatus.stopped
    figures = read_figures(found(config, proof).figures)
    assert figures is not None and figures.blind is not None
    assert (figures.blind.wins, len(figures.judged)) == (2, 1)


def test_a_proof_that_takes_long_to_weigh_is_seen_to_live_and_can_be_stopped(
    config: Settings, monkeypatch: pytest.MonkeyPatch
):
    provable.version(config)
    proof, begun, go_on = ask(config), threading.Event(), threading.Event()

    def slow(*_: Any) -> proof_weighing.Weighed:
        begun.set()
        go_on.wait(60)
        return proof_weighing.Weighed({}, "not_shown", [])

    monkeypatch.setattr(proof_weighing, "weighed", slow)
    thread = run_beside(config, proof)
    try:
        assert begun.wait(60)
        seen = found(config, proof).heartbeat_at
        until(lambda: found(config, proof).heartbeat_at != seen, 10)
        stop(config, proof)
        until(lambda: found(config, proof).status == RunStatus.stopped, 10)
    finally:
        go_on.set()
        thread.join(60)
    assert not found(config, proof).verdict


def test_losses_that_are_no_numbers_are_no_figure(config: Settings, database: str):
    """A model whose weights are broken; PostgreSQL stores no such number."""
    provable.version(config)
    write_script(config, {"rate": float("nan")})
    proof = ask(config)
    assert run(config, proof) == RunStatus.done
    figures = read_figures(found(config, proof).figures)
    assert figures is not None
    assert figures.perplexity is None
    assert "could not be measured" in " ".join(figures.missing)


@pytest.mark.parametrize("place, choice, error", [(0, "both", InvalidInput), (99, "after", NotFound)])
def test_what_cannot_be_chosen_is_a_sentence(config: Settings, place: int, choice: str, error: type[Exception]):
    provable.version(config)
    proof = ask(config)
    assert run(config, proof) == RunStatus.done
    with pytest.raises(error):
        proving.choose("ana", proof.run_id, place, choice, config)
    with pytest.raises(NotFound):
        proving.choose("ben", proof.run_id, 0, "after", config)
