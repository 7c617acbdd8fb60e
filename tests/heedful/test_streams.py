"""What the host makes of a stream: the wire over a real socket, on a clock that only moves where it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from config.schema import Channel
from connectors import registry
from connectors.api import Cursor, Http, Page, Plugin, Quota, Receipt, Reply, Unreachable, Vitals
from connectors.net import open_http
from heedful.alarms import Alarms
from heedful.channels import Environment, Runner
from heedful.patience import OPENS
from routing.store import spending
from routing.store.database import Store
from tests.connectors.test_forum import row
from tests.connectors.test_wire import Settings, Wire, WireChannel, wire
from tests.databases import Clock
from tests.heedful.office import Office


@dataclass
class Pace:
    """Time passes only in pauses; while `running` is cleared nobody comes out of one."""

    clock: Clock
    now: float = 0.0
    pauses: list[float] = field(default_factory=list)
    running: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.running.set()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.running.wait()
        self.forward(seconds)
        await asyncio.sleep(0)

    def forward(self, seconds: float) -> None:
        self.now += seconds
        self.clock.forward(seconds=seconds)


class Short(WireChannel):
    """Each stream brings what is new and is then closed, `life` seconds after it began."""

    def __init__(self, pace: Pace, life: float = 0.0) -> None:
        super().__init__()
        self.pace = pace
        self.life = life
        self.opened: list[float] = []

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        self.opened.append(self.pace.now)
        response = web.StreamResponse()
        await response.prepare(request)
        for item in self.since(int(request.query["after"])):
            await response.write(json.dumps(row(item)).encode() + b"\n")
        self.pace.forward(self.life)
        return response


class Ends(Wire):
    """Its streams end without a word where the platform closes them."""

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        yield Page()
        try:
            async for page in super().stream(after):
                yield page
        except Unreachable:
            return


class Breaks(Wire):
    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        yield Page()
        raise KeyError("a fault of the connector")


class Cancels(Wire):
    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        yield Page()
        raise asyncio.CancelledError


class Priced(Wire):
    """Every page and every reply costs 30 cents, of a dollar a day."""

    vitals = Vitals(daily_budget=1_000_000, next_call=300_000)

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        async for page in super().stream(after):
            yield replace(page, cost=300_000)

    async def reply(self, reply: Reply, /) -> Receipt:
        return replace(await super().reply(reply), cost=30_000)


class Expires(Ends):
    """Its token ends in six days; of its posts of the month one in a hundred is left."""

    vitals = Vitals(
        token_expires=Clock().now + timedelta(days=6), quotas=(Quota(name="posts a month", left=10, of=1000),)
    )


def plugin_of(kind: type[Wire]) -> Plugin[Settings]:
    @asynccontextmanager
    async def opened(settings: Settings, http: Http) -> AsyncIterator[Wire]:
        yield kind(settings, http)

    return replace(wire, open=opened)


@asynccontextmanager
async def running(
    office: Office, channel: WireChannel, pace: Pace, monkeypatch: pytest.MonkeyPatch, kind: type[Wire]
) -> AsyncIterator[tuple[Runner, Alarms]]:
    plugin = plugin_of(kind)
    monkeypatch.setattr(registry, "load", lambda _: plugin)
    alarms = Alarms(office.store, office.clock)
    async with open_http() as http, channel.served() as url:
        environment = Environment(
            store=office.store,
            pipeline=office.pipeline,
            http=http,
            alarms=alarms,
            guidance=lambda: office.guidance,
            clock=office.clock,
            monotonic=lambda: pace.now,
            sleep=pace.sleep,
        )
        channel_of_file = Channel.model_validate({"kind": "wire", "base_url": url, "token": "a-token"})
        runner = Runner("wire", channel_of_file, environment)
        task = asyncio.create_task(runner.run())
        try:
            yield runner, alarms
        finally:
            await runner.finish(1)
            task.cancel()
            await asyncio.wait({task})


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not (await found if asyncio.iscoroutine(found := holds()) else found):  # noqa: ASYNC110 rows tell it
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("life", [0.0, 60.0])
async def test_a_stream_that_is_closed_at_once_or_each_minute_is_no_storm(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, life: float
) -> None:
    pace = Pace(clock)
    channel = Short(pace, life)
    channel.post("charged twice")
    async with running(Office(store, clock), channel, pace, monkeypatch, Ends):
        await until(lambda: pace.now > 3600)
    for first in channel.opened:
        assert sum(first <= at < first + 899 for at in channel.opened) <= OPENS
    assert len(channel.opened) > 20


async def test_a_flapping_stream_is_told_once(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    pace, office = Pace(clock), Office(store, clock)
    channel = Short(pace)
    async with running(office, channel, pace, monkeypatch, Ends) as (_, alarms):
        await until(lambda: len(channel.opened) > 9)
        assert [alarm.name for alarm in alarms.ringing] == ["wire"]
        channel.life = 61.0
        assert len(await office.events("alarm")) == 1
        assert await office.events("alarm_over") == []


async def test_every_item_of_short_streams_is_stored_once(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace, office = Pace(clock), Office(store, clock)
    channel = Short(pace)
    async with running(office, channel, pace, monkeypatch, Ends):
        for number in range(3):
            channel.post(f"charged twice {number}", thread=str(number))
            await until(partial(lambda seen: len(channel.opened) > seen + 1, len(channel.opened)))

        async def three() -> bool:
            return len(await office.rows()) == 3

        await until(three)
    assert (await office.books()).balances
    assert (await office.books()).total.duplicates == 0


@pytest.mark.parametrize("kind", [Breaks, Cancels])
async def test_a_fault_of_a_connector_ends_that_stream_and_no_more(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: type[Wire]
) -> None:
    pace, office = Pace(clock), Office(store, clock)
    channel = Short(pace)
    channel.post("charged twice")
    async with running(office, channel, pace, monkeypatch, kind) as (runner, _):
        await until(lambda: len(pace.pauses) > 3)
        await until(lambda: "fault in the connector" in (runner.health.snapshot().error or ""))
    assert pace.pauses[0] >= 1


async def test_the_time_that_a_platform_names_is_kept_to(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = Pace(clock)
    channel = WireChannel()

    async def limited(one: WireChannel, _: web.BaseRequest) -> web.StreamResponse:
        return one.limit(700)

    channel.fault = limited  # type: ignore[assignment]  # the fake's own kind
    async with running(Office(store, clock), channel, pace, monkeypatch, Wire):
        await until(lambda: len(pace.pauses) > 2)
    assert all(700 <= pause <= 910 for pause in pace.pauses[:2])


async def test_reading_pauses_before_the_budget_is_overdrawn_and_goes_on_tomorrow(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace, office = Pace(clock), Office(store, clock)
    channel = WireChannel()
    async with running(office, channel, pace, monkeypatch, Priced) as (runner, alarms):
        pace.running.clear()
        for number in range(9):
            channel.post("@acmeair charged twice", thread=str(number), sent_at=clock())
        await until(lambda: runner.health.state == "paused")
        assert len(await office.rows()) == 3
        await until(lambda: len(channel.said) == 3)  # the sender goes on
        (alarm,) = alarms.ringing
        assert alarm.name == "wire: budget"
        assert alarm.text.startswith("reading pauses until 2027-03-02 00:00 UTC: $0.9")
        pace.running.set()
        await until(lambda: clock().day > 1)

        async def more() -> bool:
            return len(await office.rows()) > 3

        await until(more)
        await until(lambda: clock().day > 2)
    told, over = await office.events("alarm"), await office.events("alarm_over")
    assert len(told) >= 2
    assert told[0]["data"]["what"] == over[0]["data"]["what"] == alarm.text
    first = await store.read(lambda connection: spending.on(connection, "wire:wire-care", START))
    assert (first.reading, first.replies) == (900_000, 90_000)


async def test_a_restart_does_not_forget_what_was_spent(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace, office = Pace(clock), Office(store, clock)
    pace.running.clear()
    await store.write(lambda c: spending.add(c, "wire:wire-care", clock(), reading=500_000, replies=300_000))
    channel = WireChannel()
    async with running(office, channel, pace, monkeypatch, Priced) as (runner, _):
        await until(lambda: runner.health.state == "paused")
        assert "GET /stream" not in channel.requests


async def test_a_token_is_told_of_in_its_last_week_and_again_on_its_last_day(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace, office = Pace(clock), Office(store, clock)
    channel = Short(pace, life=6 * 3600)
    async with running(office, channel, pace, monkeypatch, Expires) as (runner, alarms):
        await until(lambda: {"wire: token", "wire: quota posts a month"} <= {one.name for one in alarms.ringing})
        assert runner.health.snapshot().quotas == Expires.vitals.quotas
        await until(lambda: clock() > START + timedelta(days=7))
    told = [event["data"]["what"] for event in await office.events("alarm") if event["channel"] == "wire: token"]
    assert [what[:31] for what in told] == [
        "the token expires within a week",
        "the token expires within a day,",
        "the token expired at 2027-03-07",
    ]


START = Clock().now
