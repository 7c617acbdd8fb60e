"""Recorded messages through the same pipeline, into the same books; no connector is opened.

A recording sink takes the acknowledgements under the policy, caps and length of each channel's kind. The
clock is the largest `sent_at` so far, so a recording of last year is as fresh as it was then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from config.schema import Care, Channel
from connectors import registry
from connectors.api import Author, BadPayload, Message, Page, Receipt, Reply, Unreadable
from connectors.replay import parse_line
from heedful.guidance import Guidance
from heedful.outbox import Sender
from heedful.pipeline import Pipeline
from heedful.source import Source
from routing.store import ledger
from routing.store.database import Store

__all__ = ["Figures", "ReplayClock", "replay"]

BATCH = 256
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


class _Replay:
    def __init__(self, care: Care, store: Store, clock: ReplayClock) -> None:
        self._care = care
        self._guidance = Guidance.compile(care)
        self._store = store
        self._clock = clock
        self._pipeline = Pipeline(store, lambda: self._guidance, clock)
        self._sources: dict[str, Source] = {}
        self._senders: dict[str, Sender] = {}

    async def batch(self, lines: Sequence[bytes]) -> None:
        """One booked page for each channel that the lines name, in the order in which they come."""
        messages: dict[str, list[Message]] = {}
        broken: list[Unreadable] = []
        for line in lines:
            try:
                channel, message = parse_line(line)
            except BadPayload as error:
                broken.append(Unreadable(raw=line, reason=str(error)))
                continue
            self._clock.see(message.sent_at)
            messages.setdefault(channel, []).append(message)
        for channel, found in messages.items():
            await self._pipeline.take(self._source(channel), Page(messages=tuple(found)))
        if broken:
            await self._pipeline.take(self._source(BROKEN_CHANNEL), Page(unreadable=tuple(broken)))
        await self.send()

    async def send(self) -> None:
        for sender in self._senders.values():
            await sender.drain()

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
            )
        return self._sources[name]


async def replay(
    lines: Iterable[bytes],
    care: Care,
    store: Store,
    clock: ReplayClock,
    *,
    rate: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Figures:
    """Play all lines from the first, drain, return the ledger of this run. `rate`: at most so many lines a second."""
    run = _Replay(care, store, clock)
    before = await store.read(ledger.ledger)
    started = time.perf_counter()
    async for batch in _paced(lines, rate):
        await run.batch(batch)
        progress(len(batch))
    await run.send()
    seconds = time.perf_counter() - started
    after = await store.read(ledger.ledger)
    return Figures(_difference(after.as_json(), before.as_json()), after.balances, after.problems(), seconds)


async def _paced(lines: Iterable[bytes], rate: int | None) -> AsyncIterator[list[bytes]]:
    size = BATCH if rate is None else max(1, min(BATCH, rate // 10))
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
