"""What a monitor may ask: counts from the rows that the ledger counts, never text, names or ids of people."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Connection, select

from feed.status import ChannelHealth, Status
from routing.store import events
from routing.store.database import Store
from routing.store.rows import EVENT

__all__ = ["Metrics", "Outgoing"]

SETTLED = ("sent", "suppressed", "refused", "unknown")
STATES = ("listening", "waiting", "paused", "failed", "stopped", "idle")


FACTS = {
    "last_event_age_seconds": "Age of the last new message",
    "token_expires_seconds": "Seconds until the token expires",
    "spent_dollars": "US dollars that calls have cost today (UTC)",
    "budget_dollars": "US dollars that calls may cost a day",
    "gaps": "Declared losses of messages",
    "replies_pending": "Texts that wait to go out",
    "replies_unknown": "Texts of which nobody knows whether they went out",
    "silent": "1 while the silence is too long to be chance",
}
MILLIONTH = 1e-6


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
        self.looks = Counter(
            "heedful_second_looks",
            "Messages that the second look read, by what became of them",
            ["outcome"],
            registry=self.registry,
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
        self._facts = {
            name: Gauge(f"heedful_channel_{name}", what, ["channel"], registry=self.registry)
            for name, what in FACTS.items()
        }
        self._quota = Gauge(
            "heedful_channel_quota_left",
            "What is left of what the platform rations",
            ["channel", "quota"],
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

    def looked(self, outcomes: Mapping[str, int]) -> None:
        """What became of a batch of second looks."""
        for outcome, number in outcomes.items():
            self.looks.labels(outcome).inc(number)

    def render(self) -> bytes:
        status, now = self._status(), self._clock()
        for gauge in (self._channel, self._age, self._quota, *self._facts.values()):
            gauge.clear()
        for channel in status.channels:
            for state in STATES:
                self._channel.labels(channel.name, state).set(channel.state == state)
            if channel.last_success is not None:
                self._age.labels(channel.name).set((now - channel.last_success).total_seconds())
            for name, value in _facts(channel, now).items():
                if value is not None:
                    self._facts[name].labels(channel.name).set(value)
            for quota in channel.quotas:
                self._quota.labels(channel.name, quota.name).set(quota.left)
        self._alarms.set(len(status.alarms))
        self._paused.set(status.paused)
        return generate_latest(self.registry)


def _facts(channel: ChannelHealth, now: datetime) -> dict[str, float | None]:
    return {
        "last_event_age_seconds": _seconds(now, channel.last_event),
        "token_expires_seconds": _seconds(channel.token_expires, now),
        "spent_dollars": None if channel.spent is None else channel.spent * MILLIONTH,
        "budget_dollars": None if channel.budget is None else channel.budget * MILLIONTH,
        "gaps": channel.gaps,
        "replies_pending": channel.pending,
        "replies_unknown": channel.unknown,
        "silent": channel.silent_since is not None,
    }


def _seconds(later: datetime | None, earlier: datetime | None) -> float | None:
    return None if later is None or earlier is None else (later - earlier).total_seconds()


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
