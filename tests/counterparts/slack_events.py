"""A Slack workspace on a real socket: Web API, Socket Mode and signed calls, with faults on demand.

    async with workspace() as slack:
        slack.say("my card was charged twice")       # stands in the history; told to whoever listens
        slack.fail("chat.postMessage", Failure(status=429, retry_after=1))

It follows docs.slack.dev: a history is newest first, and its cursor leads to what is older (`forwards`: by
`oldest` alone it begins with what comes next after that, as others have seen it); metadata is shown only to
whoever asks for it; replies stand only in `conversations.replies`; what was said while nobody listened is
never told later; a socket's envelope that nobody acknowledged is told again to the next socket; a call that
is not answered with 200 within three seconds is made up to three times more.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

__all__ = ["APP_TOKEN", "BOT_TOKEN", "CHANNEL", "DIRECT", "SECRET", "Failure", "Workspace", "sign", "workspace"]

BOT_TOKEN = "xoxb-canary-ThisMustNeverBeSeen"
APP_TOKEN = "xapp-canary-NorMustThis"
SECRET = "canary-signing-secret-never-seen"
CHANNEL, DIRECT = "C0HELP", "D0DIRECT"
BOT, BOT_ID, MING = "U0CARE", "B0CARE", "U0MING"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """What the next call gets instead; `acts`: it is done all the same, and only the answer is lost."""

    error: str = "internal_error"
    status: int = 200
    retry_after: int | None = None
    body: bytes | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    breaks: bool = False
    acts: bool = False


@dataclass(slots=True)
class Workspace:
    url: str = ""
    hook: str | None = None
    """Where to call with events."""
    rooms: dict[str, list[Json]] = field(default_factory=lambda: {CHANNEL: [], DIRECT: []})
    calls: list[tuple[str, Json]] = field(default_factory=list)
    failures: dict[str, deque[Failure]] = field(default_factory=dict)
    reactions: set[tuple[str, str]] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)
    """All events so far, as they were signed."""
    answers: list[int] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    greets: bool = True
    echoes: bool = True
    """Whether its sockets answer pings: a half-open one does not."""
    revoked: bool = False
    forwards: bool = False
    cursors: bool = True
    """Whether a history names a cursor where there is more."""
    tells_latest_reply: bool = True
    groups: set[str] = field(default_factory=set)
    """Rooms that are direct messages of several people."""
    slow: set[str] = field(default_factory=set)
    """Methods that are answered after a minute."""
    most_at_once: int = 0
    """Sockets that were open together."""
    _now: int = 0
    _owed: dict[str, Json] = field(default_factory=dict)
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _echo: asyncio.Event = field(default_factory=asyncio.Event)
    _session: aiohttp.ClientSession | None = None
    _telling: set[asyncio.Task[None]] = field(default_factory=set)

    def settings(self, **more: object) -> Json:
        return {"bot_token": BOT_TOKEN, "base_url": f"{self.url}/api/", **more}

    def events_settings(self, **more: object) -> Json:
        return self.settings(signing_secret=SECRET, **more)

    def socket_settings(self, **more: object) -> Json:
        return self.settings(mode="socket", app_token=APP_TOKEN, **more)

    def fail(self, method: str, *failures: Failure) -> None:
        self.failures.setdefault(method, deque()).extend(failures)

    def called(self, method: str) -> list[Json]:
        return [fields for name, fields in self.calls if name == method]

    def posted(self) -> list[Json]:
        """What the bot has said, wherever."""
        return [one for room in self.rooms.values() for one in room if one.get("user") == BOT]

    # What people do.

    def tick(self) -> str:
        """Slack's own time, which only grows."""
        self._now = max(self._now + 1, int(time.time() * 1_000_000))
        return f"{self._now // 1_000_000:010d}.{self._now % 1_000_000:06d}"

    def say(self, text: str, *, told: bool = True, room: str = CHANNEL, user: str = MING, **more: Any) -> Json:
        message = {"type": "message", "user": user, "text": text, "ts": self.tick(), **more}
        self.rooms.setdefault(room, []).append(message)
        if told:
            self.tell({**message, **self._about(room), "event_ts": message["ts"]})
        return message

    def edit(self, message: Json, text: str, *, told: bool = True, room: str = CHANNEL) -> None:
        before, now = dict(message), self.tick()
        message |= {"text": text, "edited": {"user": message["user"], "ts": now}}
        if told:
            change = {"type": "message", "subtype": "message_changed", "message": dict(message), "hidden": True}
            self.tell({**change, "previous_message": before, **self._about(room), "ts": now, "event_ts": now})

    def delete(self, message: Json, *, told: bool = True, room: str = CHANNEL) -> None:
        self.rooms[room].remove(message)
        now = self.tick()
        if told:
            notice = {"type": "message", "subtype": "message_deleted", "deleted_ts": message["ts"], "hidden": True}
            self.tell({**notice, "previous_message": message, **self._about(room), "ts": now, "event_ts": now})

    def _about(self, room: str) -> Json:
        kind = "im" if room.startswith("D") else "mpim" if room in self.groups else "channel"
        return {"channel": room, "channel_type": kind}

    def _room(self, room: str) -> Json:
        return {"id": room, "is_im": room.startswith("D"), "is_mpim": room in self.groups, "is_member": True}

    # How it tells.

    def tell(self, event: Json) -> None:
        """To the hook and to one of the sockets; where there is neither, to nobody ever."""
        number = len(self.bodies) + 1
        authorizations: list[Json] = [{"team_id": "T1", "user_id": BOT, "is_bot": True, "is_enterprise_install": False}]
        body: Json = {"type": "event_callback", "team_id": "T1", "event": event, "event_id": f"Ev{number}"}
        body |= {"event_time": int(time.time()), "authorizations": authorizations}
        self.bodies.append(json.dumps(body).encode())
        if self.hook is not None:
            self._start(self._call(self.bodies[-1]))
        if self._sockets:
            envelope = {"type": "events_api", "envelope_id": f"e{number}", "payload": body}
            self._owed[f"e{number}"] = envelope
            self._start(self._send(self._sockets[-1], envelope))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _send(self, ws: web.WebSocketResponse, told: Json) -> None:
        with suppress(ConnectionError, RuntimeError):
            await ws.send_json(told)

    async def _call(self, body: bytes) -> None:
        for number in range(4):
            retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_error"} if number else {}
            try:
                assert self._session is not None
                assert self.hook is not None
                async with self._session.post(self.hook, data=body, headers={**sign(body), **retry}) as answer:
                    self.answers.append(answer.status)
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError):
                self.answers.append(0)
            await asyncio.sleep(0.3)  # Slack waits longer

    async def connected(self) -> None:
        async with asyncio.timeout(40):
            await self._connected.wait()

    async def heard_out(self) -> None:
        """Until all that the other end has sent so far is here: it answers a ping after that."""
        self._echo.clear()
        await self._sockets[-1].ping()
        async with asyncio.timeout(10):
            await self._echo.wait()

    async def hang_up(self, reason: str | None = None) -> None:
        """End all sockets, with a word of farewell or without."""
        for ws in list(self._sockets):
            if reason is None and ws._req is not None and ws._req.transport is not None:
                ws._req.transport.abort()
            else:
                await self._send(ws, {"type": "disconnect", "reason": reason})
        self._connected.clear()

    # What it answers.

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        asked = dict(request.query) if request.method == "GET" else json.loads(await request.read() or b"{}")
        self.calls.append((method, asked))
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if self.revoked or request.headers.get("Authorization") != f"Bearer {wanted}":
            return _no(Failure("token_revoked" if self.revoked else "invalid_auth"))
        if method in self.slow:
            await asyncio.sleep(60)
        if waiting := self.failures.get(method):
            failure = waiting.popleft()
            if failure.acts:
                self.answer(method, asked, request)
            return _broken(request) if failure.breaks else _no(failure)
        result = self.answer(method, asked, request)
        return _no(result) if isinstance(result, Failure) else web.json_response({"ok": True, **result})

    def answer(self, method: str, asked: Json, request: web.Request) -> Json | Failure:
        if "channel" in asked and asked["channel"] not in self.rooms:
            return Failure("channel_not_found")
        act: dict[str, Callable[[Json], Json | Failure]] = {
            "auth.test": lambda _: {
                "user_id": BOT, "user": "care", "bot_id": BOT_ID, "team_id": "T1", "url": "https://acme.slack.com/",
            },
            "apps.connections.open": lambda _: {"url": f"ws://{request.host}/link?ticket={len(self.calls)}"},
            "users.conversations": lambda _: {"channels": [self._room(room) for room in self.rooms]},
            "conversations.info": lambda asked: {"channel": self._room(asked["channel"])},
            "users.info": lambda asked: {"user": {"profile": {"display_name": f"{asked['user']} Ming"}}},
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "chat.postMessage": self.post,
            "chat.update": self.update,
            "chat.delete": self.remove,
            "reactions.add": self.react,
        }  # fmt: skip
        return act[method](asked) if method in act else Failure("unknown_method")

    def history(self, asked: Json) -> Json:
        top = [one for one in self.rooms[asked["channel"]] if one.get("thread_ts", one["ts"]) == one["ts"]]
        forwards = self.forwards and "latest" not in asked
        roots = [self._root(one, asked["channel"]) for one in top]
        page, more = _page(roots, asked, forwards=forwards, cursors=self.cursors)
        return {"messages": page[::-1], **more}

    def replies(self, asked: Json) -> Json | Failure:
        room = self.rooms[asked["channel"]]
        root = next((one for one in room if one["ts"] == asked["ts"]), None)
        if root is None:
            return Failure("thread_not_found")
        below = [one for one in room if one.get("thread_ts") == asked["ts"] and one is not root]
        page, more = _page(below, asked, forwards=True)
        return {"messages": [self._root(root, asked["channel"]), *page], **more}

    def _root(self, message: Json, room: str) -> Json:
        below = [one["ts"] for one in self.rooms[room] if one.get("thread_ts") == message["ts"] and one is not message]
        about = {"thread_ts": message["ts"], "reply_count": len(below)} if below else {}
        latest = {"latest_reply": max(below)} if below and self.tells_latest_reply else {}
        return {**message, **about, **latest}

    def post(self, asked: Json) -> Json:
        below = {"thread_ts": asked["thread_ts"]} if "thread_ts" in asked else {}
        about = {"bot_id": BOT_ID, "metadata": asked.get("metadata"), **below}
        message = self.say(asked["text"], room=asked["channel"], user=BOT, **about)
        return {"channel": asked["channel"], "ts": message["ts"], "message": message}

    def update(self, asked: Json) -> Json | Failure:
        return self._changed(asked, lambda _, message: message.update(text=asked["text"]))

    def remove(self, asked: Json) -> Json | Failure:
        return self._changed(asked, lambda room, message: room.remove(message))

    def _changed(self, asked: Json, change: Callable[[list[Json], Json], None]) -> Json | Failure:
        room = self.rooms[asked["channel"]]
        for message in room:
            if message["ts"] == asked["ts"]:
                change(room, message)
                return {}
        return Failure("message_not_found")

    def react(self, asked: Json) -> Json | Failure:
        if all(one["ts"] != asked["timestamp"] for one in self.rooms[asked["channel"]]):
            return Failure("message_not_found")
        reaction = (asked["timestamp"], asked["name"])
        if reaction in self.reactions:
            return Failure("already_reacted")
        self.reactions.add(reaction)
        return {}

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        if self.greets:
            await ws.send_json({"type": "hello", "num_connections": 1})
        self._sockets.append(ws)
        self.most_at_once = max(self.most_at_once, len(self._sockets))
        self._connected.set()
        for envelope in list(self._owed.values()):
            await ws.send_json({**envelope, "retry_attempt": 1, "retry_reason": "timeout"})
        try:
            async for frame in ws:
                if frame.type == WSMsgType.PING and self.echoes:
                    await ws.pong(frame.data)
                if frame.type == WSMsgType.PONG:
                    self._echo.set()
                if frame.type == WSMsgType.TEXT:
                    identity = json.loads(frame.data)["envelope_id"]
                    self.acknowledged.append(identity)
                    self._owed.pop(identity, None)
        finally:
            self._sockets.remove(ws)
        return ws


def sign(body: bytes, at: float | None = None) -> dict[str, str]:
    """The headers of a genuine call."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}", "Content-Type": "application/json"}


def _page(told: list[Json], asked: Json, *, forwards: bool, cursors: bool = True) -> tuple[list[Json], Json]:
    """A slice of what lies between `oldest` and `latest`, oldest first; the cursor names where the next begins."""
    size = int(asked.get("limit", 100))
    found = [one for one in told if str(asked.get("oldest", "")) < one["ts"] < str(asked.get("latest", "~"))]
    found = sorted(found, key=lambda one: str(one["ts"]), reverse=not forwards)
    if start := str(asked.get("cursor") or ""):
        found = [one for one in found if (one["ts"] >= start if forwards else one["ts"] <= start)]
    page, rest = found[:size], found[size:]
    cursor = {"response_metadata": {"next_cursor": rest[0]["ts"]}} if rest and cursors else {}
    page = [one if asked.get("include_all_metadata") else _without(one, "metadata") for one in page]
    return sorted(page, key=lambda one: str(one["ts"])), {"has_more": bool(rest), **cursor}


def _without(message: Json, name: str) -> Json:
    return {key: value for key, value in message.items() if key != name}


def _no(failure: Failure) -> web.Response:
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    if failure.body is not None:
        return web.Response(status=failure.status, body=failure.body, headers=headers, content_type="application/json")
    told = {"ok": False, "error": failure.error, **failure.more}
    return web.json_response(told, status=failure.status, headers=headers)


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    slack = Workspace()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", slack.handle)
    app.router.add_get("/link", slack.link)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slack.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            slack._session = session
            yield slack
            for task in list(slack._telling):
                task.cancel()
    finally:
        await runner.cleanup()
