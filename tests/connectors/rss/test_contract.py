"""The exam that every connector sits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from aiohttp import web

from connectors.rss.connector import connect
from connectors.rss.plugin import plugin
from connectors.testing import ConnectorContract, FakeChannel, Item
from tests.connectors.rss.samples import item, rss


def _later() -> datetime:
    """After all that is posted: what is dated ahead would count as seen now."""
    return datetime(2027, 6, 1, tzinfo=UTC)


class FeedChannel(FakeChannel):
    """A site that shows all its posts, the newest first, in one document."""

    edits = False  # a document shows what is, not what was
    deletes = False

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=rss(*map(_item, reversed(self.items))), content_type="application/rss+xml")


def _item(post: Item) -> str:
    if post.spoiled:
        return "<item></item>"
    return item(post.id, text=post.text, at=post.sent_at, more={"dc:creator": post.author.name})


class TestRss(ConnectorContract):
    plugin = replace(plugin, open=partial(connect, clock=_later))
    channel: ClassVar[type[FakeChannel]] = FeedChannel

    def settings(self, base_url: str) -> dict[str, Any]:
        return {"url": f"{base_url}/feed.xml"}
