"""The live feed: event rows of the database as server-sent events, resumed by number, nothing missed, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from routing.store import events
from routing.store.database import Store
from routing.store.errors import StoreClosed, StoreError

__all__ = ["Happening", "Hub"]

log = structlog.get_logger("heedful.feed")

COALESCE = 0.05
BEAT = 15.0
PATIENCE = 1.0
"""Seconds until a database that could not be read is asked again."""
AT_ONCE = 500
RING = 2_000
TOO_FAR = 5_000
"""A client further behind than this is told to fetch everything anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event as the page needs it: what changed, never what a customer wrote."""

    seq: int
    kind: str
    at: str
    actor: str | None
    channel: str | None
    team: str | None
    case: str | None
    message: str | None

    def as_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "team"}
        return {name: value for name, value in fields.items() if value is not None}


def _happening(row: events.Event) -> Happening:
    return Happening(
        seq=row.seq,
        kind=row.kind,
        at=row.at.isoformat(),
        actor=row.actor,
        channel=row.channel,
        team=row.team,
        case=None if row.case_id is None else str(row.case_id),
        message=None if row.message_id is None else str(row.message_id),
    )


class Hub:
    """Reads new events once for all clients. A client holds a position, never a queue, so a slow one costs nothing."""

    def __init__(
        self, store: Store, *, coalesce: float = COALESCE, beat: float = BEAT, patience: float = PATIENCE
    ) -> None:
        self._store = store
        self._patience = patience
        self._coalesce = coalesce
        self._beat = beat
        self._ring: deque[Happening] = deque()
        self._floor = self._seq = 0
        self._woken = asyncio.Event()
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._starting = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None
        store.on_commit(self._woken.set)

    async def stream(
        self, after: int | None, visible: Callable[[str | None], bool], alive: Callable[[], Any]
    ) -> AsyncIterator[bytes]:
        """Frames for one client until it leaves, its session ends or the hub closes.

        `alive` is awaited with each heartbeat; the first frame is a heartbeat, so that the page knows it is connected.
        """
        await self._start()
        position = self._seq if after is None else after
        yield _frame("beat", {}, None)
        while not self._closing.is_set():
            news = self._news
            batch, position, resync = await self._take(position)
            if resync:
                yield _frame("resync", {}, position)
            elif batch:
                shown = [item.as_json() for item in batch if visible(item.team)]
                if shown:
                    yield _frame("changed", {"events": shown}, position)
            elif not await self._wait(news):
                await self._start()
                if not await alive():
                    yield _frame("over", {}, None)
                    return
                yield _frame("beat", {}, None)

    async def close(self) -> None:
        """End every stream promptly; the page reconnects by itself when the daemon is back."""
        self._closing.set()
        self._news.set()
        self._woken.set()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
            self._pump = None

    async def _start(self) -> None:
        async with self._starting:
            if self._closing.is_set() or (self._pump is not None and not self._pump.done()):
                return
            if self._pump is None:
                self._floor = self._seq = await self._store.read(events.latest)
            # One that has ended by a fault goes on where it was.
            self._pump = asyncio.create_task(self._run(), name="feed-events")

    async def _run(self) -> None:
        # Another process of a shared database cannot wake us: there we also look once a second.
        patience = self._beat if self._store.dialect == "sqlite" else 1.0
        failing = False
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), patience)
            self._woken.clear()
            try:
                found = await self._fetch()
            except StoreClosed:
                return
            except StoreError as failure:
                if not failing:
                    log.warning("the live feed cannot read", reason=str(failure))
                failing = True
                self._woken.set()
                await asyncio.sleep(self._patience)
                continue
            failing = False
            if found:
                await asyncio.sleep(self._coalesce)

    async def _fetch(self) -> bool:
        rows = await self._store.read(lambda connection: events.since(connection, self._seq, AT_ONCE))
        if not rows:
            return False
        self._ring.extend(map(_happening, rows))
        self._seq = self._ring[-1].seq
        while len(self._ring) > RING:
            self._floor = self._ring.popleft().seq
        if len(rows) == AT_ONCE:
            self._woken.set()
        self._news.set()
        self._news = asyncio.Event()
        return True

    async def _take(self, position: int) -> tuple[Sequence[Happening], int, bool]:
        if position > self._seq or self._seq - position > TOO_FAR:
            latest = await self._store.read(events.latest)
            if position > latest or latest - position > TOO_FAR:
                return (), latest, True
        if position >= self._floor:
            batch = [item for item in self._ring if item.seq > position][:AT_ONCE]
        else:
            rows = await self._store.read(lambda connection: events.since(connection, position, AT_ONCE))
            batch = [_happening(row) for row in rows]
        return batch, batch[-1].seq if batch else position, False

    async def _wait(self, news: asyncio.Event) -> bool:
        try:
            await asyncio.wait_for(news.wait(), self._beat)
        except TimeoutError:
            return False
        return True


def _frame(event: str, data: object, number: int | None) -> bytes:
    head = f"id: {number}\n" if number is not None else ": beat\n" if event == "beat" else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
