"""Cases between rows and the frozen values that `routing.cases` decides about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from routing.cases import Case, CaseError
from routing.store import events
from routing.store.rows import CASE

__all__ = ["NotFound", "Row", "case_of", "locked", "save", "tell"]

Row = Mapping[str, Any] | RowMapping
_FIELDS = tuple(one.name for one in fields(Case))


class NotFound(CaseError):
    """There is no such case, or no such text."""


def case_of(row: Row) -> Case:
    """The value of a row, as far as `routing.cases` knows it."""
    return Case(**{name: row[name] for name in _FIELDS})


def locked(connection: Connection, case_id: int) -> Row:
    """The row of a case, which nobody else changes until the transaction ends. Raises NotFound."""
    found = connection.execute(select(CASE).where(CASE.c.id == case_id).with_for_update()).mappings().first()
    if found is None:
        raise NotFound(f"there is no case {case_id}")
    return found


def save(connection: Connection, before: Case, after: Case) -> None:
    """Write what has changed."""
    changes = {name: new for name in _FIELDS if (new := getattr(after, name)) != getattr(before, name)}
    if changes:
        connection.execute(update(CASE).where(CASE.c.id == before.id).values(changes))


def tell(connection: Connection, now: datetime, row: Row, kind: str, actor: str | None, **data: object) -> None:
    """Record an event of a case; what is None is left out."""
    said = {name: value for name, value in data.items() if value is not None}
    event = {
        "at": now, "kind": kind, "actor": actor, "channel": row["channel"], "team": row["team"],
        "case_id": row["id"], "data": {"priority": row["priority"], **said},
    }  # fmt: skip
    events.append(connection, [event])
