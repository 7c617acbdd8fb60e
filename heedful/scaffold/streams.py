"""The channel `sample` for heedful. Three places say CHANGE; heedful's docs/connectors.md explains them."""

import json
from collections.abc import AsyncIterator
from contextlib import nullcontext

from pydantic import BaseModel, Field, SecretStr, TypeAdapter

from connectors.api import Author, Cursor, Http, Message, Page, Plugin, Receipt, Reply, Unreadable
from connectors.settings import BaseUrl


class Settings(BaseModel, frozen=True, extra="forbid"):  # CHANGE 1 of 3: what staff write in their file
    base_url: BaseUrl = Field("https://example.org/api", description="where its API is")
    token: SecretStr = Field(description="of our account there")


class Connector:  # CHANGE 2 of 3: how the platform is asked; it sends a post a line
    me = Author(id="care", name="Care team")  # our account there

    def __init__(self, settings: Settings, http: Http) -> None:
        self._posts, self._token, self._http = f"{settings.base_url}/posts", settings.token, http

    async def stream(self, after: Cursor | None, /) -> AsyncIterator[Page]:
        async for line in self._http.lines("GET", self._posts, token=self._token, params={"after": after or 0}):
            yield _page(line) if line else Page()  # an empty line is a sign of life

    # <replies>
    async def reply(self, reply: Reply, /) -> Receipt:
        body = {"text": reply.text, "thread": reply.to.thread}
        return Receipt(id=(await self._http.json("POST", self._posts, token=self._token, body=body))["id"])

    # </replies>


_MESSAGE = TypeAdapter(Message)  # refuses what has another type, such as a number for an id


def _page(line: bytes) -> Page:  # CHANGE 3 of 3: what the platform tells of a post
    cursor = None  # a damaged line has no place
    try:
        post = json.loads(line)
        cursor = Cursor(f"{post['number']:d}")
        revision = f"{post['revision']:06d}" if post["revision"] else ""  # of an edit; it must sort
        told = {key: post[key] for key in ("id", "author", "text", "thread", "deleted")}
        message = _MESSAGE.validate_python({**told, "sent_at": post["at"], "revision": revision})
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        return Page(unreadable=(Unreadable(raw=line, reason=f"{type(error).__name__} in a post"),), cursor=cursor)
    return Page(messages=(message,), cursor=cursor)


plugin = Plugin(
    kind="sample",
    summary="posts of sample",
    settings=Settings,
    open=lambda settings, http: nullcontext(Connector(settings, http)),
    abilities=frozenset({"streams", "replies"}),
    recovers=None,  # how far back it can go after a stop: as far as wanted
)
