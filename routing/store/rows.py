"""The tables as SQLAlchemy Core sees them: what the writing path and most questions use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert
from sqlmodel import SQLModel

from routing.store import tables

__all__ = [
    "CASE",
    "CURSOR",
    "EVENT",
    "GAP",
    "MESSAGE",
    "OUTBOX",
    "QUARANTINE",
    "SESSION",
    "SETTING",
    "STAFF",
    "TALLY",
    "insert_new",
    "upsert",
]


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


MESSAGE = _table(tables.MessageRow)
TALLY = _table(tables.TallyRow)
CURSOR = _table(tables.CursorRow)
QUARANTINE = _table(tables.QuarantineRow)
GAP = _table(tables.GapRow)
CASE = _table(tables.CaseRow)
OUTBOX = _table(tables.OutboxRow)
EVENT = _table(tables.EventRow)
STAFF = _table(tables.StaffRow)
SESSION = _table(tables.SessionRow)
SETTING = _table(tables.SettingRow)

_INSERT: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone where any unique key of it is taken."""
    return _INSERT[connection.dialect.name](table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, changes: Callable[[Any], dict[str, Any]]) -> Insert:
    """An INSERT that, where the primary key is taken, makes `changes(excluded)` instead."""
    statement = _INSERT[connection.dialect.name](table)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes(statement.excluded))
