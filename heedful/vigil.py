"""Looks at the channels once a minute: what is stored about each, and whether its silence means something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from heedful.alarms import Alarms
from heedful.channels import Runner
from routing.silence import Silence, judge, rhythm
from routing.store.database import Store
from routing.store.standing import Standing, standings

__all__ = ["Vigil", "silence_of"]

HOUR = timedelta(hours=1)


class Vigil:
    """`runners` is asked anew each time: a changed file opens and closes channels."""

    def __init__(
        self, store: Store, alarms: Alarms, clock: Callable[[], datetime], runners: Callable[[], Mapping[str, Runner]]
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._clock = clock
        self._runners = runners

    async def look(self) -> None:
        """Raises StoreError where the store cannot be asked."""
        now = self._clock()
        found = await self._store.read(lambda connection: standings(connection, now))
        for name, runner in list(self._runners().items()):
            await self._judge(runner, found.get(name, Standing()), now)

    async def _judge(self, runner: Runner, standing: Standing, now: datetime) -> None:
        """One alarm when it falls silent, one word when it is heard again; a channel that is lost has its own."""
        runner.health.stands(standing)
        silence = silence_of(standing, runner.health.well_since, now)
        runner.health.silent(silence if silence and silence.striking else None)
        about = f"{runner.name}: silence"
        if silence is None or not silence.striking:
            await self._alarms.hush(about)
        elif runner.health.state == "listening" and not self._alarms.rings(about):
            what = f"nothing has come since {silence.since:%Y-%m-%d %H:%M} UTC"
            await self._alarms.ring(
                about, f"{what}, where about {silence.expected:.0f} messages were to be expected → look at the platform"
            )


def silence_of(standing: Standing, well_since: datetime | None, now: datetime) -> Silence | None:
    """How the silence of a channel that is well since `well_since` looks; None where its rhythm is not known."""
    if not standing.hours or standing.last_event is None or well_since is None:
        return None
    known = rhythm(standing.hours, min(standing.hours), max(standing.hours) + HOUR)
    return None if known is None else judge(known, max(standing.last_event, well_since), now)
