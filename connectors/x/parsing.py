"""A listing's answer into messages; pure. Raises BadPayload for a post that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeVar

import msgspec

from connectors.api import Author, Message, Part, PartKind, Unreadable
from connectors.errors import BadPayload
from connectors.x import snowflake
from connectors.x.wire import Entities, Media, Post, Reference, User

__all__ = ["Found", "account", "plain", "post_url", "read"]

_Form = TypeVar("_Form")
_MEDIA: dict[str, PartKind] = {"photo": "photo", "video": "video", "animated_gif": "video"}
_ID_DIGITS = 19
_UNDECIDED = frozenset({"und", "art", "qam", "qct", "qht", "qme", "qst", "zxx"})
"""X's words for 'no language': links, tags, pictures, very short texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an answer holds, by id, oldest first. `ids` are those of all its posts, as far as they can be read."""

    messages: Mapping[int, Message] = field(default_factory=dict[int, Message])
    unreadable: tuple[tuple[int | None, Unreadable], ...] = ()
    ids: frozenset[int] = frozenset()
    count: int = 0


@dataclass(frozen=True, slots=True)
class _Included:
    users: Mapping[str, User]
    media: Mapping[str, Media]


def read(posts: Sequence[object], includes: object, me: Author) -> Found:
    """Read the posts of an answer; `includes` is what came along with them."""
    along = _included(includes)
    messages: dict[int, Message] = {}
    unreadable: list[tuple[int | None, Unreadable]] = []
    for raw in posts:
        try:
            post = _checked(raw, Post)
            messages[_number(post.id)] = _message(post, along, me)
        except BadPayload as error:
            item = Unreadable(raw=json.dumps(raw, sort_keys=True).encode(), reason=str(error))
            unreadable.append((_identity(raw), item))
    known = {identity for identity in map(_identity, posts) if identity is not None}
    return Found(
        messages=dict(sorted(messages.items())),
        unreadable=tuple(unreadable),
        ids=frozenset(known),
        count=len(posts),
    )


def account(raw: object) -> Author:
    """Who a user is. Raises BadPayload."""
    user = _checked(raw, User)
    return _author(user.id, user)


def plain(text: str) -> str:
    """X escapes three characters, and no others: the ampersand last."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def post_url(handle: str | None, identity: str) -> str:
    return f"https://x.com/{(handle or '').removeprefix('@') or 'i'}/status/{identity}"


def _checked(raw: object, form: type[_Form]) -> _Form:
    try:
        return msgspec.convert(raw, form)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadPayload(f"not as X describes it: {error}") from None


def _identity(raw: object) -> int | None:
    identity = raw.get("id") if isinstance(raw, Mapping) else None
    return int(identity) if isinstance(identity, str) and snowflake.is_id(identity) else None


def _number(identity: str) -> int:
    if not snowflake.is_id(identity):
        raise BadPayload("a post whose id is no number")
    return int(identity)


def _included(includes: object) -> _Included:
    """What came along. What of it cannot be read is as good as absent: the post itself still counts."""
    along = includes if isinstance(includes, Mapping) else {}
    return _Included(
        users={user.id: user for user in _readable(along.get("users"), User)},
        media={media.media_key: media for media in _readable(along.get("media"), Media)},
    )


def _readable(raws: Any, form: type[_Form]) -> Iterable[_Form]:
    for raw in raws if isinstance(raws, list) else ():
        try:
            yield _checked(raw, form)
        except BadPayload:
            continue


def _message(post: Post, along: _Included, me: Author) -> Message:
    """An edit is a post of its own, whose history tells which one it was first."""
    history = post.edit_history_tweet_ids or post.edit_history_post_ids or (post.id,)
    first = min(history, key=_number)
    references = post.referenced_tweets or post.referenced_posts or ()
    author = _author(post.author_id or f"of-{first}", along.users.get(post.author_id or ""))
    note = post.note_tweet or post.note_post
    sent_at = post.created_at or snowflake.at(_number(post.id))
    return Message(
        id=first,
        revision="" if post.id == first else post.id.zfill(_ID_DIGITS),
        author=author,
        text=plain(note.text if note else post.text),
        sent_at=sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC),
        thread=post.conversation_id or first,
        url=post_url(author.handle, post.id),
        mentions_us=_mentions(post, note.entities if note else None, references, me),
        in_reply_to=_referenced(references, "replied_to"),
        language=None if post.lang in _UNDECIDED else post.lang,
        parts=tuple(_parts(post, along)),
        repost=_referenced(references, "retweeted") is not None,
    )


def _author(identity: str, user: User | None) -> Author:
    if user is None:
        return Author(id=identity, name="")
    followers = user.public_metrics.followers_count if user.public_metrics else None
    handle = f"@{user.username}" if user.username else None
    return Author(id=identity, name=user.name, handle=handle, followers=followers)


def _referenced(references: Iterable[Reference], kind: str) -> str | None:
    return next((reference.id for reference in references if reference.type == kind), None)


def _mentions(post: Post, of_note: Entities | None, references: Iterable[Reference], me: Author) -> bool:
    """Whether the author mentioned us, or quoted us: X then lets us answer.

    A quote carries the address of the post that it quotes, with its author's handle in it.
    """
    handle = (me.handle or "").removeprefix("@").casefold()
    entities = [entities for entities in (post.entities, of_note) if entities is not None]
    for mention in (mention for each in entities for mention in each.mentions or ()):
        if mention.id == me.id or (mention.username or "").casefold() == handle != "":
            return True
    quoted = _referenced(references, "quoted")
    if quoted is None or not handle:
        return False
    links = [(link.expanded_url or "").casefold() for each in entities for link in each.urls or ()]
    return any(f"/{handle}/status/{quoted}" in link for link in links)


def _parts(post: Post, along: _Included) -> Iterable[Part]:
    for key in (post.attachments and post.attachments.media_keys) or ():
        media = along.media.get(key)
        kind = _MEDIA.get(media.type, "file") if media else "file"
        yield Part(kind=kind, ref=key, name=media.alt_text if media else None)
    if post.geo and post.geo.place_id:
        yield Part(kind="place", ref=post.geo.place_id)
