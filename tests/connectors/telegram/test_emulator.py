"""Against a Bot API that we did not write."""

from __future__ import annotations

import pytest

from connectors.api import Reply, Unreachable
from connectors.telegram.connector import PollingTelegram, connect
from connectors.telegram.settings import Settings
from tests.counterparts.telegram import BOT_ID, BotApi


def settings(bot_api: BotApi, **more: object) -> Settings:
    return Settings.model_validate({**bot_api.settings, **more})


async def test_a_message_is_read_and_answered(bot_api: BotApi) -> None:
    await bot_api.say("where is my parcel? 我的包裹呢")
    async with connect(settings(bot_api)) as connector:
        assert isinstance(connector, PollingTelegram)
        page = await connector.poll(None)
        [message] = page.messages
        receipt = await connector.reply(Reply(key="k", to=message, text="We have your message (K7Q2)."))
    assert connector.me.id == str(BOT_ID)
    assert connector.me.handle is None
    assert (message.text, message.private) == ("where is my parcel? 我的包裹呢", True)
    assert receipt.id == f"{message.thread}/1"
    assert bot_api.calls("sendMessage") == 1
    assert "link_preview_options" not in bot_api.records("sendMessage")[0]["fields"]


async def test_an_update_comes_again_until_its_offset_is_committed(bot_api: BotApi) -> None:
    await bot_api.say("first")
    async with connect(settings(bot_api, long_poll="0s")) as connector:
        assert isinstance(connector, PollingTelegram)
        once = await connector.poll(None)
        again = await connector.poll(None)
        assert once.messages == again.messages
        await bot_api.say("second")
        then = await connector.poll(once.cursor)
        assert [message.text for message in then.messages] == ["second"]
        rest = await connector.poll(then.cursor)
    assert (rest.messages, rest.cursor) == ((), None)


async def test_an_update_that_cannot_be_read_does_not_hold_up_the_rest(bot_api: BotApi) -> None:
    await bot_api.say("before")
    await bot_api.inject({"message": {"message_id": "not a number", "chat": {}}})
    last = await bot_api.say("after")
    async with connect(settings(bot_api)) as connector:
        assert isinstance(connector, PollingTelegram)
        page = await connector.poll(None)
    assert [message.text for message in page.messages] == ["before", "after"]
    [unreadable] = page.unreadable
    assert b"not a number" in unreadable.raw
    assert page.cursor == str(last + 1)


async def test_a_second_poller_is_told_as_two_bots_or_a_leaked_token(bot_api: BotApi) -> None:
    async with connect(settings(bot_api, long_poll="0s")) as connector:
        assert isinstance(connector, PollingTelegram)
        await bot_api.call("setWebhook", url="http://127.0.0.1:9/elsewhere")
        with pytest.raises(Unreachable, match="two bots or a leaked token") as caught:
            await connector.poll(None)
    assert not caught.value.unsent
