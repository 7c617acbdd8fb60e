"""What goes out: posted once as it is, found again, marked, taken back; and what each of Slack's words means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.api import Denied, Receipt, Refused, Reply, Unreachable
from connectors.slack.connector import HookedSlack
from connectors.slack.mrkdwn import plain
from connectors.slack.speaking import REPLY_LENGTH
from tests.connectors.slack.samples import only
from tests.counterparts.slack_events import CHANNEL, DIRECT, Failure, Workspace

KEY = "6f1c4f4e-0a55-5c0f-9a51-3c1b1c0e8f11"
TEXT = "We have your message (Ref K7Q2). *A* colleague & <!channel> answers."


def a_reply(slack: Workspace, text: str = TEXT, room: str = CHANNEL, **more: Any) -> Reply:
    said = slack.say("where is my parcel?", told=False, room=room, **more)
    about = {"channel": room, "event_ts": said["ts"], "channel_type": "im" if room == DIRECT else "channel"}
    return Reply(key=KEY, to=only({**said, **about}), text=text)


async def test_it_stands_in_the_thread_as_it_is(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    receipt = await called.reply(reply)
    [said] = slack.posted()
    assert plain(said["text"]) == TEXT
    assert "<" not in said["text"]
    assert (said["thread_ts"], receipt.id) == (reply.to.id.partition("/")[2], f"{CHANNEL}/{said['ts']}")
    [asked] = slack.called("chat.postMessage")
    quiet = {name: asked[name] for name in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media", "parse")}
    assert quiet == {
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "parse": "none",
    }
    assert asked["metadata"] == {"event_type": "heedful_ack", "event_payload": {"key": KEY}}


async def test_a_reply_to_a_reply_goes_below_the_root(slack: Workspace, called: HookedSlack) -> None:
    root = slack.say("root", told=False)
    await called.reply(a_reply(slack, thread_ts=root["ts"]))
    assert slack.posted()[0]["thread_ts"] == root["ts"]


async def test_a_direct_message_is_answered_at_the_end_of_the_chat(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack, room=DIRECT)
    receipt = await called.reply(reply)
    assert "thread_ts" not in slack.posted()[0]
    assert await called.find(reply) == receipt


async def test_a_lost_answer_is_found_by_its_key(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    assert await called.find(reply) is None
    slack.fail("chat.postMessage", Failure(breaks=True, acts=True))
    with pytest.raises(Unreachable) as caught:
        await called.reply(reply)
    assert not caught.value.unsent
    found = await called.find(reply)
    assert found == Receipt(id=f"{CHANNEL}/{slack.posted()[0]['ts']}")
    assert await called.find(replace(reply, key=KEY[::-1])) is None


async def test_it_is_found_below_hundreds_of_others(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    for number in range(250):
        slack.say(f"me too {number}", told=False, thread_ts=reply.to.id.partition("/")[2])
    receipt = await called.reply(reply)
    assert await called.find(reply) == receipt


async def test_where_slack_keeps_no_metadata_it_is_found_by_its_text(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    receipt = await called.reply(reply)
    slack.posted()[0].pop("metadata")
    assert await called.find(reply) == receipt
    assert await called.find(replace(reply, text="quite another text")) is None


async def test_somebody_elses_words_are_not_our_answer(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack, text="same words")
    slack.say("same words", told=False, thread_ts=reply.to.id.partition("/")[2])
    assert await called.find(reply) is None


async def test_a_listing_that_fails_is_no_absence(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    for failure in (Failure(status=503), Failure(body=b'{"ok": true}'), Failure("fatal_error")):
        slack.fail("conversations.replies", failure)
        with pytest.raises(Unreachable):
            await called.find(reply)


async def test_what_was_deleted_is_gone(slack: Workspace, called: HookedSlack) -> None:
    reply = a_reply(slack)
    slack.rooms[CHANNEL].clear()
    with pytest.raises(Refused) as caught:
        await called.find(reply)
    assert caught.value.gone
    with pytest.raises(Refused) as caught:
        await called.mark(reply.to)
    assert caught.value.gone


@pytest.mark.parametrize(
    "code", ["invalid_auth", "token_revoked", "account_inactive", "token_expired", "org_login_required", "not_authed"]
)
async def test_shut_out(slack: Workspace, called: HookedSlack, code: str) -> None:
    slack.fail("chat.postMessage", Failure(code))
    with pytest.raises(Denied, match=code):
        await called.reply(a_reply(slack))


async def test_a_missing_scope_is_named(slack: Workspace, called: HookedSlack) -> None:
    slack.fail("chat.postMessage", Failure("missing_scope", more={"needed": "chat:write", "provided": "x"}))
    with pytest.raises(Denied, match="chat:write"):
        await called.reply(a_reply(slack))


@pytest.mark.parametrize(
    "code", ["is_archived", "channel_not_found", "not_in_channel", "restricted_action", "msg_too_long", "no_such_code"]
)
async def test_refused(slack: Workspace, called: HookedSlack, code: str) -> None:
    slack.fail("chat.postMessage", Failure(code))
    with pytest.raises(Refused, match=code) as caught:
        await called.reply(a_reply(slack))
    assert not caught.value.gone


@pytest.mark.parametrize(
    "failure",
    [
        Failure("fatal_error"),
        Failure("internal_error", status=500),
        Failure("service_unavailable", status=503),
        Failure(status=502, body=b"<html>"),
        Failure(body=b'{"half of'),
        Failure(body=b"[]"),
        Failure(body=b'{"ok": true}'),
        Failure(body=b""),
        Failure(breaks=True),
    ],
)
async def test_in_doubt(slack: Workspace, called: HookedSlack, failure: Failure) -> None:
    slack.fail("chat.postMessage", failure)
    with pytest.raises(Unreachable) as caught:
        await called.reply(a_reply(slack))
    assert not caught.value.unsent
    assert len(slack.called("chat.postMessage")) == 1, "never tried again by the connector"


@pytest.mark.parametrize(("wish", "kept"), [(7, 7), (None, None), (-1, 1), (99_999, 3600)])
async def test_too_many(slack: Workspace, called: HookedSlack, wish: int | None, kept: int | None) -> None:
    slack.fail("chat.postMessage", Failure("ratelimited", status=429, retry_after=wish))
    with pytest.raises(Unreachable) as caught:
        await called.reply(a_reply(slack))
    assert caught.value.unsent
    assert caught.value.retry_after == (None if kept is None else timedelta(seconds=kept))
    assert len(slack.called("chat.postMessage")) == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * (REPLY_LENGTH + 1)])
async def test_what_slack_would_not_take_is_not_sent(slack: Workspace, called: HookedSlack, text: str) -> None:
    with pytest.raises(Refused):
        await called.reply(a_reply(slack, text))
    assert slack.called("chat.postMessage") == []


async def test_half_a_character_and_the_longest_text(slack: Workspace, called: HookedSlack) -> None:
    await called.reply(a_reply(slack, "\ud83d"))
    await called.reply(a_reply(slack, "&" * REPLY_LENGTH))
    assert [plain(one["text"]) for one in slack.posted()] == ["\ud83d", "&" * REPLY_LENGTH]


@pytest.mark.parametrize("thread", ["", "-1001", "1234567", "C0HELP/", "general"])
async def test_a_thread_of_another_platform(slack: Workspace, called: HookedSlack, thread: str) -> None:
    reply = a_reply(slack)
    with pytest.raises(Refused):
        await called.reply(replace(reply, to=replace(reply.to, thread=thread)))


async def test_a_mark_is_set_once(slack: Workspace, called: HookedSlack) -> None:
    to = a_reply(slack).to
    for _ in range(2):
        await called.mark(to)
    assert slack.reactions == {(to.id.partition("/")[2], "eyes")}
    slack.fail("reactions.add", Failure("too_many_reactions"))
    with pytest.raises(Refused):
        await called.mark(to)


async def test_an_answer_is_changed_and_taken_back(slack: Workspace, called: HookedSlack) -> None:
    receipt = await called.reply(a_reply(slack))
    await called.retract(receipt, "corrected <b>")
    assert plain(slack.posted()[0]["text"]) == "corrected <b>"
    for _ in range(2):  # what is gone counts as taken back
        await called.retract(receipt, None)
    assert slack.posted() == []
    with pytest.raises(Refused) as caught:
        await called.retract(receipt, "too late")
    assert caught.value.gone
