"""What an export is of, decided when it is asked for."""

from __future__ import annotations

from sqlmodel import Session

from zega_core.errors import InvalidInput, NotFound
from zega_core.exports.formats import FORMATS
from zega_core.store import examples, versions

BASE = 0
"""In the place of a version's number."""


def what(session: Session, writer_id: str, form: str, number: int | None) -> int | None:
    """The number of the version to export in this format; None for training data as it is kept now, and for the
    built-in base model, which is asked for as ``BASE``. Without ``number`` a model is the version in use, else the
    newest. Raises InvalidInput for a format that there is not or where nothing is kept, NotFound for a version that the
    writer does not have."""
    known = FORMATS.get(form)
    if known is None:
        raise InvalidInput(f"There is no format {form[:40]!r}. Choose one of {', '.join(FORMATS)}.")
    if number == BASE:
        if form != "gguf":
            raise InvalidInput("The base model alone is exported as GGUF only. Choose that format, or a version.")
        return None
    if number is not None:
        return versions.get(session, writer_id, number).number
    if known.kind == "data":
        if not examples.count_kept(session, writer_id):
            raise InvalidInput("There are no kept examples yet. Keep some on the Auto-Train page, then export them.")
        return None
    version = versions.promoted(session, writer_id) or next(iter(versions.all_of(session, writer_id)), None)
    if version is None:
        raise NotFound("There is no version yet, so there is no model to export. Fine-tune first.")
    return version.number
