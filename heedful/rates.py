"""Sliding one-minute windows: a guess of the platform's limits, corrected by its own retry-after."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from connectors.api import Limits

__all__ = ["Rates"]

WINDOW = 60.0


class Rates:
    """Counts what was sent in the last minute, for the account and for each thread. `monotonic` in seconds."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._account: deque[float] = deque()
        self._threads: defaultdict[str, deque[float]] = defaultdict(deque)
        self._swept = monotonic()

    def wait(self, thread: str) -> float:
        """Seconds until one more may be sent there; 0 where it may be sent now."""
        now = self._monotonic()
        waits = [_wait(self._account, self._limits.replies_per_minute, now)]
        if self._limits.replies_per_minute_thread is not None and thread in self._threads:
            waits.append(_wait(self._threads[thread], self._limits.replies_per_minute_thread, now))
            if not self._threads[thread]:
                del self._threads[thread]
        return max(waits)

    def count(self, thread: str) -> None:
        now = self._monotonic()
        self._account.append(now)
        if self._limits.replies_per_minute_thread is not None:
            self._threads[thread].append(now)
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Once a window forget the threads in which nothing was sent within it."""
        if now - self._swept >= WINDOW:
            self._swept = now
            for thread in [name for name, sent in self._threads.items() if sent[-1] <= now - WINDOW]:
                del self._threads[thread]


def _wait(sent: deque[float], limit: int, now: float) -> float:
    while sent and sent[0] <= now - WINDOW:
        sent.popleft()
    return 0.0 if len(sent) < limit else sent[-limit] + WINDOW - now
