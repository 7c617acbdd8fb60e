"""How a channel is, as its runner knows it; the page, /readyz and /metrics read the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from feed.status import ChannelHealth, State

__all__ = ["Health"]


class Health:
    """`listening` only while polls or heartbeats succeed; liveness is the age of the last one."""

    def __init__(self, name: str, kind: str, clock: Callable[[], datetime]) -> None:
        self._name = name
        self._kind = kind
        self._clock = clock
        self._state: State = "waiting"
        self._since = clock()
        self._last_success: datetime | None = None
        self._error: str | None = None
        self._until: datetime | None = None
        self._spent = 0
        self._budget: int | None = None

    @property
    def state(self) -> State:
        return self._state

    def succeed(self) -> bool:
        """A page came, even an empty one. True where the channel was lost before and is back."""
        self._last_success = self._clock()
        return self._become("listening", None)

    def lose(self, error: str) -> bool:
        """Reached no more, tried again later. True the first time: it is logged once, not once a try."""
        return self._become("waiting", error)

    def fail(self, error: str) -> bool:
        """A person must act."""
        return self._become("failed", error)

    def rest(self) -> None:
        """Nothing to listen to."""
        self._become("idle", None)

    def pause(self, until: datetime, why: str) -> None:
        """Well, but it reads nothing before `until`."""
        self._until = until
        self._become("paused", why)

    def spends(self, spent: int, budget: int) -> None:
        """Millionths of a US dollar, today and at most a day."""
        self._spent, self._budget = spent, budget

    def stop(self) -> None:
        self._become("stopped", None)

    def snapshot(self) -> ChannelHealth:
        return ChannelHealth(
            name=self._name,
            kind=self._kind,
            state=self._state,
            since=self._since,
            last_success=self._last_success,
            error=self._error,
        )

    def _become(self, state: State, error: str | None) -> bool:
        changed = state != self._state or (error is not None and self._error is None)
        if changed:
            self._since = self._clock()
        self._state, self._error = state, error
        return changed
