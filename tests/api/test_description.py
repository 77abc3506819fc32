"""Every route is asked what its description says it may be asked, and what it may not, and answers as that says."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support import api, at_once, tuned
from tests.support.author import Author, stand_in
from zega_core.api.app import create_app
from zega_core.api.routes import write
from zega_core.settings import Settings
from zega_core.writing_configs import STORYTELLER

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 4}
BOUNDED = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
    "report_multiple_bugs": False,
}


def test_every_route_answers_as_it_is_described(config: Settings, monkeypatch: pytest.MonkeyPatch):
    """What takes long is completed in the database, and models of this machine write four words."""
    at_once.work(monkeypatch, auto_train=_three_pieces)
    stand_in(monkeypatch, Author())
    monkeypatch.setattr(write, "TEACHERS", STORYTELLER)
    tuned.keep(config, "ana", 20)
    tuned.version(config, "ana", promote=True, whole=True)
    key = {"Authorization": f"Bearer {api.key_of('ana')}"}
    settings = config.model_copy(update={"api_per_minute": 1_000_000})
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(settings))
    broken = [
        said
        for found in schema.get_all_operations()
        for mode, number in EXAMPLES.items()
        if (said := _asked(_usable(found), mode, number, key))
    ]
    assert not broken, "\n\n".join(broken)


def _usable(found: Any) -> Any:
    """The operation; raises where the description of it is broken."""
    return found.ok()


def _three_pieces(settings: Settings, session_id: str) -> None:
    at_once.store(settings, session_id, number=3)
    at_once.end(settings, session_id)


def _asked(operation: Any, mode: GenerationMode, number: int, key: dict[str, str]) -> str:
    """What was wrong with the answers of a route; empty if nothing was."""
    ours = {"user_id": "ana"} if "{user_id}" in operation.path and mode == GenerationMode.POSITIVE else None

    @hypothesis.settings(**BOUNDED, max_examples=number)
    @hypothesis.given(operation.as_strategy(generation_mode=mode, path_parameters=ours))
    def ask(case: Any) -> None:
        case.validate_response(case.call(headers=key, timeout=300), checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:  # there is nothing that it may not be asked
        return ""
    except FailureGroup as found:
        said = "; ".join(f"{one}: {getattr(one, 'message', '')}" for one in found.exceptions)
        return f"{operation.label} ({mode.value}): {said}"
    return ""
