"""Webhook calls: who may speak, and what is taken."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.api import Hook, HookAnswer, Message
from connectors.net import open_http
from connectors.telegram import plugin
from connectors.telegram.connector import HookedTelegram, connect
from tests.connectors.telegram.fake_api import FakeBotApi
from tests.connectors.telegram.samples import update

SECRET = "Shop_secret-42"
HEADER = "x-telegram-bot-api-secret-token"
URL = "https://care.acme.example/hooks/telegram-care"


@pytest_asyncio.fixture
async def bot(fake: FakeBotApi) -> AsyncIterator[HookedTelegram]:
    async with connect(fake.settings(mode="webhook", secret=SECRET, webhook_url=URL)) as connector:
        assert isinstance(connector, HookedTelegram)
        yield connector


def hook(body: Any, secret: str | None = SECRET, method: str = "POST") -> Hook:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Hook(method=method, headers={} if secret is None else {HEADER: secret}, query={}, body=raw)


async def test_telegram_is_told_where_we_are(fake: FakeBotApi, bot: HookedTelegram) -> None:
    assert fake.webhook["url"] == URL
    assert fake.webhook["secret_token"] == SECRET
    assert fake.webhook["drop_pending_updates"] is False
    assert "edited_message" in fake.webhook["allowed_updates"]
    assert fake.called("deleteWebhook") == []


async def test_without_an_address_the_webhook_is_left_alone(fake: FakeBotApi) -> None:
    async with connect(fake.settings(mode="webhook", secret=SECRET)):
        pass
    assert fake.called("setWebhook") == []


@pytest.mark.parametrize("mode", ["poll", "webhook"])
async def test_a_visit_changes_nothing_at_telegram(mode: str, fake: FakeBotApi) -> None:
    fake.webhook = {"url": "https://somebody.else.example"}
    assert plugin.visit is not None
    settings = fake.settings(mode=mode, secret=SECRET, webhook_url=URL)
    async with open_http() as http, plugin.visit(settings, http) as connector:
        assert connector.me.id == "4242"
    assert [call.method for call in fake.calls] == ["getMe"]


async def test_an_update_is_taken(fake: FakeBotApi, bot: HookedTelegram) -> None:
    before = len(fake.calls)
    answer = await bot.hear(hook(update(text="我的包裹呢")))
    assert answer.status == 200
    assert [message.text for message in answer.page.messages] == ["我的包裹呢"]
    assert answer.page.cursor is None
    assert len(fake.calls) == before


@pytest.mark.parametrize(
    "secret",
    [None, "", SECRET[:-1], SECRET + "x", SECRET.lower(), "密码", "\udcff", "Ｓhop_secret-42", " " + SECRET],
)
async def test_a_wrong_secret_is_turned_away_with_an_empty_page(bot: HookedTelegram, secret: str | None) -> None:
    assert await bot.hear(hook(update(), secret)) == HookAnswer(status=401)


async def test_nothing_is_read_before_the_secret_is_right(bot: HookedTelegram) -> None:
    for body in (b"{", b"\xff", b"[" * 200_000):
        assert await bot.hear(hook(body, "wrong")) == HookAnswer(status=401)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"[" * 200_000, b"9" * 5000, b" " * 1_000_001, b'{"message": {}}'],
)
async def test_what_cannot_be_read_is_kept_aside_and_answered(bot: HookedTelegram, body: bytes) -> None:
    answer = await bot.hear(hook(body))
    assert answer.status == 200
    assert answer.page.messages == ()
    [unreadable] = answer.page.unreadable
    assert unreadable.reason


async def test_a_technical_update_is_answered_and_forgotten(bot: HookedTelegram) -> None:
    assert await bot.hear(hook({"update_id": 1, "my_chat_member": {}})) == HookAnswer()


async def test_only_a_post_is_a_call(bot: HookedTelegram) -> None:
    assert (await bot.hear(hook(update(), method="GET"))).status == 405


async def test_an_album_told_call_by_call_is_one_message_with_revisions(bot: HookedTelegram) -> None:
    messages: list[Message] = []
    for number in (7, 8):
        body = update(text=None, number=number, photo=[{"file_id": f"F{number}"}], media_group_id="9")
        messages += (await bot.hear(hook(body))).page.messages
    assert messages[0].id == messages[1].id
    assert messages[0].revision < messages[1].revision
    assert len(messages[1].parts) == 2
