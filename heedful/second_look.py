"""A second look at what the fast reading called unsure, in the background.

What is still to be looked at is a question to the database, so a restart loses nothing; what was looked at says so
in its reading. Messages older than an hour are left as they are: by then a person has seen them, or nobody waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

import numpy as np
import structlog
from sqlalchemy import Connection, not_, select

from config.folding import fold
from heedful import failpoints
from heedful.alarms import Alarms
from heedful.channels import Environment, Runner
from heedful.deep_process import Deep, DeepProcess, Died
from heedful.guidance import Guidance
from heedful.preparation import Prepared, read_all
from heedful.reconsider import reconsider
from heedful.rows import message_of
from heedful.source import Source
from routing.store.database import Store
from routing.store.ids import least
from routing.store.rows import MESSAGE
from sentiment.deep import SCORER, DeepReader
from sentiment.deep_engine import Unavailable
from sentiment.deep_file import Floats
from sentiment.model import OUTPUTS

__all__ = ["AT_ONCE", "WITHIN", "SecondLook"]

log = structlog.get_logger("heedful.second_look")

WITHIN = timedelta(hours=1)
AT_ONCE = 16
ABOUT = "second look"
"""What its alarm is called."""
HARMLESS = "ok"
_SWEEP = timedelta(minutes=5)
_RETRY = timedelta(minutes=1)
_WIDTH = max(part.stop for part in OUTPUTS.values())

Row = Mapping[str, Any]
Sources = Callable[[], Mapping[str, Source]]
"""The channels that are open, by name."""


class SecondLook:
    """`count` is told what became of the messages of a batch. Only one batch is in memory at a time."""

    def __init__(
        self,
        store: Store,
        guidance: Callable[[], Guidance],
        sources: Sources,
        deep: Deep,
        alarms: Alarms,
        clock: Callable[[], datetime],
        count: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        self._store, self._guidance, self._sources = store, guidance, sources
        self._deep, self._alarms, self._clock, self._count = deep, alarms, clock, count
        self._after = 0
        self._sweep_at: datetime | None = None
        self._again_at: datetime | None = None

    @classmethod
    def of(cls, env: Environment, runners: Mapping[str, Runner], count: Callable[[Mapping[str, int]], None]) -> Self:
        """The daemon's, with the network in a process of its own."""

        def sources() -> dict[str, Source]:
            return {name: runner.source for name, runner in runners.items() if runner.source is not None}

        return cls(env.store, env.guidance, sources, DeepProcess(), env.alarms, env.clock, count)

    async def run(self, tick: asyncio.Event) -> None:
        """At each tick all that waits, as long as the file asks for it."""
        try:
            while True:
                await tick.wait()
                tick.clear()
                if not self._wanted():
                    await self._rest()
                    continue
                while await self.look() == AT_ONCE:
                    pass
        finally:
            await self._deep.close()

    async def look(self) -> int:
        """One batch; returns how many messages it held. Raises StoreError."""
        now, sources = self._clock(), self._sources()
        if self._again_at is not None and now < self._again_at:
            return 0
        rows = await self._waiting(now, sources) if sources else []
        if not rows:
            return 0
        guidance = self._guidance()
        try:
            items = await self._read(rows, guidance)
        except Unavailable as why:
            self._again_at = now + _RETRY
            await self._alarms.ring(ABOUT, str(why))
            return 0
        await self._alarms.hush(ABOUT)
        await self._write(rows, items, guidance)
        self._after = rows[-1]["id"]
        return len(rows)

    def _wanted(self) -> bool:
        reading = self._guidance().care.reading
        return reading is not None and bool(reading.deep)

    async def _rest(self) -> None:
        self._again_at = None
        await self._deep.close()
        await self._alarms.hush(ABOUT)

    async def _waiting(self, now: datetime, sources: Mapping[str, Source]) -> Sequence[Row]:
        """Oldest first. From time to time from the start of the hour: what was hidden then may be seen by now."""
        if self._sweep_at is None or now >= self._sweep_at:
            self._after, self._sweep_at = 0, now + _SWEEP
        question = partial(_waiting, since=now - WITHIN, after=self._after, channels=list(sources))
        return await self._store.read(question)

    async def _read(self, rows: Sequence[Row], guidance: Guidance) -> list[Prepared]:
        """The network is asked for what the reader misses, until it misses nothing: staff's words may change texts."""
        items = [Prepared(message_of(row), fold(row["text"]), own=False, at=row["received_at"]) for row in rows]
        table: dict[str, Floats | None] = {}
        while True:
            missing: dict[str, None] = {}
            reader = DeepReader(
                guidance.care.brand, fast=guidance.reader, logits=partial(_remembered, table=table, missing=missing)
            )
            read = read_all(items, replace(guidance, reader=reader))
            if not missing:
                break
            table |= await self._ask(list(missing))
        failed = {text for text, row in table.items() if row is None}
        fast = iter(read_all([item for item in items if item.message.text in failed], guidance))
        return [next(fast) if item.message.text in failed else item for item in read]

    async def _ask(self, texts: list[str]) -> dict[str, Floats | None]:
        """A text that ends the process is found by asking for each alone; it gets no answer."""
        try:
            return dict(zip(texts, await self._deep.logits(texts), strict=True))
        except Died:
            log.warning("the process of the second look died", texts=len(texts))
            if len(texts) == 1:
                await self._prove()
                return {texts[0]: None}
        found: dict[str, Floats | None] = {}
        for text in texts:
            found |= await self._ask([text])
        return found

    async def _prove(self) -> None:
        """That it was the text. Raises Unavailable where the process dies of anything."""
        try:
            await self._deep.logits([HARMLESS])
        except Died:
            raise Unavailable(
                "its process dies whatever it reads → see whether the machine ran out of memory, and `heedful doctor`"
            ) from None

    async def _write(self, rows: Sequence[Row], items: Sequence[Prepared], guidance: Guidance) -> None:
        """One transaction a channel."""
        by_channel: defaultdict[str, dict[int, Prepared]] = defaultdict(dict)
        for row, item in zip(rows, items, strict=True):
            by_channel[row["channel"]][row["id"]] = item
        failpoints.reach("before-second-look")
        for channel, some in by_channel.items():
            source = self._sources().get(channel)
            if source is None:  # closed meanwhile: a sweep will find them
                continue
            work = partial(_reconsider, source=source, items=some, guidance=guidance, now=self._clock())
            self._count(await self._store.write(work))
        failpoints.reach("after-second-look")


def _reconsider(
    connection: Connection, *, source: Source, items: Mapping[int, Prepared], guidance: Guidance, now: datetime
) -> Counter[str]:
    return reconsider(connection, source, items, guidance, now)


def _waiting(connection: Connection, *, since: datetime, after: int, channels: Sequence[str]) -> Sequence[Row]:
    """By id, which grows with time: an index leads straight to the last hour."""
    scorer = MESSAGE.c.reading["scorer"].as_string()
    question = (
        select(MESSAGE)
        .where(MESSAGE.c.id > max(after, least(since)), MESSAGE.c.received_at > since)
        .where(MESSAGE.c.label == "unsure", MESSAGE.c.channel.in_(channels), not_(MESSAGE.c.deleted))
        .where(MESSAGE.c.text != "", not_(scorer.endswith(SCORER)))
        .order_by(MESSAGE.c.id)
        .limit(AT_ONCE)
    )
    return [dict(row) for row in connection.execute(question).mappings()]


def _remembered(texts: Sequence[str], *, table: Mapping[str, Floats | None], missing: dict[str, None]) -> Floats:
    """The rows that are known; in place of others nothing, and they are missing."""
    missing |= dict.fromkeys(text for text in texts if text not in table)
    nothing = np.zeros(_WIDTH, np.float32)
    return np.stack([nothing if (row := table.get(text)) is None else row for text in texts])
