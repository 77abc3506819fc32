"""A version on a tiny base model as a finished fine-tune leaves it, ready to be exported."""

from __future__ import annotations

from pathlib import Path

from tests.local.tiny import tiny_base, tiny_version
from tests.support import tuned
from zega_core import db
from zega_core.fine_tune import base as bases
from zega_core.settings import Settings
from zega_core.version_tables import Version


def version(config: Settings, place: Path, writer: str = "ana") -> Version:
    """v1, its base in ``place``."""
    config.prepare_home()
    base = tiny_base(place / "tiny")
    folder = tiny_version(config.home, base, writer, 1)
    run = tuned.fine_tune(config, writer, version_number=1)
    with db.session(config) as session:
        session.add(
            made := Version(
                user_id=writer,
                number=1,
                fine_tune_id=run.id or 0,
                base=str(base),
                base_hash=bases.weights_hash(base),
                data_hash="d" * 64,
                examples=50,
                own_share=0.25,
                settings={},
                metrics={},
                files={path.name: bases.file_hash(path) for path in folder.iterdir()},
                size_bytes=100_000,
                seconds=1.0,
            )
        )
    return made
