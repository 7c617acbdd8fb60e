"""The exam asked of a connector with all the rarer abilities: it streams, reads back, marks and takes back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.api import (
    Author,
    Cursor,
    Http,
    Message,
    Page,
    Plugin,
    Policy,
    Receipt,
    Reply,
    Unreachable,
    Unreadable,
)
from connectors.settings import BaseUrl
from connectors.testing import ConnectorContract, FakeChannel
from tests.connectors.test_forum import row


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: BaseUrl
    token: SecretStr


class Wire:
    """One item a page; what it says can be listed, so a lost reply is found by its text."""

    me = Author(id="wire-care", name="Care")

    def __init__(self, settings: Settings, http: Http) -> None:
        self._base, self._token, self._http = settings.base_url, settings.token, http

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        url = f"{self._base}/stream"
        async for line in self._http.lines("GET", url, token=self._token, params={"after": after or "0"}):
            if line:
                yield _page(line)
        raise Unreachable("the stream has ended")

    async def reply(self, reply: Reply, /) -> Receipt:
        said = await self._call("POST", "said", {"text": reply.text, "thread": reply.to.thread})
        return Receipt(id=said["id"])

    async def find(self, reply: Reply, /) -> Receipt | None:
        said = await self._call("GET", "said")
        return next((Receipt(id=one["id"]) for one in said if one["text"] == reply.text), None)

    async def mark(self, message: Message, /) -> None:
        await self._call("PUT", f"marks/{message.id}")

    async def retract(self, receipt: Receipt, text: str | None, /) -> None:
        await self._call("PATCH", f"said/{receipt.id}", {"text": text})

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        return await self._http.json(method, f"{self._base}/{path}", token=self._token, body=body)


def _page(line: bytes) -> Page:
    try:
        post = json.loads(line)
    except ValueError:
        raise Unreachable("the stream is garbled") from None
    cursor = Cursor(str(post["number"]))
    if "text" not in post:
        return Page(unreadable=(Unreadable(raw=line, reason="text is missing"),), cursor=cursor)
    message = Message(
        id=post["id"],
        author=Author(**post["author"]),
        text=post["text"],
        sent_at=datetime.fromisoformat(post["at"]),
        thread=post["thread"],
        revision=f"{post['revision']:06d}" if post["revision"] else "",
        deleted=post["deleted"],
    )
    return Page(messages=(message,), cursor=cursor)


@asynccontextmanager
async def _open(settings: Settings, http: Http) -> AsyncIterator[Wire]:
    yield Wire(settings, http)


wire = Plugin(
    kind="wire",
    summary="a stream",
    settings=Settings,
    open=_open,
    abilities=frozenset({"streams", "replies", "finds", "marks", "retracts"}),
    idempotency="B1",
    policy=Policy(reply_window=timedelta(hours=24), messages_per_window=5, reopens="any message of the customer"),
)


class WireChannel(FakeChannel):
    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        match request.method, request.path.split("/")[1:]:
            case "GET", ["stream"]:
                return await self._stream(request)
            case "GET", ["said"]:
                return web.json_response([{"id": said.id, "text": said.text} for said in self.said])
            case "POST", ["said"]:
                return web.json_response({"id": self.say(**await request.json()).id})
            case "PUT", ["marks", identity]:
                self.marks.add(identity)
            case "PATCH", ["said", identity]:
                self.unsay(identity, (await request.json())["text"])
        return web.Response(status=204)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for item in self.live(int(request.query["after"])):
            await response.write(json.dumps(row(item)).encode() + b"\n")
        return response


class TestWire(ConnectorContract):
    plugin = wire
    channel = WireChannel
    many = 20

    def settings(self, base_url: str) -> dict[str, object]:
        return {"base_url": base_url, "token": "a-token-that-nobody-may-see"}
