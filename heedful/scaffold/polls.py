"""The channel `sample` for heedful. Three places say CHANGE; heedful's docs/connectors.md explains them."""

from contextlib import nullcontext
from typing import Any

from pydantic import BaseModel, Field, SecretStr, TypeAdapter

from connectors.api import Author, Cursor, Http, Message, Page, Plugin, Receipt, Reply, Unreachable, Unreadable
from connectors.settings import BaseUrl


class Settings(BaseModel, frozen=True, extra="forbid"):  # CHANGE 1 of 3: what staff write in their file
    base_url: BaseUrl = Field("https://example.org/api", description="where its API is")
    token: SecretStr = Field(description="of our account there")


class Connector:  # CHANGE 2 of 3: how the platform is asked; it gives 100 posts at once
    me = Author(id="care", name="Care team")  # our account there

    def __init__(self, settings: Settings, http: Http) -> None:
        self._posts, self._token, self._http = f"{settings.base_url}/posts", settings.token, http

    async def poll(self, after: Cursor | None, /) -> Page:
        query = {"after": after or 0, "limit": 100}
        posts = await self._http.json("GET", self._posts, token=self._token, params=query)
        if not isinstance(posts, list):
            raise Unreachable("the answer is not a list of posts")
        read = [_read(post) for post in posts]
        messages = tuple(item for item in read if isinstance(item, Message))
        unreadable = tuple(item for item in read if isinstance(item, Unreadable))
        numbers = [post["number"] for post in posts if isinstance(post, dict) and isinstance(post.get("number"), int)]
        cursor = Cursor(f"{numbers[-1]:d}") if numbers else after  # a damaged post has no place
        return Page(messages=messages, unreadable=unreadable, cursor=cursor, more=len(posts) == 100 and cursor != after)

    # <replies>
    async def reply(self, reply: Reply, /) -> Receipt:
        body = {"text": reply.text, "thread": reply.to.thread}
        return Receipt(id=(await self._http.json("POST", self._posts, token=self._token, body=body))["id"])

    # </replies>


_MESSAGE = TypeAdapter(Message)  # refuses what has another type, such as a number for an id


def _read(post: Any) -> Message | Unreadable:  # CHANGE 3 of 3: what the platform tells of a post
    try:
        revision = f"{post['revision']:06d}" if post["revision"] else ""  # of an edit; it must sort
        told = {key: post[key] for key in ("id", "author", "text", "thread", "deleted")}
        return _MESSAGE.validate_python({**told, "sent_at": post["at"], "revision": revision})
    except (KeyError, TypeError, ValueError) as error:
        return Unreadable(raw=repr(post).encode(), reason=f"{type(error).__name__} in a post")


plugin = Plugin(
    kind="sample",
    summary="posts of sample",
    settings=Settings,
    open=lambda settings, http: nullcontext(Connector(settings, http)),
    abilities=frozenset({"polls", "replies"}),
    recovers=None,  # how far back it can go after a stop: as far as wanted
)
