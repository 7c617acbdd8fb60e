"""Threads that something was lately said in.

A history lists a message by when it was posted, never by when it was last answered: what is said below an
old one is found only by asking below it. So we remember where something was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.api import Message
from connectors.slack.places import Place

__all__ = ["THREADS_KEPT", "Threads"]

THREADS_KEPT = 100
"""Each costs a request after a connection was made anew: at 50 a minute two minutes for all."""


class Threads:
    """The places, and when something was last said there: the latest `THREADS_KEPT` of all channels."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    @property
    def told(self) -> Mapping[str, str]:
        """What a cursor keeps of them."""
        return dict(self._last)

    def recall(self, told: Mapping[str, str]) -> None:
        """What a cursor kept."""
        self._add(told.items())

    def hear(self, messages: Iterable[Message]) -> None:
        """A message is a thread's, and may become the root of one."""
        said = [(one.in_reply_to or one.id, Place.parse(one.id).ts) for one in messages if not one.deleted]
        self._add((root, ts) for root, ts in said if ts is not None)

    def forget(self, place: Place) -> None:
        self._last.pop(str(place), None)

    def older(self, channel: str, than: str) -> list[str]:
        """The roots in a channel that were posted at `than` or before."""
        places = map(Place.parse, self._last)
        return sorted(place.ts for place in places if place.channel == channel and place.ts and place.ts <= than)

    def _add(self, told: Iterable[tuple[str, str]]) -> None:
        for root, ts in told:
            self._last[root] = max(ts, self._last.get(root, ""))
        if len(self._last) > THREADS_KEPT:
            latest = sorted(self._last.items(), key=lambda item: item[1], reverse=True)
            self._last = dict(latest[:THREADS_KEPT])
