"""Against a Slack Web API that we did not write: history, threads, posting, reading back, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectors.api import Denied, Message, Receipt, Refused, Reply
from connectors.slack.connector import HookedSlack, connect
from connectors.slack.settings import Settings
from tests.counterparts.slack import SlackApi

KEY = "6f1c4f4e-0a55-5c0f-9a51-3c1b1c0e8f11"


def settings(slack_api: SlackApi, **more: object) -> Settings:
    written = {"bot_token": slack_api.token, "signing_secret": "x", "base_url": slack_api.url}
    return Settings.model_validate({**written, "channels": [slack_api.channel], "backfill": "36000d", **more})


@pytest_asyncio.fixture
async def care(slack_api: SlackApi) -> AsyncIterator[HookedSlack]:
    async with connect(settings(slack_api)) as connector:
        assert isinstance(connector, HookedSlack)
        yield connector


async def heard(care: HookedSlack) -> list[Message]:
    messages: list[Message] = []
    page = await care.poll(None)
    while True:
        messages += page.messages
        if not page.more:
            return messages
        page = await care.poll(page.cursor)


async def test_the_history_is_read_and_then_nothing_new(care: HookedSlack) -> None:
    page = await care.poll(None)
    [message] = page.messages
    assert message.text == "Good morning, team"
    assert message.author.id == care.me.id
    assert (await care.poll(page.cursor)).messages == ()


async def test_an_answer_stands_in_the_thread_and_is_found_again(slack_api: SlackApi, care: HookedSlack) -> None:
    [root] = await heard(care)
    reply = Reply(key=KEY, to=root, text="1 < 2 & <b> *bold*")
    assert await care.find(reply) is None
    receipt = await care.reply(reply)
    assert await care.find(reply) == receipt
    messages = await heard(care)
    assert [(one.text, one.in_reply_to) for one in messages] == [(root.text, None), (reply.text, root.id)]
    assert f"{slack_api.channel}/" in receipt.id


async def test_a_mark_a_change_and_taking_back(care: HookedSlack) -> None:
    [root] = await heard(care)
    for _ in range(2):
        await care.mark(root)
    receipt = await care.reply(Reply(key=KEY, to=root, text="first"))
    await care.retract(receipt, "second")
    assert [one.text for one in await heard(care)][-1] == "second"
    for _ in range(2):
        await care.retract(receipt, None)
    assert [one.text for one in await heard(care)] == [root.text]


async def test_what_is_not_there(slack_api: SlackApi, care: HookedSlack) -> None:
    with pytest.raises(Refused):
        await care.retract(Receipt(id=f"{slack_api.channel}/1790000000.000100"), "x")
    async with connect(settings(slack_api, channels=["C0NOTHERE"])) as connector:
        assert isinstance(connector, HookedSlack)
        with pytest.raises(Denied, match="/invite"):
            await connector.poll(None)


async def test_a_token_that_nobody_knows(slack_api: SlackApi) -> None:
    with pytest.raises(Denied, match="invalid_auth"):
        async with connect(settings(slack_api, bot_token="xoxb-nobody")):
            pass


async def test_pages_walk_forwards(slack_api: SlackApi, care: HookedSlack) -> None:
    """Slack's own order, as whoever wrote the server measured it at slack.com."""
    said = [f"number {number}" for number in range(230)]
    for text in said:
        await slack_api.call("chat.postMessage", channel=slack_api.channel, text=text)
    assert [one.text for one in await heard(care)][1:] == said
