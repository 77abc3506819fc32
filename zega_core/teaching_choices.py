"""Who teaches a writer, in what order and by what rules, as programs send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from zega_core import teacher_words
from zega_core.configs import ProviderKey, check_judge
from zega_core.errors import InvalidInput
from zega_core.store import teaching, writers


def change(
    session: Session,
    writer_id: str,
    rules: Mapping[str, Any],
    *,
    first: Sequence[str] = (),
    services: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Take over ``rules`` (fields of ``configs.TeachingConfig`` but the services), which services are asked ``first``
    and in what order, and of single ``services`` fields of ``configs.TeacherChoice``; all else stays. Raises
    InvalidInput, and changes nothing then."""
    for provider in (*first, *(services or {})):
        if provider not in [*ProviderKey]:
            raise InvalidInput(f"There is no service {provider[:40]!r}. Services: {', '.join(ProviderKey)}.")
    if rules.get("judge"):
        check_judge(rules["judge"])
    writers.ensure(session, writer_id)
    writers.lock(session, writer_id)
    config = teacher_words.changed(teaching.load(session, writer_id), **rules)
    for provider, values in (services or {}).items():
        config = teacher_words.changed_choice(config, provider, **values)
    if first:
        order = [*first, *(choice.provider for choice in config.in_order())]
        config = teacher_words.changed(config, teachers=[config.choice(provider) for provider in dict.fromkeys(order)])
    teaching.save(session, writer_id, config)
