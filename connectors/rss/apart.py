"""Reads a feed in a process of its own, with bounds on time and memory.

A hundred kilobytes of line ends keep feedparser's patterns busy for a minute, and a pattern lets no other
thread run: in a thread, any stranger's feed could stop the daemon. A process can be ended.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from contextlib import suppress

import msgspec

from connectors.errors import Unreachable
from connectors.rss.feed import Document, Feed

__all__ = ["CPU_SECONDS", "MEMORY", "read_apart"]

CPU_SECONDS = 60
WITHIN_SECONDS = 180
MEMORY = 1 << 30
_NO_FEED = 3
_LESS_URGENT = 10


async def read_apart(document: Document, within: float = WITHIN_SECONDS) -> Feed:
    """Raises Unreachable for what is no feed, or cannot be read within the bounds."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(within):
            told, _ = await process.communicate(msgspec.msgpack.encode(document))
    except TimeoutError:
        raise Unreachable("the feed takes too long to read") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == _NO_FEED:
        raise Unreachable("what lies at this address is no feed")
    if process.returncode:
        raise Unreachable("the feed cannot be read within a minute and a gigabyte")
    return msgspec.msgpack.decode(told, type=Feed)


def main() -> int:
    """The child: a Document on standard input, a Feed on standard output."""
    with suppress(OSError):  # where a sandbox forbids it, we are as urgent as the rest
        os.nice(_LESS_URGENT)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    from connectors.rss.reading import NotAFeed, read

    try:
        feed = read(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Document))
    except NotAFeed:
        return _NO_FEED
    sys.stdout.buffer.write(msgspec.msgpack.encode(feed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
