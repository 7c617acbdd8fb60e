"""Reads a feed in a process of its own, with bounds on time and memory.

A hundred kilobytes of line ends keep feedparser's patterns busy for a minute, and a pattern lets no other
thread run: in a thread, any stranger's feed could stop the daemon. A process can be ended.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from contextlib import suppress
from weakref import WeakKeyDictionary

import msgspec

from connectors.errors import Unreachable
from connectors.rss.feed import Document, Feed

__all__ = ["AT_ONCE", "CPU_SECONDS", "MEMORY", "Hopeless", "read_apart"]

CPU_SECONDS = 60
WITHIN_SECONDS = 180
MEMORY = 1 << 30
AT_ONCE = 2
"""Processes of this kind, over all feeds: each may take a core and a gigabyte."""
_FAILED, _NO_FEED, _NO_MEMORY = 1, 3, 4
_GRACE_SECONDS = 5
_LESS_URGENT = 10
_SLOTS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Hopeless(Unreachable):
    """This document can never be read: no second attempt will do better."""


async def read_apart(document: Document, within: float = WITHIN_SECONDS) -> Feed:
    """Raises Hopeless for what is no feed, or cannot be read within the bounds, else Unreachable."""
    slots = _SLOTS.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    async with slots:
        status, told = await _ask_child(msgspec.msgpack.encode(document), within)
    if status == 0:
        return msgspec.msgpack.decode(told, type=Feed)
    if status == _NO_FEED:
        raise Hopeless("what lies at this address is no feed")
    if status in {_NO_MEMORY, -signal.SIGXCPU}:
        raise Hopeless("the feed cannot be read within the bounds of time (a minute) and memory (a gigabyte)")
    if status == _FAILED:
        raise Unreachable("the process that reads feeds fails of itself (exit status 1): is heedful installed whole?")
    how = f"ended by signal {-status}" if status < 0 else f"exit status {status}"
    raise Unreachable(f"the process that reads the feed did not come to an end: {how}")


async def _ask_child(question: bytes, within: float) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(within):
            told, _ = await process.communicate(question)
    except TimeoutError:
        raise Unreachable("the feed takes too long to read") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told


def main() -> int:
    """The child: a Document on standard input, a Feed on standard output."""
    with suppress(OSError):  # where a sandbox forbids it, we are as urgent as the rest
        os.nice(_LESS_URGENT)
    _bound(resource.RLIMIT_CPU, CPU_SECONDS, _GRACE_SECONDS)  # SIGXCPU first: at the hard limit comes SIGKILL
    _bound(resource.RLIMIT_AS, MEMORY, 0)
    from connectors.rss.reading import NotAFeed, read

    try:
        feed = read(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Document))
        told = msgspec.msgpack.encode(feed)
    except NotAFeed:
        return _NO_FEED
    except MemoryError:
        return _NO_MEMORY
    sys.stdout.buffer.write(told)
    return 0


def _bound(what: int, wanted: int, grace: int) -> None:
    """No more than was given to us already: a limit can be lowered, never raised."""
    _, given = resource.getrlimit(what)
    hard = wanted + grace if given == resource.RLIM_INFINITY else min(wanted + grace, given)
    resource.setrlimit(what, (min(wanted, max(1, hard - bool(grace))), hard))


if __name__ == "__main__":
    sys.exit(main())
