"""Health as people see it: silence, tokens and quotas, each told once and taken back once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import Gap, Quota, Vitals
from feed.status import Status
from heedful.alarms import Alarms
from heedful.health import Health
from heedful.metrics import Metrics
from heedful.standing import warnings
from heedful.vigil import Vigil
from routing.store.database import Store
from routing.store.rows import TALLY
from routing.store.standing import standings
from tests.databases import START, Clock
from tests.heedful.office import Office, Platform

HOUR = timedelta(hours=1)


@dataclass
class Watched:
    """As much of a runner as the vigil looks at."""

    name: str
    health: Health


class House(Office):
    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self.alarms = Alarms(store, clock)
        self.watched = Watched("chat", Health("chat", "replay", clock))
        runners: Any = {"chat": self.watched}
        self.vigil = Vigil(store, self.alarms, clock, lambda: runners)
        self.watched.health.succeed()

    async def used_to_hear(self, per_hour: int, weeks: int = 5) -> None:
        rows = [
            {"channel": "chat", "hour": self.clock() - HOUR * n, "received": per_hour, "duplicates": 0}
            for n in range(1, weeks * 168)
        ]
        await self.store.write(lambda connection: connection.execute(TALLY.insert(), rows))

    async def silence_for(self, hours: int) -> None:
        for _ in range(hours * 12):
            self.clock.forward(minutes=5)
            self.watched.health.succeed()
        await self.vigil.look()


async def test_a_silence_out_of_rhythm_is_told_once_and_taken_back_once(store: Store, clock: Clock) -> None:
    house = House(store, clock)
    await house.used_to_hear(6)
    await house.silence_for(2)
    assert list(house.alarms.ringing) == []
    await house.silence_for(1)
    [alarm] = house.alarms.ringing
    assert alarm.name == "chat: silence"
    assert "about 18 messages were to be expected" in alarm.text
    await house.silence_for(3)
    assert len(await house.events("alarm")) == 1
    assert house.watched.health.snapshot().silent_since is not None
    await house.hear("hello again")
    await house.vigil.look()
    assert list(house.alarms.ringing) == []
    assert len(await house.events("alarm_over")) == 1
    assert house.watched.health.snapshot().silent_since is None


async def test_what_was_never_busy_is_never_silent(store: Store, clock: Clock) -> None:
    house = House(store, clock)
    await house.hear("hello")
    await house.silence_for(24 * 20)
    assert list(house.alarms.ringing) == []


async def test_a_channel_that_was_away_is_not_blamed_for_what_it_could_not_hear(store: Store, clock: Clock) -> None:
    house = House(store, clock)
    await house.used_to_hear(6)
    house.watched.health.lose("502")
    clock.forward(hours=12)
    await house.vigil.look()
    house.watched.health.succeed()
    await house.vigil.look()
    assert list(house.alarms.ringing) == []


async def test_what_is_stored_is_told(store: Store, clock: Clock) -> None:
    house = House(store, clock)
    await house.hear("charged twice")
    last = clock()
    clock.forward(minutes=2)
    await house.take(gaps=[Gap(since=None, until=clock(), reason="the stream began anew")])
    await house.hear("charged twice", id="m1")  # a duplicate is no event
    await house.vigil.look()
    found = house.watched.health.snapshot()
    assert (found.last_event, found.gaps, found.last_gap, found.pending) == (last, 1, clock(), 1)
    await house.sender(Platform(faults=[TimeoutError()])).drain()
    await house.vigil.look()
    found = house.watched.health.snapshot()
    assert (found.pending, found.unknown) == (0, 1)


async def test_a_channel_of_which_nothing_is_stored_stands_nowhere(store: Store, clock: Clock) -> None:
    assert await store.read(lambda connection: standings(connection, clock())) == {}


def test_a_token_is_told_of_a_week_before_and_again_a_day_before() -> None:
    expires = START + timedelta(days=30)
    said = [
        warnings(Vitals(token_expires=expires), expires - timedelta(hours=hours)).get("token")
        for hours in range(24 * 9, -24, -1)
    ]
    told = list(dict.fromkeys(said))
    assert told[0] is None
    assert [str(text)[:30] for text in told[1:]] == [
        "the token expires within a wee",
        "the token expires within a day",
        "the token expired at 2027-03-3",
    ]


@given(st.integers(0, 2000), st.integers(1, 1000) | st.none(), st.timedeltas() | st.none())
def test_a_quota_is_told_of_under_a_tenth_and_never_for_a_moment(
    left: int, of: int | None, opens: timedelta | None
) -> None:
    try:
        resets: datetime | None = START + opens if opens is not None else None
    except OverflowError:
        return
    found = warnings(Vitals(quotas=(Quota(name="posts", left=left, of=of, resets_at=resets),)), START)
    brief = opens is not None and opens <= timedelta(minutes=15)
    assert ("quota posts" in found) == (not brief and (left * 10 < of if of else left == 0))


def test_a_monitor_is_told_the_same(clock: Clock) -> None:
    health = Health("x-mentions", "x", clock)
    health.succeed()
    health.hear()
    health.vital(
        Vitals(token_expires=clock() + timedelta(days=2), quotas=(Quota(name="posts a month", left=12, of=1000),))
    )
    health.spends(250_000, 1_000_000)
    clock.forward(seconds=90)
    text = Metrics(lambda: Status(channels=(health.snapshot(),)), clock).render().decode()
    for line in (
        'heedful_channel_last_event_age_seconds{channel="x-mentions"} 90.0',
        'heedful_channel_token_expires_seconds{channel="x-mentions"} 172710.0',
        'heedful_channel_quota_left{channel="x-mentions",quota="posts a month"} 12.0',
        'heedful_channel_spent_dollars{channel="x-mentions"} 0.25',
        'heedful_channel_budget_dollars{channel="x-mentions"} 1.0',
        'heedful_channel_silent{channel="x-mentions"} 0.0',
    ):
        assert line in text


@pytest.mark.parametrize("name", ["last_event", "token_expires", "quotas", "spent", "budget", "gaps", "silent_since"])
def test_the_api_tells_every_part(name: str, clock: Clock) -> None:
    assert name in Health("chat", "replay", clock).snapshot().as_json()
