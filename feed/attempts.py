"""How often somebody may try to sign in, and where to go on afterwards; pure but for the memory of failures."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

__all__ = ["Attempts", "address_of", "safe_path"]

WINDOW = timedelta(minutes=5)
PER_NAME = 5
NAMES_AT_MOST = 10_000
HASHES_AT_ONCE = 2
IPV6_HOUSEHOLD = 64
"""Who has one address of an IPv6 network of this size has them all."""

Key = tuple[str, str]


@dataclass(slots=True)
class Attempts:
    """Failed sign-ins of the last minutes, by name and address: a stranger's failures lock out nobody else.

    What all take together is not refused but slowed, by `hashing`. In memory: a restart forgives.
    """

    clock: Callable[[], datetime]
    failures: dict[Key, deque[datetime]] = field(default_factory=dict[Key, "deque[datetime]"])
    # Argon2 takes 20 MB and a core for each: more at once would starve the listeners.
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))

    def wait(self, name: str, address: str) -> int:
        """Seconds until this name may be tried from this address again; 0 where it may now."""
        now = self.clock()
        tried = self.failures.get((name.casefold(), address), deque())
        while tried and tried[0] <= now - WINDOW:
            tried.popleft()
        return 0 if len(tried) < PER_NAME else int((tried[0] + WINDOW - now).total_seconds()) + 1

    def failed(self, name: str, address: str) -> None:
        key = (name.casefold(), address)
        tried = self.failures.pop(key, deque(maxlen=PER_NAME))
        if len(self.failures) >= NAMES_AT_MOST:
            del self.failures[next(iter(self.failures))]
        tried.append(self.clock())
        self.failures[key] = tried

    def succeeded(self, name: str, address: str) -> None:
        self.failures.pop((name.casefold(), address), None)


def address_of(peer: str, forwarded_for: str) -> str:
    """Where somebody is: the peer, or what a proxy on our own network, and only such a one, wrote down last."""
    try:
        found = ip_address(peer)
        if forwarded_for and (found.is_loopback or found.is_private):
            found = ip_address(forwarded_for.rpartition(",")[2].strip())
    except ValueError:
        return peer
    if found.version == 6:
        return str(found.ipv4_mapped or ip_network((int(found), IPV6_HOUSEHOLD), strict=False))
    return str(found)


def safe_path(wish: str | None) -> str:
    """A path of ours to go on to, or the queue: never another site, whatever the browser makes of slashes."""
    if not wish or len(wish) > 500 or not wish.startswith("/") or wish.startswith("//"):
        return "/"
    if "\\" in wish or not wish.isprintable() or any(character.isspace() for character in wish):
        return "/"
    return wish
