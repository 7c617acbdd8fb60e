"""Where a message stands: a channel and a time in it, which is Slack's own name for a message. Pure.

message  C123/1700000000.000100
thread   C123/1700000000.000100   its root; an answer goes below it
         D123                     a direct chat, where an answer goes to its end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.errors import BadPayload, Refused

__all__ = ["EPOCH", "Place", "earlier", "slack_time", "time_of", "time_text", "whole_channel"]

_TIME = re.compile(r"[0-9]{10}\.[0-9]{6}")
_PLACE = re.compile(r"([A-Z0-9]{1,40})(?:/([0-9]{10}\.[0-9]{6}))?")
_FIRST = datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
EPOCH = "1000000000.000000"
"""Before all of Slack. Not 0, which Slack takes for no bound at all and then answers the other way round."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel and, unless the channel as a whole is meant, a message in it."""

    channel: str
    ts: str | None = None

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a thread or an id. Raises Refused for what is none of ours."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise Refused("this message or thread is not one of Slack's")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return self.channel if self.ts is None else f"{self.channel}/{self.ts}"


def whole_channel(thread: str) -> str:
    """What Slack counts posts by: about one a second in a channel, whatever the thread."""
    return thread.partition("/")[0]


def slack_time(value: object) -> str:
    """A time as Slack writes it, such as 1700000000.000100: such texts sort. Raises BadPayload."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise BadPayload("a time that is not Slack's")
    return value


def time_of(ts: str) -> datetime:
    """The time that a text of `slack_time` stands for, to the microsecond."""
    seconds, _, micro = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(micro))


def time_text(at: datetime) -> str:
    """As Slack writes it; what lies before `EPOCH` is that."""
    return (
        EPOCH
        if at < _FIRST
        else f"{(at - datetime.fromtimestamp(0, UTC)) // timedelta(seconds=1)}.{at.microsecond:06d}"
    )


def earlier(ts: str, by: timedelta) -> str:
    """The time that lies `by` before, and `EPOCH` at the earliest."""
    at = time_of(ts)
    return EPOCH if at - _FIRST <= by else time_text(at - by)
