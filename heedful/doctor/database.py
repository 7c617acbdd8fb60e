"""The database: is it there, is it of this version, has it room, do its books balance."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError

from heedful.doctor.verdict import Verdict, fail, ok, warn
from routing.store import ledger, migrations
from routing.store.database import Store
from routing.store.standing import standings

__all__ = ["absent", "look", "newest", "room", "shown"]

AREA = "database"
SINCE = timedelta(days=7)
LEAST, SCARCE = 100_000_000, 1_000_000_000


def shown(url: str) -> str:
    """The address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.partition(":")[0] + ":…"


def absent(url: str) -> bool:
    """An SQLite database that nobody has made yet."""
    kind, _, path = url.partition("://")
    return kind.startswith("sqlite") and bool(path.strip("/")) and not Path(path.removeprefix("/")).exists()


def look(connection: Connection, now: datetime) -> Iterator[Verdict]:
    """What the rows say, within one snapshot."""
    yield ok(AREA, "schema", f"{migrations.version(connection)}, as this heedful knows it")
    yield ok(AREA, "size", _bytes(_size(connection)))
    books = ledger.ledger(connection, now - SINCE)
    if books.balances:
        yield ok(AREA, "books", f"the last {SINCE.days} days balance: {books.total.received} received")
    else:
        first = books.problems()[0]
        yield fail(AREA, "books", first, "report it, with the output of heedful ledger --json")


def newest(connection: Connection, now: datetime) -> datetime | None:
    """When the newest stored message came."""
    found = (one.last_event for one in standings(connection, now).values())
    return max((at for at in found if at is not None), default=None)


def room(store: Store) -> Iterator[Verdict]:
    """Beside an SQLite file: free space, and who may read it."""
    if store.path is None:
        return
    free = shutil.disk_usage(store.path.parent).free
    if free < SCARCE:
        verdict = fail if free < LEAST else warn
        yield verdict(AREA, "free disk", _bytes(free), "free some space: without it nothing is confirmed or stored")
    else:
        yield ok(AREA, "free disk", _bytes(free))
    if stat.S_IMODE(store.path.stat().st_mode) & 0o077:
        yield warn(AREA, "permissions", "others on this machine may read it", f"chmod 600 {store.path}")


def _size(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        pages = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(connection.execute(pages).scalar_one())
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def _bytes(count: int) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count} {unit}"
        count //= 1000
    return f"{count} TB"
