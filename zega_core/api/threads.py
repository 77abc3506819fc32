"""Threads in which routes run. Python runs one of them at a time: more than a few only wait for each other, and each
keeps memory of its own (benchmarks/api.py)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import anyio
from anyio.to_thread import current_default_thread_limiter, run_sync

P = ParamSpec("P")
R = TypeVar("R")
SHORT = 8
"""For routes that answer at once."""
LONG = 40
"""For routes that wait for a service, or work for seconds: they keep no short one waiting."""
ARENAS = 2
"""Heaps of glibc; by itself it makes eight for each processor, and each grows to the largest need of any thread."""
_M_ARENA_MAX = -8  # malloc.h

_long = anyio.CapacityLimiter(LONG)


def long(route: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """A route that may take long, in a thread of its own kind."""

    @wraps(route)
    async def waiting(*given: P.args, **named: P.kwargs) -> R:
        return await run_sync(partial(route, *given, **named), limiter=_long)

    return waiting


@asynccontextmanager
async def few(_app: object) -> AsyncIterator[None]:
    """While the app runs."""
    current_default_thread_limiter().total_tokens = SHORT
    yield


def share_heaps() -> None:
    """For a process that serves. Where the C library is another than glibc it changes nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
