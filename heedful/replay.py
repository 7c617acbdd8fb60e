"""Recorded messages through the same pipeline, into the same books; no connector is opened.

A recording sink takes the acknowledgements under the policy, caps and length of each channel's kind. The
clock is the largest `sent_at` so far, so a recording of last year is as fresh as it was then.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.schema import Care
from connectors.api import Author, Message, Receipt, Reply
from heedful.aside import Read
from heedful.batch import Batch
from heedful.delivery import Row
from heedful.guidance import Guidance
from heedful.outbox import Sender
from heedful.pipeline import Pipeline
from heedful.recording import EPOCH, Turn, Turns, source_of
from heedful.source import Source
from routing.store import ledger
from routing.store.database import Store

__all__ = ["Figures", "ReplayClock", "replay"]

BATCH = 1_024


class ReplayClock:
    """The largest `sent_at` so far."""

    def __init__(self) -> None:
        self.now = EPOCH

    def __call__(self) -> datetime:
        return self.now

    def see(self, at: datetime) -> None:
        self.now = max(self.now, at)


@dataclass(frozen=True, slots=True)
class Figures:
    """The ledger of this run, and how long it took."""

    books: dict[str, Any]
    balances: bool
    problems: tuple[str, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        rate = self.books["received"] / self.seconds if self.seconds else 0.0
        return {**self.books, "seconds": round(self.seconds, 3), "messages_per_second": round(rate, 1)}


class _Sink:
    """Takes every text and remembers nothing: what was sent is in the outbox."""

    def __init__(self, me: Author) -> None:
        self.me = me

    async def reply(self, reply: Reply, /) -> Receipt:
        return Receipt(id=reply.key)

    async def mark(self, _: Message, /) -> None:
        return None


class _Replay:
    def __init__(self, care: Care, store: Store, clock: ReplayClock) -> None:
        self._care = care
        self._guidance = Guidance.compile(care)
        self._store = store
        self._clock = clock
        self._pipeline = Pipeline(store, lambda: self._guidance, clock)
        self._sources: dict[str, Source] = {}
        self._senders: dict[str, Sender] = {}

    async def play(self, batches: AsyncIterator[Sequence[bytes]], read: Read | None) -> AsyncIterator[int]:
        """Store batch after batch while the next one is being read; gives the number of lines stored."""
        read = read or self._read_here()
        last: asyncio.Future[list[Turn]] | None = None
        async for lines in batches:
            coming = asyncio.ensure_future(read(lines))
            if last is not None:
                yield await self._settle(await last)
            last = coming
        if last is not None:
            yield await self._settle(await last)

    def _read_here(self) -> Read:
        turns = Turns(self._care, self._guidance)

        async def read(lines: Sequence[bytes]) -> list[Turn]:
            return turns.read(lines)

        return read

    async def _settle(self, turns: Sequence[Turn]) -> int:
        """Store and send, so that the result is the same however the lines fall into batches."""
        run: list[Turn] = []
        for turn in turns:
            self._clock.see(turn.now)
            if turn.settles_first and run:
                await self._store_and_send(run)
                run = []
            run.append(turn)
        if run:
            await self._store_and_send(run)
        return len(turns)

    async def _store_and_send(self, turns: Sequence[Turn]) -> None:
        batches = [self._batch(channel, turns) for channel in dict.fromkeys(turn.channel for turn in turns)]
        outcomes = await self._pipeline.store(batches, self._guidance)
        due = [batch.source.name for batch, outcome in zip(batches, outcomes, strict=True) if outcome.intents]
        await asyncio.gather(*(self._senders[name].drain() for name in due))

    def _batch(self, channel: str, turns: Sequence[Turn]) -> Batch:
        ours = [turn for turn in turns if turn.channel == channel]
        return Batch(
            source=self._source(channel),
            now=ours[-1].now,
            items=[turn.item for turn in ours if turn.item is not None],
            unreadable=[self._pipeline.seal(turn.unreadable, turn.now) for turn in ours if turn.unreadable is not None],
        )

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            self._sources[name] = source = source_of(name, self._care)
            self._senders[name] = Sender(
                self._store,
                source,
                _Sink(Author(id="", name=name)),
                lambda: self._guidance,
                self._clock,
                time.monotonic,
                moment=_at_once,
            )
        return self._sources[name]


def _at_once(row: Row) -> datetime:
    """The sink takes a text in the moment in which it is intended."""
    at: datetime = row["created_at"]
    return at


async def replay(
    lines: Iterable[bytes],
    care: Care,
    store: Store,
    clock: ReplayClock,
    *,
    read: Read | None = None,
    rate: int | None = None,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda _: None,
) -> Figures:
    """Play all lines from the first, drain, return the ledger of this run. `rate`: at most so many lines a second.

    `batch` lines share a transaction. What is decided depends neither on it nor on where lines are `read`.
    """
    run = _Replay(care, store, clock)
    before = await store.read(ledger.ledger)
    if read is not None:
        await read(())  # until it has begun
    started = time.perf_counter()
    gc.freeze()  # rules and word lists stay: the collector need not walk through them again and again
    async for count in run.play(_paced(lines, rate, batch), read):
        progress(count)
    seconds = time.perf_counter() - started
    after = await store.read(ledger.ledger)
    return Figures(_difference(after.as_json(), before.as_json()), after.balances, after.problems(), seconds)


async def _paced(lines: Iterable[bytes], rate: int | None, most: int) -> AsyncIterator[list[bytes]]:
    size = most if rate is None else max(1, min(most, rate // 10))
    started, sent = time.monotonic(), 0
    batch: list[bytes] = []
    for line in lines:
        if line.strip():
            batch.append(line.rstrip(b"\r\n"))
        if len(batch) < size:
            continue
        yield batch
        sent, batch = sent + len(batch), []
        if rate is not None:
            await asyncio.sleep(max(0.0, started + sent / rate - time.monotonic()))
    if batch:
        yield batch


def _difference(after: Any, before: Any) -> dict[str, Any]:
    """This run's part of the books: a database may hold earlier runs."""
    keys = ("received", "duplicates", "quarantined", "stored", "routed", "kept")
    counts: dict[str, Any] = {key: after[key] - before[key] for key in keys}
    acknowledgements = ("due", "sent", "suppressed", "refused", "unknown", "pending")
    counts["acknowledgements"] = {
        key: after["acknowledgements"][key] - before["acknowledgements"][key] for key in acknowledgements
    }
    return counts
