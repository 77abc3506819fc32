"""The REST API as a whole: routes, errors, and who may ask."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from zega_core.api import access, limiting, problems, threads
from zega_core.api.routes import (
    conversations,
    examples,
    history,
    learning,
    models,
    personal,
    runs,
    training,
    write,
)
from zega_core.settings import Settings, get_settings

DESCRIPTION = (
    "Train a personal creative-writing model. What takes long is done by ZEGA's worker: hang up and ask again. On the "
    "machine it runs on it needs no key; from elsewhere send `Authorization: Bearer zega_…`. A request that creates "
    "something may carry an `Idempotency-Key`: sent twice it is done once."
)
KEY = HTTPBearer(
    auto_error=False, scheme_name="key", description="A key that was made in Settings, or by zega keys create."
)
"""For the description only: ``access.Door`` looks at keys."""
ASKED_WITH = ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-API-Key"]
ANSWERED_WITH = ["Content-Disposition", "Idempotency-Replayed", "Location", "RateLimit-Limit", "RateLimit-Remaining"]
ANSWERED_WITH += ["RateLimit-Reset", "Retry-After"]


def create_app(settings: Settings | None = None, *, host: str = "127.0.0.1") -> FastAPI:
    """``host`` is where it listens: without a key it answers only where nobody else can reach it."""
    app = FastAPIOffline(  # its description needs no network, and tells nobody elsewhere that it is read
        title="ZEGA",
        version=version("zega"),
        description=DESCRIPTION,
        redoc_url=None,
        lifespan=threads.few,
        static_url=access.DRAWN_WITH,
        dependencies=[Depends(limiting.json_only), Depends(KEY)],
        responses=problems.documented(401, 403, 422, 429, 503),
    )
    problems.install(app)
    for routes in (training, learning, write, history, conversations, models, examples, runs, personal):
        app.include_router(routes.router)
    # The last one added is the outermost.
    app.add_middleware(access.Door, settings=settings or get_settings(), host=host)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=access.ORIGIN,
        allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
        allow_headers=ASKED_WITH,
        expose_headers=ANSWERED_WITH,
    )
    app.add_middleware(limiting.BodyLimit)
    app.add_middleware(limiting.Careful)
    return app
