"""The exam that every connector sits: by mentions, by search, and by the filtered stream."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from connectors.testing import ConnectorContract, FakeChannel, Item, Said
from connectors.testing.sitting import Ear
from connectors.x import plugin, snowflake
from tests.counterparts.x import BEARER, HANDLE, KEYS, ME, USER_TOKEN, FakeX


class XChannel(FakeChannel):
    """Items as posts of a FakeX: an edit is a post of its own, with the history of the first."""

    deletes = False  # X tells of deletions to Enterprise customers only

    def __init__(self) -> None:
        super().__init__()
        self.x = FakeX(finds_all=True)
        self.ids: dict[int, str] = {}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        ours = [post for post in self.x.posts if post["author_id"] == ME and "referenced_tweets" in post]
        self.x.posts[:] = [*map(self.post_of, self.items), *ours]
        if request.path.endswith("/stream"):
            return await self.stream(request)
        answer = await self.x.answer(request)
        self.said = [self.said_of(post) for post in self.x.posts if "referenced_tweets" in post]
        return answer

    async def stream(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for item in self.live(len(self.items)):
            post = self.post_of(item)
            line = {"data": post, "includes": self.x.along([post]), "matching_rules": self.x.rules}
            await response.write(json.dumps(line).encode() + b"\r\n")
        return response

    def post_of(self, item: Item) -> dict[str, Any]:
        history = [each for each in self.items[: item.number] if each.id == item.id]
        author = item.author
        if author.id != ME:
            self.x.user(author.id, author.name, author.handle or "somebody")
        post: dict[str, Any] = {
            "id": self.number(item),
            "text": html.escape(item.text, quote=False),
            "author_id": author.id,
            "created_at": item.sent_at.isoformat(),
            "conversation_id": self.number(history[0]),
            "edit_history_tweet_ids": [*map(self.number, history)],
            "entities": {"mentions": [{"start": 0, "end": 8, "username": HANDLE, "id": ME}]},
        }
        if item.spoiled:
            del post["text"]
        return post

    def number(self, item: Item) -> str:
        """Of the moment when it first could be heard: X's ids are of now."""
        return self.ids.setdefault(item.number, str(snowflake.first_at(datetime.now(UTC)) + item.number))

    def said_of(self, post: dict[str, Any]) -> Said:
        return Said(id=post["id"], text=html.unescape(post["text"]), key=None, thread=post["conversation_id"])

    def refusal(self) -> web.Response:
        return web.json_response({"detail": "You are not permitted to reply.", "status": 403}, status=403)


class TestMentions(ConnectorContract):
    plugin = plugin
    channel = XChannel
    ears: ClassVar[tuple[Ear, ...]] = ("polls",)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {"account": HANDLE, "bearer_token": BEARER, "base_url": base_url, **KEYS}


class TestSearch(TestMentions):
    def settings(self, base_url: str) -> dict[str, Any]:
        return {**super().settings(base_url), "mode": "search", "query": "acme air"}


class TestMentionsByOAuth2(TestMentions):
    def settings(self, base_url: str) -> dict[str, Any]:
        return {"account": f"@{HANDLE}", "user_token": USER_TOKEN, "base_url": base_url}


class TestStream(TestMentions):
    ears: ClassVar[tuple[Ear, ...]] = ("streams",)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {**super().settings(base_url), "mode": "stream", "query": "acme"}
