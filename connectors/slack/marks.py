"""How far each channel was read: what a cursor holds. Pure.

Replies and edits have no list of their own in Slack: they hang on messages that may be days old, so they
are looked for by walking over those again. A reply that comes during such a walk, to a message already
passed, is missed by it. Hence `changes` only ever moves to a time that Slack had told before the walk
began: whatever is older than that was there to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
from msgspec import Struct

from connectors.api import Cursor
from connectors.errors import ConnectorError
from connectors.slack.places import Place, slack_time

__all__ = ["Mark", "Standing", "read_standing", "written"]


@dataclass(frozen=True, slots=True)
class Mark:
    """All posts up to `posts` and all replies and edits up to `changes` were read; `newest` was seen anywhere.

    `pages` counts what a walk that is under way has given: by it a page that was not stored is noticed.
    """

    posts: str
    changes: str
    newest: str
    pages: int = 0

    def passed(self, ts: str) -> Mark:
        return replace(self, posts=max(self.posts, ts), newest=max(self.newest, ts))

    def saw(self, *times: str) -> Mark:
        return replace(self, newest=max((self.newest, *times)))  # of no times at all, too

    def turned(self) -> Mark:
        """A page of a walk was given, and not the last."""
        return replace(self, pages=self.pages + 1)

    def walked(self, before: str) -> Mark:
        """The walk is over; `before` it began was told of."""
        return replace(self, changes=max(self.changes, before), pages=0)

    def heard(self, at: str, surely: str) -> Mark:
        """Told live: all up to `surely` has come, whatever is on its way."""
        posts, changes = max(self.posts, surely), max(self.changes, surely)
        return Mark(posts, changes, max(self.newest, at), self.pages)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the reading stands.

    `threads` are places something was lately said below, with the last time of it; `shut` are channels of
    which it was told that they cannot be read. `unknown` where a cursor was there and could not be read.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict[str, Mark])
    threads: Mapping[str, str] = field(default_factory=dict[str, str])
    shut: frozenset[str] = frozenset()
    unknown: bool = False


class _Written(Struct, frozen=True, omit_defaults=True):
    marks: dict[str, tuple[str, str, str]]
    pages: dict[str, int] = {}
    threads: dict[str, str] = {}
    shut: list[str] = []


def read_standing(cursor: Cursor | None) -> Standing:
    """Never raises: what cannot be read is `unknown`, and then all is read from `backfill` on."""
    if cursor is None:
        return Standing()
    try:
        told = msgspec.json.decode(cursor.encode("utf-8", "replace"), type=_Written)
        marks = {
            name: Mark(slack_time(posts), slack_time(changes), slack_time(newest), told.pages.get(name, 0))
            for name, (posts, changes, newest) in told.marks.items()
        }
        threads = {str(Place.parse(place)): slack_time(last) for place, last in told.threads.items()}
    except (msgspec.DecodeError, RecursionError, ConnectorError):
        return Standing(unknown=True)
    return Standing(marks, threads, frozenset(told.shut))


def written(standing: Standing) -> Cursor:
    """The same text for the same standing."""
    marks = dict(sorted(standing.marks.items()))
    told = _Written(
        marks={name: (mark.posts, mark.changes, mark.newest) for name, mark in marks.items()},
        pages={name: mark.pages for name, mark in marks.items() if mark.pages},
        threads=dict(sorted(standing.threads.items())),
        shut=sorted(standing.shut),
    )
    return Cursor(msgspec.json.encode(told).decode())
