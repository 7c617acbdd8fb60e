"""What tweepy does by itself, and must not do here: each of its traps, sprung."""

from __future__ import annotations

import asyncio
import gc
import logging
import string
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from connectors.api import Message, Page
from connectors.errors import Denied, Refused, Unreachable
from tests.connectors.x.opened import OAUTH2, a_reply, messages, polling, streaming, walked
from tests.counterparts.x import (
    BEARER,
    KEYS,
    USER_TOKEN,
    FakeX,
    html_outage,
    limited,
    problem,
    revoked,
)

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


async def a_mention(x: FakeX, **more: Any) -> Message:
    x.write("@acmeair where is my parcel?")
    async with polling(x, **more) as connector:
        (message,) = messages(await walked(connector))
    return message


async def test_every_call_goes_to_the_base_url_and_is_signed_for_it(fake_x: FakeX) -> None:
    """The library knows api.twitter.com only, and signs for it: the counterpart checks what was really called."""
    message = await a_mention(fake_x)
    async with polling(fake_x) as connector:
        await connector.reply(a_reply(message))
    signed = [request for request in fake_x.requests if request.headers["Authorization"].startswith("OAuth ")]
    assert {request.asked.split()[0] for request in signed} == {"GET", "POST"}
    assert len(signed) == len(fake_x.requests)


async def test_a_signature_for_another_address_would_be_turned_away(fake_x: FakeX) -> None:
    """Else the test above would prove nothing."""
    fake_x.url = fake_x.url.replace("127.0.0.1", "localhost")
    async with polling(fake_x) as connector:
        await connector.poll(None)
    genuine = fake_x.requests[-1].headers["Authorization"]
    async with aiohttp.ClientSession() as session:
        url = f"{fake_x.url}/2/users/me"
        assert (await session.get(url, headers={"Authorization": genuine})).status == 401


@pytest.mark.parametrize("query", ['"acme air" (lost OR late) -is:retweet lang:zh', "航班 & +1% a=b;c #x ~*'!"])
async def test_a_query_comes_through_as_it_is(fake_x: FakeX, query: str) -> None:
    fake_x.finds_all = True
    fake_x.write("acme")
    async with polling(fake_x, mode="search", query=query) as connector:
        assert len(messages(await walked(connector))) == 1
    assert parse_qs(fake_x.requests[-1].query)["query"] == [query]


async def test_nothing_is_signed_that_is_not_encoded_alike_everywhere(fake_x: FakeX) -> None:
    """The library encodes a colon by hand for X's sake, and every URL class undoes that: so none is ever signed."""
    message = await a_mention(fake_x)
    async with polling(fake_x) as connector:
        await connector.find(a_reply(message))
    async with polling(fake_x, mode="search", query="acme lang:zh") as connector:
        await walked(connector)
    signed = [request for request in fake_x.requests if request.headers["Authorization"].startswith("OAuth ")]
    assert len(signed) < len(fake_x.requests)
    for request in signed:
        assert set(request.query) <= set(f"{string.ascii_letters}{string.digits}_.,=&")


async def test_writes_go_out_as_the_user_of_oauth_2(fake_x: FakeX) -> None:
    message = await a_mention(fake_x, **OAUTH2)
    async with polling(fake_x, **OAUTH2) as connector:
        await connector.reply(a_reply(message))
    (posted,) = [request for request in fake_x.requests if request.method == "POST"]
    assert posted.headers["Authorization"] == f"Bearer {USER_TOKEN}"


async def test_a_stream_that_x_closes_cleanly_is_over(fake_x: FakeX) -> None:
    """tweepy alone would connect a thousand times in a second."""
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(None)
        with pytest.raises(Unreachable, match="closed the stream"):
            await anext(pages)
        assert fake_x.connects == 1


async def test_a_message_of_disconnection_ends_the_stream(fake_x: FakeX) -> None:
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(
            b'{"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect"}]}'
        )
        fake_x.send(None)
        with pytest.raises(Unreachable, match="operational-disconnect"):
            await anext(pages)
        assert fake_x.connects == 1


@pytest.mark.parametrize(
    "line",
    [b"{half", b"[]", b"null", b'{"data": 5}', b'{"data": {"id": "x"}}', b"[" * 50_000, b'{"news": {}}', b"\xff\x00"],
)
async def test_a_line_that_nobody_can_read_does_not_end_the_stream(fake_x: FakeX, line: bytes) -> None:
    """In the library an exception in a handler ends it for good, without a word."""
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(line)
        page = await anext(pages)
        assert len(page.unreadable) == 1
        assert not page.messages
        fake_x.write("acme, are you there?")
        assert [message.text for message in (await anext(pages)).messages] == ["acme, are you there?"]


async def test_a_line_longer_than_the_library_can_read_is_read(fake_x: FakeX) -> None:
    """aiohttp's readline gives up at 128 kB."""
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.write("acme " + "好" * 100_000)
        (message,) = (await anext(pages)).messages
        assert len(message.text) == 100_005


async def test_a_line_beyond_all_measure_ends_the_stream(fake_x: FakeX) -> None:
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(b"x" * 3_000_000)
        with pytest.raises(Unreachable, match="beyond all measure"):
            await anext(pages)


async def test_a_silent_stream_is_unreachable(fake_x: FakeX) -> None:
    async with streaming(fake_x, silence=timedelta(milliseconds=100)) as (_, pages):
        await anext(pages)
        with pytest.raises(Unreachable, match="silent"):
            await anext(pages)
        assert fake_x.connects == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500, 503])
async def test_a_stream_that_x_does_not_take_is_asked_for_once(fake_x: FakeX, status: int) -> None:
    """The library would sleep and knock again, five seconds at first; what X explains would be logged."""

    async def no(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/stream"):
            return problem(
                status, "No", detail="not now", x_rate_limit_reset=str(int(datetime.now(UTC).timestamp()) + 90)
            )
        return await x.answer(request)

    fake_x.always = no
    async with streaming(fake_x) as (_, pages):
        with pytest.raises((Unreachable, Denied), match="not now") as raised:
            await anext(pages)
    assert fake_x.asked("/search/stream") == 1
    if status == 429:
        assert isinstance(raised.value, Unreachable)
        assert raised.value.retry_after is not None
        assert raised.value.retry_after > timedelta(seconds=60)


async def test_a_stream_closed_by_us_leaves_nothing_behind(fake_x: FakeX) -> None:
    before = asyncio.all_tasks()
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        for _ in range(5):
            fake_x.write("acme again")
        await anext(pages)
    assert asyncio.all_tasks() - before <= {task for task in asyncio.all_tasks() if "connectors" not in repr(task)}
    assert not [session for session in _sessions() if not session.closed]


async def test_html_instead_of_an_answer_is_an_outage(fake_x: FakeX) -> None:
    message = await a_mention(fake_x)
    async with polling(fake_x) as connector:
        fake_x.faults = [html_outage]
        with pytest.raises(Unreachable, match="503") as reading:
            await connector.poll(None)
        fake_x.faults = [html_outage]
        with pytest.raises(Unreachable) as posting:
            await connector.reply(a_reply(message))
    assert "<html" not in str(reading.value)
    assert not posting.value.unsent, "it may have been posted all the same"


async def test_429_without_a_time_is_asked_once(fake_x: FakeX) -> None:
    """The library with wait_on_rate_limit asked 980 times, and died of its own depth."""
    async with polling(fake_x) as connector:
        fake_x.always = limited(reset=None)
        with pytest.raises(Unreachable) as raised:
            await connector.poll(None)
    assert fake_x.asked("mentions") == 1
    assert raised.value.retry_after is None
    assert raised.value.unsent


@pytest.mark.parametrize(
    ("seconds", "wait"), [(90, 90), (-5, 1), (0, 1), (10**6, 3600)], ids=["soon", "past", "now", "absurd"]
)
async def test_429_with_a_time_is_waited_for(fake_x: FakeX, seconds: int, wait: int) -> None:
    async with polling(fake_x, lambda: NOW) as connector:
        fake_x.always = limited(reset=NOW + timedelta(seconds=seconds))
        with pytest.raises(Unreachable) as raised:
            await connector.poll(None)
    assert raised.value.retry_after == timedelta(seconds=wait)
    assert fake_x.asked("mentions") == 1


@pytest.mark.parametrize("nonsense", ["soon", "", "1e999", "9" * 400, "-1", "٣"])
async def test_429_with_a_time_that_is_none(fake_x: FakeX, nonsense: str) -> None:
    """The library would raise ValueError."""

    async def fault(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return problem(429, "Too Many Requests", x_rate_limit_reset=nonsense)

    async with polling(fake_x, lambda: NOW) as connector:
        fake_x.always = fault
        with pytest.raises(Unreachable) as raised:
            await connector.poll(None)
    assert raised.value.retry_after in {None, timedelta(seconds=1)}


async def test_the_quota_of_the_day_is_what_is_waited_for(fake_x: FakeX) -> None:
    """Posting has two limits, and only one of them is used up."""
    message = await a_mention(fake_x)

    async def fault(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        times = {"x_rate_limit_remaining": "40", "x_rate_limit_reset": str(int(NOW.timestamp()) + 60)}
        day = {"x_user_limit_24hour_remaining": "0", "x_user_limit_24hour_reset": str(int(NOW.timestamp()) + 1800)}
        return problem(429, "Too Many Requests", **times, **day)

    async with polling(fake_x, lambda: NOW) as connector:
        fake_x.always = fault
        with pytest.raises(Unreachable) as raised:
            await connector.reply(a_reply(message))
    assert raised.value.retry_after == timedelta(minutes=30)
    assert raised.value.unsent


async def test_no_session_is_opened_for_a_call_nor_left_behind(fake_x: FakeX) -> None:
    """The library opens one for each call, and loses it where the call fails."""
    message = await a_mention(fake_x)
    async with polling(fake_x) as connector:
        before = _sessions()
        await connector.poll(None)
        fake_x.always = html_outage
        for _ in range(3):
            with pytest.raises(Unreachable):
                await connector.poll(None)
            with pytest.raises(Unreachable):
                await connector.reply(a_reply(message))
        assert _sessions() == before


def _sessions() -> list[aiohttp.ClientSession]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is aiohttp.ClientSession and not each.closed]


async def test_a_revoked_key_is_denied_in_words_that_help(fake_x: FakeX) -> None:
    async with polling(fake_x) as connector:
        fake_x.always = revoked
        with pytest.raises(Denied, match=r"console\.x\.com"):
            await connector.poll(None)


async def test_nothing_is_logged_though_everything_would_be(fake_x: FakeX, caplog: pytest.LogCaptureFixture) -> None:
    """At level DEBUG the libraries print headers, signatures and what customers wrote."""
    caplog.set_level(logging.DEBUG)
    message = await a_mention(fake_x)
    async with polling(fake_x) as connector:
        await connector.reply(a_reply(message))
    async with streaming(fake_x) as (_, pages):
        await anext(pages)
        fake_x.send(None)
        with pytest.raises(Unreachable):
            await anext(pages)
    ours = [record for record in caplog.records if record.name.startswith(("tweepy", "oauthlib.oauth1.rfc5849"))]
    client = [record for record in ours if "signature" not in record.name]
    assert client == []
    for secret in (BEARER, *KEYS.values(), "parcel"):
        assert secret not in caplog.text


async def test_what_only_names_the_brand_may_not_be_answered(fake_x: FakeX) -> None:
    """Since February 2026; so the message says that it does not mention us, and X would refuse."""
    fake_x.write("acme lost my parcel")
    async with polling(fake_x, mode="search", query="acme") as connector:
        (message,) = messages(await walked(connector))
        assert message.mentions_us is False
        with pytest.raises(Refused, match="not permitted") as raised:
            await connector.reply(a_reply(message))
    assert not raised.value.gone


def test_the_next_page_is_read_only_when_it_is_asked_for() -> None:
    """What is not taken stays in the socket: one line is held, and the task waits."""

    async def scene() -> None:
        from tests.counterparts.x import start_x

        async with start_x() as x, streaming(x) as (_, pages):
            await anext(pages)
            for at in range(50):
                x.write(f"acme {at}")
            told: list[Page] = [await anext(pages) for _ in range(50)]
            assert [message.text for message in messages(told)] == [f"acme {at}" for at in range(50)]

    asyncio.run(scene())
