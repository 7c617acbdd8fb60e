"""One connection to X's stream, by tweepy's client with its own ways taken away.

tweepy connects again by itself: at once after a clean close (over a thousand times a second), and after
sleeping where something failed; and one exception in a handler ends it without a word. Here every way
out ends the task, and the reason is kept for whoever asks for the next line.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
from tweepy.asynchronous import AsyncStreamingClient
from yarl import URL

from connectors.answers import Answer
from connectors.errors import ConnectorError, Denied, Unreachable
from connectors.x.session import moved
from connectors.x.settings import Settings
from connectors.x.verdict import explained

__all__ = ["Line"]

_CONNECT_WITHIN = 10.0
_LONGEST = 1_000_000
_ERROR_AT_MOST = 65_536


class Line:
    """A connection, line by line: the next is read from the network only when the last was taken."""

    def __init__(self, settings: Settings, silence: timedelta) -> None:
        bearer = settings.bearer_token
        if bearer is None:
            raise Denied("the stream needs `bearer_token`")
        self._client = _Client(bearer.get_secret_value(), settings.base_url, silence)

    async def open(self, **fields: Any) -> None:
        """Raises Unreachable or Denied where X does not take the connection."""
        task = self._client.filter(**fields)
        opening = asyncio.ensure_future(self._client.opened.wait())
        try:
            await asyncio.wait({task, opening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            opening.cancel()
        if not self._client.opened.is_set():
            raise self._client.reason

    async def next(self) -> bytes:
        """The next line; an empty one is a sign of life. Raises Unreachable at the end."""
        lines, task = self._client.lines, self._client.task
        if lines.empty() and not task.done():
            getting = asyncio.ensure_future(lines.get())
            try:
                await asyncio.wait({task, getting}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not getting.done():
                    getting.cancel()
            if getting.done() and not getting.cancelled():
                return getting.result()
        if not lines.empty():
            return lines.get_nowait()
        raise self._client.reason

    async def close(self) -> None:
        """Hang up, and wait until it is done."""
        task = self._client.task
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._client.session.close()


class _Client(AsyncStreamingClient):  # type: ignore[misc]  # published without types
    """tweepy's stream, once."""

    def __init__(self, bearer: str, base_url: str, silence: timedelta) -> None:
        super().__init__(bearer, return_type=cast("Any", dict), max_retries=0)
        self.session = _Once(base_url, silence)
        self.lines: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self.opened = asyncio.Event()
        self.reason: ConnectorError = Unreachable("X's stream has ended")

    async def on_connect(self) -> None:
        self.opened.set()

    async def on_data(self, raw_data: bytes) -> None:
        await self.lines.put(raw_data)

    async def on_keep_alive(self) -> None:
        await self.lines.put(b"")

    async def on_closed(self, resp: object) -> None:  # noqa: ARG002 — tweepy names it
        raise Unreachable("X has closed the stream")

    async def on_exception(self, exception: Exception) -> None:
        self.reason = exception if isinstance(exception, ConnectorError) else Unreachable("X's stream broke off")

    async def on_disconnect(self) -> None:
        """Nothing is logged."""


class _Once:
    """What tweepy takes for an aiohttp session: another origin, our errors, and no second connection."""

    def __init__(self, base_url: str, silence: timedelta) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_WITHIN, sock_read=silence.total_seconds())
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        self._base_url = base_url
        self.headers: dict[str, str] = {}

    @property
    def closed(self) -> bool:
        return False

    async def close(self) -> None:
        await self._session.close()

    @asynccontextmanager
    async def request(
        self, method: str, url: str, *, params: Mapping[str, Any], headers: Mapping[str, str], **_nothing: object
    ) -> AsyncIterator[_Lines]:
        target = moved(url, self._base_url)
        where = f"{method} {URL(target).host}{URL(target).path}"
        try:
            async with self._session.request(
                method, target, params=params, headers={**self.headers, **headers}, allow_redirects=False
            ) as response:
                failure = await _refusal(response, where)
                if failure is None:
                    yield _Lines(response)
                    return
        except (aiohttp.ClientError, OSError, ValueError):
            failure = Unreachable(f"{where}: no connection, or it broke off")
        raise failure


async def _refusal(response: aiohttp.ClientResponse, where: str) -> ConnectorError | None:
    if response.status == 200:
        return None
    body = await response.content.read(_ERROR_AT_MOST)
    headers = {name.lower(): value for name, value in response.headers.items()}
    failure = explained(Answer(where, response.status, headers, body), datetime.now(UTC), posting=False)
    return failure or Unreachable(f"{where}: X says {response.status}, and no stream")


class _Lines:
    """The answer as tweepy reads it. aiohttp's own lines end at 128 kB with an error of their own."""

    status = 200

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @property
    def content(self) -> AsyncIterator[bytes]:
        return self._lines()

    async def _lines(self) -> AsyncIterator[bytes]:
        rest = b""
        try:
            async for chunk in self._response.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LONGEST:
                    break
                for line in whole:
                    yield line
            else:
                return
            failure = Unreachable("X's stream holds a line beyond all measure")
        except TimeoutError:
            failure = Unreachable("X's stream has fallen silent")
        except (aiohttp.ClientError, OSError):
            failure = Unreachable("X's stream broke off")
        raise failure
