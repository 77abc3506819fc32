"""Every error of the API as ``application/problem+json`` (RFC 9457): a sentence, and the field where it is one's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from zega_core.errors import (
    ChangedElsewhere,
    ConfigError,
    HomeError,
    InvalidInput,
    NotFound,
    ProviderError,
    ZegaError,
)

log = logging.getLogger("zega.api")
MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[ZegaError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    ChangedElsewhere: 409,
    ConfigError: 503,
    HomeError: 503,
    ProviderError: 503,
}
_BARE = {*(status.phrase for status in HTTPStatus), "Content Too Large"}
TOO_LARGE = "This request is too large. Send at most 1 MB, or 25 MB where a file is uploaded."
_PLAINLY = {
    404: "There is nothing at this address. /docs says what there is.",
    405: "This address is not asked in this way. /docs says how.",
    413: TOO_LARGE,
}
"""Where the framework has said no more than the status."""


class WrongField(BaseModel):
    """Where something is wrong in what was sent, and what is allowed there."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong, and what to do."""

    model_config = ConfigDict(json_schema_extra={"description": "RFC 9457"})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[WrongField] | None = None


def answer(
    status: int, detail: str, *, errors: list[WrongField] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that may answer so."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI of the app, with what every request may be answered."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        parts = schema.setdefault("components", {}).setdefault("schemas", {})
        found = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts |= {**found.pop("$defs", {}), "Problem": found}
        for name in ("HTTPValidationError", "ValidationError"):
            parts.pop(name, None)  # answered as a problem, too
        for path in schema.get("paths", {}).values():
            for operation in path.values():
                if "requestBody" in operation:
                    operation["responses"] |= {str(key): one for key, one in documented(400, 413, 415).items()}
    return app.openapi_schema or {}


def status_of(error: ZegaError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Have every error of the app answered so, and described so."""
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]

    @app.exception_handler(ZegaError)
    async def _ours(request: Request, error: ZegaError) -> JSONResponse:
        if (status := status_of(error)) >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        return answer(status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _unusable(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [
            WrongField(
                field=".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]),
                message=str(one["msg"]).removeprefix("Value error, "),
            )
            for one in error.errors()
        ]
        said = "; ".join(f"{one.field}: {one.message}" for one in wrong[:3])
        return answer(422, f"This request cannot be used: {said}", errors=wrong)

    @app.exception_handler(HTTPException)
    async def _refused(request: Request, error: HTTPException) -> JSONResponse:
        said = _PLAINLY.get(error.status_code) if error.detail in _BARE else None
        return answer(error.status_code, said or str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(500, "A fault in ZEGA. Nothing that is stored is lost; logs/api.log says more.")
