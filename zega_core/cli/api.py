"""``zega api``."""

from __future__ import annotations

from typing import Annotated

import typer

from zega_core.cli.frame import cli, screen
from zega_core.settings import get_settings


@cli.command(epilog="Example: zega api --port 8010, then open http://127.0.0.1:8010/docs")
def api(
    host: Annotated[str | None, typer.Option(help="Where to listen; others can reach 0.0.0.0, and need keys.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="8002 unless set otherwise.")] = None,
) -> None:
    """Serve the REST API, with a worker beside it, until Ctrl-C."""
    from zega_core.api import serving  # the other commands do without

    settings = get_settings()
    serving.serve(
        settings,
        host or settings.api_host,
        port or settings.api_port,
        lambda line: screen.print(line, highlight=False, markup=False, soft_wrap=True),
    )
