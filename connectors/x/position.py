"""How far we have read; pure.

X's index takes some seconds, and not every post the same: one may be found only after a younger one.
So we go on asking from a minute before the last look, and know by its id what is not new.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.api import Cursor
from connectors.errors import Denied
from connectors.x import snowflake

__all__ = ["OVERLAP", "Position"]

OVERLAP = timedelta(seconds=60)
_REMEMBERED = 4096
"""A bound for a cursor's size only (some 80 kB); within a minute X's stream tells less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """All up to `since` is done with, and so is each of `seen` (ascending)."""

    since: int
    seen: tuple[int, ...] = ()

    @classmethod
    def parse(cls, cursor: Cursor | None) -> Position | None:
        """Raises Denied for a cursor that we never wrote."""
        if cursor is None:
            return None
        since, _, seen = cursor.partition(";")
        parts = [since, *filter(None, seen.split(","))]
        if not all(map(snowflake.is_id, parts)):
            raise Denied("the place to go on from is not one of X's: was the channel's kind changed?")
        return cls(since=int(since), seen=tuple(sorted(map(int, parts[1:]))))

    @property
    def cursor(self) -> Cursor:
        return Cursor(f"{self.since};{','.join(map(str, self.seen))}" if self.seen else str(self.since))

    @property
    def reached(self) -> datetime:
        """When the latest of what we have seen was posted."""
        return snowflake.at(max([self.since, *self.seen]))

    def settled(self, looked: datetime) -> Position:
        """What was seen more than a minute before a look has no older one that comes after it."""
        return _done(self.since, self.seen, [each for each in self.seen if snowflake.at(each) < looked - OVERLAP])

    def is_new(self, identity: int) -> bool:
        return identity > self.since and identity not in self.seen

    def moved(self, moment: datetime) -> Position:
        """Behind all that was posted before a moment."""
        return self.past(snowflake.first_at(moment) - 1)

    def past(self, identity: int) -> Position:
        """Behind an id and all below it."""
        return _done(self.since, self.seen, [identity])

    def after(self, identities: Iterable[int]) -> Position:
        """Behind these too. How long each is remembered is for `settled` to say."""
        seen = sorted({*self.seen, *(identity for identity in identities if identity > self.since)})
        return _done(self.since, seen, seen[:-_REMEMBERED])


def _done(since: int, seen: Iterable[int], old: list[int]) -> Position:
    since = max([since, *old])
    return Position(since=since, seen=tuple(identity for identity in seen if identity > since))
