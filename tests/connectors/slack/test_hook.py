"""Calls of Slack's: who may speak, and what is taken. Every trap of bolt's own receiver is asked after."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.api import Denied, Gap, Hook, HookAnswer, Message
from connectors.slack.connector import HookedSlack, connect
from connectors.slack.settings import Settings
from tests.connectors.slack.samples import changed, deleted, envelope, post
from tests.counterparts.slack_events import CHANNEL, Failure, Workspace, sign


def hook(body: Any, at: float | None = None, method: str = "POST") -> Hook:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Hook(
        method=method, headers={name.lower(): value for name, value in sign(raw, at).items()}, query={}, body=raw
    )


async def test_an_event_is_taken_without_a_call(slack: Workspace, called: HookedSlack) -> None:
    before = len(slack.calls)
    answer = await called.hear(hook(envelope(post("我的包裹呢"))))
    assert answer.status == 200
    assert [message.text for message in answer.page.messages] == ["我的包裹呢"]
    assert answer.page.cursor is None
    assert len(slack.calls) == before


async def test_slack_is_shown_that_the_address_is_ours(called: HookedSlack) -> None:
    answer = await called.hear(hook({"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}))
    assert (answer.status, json.loads(answer.body)) == (200, {"challenge": "3eZbrw1aB"})
    assert answer.headers["content-type"].startswith("application/json")
    unsigned = Hook(method="POST", headers={}, query={}, body=b'{"type": "url_verification", "challenge": "x"}')
    assert await called.hear(unsigned) == HookAnswer(status=401)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-slack-request-timestamp": "yesterday"},
        {"x-slack-request-timestamp": ""},
        {"x-slack-request-timestamp": "1e9"},
        {"x-slack-request-timestamp": "１７９０００００００"},
        {"x-slack-request-timestamp": "9" * 5_000},
        {"x-slack-request-timestamp": "-1"},
        {"x-slack-signature": ""},
        {"x-slack-signature": "v0="},
        {"x-slack-signature": "v0=" + "0" * 64},
        {"x-slack-signature": "v1=" + "0" * 64},
        {"x-slack-signature": "v0=\udcff密码"},
    ],
)
async def test_a_forged_header_is_turned_away_with_401(called: HookedSlack, headers: dict[str, str]) -> None:
    genuine = hook(envelope(post()))
    forged = Hook(method="POST", headers={**genuine.headers, **headers}, query={}, body=genuine.body)
    assert await called.hear(forged) == HookAnswer(status=401)


async def test_one_byte_makes_a_forgery(called: HookedSlack) -> None:
    genuine = hook(envelope(post("pay 1 EUR")))
    assert (await called.hear(genuine)).page.messages
    forged = Hook(method="POST", headers=genuine.headers, query={}, body=genuine.body.replace(b"1 EUR", b"9 EUR"))
    assert await called.hear(forged) == HookAnswer(status=401)


@pytest.mark.parametrize(("age", "status"), [(0, 200), (290, 200), (-290, 200), (310, 401), (-310, 401)])
async def test_five_minutes_and_no_more(called: HookedSlack, age: int, status: int) -> None:
    assert (await called.hear(hook(envelope(post()), time.time() - age))).status == status


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"x"', b"[" * 200_000, b"9" * 5_000, b" " * 1_000_001, b"{}", b'{"type": 5}',
        b'{"type": "event_callback"}', b'{"type": "event_callback", "event": 5}', b"payload=%7B%7D",
        b'{"type": "event_callback", "event": {"type": "message"}}', b'{"type": "app_rate_limited"}',
        b'{"type": "app_rate_limited", "minute_rate_limited": 1e400}',
        b'{"type": "event_callback", "event": {"type": "message", "channel": {"id": 5}}, "authorizations": [5]}',
        b'{"type": "event_callback", "team": 5, "enterprise": [], "event": {"type": "message", "user": {}}}',
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_kept_aside_and_answered(called: HookedSlack, body: bytes) -> None:
    """Slack would only repeat it, and switch the subscription off in the end."""
    answer = await called.hear(hook(body))
    assert answer.status == 200
    assert answer.page.messages == ()
    [unreadable] = answer.page.unreadable
    assert unreadable.reason
    assert unreadable.raw == body


async def test_bytes_that_are_no_text_are_turned_away(called: HookedSlack) -> None:
    assert (await called.hear(hook(b"\xff\xfe\x00"))).status == 401


async def test_other_events_are_answered_and_forgotten(called: HookedSlack) -> None:
    for event in ({"type": "reaction_added", "user": "U1"}, post("x joined", subtype="channel_join")):
        answer = await called.hear(hook(envelope(event)))
        assert (answer.status, answer.page.messages, answer.page.unreadable) == (200, (), ())


async def test_a_mention_in_private_is_not_made_public_by_the_event_that_does_not_say_so(called: HookedSlack) -> None:
    """`app_mention` tells of no kind of channel, and whichever comes first is what is stored."""
    said = post("<@U0CARE> help", channel="C0GROUP", channel_type="mpim")
    mention = post("<@U0CARE> help", channel="C0GROUP", channel_type=None, type="app_mention")
    pages = [(await called.hear(hook(envelope(event)))).page for event in (mention, said)]
    assert [(one.private, one.mentions_us) for page in pages for one in page.messages] == [(True, True)]


async def test_only_a_post_is_a_call(called: HookedSlack) -> None:
    assert (await called.hear(hook(envelope(post()), method="GET"))).status == 405


async def test_a_repeated_call_is_the_same_message(called: HookedSlack) -> None:
    first = await called.hear(hook(envelope(post())))
    call = hook(envelope(post()))
    retry = {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}
    again = await called.hear(replace(call, headers={**call.headers, **retry}))
    assert first.page == again.page


async def test_events_in_any_order_make_the_same_of_a_message(called: HookedSlack) -> None:
    before = post("frist")
    edits = [
        {**before, "text": "first", "edited": {"user": "U0MING", "ts": "1790000010.000000"}},
        {**before, "text": "first!", "edited": {"user": "U0MING", "ts": "1790000020.000000"}},
    ]
    bodies = [before, changed(before, edits[0]), changed(edits[0], edits[1]), deleted(before)]
    told: list[list[Message]] = []
    for seed in range(5):
        shuffled = random.Random(seed).sample(bodies, len(bodies))
        pages = [(await called.hear(hook(envelope(body)))).page for body in shuffled]
        told.append(sorted((one for page in pages for one in page.messages), key=lambda one: one.revision))
    assert [(one.text, one.deleted) for one in told[0]] == [
        ("frist", False),
        ("first", False),
        ("first!", False),
        ("", True),
    ]
    assert all(one == told[0] for one in told)


async def test_events_that_were_held_back_are_a_gap(called: HookedSlack) -> None:
    body = {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1_518_467_820, "api_app_id": "A1"}
    answer = await called.hear(hook(body))
    [gap] = answer.page.gaps
    assert isinstance(gap, Gap)
    assert gap.since is not None
    assert (answer.status, gap.since.timestamp(), gap.until - gap.since) == (200, 1_518_467_820, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("event", "out"),
    [
        ({"type": "app_uninstalled"}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0CARE"]}}, True),
        ({"type": "tokens_revoked", "tokens": {"oauth": ["U0MING"], "bot": []}}, False),
        ({"type": "tokens_revoked", "tokens": 5}, False),
    ],
)
async def test_once_slack_has_shut_us_out_a_person_is_told(called: HookedSlack, event: Any, out: bool) -> None:
    assert (await called.hear(hook(envelope(event)))).status == 200
    if out:
        with pytest.raises(Denied, match="install"):
            await called.poll(None)
    else:
        await called.poll(None)


async def test_only_the_channels_that_are_wanted(slack: Workspace) -> None:
    settings = Settings.model_validate(slack.events_settings(channels=[CHANNEL]))
    async with connect(settings) as connector:
        assert isinstance(connector, HookedSlack)
        assert (await connector.hear(hook(envelope(post())))).page.messages
        other = envelope(post(channel="C0OTHER"))
        assert await connector.hear(hook(other)) == await connector.hear(hook(envelope({"type": "reaction_added"})))


async def test_whose_name_was_missed_is_asked_for_with_the_history(slack: Workspace, called: HookedSlack) -> None:
    first = await called.hear(hook(envelope(post())))
    assert first.page.messages[0].author.name == ""
    page = await called.poll(None)
    assert [call["user"] for call in slack.called("users.info")] == ["U0MING"]
    again = await called.hear(hook(envelope(post())))
    assert again.page.messages[0].author.name == "U0MING Ming"
    assert page.messages == ()


async def test_without_the_scope_people_stay_nameless_and_nothing_else_happens(
    slack: Workspace, called: HookedSlack
) -> None:
    slack.fail("users.info", Failure("missing_scope", more={"needed": "users:read"}))
    slack.say("one", user="U1", told=False)
    slack.say("two", user="U2", told=False)
    page = await called.poll(None)
    assert [(message.text, message.author.name) for message in page.messages] == [("one", ""), ("two", "")]
    assert len(slack.called("users.info")) == 1
