"""``zega api``."""

from __future__ import annotations

from zega_core.cli.frame import cli


@cli.command(epilog="Example: zega api, then open http://localhost:8002/docs")
def api() -> None:
    """Serve the REST API until Ctrl-C."""
    import uvicorn  # the other commands do without

    from zega_core.api.app import create_app
    from zega_core.settings import get_settings

    settings = get_settings()
    uvicorn.run(create_app(), host=settings.api_host, port=settings.api_port)
