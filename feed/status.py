"""What the daemon says about itself: the page shows it, the program fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connectors.api import Quota

__all__ = ["Alarm", "ChannelHealth", "State", "Status", "stamp"]

State = Literal["listening", "waiting", "paused", "failed", "stopped", "idle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHealth:
    """One channel: since when it has been in `state`, when it last brought a page, and when a message.

    `waiting` backs off and tries again; `failed` needs a person; `paused` rests on purpose
    until `until`; `idle` has nothing to listen to.
    `spent` and `budget` of today (UTC) are in millionths of a US dollar. `gaps` are losses that the platform or we
    declared, `pending` and `unknown` its texts of ours. `silent_since`: its silence is too long to be chance.
    """

    name: str
    kind: str
    state: State
    since: datetime
    last_success: datetime | None = None
    error: str | None = None
    until: datetime | None = None
    last_event: datetime | None = None
    token_expires: datetime | None = None
    quotas: tuple[Quota, ...] = ()
    spent: int | None = None
    budget: int | None = None
    gaps: int = 0
    last_gap: datetime | None = None
    pending: int = 0
    unknown: int = 0
    silent_since: datetime | None = None

    def token_mood(self, now: datetime) -> Literal["cool", "warm", "hot", "over"]:
        """How near the end of the token is: a week, a day, gone."""
        if self.token_expires is None or self.token_expires - now > timedelta(days=7):
            return "cool"
        left = self.token_expires - now
        return "over" if left <= timedelta(0) else "hot" if left <= timedelta(days=1) else "warm"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "since": stamp(self.since),
            "last_success": stamp(self.last_success),
            "error": self.error,
            "until": stamp(self.until),
            "last_event": stamp(self.last_event),
            "token_expires": stamp(self.token_expires),
            "quotas": [
                {"name": one.name, "left": one.left, "of": one.of, "resets_at": stamp(one.resets_at)}
                for one in self.quotas
            ],
            "spent": self.spent,
            "budget": self.budget,
            "gaps": self.gaps,
            "last_gap": stamp(self.last_gap),
            "pending": self.pending,
            "unknown": self.unknown,
            "silent_since": stamp(self.silent_since),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person has to look at, until it is over."""

    name: str
    text: str
    since: datetime
    channel: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "text": self.text, "since": stamp(self.since), "channel": self.channel}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The whole daemon at one instant."""

    channels: tuple[ChannelHealth, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    paused: bool = False
    version: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "channels": [channel.as_json() for channel in self.channels],
            "alarms": [alarm.as_json() for alarm in self.alarms],
            "paused": self.paused,
            "version": self.version,
        }


def stamp(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, as every JSON of heedful writes times."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
