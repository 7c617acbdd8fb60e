"""Recorded lines read in a process of their own, while this one stores those that were read before.

Threads would not do: both sides need the interpreter, and only take its lock from each other.
"""

from __future__ import annotations

import asyncio
import copyreg
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from operator import attrgetter
from threading import Thread
from typing import Any

from config.folding import Folded
from config.keywords import Hits
from config.schema import Care
from connectors.api import Author, Message
from heedful.guidance import Guidance
from heedful.preparation import NO_HITS, Prepared
from heedful.recording import Turn, Turns
from sentiment.api import Reading, Weight

__all__ = ["Read", "ReadingStopped", "reading_aside"]

Read = Callable[[Sequence[bytes]], Awaitable[list[Turn]]]
"""Reads the next lines of one recording."""

_CARRIED: tuple[Any, ...] = (Author, Message, Reading, Weight, Folded, Prepared, Turn)
_SETTERS: dict[Any, list[Callable[[Any, Any], None]]] = {
    kind: [getattr(kind, name).__set__ for name in kind.__slots__] for kind in _CARRIED
}
_turns: Turns | None = None


class ReadingStopped(Exception):
    """The process that reads the recording died: killed, or out of memory."""

    def __str__(self) -> str:
        return "the process that reads the recording died → see whether the machine ran out of memory, and start again"


@asynccontextmanager
async def reading_aside(care: Care) -> AsyncIterator[Read]:
    """Start the process; what this gives raises ReadingStopped once it has died.

    Spawned, not forked: a copy of a process that has threads may inherit a lock that nobody will ever release.
    """
    _carry_lightly()
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin, initargs=(care,))
    pool.submit(_read, ())  # begin now, while the caller opens its store

    async def read(lines: Sequence[bytes]) -> list[Turn]:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _read, lines)
        except BrokenProcessPool:
            raise ReadingStopped from None

    try:
        yield read
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# In the process.


def _begin(care: Care) -> None:
    global _turns  # noqa: PLW0603 — a worker of a pool can keep its own only so
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent ends this one
    Thread(target=_end_with, args=(parent_process(),), name="parent", daemon=True).start()
    _carry_lightly()
    _turns = Turns(care, Guidance.compile(care))


def _end_with(parent: BaseProcess | None) -> None:
    """A parent that was killed outright ends nobody: nothing of a recording may outlive it."""
    if parent is not None:
        parent.join()
        os._exit(1)


def _read(lines: Sequence[bytes]) -> list[Turn]:
    assert _turns is not None, "the process has begun"
    return _turns.read(lines)


# In both.


def _carry_lightly() -> None:
    """Frozen values with slots are pickled field by field in Python; as plain tuples they cost a fifth."""
    for kind in _SETTERS:
        copyreg.pickle(kind, partial(_reduced, kind, attrgetter(*kind.__slots__)))
    copyreg.pickle(Hits, _hits_reduced)


def _reduced(kind: type, fields: Callable[[Any], tuple[Any, ...]], value: Any) -> tuple[Any, ...]:
    return _built, (kind, fields(value))


def _built(kind: type, fields: tuple[Any, ...]) -> Any:
    """As it was: through its slots, since what a constructor would check was checked when it was made."""
    value: Any = object.__new__(kind)
    for put, field in zip(_SETTERS[kind], fields, strict=True):
        put(value, field)
    return value


def _hits_reduced(hits: Hits) -> tuple[Any, ...]:
    """Its mappings may be views, which nothing can carry; most are empty."""
    return (
        (_hits_built, (dict(hits.lists), dict(hits.expressions))) if hits.lists or hits.expressions else (_no_hits, ())
    )


def _hits_built(lists: dict[str, Any], expressions: dict[str, Any]) -> Hits:
    return Hits(lists=lists, expressions=expressions)


def _no_hits() -> Hits:
    return NO_HITS
