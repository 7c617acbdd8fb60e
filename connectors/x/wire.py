"""The fields of X's API that we read, and that we ask for. What we do not name is ignored.

Where X has two names for a field (`referenced_tweets` in its pages and its stream, `referenced_posts` in
its OpenAPI document 2.167) both are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

__all__ = ["ASKED", "PAGE", "Entities", "Link", "Media", "Metrics", "Post", "Reference", "User"]

ASKED: Final = {
    "tweet_fields": [
        *("id", "text", "author_id", "created_at", "conversation_id", "in_reply_to_user_id", "lang", "geo"),
        *("entities", "attachments", "referenced_tweets", "note_tweet", "edit_history_tweet_ids"),
    ],
    "user_fields": ["id", "name", "username", "public_metrics"],
    "media_fields": ["media_key", "type", "alt_text"],
    # Only what both of X's vocabularies know: a value unknown to it fails the whole request.
    "expansions": ["author_id", "attachments.media_keys"],
}
"""With every listing, and with the stream, by tweepy's names."""
PAGE: Final = 100
"""The most posts that X gives in one answer."""


class Mention(Struct, frozen=True):
    id: str | None = None
    username: str | None = None


class Link(Struct, frozen=True):
    url: str | None = None
    expanded_url: str | None = None


class Entities(Struct, frozen=True):
    mentions: tuple[Mention, ...] | None = None
    urls: tuple[Link, ...] | None = None


class Note(Struct, frozen=True):
    """The whole of a long post, whose `text` is cut."""

    text: str
    entities: Entities | None = None


class Reference(Struct, frozen=True):
    type: str
    id: str


class Attachments(Struct, frozen=True):
    media_keys: tuple[str, ...] | None = None
    poll_ids: tuple[str, ...] | None = None


class Place(Struct, frozen=True):
    place_id: str | None = None


class Post(Struct, frozen=True):
    id: str
    text: str
    author_id: str | None = None
    created_at: datetime | None = None
    conversation_id: str | None = None
    in_reply_to_user_id: str | None = None
    lang: str | None = None
    entities: Entities | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    attachments: Attachments | None = None
    geo: Place | None = None
    referenced_tweets: tuple[Reference, ...] | None = None
    referenced_posts: tuple[Reference, ...] | None = None
    edit_history_tweet_ids: tuple[str, ...] | None = None
    edit_history_post_ids: tuple[str, ...] | None = None


class Metrics(Struct, frozen=True):
    followers_count: int | None = None


class User(Struct, frozen=True):
    id: str
    name: str = ""
    username: str | None = None
    public_metrics: Metrics | None = None


class Media(Struct, frozen=True):
    media_key: str
    type: str
    alt_text: str | None = None
