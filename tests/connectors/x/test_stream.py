"""The filtered stream: our rule, the gap before it, and what it tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Denied
from connectors.x import prices
from tests.connectors.x.opened import cursor_at, streaming
from tests.counterparts.x import FakeX


async def test_our_rule_is_set_once_and_others_stay(fake_x: FakeX) -> None:
    fake_x.rules = [
        {"id": "1", "value": "weather", "tag": "another program"},
        {"id": "2", "value": "old", "tag": "heedful"},
    ]
    for _ in range(2):
        async with streaming(fake_x) as (_, pages):
            await anext(pages)
        assert sorted((rule["value"], rule["tag"]) for rule in fake_x.rules) == [
            ("acme", "heedful"),
            ("weather", "another program"),
        ]
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
        assert connector.vitals.next_call == prices.POST_READ
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


async def test_a_stream_older_than_a_search_records_the_gap(fake_x: FakeX) -> None:
    async with streaming(fake_x, cursor_at(datetime.now(UTC) - timedelta(days=9))) as (_, pages):
        assert len((await anext(pages)).gaps) == 1
