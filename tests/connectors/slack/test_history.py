"""What no event brought is found: posts, replies below old messages, edits; page by page, and after failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.api import Cursor, Denied, Gap, Message, Unreachable
from connectors.slack.connector import HookedSlack, connect
from connectors.slack.marks import read_standing
from connectors.slack.places import time_text
from connectors.slack.settings import Settings
from tests.counterparts.slack_events import CHANNEL, DIRECT, Failure, Workspace


async def round_of(slack: HookedSlack, after: Cursor | None) -> tuple[list[Message], Cursor | None]:
    """All steps of one round, each stored before the next."""
    messages: list[Message] = []
    for _ in range(100):
        page = await slack.poll(after)
        messages += page.messages
        after = page.cursor or after
        if not page.more:
            return messages, after
    raise AssertionError("a round without an end")


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


async def test_all_channels_are_read_and_nothing_twice(slack: Workspace, called: HookedSlack) -> None:
    slack.say("in the channel", told=False)
    slack.say("directly", told=False, room=DIRECT)
    messages, cursor = await round_of(called, None)
    assert sorted(texts(messages)) == ["directly", "in the channel"]
    assert {message.thread for message in messages if message.private} == {DIRECT}
    assert [message.author.name for message in messages] == ["U0MING Ming"] * 2
    assert (await round_of(called, cursor))[0] == []


async def test_a_channel_where_nothing_was_said_yet_is_remembered(slack: Workspace, called: HookedSlack) -> None:
    """Else what is said there while we are away would be looked for from `backfill` on only."""
    messages, cursor = await round_of(called, None)
    assert messages == []
    assert set(read_standing(cursor).marks) == {CHANNEL, DIRECT}


async def test_a_thread_that_began_long_before(slack: Workspace, called: HookedSlack) -> None:
    root = slack.say("old", told=False)
    _, cursor = await round_of(called, None)
    slack.say("new", told=False, thread_ts=root["ts"], parent_user_id="U0MING")
    messages, cursor = await round_of(called, cursor)
    assert [(one.text, one.thread, one.in_reply_to) for one in messages] == [
        ("new", f"{CHANNEL}/{root['ts']}", f"{CHANNEL}/{root['ts']}")
    ]
    await round_of(called, cursor)


async def test_a_reply_is_told_no_more_than_twice(slack: Workspace, called: HookedSlack) -> None:
    """Once again, because a mark of changes may only move to a time known before; then never more."""
    root = slack.say("old", told=False)
    _, cursor = await round_of(called, None)
    slack.say("new", told=False, thread_ts=root["ts"])
    told: list[str] = []
    for _ in range(5):
        messages, cursor = await round_of(called, cursor)
        told += texts(messages)
    assert 1 <= told.count("new") <= 2
    assert set(told) == {"new"}


async def test_a_reply_that_comes_during_the_walk_is_found_by_the_next(slack: Workspace, called: HookedSlack) -> None:
    """To a message that the walk has passed, and before one that it has still to come to."""
    first = slack.say("first", told=False)
    for number in range(250):
        slack.say(f"number {number}", told=False)
    page = await called.poll(None)
    while not page.messages:
        page = await called.poll(page.cursor)
    assert len(page.messages) < 251, "in the middle of it"
    slack.say("meanwhile", told=False, thread_ts=first["ts"])
    slack.say("last", told=False)
    rest, cursor = await round_of(called, page.cursor)
    messages, _ = await round_of(called, cursor)
    assert {"last", "meanwhile"} <= set(texts([*page.messages, *rest, *messages]))


async def test_an_edit_of_an_old_message(slack: Workspace, called: HookedSlack) -> None:
    message = slack.say("frist", told=False)
    first, cursor = await round_of(called, None)
    slack.edit(message, "first", told=False)
    [edit], _ = await round_of(called, cursor)
    assert (edit.id, edit.text, edit.revision) == (first[0].id, "first", message["edited"]["ts"])


@pytest.mark.parametrize(("forwards", "cursors"), [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("held", [50, 1])
async def test_a_busy_channel_comes_oldest_first(
    slack: Workspace, called: HookedSlack, monkeypatch: pytest.MonkeyPatch, forwards: bool, cursors: bool, held: int
) -> None:
    """Whichever end Slack begins at, whether or not it names a cursor, and whether or not all can be held at once."""
    slack.forwards, slack.cursors = forwards, cursors
    monkeypatch.setattr("connectors.slack.history._GATHERED", held)
    said = [slack.say(f"number {number}", told=False)["text"] for number in range(450)]
    messages, _ = await round_of(called, None)
    assert texts(messages) == said


async def test_a_long_thread_comes_whole(slack: Workspace, called: HookedSlack) -> None:
    root = slack.say("root", told=False)
    said = [slack.say(f"reply {number}", told=False, thread_ts=root["ts"])["text"] for number in range(450)]
    messages, _ = await round_of(called, None)
    assert texts(messages) == ["root", *said]


async def test_after_a_restart_in_the_middle_nothing_is_missing(slack: Workspace) -> None:
    said: list[str] = []
    for number in range(3):
        root = slack.say(f"root {number}", told=False)
        replies = [slack.say(f"reply {number}.{at}", told=False, thread_ts=root["ts"]) for at in range(2)]
        said += [root["text"], *(reply["text"] for reply in replies)]
    heard: list[str] = []
    cursor: Cursor | None = None
    settings = Settings.model_validate(slack.events_settings())
    for steps in (1, 2, 1, 3, 1, 20):
        async with connect(settings) as connector:
            assert isinstance(connector, HookedSlack)
            for _ in range(steps):
                page = await connector.poll(cursor)
                heard += texts(list(page.messages))
                cursor = page.cursor or cursor
    assert set(heard) == set(said)


async def test_a_page_that_was_not_stored_comes_again(slack: Workspace, called: HookedSlack) -> None:
    _, cursor = await round_of(called, None)
    slack.say("one", told=False)
    once, _ = await round_of(called, cursor)
    again, later = await round_of(called, cursor)
    assert texts(once) == texts(again) == ["one"]
    assert (await round_of(called, later))[0] == []


@pytest.mark.parametrize("forwards", [False, True])
async def test_in_whatever_order_it_comes_a_walk_that_breaks_off_loses_nothing(
    slack: Workspace, forwards: bool
) -> None:
    slack.forwards = forwards
    said = [slack.say(f"number {number}", told=False)["text"] for number in range(450)]
    heard: list[str] = []
    cursor: Cursor | None = None
    settings = Settings.model_validate(slack.events_settings(channels=[CHANNEL]))
    for steps in (1, 2, 3, 4, 20):
        async with connect(settings) as connector:
            assert isinstance(connector, HookedSlack)
            for _ in range(steps):
                page = await connector.poll(cursor)
                heard += texts(list(page.messages))
                cursor = page.cursor or cursor
    assert heard == said


async def test_a_page_of_a_thread_that_was_not_stored_comes_again(slack: Workspace, called: HookedSlack) -> None:
    root = slack.say("root", told=False)
    said = [slack.say(f"reply {number}", told=False, thread_ts=root["ts"])["text"] for number in range(250)]
    page = await called.poll(None)
    assert texts(list(page.messages)) == ["root"]
    cursor = page.cursor
    assert len((await called.poll(cursor)).messages) == 200, "and then the disk is full"
    messages, _ = await round_of(called, cursor)
    assert texts(messages)[-250:] == said


async def test_a_cursor_that_lapses_begins_the_walk_anew(slack: Workspace, called: HookedSlack) -> None:
    said = [slack.say(f"number {number}", told=False)["text"] for number in range(250)]
    page = await called.poll(None)
    slack.fail("conversations.history", Failure("invalid_cursor"))
    messages, _ = await round_of(called, page.cursor)
    assert texts([*page.messages, *messages]) == said
    slack.fail("conversations.history", *[Failure("invalid_cursor")] * 2)
    with pytest.raises(Unreachable):
        await round_of(called, None)


@pytest.mark.parametrize("code", ["invalid_ts_oldest", "team_not_found", "a_word_of_tomorrow"])
async def test_a_word_that_we_do_not_know_stops_no_channel(slack: Workspace, called: HookedSlack, code: str) -> None:
    slack.fail("conversations.history", Failure(code))
    with pytest.raises(Unreachable, match=code):
        await called.poll(None)


async def test_a_limit_costs_no_more_than_the_step(slack: Workspace, called: HookedSlack) -> None:
    for number in range(250):
        slack.say(f"number {number}", told=False)
    page = await called.poll(None)
    slack.fail("conversations.history", Failure("ratelimited", status=429, retry_after=30))
    with pytest.raises(Unreachable) as caught:
        await called.poll(page.cursor)
    assert caught.value.retry_after == timedelta(seconds=30)
    messages, _ = await round_of(called, page.cursor)
    assert texts([*page.messages, *messages]) == [f"number {number}" for number in range(250)]


async def test_many_channels_are_read_without_a_pause(slack: Workspace, called: HookedSlack) -> None:
    """But for one that Slack names."""
    for number in range(90):
        slack.say("hi", told=False, room=f"C0ROOM{number}")
    messages, _ = await round_of(called, None)
    assert len(messages) == 90


async def test_a_channel_that_is_no_longer_ours_does_not_stop_the_others(slack: Workspace, called: HookedSlack) -> None:
    slack.say("hello", told=False, room=DIRECT)
    slack.fail("conversations.history", Failure("not_in_channel"))
    messages, _ = await round_of(called, None)
    assert texts(messages) == ["hello"]


async def test_a_channel_that_is_asked_for_and_not_ours_needs_a_person(slack: Workspace) -> None:
    settings = Settings.model_validate(slack.events_settings(channels=["C0NOTHERE"]))
    async with connect(settings) as connector:
        assert isinstance(connector, HookedSlack)
        with pytest.raises(Denied, match="/invite"):
            await connector.poll(None)


async def test_one_of_several_that_is_not_ours_does_not_stop_the_others_and_is_a_gap(slack: Workspace) -> None:
    slack.say("hello", told=False)
    settings = Settings.model_validate(slack.events_settings(channels=["C0NOTHERE", CHANNEL]))
    cursor: Cursor | None = None
    gaps: list[Gap] = []
    heard: list[str] = []
    for _ in range(2):  # the second life has only the cursor
        async with connect(settings) as connector:
            assert isinstance(connector, HookedSlack)
            for _ in range(6):
                page = await connector.poll(cursor)
                cursor = page.cursor or cursor
                gaps += page.gaps
                heard += texts(list(page.messages))
    [gap] = gaps
    assert "/invite" in gap.reason
    assert "C0NOTHERE" in gap.reason
    assert heard == ["hello"]
    slack.say("let in", told=False, room="C0NOTHERE")
    async with connect(settings) as connector:
        assert isinstance(connector, HookedSlack)
        messages, cursor = await round_of(connector, cursor)
    assert texts(messages) == ["let in"]
    assert not read_standing(cursor).shut, "the next time it is told again"


async def test_a_group_that_is_named_is_as_private_as_its_events_say(slack: Workspace) -> None:
    slack.groups.add("C0GROUP")
    slack.say("between us", told=False, room="C0GROUP")
    slack.say("in public", told=False)
    settings = Settings.model_validate(slack.events_settings(channels=["C0GROUP", CHANNEL]))
    async with connect(settings) as connector:
        assert isinstance(connector, HookedSlack)
        messages, cursor = await round_of(connector, None)
        await round_of(connector, cursor)
    assert {message.text: message.private for message in messages} == {"between us": True, "in public": False}
    assert len(slack.called("conversations.info")) == 2, "asked for once"


async def test_a_cursor_that_cannot_be_read_is_a_gap(slack: Workspace, called: HookedSlack) -> None:
    """All is read from `backfill` on; what was said before that nobody will ever see."""
    slack.say("hello", told=False)
    page = await called.poll(Cursor("of another version"))
    [gap] = page.gaps
    assert gap.since is None
    assert gap.until < datetime.now(UTC) - timedelta(hours=23)
    assert page.cursor is not None
    assert (await called.poll(page.cursor)).gaps == ()


async def test_a_thread_is_asked_for_where_slack_does_not_say_when_it_was_answered(
    slack: Workspace, called: HookedSlack
) -> None:
    slack.tells_latest_reply = False
    root = slack.say("root", told=False)
    _, cursor = await round_of(called, None)
    slack.say("reply", told=False, thread_ts=root["ts"])
    assert texts((await round_of(called, cursor))[0]) == ["reply"]


async def test_a_thread_that_vanishes_meanwhile(slack: Workspace, called: HookedSlack) -> None:
    root = slack.say("root", told=False)
    slack.say("reply", told=False, thread_ts=root["ts"])
    slack.fail("conversations.replies", Failure("thread_not_found"))
    messages, _ = await round_of(called, None)
    assert texts(messages) == ["root"]


async def test_what_cannot_be_read_comes_again_until_it_is_stored(slack: Workspace, called: HookedSlack) -> None:
    _, cursor = await round_of(called, None)
    slack.say("x", told=False, subtype="brand_new_kind")
    told: list[Any] = []
    after = cursor
    for _ in range(2):  # the disk was full
        told, after, more = [], cursor, True
        while more:
            page = await called.poll(after)
            after, more = page.cursor or after, page.more
            told += page.unreadable
        assert len(told) == 1
    assert "brand_new_kind" in told[0].reason
    page = await called.poll(after)
    assert page.unreadable == (), "the cursor is past it"


async def test_what_cannot_be_read_is_the_same_each_time(slack: Workspace, called: HookedSlack) -> None:
    spoiled = [{"type": "message", "user": "U1", "text": 5, "ts": slack.tick()}, {"ts": "x"}, "y"]
    answer = Failure(body=json.dumps({"ok": True, "messages": spoiled}).encode())
    slack.fail("conversations.history", *[answer] * 6)
    unreadable: list[Any] = []
    cursor: Cursor | None = None
    for _ in range(6):
        page = await called.poll(cursor)
        unreadable += page.unreadable
        cursor = page.cursor or cursor
    assert len({item.raw for item in unreadable}) == 3, "so that the host keeps each once"
    assert all(item.reason and item.raw for item in unreadable)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"ok": true}', b'{"ok": true, "messages": {}}', b"[]", b"<html>", b"5", b'"x"']
)
async def test_an_answer_that_is_none(slack: Workspace, called: HookedSlack, body: bytes) -> None:
    slack.fail("conversations.history", Failure(body=body))
    with pytest.raises(Unreachable):
        await called.poll(None)


async def test_how_far_back_a_new_channel_is_read(slack: Workspace) -> None:
    now = datetime.now(UTC)
    for hours in (3, 1):
        ts = time_text(now - timedelta(hours=hours))
        slack.rooms[CHANNEL].append({"type": "message", "user": "U1", "text": f"{hours} h ago", "ts": ts})
    settings = Settings.model_validate(slack.events_settings(backfill="2h"))
    async with connect(settings) as connector:
        assert isinstance(connector, HookedSlack)
        messages, _ = await round_of(connector, None)
    assert texts(messages) == ["1 h ago"]
