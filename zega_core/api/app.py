"""The REST API as a whole: routes, errors, and who may ask."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from zega_core.api import problems
from zega_core.api.routes import (
    conversations,
    examples,
    history,
    models,
    personal,
    runs,
    training,
    write,
)

DESCRIPTION = (
    "Train a personal creative-writing model. What takes long is done by ZEGA's worker: hang up and ask again."
)


def create_app() -> FastAPI:
    app = FastAPI(title="ZEGA", version=version("zega"), description=DESCRIPTION, redoc_url=None)
    problems.install(app)
    for routes in (training, write, history, conversations, models, examples, runs, personal):
        app.include_router(routes.router)
    return app
