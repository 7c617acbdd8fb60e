"""What a page writes besides its items: quarantine, gaps, the tally and the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from heedful.batch import Batch
from heedful.rows import start_of_hour
from routing.store.ids import new_id
from routing.store.rows import CASE, CURSOR, GAP, MESSAGE, QUARANTINE, TALLY, insert_new, insert_rows, upsert

__all__ = ["Count", "count", "erase", "move", "quarantine", "record_gaps"]

_OF_THESE = MESSAGE.c.id.in_(bindparam("ids", expanding=True))
_ERASE = (
    update(MESSAGE).where(_OF_THESE).values(text=""),
    update(CASE)
    .where(CASE.c.id.in_(select(MESSAGE.c.case_id).where(_OF_THESE)))
    .where(CASE.c.last_message_id.in_(bindparam("ids", expanding=True)))
    .values(text=""),
)


class Count:
    """Items of one channel and hour of receipt."""

    __slots__ = ("duplicates", "received")

    def __init__(self) -> None:
        self.received = 0
        self.duplicates = 0


def quarantine(connection: Connection, batch: Batch) -> list[bool]:
    """Whether each unreadable item was new. The same bytes again are a duplicate; the refusing statement says so."""
    statement = insert_new(connection, QUARANTINE).returning(QUARANTINE.c.id)
    new: list[bool] = []
    for one in batch.unreadable:
        row = {
            "id": new_id(one.at),
            "account": batch.source.account,
            "channel": batch.source.name,
            "sha256": one.sha256,
            "reason": one.reason,
            "sealed": one.sealed,
            "received_at": one.at,
            "hour": start_of_hour(one.at),
        }
        new.append(connection.execute(statement, row).first() is not None)
    return new


def record_gaps(connection: Connection, batch: Batch) -> None:
    rows = [
        {
            "id": new_id(batch.now),
            "channel": batch.source.name,
            "since": gap.since,
            "until": gap.until,
            "reason": gap.reason,
            "count": gap.count,
        }
        for gap in batch.gaps
    ]
    insert_rows(connection, GAP, rows)


def count(connection: Connection, channel: str, hours: Mapping[datetime, Count]) -> None:
    """Add to the tally; quarantined and stored items are never added, but counted from their rows."""
    if not hours:
        return
    statement = upsert(
        connection,
        TALLY,
        lambda new: {"received": TALLY.c.received + new.received, "duplicates": TALLY.c.duplicates + new.duplicates},
    )
    rows = [
        {"channel": channel, "hour": hour, "received": one.received, "duplicates": one.duplicates}
        for hour, one in hours.items()
    ]
    connection.execute(statement, rows)


def move(connection: Connection, batch: Batch) -> None:
    """Let the channel resume behind this batch."""
    statement = upsert(
        connection,
        CURSOR,
        lambda new: {"account": new.account, "cursor": new.cursor, "moved_at": new.moved_at},
    )
    row = {
        "channel": batch.source.name,
        "account": batch.source.account,
        "cursor": batch.cursor,
        "moved_at": batch.now,
    }
    connection.execute(statement, row)


def erase(connection: Connection, message_ids: Sequence[int]) -> None:
    """Take the texts out of the messages, and out of the cases that show them."""
    for statement in _ERASE:
        connection.execute(statement, {"ids": list(message_ids)})
