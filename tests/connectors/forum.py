"""A whole connector in a few lines: a forum that is polled and answered. The sample for people who write one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.api import Author, Cursor, Http, Limits, Message, Page, Plugin, Receipt, Reply, Unreadable
from connectors.settings import BaseUrl

SIZE = 100


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: BaseUrl
    token: SecretStr


class Forum:
    me = Author(id="care", name="Care team")

    def __init__(self, settings: Settings, http: Http) -> None:
        self._posts, self._token, self._http = f"{settings.base_url}/posts", settings.token, http

    async def poll(self, after: Cursor | None, /) -> Page:
        params = {"after": after or "0", "limit": SIZE}
        posts = await self._http.json("GET", self._posts, token=self._token, params=params)
        read = [_read(post) for post in posts]
        return Page(
            messages=tuple(item for item in read if isinstance(item, Message)),
            unreadable=tuple(item for item in read if isinstance(item, Unreadable)),
            cursor=Cursor(str(posts[-1]["number"])) if posts else after,
            more=len(posts) == SIZE,
        )

    async def reply(self, reply: Reply, /) -> Receipt:
        body = {"text": reply.text, "key": reply.key, "thread": reply.to.thread}
        posted = await self._http.json("POST", self._posts, token=self._token, body=body)
        return Receipt(id=posted["id"])


def _read(post: dict[str, Any]) -> Message | Unreadable:
    try:
        author, revision, sent_at = Author(**post["author"]), post["revision"], datetime.fromisoformat(post["at"])
        return Message(
            id=post["id"], author=author, text=post["text"], sent_at=sent_at, thread=post["thread"],
            revision=f"{revision:06d}" if revision else "", deleted=post["deleted"],
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        return Unreadable(raw=repr(post).encode(), reason=f"{type(error).__name__} in a post")


@asynccontextmanager
async def _open(settings: Settings, http: Http) -> AsyncIterator[Forum]:
    yield Forum(settings, http)


plugin = Plugin(
    kind="forum", summary="a forum", settings=Settings, open=_open, abilities=frozenset({"polls", "replies"}),
    idempotency="A", recovers=None, limits=Limits(reply_length=2000),
)  # fmt: skip
