"""Who we are, what goes out, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from connectors.api import Vitals
from connectors.errors import Denied, Refused, Unreachable
from connectors.x import plugin, prices
from connectors.x.bought import Bought
from tests.connectors.x.opened import NO_KEYS, a_reply, mention, polling, walked
from tests.counterparts.x import ME, FakeX, cut_after, forbidden, html_outage, problem


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Booking.com has your message.", "https://t.co/0aB has your message."),
        ("See https://acme.com for more", "See https://t.co/0aB for more"),
        ("(acme.example/help?q=1), or acme.org. 好https://acme.com/x。", None),
        ("Mail care@acme.com. We answer.Soon", None),
    ],
)
async def test_an_answer_with_a_link_is_found_and_stands_there_once(
    fake_x: FakeX, text: str, shown: str | None
) -> None:
    """X shortens links, and bare names too: what we cannot recognise we would post again."""
    async with polling(fake_x) as connector:
        message = await mention(fake_x, connector)
        assert await connector.find(a_reply(message, text)) is None
        fake_x.faults = [cut_after]
        with pytest.raises(Unreachable):
            await connector.reply(a_reply(message, text))
        assert await connector.find(a_reply(message, text)) is not None
        assert await connector.find(a_reply(message, f"{text} Ref K7Q2")) is None
        await connector.reply(a_reply(message, text))
    (posted,) = fake_x.replies()
    assert shown in {None, posted["text"]}


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
        with pytest.raises(Unreachable, match="duplicate") as raised:
            await connector.reply(a_reply(other))
        assert not raised.value.unsent, "it may be our own retry, which we cannot see: a person decides"
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


async def test_own_posts_looked_through_again_cost_nothing_until_the_next_utc_day(fake_x: FakeX) -> None:
    """X charges for a post once in a UTC day: fifteen looks through the same hundred are not seven dollars."""
    now = [datetime.now(UTC).replace(hour=12)]
    async with polling(fake_x, lambda: now[0]) as connector:
        message = await mention(fake_x, connector)
        for at in range(100):
            fake_x.write(f"elsewhere {at}", author=ME)

        async def looks(times: int) -> int:
            for _ in range(times):
                assert await connector.find(a_reply(message, "nowhere")) is None
            return (await connector.poll(None)).cost

        await connector.poll(None)
        price = prices.POST_READ
        once = await looks(1)
        again = await looks(15)
        assert once - again == 100 * price
        fake_x.write("one more", author=ME)
        assert await looks(2) - again == price
        now[0] += timedelta(hours=12)
        assert await looks(2) - again == 101 * price


def test_what_was_paid_for_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them, and for what has no id, too much is counted, never too little."""
    monkeypatch.setattr("connectors.x.bought._REMEMBERED", 2)
    bought, now = Bought(), datetime(2027, 1, 31, 23, tzinfo=UTC)
    posts: list[object] = [{"id": "1"}, {"id": "2"}, {"id": "3"}, {"id": 4}, None]
    assert [bought.count_new(posts, now) for _ in range(2)] == [5, 3]
    assert bought.count_new(posts[:2], now + timedelta(hours=1)) == 2


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
