"""Against a Bot API with faults: what Telegram says, and what the host hears."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.api import ConnectorError, Cursor, Denied, Message, Receipt, Refused, Reply, Unreachable
from connectors.telegram import transport
from connectors.telegram.connector import PollingTelegram, connect
from connectors.telegram.settings import Settings
from tests.connectors.telegram.fake_api import TOKEN, Failure, FakeBotApi
from tests.connectors.telegram.samples import GROUP, PRIVATE, SUPERGROUP, post
from tests.counterparts.telegram import free_port


async def heard(fake: FakeBotApi, bot: PollingTelegram, kind: str = "message", **more: Any) -> Message:
    fake.push(**{kind: post(**more)})
    [message] = (await bot.poll(None)).messages
    return message


def answer(message: Message, text: str = "We have your message.") -> Reply:
    return Reply(key="8d0b4d4e-0000-5000-8000-000000000000", to=message, text=text)


# Listening


async def test_who_we_are(bot: PollingTelegram) -> None:
    assert (bot.me.id, bot.me.name, bot.me.handle, bot.me.bot) == ("4242", "Acme Care", "@AcmeCareBot", True)


async def test_a_webhook_left_behind_is_removed_and_what_waits_is_kept(fake: FakeBotApi) -> None:
    fake.webhook = {"url": "https://old.example"}
    fake.push(message=post("waiting"))
    async with connect(fake.settings()) as connector:
        assert isinstance(connector, PollingTelegram)
        page = await connector.poll(None)
    assert [message.text for message in page.messages] == ["waiting"]
    assert fake.called("deleteWebhook") == [{"drop_pending_updates": False}]


async def test_what_we_want_is_said_with_every_poll(fake: FakeBotApi, bot: PollingTelegram) -> None:
    await bot.poll(None)
    await bot.poll(Cursor("5"))
    first, second = fake.called("getUpdates")
    assert "offset" not in first
    assert second["offset"] == 5
    for asked in (first, second):
        assert {"message", "edited_message", "channel_post", "business_message"} < set(asked["allowed_updates"])


async def test_the_offset_confirms_only_what_the_host_has_committed(fake: FakeBotApi, bot: PollingTelegram) -> None:
    fake.push(message=post("one"))
    page = await bot.poll(None)
    again = await bot.poll(None)  # the commit failed
    assert again.messages == page.messages
    assert page.cursor is not None
    assert (await bot.poll(page.cursor)).messages == ()
    assert [asked.get("offset") for asked in fake.called("getUpdates")] == [None, None, int(page.cursor)]


async def test_an_empty_page_keeps_the_cursor(bot: PollingTelegram) -> None:
    page = await bot.poll(Cursor("77"))
    assert (page.cursor, page.more) == (None, False)


async def test_a_full_page_asks_for_more(fake: FakeBotApi, bot: PollingTelegram) -> None:
    for number in range(101):
        fake.push(message=post(number=number))
    page = await bot.poll(None)
    assert (len(page.messages), page.more) == (100, True)
    rest = await bot.poll(page.cursor)
    assert (len(rest.messages), rest.more) == (1, False)


async def test_one_bad_update_is_kept_aside_and_the_offset_moves_past_it(
    fake: FakeBotApi, bot: PollingTelegram
) -> None:
    fake.push(message=post("before", number=1))
    fake.push(message={"message_id": 2, "date": "never"})
    fake.push(message=post("after", number=3))
    last = fake.push(message="what?")
    page = await bot.poll(None)
    assert [message.text for message in page.messages] == ["before", "after"]
    assert page.cursor == str(last + 1)
    assert len(page.unreadable) == 2
    assert (await bot.poll(None)).unreadable == page.unreadable  # the same bytes each time


async def test_a_monstrous_number_spoils_only_its_own_update(fake: FakeBotApi, bot: PollingTelegram) -> None:
    good, bad = (json.dumps({"update_id": number, "message": post(number=number)}) for number in (1, 2))
    bad = bad.replace('"date": 1790000000', '"date": ' + "9" * 5000)
    fake.fail("getUpdates", Failure(200, body=f'{{"ok": true, "result": [{bad}, {good}]}}'.encode()))
    page = await bot.poll(None)
    assert (len(page.messages), len(page.unreadable)) == (1, 1)


async def test_a_much_lower_number_after_an_idle_week_is_followed(fake: FakeBotApi, bot: PollingTelegram) -> None:
    fake.push(update_id=900_000_000, message=post("old", number=1))
    first = await bot.poll(None)
    fake.updates.clear()
    fake.push(update_id=17, message=post("new", number=2))
    page = await bot.poll(first.cursor)
    assert [message.text for message in page.messages] == ["new"]
    assert page.cursor == "18"


async def test_the_long_poll_waits_for_the_next_message(fake: FakeBotApi) -> None:
    async with connect(fake.settings(long_poll="5s")) as connector:
        assert isinstance(connector, PollingTelegram)
        polling = asyncio.create_task(connector.poll(None))
        await fake.waited_for.wait()
        fake.push(message=post("at last"))
        page = await polling
    assert [message.text for message in page.messages] == ["at last"]
    assert fake.called("getUpdates")[0]["timeout"] == 5


async def test_we_can_answer_while_a_poll_waits(fake: FakeBotApi) -> None:
    async with connect(fake.settings(long_poll="5s")) as connector:
        assert isinstance(connector, PollingTelegram)
        message = await heard(fake, connector)
        waiting = asyncio.create_task(connector.poll(Cursor(str(fake.number + 1))))
        await fake.waited_for.wait()
        await connector.reply(answer(message))
        assert not waiting.done()
        fake.push(message=post("next"))
        await waiting


# Answering


async def test_an_answer_hangs_under_the_message(fake: FakeBotApi, bot: PollingTelegram) -> None:
    message = await heard(fake, bot, chat=SUPERGROUP, message_thread_id=3, is_topic_message=True)
    receipt = await bot.reply(answer(message, "*not* <b>bold</b> _at all_"))
    [posted] = fake.posted
    assert posted == {
        "chat_id": SUPERGROUP["id"],
        "message_thread_id": 3,
        "text": "*not* <b>bold</b> _at all_",
        "reply_parameters": {"message_id": 7, "allow_sending_without_reply": True},
    }
    assert receipt.id == f"{SUPERGROUP['id']}/1"


async def test_an_answer_in_a_business_account_goes_through_its_connection(
    fake: FakeBotApi, bot: PollingTelegram
) -> None:
    message = await heard(fake, bot, "business_message", business_connection_id="AQ:x")
    receipt = await bot.reply(answer(message))
    assert (fake.posted[0]["business_connection_id"], fake.posted[0]["chat_id"]) == ("AQ:x", PRIVATE["id"])
    await bot.retract(receipt, None)
    assert fake.called("deleteBusinessMessages") == [{"business_connection_id": "AQ:x", "message_ids": [1]}]


async def test_an_answer_to_an_album_goes_to_its_first_message(fake: FakeBotApi, bot: PollingTelegram) -> None:
    fake.push(message=post(None, number=7, photo=[{"file_id": "a"}], media_group_id="9"))
    fake.push(message=post(None, number=8, photo=[{"file_id": "b"}], media_group_id="9"))
    [album] = (await bot.poll(None)).messages
    await bot.reply(answer(album))
    assert fake.posted[0]["reply_parameters"]["message_id"] == 7


async def test_an_answer_in_direct_messages_of_a_channel(fake: FakeBotApi, bot: PollingTelegram) -> None:
    message = await heard(fake, bot, chat=SUPERGROUP, direct_messages_topic={"topic_id": 501})
    await bot.reply(answer(message))
    assert fake.posted[0]["direct_messages_topic_id"] == 501
    assert "message_thread_id" not in fake.posted[0]


@pytest.mark.parametrize("text", ["https://acme.example/track", "see acme.example/track", "见 acme.中国"])
async def test_a_link_in_an_answer_shows_no_preview(fake: FakeBotApi, bot: PollingTelegram, text: str) -> None:
    await bot.reply(answer(await heard(fake, bot), text))
    assert fake.posted[0]["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4097, "📦" * 2049])
async def test_a_text_that_telegram_cannot_take_is_refused_unasked(
    fake: FakeBotApi, bot: PollingTelegram, text: str
) -> None:
    message = await heard(fake, bot)
    with pytest.raises(Refused):
        await bot.reply(answer(message, text))
    assert fake.posted == []


async def test_the_longest_text_is_taken(fake: FakeBotApi, bot: PollingTelegram) -> None:
    await bot.reply(answer(await heard(fake, bot), "📦" * 2048))
    assert len(fake.posted) == 1


async def test_a_mark_is_a_reaction(fake: FakeBotApi) -> None:
    async with connect(fake.settings(reaction="👌")) as connector:
        assert isinstance(connector, PollingTelegram)
        message = await heard(fake, connector, chat=GROUP)
        await connector.mark(message)
        await connector.mark(message)
    marked = {"chat_id": GROUP["id"], "message_id": 7, "reaction": [{"type": "emoji", "emoji": "👌"}]}
    assert fake.called("setMessageReaction") == [marked, marked]


async def test_in_a_business_account_the_mark_is_that_it_was_read(fake: FakeBotApi, bot: PollingTelegram) -> None:
    await bot.mark(await heard(fake, bot, "business_message", business_connection_id="AQ"))
    assert fake.called("readBusinessMessage") == [{"business_connection_id": "AQ", "chat_id": 501, "message_id": 7}]


async def test_an_album_of_which_no_part_is_known_takes_no_mark_and_a_plain_answer(
    fake: FakeBotApi, bot: PollingTelegram
) -> None:
    album = replace(await heard(fake, bot), id="501/g99")
    with pytest.raises(Refused):
        await bot.mark(album)
    await bot.reply(answer(album))
    assert "reply_parameters" not in fake.posted[0]


async def test_what_was_sent_is_edited_or_deleted(fake: FakeBotApi, bot: PollingTelegram) -> None:
    receipt = await bot.reply(answer(await heard(fake, bot)))
    await bot.retract(receipt, "Sorry, that was not meant for you.")
    await bot.retract(receipt, None)
    [edited] = fake.called("editMessageText")
    assert (edited["chat_id"], edited["message_id"]) == (501, 1)
    assert fake.called("deleteMessage") == [{"chat_id": 501, "message_id": 1}]


@pytest.mark.parametrize(
    ("method", "text", "says"),
    [
        ("editMessageText", "x", "Bad Request: message is not modified: specified new message content is the same"),
        ("deleteMessage", None, "Bad Request: message to delete not found"),
    ],
)
async def test_taking_back_twice_is_taking_back(
    fake: FakeBotApi, bot: PollingTelegram, method: str, text: str | None, says: str
) -> None:
    fake.fail(method, Failure(400, says), Failure(400, "Bad Request: message can't be edited"))
    await bot.retract(Receipt(id="501/1"), text)
    with pytest.raises(Refused, match="can't be edited"):
        await bot.retract(Receipt(id="501/1"), text)


# What goes wrong


@pytest.mark.parametrize(
    ("failure", "error", "unsent", "after"),
    [
        (Failure(401, "Unauthorized"), Denied, None, None),
        (Failure(404, "Not Found"), Denied, None, None),
        (Failure(403, "Forbidden: bot was blocked by the user"), Refused, None, None),
        (Failure(400, "Bad Request: chat not found"), Refused, None, None),
        (Failure(400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -1005}), Refused, None, None),
        (Failure(429, "Too Many Requests: retry after 7", {"retry_after": 7}), Unreachable, True, 7),
        (Failure(429, "Too Many Requests", {"retry_after": -5}), Unreachable, True, 1),
        (Failure(429, "Too Many Requests", {"retry_after": 10**9}), Unreachable, True, 3600),
        (Failure(429, "Too Many Requests", {"retry_after": "soon"}), Unreachable, True, None),
        (Failure(429, body=b"<html>slow down</html>"), Unreachable, True, None),
        (Failure(500, "Internal Server Error"), Unreachable, False, None),
        (Failure(502, body=b"<html>Bad Gateway</html>"), Unreachable, False, None),
        (Failure(403, body=b"<html>a proxy's own page</html>"), Unreachable, False, None),
        (Failure(200, body=b"<html>not JSON</html>"), Unreachable, False, None),
        (Failure(200, body=b"[" * 100_000), Unreachable, False, None),
        (Failure(200, body=b'{"ok": true}'), Unreachable, False, None),
        (Failure(200, body=b'{"ok": true, "result": {"chat": 1}}'), Unreachable, False, None),
        (Failure(200, body=b'{"ok": true, "result": %s}' % (b"9" * 5000)), Unreachable, False, None),
        (Failure(200, body=b'{"ok": true, "result": {"message_id": %s}}' % (b"9" * 5000)), Unreachable, False, None),
        (Failure(breaks=True), Unreachable, False, None),
        (Failure(breaks=True, acts=True), Unreachable, False, None),
    ],
)
async def test_a_failed_answer_says_what_happens_next(
    fake: FakeBotApi,
    bot: PollingTelegram,
    failure: Failure,
    error: type[ConnectorError],
    unsent: bool | None,
    after: int | None,
) -> None:
    message = await heard(fake, bot)
    fake.fail("sendMessage", failure)
    with pytest.raises(error) as caught:
        await bot.reply(answer(message))
    if isinstance(caught.value, Unreachable):
        assert caught.value.unsent is unsent
        assert caught.value.retry_after == (None if after is None else timedelta(seconds=after))


@pytest.mark.parametrize(
    ("failure", "error", "says"),
    [
        (Failure(409, "Conflict: terminated by other getUpdates request"), Unreachable, "two bots or a leaked token"),
        (Failure(401, "Unauthorized"), Denied, "@BotFather"),
        (Failure(429, "Too Many Requests: retry after 3", {"retry_after": 3}), Unreachable, "429"),
        (Failure(500, "Internal Server Error"), Unreachable, "500"),
        (Failure(200, body=b'{"ok": true, "result": {}}'), Unreachable, "not a list"),
        (Failure(200, body=b'{"ok": true, "result": [{"message": {}}]}'), Unreachable, "no numbers"),
        (Failure(breaks=True), Unreachable, "no answer"),
    ],
)
async def test_a_failed_poll_says_what_happens_next(
    fake: FakeBotApi, bot: PollingTelegram, failure: Failure, error: type[ConnectorError], says: str
) -> None:
    fake.push(message=post("still there"))
    fake.fail("getUpdates", failure)
    with pytest.raises(error, match=says):
        await bot.poll(None)
    assert len((await bot.poll(None)).messages) == 1


async def test_an_answer_that_nobody_confirms_is_in_doubt(
    fake: FakeBotApi, bot: PollingTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_ANSWER_WITHIN", 0.05)
    message = await heard(fake, bot)
    fake.fail("sendMessage", Failure(hangs=True, acts=True))
    with pytest.raises(Unreachable) as caught:
        await bot.reply(answer(message))
    assert not caught.value.unsent


async def test_a_server_without_reactions_only_refuses_the_mark(fake: FakeBotApi, bot: PollingTelegram) -> None:
    message = await heard(fake, bot)
    fake.fail("setMessageReaction", Failure(404, "Not Found: method not found"), Failure(501, "Method not implemented"))
    for _ in range(2):
        with pytest.raises(Refused):
            await bot.mark(message)


async def test_a_host_that_is_not_there_got_nothing() -> None:
    settings = Settings.model_validate({"token": TOKEN, "base_url": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(Unreachable) as caught:
        async with connect(settings):
            pass
    assert caught.value.unsent


async def test_a_token_that_telegram_does_not_know_is_denied(fake: FakeBotApi) -> None:
    with pytest.raises(Denied, match="@BotFather"):
        async with connect(fake.settings(token="1:wrong")):
            pass


async def test_a_bot_without_a_username(fake: FakeBotApi) -> None:
    fake.me = {"id": 7, "is_bot": True, "first_name": "Fixture"}
    async with connect(fake.settings()) as connector:
        assert (connector.me.id, connector.me.handle) == ("7", None)
