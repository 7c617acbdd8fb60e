"""What is wrong right now, told once when it starts and once when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from feed.status import Alarm
from routing.store import events
from routing.store.database import Store
from routing.store.errors import StoreError

__all__ = ["Alarms"]

log = structlog.get_logger("heedful.alarms")


class Alarms:
    """Shows in the page (an event and the status), in the log and, by count, in the metrics."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._ringing: dict[str, Alarm] = {}

    @property
    def ringing(self) -> tuple[Alarm, ...]:
        return tuple(self._ringing.values())

    def rings(self, about: str) -> bool:
        return about in self._ringing

    async def ring(self, about: str, what: str) -> None:
        """Start or restate an alarm; the same words about the same thing are told only once."""
        current = self._ringing.get(about)
        if current is not None and current.text == what:
            return
        self._ringing[about] = Alarm(name=about, text=what, since=self._clock())
        log.error("alarm", about=about, what=what)
        await self._tell("alarm", about, what)

    async def hush(self, about: str) -> None:
        """The thing works again."""
        alarm = self._ringing.pop(about, None)
        if alarm is None:
            return
        log.info("alarm over", about=about, what=alarm.text)
        await self._tell("alarm_over", about, alarm.text)

    async def hush_channel(self, name: str) -> None:
        """Whatever rings about a channel that is closed."""
        for about in [about for about in self._ringing if about == name or about.startswith(f"{name}: ")]:
            await self.hush(about)

    async def _tell(self, kind: str, about: str, what: str) -> None:
        event = {"at": self._clock(), "kind": kind, "channel": about, "data": {"what": what}}
        try:
            await self._store.write(lambda connection: events.append(connection, [event]))
        except StoreError as error:
            log.warning("alarm not stored", about=about, error=type(error).__name__)
