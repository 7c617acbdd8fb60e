"""The channel of recorded messages: no settings, idle; what is answered in it goes nowhere but the books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict

from connectors.api import Author, Http, Limits, Plugin, Policy, Receipt, Reply
from connectors.recorded import LINE_AT_MOST, Recorded, parse_line, parse_object

__all__ = ["LINE_AT_MOST", "Recorded", "Settings", "parse_line", "parse_object", "plugin"]


_ACCESS = """\
Nothing: it is the channel of `heedful replay FILE`, of the sample and of the file's own tests. A recorded message may
name another channel of the file; it then keeps to what that one's kind can do.
"""
_CANNOT = """\
- Listen: under `heedful run` such a channel is idle.
- Send: what is answered in it goes into the books, and nowhere else.
"""


class Settings(BaseModel):
    """None: a channel of recorded messages has nothing to connect to."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Replay:
    """Idle: it listens to nothing, and its replies are the books' own."""

    me = Author(id="", name="replay")

    async def reply(self, reply: Reply, /) -> Receipt:
        """Posts nowhere; the same key is the same receipt."""
        return Receipt(id=reply.key)


@asynccontextmanager
async def _open(_settings: Settings, _http: Http) -> AsyncIterator[Replay]:
    yield Replay()


plugin = Plugin(
    kind="replay",
    summary="recorded messages, for trying things out; nothing goes out",
    settings=Settings,
    open=_open,
    abilities=frozenset({"replies"}),
    idempotency="A",
    recovers=None,
    limits=Limits(reply_length=4096, replies_per_minute=1_000_000),
    policy=Policy(),
    token=_ACCESS,
    cannot=_CANNOT,
)
