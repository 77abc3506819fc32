"""The command line: ``zega``.

Exit status: 0 done, 1 not done (a run failed, something is not ready), 2 the call cannot be used,
3 ZEGA's folder, database or settings cannot be used, 130 interrupted (what was written is kept).
"""

from zega_core.cli import (
    api,
    examples,
    exports,
    history,
    keys,
    models,
    pages,
    personal,
    proof,
    runs,
    stories,
    system,
    talk,
    teach,
    teaching,
    versions,
    write,
    writers,
)
from zega_core.cli.frame import cli, main

__all__ = [
    "api",
    "cli",
    "examples",
    "exports",
    "history",
    "keys",
    "main",
    "models",
    "pages",
    "personal",
    "proof",
    "runs",
    "stories",
    "system",
    "talk",
    "teach",
    "teaching",
    "versions",
    "write",
    "writers",
]
