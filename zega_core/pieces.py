"""One piece: asked for, scored, put to the vote and to the judge, and the row that it becomes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

from zega_core import judge
from zega_core.catalog import Brief, Catalog, request
from zega_core.dataset import NearDuplicates, text_hash
from zega_core.errors import BadAnswer, BudgetSpent, Cancelled, NobodyLeft, ProviderError
from zega_core.providers.base import Call, ChatModel, Completion, GenerationOptions, Message
from zega_core.providers.fallback import Fallback
from zega_core.quality import QualityReport, score
from zega_core.settings import Settings
from zega_core.tables import Example, ExampleStatus, Source, TrainingSession
from zega_core.taste import Taste
from zega_core.teacher_tables import Candidate

CUT_OFF = "The teacher stopped at its length limit, in the middle of the piece."
SAME_WORDS = "These are the words of a piece you have already kept."


@dataclass(frozen=True, slots=True)
class Draw:
    idx: int
    brief: Brief


@dataclass(frozen=True, slots=True)
class Answer:
    completion: Completion
    report: QualityReport
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of one draw: a scored completion, or the reason why there is none. ``answers`` are all that were
    written for it, the chosen one first. ``ended`` is set when no other piece can be written either."""

    draw: Draw
    seed: int
    latency_ms: int
    answers: tuple[Answer, ...] = ()
    failure: str | None = None
    ended: ProviderError | None = None
    calls: tuple[Call, ...] = ()
    judgement: judge.Judgement | None = None
    judge_calls: tuple[Call, ...] = ()

    @property
    def chosen(self) -> Answer | None:
        return self.answers[0] if self.answers else None

    @property
    def votes(self) -> int:
        return sum(answer.counted for answer in self.answers)


class Desk:
    """Where pieces are written: by a teacher or by several, measured, and looked at by a judge if there is one.
    ``stop`` ends every wait for a teacher."""

    def __init__(
        self,
        teacher: ChatModel,
        settings: Settings,
        catalog: Catalog,
        *,
        votes: int = 1,
        judge: ChatModel | None = None,
    ) -> None:
        self.teacher, self.votes, self.judge = teacher, votes, judge
        self.keep_score = settings.keep_score
        """The measured score from which on the judge is asked; the writer's own, once a run knows it."""
        self._settings, self._catalog = settings, catalog
        self.stop = threading.Event()

    def write(self, draw: Draw, seed: int) -> Piece:
        """The piece for a draw. Raises no ProviderError: what went wrong is in the piece."""
        options = GenerationOptions(seed=seed, brief=draw.brief, stop=self.stop)
        messages = [Message("user", request(draw.brief, self._catalog))]
        started = monotonic()
        try:
            completions = self._ask_twice(messages, options)
        except (NobodyLeft, BudgetSpent, Cancelled) as error:
            return Piece(draw, seed, _ms_since(started), ended=error, calls=error.calls)
        except ProviderError as error:
            return Piece(draw, seed, _ms_since(started), failure=str(error), calls=error.calls)
        latency = _ms_since(started)
        calls = tuple(call for completion in completions for call in completion.calls)
        piece = Piece(draw, seed, latency, self._ranked(completions, draw.brief), calls=calls)
        return self._judged(piece, seed)

    def _ask_twice(self, messages: Sequence[Message], options: GenerationOptions) -> list[Completion]:
        """Where the only answer was no piece, another seed may bring one."""
        try:
            return self._ask(messages, options)
        except BadAnswer as error:
            spent = error.calls
        try:
            found = self._ask(messages, replace(options, seed=options.seed ^ 1))
        except ProviderError as error:
            error.calls = (*spent, *error.calls)
            raise
        return [replace(found[0], calls=(*spent, *found[0].calls)), *found[1:]]

    def _ask(self, messages: Sequence[Message], options: GenerationOptions) -> list[Completion]:
        if self.votes == 1 or not isinstance(self.teacher, Fallback):
            return [self.teacher.complete(messages, options)]
        found, failures = self.teacher.several(messages, options, self.votes, self._alike)
        spent = tuple(call for error in failures for call in error.calls)
        return [replace(found[0], calls=(*found[0].calls, *spent)), *found[1:]]

    def _alike(self, one: str, other: str) -> bool:
        known = NearDuplicates(self._settings.near_duplicate_share)
        known.add(0, one)
        return known.find(other) is not None

    def _ranked(self, completions: Sequence[Completion], brief: Brief) -> tuple[Answer, ...]:
        """Best score first. Of near duplicates, one counts."""
        scored = [Answer(one, score(one.text, brief.prompt, brief.genre, brief.element)) for one in completions]
        ranked: list[Answer] = []
        for answer in sorted(scored, key=lambda answer: -answer.report.score):
            twin = any(one.counted and self._alike(one.completion.text, answer.completion.text) for one in ranked)
            ranked.append(replace(answer, counted=not twin))
        return tuple(ranked)

    def _judged(self, piece: Piece, seed: int) -> Piece:
        """Ask the judge about what will be kept. It can fail; the piece stands without it."""
        chosen, brief = piece.chosen, piece.draw.brief
        if self.judge is None or chosen is None or chosen.report.score < self.keep_score:
            return piece
        try:
            said = judge.judge(
                self.judge, chosen.completion.text, brief.prompt, brief.genre, brief.element, seed=seed, stop=self.stop
            )
        except ProviderError as error:
            return replace(piece, judge_calls=error.calls)
        return replace(piece, judgement=said, judge_calls=said.calls)


def example_of(
    piece: Piece, row: TrainingSession, taste: Taste, catalog_version: int, teacher: str, known: NearDuplicates
) -> Example:
    """The row of a piece: kept, set aside or failed, and why. ``taste`` is the writer's, ``known`` holds what they have
    kept. The row's quality is what the piece is worth to the writer, its report that of the measured score."""
    brief = piece.draw.brief
    example = Example(
        user_id=row.user_id,
        session_id=row.id,
        idx=piece.draw.idx,
        source=Source.auto,
        genre=brief.genre,
        element=brief.element.key,
        prompt=brief.prompt,
        modifier=brief.modifier.key if brief.modifier else None,
        status=ExampleStatus.failed,
        reason=piece.failure,
        catalog_version=catalog_version,
        model=teacher,
        seed=piece.seed,
        latency_ms=piece.latency_ms,
    )
    if piece.chosen is None:
        return example
    completion, report = piece.chosen.completion, piece.chosen.report
    example.completion = storable(completion.text)
    example.model = completion.model[:100]
    example.prompt_tokens, example.completion_tokens = completion.prompt_tokens, completion.completion_tokens
    example.text_hash = text_hash(example.completion)
    judge_score = piece.judgement.score if piece.judgement is not None else None
    example.quality, example.quality_report = taste.worth(report, judge_score), report.as_dict()
    example.quality_version, example.votes = report.version, piece.votes
    if piece.judgement is not None:
        example.judge_score, example.judge_report = judge_score, piece.judgement.as_dict()
    _decide(example, piece.chosen, taste, known)
    return example


def candidates_of(piece: Piece, example: Example) -> list[Candidate]:
    """The voting record; empty where only one teacher wrote."""
    if len(piece.answers) < 2:
        return []
    return [
        Candidate(
            user_id=example.user_id,
            session_id=example.session_id or 0,
            idx=piece.draw.idx,
            model=answer.completion.model[:100],
            completion=storable(answer.completion.text),
            quality=answer.report.score,
            won=answer is piece.chosen,
            counted=answer.counted,
        )
        for answer in piece.answers
    ]


def set_aside_as_duplicate(example: Example, twin: int, reason: str) -> None:
    example.status = ExampleStatus.set_aside
    example.duplicate_of = twin
    example.reason = reason


def storable(text: str) -> str:
    """PostgreSQL cannot store a NUL, and nobody can read one; half a surrogate pair is no text."""
    return text.replace("\x00", "").encode(errors="replace").decode()


def _decide(example: Example, answer: Answer, taste: Taste, known: NearDuplicates) -> None:
    worth = example.quality or 0.0
    if answer.completion.cut_off:
        example.status = ExampleStatus.set_aside
        example.reason = CUT_OFF
        return
    if worth < taste.keep_score:
        example.status = ExampleStatus.set_aside
        example.reason = taste.below(answer.report, worth)
        return
    example.status = ExampleStatus.kept
    nearest = known.find(example.completion)
    if nearest is not None:
        identity, share = nearest
        set_aside_as_duplicate(example, identity, f"{share:.0%} of it is in a piece you have already kept.")


def _ms_since(started: float) -> int:
    return round((monotonic() - started) * 1000)
