"""What a piece is worth to one writer: the measured score, the judge's part and the writer's own taste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from sqlmodel import Session

from zega_core.configs import TasteConfig, checked
from zega_core.errors import InvalidInput
from zega_core.quality import QUALITY_VERSION, QualityReport, judged, personal
from zega_core.quality.agreement import (
    ENOUGH,
    Decided,
    Proposal,
    Rating,
    apart,
    decided,
    interval,
    propose,
    spearman,
)
from zega_core.quality.judged import JudgePart
from zega_core.quality.personal import Correction
from zega_core.quality.stored import RatedPiece, read_report
from zega_core.quality.validation import number
from zega_core.settings import Settings
from zega_core.store import ratings, tastes, writers

STEP = 0.1
"""The smallest difference that a score shows: points by which rated pieces must move, on average, for a newer
correction to take the place of the one that acts."""


@dataclass(frozen=True, slots=True)
class Taste:
    """``keep_score`` is what a piece must reach to be kept, 0..10. ``correction`` and ``judge_part`` were fitted to the
    writer's ratings of pieces that today's score has measured; None where nothing was."""

    keep_score: float
    config: TasteConfig = field(default_factory=TasteConfig)
    correction: Correction | None = None
    judge_part: JudgePart | None = None

    @property
    def weight(self) -> float:
        """The part of the score that the judge has, 0 to 0.5."""
        return self.judge_part.weight if self.judge_part is not None and self.config.judge else 0.0

    @property
    def corrects(self) -> bool:
        """Whether the correction acts."""
        return self.correction is not None and self.correction.acts and self.config.personal

    def worth(self, report: QualityReport, judge_score: float | None) -> float:
        """The score that decides, 0..10 to one decimal: the measured one where nothing else was shown to help.

        The judge's part and the correction act on reports of the version they were fitted to, and only while the
        writer has them on. Neither lifts a piece that a gate has stopped.
        """
        part, correction, value = self.judge_part, self.correction, report.score
        if part is not None and self.config.judge and part.version == report.version:
            value = judged.blended(report, judge_score, part.weight)
        if correction is not None and self.corrects and correction.version == report.version:
            value += correction.points(report)
        if value == report.score:
            return report.score
        return round(max(0.0, min(10.0, value)), 1)

    def acting(self) -> list[object]:
        """All that ``worth`` and what is kept follow from: equal for two tastes to which every piece is worth the
        same."""
        sides = self.correction.sides if self.correction is not None and self.corrects else ()
        said = [[one.name, round(one.mean, 9), round(one.spread, 9), round(one.points, 9)] for one in sides]
        return [self.keep_score, self.weight, said]

    def below(self, report: QualityReport | None, worth: float) -> str:
        """Why a piece of this worth is set aside: the numbers, and what brought the score down most. ``settling``
        knows by the beginning what was set aside for its score."""
        return f"{worth:.1f} is below {self.keep_score:.1f}. {_weakest(report) if report else ''}".rstrip()


def difference(measured: object, worth: float | None) -> str:
    """Both scores in words where they differ, else nothing. ``measured`` may be any stored value."""
    known = number(measured, 0, 10)
    if known is None or worth is None or f"{known:.1f}" == f"{worth:.1f}":
        return ""
    return f"{known:.1f} measured, {worth:.1f} by your taste"


def _weakest(report: QualityReport) -> str:
    """The first reason of what brought the score down most."""
    if report.gate:
        return report.gate
    lowest = min(report.criteria, key=lambda criterion: criterion.score, default=None)
    return lowest.reasons[0] if lowest and lowest.reasons else ""


def taste_of(session: Session, writer_id: str, settings: Settings) -> Taste:
    """The writer's choices and what was fitted for them. What was fitted to an older score, or cannot be read, is left
    out."""
    config, fitted = tastes.load(session, writer_id), tastes.fitted(session, writer_id)
    correction, part = Correction.read(fitted.get("correction")), JudgePart.read(fitted.get("judge"))
    return Taste(
        settings.keep_score if config.keep_score is None else config.keep_score,
        config,
        correction if correction is not None and correction.version == QUALITY_VERSION else None,
        part if part is not None and part.version == QUALITY_VERSION else None,
    )


def choose(session: Session, writer_id: str, settings: Settings, **values: object) -> Taste:
    """Take over choices of ``TasteConfig`` (``keep_score=6.5``); the others stay. Raises InvalidInput."""
    _alone(session, writer_id)
    config = tastes.load(session, writer_id)
    try:
        changed = checked(TasteConfig, **{**config.model_dump(), **values})
    except InvalidInput as error:
        if "keep_score" in values:
            raise InvalidInput("Pieces score from 0 to 10: choose a number in between.") from error
        raise
    before = taste_of(session, writer_id, settings)
    keep_score = settings.keep_score if changed.keep_score is None else changed.keep_score
    after = replace(before, keep_score=keep_score, config=changed)
    tastes.save(session, writer_id, changed, moves=before.acting() != after.acting())
    # The correction stands on the score that has the judge's part in it, so one depends on the other.
    return refit(session, writer_id, settings) if "judge" in values else taste_of(session, writer_id, settings)


def refit(session: Session, writer_id: str, settings: Settings) -> Taste:
    """Fit the judge's part and the correction anew, from all ratings of pieces that today's score has measured.

    To be called after every change of a rating; scoring again does it by itself. Two at the same time take turns; each
    sees the other's ratings. Pieces are out of date afterwards only where what acts has changed; a correction lasts
    until a newer one would move the rated pieces by ``STEP`` on average.
    """
    _alone(session, writer_id)
    pieces, before = rated_pieces(session, writer_id), taste_of(session, writer_id, settings)
    after = _fitted_to(pieces, before)
    part, correction = after.judge_part, after.correction
    fitted = {
        "version": QUALITY_VERSION,
        "ratings": len(pieces),
        "judge": part.as_dict() if part else None,
        "correction": correction.as_dict() if correction else None,
    }
    tastes.save_fitted(session, writer_id, fitted, moves=before.acting() != after.acting())
    session.flush()
    return taste_of(session, writer_id, settings)


def foreseen(session: Session, writer_id: str, settings: Settings, reports: Mapping[int, QualityReport]) -> Taste:
    """What ``refit`` would come to if the rated pieces had these reports, by their ids."""
    taste = taste_of(session, writer_id, settings)
    if not reports and not stale(session, writer_id):
        return taste
    return _fitted_to(rated_pieces(session, writer_id, reports), taste)


def _fitted_to(pieces: list[RatedPiece], taste: Taste) -> Taste:
    part = judged.fit(pieces, QUALITY_VERSION)
    correction = personal.fit(pieces, QUALITY_VERSION, part.weight if taste.config.judge else 0.0)
    return _lasting(taste, replace(taste, judge_part=part, correction=correction), pieces)


def _lasting(before: Taste, after: Taste, pieces: list[RatedPiece]) -> Taste:
    """``after``, but the correction that acts goes on acting while a newer one would hardly move a piece: else every
    rating would put all scores out of date. Its gain is always that of today's ratings."""
    present, newer = before.correction, after.correction
    if present is None or newer is None or not (present.acts and newer.acts) or before.weight != after.weight:
        return after
    moved = [abs(newer.points(one.report) - present.points(one.report)) for one in pieces]
    if fmean(moved) >= STEP:
        return after
    return replace(after, correction=replace(newer, sides=present.sides))


def stale(session: Session, writer_id: str) -> bool:
    """Whether what was fitted does not know the ratings that it could, as after a change of the score."""
    return _stale(tastes.fitted(session, writer_id), len(rated_pieces(session, writer_id)))


def _stale(fitted: Mapping[str, object], pieces: int) -> bool:
    return pieces > 0 and (fitted.get("version"), fitted.get("ratings")) != (QUALITY_VERSION, pieces)


def _alone(session: Session, writer_id: str) -> None:
    writers.ensure(session, writer_id)
    session.flush()
    writers.lock(session, writer_id)


def rated_pieces(
    session: Session, writer_id: str, reports: Mapping[int, QualityReport] | None = None
) -> list[RatedPiece]:
    """The writer's newest ratings with the reports they can be compared with: those of today's score. ``reports``, by
    the ids of pieces, stand in for what is stored."""
    found, fresh = [], reports or {}
    for row in ratings.newest(session, writer_id):
        rating = Rating.read(row.stars, row.decision)
        report = fresh.get(row.example_id) or read_report(row.report)
        if rating is not None and report is not None and report.version == QUALITY_VERSION:
            said = number(row.judge_score, 0, 10)
            found.append(RatedPiece(rating, row.prompt, report, said, row.example_id, row.opening))
    return found


@dataclass(frozen=True, slots=True)
class Agreed:
    """Two scores beside each other: over how many pieces, their rank correlation, and its 95 % interval. None while
    there are fewer than ten, or where one of them never changes."""

    pieces: int
    correlation: float | None = None
    likely: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that is known of a writer's taste. ``total`` counts all ratings, ``pieces`` are those that today's score has
    measured, ``worths`` what they are worth now. ``decided`` and ``proposal`` compare that with keep or discard.
    ``outdated`` when what was fitted does not know these pieces, as after a change of the score: ``refit`` helps."""

    taste: Taste
    total: int
    pieces: tuple[RatedPiece, ...]
    worths: tuple[float, ...]
    score_and_writer: Agreed
    judge_and_writer: Agreed
    judge_and_score: Agreed
    decided: Decided
    proposal: Proposal | None
    outdated: bool


def overview(session: Session, writer_id: str, settings: Settings) -> Overview:
    """How the score and the judge stand to the writer's ratings."""
    taste, pieces = taste_of(session, writer_id, settings), rated_pieces(session, writer_id)
    worths = [taste.worth(one.report, one.judged) for one in pieces]
    wanted = [one.rating.wanted for one in pieces]
    heard = [one for one in pieces if one.judged is not None]
    seen = [
        (report.score, said)
        for stored, judge_score in ratings.judged(session, writer_id)
        if (report := read_report(stored)) is not None
        and report.version == QUALITY_VERSION
        and (said := number(judge_score, 0, 10)) is not None
    ]
    return Overview(
        taste=taste,
        total=ratings.count(session, writer_id),
        pieces=tuple(pieces),
        worths=tuple(worths),
        score_and_writer=_agreed(
            [one.report.score for one in pieces], [one.rating.opinion for one in pieces], [one.prompt for one in pieces]
        ),
        judge_and_writer=_agreed(
            [one.judged or 0.0 for one in heard], [one.rating.opinion for one in heard], [one.prompt for one in heard]
        ),
        judge_and_score=_agreed([score for score, _ in seen], [said for _, said in seen], None),
        decided=decided(worths, wanted, taste.keep_score),
        proposal=propose(worths, wanted, taste.keep_score),
        outdated=_stale(tastes.fitted(session, writer_id), len(pieces)),
    )


def disagreements(found: Overview) -> list[tuple[RatedPiece, float]]:
    """Rated pieces, those first that rank most differently, with how much higher (to 1) or lower (to -1) the writer
    ranks them than the measured score does."""
    higher = apart([one.rating.opinion for one in found.pieces], [one.report.score for one in found.pieces])
    return sorted(zip(found.pieces, higher, strict=True), key=lambda row: -abs(row[1]))


def _agreed(one: list[float], other: list[float], prompts: list[str] | None) -> Agreed:
    if len(one) < ENOUGH:
        return Agreed(len(one))
    return Agreed(len(one), spearman(one, other), interval(one, other, prompts))
