"""The one writer: a thread that lets waiting works share a transaction (group commit).

A work runs at once when nothing else waits; under load the group lingers a millisecond for more, so
that one fsync serves many. A future is resolved only after COMMIT.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError

from routing.store import events
from routing.store.errors import StoreBroken, StoreClosed, StoreError, failure

__all__ = ["LARGEST", "Writer"]

T = TypeVar("T")
Work = Callable[[Connection], T]

LARGEST = 256
"""Works in one transaction, at most."""
LINGER = 0.001
LONGEST = 0.020
"""Seconds of work in one transaction; what is left waits for the next."""


class _Task:
    """A work that waits, and where its result goes."""

    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        self.result = self.work(connection)

    def settle(self) -> None:
        if self.future.done():  # its caller has gone
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Runs works in the order in which they came, each wholly or not at all."""

    def __init__(self, engine: Engine, *, revive: Callable[[Connection], None] | None = None) -> None:
        """`revive` looks at a connection that replaces one that failed; what it raises fails the works."""
        self._engine = engine
        self._revive = revive
        self._suspect = False
        self._connection: Connection | None = None
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._held: list[_Task] = []
        self._closing = False
        self._closed = False
        self._callbacks: list[Callable[[], None]] = []
        self._thread = Thread(target=self._live, name="heedful-writer", daemon=True)
        self._thread.start()

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` in the event loop of a work after each commit that wrote events."""
        self._callbacks.append(callback)

    def submit(self, work: Work[T]) -> asyncio.Future[T]:
        """Queue `work`; the future is resolved in the running loop, after COMMIT."""
        if self._closed:
            raise StoreClosed("this store is closed")
        task = _Task(work, asyncio.get_running_loop())
        self._queue.put(task)
        return task.future

    async def close(self) -> None:
        """Finish all that was submitted, then end the thread and close the connection."""
        self.stop()
        await asyncio.to_thread(self._thread.join)

    def stop(self) -> None:
        """Ask the thread to finish what was submitted and end; does not wait for it."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)

    # In the thread.

    def _live(self) -> None:
        while group := self._gather():
            self._carry_out(group)
        self._drop()

    def _gather(self) -> list[_Task]:
        group, self._held = self._held, []
        if not group:
            self._take(group, None)
        while self._take(group, 0):
            pass
        until = monotonic() + LINGER
        while len(group) > 1 and (left := until - monotonic()) > 0 and self._take(group, left):
            pass
        return group

    def _take(self, group: list[_Task], wait: float | None) -> bool:
        """Move one waiting work into the group; False where it may not or did not grow."""
        if self._closing or len(group) >= LARGEST:
            return False
        try:
            task = self._queue.get(wait != 0, wait)
        except Empty:
            return False
        if task is None:
            self._closing = True
            return False
        group.append(task)
        return True

    def _carry_out(self, group: list[_Task]) -> None:
        spoke = False
        try:
            spoke = self._attempt(group)
        except Exception as error:  # noqa: BLE001  the supervisor of this thread: whatever failed, the callers learn it
            for task in group:
                task.error = error
        self._resolve(group, spoke)

    def _attempt(self, group: list[_Task]) -> bool:
        """Run a group in one transaction; True where it wrote events.

        Where a work fails, all run again in one transaction, each behind a savepoint, and only the
        guilty one fails. A connection lost before COMMIT is replaced once; lost in COMMIT, nobody
        knows, and the works fail with StoreBroken.
        """
        how, fresh = self._together, False
        while True:
            try:
                return self._transact(group, how)
            except _Apart:
                how = self._apart
            except _Lost as lost:
                if fresh:
                    raise lost.error from lost
                fresh = True

    def _transact(self, group: list[_Task], how: Callable[[Connection, list[_Task]], bool]) -> bool:
        ending = False
        try:
            connection = self._open()
            with events.gathering(connection):
                transaction = connection.begin()
                try:
                    spoke = how(connection, group)
                    ending = True
                    transaction.commit()
                except BaseException:
                    self._roll_back(transaction)
                    raise
            return spoke
        except DBAPIError as error:
            found = self._fail(error)
            if error.connection_invalidated and not ending:
                raise _Lost(found) from error
            raise found from error

    def _together(self, connection: Connection, group: list[_Task]) -> bool:
        """Runs until the transaction has lasted long enough; the rest of the group is held back."""
        until = monotonic() + LONGEST
        for place, task in enumerate(group, 1):
            try:
                task.run(connection)
            except Exception as error:
                self._blame(error)
                raise _Apart from error
            if monotonic() > until:
                self._held = group[place:]
                del group[place:]
                break
        return self._number(connection)

    def _apart(self, connection: Connection, group: list[_Task]) -> bool:
        spoke = False
        for task in group:
            savepoint = connection.begin_nested()
            task.error = None
            try:
                task.run(connection)
                wrote = events.number(connection)
                savepoint.commit()
                spoke |= wrote
            except Exception as error:  # noqa: BLE001  whatever a work raises is its caller's
                self._blame(error)
                events.take_back(connection)
                savepoint.rollback()
                task.error = error
        return spoke

    def _number(self, connection: Connection) -> bool:
        try:
            return events.number(connection)
        except Exception as error:
            self._blame(error)
            raise _Apart from error

    def _blame(self, error: Exception) -> None:
        """Raise on where the database is to blame, and not the work."""
        if isinstance(error, DBAPIError) and failure(error) is not None:
            raise error

    def _open(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                if self._suspect and self._revive is not None:
                    self._revive(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._suspect = connection, False
        return self._connection

    def _fail(self, error: DBAPIError) -> StoreError:
        found = failure(error) or StoreBroken(f"the database failed ({error.orig})")
        if isinstance(found, StoreBroken):
            self._suspect = True
            self._drop()
        return found

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._suspect:
                connection.invalidate()
            connection.close()

    @staticmethod
    def _roll_back(transaction: RootTransaction) -> None:
        with suppress(DBAPIError):  # the first error says more; the connection is dropped with it
            transaction.rollback()

    def _resolve(self, done: list[_Task], spoke: bool) -> None:
        by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Task]] = defaultdict(list)
        for task in done:
            by_loop[task.loop].append(task)
        for loop, tasks in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._settle, tasks, spoke)
            except RuntimeError:  # its loop is closed: nobody waits any more
                continue

    def _settle(self, tasks: list[_Task], spoke: bool) -> None:
        for task in tasks:
            task.settle()
        if spoke:
            for callback in self._callbacks:
                callback()


class _Lost(Exception):
    """The connection was gone before COMMIT: nothing is stored, the group may run again."""

    def __init__(self, error: StoreError) -> None:
        self.error = error


class _Apart(Exception):
    """A work of the group failed: run the group again, each work behind a savepoint of its own."""
