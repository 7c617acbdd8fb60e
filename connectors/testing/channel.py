"""A platform in memory, served over a real socket, that fails when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from aiohttp import web

from connectors.api import Author, Hook

__all__ = ["FakeChannel", "Fault", "Item", "Said"]

BEGINNING = datetime(2027, 1, 31, 9, 0, tzinfo=UTC)
CUSTOMER = Author(id="1001", name="小明 Ming", handle="ming")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that happened on the platform: a post, an edit, a delete notice, or one that nobody can read.

    `number` grows by one from item to item; `revision` is 0 for the original and grows with each edit.
    Of a `spoiled` item its place can still be read, of a `ruined` one nothing.
    """

    number: int
    id: str
    text: str
    author: Author
    thread: str
    sent_at: datetime
    revision: int = 0
    deleted: bool = False
    spoiled: bool = False
    ruined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply that the platform took. `text` None: taken back."""

    id: str
    text: str | None
    key: str | None
    thread: str | None


Fault = Callable[["FakeChannel", web.BaseRequest], Awaitable[web.StreamResponse]]


class FakeChannel:
    """Subclass it and override what the platform does its own way: `serve`, or `body` and `signed`.

    What the platform never tells, or what cannot be acted here, is stated by the flags; the exam then
    skips those questions and says so.
    """

    edits: bool = True
    deletes: bool = True
    spoils: bool = True
    ruins: bool = False
    """Whether it acts `ruined` items, as `JsonChannel` does."""
    hangs: bool = True
    """Whether the connector calls through `Http`, so that the exam can shorten its deadline."""
    signs_body: bool = True

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.said: list[Said] = []
        self.marks: set[str] = set()
        self.requests: list[str] = []
        self.fault: Fault | None = None
        """What happens to every request, instead of its being served, until this is None again."""
        self.over = asyncio.Event()
        self._news = asyncio.Event()
        self._hung_up = 0

    # How this platform speaks: override these.

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request as the platform would. Bodies of replies are given to `say`."""
        return web.Response(status=404, text=f"{request.method} {request.path} is not served")

    def body(self, items: Sequence[Item]) -> bytes:
        """What a webhook call that brings these items holds."""
        raise NotImplementedError("a channel of a connector that listens must say how its webhook speaks")

    def signed(self, body: bytes) -> Hook:
        """The webhook call around a body, signed as the platform signs it, now."""
        raise NotImplementedError("a channel of a connector that listens must say how its webhook is signed")

    def stale(self, body: bytes) -> Hook | None:  # noqa: ARG002 — for those who override it
        """The same, signed long ago; None where the platform's signature knows no time."""
        return None

    def denial(self) -> web.Response:
        """The answer to a revoked token."""
        return web.Response(status=401)

    def limit(self, seconds: int) -> web.Response:
        """The answer to too many requests."""
        return web.Response(status=429, headers={"Retry-After": str(seconds)})

    def refusal(self) -> web.Response:
        """The answer to a reply that the platform will never take."""
        return web.Response(status=400)

    def window_closed(self) -> web.Response:
        """The answer to a reply that comes after the reply window."""
        return self.refusal()

    def outage(self) -> web.Response:
        """The answer of a platform that is down."""
        return web.Response(status=503)

    # What customers do.

    def post(
        self,
        text: str = "hello",
        *,
        author: Author = CUSTOMER,
        thread: str | None = None,
        sent_at: datetime | None = None,
    ) -> Item:
        number = len(self.items) + 1
        at = sent_at or BEGINNING + timedelta(seconds=number)
        return self._add(
            Item(number=number, id=str(5000 + number), text=text, author=author, thread=thread or author.id, sent_at=at)
        )

    def edit(self, item: Item, text: str) -> Item:
        return self._add(replace(item, number=len(self.items) + 1, text=text, revision=item.revision + 1))

    def delete(self, item: Item) -> Item:
        return self._add(replace(item, number=len(self.items) + 1, text="", revision=item.revision + 1, deleted=True))

    def spoil(self) -> Item:
        """An item that arrives damaged, such as one without a text."""
        return self._add(replace(self.post("spoiled"), spoiled=True), in_place=True)

    def ruin(self) -> Item:
        """An item of which nothing can be read, not even where it stands: null in a list, half a line of a stream."""
        return self._add(replace(self.post("ruined"), ruined=True), in_place=True)

    def _add(self, item: Item, *, in_place: bool = False) -> Item:
        if in_place:
            self.items.pop()
        self.items.append(item)
        self._news.set()
        return item

    # What a subclass answers with.

    def since(self, number: int, limit: int | None = None) -> list[Item]:
        """The items after a number, oldest first."""
        return self.items[max(number, 0) :][:limit]

    async def live(self, after: int) -> AsyncIterator[Item]:
        """The items after a number as they happen, until `hang_up`: for platforms that stream."""
        line = self._hung_up
        while line == self._hung_up:
            fresh = self.since(after)
            for item in fresh:
                yield item
                after = item.number
            if not fresh:
                self._news.clear()
                await self._news.wait()

    def hang_up(self) -> None:
        """Break all streams off."""
        self._hung_up += 1
        self._news.set()

    def say(self, text: str, *, key: str | None = None, thread: str | None = None) -> Said:
        """Take a reply; one with a key that was taken before is the same reply. Give no key where none is honoured."""
        for said in self.said:
            if key is not None and said.key == key:
                return said
        said = Said(id=f"r{len(self.said) + 1}", text=text, key=key, thread=thread)
        self.said.append(said)
        return said

    def unsay(self, identity: str, text: str | None = None) -> bool:
        """Change a reply, or take it back; False where there is none."""
        for at, said in enumerate(self.said):
            if said.id == identity:
                self.said[at] = replace(said, text=text)
                return True
        return False

    # The socket.

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Listen on a free port of this machine; the base URL, without a slash at its end."""
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            self.over.set()
            self.hang_up()
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        response = await (self.serve(request) if self.fault is None else self.fault(self, request))
        if not response.prepared:
            response.force_close()  # no kept connection: after the server is gone, nobody can doubt it
        return response


async def denied(channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return channel.denial()


async def limited(channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return channel.limit(7)


async def down(channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return channel.outage()


async def refused(channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return channel.refusal()


async def closed(channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return channel.window_closed()


async def garbled(_channel: FakeChannel, _request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b'{"half of', content_type="application/json")


async def cut(_channel: FakeChannel, request: web.BaseRequest) -> web.StreamResponse:
    """The connection breaks before the platform has done anything."""
    return _abort(request)


async def lost(channel: FakeChannel, request: web.BaseRequest) -> web.StreamResponse:
    """The platform does what it was asked, and its answer is lost."""
    await channel.serve(request)
    return _abort(request)


async def silent(channel: FakeChannel, request: web.BaseRequest) -> web.StreamResponse:
    """No answer while anybody waits for one."""
    await channel.over.wait()
    return _abort(request)


def _abort(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
