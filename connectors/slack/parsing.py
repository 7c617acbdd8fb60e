"""One message of Slack's, out of an event or a history, into ours; pure. Raises BadPayload for what cannot be read.

Both tell the same message alike, so that whichever comes second is known as a repeat. Whose voice it is:
whatever bears a bot's id was written by a program, ours where the id is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from connectors.api import Author, Message, Part, PartKind
from connectors.errors import BadPayload
from connectors.slack.blocks import spoken
from connectors.slack.mrkdwn import mentioned, plain
from connectors.slack.places import Place, slack_time, time_of
from connectors.slack.wire import File, Post, checked

__all__ = ["Names", "Room", "Us", "edit_time", "parse_event", "parse_post"]

_SAID = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast"})
_SERVICE = frozenset({
    "app_conversation_join", "assistant_app_thread", "bot_add", "bot_disable", "bot_enable", "bot_remove",
    "canvas_created", "canvas_updated", "channel_archive", "channel_canvas_updated", "channel_convert_to_private",
    "channel_convert_to_public", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions",
    "channel_purpose", "channel_topic", "channel_unarchive", "document_comment_root", "document_mention",
    "ekm_access_denied", "file_comment", "file_mention", "group_archive", "group_join", "group_leave", "group_name",
    "group_purpose", "group_topic", "group_unarchive", "huddle_thread", "joiner_notification",
    "joiner_notification_for_inviter", "list_record_comment", "message_replied", "pinned_item", "reminder_add",
    "reminder_delete", "reply_broadcast", "sh_room_created", "sh_room_shared", "slackbot_response",
    "tabbed_canvas_updated", "tombstone", "unpinned_item",
})  # fmt: skip
"""Joins, topics, pins, calls: what Slack itself reports, and nobody says. `message_replied` and `reply_broadcast`
only tell of a message that comes by itself (docs.slack.dev/reference/events/message)."""

_SLACKBOT = "USLACKBOT"
_KINDS: dict[str, PartKind] = {"image": "photo", "audio": "voice", "video": "video"}
_CLIPS: dict[str, PartKind] = {"slack_audio": "voice", "slack_video": "video"}
Names = Callable[[str], str]
"""What a person is called, by id; "" where nobody knows."""


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are: the bot as an author, the id that its posts bear, and the workspace's address."""

    author: Author
    bot_id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Room:
    """A conversation; `direct` is one with a single person, `private` one with no more than a few."""

    id: str
    direct: bool = False
    private: bool = False

    @classmethod
    def of(cls, channel: str, kind: str | None = None) -> Room:
        """By what an event says of it; an id with a D is a direct chat whatever it says."""
        direct = kind == "im" or channel.startswith("D")
        return cls(channel, direct, direct or kind == "mpim")


def parse_event(event: object, us: Us, names: Names) -> Message | None:
    """What a `message` event tells; None for what nobody said."""
    post = checked(event, Post)
    if post.channel is None:
        raise BadPayload("a message without a channel")
    room = Room.of(str(Place.parse(post.channel)), post.channel_type)
    if post.subtype == "message_changed":
        return _changed(post, room, us, names)
    if post.subtype == "message_deleted":
        return _deleted(post, room, us, names)
    return parse_post(post, room, us, names)


def parse_post(post: Post, room: Room, us: Us, names: Names) -> Message | None:
    """A message as it stands; None for what nobody said."""
    if post.subtype in _SERVICE:
        return None
    if post.subtype not in _SAID:
        raise BadPayload(f"a message of a kind unknown to us: {str(post.subtype)[:80]}")
    ts = slack_time(post.ts)
    parts = tuple(_part(file) for file in post.files or ())
    text = _text(post)
    root = ts if post.thread_ts is None else slack_time(post.thread_ts)
    return Message(
        id=str(Place(room.id, ts)),
        author=_author(post, us, names),
        text=text,
        sent_at=time_of(ts),
        thread=room.id if room.direct and root == ts else str(Place(room.id, root)),
        url=_url(us, room, ts, root),
        private=room.private,
        mentions_us=_mentions_us(post, room, us),
        in_reply_to=None if root == ts else str(Place(room.id, root)),
        parts=parts,
        automated=post.bot_id is not None,
    )


def edit_time(post: Post) -> str | None:
    """When it was last changed by its author."""
    return None if post.edited is None else slack_time(post.edited.ts)


def _changed(event: Post, room: Room, us: Us, names: Names) -> Message | None:
    """An edit. Slack tells of each link that it unfolds, too: that changes nothing that was said."""
    before = checked(event.previous_message, Post) if isinstance(event.previous_message, Mapping) else None
    after = checked(event.message, Post)
    if after.ts is None and before is not None:
        after = _dated(event.message, before.ts)
    if after.subtype == "tombstone":  # what stood at the root of a thread leaves a stone behind
        gone = _as_deletion(event, after.ts)
        return _deleted(gone, room, us, names)
    if before is not None and _said(before) == _said(after):
        return None
    revision = edit_time(after) or (None if before is None else slack_time(event.event_ts or event.ts))
    message = None if revision is None else parse_post(after, room, us, names)
    return None if message is None or revision is None else replace(message, revision=revision)


def _dated(raw: object, ts: str | None) -> Post:
    told = dict(raw) if isinstance(raw, Mapping) else {}
    return checked({**told, "ts": ts}, Post)


def _as_deletion(event: Post, ts: str | None) -> Post:
    """The same event, told as a deletion of the message `ts`."""
    return Post(
        ts=event.ts,
        event_ts=event.event_ts,
        deleted_ts=ts,
        previous_message=event.previous_message,
        channel=event.channel,
    )


def _said(post: Post) -> tuple[str, tuple[str | None, ...]]:
    return _text(post), tuple(file.id for file in post.files or ())


def _deleted(event: Post, room: Room, us: Us, names: Names) -> Message:
    ts, at = slack_time(event.deleted_ts), slack_time(event.event_ts or event.ts)
    before = event.previous_message
    old = checked(before, Post) if isinstance(before, Mapping) else Post()
    root = ts if old.thread_ts is None else slack_time(old.thread_ts)
    return Message(
        id=str(Place(room.id, ts)),
        author=_author(old, us, names),
        text="",
        sent_at=time_of(at),
        thread=room.id if room.direct and root == ts else str(Place(room.id, root)),
        revision=at,
        private=room.private,
        deleted=True,
    )


def _author(post: Post, us: Us, names: Names) -> Author:
    if (post.bot_id is not None and post.bot_id == us.bot_id) or post.user == us.author.id:
        return us.author
    if post.bot_id is not None or post.subtype == "bot_message" or post.user == _SLACKBOT:
        name = post.username or (post.bot_profile.shown if post.bot_profile else "")
        return Author(id=post.user or post.bot_id or "", name=name, bot=True)
    if post.user is None:
        return Author(id="", name=post.username or "")
    told = post.user_profile.shown if post.user_profile else ""
    return Author(id=post.user, name=told or names(post.user))


def _mentions_us(post: Post, room: Room, us: Us) -> bool | None:
    """None where nothing in Slack's own signs names us: the text may still hold the brand's handle."""
    named = us.author.id in mentioned(post.text or "")
    return True if room.direct or named or post.parent_user_id == us.author.id else None


def _text(post: Post) -> str:
    text = plain(post.text or "")
    return text if text.strip() else spoken(post.blocks, post.attachments)


def _part(file: File) -> Part:
    kind = _CLIPS.get(file.subtype or "") or _KINDS.get((file.mimetype or "").partition("/")[0], "file")
    return Part(kind=kind, ref=file.id, name=file.name or file.title)


def _url(us: Us, room: Room, ts: str, root: str) -> str | None:
    """As Slack's own "copy link" makes it: docs.slack.dev/reference/methods/chat.getPermalink."""
    if us.url is None:
        return None
    below = "" if root == ts else f"?thread_ts={root}&cid={room.id}"
    return f"{us.url}archives/{room.id}/p{ts.replace('.', '')}{below}"
