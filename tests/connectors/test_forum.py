"""The sample connector sits the exam: all that a third party writes."""

from __future__ import annotations

from aiohttp import web

from connectors.testing import ConnectorContract, FakeChannel, Item
from tests.connectors.forum import plugin as forum


class ForumChannel(FakeChannel):
    async def serve(self, request: web.BaseRequest) -> web.Response:
        if request.method == "POST":
            return web.json_response({"id": self.say(**await request.json()).id})
        posts = self.since(int(request.query["after"]), int(request.query["limit"]))
        return web.json_response([row(item) for item in posts])


def row(item: Item) -> dict[str, object]:
    known = {"number": item.number, "id": item.id, "thread": item.thread, "at": item.sent_at.isoformat()}
    author = {"id": item.author.id, "name": item.author.name}
    return known if item.spoiled else known | {
        "author": author, "text": item.text, "revision": item.revision, "deleted": item.deleted,
    }  # fmt: skip


class TestForum(ConnectorContract):
    plugin = forum
    channel = ForumChannel

    def settings(self, base_url: str) -> dict[str, object]:
        return {"base_url": base_url, "token": "a-token-that-nobody-may-see"}
