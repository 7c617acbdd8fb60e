"""How often somebody may try to sign in, and where to go on afterwards; pure but for the memory of failures."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

__all__ = ["Attempts", "safe_path"]

WINDOW = timedelta(minutes=5)
PER_NAME = 5
OVERALL = 50
NAMES_AT_MOST = 10_000


@dataclass(slots=True)
class Attempts:
    """Failed sign-ins of the last minutes, by name and in all. In memory: a restart forgives."""

    clock: Callable[[], datetime]
    by_name: dict[str, deque[datetime]] = field(default_factory=dict[str, "deque[datetime]"])
    overall: deque[datetime] = field(default_factory=deque[datetime])
    # Argon2 takes 64 MB and a core for each: more at once would starve the listeners.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def wait(self, name: str) -> int:
        """Seconds until this name may try again; 0 where it may now."""
        now = self.clock()
        tried = self.by_name.get(name.casefold(), deque())
        return max(_wait(tried, PER_NAME, now), _wait(self.overall, OVERALL, now))

    def failed(self, name: str) -> None:
        if len(self.by_name) >= NAMES_AT_MOST:
            self.by_name.clear()
        now = self.clock()
        self.by_name.setdefault(name.casefold(), deque(maxlen=PER_NAME)).append(now)
        self.overall.append(now)

    def succeeded(self, name: str) -> None:
        self.by_name.pop(name.casefold(), None)
        if self.overall:
            self.overall.pop()


def _wait(tried: deque[datetime], limit: int, now: datetime) -> int:
    while tried and tried[0] <= now - WINDOW:
        tried.popleft()
    return 0 if len(tried) < limit else int((tried[0] + WINDOW - now).total_seconds()) + 1


def safe_path(wish: str | None) -> str:
    """A path of ours to go on to, or the queue: never another site, whatever the browser makes of slashes."""
    if not wish or len(wish) > 500 or not wish.startswith("/") or wish.startswith("//"):
        return "/"
    if "\\" in wish or not wish.isprintable() or any(character.isspace() for character in wish):
        return "/"
    return wish
