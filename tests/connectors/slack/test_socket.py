"""A real WebSocket: what was missed, what happens, when it is confirmed, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from aiohttp import WSMessage, WSMsgType

from connectors.api import ConnectorError, Cursor, Denied, Page, Unreachable
from connectors.slack.connector import SocketSlack, connect
from connectors.slack.line import Envelope, Line
from connectors.slack.marks import read_standing
from connectors.slack.places import time_text
from connectors.slack.settings import Settings
from tests.counterparts.slack_events import CHANNEL, Failure, Workspace

Stream = AsyncIterator[Page]


def opened(socket: SocketSlack, after: Cursor | None = None) -> AbstractAsyncContextManager[Stream]:
    return cast("AbstractAsyncContextManager[Stream]", aclosing(cast("Any", socket.stream(after))))


async def until(stream: Stream, text: str) -> Page:
    """The page that brings a text; what comes before is asked for and so confirmed."""
    async with asyncio.timeout(10):
        async for page in stream:
            if text in [message.text for message in page.messages]:
                return page
    raise AssertionError("the stream ended")


async def caught_up(stream: Stream) -> Page:
    """To the end of the first reading of the history."""
    while True:
        page = await anext(stream)
        if not page.more:
            return page


async def ended(stream: Stream) -> ConnectorError:
    """Why, after however many pages."""
    try:
        async with asyncio.timeout(10):
            async for _ in stream:
                pass
    except ConnectorError as error:
        return error
    raise AssertionError("it ended without a word")


async def test_what_was_missed_then_what_happens(slack: Workspace, socket: SocketSlack) -> None:
    slack.say("missed")
    async with opened(socket) as stream:
        await until(stream, "missed")
        await caught_up(stream)
        slack.say("live")
        page = await until(stream, "live")
        assert page.messages[0].author.name == "U0MING Ming"


async def test_nothing_is_confirmed_before_the_next_page_is_asked_for(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        slack.say("one")
        await until(stream, "one")
        await slack.heard_out()
        assert slack.acknowledged == []
        slack.say("two")
        await until(stream, "two")
        await slack.heard_out()
        assert slack.acknowledged == ["e1"]
    assert slack.acknowledged == ["e1"], "what was not stored is not confirmed"


async def test_what_was_not_confirmed_comes_again_as_the_same(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        cursor = (await caught_up(stream)).cursor
        slack.say("one")
        once = await until(stream, "one")
    async with opened(socket, cursor) as stream:
        by_history = await until(stream, "one")
        again = await until(stream, "one")
    assert once.messages == by_history.messages == again.messages


async def test_edits_and_deletions_come_live(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        message = slack.say("frist")
        await until(stream, "frist")
        slack.edit(message, "first")
        edit = (await until(stream, "first")).messages[0]
        slack.delete(message)
        notice = (await until(stream, "")).messages[0]
    assert edit.id == notice.id
    assert "" < edit.revision < notice.revision
    assert notice.deleted


async def test_a_live_message_moves_the_mark_but_not_to_the_last_minutes(slack: Workspace, socket: SocketSlack) -> None:
    """Events have come minutes late: what is on its way when the socket breaks is found by the next."""
    async with opened(socket) as stream:
        cursor: Cursor | None = None
        for _ in range(2):
            cursor = (await anext(stream)).cursor or cursor
        slack.say("delayed", told=False)
        slack.say("live")
        page = await until(stream, "live")
        assert page.cursor is not None
        assert read_standing(page.cursor).marks[CHANNEL].posts >= read_standing(cursor).marks[CHANNEL].posts
    async with opened(socket, page.cursor) as stream:
        await until(stream, "delayed")


async def test_pings_are_signs_of_life_and_answered(slack: Workspace) -> None:
    async with patient(slack, timedelta(seconds=0.05)) as socket, opened(socket) as stream:
        await caught_up(stream)
        for _ in range(3):
            page = await asyncio.wait_for(anext(stream), 5)
            assert page == Page()


async def test_a_half_open_socket_is_found_out(slack: Workspace) -> None:
    """It takes whatever we send, and nothing comes back."""
    slack.echoes = False
    async with patient(slack, timedelta(seconds=0.05)) as socket, opened(socket) as stream:
        error = await ended(stream)
    assert isinstance(error, Unreachable)
    assert "silent" in str(error)
    assert len(slack.called("apps.connections.open")) == 1


@asynccontextmanager
async def patient(slack: Workspace, silence: timedelta) -> AsyncIterator[SocketSlack]:
    """One that asks for a sign of life after so long."""
    async with connect(Settings.model_validate(slack.socket_settings())) as connector:
        assert isinstance(connector, SocketSlack)
        connector._silence = silence
        yield connector


@pytest.mark.parametrize("reason", [None, "warning", "refresh_requested", "link_disabled", "hologram"])
async def test_a_farewell_is_passed_on_and_nothing_is_opened_again(
    slack: Workspace, socket: SocketSlack, reason: str | None
) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        slack.say("last words")
        await slack.hang_up(reason)
        error = await ended(stream)
    assert isinstance(error, Unreachable)
    assert len(slack.called("apps.connections.open")) == 1


async def test_what_came_before_a_farewell_is_still_told(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        slack.say("last words")
        await slack.heard_out()
        await slack.hang_up("refresh_requested")
        await until(stream, "last words")
        assert isinstance(await ended(stream), Unreachable)


async def test_while_we_were_away_nothing_is_lost(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        cursor = (await caught_up(stream)).cursor
        root = slack.say("before")
        page = await until(stream, "before")
    cursor = page.cursor or cursor
    slack._owed.clear()  # Slack keeps nothing for a socket that is not there
    slack.say("meanwhile", told=False)
    slack.say("and below", told=False, thread_ts=root["ts"])
    heard: set[str] = set()
    async with opened(socket, cursor) as stream:
        while not {"meanwhile", "and below"} <= heard:
            heard |= {message.text for message in (await asyncio.wait_for(anext(stream), 5)).messages}


async def test_each_connection_begins_with_the_whole_past(slack: Workspace, socket: SocketSlack) -> None:
    """Also of the channels that the last one had read before it broke off."""
    async with opened(socket) as stream:
        page = await anext(stream)
        assert page.more
        await slack.hang_up()
        assert isinstance(await ended(stream), Unreachable)
    slack.say("meanwhile", told=False)
    async with opened(socket, page.cursor) as stream:
        await until(stream, "meanwhile")


async def test_what_waits_in_the_socket_moves_no_mark_past_what_was_missed(slack: Workspace) -> None:
    async with connect(Settings.model_validate(slack.socket_settings())) as socket:
        assert isinstance(socket, SocketSlack)
        socket._history.begin()
        assert socket._history.is_behind(CHANNEL)
        cursor = (await socket._history.step(None)).cursor
        message = slack.say("live", told=False)
        event = {**message, "channel": CHANNEL, "channel_type": "channel"}
        socket._history.begin()
        envelope = Envelope("e1", "events_api", {"type": "event_callback", "event": event})
        page = await socket._live(envelope, cursor)
    assert [one.text for one in page.messages] == ["live"]
    assert page.cursor is None


async def test_a_limit_of_the_history_does_not_end_the_socket(slack: Workspace) -> None:
    slack.say("missed", told=False)
    slack.fail("conversations.history", Failure("ratelimited", status=429, retry_after=30))
    ahead = [timedelta(0)]
    settings = Settings.model_validate(slack.socket_settings())
    async with connect(settings, lambda: datetime.now(UTC) + ahead[0]) as socket:
        assert isinstance(socket, SocketSlack)
        async with opened(socket) as stream:
            assert await anext(stream) == Page()
            slack.say("live")
            page = await until(stream, "live")
            assert page.cursor is None, "the past of the channel is not read yet"
            assert len(slack.called("conversations.history")) == 1
            ahead[0] = timedelta(seconds=31)
            slack.say("later")
            await until(stream, "missed")


@asynccontextmanager
async def ahead_of_time(slack: Workspace, **more: object) -> AsyncIterator[tuple[SocketSlack, list[timedelta]]]:
    """With a clock that goes as far ahead as one likes."""
    ahead = [timedelta(0)]
    settings = Settings.model_validate(slack.socket_settings(**more))
    async with connect(settings, lambda: datetime.now(UTC) + ahead[0]) as socket:
        assert isinstance(socket, SocketSlack)
        yield socket, ahead


async def test_a_history_that_fails_does_not_make_it_deaf(slack: Workspace) -> None:
    slack.say("missed", told=False)
    slack.fail("conversations.history", *[Failure("internal_error", status=500)] * 3)
    async with ahead_of_time(slack) as (socket, ahead), opened(socket) as stream:
        assert await anext(stream) == Page()
        for number in range(3):
            slack.say(f"live {number}")
            page = await until(stream, f"live {number}")
            assert page.cursor is None, "the past of the channel is not read yet"
            ahead[0] += timedelta(seconds=31)
        await until(stream, "missed")
        await slack.heard_out()
        assert slack.acknowledged == ["e1", "e2", "e3"]
    assert len(slack.called("apps.connections.open")) == 1


async def test_a_history_that_fails_for_long_is_told_once_and_what_is_said_meanwhile_is_heard(slack: Workspace) -> None:
    slack.fail("conversations.history", *[Failure("internal_error", status=500)] * 9)
    told: list[Page] = []
    async with ahead_of_time(slack) as (socket, ahead):
        socket._silence = timedelta(seconds=0.01)
        async with opened(socket) as stream:
            while len(slack.called("conversations.history")) < 9:
                told.append(await asyncio.wait_for(anext(stream), 10))
                ahead[0] += timedelta(seconds=31)
            slack.say("said meanwhile", room=CHANNEL)
            while not told[-1].messages:
                told.append(await asyncio.wait_for(anext(stream), 10))
    (gap,) = [gap for page in told for gap in page.gaps]
    assert "internal_error" in gap.reason
    assert [message.text for message in told[-1].messages] == ["said meanwhile"]


async def test_a_socket_that_never_rests_does_not_keep_the_history_from_us(slack: Workspace) -> None:
    slack.say("missed", told=False)
    slack.fail("conversations.history", Failure("ratelimited", status=429, retry_after=30))
    heard: list[str] = []
    async with ahead_of_time(slack, channels=[CHANNEL]) as (socket, ahead), opened(socket) as stream:
        assert await anext(stream) == Page()
        ahead[0] += timedelta(seconds=31)
        while "missed" not in heard and len(heard) < 60:
            slack.say("noise", room=CHANNEL)
            slack.say("noise", room=CHANNEL)
            await slack.heard_out()
            heard += [message.text for message in (await anext(stream)).messages]
    assert "missed" in heard


async def test_a_reply_to_an_old_message_said_between_two_sockets(slack: Workspace) -> None:
    """The message is older than `threads_back`; the history does not show it any more."""
    at = time_text(datetime.now(UTC) - timedelta(days=4))
    root = slack.say("root of a long case", told=False, ts=at)
    slack.say("today", told=False)
    settings = slack.socket_settings(channels=[CHANNEL], backfill="30d")
    cursor: Cursor | None = None
    heard: list[str] = []
    for life in range(3):  # a process each: what it knows of threads stands in the cursor
        async with connect(Settings.model_validate(settings)) as socket:
            assert isinstance(socket, SocketSlack)
            async with opened(socket, cursor) as stream:
                heard.clear()
                while True:
                    page = await asyncio.wait_for(anext(stream), 5)
                    heard += [message.text for message in page.messages]
                    cursor = page.cursor or cursor
                    if not page.more:
                        break
        if life == 1:
            slack.say("my card is stolen", told=False, thread_ts=root["ts"])
    assert "my card is stolen" in heard


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_where_slack_says_so_in_time_the_next_socket_is_open_before_the_last_goes(
    slack: Workspace, reason: str
) -> None:
    async with ahead_of_time(slack) as (socket, ahead), opened(socket) as stream:
        await caught_up(stream)
        slack.say("one")
        await until(stream, "one")
        ahead[0] = timedelta(minutes=2)
        await slack.hang_up(reason)
        await until(stream, "one")  # by the history: the second socket begins with it
        assert len(slack.called("apps.connections.open")) == 2
        assert slack.most_at_once == 2
        slack.say("two")
        await until(stream, "two")
    assert slack.acknowledged[:1] == ["e1"]


async def test_names_that_come_slowly_hold_up_nothing(slack: Workspace) -> None:
    """Slack repeats what is not confirmed in three seconds: a second in all is waited for names, and then not again."""
    async with ahead_of_time(slack) as (socket, _), opened(socket) as stream:
        await caught_up(stream)
        slack.slow.add("users.info")
        for number in range(5):
            slack.say(f"m{number}", user=f"U{number}")
        await until(stream, "m4")
        assert len(slack.called("users.info")) == 1


async def test_whatever_goes_wrong_in_reading_is_told(slack: Workspace, socket: SocketSlack) -> None:
    """Nobody awaits the task that reads: what it would not pass on is waited for in vain."""

    class Strange:
        async def receive(self) -> None:
            raise ValueError("of the library's own")

    line = Line(cast("Any", Strange()))
    await line.read()
    with pytest.raises(Unreachable, match="ValueError"):
        await asyncio.wait_for(line.next(), 5)


async def test_what_waits_is_bounded_by_its_size(slack: Workspace) -> None:
    frame = WSMessage(WSMsgType.TEXT, '{"type": "' + "x" * 3_999_000 + '"}', None)

    class Flood:
        given = 0

        async def receive(self) -> WSMessage:
            self.given += 1
            await asyncio.sleep(0)
            return frame

    flood = Flood()
    line = Line(cast("Any", flood))
    reading = asyncio.create_task(line.read())
    try:
        for _ in range(50):
            await asyncio.sleep(0)
        held = flood.given
        assert held <= 5, "16 MB, and one that waits to be let in"
        await line.next()
        for _ in range(50):
            await asyncio.sleep(0)
        assert flood.given == held + 1
    finally:
        reading.cancel()


async def test_the_history_is_read_now_and_then_while_the_socket_lives(slack: Workspace) -> None:
    """A socket that lives and brings nothing has been seen, too."""
    ahead = [timedelta(0)]
    settings = Settings.model_validate(slack.socket_settings(poll_every="5m"))
    async with connect(settings, lambda: datetime.now(UTC) + ahead[0]) as socket:
        assert isinstance(socket, SocketSlack)
        socket._silence = timedelta(seconds=0.05)
        async with opened(socket) as stream:
            await caught_up(stream)
            slack.say("swallowed", told=False)
            ahead[0] = timedelta(minutes=6)
            await until(stream, "swallowed")


async def test_frames_that_cannot_be_read_are_kept_aside(slack: Workspace, socket: SocketSlack) -> None:
    frames = [
        "{",
        "null",
        "[]",
        '{"type": "events_api"}',
        '{"type": 5, "envelope_id": [], "payload": 3}',
        "[" * 100_000,
    ]
    frames += ['{"type": "events_api", "envelope_id": "x1", "payload": {"type": "event_callback", "event": 5}}']
    async with opened(socket) as stream:
        await caught_up(stream)
        for frame in frames:
            await slack._sockets[0].send_str(frame)
        pages = [await asyncio.wait_for(anext(stream), 5) for _ in frames]
        slack.say("still here")
        await until(stream, "still here")
    assert all(len(page.unreadable) == 1 for page in pages)
    assert slack.acknowledged == ["x1"], "kept aside is stored, too"


async def test_buttons_of_the_same_app_are_confirmed_and_forgotten(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        press = {"type": "interactive", "envelope_id": "b1", "payload": {"type": "block_actions"}}
        await slack._sockets[0].send_json(press)
        assert await anext(stream) == Page()
        slack.say("hello")
        await until(stream, "hello")
    assert "b1" in slack.acknowledged


async def test_a_revoked_token_needs_a_person(slack: Workspace, socket: SocketSlack) -> None:
    async with opened(socket) as stream:
        await caught_up(stream)
        slack.tell({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0CARE"]}})
        assert isinstance(await ended(stream), Denied)
    slack.revoked = True
    async with opened(socket) as stream:
        assert isinstance(await ended(stream), Denied)


@pytest.mark.parametrize(
    "url",
    [None, 5, "", "http://127.0.0.1/link", "ws://slack.example/link", "wss://user:pass@slack.example/", "wss://["],
)
async def test_an_address_that_cannot_be_used(slack: Workspace, socket: SocketSlack, url: object) -> None:
    slack.fail("apps.connections.open", Failure(body=json.dumps({"ok": True, "url": url}).encode()))
    async with opened(socket) as stream:
        assert isinstance(await ended(stream), Unreachable)


async def test_a_socket_that_cannot_be_opened(slack: Workspace, socket: SocketSlack) -> None:
    slack.fail("apps.connections.open", Failure(body=f'{{"ok": true, "url": "ws{slack.url[4:]}/nothing"}}'.encode()))
    async with opened(socket) as stream:
        error = await ended(stream)
    assert "ticket" not in str(error)
