"""What the daemon says about itself: the page shows it, the program fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

__all__ = ["Alarm", "ChannelHealth", "State", "Status", "stamp"]

State = Literal["listening", "waiting", "paused", "failed", "stopped", "idle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHealth:
    """One channel: since when it has been in `state`, and when it last brought a page.

    `waiting` backs off and tries again; `failed` needs a person; `paused` rests on purpose
    until `until`; `idle` has nothing to listen to.
    """

    name: str
    kind: str
    state: State
    since: datetime
    last_success: datetime | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "state": self.state,
            "since": stamp(self.since),
            "last_success": stamp(self.last_success),
            "error": self.error,
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
