"""The filtered stream: our rule, the gap before it, and what it tells."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Denied, Unreachable
from connectors.x import prices
from tests.connectors.x.opened import cursor_at, streaming
from tests.counterparts.x import FakeX


async def test_our_rule_is_set_once_and_others_stay(fake_x: FakeX) -> None:
    fake_x.rules = [
        {"id": "1", "value": "weather", "tag": "another program"},
        {"id": "2", "value": "old", "tag": "heedful:acmeair:0123456789ab"},
        {"id": "3", "value": "acme", "tag": "heedful:otherair:0123456789ab"},
    ]
    for _ in range(2):
        async with streaming(fake_x) as (_, pages):
            await anext(pages)
        *theirs, ours = fake_x.rules
        assert [rule["id"] for rule in theirs] == ["1", "3"], "another account's channel keeps its rule"
        assert ours["value"] == "acme"
        assert ours["tag"].startswith("heedful:acmeair:")
    assert fake_x.asked("POST /2/tweets/search/stream/rules") == 2, "one added, one taken away, and then nothing"


async def test_a_query_that_x_does_not_take_is_denied(fake_x: FakeX) -> None:
    async with streaming(fake_x, query="(acme") as (_, pages):
        with pytest.raises(Denied, match="Invalid Rule"):
            await anext(pages)


async def test_the_gap_is_closed_by_a_search_before_the_stream_is_told(fake_x: FakeX) -> None:
    """The connection stands first, so that nothing falls between the two; what both tell is told once."""
    first = fake_x.write("acme before")
    async with streaming(fake_x) as (_, pages):
        cursor = (await anext(pages)).cursor
    fake_x.write("acme meanwhile")
    async with streaming(fake_x, cursor) as (connector, pages):
        page = await anext(pages)
        assert [message.text for message in page.messages] == ["acme meanwhile"]
        fake_x._tell(fake_x.posts[-1])
        assert (await anext(pages)).messages == ()
        fake_x.write("acme live")
        live = await anext(pages)
        assert [message.text for message in live.messages] == ["acme live"]
        assert live.cost == prices.POST_READ
        assert connector.vitals.next_call == 100 * prices.POST_READ, "a second look is still to come"
    assert first["id"] in str(cursor)


async def test_a_stream_s_first_post_leaves_no_gap_behind_it(fake_x: FakeX) -> None:
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.write("acme live")
        cursor = (await anext(pages)).cursor
    async with streaming(fake_x, cursor) as (_, pages):
        page = await anext(pages)
        assert (page.gaps, page.messages) == ((), ())


async def test_a_post_that_the_stream_tells_late_is_heard(fake_x: FakeX) -> None:
    fake_x.write("acme before")
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.write("acme, minutes ago", at=datetime.now(UTC) - timedelta(minutes=9))
        page = await anext(pages)
        assert [message.text for message in page.messages] == ["acme, minutes ago"]
        fake_x.write("acme now")
        assert len((await anext(pages)).messages) == 1


async def test_a_sign_of_life_is_an_empty_page(fake_x: FakeX) -> None:
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(b"")
        page = await anext(pages)
        assert (page.messages, page.unreadable, page.cursor, page.cost) == ((), (), None, 0)


async def test_posts_for_another_program_s_rules_are_not_ours(fake_x: FakeX) -> None:
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.rules = [{"id": "1", "value": "weather", "tag": "another program"}]
        fake_x.write("rain")
        page = await anext(pages)
        assert (page.messages, page.cost) == ((), prices.POST_READ)


async def test_what_x_indexes_only_after_the_first_look_is_heard_by_a_second(fake_x: FakeX) -> None:
    """Posted before the connection stood and found by no search yet: it is on neither; live posts leave it in reach."""
    fake_x.keep_alive = 0.05
    now = [datetime.now(UTC)]
    fake_x.index_delay = timedelta(seconds=30)
    fake_x.write("acme in the break", at=now[0] - timedelta(seconds=2))
    async with streaming(fake_x, clock=lambda: now[0]) as (connector, pages):
        heard = list((await anext(pages)).messages)
        for seconds in (20, 40):
            now[0] += timedelta(seconds=seconds)
            fake_x.write(f"acme {seconds}", at=now[0])
            heard += (await anext(pages)).messages
        assert [message.text for message in heard] == ["acme 20", "acme 40"]
        fake_x.index_delay = timedelta(0)
        now[0] += timedelta(seconds=10)
        while "acme in the break" not in {message.text for message in heard}:
            heard += (await anext(pages)).messages
        fake_x.write("acme after", at=now[0])
        while heard[-1].text != "acme after":
            heard += (await anext(pages)).messages
        assert connector.vitals.next_call == prices.POST_READ
    assert [message.text for message in heard] == ["acme 20", "acme 40", "acme in the break", "acme after"]


async def test_a_stream_that_broke_before_its_second_look_keeps_the_break_in_reach(fake_x: FakeX) -> None:
    now = [datetime.now(UTC)]
    fake_x.index_delay = timedelta(seconds=30)
    fake_x.write("acme in the break", at=now[0] - timedelta(seconds=2))
    async with streaming(fake_x, clock=lambda: now[0]) as (_, pages):
        await anext(pages)
        now[0] += timedelta(seconds=64)
        fake_x.write("acme live", at=now[0])
        cursor = (await anext(pages)).cursor
    fake_x.index_delay = timedelta(0)
    now[0] += timedelta(minutes=30)
    async with streaming(fake_x, cursor, clock=lambda: now[0]) as (_, pages):
        assert [message.text for message in (await anext(pages)).messages] == ["acme in the break"]


async def test_reopening_reserves_a_whole_page_again(fake_x: FakeX) -> None:
    """The host asks before it opens: a search of a hundred posts comes first."""
    fake_x.keep_alive = 0.05
    now = [datetime.now(UTC)]
    async with streaming(fake_x, clock=lambda: now[0]) as (connector, pages):
        await anext(pages)
        now[0] += timedelta(seconds=70)
        while connector.vitals.next_call != prices.POST_READ:
            await anext(pages)
        fake_x.send(None)
        with suppress(Unreachable):
            while True:
                await anext(pages)
        assert connector.vitals.next_call == 100 * prices.POST_READ


async def test_a_stream_older_than_a_search_records_the_gap(fake_x: FakeX) -> None:
    async with streaming(fake_x, cursor_at(datetime.now(UTC) - timedelta(days=9))) as (_, pages):
        assert len((await anext(pages)).gaps) == 1


async def test_a_clock_that_is_set_back_is_no_search_without_end(fake_x: FakeX) -> None:
    """No walk begins after the connection was opened, by such a clock: the one that did is enough."""
    fake_x.keep_alive = 0.05
    now, looked = datetime.now(UTC), [0]

    def clock() -> datetime:
        looked[0] += fake_x.connects > 0
        return now if looked[0] <= 1 else now - timedelta(minutes=2)

    async with streaming(fake_x, cursor_at(now - timedelta(hours=1)), clock=clock) as (_, pages):
        for _ in range(5):
            await anext(pages)
    assert looked[0] > 1
    assert fake_x.asked("/search/recent") == 1
