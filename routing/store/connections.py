"""The connections: which may write, how durably, and whose database it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool, QueuePool

from routing.store.errors import NotOurs, StoreBroken

__all__ = ["examine", "own", "reading", "writing"]

OURS = 0x4845_4544
"""`PRAGMA application_id` of our SQLite files: HEED."""
LOCK = 0x4845_454D
PATIENCE = 5.0


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _loads(value: str | bytes | float) -> Any:
    """SQLite keeps a bare number in a column of type JSON as a number."""
    return value if isinstance(value, (int, float)) else orjson.loads(value)


_OPTIONS: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": _loads, "hide_parameters": True}
"""An error is logged: it must not quote what customers wrote."""


def writing(where: URL) -> Engine:
    """An engine for the one connection that writes: durable at COMMIT."""
    if where.get_backend_name() == "sqlite":
        engine = _sqlite(where, "rw", NullPool, "BEGIN IMMEDIATE", _WRITING)
    else:
        engine = create_engine(where, poolclass=NullPool, **_OPTIONS)
    return engine


def reading(where: URL) -> Engine:
    """An engine whose transactions see one snapshot and cannot write."""
    if where.get_backend_name() == "sqlite":
        return _sqlite(where, "ro", QueuePool, "BEGIN", _READING)
    engine = create_engine(where, pool_pre_ping=True, **_OPTIONS)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


_WRITING = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
    "PRAGMA journal_size_limit=67108864",
)
_READING = ("PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-8000")


def _sqlite(where: URL, mode: str, pool: type[NullPool | QueuePool], begin: str, pragmas: Sequence[str]) -> Engine:
    address = f"file:{quote(str(where.database))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # Transactions are ours to begin, so isolation_level is None.
        connection = sqlite3.connect(
            address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        try:
            for pragma in pragmas:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=pool, **_OPTIONS)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def own(connection: Connection) -> None:
    """See to it that the database is ours or new. Raises NotOurs. On PostgreSQL: one at a time."""
    if connection.dialect.name != "sqlite":
        if not connection.get_execution_options().get("postgresql_readonly"):
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return
    mark = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    if mark == OURS:
        return
    if mark != 0 or inspect(connection).get_table_names():
        raise NotOurs("this SQLite file belongs to another program → name another file for the database")
    connection.exec_driver_sql(f"PRAGMA application_id={OURS}")


def examine(connection: Connection) -> None:
    """Look at a database that has failed before it is written again. Raises StoreBroken."""
    if connection.dialect.name != "sqlite":
        return
    with connection.begin():
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StoreBroken(f"the database is damaged ({found}) → restore it from a backup")
