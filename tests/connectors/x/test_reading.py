"""What comes in: posts as X tells them, and pages that lose nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.api import Cursor
from connectors.errors import Denied, Unreachable
from connectors.x import prices, snowflake
from tests.connectors.x.opened import a_reply, cursor_at, messages, polling, walked
from tests.counterparts.x import HANDLE, ME, FakeX, limited


async def test_a_mention_as_x_tells_it(fake_x: FakeX) -> None:
    fake_x.user("77", "小明", "ming", followers=60_000)
    fake_x.media = [
        {"media_key": "3_1", "type": "photo", "alt_text": "a broken box"},
        {"media_key": "7_2", "type": "video"},
    ]
    first = fake_x.write("we fly tomorrow", author=ME)
    post = fake_x.write(
        "@acmeair 1 < 2 &amp; 好", author="77", to=first["id"], lang="zh",
        attachments={"media_keys": ["3_1", "7_2", "9_9"]}, geo={"place_id": "p1"},
    )  # fmt: skip
    async with polling(fake_x) as connector:
        (message,) = messages(await walked(connector))
    assert (message.id, message.thread, message.in_reply_to) == (post["id"], first["id"], first["id"])
    assert message.text == "@acmeair 1 < 2 &amp; 好"
    assert (message.author.name, message.author.handle, message.author.followers) == ("小明", "@ming", 60_000)
    assert (message.mentions_us, message.private, message.repost, message.language) == (True, False, False, "zh")
    assert message.url == f"https://x.com/ming/status/{post['id']}"
    assert [(part.kind, part.ref, part.name) for part in message.parts] == [
        ("photo", "3_1", "a broken box"), ("video", "7_2", None), ("file", "9_9", None), ("place", "p1", None),
    ]  # fmt: skip


async def test_a_long_post_is_whole_and_its_mentions_count(fake_x: FakeX) -> None:
    whole = "word " * 100 + "@acmeair"
    entities = {"mentions": [{"start": 500, "end": 508, "username": HANDLE, "id": ME}]}
    fake_x.write("acme word…", note_tweet={"text": whole, "entities": entities})
    async with polling(fake_x, mode="search", query="acme") as connector:
        (message,) = messages(await walked(connector))
    assert message.text == whole
    assert message.mentions_us


async def test_an_edit_keeps_the_id_and_is_answered_where_it_stands(fake_x: FakeX) -> None:
    first = fake_x.write("@acmeair where is it")
    edited = fake_x.write("@acmeair where is my parcel", edits=first["id"])
    async with polling(fake_x) as connector:
        original, edit = messages(await walked(connector))
        assert original.id == edit.id == first["id"]
        assert "" == original.revision < edit.revision
        await connector.reply(a_reply(edit))
        assert [post["referenced_tweets"][0]["id"] for post in fake_x.replies()] == [edited["id"]]
        assert await connector.find(a_reply(edit)) is not None


async def test_a_quote_a_repost_and_a_bare_name(fake_x: FakeX) -> None:
    ours = fake_x.write("acme flies tomorrow", author=ME)
    fake_x.write("acme? as if", quotes=ours["id"])
    fake_x.write("RT @acmeair: acme flies", referenced_tweets=[{"type": "retweeted", "id": ours["id"]}], entities={})
    fake_x.write("acme lost my bag")
    other = fake_x.write("acme elsewhere", author="502", quotes="1")
    other["entities"]["urls"][0]["expanded_url"] = "https://twitter.com/other/status/1"
    async with polling(fake_x, mode="search", query="acme") as connector:
        _, quote, repost, bare, strange = messages(await walked(connector))
    assert (quote.mentions_us, quote.repost) == (True, False)
    assert (repost.repost, bare.mentions_us, strange.mentions_us) == (True, False, False)


@pytest.mark.parametrize("name", ["referenced_posts", "referenced_tweets"])
async def test_both_vocabularies_of_x_are_read(fake_x: FakeX, name: str) -> None:
    told: dict[str, Any] = {name: [{"type": "replied_to", "id": "7"}], "edit_history_post_ids": ["5"]}
    fake_x.write("@acmeair", **told)
    del fake_x.posts[0]["edit_history_tweet_ids"]
    async with polling(fake_x) as connector:
        (message,) = messages(await walked(connector))
    assert (message.in_reply_to, message.id) == ("7", "5")


async def test_deleted_or_protected_references_do_not_spoil_a_post(fake_x: FakeX) -> None:
    async def partial(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        post = {
            "id": x.new_id(),
            "text": "@acmeair",
            "author_id": "5",
            "referenced_tweets": [{"type": "quoted", "id": "1"}],
        }
        error = {"resource_id": "1", "title": "Authorization Error", "resource_type": "tweet", "parameter": "x"}
        return web.json_response({"data": [post], "errors": [error], "meta": {"result_count": 1}})

    async with polling(fake_x) as connector:
        fake_x.faults = [partial]
        (message,) = (await connector.poll(None)).messages
    assert (message.author.id, message.author.name, message.mentions_us) == ("5", "", False)


async def test_errors_alone_are_no_empty_page(fake_x: FakeX) -> None:
    def told(**error: str) -> web.Response:
        return web.json_response({"errors": [{"title": "Not Found Error", **error}]})

    async def no_user(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return told(resource_type="user", detail="Could not find user with id: [1].")

    async def no_idea(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return told(detail="Something is wrong.")

    async with polling(fake_x) as connector:
        fake_x.faults = [no_user, no_idea]
        with pytest.raises(Denied, match="Could not find user"):
            await connector.poll(None)
        with pytest.raises(Unreachable, match="Something is wrong"):
            await connector.poll(None)


async def test_the_first_look_goes_back_a_day_and_no_further(fake_x: FakeX) -> None:
    now = datetime.now(UTC)
    fake_x.write("@acmeair last week", at=now - timedelta(days=3))
    fake_x.write("@acmeair last night", at=now - timedelta(hours=20))
    async with polling(fake_x) as connector:
        pages = await walked(connector)
        assert [message.text for message in messages(pages)] == ["@acmeair last night"]
        assert not pages[0].gaps
    async with polling(fake_x, look_back="4d") as connector:
        assert len(messages(await walked(connector))) == 2


# X tells the newest first, page after page.


async def test_a_crash_between_pages_loses_nothing(fake_x: FakeX) -> None:
    """From every cursor that was ever handed out, a new connector hears exactly the rest, oldest first."""
    fake_x.page = 10
    since = cursor_at(datetime.now(UTC) - timedelta(hours=2))
    start = datetime.now(UTC) - timedelta(hours=1)
    texts = [fake_x.write(f"@acmeair {at}", at=start + timedelta(seconds=at))["text"] for at in range(45)]
    async with polling(fake_x) as connector:
        pages = await walked(connector, since)
    heard = 0
    for page in pages:
        heard += len(page.messages)
        async with polling(fake_x) as again:
            rest = messages(await walked(again, page.cursor or since))
        assert [message.text for message in rest] == texts[heard:]
    assert heard == len(texts)


async def test_a_walk_that_was_broken_off_goes_on_where_it_was(fake_x: FakeX) -> None:
    fake_x.page = 10
    start = datetime.now(UTC) - timedelta(hours=1)
    for at in range(45):
        fake_x.write(f"@acmeair {at}", at=start + timedelta(seconds=at))
    async with polling(fake_x) as connector:
        assert (await connector.poll(None)).more
        fake_x.faults = [limited(reset=None)]
        with pytest.raises(Unreachable):
            await connector.poll(None)
        fake_x.write("@acmeair meanwhile")
        heard = messages(await walked(connector))
        assert len(heard) == 45
        assert fake_x.asked("/mentions") == 6, "five pages and one refusal"


async def test_a_post_that_x_finds_late_is_heard_and_none_twice(fake_x: FakeX) -> None:
    """X's index takes its time: a younger post may be there first."""
    late = fake_x.new_id()
    fake_x.write("@acmeair second")
    async with polling(fake_x) as connector:
        (page,) = await walked(connector)
        fake_x.write("@acmeair first", id=late, edit_history_tweet_ids=[late])
        again = await walked(connector, page.cursor)
        assert [message.text for message in messages(again)] == ["@acmeair first"]
        assert messages(await walked(connector, again[-1].cursor)) == []
        assert again[0].cost == prices.POST_READ, "what X tells again it does not charge again"


async def test_what_is_older_than_a_search_reaches_is_a_gap_once(fake_x: FakeX) -> None:
    now = datetime.now(UTC)
    fake_x.write("acme a while ago", at=now - timedelta(days=2))
    async with polling(fake_x, mode="search", query="acme") as connector:
        page, *_ = await walked(connector, cursor_at(now - timedelta(days=20)))
        (gap,) = page.gaps
        assert gap.since is not None
        assert abs(gap.since - (now - timedelta(days=20))) < timedelta(seconds=1)
        assert timedelta(days=6, hours=23) < now - gap.until < timedelta(days=7)
        assert len(page.messages) == 1
        assert (await walked(connector, page.cursor))[0].gaps == ()
        fake_x.posts.clear()
        empty, *_ = await walked(connector, cursor_at(now - timedelta(days=20)))
        assert len(empty.gaps) == 1
        assert (await walked(connector, empty.cursor))[0].gaps == (), "also where there is nothing to read"


async def test_a_quiet_week_is_no_gap(fake_x: FakeX) -> None:
    """Once a day the cursor moves though nobody said anything; on the other days an empty page keeps it."""
    now = datetime.now(UTC)
    clock = [now]
    async with polling(fake_x, lambda: clock[0], mode="search", query="acme") as connector:
        after = cursor_at(now - timedelta(hours=1))
        for _ in range(9 * 4):
            clock[0] += timedelta(hours=6)
            (page,) = await walked(connector, after)
            assert page.gaps == ()
            after = page.cursor or after
    assert clock[0] - timedelta(days=1, hours=7) < snowflake.at(int(after)) < clock[0]


async def test_mentions_beyond_the_latest_800_are_a_gap(fake_x: FakeX) -> None:
    start = datetime.now(UTC) - timedelta(hours=2)
    for at in range(900):
        fake_x.write(f"@acmeair {at}", at=start + timedelta(seconds=at))
    async with polling(fake_x) as connector:
        pages = await walked(connector, cursor_at(start - timedelta(hours=1)))
    assert len(messages(pages)) == 800
    (gap,) = [gap for page in pages for gap in page.gaps]
    assert abs(gap.until - start - timedelta(seconds=100)) < timedelta(milliseconds=2)
    assert "800" in gap.reason


async def test_a_cursor_of_another_kind_is_denied(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        for cursor in ("offset 5", "1;x", "-1", "9" * 40, ""):
            with pytest.raises(Denied):
                await connector.poll(Cursor(cursor))
    assert fake_x.asked("/mentions") == 0
