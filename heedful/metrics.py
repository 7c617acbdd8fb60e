"""What a monitor may ask: counts from the rows that the ledger counts, never text, names or ids of people."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Connection, select

from feed.status import Status
from routing.store import events
from routing.store.database import Store
from routing.store.rows import EVENT

__all__ = ["Metrics", "Outgoing"]

SETTLED = ("sent", "suppressed", "refused", "unknown")
STATES = ("listening", "waiting", "paused", "failed", "stopped", "idle")


class Metrics:
    """One registry a daemon, so that two in one process (as in tests) never meet."""

    def __init__(self, status: Callable[[], Status], clock: Callable[[], datetime]) -> None:
        self._status = status
        self._clock = clock
        self.registry = CollectorRegistry()
        self.items = Counter(
            "heedful_items", "Items by what became of them", ["channel", "outcome"], registry=self.registry
        )
        self.sent = Counter(
            "heedful_outgoing", "Outgoing texts by kind and state", ["kind", "state"], registry=self.registry
        )
        self.commit = Histogram(
            "heedful_page_seconds",
            "From a page in hand to its commit",
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
        )
        self._channel = Gauge(
            "heedful_channel_state", "1 for the state a channel is in", ["channel", "state"], registry=self.registry
        )
        self._age = Gauge(
            "heedful_channel_last_success_age_seconds",
            "Age of the last successful poll or heartbeat",
            ["channel"],
            registry=self.registry,
        )
        self._alarms = Gauge("heedful_alarms", "Alarms that ring", registry=self.registry)
        self._paused = Gauge("heedful_paused", "1 while automatic texts are stopped", registry=self.registry)

    def took(self, seconds: float) -> None:
        """How long one page waited for its commit."""
        self.commit.observe(seconds)

    def count(self, channel: str, outcomes: Mapping[str, int]) -> None:
        for outcome, number in outcomes.items():
            if number:
                self.items.labels(channel, outcome).inc(number)

    def render(self) -> bytes:
        status, now = self._status(), self._clock()
        self._channel.clear()
        for channel in status.channels:
            for state in STATES:
                self._channel.labels(channel.name, state).set(channel.state == state)
            if channel.last_success is not None:
                self._age.labels(channel.name).set((now - channel.last_success).total_seconds())
        self._alarms.set(len(status.alarms))
        self._paused.set(status.paused)
        return generate_latest(self.registry)


class Outgoing:
    """What became of outgoing texts since `begin`, read from the event log at each scrape."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._counter = metrics.sent
        self._seq = 0
        self._turn = asyncio.Lock()

    async def begin(self) -> None:
        self._seq = await self._store.read(events.latest)

    async def catch_up(self) -> None:
        """Raises StoreError where the log cannot be read; the next time counts what this one missed."""
        async with self._turn:
            after = self._seq
            self._seq, found = await self._store.read(lambda connection: _settled(connection, after))
            for (kind, state), number in found.items():
                self._counter.labels(kind, state).inc(number)


def _settled(connection: Connection, after: int) -> tuple[int, collections.Counter[tuple[str, str]]]:
    newest = max(after, events.latest(connection))
    question = select(EVENT.c.kind, EVENT.c.data).where(
        EVENT.c.seq > after, EVENT.c.seq <= newest, EVENT.c.kind.in_(SETTLED)
    )
    rows = connection.execute(question)
    return newest, collections.Counter((str(row.data.get("what", "")), row.kind) for row in rows)
