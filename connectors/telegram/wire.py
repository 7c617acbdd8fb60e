"""The fields of the Bot API that we read. What we do not name is ignored, whatever Telegram adds.

An update is checked against these types as a whole: one that does not fit is kept aside unread.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct, field

__all__ = [
    "Chat",
    "Checklist",
    "Contact",
    "Deleted",
    "Entity",
    "File",
    "Origin",
    "Place",
    "Poll",
    "Post",
    "User",
    "loads",
]

_LONGEST_NUMBER = 100


def loads(body: bytes) -> Any:
    """Read JSON. Raises ValueError or RecursionError; a monstrous number spoils its own place only."""
    return json.loads(body, parse_int=_integer)


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


class User(Struct, frozen=True):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class Chat(Struct, frozen=True):
    id: int
    type: str
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Entity(Struct, frozen=True):
    """A stretch of the text, counted in UTF-16 units."""

    type: str
    offset: int
    length: int
    user: User | None = None


class File(Struct, frozen=True):
    """Any kind of file: photo size, voice, video, sticker, document."""

    file_id: str | None = None
    file_name: str | None = None
    title: str | None = None
    emoji: str | None = None


class Origin(Struct, frozen=True):
    """Where a forwarded message came from."""

    type: str
    sender_user: User | None = None


class Place(Struct, frozen=True):
    latitude: float
    longitude: float
    live_period: int | None = None


class Venue(Struct, frozen=True):
    location: Place
    title: str = ""


class Contact(Struct, frozen=True):
    first_name: str = ""
    last_name: str | None = None


class Poll(Struct, frozen=True):
    question: str


class Task(Struct, frozen=True):
    text: str


class Checklist(Struct, frozen=True):
    title: str = ""
    tasks: tuple[Task, ...] = ()


class Dice(Struct, frozen=True):
    emoji: str = ""


class Topic(Struct, frozen=True):
    topic_id: int


class PaidItem(Struct, frozen=True):
    type: str


class PaidMedia(Struct, frozen=True):
    paid_media: tuple[PaidItem, ...] = ()


class Post(Struct, frozen=True):
    """A message of any chat: the Bot API calls it Message."""

    message_id: int
    date: int
    chat: Chat
    author: User | None = field(default=None, name="from")
    sender_chat: Chat | None = None
    sender_business_bot: User | None = None
    via_bot: User | None = None
    business_connection_id: str | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    direct_messages_topic: Topic | None = None
    is_automatic_forward: bool = False
    is_from_offline: bool = False
    forward_origin: Origin | None = None
    reply_to_message: Post | None = None
    edit_date: int | None = None
    media_group_id: str | None = None
    text: str | None = None
    caption: str | None = None
    entities: tuple[Entity, ...] = ()
    caption_entities: tuple[Entity, ...] = ()
    photo: tuple[File, ...] = ()
    live_photo: File | None = None
    voice: File | None = None
    audio: File | None = None
    video: File | None = None
    video_note: File | None = None
    animation: File | None = None
    sticker: File | None = None
    document: File | None = None
    story: File | None = None
    game: File | None = None
    paid_media: PaidMedia | None = None
    location: Place | None = None
    venue: Venue | None = None
    contact: Contact | None = None
    poll: Poll | None = None
    checklist: Checklist | None = None
    dice: Dice | None = None


class Deleted(Struct, frozen=True):
    """Messages that vanished from a business account."""

    business_connection_id: str
    chat: Chat
    message_ids: tuple[int, ...]
