"""What one answer of a history holds, oldest first; pure. What cannot be read stands aside and spoils nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connectors.api import Message, Page, Unreadable
from connectors.errors import BadPayload
from connectors.slack.parsing import Names, Room, Us, edit_time, parse_post
from connectors.slack.places import slack_time
from connectors.slack.wire import Post, checked

__all__ = ["Items", "raw_bytes"]


@dataclass(frozen=True, slots=True)
class _Item:
    """`post` is None where it could not be read, `ts` where it does not even say when it was posted."""

    raw: object
    ts: str | None
    post: Post | None
    reason: str = ""


class Items:
    """The messages of a `conversations.history` or `.replies`."""

    def __init__(self, told: Sequence[Any]) -> None:
        self._items = sorted(map(_item, told), key=lambda item: item.ts or "")

    @property
    def times(self) -> list[str]:
        """When each was posted."""
        return [item.ts for item in self._items if item.ts is not None]

    @property
    def seen(self) -> list[str]:
        """All times that Slack has told here: of posts, of edits, of answers."""
        changes = [(post.latest_reply, post.edited.ts if post.edited else None) for _, post in self._readable()]
        return [*self.times, *(ts for pair in changes for ts in pair if ts is not None and _is_time(ts))]

    def answered(self, since: str) -> list[str]:
        """Those that have had an answer since, or of which Slack does not say when."""
        return [
            ts
            for ts, post in self._readable()
            if ((post.latest_reply or "") > since if _is_time(post.latest_reply) else post.thread_ts == ts)
        ]

    def authors(self, since: str, changed_since: str) -> list[str]:
        """Whose names are worth asking for."""
        fresh = [post for ts, post in self._readable() if ts > since or _is_changed(post, changed_since)]
        return [post.user for post in fresh if post.user and post.bot_id is None and post.user_profile is None]

    def page(self, room: Room, us: Us, names: Names, since: str, changed_since: str, root: str | None = None) -> Page:
        """What was posted after `since`, or before that and edited after `changed_since`; `root` is left out."""
        messages: list[Message] = []
        unreadable: list[Unreadable] = []
        for item in self._items:
            if item.ts is not None and item.ts == root:
                continue
            try:
                message = _message(item, room, us, names, since, changed_since)
            except BadPayload as error:
                unreadable.append(Unreadable(raw=raw_bytes(item.raw), reason=str(error)))
            else:
                messages += [message] if message else []
        return Page(messages=tuple(messages), unreadable=tuple(unreadable))

    def _readable(self) -> Iterator[tuple[str, Post]]:
        for item in self._items:
            if item.ts is not None and item.post is not None:
                yield item.ts, item.post


def raw_bytes(value: object) -> bytes:
    """What is kept of a thing that cannot be read."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half of a surrogate pair, an integer beyond 64 bits, or nested too deeply
        return repr(value)[:100_000].encode("utf-8", "backslashreplace")


def _item(raw: object) -> _Item:
    ts = raw.get("ts") if isinstance(raw, dict) else None
    ts = ts if _is_time(ts) else None
    try:
        return _Item(raw, ts, checked(raw, Post))
    except BadPayload as error:
        return _Item(raw, ts, None, str(error))


def _message(item: _Item, room: Room, us: Us, names: Names, since: str, changed_since: str) -> Message | None:
    if item.ts is None:
        raise BadPayload(item.reason or "a message that does not say when it was posted")
    if item.ts > since:
        if item.post is None:
            raise BadPayload(item.reason)
        return parse_post(item.post, room, us, names)
    if item.post is None or not _is_changed(item.post, changed_since):
        return None
    message = parse_post(item.post, room, us, names)
    return message and replace(message, revision=edit_time(item.post) or "")


def _is_changed(post: Post, since: str) -> bool:
    return post.edited is not None and _is_time(post.edited.ts) and post.edited.ts > since


def _is_time(value: object) -> bool:
    try:
        return bool(slack_time(value))
    except BadPayload:
        return False
