"""Which of our own posts were paid for today: X charges for each once in a UTC day.

So https://docs.x.com/x-api/getting-started/pricing says, and that there may be exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

__all__ = ["Bought"]

_REMEMBERED = 20_000
"""A bound for memory only: beyond it too much is counted, never too little."""


class Bought:
    """Lives as long as the process: after a restart a post is counted once more."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._day: date | None = None

    def count_new(self, posts: Iterable[object], now: datetime) -> int:
        """How many of them are to be paid for; one without an id always is."""
        today = now.astimezone(UTC).date()
        if today != self._day:
            self._ids, self._day = set(), today
        return sum(self._is_new(post) for post in posts)

    def _is_new(self, post: object) -> bool:
        identity = post.get("id") if isinstance(post, Mapping) else None
        if not isinstance(identity, str):
            return True
        if identity in self._ids:
            return False
        if len(self._ids) < _REMEMBERED:
            self._ids.add(identity)
        return True
