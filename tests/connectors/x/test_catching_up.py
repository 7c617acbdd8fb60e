"""What was missed is read once, oldest first, and moves the cursor while money is spent."""

from __future__ import annotations

from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.api import Author, Cursor, Page
from connectors.errors import Unreachable
from connectors.x import prices, snowflake
from connectors.x.backlog import Backlog, Source
from connectors.x.transport import Listing
from tests.connectors.x.opened import cursor_at, messages, polling, streaming, walked
from tests.counterparts.x import FakeX, html_outage

BUDGET = 5_000_000
ME = Author(id="783214", name="Acme Air", handle="@AcmeAir")


def written(x: FakeX, count: int, ago: timedelta = timedelta(hours=2)) -> list[str]:
    """So many posts, a second apart; an hour before the first of them is where the tests go on from."""
    start = datetime.now(UTC) - ago
    return [x.write(f"@acmeair acme {at}", at=start + timedelta(seconds=at))["text"] for at in range(count)]


def before_them(ago: timedelta = timedelta(hours=3)) -> Cursor:
    return cursor_at(datetime.now(UTC) - ago)


async def a_day(pages: Any, after: Cursor) -> tuple[list[Page], Cursor, int]:
    """As the host does: until the next call could overdraw the budget, or nothing more is to be read."""
    told, spent = list[Page](), 0
    async for page in pages:
        told.append(page)
        spent += page.cost
        after = page.cursor or after
        if spent + 100 * prices.POST_READ > BUDGET or not page.more:
            break
    return told, after, spent


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_catch_up_dearer_than_a_day_s_budget_ends(fake_x: FakeX, *, restarted: bool) -> None:
    """1,500 posts at $5 a day: with the process alive each is read once, and a restart every night costs little."""
    texts, cursor, told, spent = written(fake_x, 1500), before_them(), list[Page](), 0
    for _ in range(1 if not restarted else 3):
        async with streaming(fake_x, cursor) as (connector, _):
            for _ in range(1 if restarted else 3):
                if told and not told[-1].more:
                    break
                async with aclosing(connector.stream(cursor)) as pages:  # type: ignore[type-var]
                    today, cursor, cost = await a_day(pages, cursor)
                assert cost <= BUDGET
                told, spent = told + today, spent + cost
    assert [message.text for message in messages(told)] == texts
    assert spent <= prices.POST_READ * len(texts) * (1.7 if restarted else 1) + 3 * prices.USER_READ


async def test_a_fault_in_the_middle_of_a_catch_up_is_not_paid_for_again(fake_x: FakeX) -> None:
    texts, cursor, told = written(fake_x, 400), before_them(), list[Page]()
    async with streaming(fake_x) as (connector, _):
        while not told or told[-1].more:
            async with aclosing(connector.stream(cursor)) as pages:  # type: ignore[type-var]
                told.append(await anext(pages))
                cursor = told[-1].cursor or cursor
                fake_x.faults = [html_outage] if told[-1].cost else []
                with suppress(Unreachable):
                    told.append(await anext(pages))
                    cursor = told[-1].cursor or cursor
    assert [message.text for message in messages(told)] == texts
    assert sum(page.cost for page in told) == prices.POST_READ * 400 + prices.USER_READ


async def test_a_long_walk_reads_each_post_once(fake_x: FakeX) -> None:
    """150 pages: formerly walked again from the start after each fifty."""
    fake_x.page = 2
    texts = written(fake_x, 300)
    async with polling(fake_x, mode="search", query="acme") as connector:
        pages = await walked(connector, before_them())
    assert [message.text for message in messages(pages)] == texts
    assert fake_x.read == len(texts)
    assert fake_x.asked("/search/recent") < 2 * 150


async def test_messages_come_while_a_long_walk_is_under_way(fake_x: FakeX) -> None:
    fake_x.page = 10
    written(fake_x, 300)
    async with polling(fake_x, mode="search", query="acme") as connector:
        pages = await walked(connector, before_them())
    first = next(at for at, page in enumerate(pages) if page.messages)
    assert first < len(pages) / 3
    assert pages[first].cursor is not None


async def test_a_page_that_was_not_stored_is_told_again_and_not_read_again(fake_x: FakeX) -> None:
    fake_x.page = 10
    texts, cursor, told, twice = written(fake_x, 95), before_them(), list[Page](), 0
    async with polling(fake_x, mode="search", query="acme") as connector:
        more = True
        while more:
            page = await connector.poll(cursor)
            if page.cursor is not None and page.more:
                again = await connector.poll(cursor)
                assert again.messages == page.messages
                twice += 1
            told.append(page)
            cursor, more = page.cursor or cursor, page.more
    assert [message.text for message in messages(told)] == texts
    assert twice > 1
    assert fake_x.read == len(texts)


async def test_a_page_of_nothing_readable_that_was_not_stored_is_told_again(fake_x: FakeX) -> None:
    """One that has no id either: only the cursor tells whether it was stored."""

    async def spoiled(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"data": [{"text": "no id"}], "meta": {"result_count": 1}})

    cursor = before_them()
    async with polling(fake_x) as connector:
        fake_x.faults = [spoiled, spoiled]
        first, again = await connector.poll(cursor), await connector.poll(cursor)
    assert len(first.unreadable) == len(again.unreadable) == 1
    assert first.cursor not in {None, cursor}


async def test_an_outage_before_the_first_message_is_seen_too(fake_x: FakeX) -> None:
    """Nothing was said when we began; we were away for two days, and our first look goes back only one."""
    now = datetime.now(UTC)
    async with polling(fake_x, lambda: now - timedelta(days=3)) as connector:
        (page,) = await walked(connector)
    assert page.cursor is not None
    fake_x.write("@acmeair help", at=now - timedelta(days=2))
    async with polling(fake_x) as connector:
        assert [message.text for message in messages(await walked(connector, page.cursor))] == ["@acmeair help"]


async def test_what_leaves_the_week_while_we_save_money_is_a_gap(fake_x: FakeX) -> None:
    """A walk that waits for tomorrow's money: what X no longer searches by then is said, and nothing asked for it."""
    now, fake_x.page = datetime.now(UTC), 2
    week = timedelta(days=6, hours=20)
    for at in range(8):
        fake_x.write(f"acme {at}", at=now - week + timedelta(minutes=at))
    clock = [now]
    async with polling(fake_x, lambda: clock[0], mode="search", query="acme") as connector:
        cursor = cursor_at(now - week - timedelta(hours=1))
        assert (await connector.poll(cursor)).more
        clock[0] += timedelta(hours=20)
        page = await connector.poll(cursor)
        pages = [page, *await walked(connector, page.cursor or cursor)]
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert gap.until >= snowflake.at(int(fake_x.posts[5]["id"])), "all but the two that were read before"
    assert [message.text for message in messages(pages)] == ["acme 6", "acme 7"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(min_value=1, max_value=10**7), unique=True, max_size=120),
    st.integers(min_value=1, max_value=7),
    st.sets(st.integers(min_value=0, max_value=200)),
)
async def test_whatever_was_said_and_whenever_we_fail_all_is_told_once_in_order(
    offsets: list[int], size: int, lost: set[int]
) -> None:
    now = datetime(2027, 1, 31, 12, tzinfo=UTC)
    start = snowflake.first_at(now - timedelta(hours=4))
    ids, reads = sorted(start + (offset << 22) for offset in offsets), [0]

    async def ask(*, since_id: str, until_id: str | None, pagination_token: str | None = None) -> Listing:
        assert pagination_token is None
        found = [each for each in reversed(ids) if int(since_id) < each < int(until_id or 2**63)]
        reads[0] += 1
        if reads[0] in lost:
            raise Unreachable
        posts = [{"id": str(each), "text": "x"} for each in found[:size]]
        return Listing(posts=posts, includes={}, older="on" if len(found) > size else None)

    backlog = Backlog(Source(ask=ask, price=1, window=timedelta(days=7)), ME, lambda: now)
    after, told, cost, more = Cursor(str(start)), list[str](), 0, True
    while more:
        try:
            page = await backlog.page(after)
        except Unreachable:
            continue
        after, more, cost = page.cursor or after, page.more, cost + page.cost
        told += [message.id for message in page.messages]
    assert told == [str(each) for each in ids]
    assert cost == len(ids)


HIDING = datetime(2027, 1, 31, 12, tzinfo=UTC)


def a_hiding_x(ids: list[int], hidden: set[int], size: int, asked: list[str | None]) -> Any:
    """X as it is: pages are cut first, and what is protected or withheld is taken out of them afterwards."""

    async def ask(*, since_id: str, until_id: str | None, pagination_token: str | None = None) -> Listing:
        asked.append(pagination_token)
        before = min(int(until_id or 2**63), int(pagination_token or 2**63))
        found = [each for each in sorted(ids, reverse=True) if int(since_id) < each < before]
        posts = [{"id": str(each), "text": "x"} for each in found[:size] if each not in hidden]
        return Listing(posts=posts, includes={}, older=str(found[size - 1]) if len(found) > size else None)

    return ask


async def handed_out(backlog: Backlog, after: Cursor | None) -> list[Page]:
    told = [await backlog.page(after)]
    while told[-1].more:
        after = told[-1].cursor or after
        told.append(await backlog.page(after))
    return told


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(min_value=1, max_value=4 * 3_600_000 - 1), max_size=60), st.data())
async def test_a_page_that_hides_all_it_holds_hides_nothing_behind_it(offsets: set[int], data: st.DataObject) -> None:
    start = snowflake.first_at(HIDING - timedelta(hours=4))
    ids = [start + (offset << 22) for offset in sorted(offsets)]
    hidden = data.draw(st.sets(st.sampled_from(ids))) if ids else set[int]()
    ask, after = a_hiding_x(ids, hidden, 3, []), data.draw(st.sampled_from([None, Cursor(str(start))]))
    source = Source(ask=ask, price=1, window=timedelta(days=7), look_back=timedelta(hours=4))
    told = await handed_out(Backlog(source, ME, lambda: HIDING), after)
    assert [message.id for message in messages(told)] == [str(each) for each in ids if each not in hidden]
    assert not [gap for page in told for gap in page.gaps]


@pytest.mark.parametrize("after", [None, Cursor(str(snowflake.first_at(HIDING - timedelta(hours=4))))])
@pytest.mark.parametrize(("hides", "heard"), [(3, 5), (6, 0)])
async def test_mentions_behind_a_hidden_page_are_asked_for_once_by_the_token(
    after: Cursor | None, hides: int, heard: int
) -> None:
    ids = [snowflake.first_at(HIDING - timedelta(minutes=minutes)) for minutes in range(20, 20 - 8, -1)]
    asked = list[str | None]()
    ask = a_hiding_x(ids, set(ids[-hides:]), 3, asked)
    source = Source(ask=ask, price=1, pages=8, look_back=timedelta(hours=4))
    told = await handed_out(Backlog(source, ME, lambda: HIDING), after)
    assert len(messages(told)) == heard
    assert asked[:2] == [None, str(ids[-3])]
    assert [gap.reason for page in told for gap in page.gaps] == (
        ["X hides the posts of this time"] if after and not heard else []
    )


async def test_an_x_that_hides_everything_is_one_gap_and_not_asked_for_ever() -> None:
    asked, start = list[object](), HIDING - timedelta(days=5)

    async def ask(**place: object) -> Listing:
        asked.append(place)
        return Listing(posts=[], includes={}, older="on")

    backlog = Backlog(Source(ask=ask, price=1, window=timedelta(days=7)), ME, lambda: HIDING)
    told = await handed_out(backlog, cursor_at(start))
    (gap,) = [gap for page in told for gap in page.gaps]
    assert gap.since == start
    assert gap.until == HIDING
    assert len(asked) < 100


async def test_a_newest_page_that_stays_hidden_is_not_asked_for_ever() -> None:
    """Time goes on while we ask: what is cut is what was there when the walk began."""
    ids, asked = [snowflake.first_at(HIDING - timedelta(minutes=minutes)) for minutes in (60, 50, 40)], list[object]()

    async def ask(*, since_id: str, until_id: str | None, pagination_token: str | None = None) -> Listing:
        asked.append(pagination_token)
        found = [each for each in reversed(ids) if until_id and int(since_id) < each < int(until_id)]
        posts = [{"id": str(each), "text": "x"} for each in found]
        return Listing(posts=posts, includes={}, older=None if until_id else "on")

    source = Source(ask=ask, price=1, window=timedelta(days=7))
    backlog = Backlog(source, ME, lambda: HIDING + timedelta(milliseconds=100 * len(asked)))
    told = await handed_out(backlog, cursor_at(HIDING - timedelta(hours=2)))
    assert [message.id for message in messages(told)] == [str(each) for each in ids]
    assert len(asked) < 100


async def test_mentions_behind_a_hidden_page_are_asked_for_on_the_wire(fake_x: FakeX) -> None:
    """The token goes to X under the name that it takes."""
    fake_x.page = 2
    texts = written(fake_x, 5)

    async def hidden(x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"meta": {"result_count": 0, "next_token": x.posts[-2]["id"]}})

    async with polling(fake_x) as connector:
        fake_x.faults = [hidden]
        pages = await walked(connector, before_them())
    assert [message.text for message in messages(pages)] == texts[:3]
    assert not [gap for page in pages for gap in page.gaps]


async def test_what_was_read_before_is_handed_out_without_money(fake_x: FakeX) -> None:
    """700 mentions for $3.50 of $3.90: seven calls read them, and the pages after the last call are not kept back."""
    texts, cursor, told, spent = written(fake_x, 700), before_them(), list[Page](), 0
    async with polling(fake_x, daily_budget=3.9) as connector:
        while spent + connector.vitals.next_call <= 3_900_000 and (not told or told[-1].more):
            free = connector.vitals.next_call == 0
            told.append(await connector.poll(cursor))
            assert not (free and told[-1].cost)
            spent, cursor = spent + told[-1].cost, told[-1].cursor or cursor
        assert connector.vitals.next_call == 500_000
    assert [message.text for message in messages(told)] == texts


async def test_a_stream_s_catch_up_hands_out_without_money_what_it_read_before(fake_x: FakeX) -> None:
    texts, cursor, told, free = written(fake_x, 250), before_them(), list[Page](), 0
    async with streaming(fake_x, cursor) as (connector, pages):
        while not told or told[-1].more:
            needs_none = connector.vitals.next_call == 0
            told.append(await anext(pages))
            assert not (needs_none and told[-1].cost)
            free += needs_none
        assert connector.vitals.next_call == 100 * prices.POST_READ
    assert [message.text for message in messages(told)] == texts
    assert free > 0
