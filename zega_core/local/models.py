"""A writer's versions and the base models as chat models. Importing this loads no torch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from zega_core.errors import HomeError, ProviderUnavailable
from zega_core.local import process
from zega_core.local.names import ModelName, read_name, version
from zega_core.providers.base import Completion, GenerationOptions, Message
from zega_core.providers.local import Local
from zega_core.settings import Settings

AT_ONCE = 1.0
"""Seconds."""


class Student:
    """One of them as a chat model. The process that writes is started when it does not run; then ``waiting``, if there
    is one, gets a sentence that says so. The process knows one request at a time and no earlier turns."""

    provider = "local"
    in_flight = 1

    def __init__(self, settings: Settings, name: ModelName, waiting: Callable[[str], None] | None = None) -> None:
        self.model, self.name, self.label = str(name), f"local/{name}", name.label
        self._settings, self._waiting = settings, waiting

    def complete(self, messages: Sequence[Message], options: GenerationOptions) -> Completion:
        """Raises a ProviderError."""
        service, asked = self._service(options.stop), time.monotonic()
        try:
            with closing(service):
                return service.complete(self.model, messages, options)
        except ProviderUnavailable as error:
            _wait_if_it_left(error, asked)
        with closing(self._service(options.stop)) as service:
            return service.complete(self.model, messages, options)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[str, None, Completion]:
        """Pieces of the text, then the completion as the generator's value. Raises a ProviderError."""
        service, asked = self._service(options.stop), time.monotonic()
        try:
            with closing(service):
                return (yield from service.stream(self.model, messages, options))
        except ProviderUnavailable as error:
            _wait_if_it_left(error, asked)
        with closing(self._service(options.stop)) as service:
            return (yield from service.stream(self.model, messages, options))

    def _service(self, stop: threading.Event | None) -> Local:
        try:
            return Local(process.access(self._settings, stop=stop, tell=self._waiting))
        except HomeError as error:
            raise ProviderUnavailable(str(error)) from error


def _wait_if_it_left(error: ProviderUnavailable, asked: float) -> None:
    """Raises the error again unless the process had ended, or was ending, when it was asked at ``asked``: then another
    one is worth a try. One that ends later may do so because of what it was asked."""
    unanswered = error.status is None and time.monotonic() - asked < AT_ONCE
    if not error.unreachable and not unanswered:
        raise error
    time.sleep(process.LOOK)


def student(
    settings: Settings,
    writer_id: str,
    number: int | None,
    base: str = "",
    *,
    waiting: Callable[[str], None] | None = None,
) -> Student:
    """Version ``number`` of a writer; without one the base model ``base``, empty for the built-in. Raises InvalidInput
    for what has not the form of a name; whether it is there is found out when it is asked."""
    if number is not None:
        return Student(settings, version(writer_id, number), waiting)
    return Student(settings, read_name(f"base:{base.strip()}" if base.strip() else "base"), waiting)
