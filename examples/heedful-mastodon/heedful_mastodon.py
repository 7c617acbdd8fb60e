"""Mastodon for heedful: public posts with a hashtag, https://docs.joinmastodon.org/methods/timelines/#tag."""

import re
from contextlib import nullcontext
from html import unescape
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter

from connectors.api import Author, Cursor, Http, Message, Page, Plugin, Unreachable, Unreadable
from connectors.settings import BaseUrl

_MESSAGE = TypeAdapter(Message)  # refuses what has another type, such as a number for an id


class Settings(BaseModel, frozen=True, extra="forbid"):
    base_url: BaseUrl = Field("https://mastodon.social", description="the instance that is asked")
    hashtag: str = Field(pattern=r"^\w+$", description="without its #", examples=["acmeair"])
    begin_after: int = Field(0, ge=0, description="the number in a post's address: at first, begin after it")


class Mastodon:
    me = Author(id="", name="mastodon")  # nobody: reading needs no account

    def __init__(self, settings: Settings, http: Http) -> None:
        self._url, self._http = f"{settings.base_url}/api/v1/timelines/tag/{settings.hashtag}", http
        self._begin = settings.begin_after

    async def poll(self, after: Cursor | None, /) -> Page:
        posts = await self._http.json("GET", self._url, params={"min_id": after or self._begin, "limit": 40})
        if not isinstance(posts, list):
            raise Unreachable("the answer is not a list of posts")
        read = [_read(post) for post in reversed(posts)]  # they come newest first, but directly after min_id
        messages = tuple(item for item in read if isinstance(item, Message))
        unreadable = tuple(item for item in read if isinstance(item, Unreadable))
        ids = [str(post.get("id")) for post in posts if isinstance(post, dict)]
        cursor = next((Cursor(newest) for newest in ids if newest.isdecimal()), after)
        return Page(messages=messages, unreadable=unreadable, cursor=cursor, more=len(posts) == 40 and cursor != after)


def _read(post: Any) -> Message | Unreadable:
    try:
        account, told = post["account"], {"id": post["id"], "thread": post["id"], "sent_at": post["created_at"]}
        author = {**account, "name": account["display_name"], "handle": f"@{account['acct']}"}
        text = unescape(re.sub("<[^<>]*>", "", re.sub(r"<br ?/?>|</p>\s*<p>", "\n", post["content"])))
        return _MESSAGE.validate_python({**told, "author": author, "text": text, "url": post.get("url")})
    except (KeyError, TypeError, ValueError) as error:
        return Unreadable(raw=repr(post).encode(), reason=f"{type(error).__name__} in a post")


plugin = Plugin(
    kind="mastodon",
    summary="Mastodon: public posts with a hashtag, as one instance knows them",
    settings=Settings,
    open=lambda settings, http: nullcontext(Mastodon(settings, http)),
    abilities=frozenset({"polls"}),
    recovers=None,
    cannot="- Answer; tell of edits and deletions; hear what reaches the instance later than a newer post.",
)
