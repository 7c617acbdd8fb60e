"""How far each channel was read: what a cursor holds. Pure.

Replies and edits have no list of their own in Slack: they hang on messages that may be days old, so they
are looked for by walking over those again. A reply that comes during such a walk, to a message already
passed, is missed by it. Hence `changes` only ever moves to a time that Slack had told before the walk
began: whatever is older than that was there to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
from msgspec import Struct

from connectors.api import Cursor
from connectors.errors import BadPayload
from connectors.slack.places import slack_time

__all__ = ["Mark", "read_marks", "written"]


@dataclass(frozen=True, slots=True)
class Mark:
    """All posts up to `posts` and all replies and edits up to `changes` were read; `newest` was seen anywhere."""

    posts: str
    changes: str
    newest: str

    def passed(self, ts: str) -> Mark:
        return replace(self, posts=max(self.posts, ts), newest=max(self.newest, ts))

    def saw(self, *times: str) -> Mark:
        return replace(self, newest=max((self.newest, *times)))  # of no times at all, too

    def heard(self, at: str, surely: str) -> Mark:
        """Told live: all up to `surely` has come, whatever is on its way."""
        return Mark(max(self.posts, surely), max(self.changes, surely), max(self.newest, at))


class _Written(Struct, frozen=True):
    marks: dict[str, tuple[str, str, str]]


def read_marks(cursor: Cursor | None) -> dict[str, Mark]:
    """A cursor that cannot be read is none: the channels are then read from `backfill` on."""
    if cursor is None:
        return {}
    try:
        told = msgspec.json.decode(cursor.encode("utf-8", "replace"), type=_Written)
        return {channel: Mark(*map(slack_time, times)) for channel, times in told.marks.items()}
    except (msgspec.DecodeError, RecursionError, BadPayload):
        return {}


def written(marks: Mapping[str, Mark]) -> Cursor:
    told = {channel: (mark.posts, mark.changes, mark.newest) for channel, mark in sorted(marks.items())}
    return Cursor(msgspec.json.encode(_Written(told)).decode())
