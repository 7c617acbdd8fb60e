"""What the store says when it cannot do its work, each with the way out.

StoreError
├── Locked        another process writes this database
├── NotOurs       the file is not a database of heedful, or is damaged
├── Newer         a newer heedful wrote it
├── Older         it has to be migrated first, by a command that may write
├── StoreFull     no room: nothing was stored, try again once there is room
├── StoreBroken   the database cannot be reached or is suspect: try again
└── StoreClosed   this store is closed, or opened for reading only
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.exc import DBAPIError

__all__ = ["Locked", "Newer", "NotOurs", "Older", "StoreBroken", "StoreClosed", "StoreError", "StoreFull", "failure"]

SQLITE_FULL = 13
SQLITE_SUSPECT = {8, 10, 14}  # READONLY, IOERR, CANTOPEN
SQLITE_CORRUPT = 11
SQLITE_NOTADB = 26
POSTGRES_FULL = {"53100"}
POSTGRES_BROKEN = ("08", "57P", "58", "XX")


class StoreError(Exception):
    """The store cannot do its work."""


class Locked(StoreError):
    """Another heedful writes this database. `path` is the lock that it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"another heedful is writing this database (it holds {path}) → stop it, or name another with --db"
        )


class NotOurs(StoreError):
    """The file is not a database of heedful, or it is damaged."""


class Newer(StoreError):
    """A newer heedful has written this database."""


class Older(StoreError):
    """The database has to be migrated before it can be read."""


class StoreFull(StoreError):
    """There is no room left. Nothing was stored; the same work may be tried again later."""


class StoreBroken(StoreError):
    """The database cannot be reached or is suspect. The same work may be tried again later."""


class StoreClosed(StoreError):
    """This store takes no more work."""


def _of_sqlite(code: int, error: DBAPIError) -> StoreError | None:
    primary = code & 0xFF
    if primary == SQLITE_FULL:
        return StoreFull("no room left on the disk of the database → free some space; work then goes on by itself")
    if primary == SQLITE_NOTADB:
        return NotOurs("this file is no SQLite database → name another file for the database")
    if primary == SQLITE_CORRUPT:
        return StoreBroken(f"the database is damaged ({error.orig}) → restore it from a backup")
    if primary in SQLITE_SUSPECT:
        return StoreBroken(f"the database cannot be written ({error.orig}) → check its disk and its permissions")
    return None


def _of_postgres(state: str, error: DBAPIError) -> StoreError | None:
    if state in POSTGRES_FULL:
        return StoreFull("the database server has no room left on its disk → free some space there")
    if state.startswith(POSTGRES_BROKEN):
        return StoreBroken(f"the database server failed ({error.orig}) → see its log")
    return None


def failure(error: DBAPIError) -> StoreError | None:
    """Tell what the database itself suffers from; None where the statement is to blame."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _of_sqlite(code, error)
    if error.connection_invalidated:
        return StoreBroken("the connection to the database was lost → work goes on once it answers again")
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return _of_postgres(state, error)
    if type(error.orig).__name__ == "OperationalError":
        return StoreBroken(f"the database cannot be reached ({error.orig}) → check its address and that it runs")
    return None
