"""How a channel stands by what is stored: its last event, its hours, its gaps, what waits to go out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from routing.store.literal import DOUBTFUL, UNSETTLED
from routing.store.rows import GAP, MESSAGE, OUTBOX, TALLY

__all__ = ["Standing", "standings"]

LOOKED_BACK = timedelta(weeks=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`hours` counts what was new by hour of receipt; `pending` replies wait, `unknown` ones need a person."""

    last_event: datetime | None = None
    hours: Mapping[datetime, int] = field(default_factory=dict[datetime, int])
    gaps: int = 0
    last_gap: datetime | None = None
    pending: int = 0
    unknown: int = 0


def standings(connection: Connection, now: datetime) -> dict[str, Standing]:
    """Every channel of which anything is stored, by name."""
    hours = _hours(connection, now - LOOKED_BACK)
    gaps = {row.channel: row for row in connection.execute(_GAPS)}
    waiting = _waiting(connection)
    return {
        name: Standing(
            last_event=_last_event(connection, name, max(hours[name], default=None)) if name in hours else None,
            hours=hours.get(name, {}),
            gaps=gaps[name].number if name in gaps else 0,
            last_gap=gaps[name].newest if name in gaps else None,
            pending=sum(waiting[name, state] for state in ("pending", "sending", "uncertain", "approve")),
            unknown=waiting[name, "unknown"],
        )
        for name in {*hours, *gaps, *(channel for channel, _ in waiting)}
    }


_GAPS = select(GAP.c.channel, func.count().label("number"), func.max(GAP.c.until).label("newest")).group_by(
    GAP.c.channel
)


def _hours(connection: Connection, since: datetime) -> dict[str, dict[datetime, int]]:
    found: defaultdict[str, dict[datetime, int]] = defaultdict(dict)
    new = TALLY.c.received - TALLY.c.duplicates
    question = select(TALLY.c.channel, TALLY.c.hour, new.label("new")).where(TALLY.c.hour >= since, new > 0)
    for row in connection.execute(question):
        found[row.channel][row.hour] = row.new
    return dict(found)


def _last_event(connection: Connection, channel: str, hour: datetime | None) -> datetime | None:
    """Within its last hour: what was quarantined has no row there, and then the hour itself must do."""
    question = select(func.max(MESSAGE.c.received_at)).where(MESSAGE.c.hour == hour, MESSAGE.c.channel == channel)
    newest: datetime | None = connection.execute(question).scalar()
    return newest or hour


def _waiting(connection: Connection) -> Counter[tuple[str, str]]:
    question = (
        select(OUTBOX.c.channel, OUTBOX.c.state, func.count().label("number"))
        .where(or_(UNSETTLED, DOUBTFUL), OUTBOX.c.kind.in_(("answer", "acknowledgement")))
        .group_by(OUTBOX.c.channel, OUTBOX.c.state)
    )
    return Counter({(row.channel, row.state): row.number for row in connection.execute(question)})
