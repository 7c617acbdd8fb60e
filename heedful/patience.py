"""How long to wait before a channel is tried again; counts seconds, never sleeps."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from datetime import timedelta

__all__ = ["Patience"]

LONGEST_PAUSE = 60.0
WELL_AFTER = 60.0
"""Seconds of success after which earlier failures count no more: a close at once is no success."""
WINDOW = 900.0
SHORTEST = 0.001
"""Seconds: what rounding leaves of a wait is still one."""
OPENS = 24
"""Streams opened in one `WINDOW`, whatever happens to them.

X lets us connect 50 times in 15 minutes (https://docs.x.com/x-api/fundamentals/rate-limits): even where
the program is started anew in between, that is kept to.
"""


def _longer() -> float:
    return random.uniform(1.0, 1.3)  # noqa: S311  jitter, no secret


class Patience:
    """One channel's failures in a row, and the streams it has opened. `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float] = _longer) -> None:
        """`jitter` is drawn for each pause and lengthens it: at least 1."""
        self._monotonic = monotonic
        self._jitter = jitter
        self._opened: deque[float] = deque()
        self._well_since: float | None = None
        self.failures = 0

    def succeed(self) -> bool:
        """A page or a sign of life came. True once the channel is well again: it has been so for a minute."""
        now = self._monotonic()
        if self._well_since is None:
            self._well_since = now
        if now - self._well_since < WELL_AFTER or not self.failures:
            return False
        self.failures = 0
        return True

    def fail(self, wished: timedelta | None = None) -> float:
        """Seconds to stay away: what the platform wished, else doubling up to a minute."""
        if self._well_since is not None and self._monotonic() - self._well_since >= WELL_AFTER:
            self.failures = 0
        self._well_since = None
        self.failures += 1
        doubling: float = min(LONGEST_PAUSE, 0.5 * 2 ** min(self.failures, 8))
        return max(wished.total_seconds() if wished else 0.0, doubling) * self._jitter()

    def turn(self) -> float:
        """Seconds until one more stream may be opened; 0 where it may be now, and then it counts as opened."""
        now = self._monotonic()
        while self._opened and self._opened[0] <= now - WINDOW:
            self._opened.popleft()
        if len(self._opened) >= OPENS:
            return max(SHORTEST, self._opened[0] + WINDOW - now)
        self._opened.append(now)
        return 0.0
