"""The tables as SQLAlchemy Core sees them: what the writing path and most questions use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert
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
    "insert_rows",
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


@lru_cache(maxsize=64)
def _prepared(
    table: Table, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """The statement as the driver takes it, and how it wants each column."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup or list(compiled.params)
    return str(compiled), [(name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in order]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the keys of the first; other columns become NULL, defaults are not asked.

    For paths where a quarter of the time of `connection.execute(insert(table), rows)` counts.
    """
    if not rows:
        return
    statement, columns = _prepared(table, connection.dialect, tuple(rows[0]))
    values: list[Any]
    if connection.dialect.positional:
        values = [tuple([make(row[name]) if make else row[name] for name, make in columns]) for row in rows]
    else:
        values = [{name: make(row[name]) if make else row[name] for name, make in columns} for row in rows]
    connection.exec_driver_sql(statement, values)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone where any unique key of it is taken; `.returning(…)` tells which were new."""
    return _INSERT[connection.dialect.name](table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, changes: Callable[[Any], dict[str, Any]]) -> Insert:
    """An INSERT that, where the primary key is taken, makes `changes(excluded)` instead."""
    statement = _INSERT[connection.dialect.name](table)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes(statement.excluded))
