"""The plainest platform that can be: rows of JSON. Most exams need no more than their own `row`."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from html import escape
from typing import Any

from aiohttp import web

from connectors.api import Hook
from connectors.testing.channel import FakeChannel, Item

__all__ = ["JsonChannel"]

SIGNED_BY = "x-hub-signature-256"


class JsonChannel(FakeChannel):
    """GET lists the rows after a number, POST takes a reply, a webhook call brings a list of rows.

    Without a limit in the query, GET gives a row a line, as they happen. A reply is a JSON object of
    `text` and, where given, `key` and `thread`; its answer holds the `id`. Webhooks are signed with
    `secret` as GitHub and Meta do it: HMAC-SHA256 in hex, https://docs.github.com/webhooks.
    """

    after_key: str = "after"
    limit_key: str = "limit"
    """The parameters of the query: the `number` of the item to go on after, and how many are wanted."""
    newest_first: bool = False
    """The order within a page: a page always follows directly on its cursor."""
    text_key: str = "text"
    """What a row lacks when its item is spoiled."""
    ruins = True
    secret: str = "a-secret-that-nobody-may-see"  # noqa: S105 — of a platform that lives as long as a test

    def row(self, item: Item) -> dict[str, Any]:
        """One item as the platform tells it: the keys that the connector reads."""
        return {
            "number": item.number,
            "id": item.id,
            "author": {"id": item.author.id, "name": item.author.name},
            "thread": item.thread,
            "text": item.text,
            "at": item.sent_at.isoformat(),
            "revision": item.revision,
            "deleted": item.deleted,
        }

    def html(self, text: str) -> str:
        """A text as platforms tell it that speak HTML."""
        return "<p>" + escape(text).replace("\n", "<br />") + "</p>"

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            return web.json_response({"id": self.say(**await request.json()).id})
        after = int(request.query[self.after_key])
        if self.limit_key not in request.query:
            return await self._stream(request, after)
        rows = self._rows(self.since(after, int(request.query[self.limit_key])))
        return web.json_response(rows[::-1] if self.newest_first else rows)

    def body(self, items: Sequence[Item]) -> bytes:
        return json.dumps(self._rows(items)).encode()

    def signed(self, body: bytes) -> Hook:
        digest = hmac.digest(self.secret.encode(), body, "sha256").hex()
        return Hook(method="POST", headers={SIGNED_BY: f"sha256={digest}"}, query={}, body=body)

    async def _stream(self, request: web.BaseRequest, after: int) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for item in self.live(after):
            (row,) = self._rows([item])
            await response.write((b'{"half of' if row is None else json.dumps(row).encode()) + b"\n")
        return response

    def _rows(self, items: Sequence[Item]) -> list[dict[str, Any] | None]:
        return [None if item.ruined else self._told(item) for item in items]

    def _told(self, item: Item) -> dict[str, Any]:
        row = self.row(item)
        return {key: row[key] for key in row if not (item.spoiled and key == self.text_key)}
