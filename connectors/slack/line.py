"""Socket Mode: one WebSocket that Slack speaks through, for as long as it stays.

slack_sdk's own client connects again by itself on a `disconnect`, retries for ever where it cannot, and
takes each message in a task of its own: here all of that is the host's, so only its forms are used
(docs.slack.dev/apis/events-api/using-socket-mode). That a line is alive is proven by what comes through it,
never by a flag: a half-open socket says of itself that it is connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import orjson
from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from connectors.addresses import Unsafe, trusted
from connectors.errors import BadPayload, ConnectorError, Unreachable
from connectors.net import strict_json

__all__ = ["Envelope", "Leaving", "Line", "Noise", "open_line"]

SILENCE = timedelta(seconds=15)
"""After so long without a sign we ask for one, and after as long again without an answer the line is dead."""
_LARGEST = 4_000_000
_WAITING = 1_000
_HELD_AT_MOST = 16_000_000
"""Bytes of what waits; no more is read from the socket until somebody has asked for some of it."""
_CLOSE_WITHIN = 1.0
_REASONS = {
    "warning": "Slack is about to close this connection",
    "refresh_requested": "Slack wants this connection to be made anew",
    "link_disabled": "Socket Mode was switched off: api.slack.com/apps, the app, Socket Mode",
    "too_many_websockets": "too many connections of this app: ten are allowed",
}
_IN_TIME = frozenset({"warning", "refresh_requested"})


class Leaving(Unreachable):
    """Slack is about to close this connection, and says so in time to open another."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery; Slack repeats it until it is acknowledged by its id."""

    id: str
    kind: str
    payload: object


@dataclass(frozen=True, slots=True)
class Noise:
    """A frame that cannot be read."""

    raw: bytes
    reason: str


_Item = Envelope | Noise | ConnectorError | None


class Line:
    """An open connection. A task of its own reads it, so that pings are answered while the host stores."""

    def __init__(self, ws: ClientWebSocketResponse, silence: timedelta = SILENCE) -> None:
        self._ws = ws
        self._silence = silence.total_seconds()
        self._queue: asyncio.Queue[tuple[_Item, int]] = asyncio.Queue(_WAITING)
        self._held = 0
        self._taken = asyncio.Event()

    @property
    def waits(self) -> bool:
        """Whether something has come that nobody has asked for yet."""
        return not self._queue.empty()

    async def next(self) -> Envelope | Noise | None:
        """What came next; None is a sign of life. Raises Unreachable once the line is dead."""
        item, size = await self._queue.get()
        self._held -= size
        self._taken.set()
        if isinstance(item, ConnectorError):
            raise item
        return item

    async def acknowledge(self, envelope: Envelope) -> None:
        """Only once what it brought is safe. Raises Unreachable."""
        answer = orjson.dumps(SocketModeResponse(envelope_id=envelope.id).to_dict()).decode()
        try:
            await self._ws.send_str(answer)
            return
        except (aiohttp.ClientError, OSError):
            pass
        raise Unreachable("the socket broke off")

    async def read(self) -> None:
        """Until the line is dead; why is the last thing that `next` says."""
        try:
            await self._read()
        except ConnectorError as error:
            await self._put(error)
        except Exception as error:  # noqa: BLE001 — nobody awaits this task: `next` would wait for ever
            await self._put(Unreachable(f"the socket broke off ({type(error).__name__})"))

    async def _read(self) -> None:
        asked = False
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    frame = await self._ws.receive()
            except TimeoutError:
                if asked:
                    raise Unreachable("the socket is silent: nothing comes through it, not even an echo") from None
                await self._ws.ping()
                asked = True
                continue
            asked = False
            await self._take(frame)

    async def _take(self, frame: WSMessage) -> None:
        match frame.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                item = _read_frame(frame.data)
                if item is not None:
                    await self._put(item, len(frame.data))
            case WSMsgType.PING:
                await self._ws.pong(frame.data)
                await self._put(None)
            case WSMsgType.PONG:
                await self._put(None)
            case _:
                raise Unreachable("Slack closed the socket")

    async def _put(self, item: _Item, size: int = 0) -> None:
        while self._held and self._held + size > _HELD_AT_MOST:
            self._taken.clear()
            await self._taken.wait()
        self._held += size
        await self._queue.put((item, size))


def _read_frame(data: str | bytes) -> Envelope | Noise | None:
    """None for the greeting. Raises Unreachable for a farewell, Leaving for one that comes before the end."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    try:
        told = strict_json(raw)
    except BadPayload as error:
        return Noise(raw, str(error))
    kind = told.get("type") if isinstance(told, dict) else None
    if kind == "hello":
        return None
    if kind == "disconnect":
        reason = str(told.get("reason"))
        says = _REASONS.get(reason, f"Slack closes the connection: {reason[:80]}")
        raise Leaving(says) if reason in _IN_TIME else Unreachable(says)
    try:
        request = SocketModeRequest.from_dict(told)
    except (AttributeError, TypeError, ValueError):
        request = None
    if request is None or not isinstance(request.envelope_id, str) or not isinstance(request.type, str):
        return Noise(raw, "no envelope of Socket Mode")
    return Envelope(request.envelope_id, request.type, request.payload)


@asynccontextmanager
async def open_line(session: aiohttp.ClientSession, url: object, silence: timedelta = SILENCE) -> AsyncIterator[Line]:
    """Connect once. Raises Unreachable: where it fails, the host asks for another address."""
    ws = await _connect(session, _address(url))
    line = Line(ws, silence)
    reading = asyncio.create_task(line.read(), name="slack socket")
    try:
        yield line
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        with suppress(aiohttp.ClientError, OSError):
            await ws.close()


async def _connect(session: aiohttp.ClientSession, url: str) -> ClientWebSocketResponse:
    """The address holds a ticket: no error may print it."""
    closing = aiohttp.ClientWSTimeout(ws_close=_CLOSE_WITHIN)  # pyright: ignore[reportCallIssue] — an attrs class
    try:
        return await session.ws_connect(url, autoping=False, max_msg_size=_LARGEST, timeout=closing)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = type(error).__name__
    raise Unreachable(f"the socket cannot be opened ({reason})")


def _address(url: object) -> str:
    """wss, or plain ws to this machine; Slack's word for it is not taken on trust."""
    if isinstance(url, str) and url.startswith(("wss://", "ws://")):
        with suppress(Unsafe):
            trusted(f"http{url.removeprefix('ws')}")
            return url
    raise Unreachable("Slack names no address for the socket that can be used")
