"""The exam that every connector sits: by polls, by webhook, and in a business account."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Any, ClassVar, cast

from aiohttp import web

from connectors.api import Hook, Listens, Page
from connectors.telegram import plugin
from connectors.testing import ConnectorContract, FakeChannel, Item
from connectors.testing.sitting import Ear, Sitting, sitting

TOKEN = "4242:exam-token-that-nobody-may-see"
SECRET = "exam-secret-that-nobody-may-see"
PAGE = 100


class TelegramChannel(FakeChannel):
    """The Bot API: one path a method, form fields, and updates numbered from 1."""

    deletes = False  # a bot is not told
    hangs = False  # the calls go through python-telegram-bot
    signs_body = False  # a static header
    kinds: ClassVar[tuple[str, str]] = ("message", "edited_message")
    more: ClassVar[dict[str, Any]] = {}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        _, bot, method = request.path.split("/")
        if bot != f"bot{TOKEN}":
            return self.denial()
        methods: dict[str, Callable[[dict[str, Any]], object]] = {
            "getMe": lambda _: {"id": 4242, "is_bot": True, "first_name": "Acme Care", "username": "AcmeCareBot"},
            "deleteWebhook": lambda _: True,
            "setWebhook": lambda _: True,
            "getUpdates": self.updates,
            "sendMessage": self.send,
            "editMessageText": lambda asked: self.unsay(f"r{asked['message_id']}", asked["text"]),
            "deleteMessage": lambda asked: self.unsay(f"r{asked['message_id']}"),
            "deleteBusinessMessages": lambda asked: self.unsay(f"r{json.loads(asked['message_ids'])[0]}"),
            "setMessageReaction": self.react,
            "readBusinessMessage": self.react,
        }
        asked = {name: str(value) for name, value in (await request.post()).items()}
        return web.json_response({"ok": True, "result": methods[method](asked)})

    def updates(self, asked: dict[str, Any]) -> object:
        told = self.since(int(asked.get("offset", 1)) - 1, min(int(asked["limit"]), PAGE))
        return [self.update(item) for item in told]

    def send(self, asked: dict[str, Any]) -> object:
        connection = asked.get("business_connection_id")
        thread = asked["chat_id"] if connection is None else f"b:{connection}:{asked['chat_id']}"
        said = self.say(asked["text"], thread=thread)
        return {"message_id": int(said.id[1:]), "date": 1, "chat": {"id": int(asked["chat_id"]), "type": "private"}}

    def react(self, asked: dict[str, Any]) -> object:
        self.marks.add(f"{asked['chat_id']}/{asked['message_id']}")
        return True

    def update(self, item: Item) -> dict[str, Any]:
        message: dict[str, Any] = {
            "message_id": int(item.id),
            "date": int(item.sent_at.timestamp()),
            "chat": {"id": int(item.thread), "type": "private"},
            "from": {"id": int(item.author.id), "is_bot": item.author.bot, "first_name": item.author.name},
            "text": item.text,
            **self.more,
        }
        if item.revision:
            message["edit_date"] = message["date"] + item.revision
        if item.spoiled:
            del message["date"]
        return {"update_id": item.number, self.kinds[item.revision > 0]: message}

    def body(self, items: Sequence[Item]) -> bytes:
        [item] = items  # Telegram never puts two updates into one call
        return json.dumps(self.update(item)).encode()

    def signed(self, body: bytes) -> Hook:
        return Hook(method="POST", headers={"x-telegram-bot-api-secret-token": SECRET}, query={}, body=body)

    def denial(self) -> web.Response:
        return _error(401, "Unauthorized")

    def refusal(self) -> web.Response:
        return _error(403, "Forbidden: bot was blocked by the user")

    def limit(self, seconds: int) -> web.Response:
        return _error(429, f"Too Many Requests: retry after {seconds}", parameters={"retry_after": seconds})

    def outage(self) -> web.Response:
        return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


def _error(status: int, description: str, **more: object) -> web.Response:
    return web.json_response({"ok": False, "error_code": status, "description": description, **more}, status=status)


class BusinessChannel(TelegramChannel):
    """A business account tells what was deleted."""

    deletes = True
    kinds = ("business_message", "edited_business_message")
    more: ClassVar[dict[str, Any]] = {"business_connection_id": "AQ:b"}

    def update(self, item: Item) -> dict[str, Any]:
        if not item.deleted:
            return super().update(item)
        chat = {"id": int(item.thread), "type": "private"}
        notice = {**self.more, "chat": chat, "message_ids": [int(item.id)]}
        return {"update_id": item.number, "deleted_business_messages": notice}


class OneACall(Sitting):
    """Hears item by item, as Telegram calls."""

    async def pages(self, after: object = None, *, wanted: int | None = None) -> list[Page]:
        items = self.channel.items if wanted is None else self.channel.items[len(self.channel.items) - wanted :]
        calls = [self.channel.signed(self.channel.body([item])) for item in items]
        return [(await self.within(cast("Listens", self.connector).hear(call))).page for call in calls]


class TestByPolls(ConnectorContract):
    plugin = plugin
    channel: ClassVar[type[FakeChannel]] = TelegramChannel
    ears = ("polls",)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {"token": TOKEN, "base_url": base_url, "long_poll": "0s"}


class TestABusinessAccount(TestByPolls):
    channel = BusinessChannel


class TestByWebhook(ConnectorContract):
    plugin = plugin
    channel: ClassVar[type[FakeChannel]] = TelegramChannel
    ears = ("listens",)

    def settings(self, base_url: str) -> dict[str, Any]:
        url = "https://care.acme.example/hooks/telegram"
        return {"token": TOKEN, "base_url": base_url, "mode": "webhook", "secret": SECRET, "webhook_url": url}

    async def ask(self, question: Callable[[Any, Sitting], Awaitable[None]], ear: Ear | None) -> None:
        async with sitting(self.plugin, self.channel(), self.settings, ear) as s:
            await question(self, OneACall(**{field.name: getattr(s, field.name) for field in fields(s)}))
