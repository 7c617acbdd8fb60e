"""The fields of Slack's messages that we read. What we do not name is ignored, whatever Slack adds."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from connectors.errors import BadPayload

__all__ = ["Edited", "File", "Post", "Profile", "checked"]

_Form = TypeVar("_Form")


class Profile(Struct, frozen=True):
    """Comes with the messages of people of other workspaces (Slack Connect), and from `users.info`."""

    display_name: str | None = None
    real_name: str | None = None
    name: str | None = None

    @property
    def shown(self) -> str:
        return self.display_name or self.real_name or self.name or ""


class Edited(Struct, frozen=True):
    ts: str


class File(Struct, frozen=True):
    """Of a file of another workspace only the id is told."""

    id: str | None = None
    name: str | None = None
    title: str | None = None
    mimetype: str | None = None
    subtype: str | None = None


class Post(Struct, frozen=True):
    """A message as an event tells it, or as it stands in a history."""

    ts: str | None = None
    type: str | None = None
    subtype: str | None = None
    text: str | None = None
    user: str | None = None
    bot_id: str | None = None
    username: str | None = None
    user_profile: Profile | None = None
    bot_profile: Profile | None = None
    channel: str | None = None
    channel_type: str | None = None
    thread_ts: str | None = None
    parent_user_id: str | None = None
    latest_reply: str | None = None
    edited: Edited | None = None
    event_ts: str | None = None
    deleted_ts: str | None = None
    files: tuple[File, ...] | None = None
    blocks: Any = None
    attachments: Any = None
    message: Any = None
    previous_message: Any = None


def checked(raw: object, form: type[_Form]) -> _Form:
    """Raises BadPayload for what does not fit; its text names the field, never what stands in it."""
    try:
        return msgspec.convert(raw, form)
    except (msgspec.ValidationError, RecursionError) as error:
        reason = f"not as Slack describes it: {error}"
    raise BadPayload(reason)
