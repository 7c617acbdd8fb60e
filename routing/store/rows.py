"""The tables as SQLAlchemy Core sees them: what the writing path and most questions use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, Dialect, Table, bindparam, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import SQLModel

from routing.store import tables

__all__ = [
    "CASE",
    "CURSOR",
    "EVENT",
    "GAP",
    "MARK",
    "MESSAGE",
    "OUTBOX",
    "QUARANTINE",
    "SESSION",
    "SETTING",
    "SPENDING",
    "STAFF",
    "TALLY",
    "execute_rows",
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
SPENDING = _table(tables.SpendingRow)
MARK = _table(tables.MarkRow)

_INSERT: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


Maker = Callable[[Any], Any]


@lru_cache(maxsize=64)
def _inserting(table: Table, names: tuple[str, ...]) -> Insert:
    return insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names})


@lru_cache(maxsize=64)
def _prepared(statement: Insert | Update, dialect: Dialect) -> tuple[str, list[tuple[str, Maker | None, bool, Any]]]:
    """The statement as the driver takes it, and each of its values: name, how it is made, given or fixed."""
    compiled = statement.compile(dialect=dialect)
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or list(compiled.params)]
    return str(compiled), [
        (name, bind.type.dialect_impl(dialect).bind_processor(dialect), bind.required, bind.effective_value)
        for name, bind in binds
    ]


def execute_rows(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run `statement` for each of the rows, which all have a value for every `bindparam` of it.

    For paths where a quarter of the time of `connection.execute(statement, rows)` counts.
    """
    if not rows:
        return
    text, binds = _prepared(statement, connection.dialect)
    columns: list[Iterable[Any]] = []
    for name, make, given, fixed in binds:
        if not given:
            columns.append(repeat(make(fixed) if make else fixed, len(rows)))
        elif make:
            columns.append([make(row[name]) for row in rows])
        else:
            columns.append([row[name] for row in rows])
    values: Any = list(zip(*columns, strict=True))
    if not connection.dialect.positional:
        names = [name for name, *_ in binds]
        values = [dict(zip(names, row, strict=True)) for row in values]
    connection.exec_driver_sql(text, values)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the keys of the first; other columns become NULL, defaults are not asked."""
    if rows:
        execute_rows(connection, _inserting(table, tuple(rows[0])), rows)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone where any unique key of it is taken; `.returning(…)` tells which were new."""
    return _INSERT[connection.dialect.name](table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, changes: Callable[[Any], dict[str, Any]]) -> Insert:
    """An INSERT that, where the primary key is taken, makes `changes(excluded)` instead."""
    statement = _INSERT[connection.dialect.name](table)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes(statement.excluded))
