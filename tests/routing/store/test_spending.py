from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect, text

from routing.store import migrations, settings, spending
from routing.store.database import Store, open_store
from routing.store.spending import Spent, dollars
from tests.databases import Clock


async def test_costs_add_up_by_account_and_day(store: Store, clock: Clock) -> None:
    late = datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC)
    costs = [("x:1", late, 5, 0), ("x:1", late, 0, 7), ("x:2", late, 1, 0), ("x:1", late + timedelta(seconds=1), 11, 0)]
    for account, at, reading, replies in costs:
        await store.write(partial(spending.add, account=account, at=at, reading=reading, replies=replies))
    assert await store.read(lambda c: spending.on(c, "x:1", late)) == Spent(reading=5, replies=7)
    assert await store.read(lambda c: spending.on(c, "x:1", late + timedelta(hours=5))) == Spent(reading=11)
    assert await store.read(lambda c: spending.on(c, "x:3", late)) == Spent()


async def test_many_at_once_lose_nothing(store: Store, clock: Clock) -> None:
    works = [store.write(lambda c: spending.add(c, "x:1", clock(), reading=3)) for _ in range(100)]
    await asyncio.gather(*works)
    assert (await store.read(lambda c: spending.on(c, "x:1", clock()))).total == 300


async def test_a_page_that_cannot_be_stored_counts_nothing(store: Store, clock: Clock) -> None:
    def work(connection: object) -> None:
        spending.add(connection, "x:1", clock(), reading=3)  # type: ignore[arg-type]  # what the store gives
        raise RuntimeError("the page is broken")

    with pytest.raises(RuntimeError):
        await store.write(work)
    assert await store.read(lambda c: spending.on(c, "x:1", clock())) == Spent()


def _dropped(table: str, connection: Connection) -> None:
    connection.execute(text(f"DROP TABLE {table}"))


async def test_an_older_database_is_brought_along_with_what_is_in_it(store_url: str, clock: Clock) -> None:
    first = open_store(store_url, clock=clock)
    before = await first.read(settings.install_id)
    for table in ("spending", "mark"):
        await first.write(partial(_dropped, table))
    await first.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    await first.close()
    second = open_store(store_url, clock=clock)
    try:
        assert await second.read(migrations.version) == migrations.HEAD
        assert await second.read(lambda c: inspect(c).has_table("spending"))
        assert await second.read(settings.install_id) == before
    finally:
        await second.close()


@given(st.integers(0, 10**15))
def test_dollars_say_exactly_what_was_spent(millionths: int) -> None:
    whole, places = dollars(millionths).removeprefix("$").split(".")
    assert int(whole) * 1_000_000 + int(places.ljust(6, "0")) == millionths
    assert len(places) >= 2


def test_dollars_as_people_write_them() -> None:
    assert [dollars(n) for n in (0, 1_000_000, 1_200_000, 5_000, 500, -30_000)] == [
        "$0.00", "$1.00", "$1.20", "$0.005", "$0.0005", "-$0.03",
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [-11, 0, 5, 13])
def test_a_day_is_a_day_of_utc(hours: int) -> None:
    at = datetime(2027, 3, 1, 12, tzinfo=timezone(timedelta(hours=hours)))
    assert spending.day_of(at) == (at.astimezone(UTC)).replace(hour=0)
