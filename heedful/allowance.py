"""What reading may cost a day: asked before each call, kept to until 00:00 UTC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from connectors.api import Vitals
from heedful.alarms import Alarms
from heedful.health import Health
from routing.store import spending
from routing.store.database import Store

__all__ = ["Allowance"]

LOOK_AT_CLOCK = 60.0
"""Seconds between two looks at the clock while reading rests: the clock may be set meanwhile."""


class Allowance:
    """One channel's share in what its account may spend. `unbooked` was spent, and could not be stored yet."""

    def __init__(
        self,
        health: Health,
        store: Store,
        alarms: Alarms,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.unbooked = 0
        self._health = health
        self._store = store
        self._alarms = alarms
        self._clock = clock
        self._sleep = sleep

    async def overdraft(self, vitals: Vitals, account: str) -> str | None:
        """Why the next call could cost more than what is left for today; None where there is no such danger."""
        if vitals.daily_budget is None:
            return None
        now, budget = self._clock(), vitals.daily_budget
        spent = await self._store.read(lambda connection: spending.on(connection, account, now))
        self._health.spends(spent.total, budget)
        if spent.total + self.unbooked + vitals.next_call <= budget:
            return None
        next_call = f" and the next call may cost {spending.dollars(vitals.next_call)}" if vitals.next_call else ""
        return f"{spending.dollars(spent.total)} of {spending.dollars(budget)} a day are spent{next_call}"

    async def keep(self, name: str, vitals: Callable[[], Vitals], account: str) -> None:
        """Where today's money is spent, wait for tomorrow (UTC); what is sent meanwhile goes out all the same."""
        about = f"{name}: budget"
        while (why := await self.overdraft(vitals(), account)) is not None:
            until = spending.day_of(self._clock()) + spending.DAY
            self._health.pause(until, why)
            await self._alarms.ring(about, f"reading pauses until {until:%Y-%m-%d %H:%M} UTC: {why}")
            while (left := (until - self._clock()).total_seconds()) > 0:
                await self._sleep(min(left, LOOK_AT_CLOCK))
        await self._alarms.hush(about)
