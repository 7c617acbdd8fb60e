"""Mentions, a search, answers and what they cost, against an X with a memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.api import Cursor, Message, Vitals
from connectors.errors import Denied, Refused, Unreachable
from connectors.x import plugin, prices, snowflake
from connectors.x.connector import PollingX
from tests.connectors.x.opened import NO_KEYS, a_reply, messages, polling, streaming, walked
from tests.counterparts.x import HANDLE, ME, FakeX, cut_after, forbidden, html_outage, limited, problem


async def mention(x: FakeX, connector: PollingX, text: str = "@acmeair where is my parcel?") -> Message:
    x.write(text)
    return messages(await walked(connector))[-1]


# What comes in.


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


# Pages: X tells the newest first, page after page.


async def test_a_crash_between_pages_loses_nothing(fake_x: FakeX) -> None:
    """From every cursor that was ever handed out, a new connector hears exactly the rest, oldest first."""
    fake_x.page = 10
    since = _cursor(datetime.now(UTC) - timedelta(hours=2))
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


async def test_a_page_of_a_walk_that_x_has_forgotten_starts_it_again(fake_x: FakeX) -> None:
    fake_x.page = 10
    for at in range(15):
        fake_x.write(f"@acmeair {at}")

    async def forgotten(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return problem(400, "Invalid Request", detail="The 'pagination_token' is not valid")

    async with polling(fake_x) as connector:
        await connector.poll(None)
        fake_x.faults = [forgotten]
        with pytest.raises(Unreachable):
            await connector.poll(None)
        assert len(messages(await walked(connector))) == 15


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
        page, *_ = await walked(connector, _cursor(now - timedelta(days=20)))
        (gap,) = page.gaps
        assert gap.since is not None
        assert abs(gap.since - (now - timedelta(days=20))) < timedelta(seconds=1)
        assert timedelta(days=6, hours=23) < now - gap.until < timedelta(days=7)
        assert len(page.messages) == 1
        assert (await walked(connector, page.cursor))[0].gaps == ()
        fake_x.posts.clear()
        empty, *_ = await walked(connector, _cursor(now - timedelta(days=20)))
        assert len(empty.gaps) == 1
        assert (await walked(connector, empty.cursor))[0].gaps == (), "also where there is nothing to read"


async def test_a_quiet_week_is_no_gap(fake_x: FakeX) -> None:
    """Once a day the cursor moves though nobody said anything; on the other days an empty page keeps it."""
    now = datetime.now(UTC)
    clock = [now]
    async with polling(fake_x, lambda: clock[0], mode="search", query="acme") as connector:
        after = _cursor(now - timedelta(hours=1))
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
        pages = await walked(connector, _cursor(start - timedelta(hours=1)))
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


def _cursor(at: datetime) -> Cursor:
    return Cursor(str(snowflake.first_at(at)))


# Who we are.


async def test_keys_of_another_account_are_denied(fake_x: FakeX) -> None:
    with pytest.raises(Denied, match="@acmeair"):
        async with polling(fake_x, account="otherair"):
            pass


async def test_with_a_bearer_token_alone_we_read_and_say_that_we_cannot_speak(fake_x: FakeX) -> None:
    async with polling(fake_x, **NO_KEYS) as connector:
        message = await mention(fake_x, connector)
        assert connector.me.handle == "@acmeair"
        with pytest.raises(Refused, match="only reads"):
            await connector.reply(a_reply(message))
    with pytest.raises(Denied, match="Could not find user"):
        async with polling(fake_x, **NO_KEYS, account="nobody"):
            pass


# What goes out.


async def test_an_answer_lost_on_the_way_is_found_and_a_colleague_s_is_not(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.write("@customer501 looking into it", author=ME, to=message.id)
        assert await connector.find(a_reply(message)) is None
        fake_x.faults = [cut_after]
        with pytest.raises(Unreachable) as raised:
            await connector.reply(a_reply(message))
        assert not raised.value.unsent
        found = await connector.find(a_reply(message))
        assert found is not None
        assert found.id == fake_x.replies()[-1]["id"]
        assert await connector.find(a_reply(message, "We have your message (Ref ZZZZ).")) is None


@pytest.mark.parametrize(
    "told",
    ["@customer501 See https://t.co/1 &lt;now&gt; &amp; ok", "See  https://t.co/1 &lt;now&gt;\n&amp; ok"],
    ids=["addressed", "spaced"],
)
async def test_an_answer_is_found_as_x_writes_it(fake_x: FakeX, told: str) -> None:
    links = [{"url": "https://t.co/1", "expanded_url": "https://acme.example/a?b=1"}]
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        ours = fake_x.write("x", author=ME, to=message.id, entities={"urls": links})
        ours["text"] = told
        found = await connector.find(a_reply(message, "See https://acme.example/a?b=1 <now> & ok"))
    assert found is not None
    assert found.id == ours["id"]


async def test_too_many_posts_to_look_through_are_no_absence(fake_x: FakeX) -> None:
    fake_x.page = 2
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        for at in range(20):
            fake_x.write(f"news {at}", author=ME)
        with pytest.raises(Unreachable, match="too much"):
            await connector.find(a_reply(message))
        fake_x.faults = [html_outage]
        with pytest.raises(Unreachable):
            await connector.find(a_reply(message))


async def test_a_duplicate_is_ours_where_it_stands_under_the_post(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        receipt = await connector.reply(a_reply(message))
        again = await connector.reply(a_reply(message))
        assert again.id == receipt.id
        other = await mention(fake_x, connector, "@acmeair and mine?")
        with pytest.raises(Refused, match="duplicate") as raised:
            await connector.reply(a_reply(other))
        assert not raised.value.gone
    assert len(fake_x.replies()) == 1


async def test_a_post_that_is_gone_says_so(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.gone.add(message.id)
        with pytest.raises(Refused) as raised:
            await connector.reply(a_reply(message))
    assert raised.value.gone


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("Your client app is not configured with the appropriate oauth1 app permissions.", "oauth1-permissions"),
        ("Your account is suspended and is not permitted to access this feature.", "about:blank"),
        ("When authenticating requests, use keys from an App attached to a Project.", "client-forbidden"),
    ],
)
async def test_an_account_that_may_not_post_is_denied(fake_x: FakeX, detail: str, kind: str) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.faults = [forbidden(detail, f"https://api.twitter.com/2/problems/{kind}")]
        with pytest.raises(Denied):
            await connector.reply(a_reply(message))


async def test_no_credit_left_waits_an_hour_and_nothing_was_posted(fake_x: FakeX) -> None:
    async def broke(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return problem(402, "CreditsDepleted", detail="Your account does not have any credits.")

    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.always = broke
        with pytest.raises(Unreachable, match="Buy credits") as raised:
            await connector.reply(a_reply(message))
    assert raised.value.unsent
    assert raised.value.retry_after == timedelta(hours=1)


@pytest.mark.parametrize("text", ["", " \n", "a" * 281, "好" * 141, "👩‍👩‍👧" * 141])
async def test_what_x_would_cut_is_never_sent(fake_x: FakeX, text: str) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        with pytest.raises(Refused):
            await connector.reply(a_reply(message, text))
        with pytest.raises(Refused, match="not one of X's"):
            await connector.reply(a_reply(replace(message, id="telegram/5")))
        assert await connector.find(a_reply(replace(message, id="9" * 20))) is None
    assert fake_x.asked("POST /2/tweets") == 0


async def test_an_answer_that_x_does_not_confirm_is_in_doubt(fake_x: FakeX) -> None:
    async def vague(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"data": {}}, status=201)

    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.faults = [vague]
        with pytest.raises(Unreachable) as raised:
            await connector.reply(a_reply(message))
    assert not raised.value.unsent


# What it costs.


async def test_what_is_read_and_posted_is_counted(fake_x: FakeX) -> None:
    for _ in range(3):
        fake_x.write("@acmeair hello")
    async with polling(fake_x, own_app=True) as connector:
        (page,) = await walked(connector)
        assert page.cost == prices.USER_READ + 3 * prices.OWNED_READ, "who we are, and three mentions of our own"
        message = page.messages[0]
        assert (await connector.reply(a_reply(message))).cost == 10_000, "we were summoned"
        assert (await connector.reply(a_reply(message, "see acme.example/help"))).cost == 200_000, "a URL"
        unsummoned = replace(message, mentions_us=False)
        assert (await connector.reply(a_reply(unsummoned, "hello there"))).cost == 15_000
    async with polling(fake_x, mode="search", query="acmeair") as connector:
        (page,) = await walked(connector)
        assert page.cost == prices.USER_READ + 3 * prices.POST_READ


async def test_looking_for_an_answer_is_counted_with_what_comes_next(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        fake_x.write("elsewhere", author=ME)
        assert await connector.find(a_reply(message)) is None
        assert (await connector.reply(a_reply(message))).cost == prices.POST_READ + 10_000


async def test_vitals_tell_the_budget_the_next_call_and_what_is_left(fake_x: FakeX) -> None:
    async with polling(fake_x, daily_budget=2.5) as connector:
        message = await mention(fake_x, connector)
        await connector.reply(a_reply(message))
        vitals: Vitals = connector.vitals
    assert (vitals.daily_budget, vitals.next_call) == (2_500_000, 500_000)
    quotas = {quota.name: quota for quota in vitals.quotas}
    assert quotas["GET /2/users/:id/mentions (15 min)"].left == 449
    assert quotas["POST /2/tweets (15 min)"].of == 100
    assert all(quota.resets_at is not None for quota in vitals.quotas)
    async with polling(fake_x, own_app=True) as connector:
        assert connector.vitals.next_call == 100_000


def test_the_plugin_states_the_policy_of_x() -> None:
    policy = plugin.policy
    assert (policy.unsolicited, policy.private_first, policy.automatic_marks) == (False, False, False)
    assert (policy.per_interaction, policy.delete_within) == (1, timedelta(hours=24))
    assert "0.200" in str(policy.cost)
    assert (plugin.idempotency, plugin.limits.reply_length) == ("B1", 280)
    assert plugin.token
    assert "direct messages" in plugin.cannot


# The stream.


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
    async with streaming(fake_x, _cursor(datetime.now(UTC) - timedelta(days=9))) as (_, pages):
        assert len((await anext(pages)).gaps) == 1
