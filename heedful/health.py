"""How a channel is, as its runner knows it; the page, /readyz and /metrics read the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.api import Vitals
from feed.status import ChannelHealth, State
from routing.silence import Silence
from routing.store.standing import Standing

__all__ = ["Health"]

BREAK = timedelta(minutes=10)
"""Away for longer than this, and what came meanwhile may come late."""


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
        self._spent: int | None = None
        self._budget: int | None = None
        self._vitals = Vitals()
        self._last_event: datetime | None = None
        self._standing = Standing()
        self._silence: Silence | None = None
        self.well_since: datetime | None = None
        """Since when it has been listened to without a break worth the name: its silence counts from here."""

    @property
    def state(self) -> State:
        return self._state

    def succeed(self) -> bool:
        """A page came, even an empty one. True where the channel was lost before and is back."""
        now = self._clock()
        if self._last_success is None or now - self._last_success > BREAK or self._state == "paused":
            self.well_since = now
        self._last_success = now
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

    def vital(self, vitals: Vitals) -> None:
        """What the connector says of itself."""
        self._vitals = vitals

    def hear(self) -> None:
        """Something new was stored just now."""
        self._last_event = self._clock()

    def stands(self, standing: Standing) -> None:
        """What is stored about it."""
        self._standing = standing
        if standing.last_event is not None and (self._last_event is None or standing.last_event > self._last_event):
            self._last_event = standing.last_event

    def silent(self, silence: Silence | None) -> None:
        """Silent in a way that means something, or not."""
        self._silence = silence

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
            until=self._until if self._state == "paused" else None,
            last_event=self._last_event,
            token_expires=self._vitals.token_expires,
            quotas=self._vitals.quotas,
            spent=self._spent,
            budget=self._budget,
            gaps=self._standing.gaps,
            last_gap=self._standing.last_gap,
            pending=self._standing.pending,
            unknown=self._standing.unknown,
            silent_since=self._silence.since if self._silence else None,
        )

    def _become(self, state: State, error: str | None) -> bool:
        changed = state != self._state or (error is not None and self._error is None)
        if changed:
            self._since = self._clock()
        self._state, self._error = state, error
        return changed
