"""Which conversations there are to read, and of what kind each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.errors import Unreachable
from connectors.slack.parsing import Room
from connectors.slack.transport import Api, listed, next_cursor

__all__ = ["Rooms"]

_LISTED = 200
_KINDS = "public_channel,private_channel,mpim,im"


class Rooms:
    """`channels` as the settings name them, or else all that the bot is a member of."""

    def __init__(self, api: Api, channels: Sequence[str] | None) -> None:
        self._api = api
        self._channels = channels
        self._known: dict[str, Room] = {}

    async def ids(self) -> list[str]:
        """In the order in which to read them. Raises Unreachable or Denied."""
        if self._channels is not None:
            return list(dict.fromkeys(self._channels))
        self._known = {room.id: room for room in await self._all()}
        return list(self._known)

    async def room(self, channel: str) -> Room:
        """Asked for once: an id does not tell a group's direct messages from a channel. Raises NoSuchRoom, too."""
        if channel not in self._known:
            answer = await self._api.ask("conversations.info", channel=channel)
            room = _room(answer.get("channel"))
            if room is None or room.id != channel:
                raise Unreachable("Slack's answer does not say of what kind a channel is")
            self._known[channel] = room
        return self._known[channel]

    async def _all(self) -> list[Room]:
        rooms: list[Room] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await self._api.ask("users.conversations", types=_KINDS, limit=_LISTED, **more)
            told = [one for one in listed(answer, "channels") if not _is_archived(one)]
            rooms += [room for one in told if (room := _room(one)) is not None]
            cursor = next_cursor(answer)
            if not cursor:
                return rooms


def _is_archived(told: object) -> bool:
    return isinstance(told, Mapping) and told.get("is_archived") is True


def _room(told: object) -> Room | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("id"), str):
        return None
    kind = "im" if told.get("is_im") is True else "mpim" if told.get("is_mpim") is True else None
    return Room.of(told["id"], kind)
