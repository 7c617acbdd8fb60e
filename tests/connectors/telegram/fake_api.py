"""The Bot API on a real socket, for what the emulator lacks: limits, faults, reactions, a username.

It follows core.telegram.org/bots/api: an update is given again until an offset beyond it is asked
for, a webhook and a poll exclude each other, errors carry `error_code`, `description`, `parameters`.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from connectors.telegram.settings import Settings

__all__ = ["TOKEN", "Call", "Failure", "FakeBotApi", "serve"]

TOKEN = "4242:canary-BBxThisMustNeverBeSeen"
ME = {"id": 4242, "is_bot": True, "first_name": "Acme Care", "username": "AcmeCareBot"}


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """What the next call gets instead: an error, any bytes, or a connection that breaks or hangs."""

    status: int = 400
    description: str = "Bad Request"
    parameters: dict[str, Any] | None = None
    body: bytes | None = None
    breaks: bool = False
    hangs: bool = False
    acts: bool = False


@dataclass(slots=True)
class FakeBotApi:
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, deque[Failure]] = field(default_factory=dict)
    webhook: dict[str, Any] = field(default_factory=dict)
    me: dict[str, Any] = field(default_factory=lambda: dict(ME))
    number: int = 1000
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    waited_for: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def settings(self, **more: object) -> Settings:
        return Settings.model_validate({"token": TOKEN, "base_url": self.url, "long_poll": "0s", **more})

    def fail(self, method: str, *failures: Failure) -> None:
        self.failures.setdefault(method, deque()).extend(failures)

    def push(self, **update: object) -> int:
        """Add an update; its number is the next, or the one given."""
        last = self.updates[-1]["update_id"] if self.updates else self.number
        numbered: dict[str, Any] = {"update_id": last + 1, **update}
        self.number = numbered["update_id"]
        self.updates.append(numbered)
        self.arrived.set()
        return self.number

    def called(self, method: str) -> list[dict[str, Any]]:
        return [call.fields for call in self.calls if call.method == method]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fields = {name: _decoded(str(value)) for name, value in (await request.post()).items()}
        self.calls.append(Call(method, fields))
        if request.match_info["token"] != TOKEN:
            return _error(Failure(401, "Unauthorized"))
        if waiting := self.failures.get(method):
            failure = waiting.popleft()
            if failure.acts:
                await self.answer(method, fields)
            if failure.hangs:
                await self.released.wait()
            return _broken(request) if failure.breaks else _error(failure)
        return await self.answer(method, fields)

    async def answer(self, method: str, fields: dict[str, Any]) -> web.Response:
        act: dict[str, Callable[[dict[str, Any]], Awaitable[object]]] = {
            "getMe": self.get_me,
            "getUpdates": self.get_updates,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "sendMessage": self.send_message,
            "editMessageText": self.edit_message,
            "deleteMessage": self.agree,
            "deleteBusinessMessages": self.agree,
            "setMessageReaction": self.agree,
            "readBusinessMessage": self.agree,
        }
        if method not in act:
            return _error(Failure(404, "Not Found: method not found"))
        result = await act[method](fields)
        return _error(result) if isinstance(result, Failure) else web.json_response({"ok": True, "result": result})

    async def get_me(self, fields: dict[str, Any]) -> object:
        return self.me

    async def get_updates(self, fields: dict[str, Any]) -> object:
        if self.webhook:
            return Failure(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = fields.get("offset", 0)
        stale = offset > self.number + 1  # from before the numbers started anew
        self.updates = [update for update in self.updates if stale or update["update_id"] >= offset]
        if not self.updates and fields.get("timeout"):
            self.arrived.clear()
            self.waited_for.set()
            try:
                await asyncio.wait_for(self.arrived.wait(), fields["timeout"])
            except TimeoutError:
                return []
        return self.updates[: fields.get("limit", 100)]

    async def set_webhook(self, fields: dict[str, Any]) -> object:
        self.webhook = fields
        return True

    async def delete_webhook(self, fields: dict[str, Any]) -> object:
        self.webhook = {}
        if fields.get("drop_pending_updates"):
            self.updates.clear()
        return True

    async def send_message(self, fields: dict[str, Any]) -> object:
        message = {"message_id": len(self.posted) + 1, "date": 1, "chat": {"id": fields["chat_id"], "type": "private"}}
        self.posted.append(fields)
        return {**message, "text": fields["text"]}

    async def edit_message(self, fields: dict[str, Any]) -> object:
        return {"message_id": fields["message_id"], "text": fields["text"]}

    async def agree(self, fields: dict[str, Any]) -> object:
        return True


def _decoded(value: str) -> Any:
    """Form fields carry JSON where they are no plain text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _error(failure: Failure) -> web.Response:
    if failure.body is not None:
        return web.Response(status=failure.status, body=failure.body)
    told: dict[str, Any] = {"ok": False, "error_code": failure.status, "description": failure.description}
    if failure.parameters is not None:
        told["parameters"] = failure.parameters
    return web.json_response(told, status=failure.status)


def _broken(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def serve() -> AsyncIterator[FakeBotApi]:
    fake = FakeBotApi()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", fake.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        fake.released.set()
        await runner.cleanup()
