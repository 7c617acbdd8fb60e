"""The exam that every connector sits: by calls of Slack's, by the history, and through a socket."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, ClassVar, cast

from aiohttp import web

from connectors.api import Hook, Listens, Page
from connectors.slack import plugin
from connectors.slack.mrkdwn import escaped, plain
from connectors.slack.places import time_of, time_text
from connectors.testing import ConnectorContract, FakeChannel, Item, Said
from connectors.testing.sitting import Ear, Sitting, sitting

BOT_TOKEN = "xoxb-exam-token-that-nobody-may-see"
APP_TOKEN = "xapp-exam-token-that-nobody-may-see"
SECRET = "exam-secret-that-nobody-may-see"
CHANNEL = "C0EXAM"
COMMON = {"bot_token": BOT_TOKEN, "channels": [CHANNEL], "backfill": "36000d"}
ME = {"user_id": "U0CARE", "user": "care", "bot_id": "B0CARE", "url": "https://acme.slack.com/"}


class SlackChannel(FakeChannel):
    """The Web API with one channel, Socket Mode, and deliveries of one event each, signed."""

    hangs = False  # the calls go through slack_sdk

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str] = {}
        self.times: dict[str, str] = {}

    # What was said, as Slack tells it.

    def _add(self, item: Item, *, in_place: bool = False) -> Item:
        """Slack gives out times that only grow, a microsecond later where two are the same."""
        if item.id not in self.times:
            last = max((time_of(ts) for ts in self.times.values()), default=item.sent_at)
            at = max(item.sent_at, last + timedelta(microseconds=1)) if self.times else item.sent_at
            self.times[item.id] = time_text(at)
        return super()._add(item, in_place=in_place)

    def message(self, item: Item) -> dict[str, Any]:
        profile = {"display_name": item.author.name}
        told: dict[str, Any] = {
            "type": "message",
            "user": item.author.id,
            "text": 5 if item.spoiled else escaped(item.text),
            "ts": self.times[item.id],
            "user_profile": profile,
        }
        if item.author.bot:
            told |= {"bot_id": ME["bot_id"]}
        return told

    def event(self, item: Item) -> dict[str, Any]:
        now, message = f"19000000{item.number:02d}.000000", self.message(item)
        about = {"type": "message", "channel": CHANNEL, "channel_type": "channel", "event_ts": now, "ts": now}
        if item.deleted:
            return {**about, "subtype": "message_deleted", "deleted_ts": message["ts"], "hidden": True}
        if item.revision:
            edited = {"user": item.author.id, "ts": now}
            return {**about, "subtype": "message_changed", "message": {**message, "edited": edited}, "hidden": True}
        return {**message, "channel": CHANNEL, "channel_type": "channel", "event_ts": message["ts"]}

    # The Web API.

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/link":
            return await self.socket(request)
        method = request.path.removeprefix("/api/")
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers["Authorization"] != f"Bearer {wanted}":
            return self.denial()
        asked = dict(request.query) if request.method == "GET" else await _body(request)
        methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": lambda _: ME,
            "apps.connections.open": lambda _: {"url": f"ws://{request.host}/link?ticket=1"},
            "conversations.info": lambda asked: {"channel": {"id": asked["channel"]}},
            "conversations.history": self.history,
            "conversations.replies": self.history,
            "chat.postMessage": self.posted,
            "chat.update": lambda asked: self.changed(asked, plain(asked["text"])),
            "chat.delete": lambda asked: self.changed(asked, None),
            "reactions.add": self.react,
        }
        return web.json_response({"ok": True, **methods[method](asked)})

    def history(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Newest first; the cursor leads to what is older."""
        told = [self.message(item) for item in self.items if item.revision == 0]
        told += [self.answer(said) for said in self.said]
        oldest, newest, size = float(asked.get("oldest", 0)), float(asked.get("cursor", "inf")), int(asked["limit"])
        found = sorted((one for one in told if oldest < float(one["ts"]) <= newest), key=lambda one: -float(one["ts"]))
        cursor = found[size]["ts"] if len(found) > size else ""
        hidden = set() if asked.get("include_all_metadata") else {"metadata"}
        shown = [{name: one[name] for name in one.keys() - hidden} for one in found[:size]]
        return {"messages": shown, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}

    def answer(self, said: Said) -> dict[str, Any]:
        ts = said.id.partition("/")[2]
        payload = {"event_type": "heedful_ack", "event_payload": {"key": self.keys[said.id]}}
        about = {"user": ME["user_id"], "bot_id": ME["bot_id"], "metadata": payload}
        return {"type": "message", "ts": ts, "text": escaped(said.text or ""), **about}

    def posted(self, asked: dict[str, Any]) -> dict[str, Any]:
        ts = f"19500000{len(self.said):02d}.000000"
        said = self.say(plain(asked["text"]), thread=f"{asked['channel']}/{asked['thread_ts']}")
        self.said[-1] = replace(said, id=f"{CHANNEL}/{ts}")
        self.keys[f"{CHANNEL}/{ts}"] = asked["metadata"]["event_payload"]["key"]
        assert asked["mrkdwn"] is False
        return {"channel": asked["channel"], "ts": ts}

    def changed(self, asked: dict[str, Any], text: str | None) -> dict[str, Any]:
        assert self.unsay(f"{asked['channel']}/{asked['ts']}", text)
        return {}

    def react(self, asked: dict[str, Any]) -> dict[str, Any]:
        place = f"{asked['channel']}/{asked['timestamp']}"
        again = place in self.marks
        self.marks.add(place)
        return {"ok": False, "error": "already_reacted"} if again else {}

    async def socket(self, request: web.BaseRequest) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_json({"type": "hello", "num_connections": 1})
        async for item in self.live(len(self.items)):
            body = {"type": "event_callback", "event": self.event(item), "event_id": f"Ev{item.number}"}
            await ws.send_json({"type": "events_api", "envelope_id": f"e{item.number}", "payload": body})
        await ws.close()
        return ws

    # Deliveries.

    def body(self, items: Sequence[Item]) -> bytes:
        [item] = items  # Slack never puts two events into one call
        return json.dumps({"type": "event_callback", "event_id": "Ev1", "event": self.event(item)}).encode()

    def signed(self, body: bytes) -> Hook:
        return signed(body, time.time())

    def stale(self, body: bytes) -> Hook | None:
        return signed(body, time.time() - 301)

    # Failures: with status 200, but for the limit.

    def denial(self) -> web.Response:
        return web.json_response({"ok": False, "error": "token_revoked"})

    def refusal(self) -> web.Response:
        return web.json_response({"ok": False, "error": "restricted_action"})

    def limit(self, seconds: int) -> web.Response:
        answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(answer, status=429, headers={"Retry-After": str(seconds)})


async def _body(request: web.BaseRequest) -> dict[str, Any]:
    return dict(json.loads(await request.read() or b"{}"))


def signed(body: bytes, at: float) -> Hook:
    stamp = str(int(at))
    digest = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}
    return Hook(method="POST", headers=headers, query={}, body=body)


class AsItStands(SlackChannel):
    """A history shows only what stands there now: no edit apart from its original, nothing deleted."""

    edits = False
    deletes = False


class OneACall(Sitting):
    """Hears item by item, as Slack calls."""

    async def pages(self, after: object = None, *, wanted: int | None = None) -> list[Page]:
        items = self.channel.items if wanted is None else self.channel.items[len(self.channel.items) - wanted :]
        calls = [self.channel.signed(self.channel.body([item])) for item in items]
        return [(await self.within(cast("Listens", self.connector).hear(call))).page for call in calls]


class TestByHistory(ConnectorContract):
    """`mode: events`, where it catches up."""

    plugin = plugin
    channel: ClassVar[type[FakeChannel]] = AsItStands
    ears = ("polls", "listens")
    heard_by: ClassVar[tuple[Ear, ...]] = ("polls",)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {**COMMON, "signing_secret": SECRET, "base_url": f"{base_url}/api/"}

    def open_ears(self) -> tuple[Ear, ...]:
        return self.heard_by


class TestByCalls(TestByHistory):
    """`mode: events`, where Slack calls."""

    channel = SlackChannel
    heard_by = ("listens",)

    async def ask(self, question: Callable[[Any, Sitting], Awaitable[None]], ear: Ear | None) -> None:
        async with sitting(self.plugin, self.channel(), self.settings, ear) as s:
            await question(self, OneACall(**{field.name: getattr(s, field.name) for field in fields(s)}))


class TestThroughASocket(ConnectorContract):
    """`mode: socket`: the history first, then what comes through."""

    plugin = plugin
    channel = AsItStands
    ears = ("streams",)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {**COMMON, "mode": "socket", "app_token": APP_TOKEN, "base_url": f"{base_url}/api/"}
