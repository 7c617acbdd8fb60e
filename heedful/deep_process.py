"""The network in a process of its own, nice to all others: whatever it does, the daemon's loop turns on.

A text that ends the process ends nothing else: the daemon starts another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

from sentiment.deep_engine import Engine
from sentiment.deep_file import Floats

__all__ = ["Deep", "DeepProcess", "Died"]

_NICER = 10
_engine: Engine | None = None


class Died(Exception):
    """The process ended while it read."""


class Deep:
    """What reads texts into rows of numbers, laid out as `sentiment.model.OUTPUTS`."""

    async def logits(self, texts: Sequence[str]) -> Floats:
        """One row for each text. Raises Unavailable where the network cannot be run, and Died."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of its memory; the next text starts it again."""


class DeepProcess(Deep):
    """Started with the first text. Spawned, not forked: a copy of a process that has threads may hang."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def logits(self, texts: Sequence[str]) -> Floats:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _logits, list(texts))
        except BrokenProcessPool:
            await self.close()
            raise Died from None

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


# In the process.


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent ends this one
    Thread(target=_end_with, args=(parent_process(),), name="parent", daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(_NICER)


def _end_with(parent: BaseProcess | None) -> None:
    """A parent that was killed outright ends nobody: nothing may outlive it."""
    if parent is not None:
        parent.join()
        os._exit(1)


def _logits(texts: list[str]) -> Floats:
    global _engine  # noqa: PLW0603  a worker of a pool can keep its own only so
    if _engine is None:
        _engine = Engine()
    return _engine.logits(texts)
