"""The channel `sample` for heedful. Three places say CHANGE; heedful's docs/connectors.md explains them."""

import hmac
from contextlib import nullcontext
from typing import Any

from pydantic import BaseModel, Field, SecretStr, TypeAdapter

from connectors.api import Author, Hook, HookAnswer, Http, Message, Page, Plugin, Receipt, Reply, Unreadable
from connectors.net import BaseUrl, strict_json


class Settings(BaseModel, frozen=True, extra="forbid"):  # CHANGE 1 of 3: what staff write in their file
    secret: SecretStr = Field(description="with which it signs its calls")
    # <replies>
    base_url: BaseUrl = Field("https://example.org/api", description="where its API is")
    token: SecretStr = Field(description="of our account there")
    # </replies>


class Connector:  # CHANGE 2 of 3: how the platform calls and signs, and how it is called
    me = Author(id="care", name="Care team")  # our account there

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings, self._http = settings, http

    async def hear(self, hook: Hook, /) -> HookAnswer:
        digest = hmac.digest(self._settings.secret.get_secret_value().encode(), hook.body, "sha256").hex()
        if not hmac.compare_digest(f"sha256={digest}", ascii(hook.headers.get("x-hub-signature-256"))[1:-1]):
            return HookAnswer(status=401)
        posts = strict_json(hook.body)
        read = [_read(post) for post in (posts if isinstance(posts, list) else [posts])]
        messages = tuple(item for item in read if isinstance(item, Message))
        unreadable = tuple(item for item in read if isinstance(item, Unreadable))
        return HookAnswer(page=Page(messages=messages, unreadable=unreadable))

    # <replies>
    async def reply(self, reply: Reply, /) -> Receipt:
        url, body = f"{self._settings.base_url}/posts", {"text": reply.text, "thread": reply.to.thread}
        return Receipt(id=(await self._http.json("POST", url, token=self._settings.token, body=body))["id"])

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
    abilities=frozenset({"listens", "replies"}),
)
