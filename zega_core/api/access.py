"""Who asks: the person at this machine without a key, or the writer whose key it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from zega_core import db
from zega_core.configs import check_writer_id
from zega_core.errors import NotFound
from zega_core.store import writers


@dataclass(frozen=True, slots=True)
class Caller:
    """``writer`` is whose key came; None at this machine without one, where every local writer is the caller's."""

    writer: str | None

    def checked(self, writer_id: str) -> str:
        """The id, if the caller may act for that writer. Raises InvalidInput for what is no id, and NotFound for
        another writer's, which answers like one that does not exist."""
        check_writer_id(writer_id)
        if self.writer not in (None, writer_id):
            raise NotFound("There is no such writer. Use the id of the writer whose key this is.")
        return writer_id


def caller(request: Request) -> Caller:
    return Caller(None)


Asking = Annotated[Caller, Depends(caller)]


def acting_writer(
    asking: Asking,
    user_id: Annotated[
        str | None, Query(description="Whose. Without it: whose key it is, or the writer last used on this machine.")
    ] = None,
) -> str:
    """For routes that name no writer in their path."""
    if user_id is not None:
        return asking.checked(user_id)
    if asking.writer is not None:
        return asking.writer
    with db.reading() as session:
        return writers.ids(session)[0]


ForWriter = Annotated[str, Depends(acting_writer)]
