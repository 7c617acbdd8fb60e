"""Recorded messages through the same pipeline, into the same books; no connector is opened.

A recording sink takes the acknowledgements under the policy, caps and length of each channel's kind. The
clock is the largest `sent_at` so far, so a recording of last year is as fresh as it was then.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from config.schema import Care, Channel
from connectors import registry
from connectors.api import Author, BadPayload, Message, Receipt, Reply, Unreadable
from connectors.replay import parse_line
from heedful.batch import Batch, Sealed
from heedful.delivery import Row
from heedful.guidance import Guidance
from heedful.outbox import Sender
from heedful.pipeline import Pipeline
from heedful.preparation import Prepared
from heedful.source import Source
from routing.store import ledger
from routing.store.database import Store

__all__ = ["Figures", "ReplayClock", "replay"]

BATCH = 1_024
BROKEN_CHANNEL = "replay"
"""Where a line is booked that does not even name its channel."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


@dataclass(frozen=True, slots=True)
class _Turn:
    """One line, read: ready to be stored, or unreadable; of which source, and when."""

    source: Source
    items: Sequence[Prepared]
    sealed: Sequence[Sealed]
    now: datetime

    @property
    def settles_first(self) -> bool:
        """Whether what was said before must have been sent when this is stored: it would call it back or silence it."""
        return any(
            item.own or item.message.deleted or (item.reading is not None and item.reading.asks_person)
            for item in self.items
        )


class _Replay:
    def __init__(self, care: Care, store: Store, clock: ReplayClock) -> None:
        self._care = care
        self._guidance = Guidance.compile(care)
        self._store = store
        self._clock = clock
        self._pipeline = Pipeline(store, lambda: self._guidance, clock)
        self._sources: dict[str, Source] = {}
        self._senders: dict[str, Sender] = {}

    async def play(self, lines: Sequence[bytes]) -> None:
        """Read, store and send, so that the result is the same however the lines fall into batches.

        One after the other: reading and storing both need the interpreter, and side by side they only
        take it from each other.
        """
        run: list[_Turn] = []
        for turn in [self._turn(line, place) for place, line in enumerate(lines)]:
            if turn.settles_first and run:
                await self._store_and_send(run)
                run = []
            run.append(turn)
        if run:
            await self._store_and_send(run)

    def _turn(self, line: bytes, place: int) -> _Turn:
        clock = self._clock
        try:
            channel, message = parse_line(line)
        except BadPayload as error:
            sealed = self._pipeline.seal(Unreadable(raw=line, reason=str(error)), clock.now)
            return _Turn(self._source(BROKEN_CHANNEL), (), (sealed,), clock.now)
        clock.see(message.sent_at)
        source = self._source(channel)
        return _Turn(source, *self._pipeline.prepare(source, (message,), self._guidance, clock.now, place), clock.now)

    async def _store_and_send(self, turns: Sequence[_Turn]) -> None:
        batches = [self._batch(source, turns) for source in {turn.source.name: turn.source for turn in turns}.values()]
        outcomes = await self._pipeline.store(batches, self._guidance)
        due = [batch.source.name for batch, outcome in zip(batches, outcomes, strict=True) if outcome.intents]
        await asyncio.gather(*(self._senders[name].drain() for name in due))

    def _batch(self, source: Source, turns: Sequence[_Turn]) -> Batch:
        ours = [turn for turn in turns if turn.source is source]
        return Batch(
            source=source,
            now=ours[-1].now,
            items=[item for turn in ours for item in turn.items],
            unreadable=[one for turn in ours for one in turn.sealed],
        )

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            channel = self._care.channels.get(name) or Channel(kind="replay")
            source = Source.of(name, channel, registry.load(channel.kind), Author(id="", name=name))
            source = replace(
                source,
                idempotency="A",
                limits=replace(source.limits, replies_per_minute=1_000_000_000, replies_per_minute_thread=None),
            )
            self._sources[name] = source
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
    rate: int | None = None,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda _: None,
) -> Figures:
    """Play all lines from the first, drain, return the ledger of this run. `rate`: at most so many lines a second.

    `batch` lines share a transaction; what is decided does not depend on it.
    """
    run = _Replay(care, store, clock)
    before = await store.read(ledger.ledger)
    started = time.perf_counter()
    gc.freeze()  # rules and word lists stay: the collector need not walk through them again and again
    async for some in _paced(lines, rate, batch):
        await run.play(some)
        progress(len(some))
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
