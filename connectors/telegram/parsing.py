"""One update of the Bot API into messages; pure. Raises BadPayload for what cannot be read.

Whose voice it is, without asking Telegram (a webhook call may not):

- A post in a channel, and its automatic copy in the discussion group, is the brand's own: only an
  administrator's bot is given channel posts at all.
- In a business account whatever the customer (whose id is the chat's) did not write is the owner's,
  or a bot's on the owner's behalf.
- An administrator who writes anonymously, and anybody who writes as a channel, is a person like any
  other, under the id of that chat: whose group it is, Telegram does not say. `brand.staff` may list it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from connectors.api import Author, Message, Part, PartKind
from connectors.errors import BadPayload
from connectors.telegram.target import Target, album_id
from connectors.telegram.wire import Chat, Deleted, Entity, File, Post, User

__all__ = ["WANTED", "Parsed", "parse"]

_EDITED = {
    "message": False,
    "edited_message": True,
    "channel_post": False,
    "edited_channel_post": True,
    "business_message": False,
    "edited_business_message": True,
}
_DELETED = "deleted_business_messages"
WANTED = (*_EDITED, _DELETED)
"""What we ask Telegram for, each time: a list once given stays in force until another is given."""

_TECHNICAL = frozenset({
    "update_id", "inline_query", "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query",
    "poll", "poll_answer", "my_chat_member", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
    "message_reaction", "message_reaction_count", "business_connection", "purchased_paid_media", "managed_bot",
})  # fmt: skip
"""Kinds that carry no message: they may still arrive from before `WANTED` took effect."""

_SERVICE = frozenset({
    "boost_added", "channel_chat_created", "chat_background_set", "chat_owner_changed", "chat_owner_left",
    "chat_shared", "checklist_tasks_added", "checklist_tasks_done", "connected_website", "delete_chat_photo",
    "direct_message_price_changed", "forum_topic_closed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "gift",
    "gift_upgrade_sent", "giveaway", "giveaway_completed", "giveaway_created", "giveaway_winners",
    "group_chat_created", "invoice", "left_chat_member", "left_chat_participant", "managed_bot_created",
    "message_auto_delete_timer_changed", "migrate_from_chat_id", "migrate_to_chat_id", "new_chat_member",
    "new_chat_members", "new_chat_participant", "new_chat_photo", "new_chat_title", "paid_message_price_changed",
    "passport_data", "pinned_message", "poll_option_added", "poll_option_deleted", "proximity_alert_triggered",
    "refunded_payment", "successful_payment", "suggested_post_approval_failed", "suggested_post_approved",
    "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded", "supergroup_chat_created",
    "unique_gift", "users_shared", "video_chat_ended", "video_chat_participants_invited", "video_chat_scheduled",
    "video_chat_started", "web_app_data", "write_access_allowed",
})  # fmt: skip
"""Joins, pins, payments: what the chat itself reports, and nobody says."""

_Form = TypeVar("_Form")
_REVISION_DIGITS = 12
_LAST_REVISION = "9" * _REVISION_DIGITS
_PAID: dict[str, PartKind] = {"photo": "photo", "preview": "photo", "live_photo": "photo", "video": "video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A message, its number in the chat, and whether it is one item of an album."""

    message: Message
    number: int
    album: bool = False


def parse(update: object, me: Author, now: datetime) -> tuple[Parsed, ...]:
    """The messages of an update: one, or none for a technical one, or all that were deleted at once.

    `now` stands for the time that a delete notice lacks.
    """
    if not isinstance(update, Mapping):
        raise BadPayload("an update that is no object")
    for kind, edited in _EDITED.items():
        if kind in update:
            return _posted(update[kind], me, edited=edited)
    if _DELETED in update:
        return tuple(_deleted(_checked(update[_DELETED], Deleted), now))
    if unknown := update.keys() - _TECHNICAL:
        raise BadPayload(f"an update of a kind unknown to us: {', '.join(sorted(map(str, unknown)))[:100]}")
    return ()


def _checked(raw: object, form: type[_Form]) -> _Form:
    try:
        return msgspec.convert(raw, form)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadPayload(f"not as the Bot API describes it: {error}") from error


def _posted(raw: object, me: Author, *, edited: bool) -> tuple[Parsed, ...]:
    post = _checked(raw, Post)
    if edited and post.location is not None and post.location.live_period is not None:
        return ()  # a live location moves every few seconds
    text, parts = _text(post), tuple(_parts(post))
    if text is None and not parts:
        if isinstance(raw, Mapping) and raw.keys() & _SERVICE:
            return ()
        raise BadPayload("a message of a kind unknown to us")
    message = _message(post, me, text or "", parts, edited=edited)
    return (Parsed(message=message, number=post.message_id, album=post.media_group_id is not None),)


def _message(post: Post, me: Author, text: str, parts: tuple[Part, ...], *, edited: bool) -> Message:
    target = _target(post)
    return Message(
        id=_identity(post, target),
        author=_author(post),
        text=text,
        sent_at=_time(post.date),
        thread=target.thread,
        revision=f"{post.edit_date or post.date:0{_REVISION_DIGITS}d}" if edited else "",
        url=_url(post, target),
        private=_is_private(post),
        mentions_us=_mentions_us(post, me),
        in_reply_to=_in_reply_to(post, target),
        language=post.author.language_code if post.author and not post.sender_chat else None,
        parts=parts,
        own=_is_own(post),
        repost=_is_repost(post),
        automated=post.via_bot is not None or post.is_from_offline,
    )


def _deleted(notice: Deleted, now: datetime) -> Iterator[Parsed]:
    target = Target(chat=notice.chat.id, business=notice.business_connection_id)
    for number in notice.message_ids:
        message = Message(
            id=target.message_id(number),
            author=_chat_author(notice.chat),
            text="",
            sent_at=now,
            thread=target.thread,
            revision=_LAST_REVISION,
            private=True,
            deleted=True,
        )
        yield Parsed(message=message, number=number)


def _target(post: Post) -> Target:
    if post.direct_messages_topic is not None:
        return Target(chat=post.chat.id, topic=post.direct_messages_topic.topic_id, direct=True)
    # Outside forums a message_thread_id only names the message at the root of some replies.
    topic = post.message_thread_id if post.is_topic_message else None
    return Target(chat=post.chat.id, topic=topic, business=post.business_connection_id)


def _identity(post: Post, target: Target) -> str:
    if post.media_group_id is not None:
        return album_id(target, post.media_group_id)
    return target.message_id(post.message_id)


def _author(post: Post) -> Author:
    """Who speaks; `from` is only a stand-in where somebody writes in the name of a chat."""
    if post.sender_chat is not None:
        return _chat_author(post.sender_chat)
    return _chat_author(post.chat) if post.author is None else _user_author(post.author)


def _user_author(user: User) -> Author:
    name = " ".join(filter(None, (user.first_name, user.last_name)))
    return Author(id=str(user.id), name=name, handle=_handle(user.username), bot=user.is_bot)


def _chat_author(chat: Chat) -> Author:
    name = chat.title or " ".join(filter(None, (chat.first_name, chat.last_name)))
    return Author(id=str(chat.id), name=name, handle=_handle(chat.username))


def _handle(username: str | None) -> str | None:
    return f"@{username}" if username else None


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise BadPayload("a date that no calendar has") from error


def _is_private(post: Post) -> bool:
    return post.chat.type == "private" or post.direct_messages_topic is not None


def _is_own(post: Post) -> bool:
    if post.chat.type == "channel" or post.is_automatic_forward:
        return True
    if post.business_connection_id is None:
        return False
    return post.sender_business_bot is not None or post.author is None or post.author.id != post.chat.id


def _is_repost(post: Post) -> bool:
    origin = post.forward_origin
    if origin is None or post.is_automatic_forward:
        return False
    return origin.sender_user is None or post.author is None or origin.sender_user.id != post.author.id


def _in_reply_to(post: Post, target: Target) -> str | None:
    replied = post.reply_to_message
    # In a forum whatever answers nobody counts as a reply to the topic's first message.
    if replied is None or (post.is_topic_message and replied.message_id == post.message_thread_id):
        return None
    return _identity(replied, target)


def _url(post: Post, target: Target) -> str | None:
    if post.chat.type not in ("supergroup", "channel") or target.direct or target.business is not None:
        return None
    room = post.chat.username or f"c/{str(post.chat.id).removeprefix('-100')}"
    topic = "" if target.topic is None else f"{target.topic}/"
    return f"https://t.me/{room}/{topic}{post.message_id}"


def _mentions_us(post: Post, me: Author) -> bool | None:
    """None where nothing in Telegram's own signs names us: the text may still hold the brand's handle."""
    if _is_private(post) or _answers_us(post.reply_to_message, me):
        return True
    told = (post.text or "", post.entities) if post.text is not None else (post.caption or "", post.caption_entities)
    return True if any(_names_us(told[0], entity, me) for entity in told[1]) else None


def _answers_us(replied: Post | None, me: Author) -> bool:
    if replied is None:
        return False
    return _is_own(replied) or (replied.author is not None and str(replied.author.id) == me.id)


def _names_us(text: str, entity: Entity, me: Author) -> bool:
    if entity.type == "text_mention":
        return entity.user is not None and str(entity.user.id) == me.id
    if me.handle is None or entity.type not in ("mention", "bot_command"):
        return False
    return _slice(text, entity).casefold().endswith(me.handle.casefold())


def _slice(text: str, entity: Entity) -> str:
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le", "replace")


def _text(post: Post) -> str | None:
    """What was said, None where the message has no words of its own."""
    if post.text is not None or post.caption is not None:
        return post.text if post.text is not None else post.caption
    if post.poll is not None:
        return post.poll.question
    if post.checklist is not None:
        return "\n".join((post.checklist.title, *(task.text for task in post.checklist.tasks)))
    return None if post.dice is None else post.dice.emoji


def _parts(post: Post) -> Iterator[Part]:
    mark = "" if post.media_group_id is None else f"{post.message_id}/"
    for kind, file in _files(post):
        name = file.file_name or file.title or file.emoji
        yield Part(kind=kind, ref=f"{mark}{file.file_id or ''}" or None, name=name)
    for item in post.paid_media.paid_media if post.paid_media else ():
        yield Part(kind=_PAID.get(item.type, "file"))
    if place := post.venue.location if post.venue else post.location:
        name = post.venue.title if post.venue else None
        yield Part(kind="place", ref=f"{place.latitude},{place.longitude}", name=name)
    if post.contact is not None:
        yield Part(kind="contact", name=" ".join(filter(None, (post.contact.first_name, post.contact.last_name))))


def _files(post: Post) -> Iterator[tuple[PartKind, File]]:
    """Telegram repeats an animation as a document and a live photo as a photo, for older programs."""
    files: tuple[tuple[PartKind, File | None], ...] = (
        ("photo", post.photo[-1] if post.photo else post.live_photo),
        ("voice", post.voice),
        ("video", post.video),
        ("video", post.video_note),
        ("video", post.animation),
        ("file", post.audio),
        ("file", post.sticker),
        ("file", None if post.animation else post.document),
        ("file", post.story),
        ("file", post.game),
    )
    return ((kind, file) for kind, file in files if file is not None)
