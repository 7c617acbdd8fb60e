"""Sliding one-minute windows and spacing: a guess of the platform's limits, corrected by its own retry-after."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from connectors.api import Limits

__all__ = ["Rates"]

WINDOW = 60.0


def _itself(thread: str) -> str:
    return thread


class Rates:
    """Counts what was sent in the last minute, for the account and for each place. `monotonic` in seconds.

    `place` of a thread is what the platform counts by: in Slack the channel around it.
    """

    def __init__(self, limits: Limits, monotonic: Callable[[], float], place: Callable[[str], str] = _itself) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._place = place
        self._spacing = limits.spacing.total_seconds()
        self._account: deque[float] = deque()
        self._places: defaultdict[str, deque[float]] = defaultdict(deque)
        self._last: dict[str, float] = {}
        self._swept = monotonic()

    def wait(self, thread: str) -> float:
        """Seconds until one more may be sent there; 0 where it may be sent now."""
        return max(self.wait_anywhere(), self.wait_there(thread))

    def wait_anywhere(self) -> float:
        """Seconds until the account may send at all."""
        return _wait(self._account, self._limits.replies_per_minute, self._monotonic())

    def wait_there(self, thread: str) -> float:
        """Seconds for which this place alone is to be left in peace."""
        place, now, limit = self._place(thread), self._monotonic(), self._limits.replies_per_minute_thread
        apart = self._last[place] + self._spacing - now if place in self._last else 0.0
        sent = self._places.get(place)
        return max(0.0, apart, _wait(sent, limit, now) if sent and limit is not None else 0.0)

    def count(self, thread: str) -> None:
        place, now = self._place(thread), self._monotonic()
        self._account.append(now)
        if self._limits.replies_per_minute_thread is not None:
            self._places[place].append(now)
        if self._spacing:
            self._last[place] = now
        self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Once a window forget the places in which nothing was sent that still counts."""
        if now - self._swept < WINDOW:
            return
        self._swept = now
        for place in [name for name, sent in self._places.items() if not sent or sent[-1] <= now - WINDOW]:
            del self._places[place]
        for place in [name for name, at in self._last.items() if at <= now - self._spacing]:
            del self._last[place]


def _wait(sent: deque[float], limit: int, now: float) -> float:
    while sent and sent[0] <= now - WINDOW:
        sent.popleft()
    return 0.0 if len(sent) < limit else sent[-limit] + WINDOW - now
