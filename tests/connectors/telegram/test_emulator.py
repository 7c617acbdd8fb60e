"""Against a Bot API that we did not write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from connectors.api import Hook, HookAnswer, Page, Refused, Reply, Unreachable
from connectors.telegram.connector import HookedTelegram, PollingTelegram, connect
from connectors.telegram.settings import Settings
from tests.counterparts.telegram import BOT_ID, BotApi, free_port


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


@asynccontextmanager
async def hooks(bot: HookedTelegram, answers: list[HookAnswer]) -> AsyncIterator[str]:
    """The host's own socket for webhooks, in short."""

    async def called(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        answers.append(await bot.hear(Hook(method=request.method, headers=headers, query={}, body=body)))
        return web.Response(status=answers[-1].status, body=answers[-1].body)

    app = web.Application()
    app.router.add_route("*", "/hooks/telegram", called)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/telegram"
    finally:
        await runner.cleanup()


async def test_a_webhook_is_called_with_its_secret(bot_api: BotApi) -> None:
    answers: list[HookAnswer] = []
    async with connect(settings(bot_api, mode="webhook", secret="shop_secret")) as bot:
        assert isinstance(bot, HookedTelegram)
        async with hooks(bot, answers) as url:
            await bot_api.call("setWebhook", url=url, secret_token="shop_secret")
            await bot_api.say("by webhook")
            await bot_api.call("setWebhook", url=url, secret_token="another_secret")
            await bot_api.say("forged")
    assert [answer.status for answer in answers] == [200, 401]
    assert [message.text for message in answers[0].page.messages] == ["by webhook"]
    assert answers[1].page == Page()


async def test_what_a_webhook_did_not_take_is_there_for_the_next_poll(bot_api: BotApi) -> None:
    gone = f"http://127.0.0.1:{free_port()}/hooks/telegram"
    async with connect(settings(bot_api, mode="webhook", secret="shop_secret", webhook_url=gone)):
        await bot_api.say("nobody answered the hook")
    async with connect(settings(bot_api, long_poll="0s")) as bot:
        assert isinstance(bot, PollingTelegram)
        page = await bot.poll(None)
    assert [message.text for message in page.messages] == ["nobody answered the hook"]


async def test_a_long_poll_hears_what_is_said_meanwhile(bot_api: BotApi) -> None:
    async with connect(settings(bot_api, long_poll="20s")) as bot:
        assert isinstance(bot, PollingTelegram)
        polling = asyncio.create_task(bot.poll(None))
        await bot_api.say("now")
        page = await polling
    assert [message.text for message in page.messages] == ["now"]


async def test_two_pollers_at_once(bot_api: BotApi) -> None:
    async with connect(settings(bot_api, long_poll="20s")) as bot, connect(settings(bot_api)) as other:
        assert isinstance(bot, PollingTelegram)
        assert isinstance(other, PollingTelegram)
        polls = [asyncio.create_task(bot.poll(None)), asyncio.create_task(other.poll(None))]
        done, _ = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
        [refused] = done
        assert isinstance(refused.exception(), Unreachable)
        await bot_api.say("still heard")
        [heard] = [await poll for poll in polls if poll is not refused]
    assert [message.text for message in heard.messages] == ["still heard"]


async def test_the_longest_text_and_one_more(bot_api: BotApi) -> None:
    await bot_api.say("hello")
    async with connect(settings(bot_api)) as bot:
        assert isinstance(bot, PollingTelegram)
        [message] = (await bot.poll(None)).messages
        await bot.reply(Reply(key="k", to=message, text="📦" * 2048))
    refused = await bot_api.call("sendMessage", chat_id=501, text="📦" * 2049)
    assert refused["error_code"] == 400
    assert await bot_api.answered(1) == 1


async def test_a_server_without_reactions_refuses_the_mark(bot_api: BotApi) -> None:
    await bot_api.say("hello")
    async with connect(settings(bot_api)) as bot:
        assert isinstance(bot, PollingTelegram)
        [message] = (await bot.poll(None)).messages
        with pytest.raises(Refused):
            await bot.mark(message)


async def test_what_was_sent_is_taken_back(bot_api: BotApi) -> None:
    await bot_api.say("hello")
    async with connect(settings(bot_api)) as bot:
        assert isinstance(bot, PollingTelegram)
        [message] = (await bot.poll(None)).messages
        receipt = await bot.reply(Reply(key="k", to=message, text="oops"))
        await bot.retract(receipt, "corrected")
        await bot.retract(receipt, None)
    assert (bot_api.calls("editMessageText"), bot_api.calls("deleteMessage")) == (1, 1)
