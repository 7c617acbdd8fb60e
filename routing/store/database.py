"""Opening the database: the lock, the connections, the migrations.

SQLite: one connection writes and checkpoints, all others are read-only, and the writing process holds
an `flock` on `<database>.lock` for its whole life. PostgreSQL: the same code behind another URL.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from routing.store import connections, migrations, settings
from routing.store.errors import (
    Locked,
    Newer,
    NotOurs,
    Older,
    StoreBroken,
    StoreClosed,
    StoreError,
    StoreFull,
    failure,
)
from routing.store.writer import Writer

__all__ = [
    "Locked",
    "Newer",
    "NotOurs",
    "Older",
    "Store",
    "StoreBroken",
    "StoreClosed",
    "StoreError",
    "StoreFull",
    "open_store",
]

T = TypeVar("T")
READERS = 4


class Store:
    """The database of one installation: works are written by one thread, questions are read by a few.

    `clock` is what the rows of this process are dated by.
    """

    def __init__(
        self, url: URL, *, reader: Engine, writer: Writer | None, lock: Lock | None, clock: Callable[[], datetime]
    ) -> None:
        self.url = url
        self.clock = clock
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="heedful-read")

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.url.database) if self.dialect == "sqlite" and self.url.database else None

    @property
    def command_socket(self) -> Path | None:
        """Where the process that holds the lock takes the commands of others; None where all may write."""
        return self.path.with_name(self.path.name + ".sock") if self.path else None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in the writer's thread, inside a transaction; return what it returned after COMMIT.

        Other works may share the transaction; what `work` raises undoes `work` alone. Work may run
        twice before it is committed once: it changes nothing outside the database. Raises StoreFull
        or StoreBroken where the database cannot take it; the next write tries afresh.
        """
        if self._writer is None:
            raise StoreClosed("this store was opened for reading only")
        return await self._writer.submit(work)

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask `question` of one consistent snapshot, on a connection that cannot write, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` in the event loop after each commit of this process that wrote events."""
        if self._writer is not None:
            self._writer.on_commit(callback)

    async def close(self) -> None:
        """Finish what is waiting, then let go of the database and of the lock. Closing twice is harmless."""
        if self._writer is not None:
            await self._writer.close()
        await asyncio.to_thread(self._threads.shutdown)
        self._reader.dispose()
        if self._lock is not None:
            self._lock.release()

    def _ask(self, question: Callable[[Connection], T]) -> T:
        try:
            with self._reader.connect() as connection, connection.begin():
                return question(connection)
        except DBAPIError as error:
            raise failure(error) or error from error


class Lock:
    """The right to write an SQLite database, held until the process ends or lets go of it."""

    def __init__(self, database: Path) -> None:
        """Raises Locked where another process, or another store of this one, holds it."""
        self.path = database.with_name(database.name + ".lock")
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise Locked(self.path) from error
        self._file.truncate()
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Safe to call twice: the file stays where it is, only the lock goes."""
        self._file.close()


def open_store(url: str, *, clock: Callable[[], datetime], writer: bool = True) -> Store:
    """Open, create or migrate the database at `url` (`sqlite:///file` or `postgresql://…`).

    With `writer=False` nothing is locked, created or migrated. Raises StoreError: Locked, NotOurs,
    Newer, Older, StoreFull or StoreBroken, whose text tells what to do.
    """
    where = _parse(url)
    if where.get_backend_name() == "sqlite":
        return _open_sqlite(where, clock, writer)
    return _open(where, clock, None, writer)


def _parse(url: str) -> URL:
    try:
        where = make_url(url)
    except ArgumentError as error:
        kind = url.partition(":")[0]
        raise NotOurs(f"`{kind}…` is no database URL → write sqlite:///heedful.db or postgresql://…") from error
    name = where.get_backend_name()
    if name in {"postgresql", "postgres"}:
        return where.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise NotOurs(f"`{name}` is not supported → use sqlite:///… or postgresql://…")
    if not where.database or where.database == ":memory:":
        raise NotOurs("SQLite needs a file → write sqlite:///heedful.db")
    return where.set(drivername="sqlite", database=os.path.realpath(where.database), query={})


def _open_sqlite(where: URL, clock: Callable[[], datetime], writer: bool) -> Store:
    path = Path(str(where.database))
    if not writer:
        if not path.exists():
            raise Older(f"there is no database at {path} → start heedful once, it makes one")
        return _open(where, clock, None, writer=False)
    try:
        lock = Lock(path)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreBroken(f"cannot write beside {path} ({error.strerror}) → check its folder") from error
    try:
        return _open(where, clock, lock, writer=True)
    except BaseException:
        lock.release()
        raise


def _open(where: URL, clock: Callable[[], datetime], lock: Lock | None, writer: bool) -> Store:
    reader = connections.reading(where)
    try:
        if not writer:
            _look(reader)
            return Store(where, reader=reader, writer=None, lock=None, clock=clock)
        engine = connections.writing(where)
        _prepare(engine)
    except DBAPIError as error:
        reader.dispose()
        raise failure(error) or NotOurs(f"the database does not open ({error.orig})") from error
    except BaseException:
        reader.dispose()
        raise
    return Store(where, reader=reader, writer=Writer(engine, revive=connections.examine), lock=lock, clock=clock)


def _prepare(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        connections.own(connection)
        if migrations.version(connection) != migrations.HEAD:
            migrations.upgrade(connection)
        settings.remember_install_id(connection)


def _look(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        connections.own(connection)
        if migrations.version(connection) == migrations.HEAD:
            return
        migrations.refuse_newer(connection)
        raise Older("this database was made by an older heedful → start this one once, it brings it up to date")
