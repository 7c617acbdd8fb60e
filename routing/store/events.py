"""What happened, numbered in the order in which it became visible.

Inside `Store.write` the events of all works of a transaction are numbered last, just before COMMIT:
on PostgreSQL under one advisory lock, so that a reader who has seen number n never misses a smaller one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, text

from routing.store.rows import EVENT, insert_rows
from routing.store.wire import identity, rfc3339

__all__ = ["Event", "append", "gathering", "latest", "number", "of_case", "since", "take_back"]

WAITING = "heedful.events"
LOCK = 0x4845_4544
_BLANK: dict[str, Any] = {
    "actor": None,
    "channel": None,
    "team": None,
    "case_id": None,
    "message_id": None,
    "data": {},
}
_COLUMNS = tuple(EVENT.c)
_LATEST = select(func.coalesce(func.max(EVENT.c.seq), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; `data` is what its kind needs beside."""

    seq: int
    at: datetime
    kind: str
    actor: str | None
    channel: str | None
    team: str | None
    case_id: int | None
    message_id: int | None
    data: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "seq": str(self.seq),
            "at": rfc3339(self.at),
            "kind": self.kind,
            "actor": self.actor,
            "channel": self.channel,
            "team": self.team,
            "case_id": identity(self.case_id),
            "message_id": identity(self.message_id),
            "data": dict(self.data),
        }


def append(connection: Connection, events: Sequence[Mapping[str, Any]]) -> None:
    """Record `events`; each has `at` and `kind`, and any other column of EventRow but `seq`."""
    rows = [{**_BLANK, **event} for event in events]
    waiting: list[dict[str, Any]] | None = connection.info.get(WAITING)
    if waiting is None:
        _insert(connection, rows)
    else:
        waiting.extend(rows)


@contextmanager
def gathering(connection: Connection) -> Iterator[list[dict[str, Any]]]:
    """Hold back what is appended, until `number` writes it at the end of the transaction."""
    waiting: list[dict[str, Any]] = []
    connection.info[WAITING] = waiting
    try:
        yield waiting
    finally:
        if not connection.invalidated:  # a lost connection has taken it along
            connection.info.pop(WAITING, None)


def number(connection: Connection) -> bool:
    """Write what was held back; True where there was anything."""
    waiting: list[dict[str, Any]] = connection.info[WAITING]
    if not waiting:
        return False
    _insert(connection, waiting)
    waiting.clear()
    return True


def take_back(connection: Connection) -> None:
    """Forget what was held back and not yet written."""
    connection.info[WAITING].clear()


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    insert_rows(connection, EVENT, rows)


def _event(row: Row[Any]) -> Event:
    return Event(**row._asdict())


def since(connection: Connection, seq: int, limit: int = 500) -> list[Event]:
    """Return the events after `seq`, oldest first, at most `limit`."""
    question = select(*_COLUMNS).where(EVENT.c.seq > seq).order_by(EVENT.c.seq).limit(limit)
    return [_event(row) for row in connection.execute(question)]


def of_case(connection: Connection, case_id: int) -> list[Event]:
    """Return what happened to one case, oldest first."""
    question = select(*_COLUMNS).where(EVENT.c.case_id == case_id).order_by(EVENT.c.seq)
    return [_event(row) for row in connection.execute(question)]


def latest(connection: Connection) -> int:
    """Return the newest number, 0 where nothing has happened yet."""
    return int(connection.execute(_LATEST).scalar_one())
