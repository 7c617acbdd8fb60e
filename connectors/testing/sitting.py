"""One sitting of the exam: a served channel, a client, the settings, and the ear that is examined."""

# ruff: noqa: S101 — an exam asserts

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeVar, cast

import aiohttp
from pydantic import BaseModel, SecretStr

from connectors.api import (
    BadPayload,
    Connector,
    ConnectorError,
    Cursor,
    Http,
    Listens,
    Message,
    Page,
    Plugin,
    Polls,
    Receipt,
    Replies,
    Reply,
)
from connectors.testing.channel import BEGINNING, CUSTOMER, FakeChannel, Fault, cut, garbled

__all__ = ["PATIENCE", "Ear", "Sitting", "sitting"]

Ear = Literal["polls", "streams", "listens"]
PATIENCE = 5.0
"""Seconds after which a call counts as waiting; a connector that sleeps out a 429 of 7 s is beyond it."""
IMPATIENT = timedelta(seconds=1)
ROUNDS = 1_000
KEY = "6f1c4f4e-0a55-5c0f-9a51-3c1b1c0e8f11"
T = TypeVar("T")


class ImpatientHttp(Http):
    """The real client, which gives up on a silent platform at once: no test waits out a real deadline."""

    async def send(self, method: str, url: str, **options: Any) -> Any:
        options["deadline"] = IMPATIENT
        return await super().send(method, url, **options)

    def lines(self, method: str, url: str, **options: Any) -> AsyncIterator[bytes]:
        options["silence"] = IMPATIENT
        return super().lines(method, url, **options)


class _Log(logging.Handler):
    """Whatever anybody logs, at any level."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass(slots=True, kw_only=True)
class Sitting:
    """What a question of the exam works with."""

    plugin: Plugin[Any]
    channel: FakeChannel
    ear: Ear | None
    settings: BaseModel
    http: Http
    connector: Connector
    served: AsyncExitStack
    log: _Log
    errors: list[BaseException] = field(default_factory=list)

    def reopened(self) -> AbstractAsyncContextManager[Connector]:
        """A second connector with the same settings, as after a restart."""
        return self.plugin.open(self.settings, self.http)

    async def stop_serving(self) -> None:
        await self.served.aclose()

    async def pages(self, after: Cursor | None = None, *, wanted: int | None = None) -> list[Page]:
        """All that there is to hear after a cursor, page by page, each from the cursor of the one before."""
        expected = len(self.channel.items) if wanted is None else wanted
        if self.ear == "polls":
            return await self._polled(after)
        if self.ear == "streams":
            return await self._streamed(after, expected)
        body = self.channel.body(self.channel.items[-expected:] if expected else ())
        answer = await self.within(cast("Listens", self.connector).hear(self.channel.signed(body)))
        return [answer.page]

    async def _polled(self, after: Cursor | None) -> list[Page]:
        pages: list[Page] = []
        for _ in range(ROUNDS):
            page = await self.within(cast("Polls", self.connector).poll(after))
            pages.append(page)
            after = page.cursor or after
            if not page.more and not items(page):
                return pages
        raise AssertionError(f"after {ROUNDS} polls there is still no empty page: does the cursor move?")

    async def _streamed(self, after: Cursor | None, expected: int) -> list[Page]:
        pages: list[Page] = []
        if expected == 0:
            return pages
        async with aclosing(cast("Any", self.connector).stream(after)) as stream:
            while sum(map(items, pages)) < expected:
                pages.append(await self.within(anext(stream)))
        return pages

    async def heard(self, after: Cursor | None = None, *, wanted: int | None = None) -> list[Message]:
        return [message for page in await self.pages(after, wanted=wanted) for message in page.messages]

    async def first(self, after: Cursor | None = None) -> Page:
        """One call that reaches the platform: a poll, or the first page of a stream."""
        if self.ear == "polls":
            return await self.within(cast("Polls", self.connector).poll(after))
        async with aclosing(cast("Any", self.connector).stream(after)) as stream:
            return await self.within(cast("Awaitable[Page]", anext(stream)))

    async def a_message(self) -> Message:
        """One that a reply can go to: heard, where the connector hears."""
        if self.ear is None:
            return Message(id="5001", author=CUSTOMER, text="where?", sent_at=BEGINNING, thread=CUSTOMER.id)
        self.channel.post("where is my parcel?")
        return (await self.heard())[-1]

    async def a_reply(self, text: str = "We have your message (Ref K7Q2).") -> Reply:
        return Reply(key=KEY, to=await self.a_message(), text=text)

    async def reply(self, reply: Reply) -> Receipt:
        return await self.within(cast("Replies", self.connector).reply(reply))

    async def within(self, call: Awaitable[T]) -> T:
        """Wait for a call that must not wait itself."""
        patience = asyncio.timeout(PATIENCE)
        try:
            async with patience:
                return await call
        except TimeoutError:
            if not patience.expired():
                raise AssertionError("a TimeoutError came out of the connector: it must be Unreachable") from None
        raise AssertionError("the connector waits: it must raise Unreachable(retry_after=…), and the host will wait")

    async def failing(self, fault: Fault, call: Callable[[], Awaitable[object]]) -> ConnectorError:
        """What a call raises while the platform fails; it may ask the platform once, and no oftener."""
        before = len(self.channel.requests)
        self.channel.fault = fault
        try:
            given = await call()
        except ConnectorError as error:
            self.errors.append(error)
            asked = self.channel.requests[before:]
            # Where a connection breaks, HTTP clients ask once more by themselves what changes nothing.
            allowed = 2 if fault is cut and all(line.startswith("GET ") for line in asked) else 1
            assert len(asked) <= allowed, f"the connector asked {len(asked)} times: it must not retry, the host does"
            return error
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, AssertionError):
                raise
            name = type(error).__name__
            raise AssertionError(f"{name} came out of the connector: it must be a ConnectorError") from error
        finally:
            self.channel.fault = None
        if fault is garbled and isinstance(given, Page) and _sets_aside(given):
            return BadPayload("set aside by the connector itself")
        raise AssertionError(f"the platform failed ({fault.__name__}), and the connector did not say so")

    def secrets(self) -> Collection[str]:
        return tuple(secrets_of(self.settings))

    def shown(self) -> Sequence[str]:
        """All that people may get to see: errors as they are printed, the log, and representations."""
        printed = ["".join(traceback.format_exception(error)) + repr(error) for error in self.errors]
        chained = [str(link) for error in self.errors for link in _chain(error)]
        return [*printed, *chained, *self.log.lines, repr(self.settings), str(self.settings), repr(self.connector)]


def _sets_aside(page: Page) -> bool:
    """What cannot be read is kept, and the same place is asked for again: a line of a stream may be half of one."""
    return bool(page.unreadable) and not page.messages and page.cursor is None


def items(page: Page) -> int:
    return len(page.messages) + len(page.unreadable)


def secrets_of(settings: BaseModel) -> list[str]:
    """The texts of all secrets in a settings model, nested ones too."""
    found: list[str] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            found.append(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found.extend(secrets_of(value))
    return [secret for secret in found if secret]


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


@asynccontextmanager
async def sitting(
    plugin: Plugin[Any], channel: FakeChannel, settings: Callable[[str], dict[str, Any]], ear: Ear | None
) -> AsyncIterator[Sitting]:
    """Serve the channel, open the connector, and listen to the log."""
    log = _Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
            )
            served = await stack.enter_async_context(AsyncExitStack())
            base_url = await served.enter_async_context(channel.served())
            values = plugin.settings.model_validate(settings(base_url))
            http = ImpatientHttp(session)
            connector = await stack.enter_async_context(plugin.open(values, http))
            yield Sitting(
                plugin=plugin,
                channel=channel,
                ear=ear,
                settings=values,
                http=http,
                connector=connector,
                served=served,
                log=log,
            )
    finally:
        root.removeHandler(log)
        root.setLevel(level)
