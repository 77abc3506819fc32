"""Versions, fine-tunes, proofs and exports as programs see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from zega_core import export_words, fine_tune_words, versions
from zega_core.exports.formats import FORMATS
from zega_core.facts.base import Facts, readable
from zega_core.proof_tables import Export, Proof
from zega_core.quality.validation import number
from zega_core.version_tables import FineTune, TrainingMetric, Version


class VersionFacts(Facts):
    """Figures that cannot be read are None. ``own_share`` is the part of the trained words that the writer wrote,
    ``perplexity_…`` how surprised the model was by held-out texts: less is better. ``parent`` None began at the base
    model."""

    version: int
    name: str
    promoted: bool
    parent: int | None
    base: str
    base_hash: str
    data_hash: str
    examples: int
    own_share: float | None
    perplexity_before: float | None
    perplexity_after: float | None
    size_mb: float
    seconds: float
    created_at: datetime
    settings: dict[str, Any]


class VersionList(Facts):
    """``promoted`` is the version in use; None is the base model."""

    model: str
    promoted: int | None
    versions: list[VersionFacts]


class InUse(Facts):
    """Which version writes from now on; None is the base model."""

    promoted: int | None
    message: str


class DifferenceFacts(Facts):
    label: str
    first: str
    second: str
    differs: bool


class FineTuneFacts(Facts):
    """``version`` is what came of it."""

    run_id: str
    status: str
    trigger: str
    phase: str
    step: int
    steps: int
    tokens_per_second: float | None
    seconds_left: float | None
    seconds: float
    version: int | None
    message: str
    error: str | None
    notes: list[str]
    config: dict[str, Any]
    created_at: datetime
    completed_at: datetime | None


class MetricFacts(Facts):
    """One step; losses are nats a token. Step 0 has a validation loss only."""

    step: int
    epoch: float | None
    loss: float | None
    validation_loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None


class FineTuneWithMetrics(FineTuneFacts):
    metrics: list[MetricFacts]


class ProofFacts(Facts):
    """``against`` None is the base model. ``verdict`` (better, not_shown, worse) and ``figures`` are None until they
    are there."""

    run_id: str
    status: str
    version: int
    against: int | None
    judge: str | None
    phase: str
    done: int
    total: int
    seconds_left: float | None
    seconds: float
    verdict: str | None
    reasons: list[str]
    figures: dict[str, Any] | None
    error: str | None
    notes: list[str]
    created_at: datetime
    completed_at: datetime | None


class FormatFacts(Facts):
    """``kind`` is ``data`` (training data) or ``model``, which needs a version."""

    format: str
    kind: str
    label: str
    what: str
    next: str


class ExportFacts(Facts):
    """``files`` are SHA-256 by name. ``downloadable`` says whether there is one archive of them."""

    run_id: str
    status: str
    format: str
    version: int | None
    phase: str
    title: str
    files: dict[str, str]
    size_bytes: int
    downloadable: bool
    report: dict[str, Any] | None
    notes: list[str]
    error: str | None
    created_at: datetime
    completed_at: datetime | None


def of_version(version: Version, in_use: Version | None) -> VersionFacts:
    metrics = version.metrics if isinstance(version.metrics, dict) else {}
    return VersionFacts(
        version=version.number,
        name=version.name,
        promoted=in_use is not None and in_use.number == version.number,
        parent=version.parent,
        base=version.base or "built-in",
        base_hash=version.base_hash,
        data_hash=version.data_hash,
        examples=version.examples,
        own_share=number(version.own_share, 0, 1),
        perplexity_before=number(metrics.get("perplexity_before"), 0, fine_tune_words.HUGE),
        perplexity_after=number(metrics.get("perplexity_after"), 0, fine_tune_words.HUGE),
        size_mb=round(version.size_bytes / 1e6, 2),
        seconds=round(version.seconds, 1),
        created_at=version.created_at,
        settings=readable(version.settings) or {},
    )


def of_versions(writer: str, found: Sequence[Version], in_use: Version | None) -> VersionList:
    return VersionList(
        model=versions.model_name(writer),
        promoted=None if in_use is None else in_use.number,
        versions=[of_version(one, in_use) for one in found],
    )


def of_difference(found: versions.Difference) -> DifferenceFacts:
    return DifferenceFacts(label=found.label, first=found.first, second=found.second, differs=found.differs)


def of_fine_tune(row: FineTune, version: Version | None) -> FineTuneFacts:
    return FineTuneFacts(
        run_id=row.run_id,
        status=row.status,
        trigger=row.trigger,
        phase=row.phase,
        step=row.step,
        steps=row.steps,
        tokens_per_second=_positive(row.tokens_per_second),
        seconds_left=_positive(row.seconds_left),
        seconds=round(row.active_seconds, 1),
        version=row.version_number,
        message=fine_tune_words.heading(row) if row.completed_at is None else fine_tune_words.outcome(row, version),
        error=row.error,
        notes=row.notes,
        config=readable(row.config) or {},
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def of_metric(row: TrainingMetric) -> MetricFacts:
    return MetricFacts(
        step=row.step,
        epoch=_positive(row.epoch),
        loss=_positive(row.loss),
        validation_loss=_positive(row.validation_loss),
        learning_rate=_positive(row.learning_rate),
        tokens_per_second=_positive(row.tokens_per_second),
    )


def with_metrics(row: FineTune, version: Version | None, metrics: Sequence[TrainingMetric]) -> FineTuneWithMetrics:
    return FineTuneWithMetrics(**of_fine_tune(row, version).model_dump(), metrics=[of_metric(one) for one in metrics])


def of_proof(row: Proof) -> ProofFacts:
    figures = readable(row.figures)
    return ProofFacts(
        run_id=row.run_id,
        status=row.status,
        version=row.version_number,
        against=row.against,
        judge=row.judge or None,
        phase=row.phase,
        done=row.done,
        total=row.total,
        seconds_left=_positive(row.seconds_left),
        seconds=round(row.active_seconds, 1),
        verdict=row.verdict or None,
        reasons=row.reasons,
        figures=figures if isinstance(figures, dict) else None,
        error=row.error,
        notes=row.notes,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def formats() -> list[FormatFacts]:
    return [
        FormatFacts(format=one.key, kind=one.kind, label=one.label, what=one.what, next=one.next)
        for one in FORMATS.values()
    ]


def of_export(row: Export) -> ExportFacts:
    report = readable(row.report)
    return ExportFacts(
        run_id=row.run_id,
        status=row.status,
        format=row.format,
        version=row.version_number,
        phase=row.phase,
        title=export_words.title(row),
        files=row.files,
        size_bytes=row.size_bytes,
        downloadable=row.status == "done" and export_words.can_download(row),
        report=report if isinstance(report, dict) else None,
        notes=row.notes,
        error=row.error,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def _positive(value: object) -> float | None:
    return number(value, 0, fine_tune_words.HUGE)
