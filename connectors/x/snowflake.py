"""X's ids, which hold their time; pure.

An id is milliseconds since 4 November 2010 shifted by 22 bits, then machine and sequence:
https://docs.x.com/fundamentals/x-ids. Ids grow with time, to about a second between machines.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["at", "first_at", "is_id"]

_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
_DIGITS = 19
"""All that X takes for an id: https://api.x.com/2/openapi.json, since_id."""


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def at(identity: int) -> datetime:
    """When an id was given."""
    return _EPOCH + timedelta(milliseconds=identity >> 22)


def first_at(moment: datetime) -> int:
    """The smallest id of a moment: a place in time to go on from."""
    return max((moment - _EPOCH) // timedelta(milliseconds=1), 0) << 22
