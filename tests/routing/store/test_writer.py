from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, get_ident

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from routing.store import events, settings
from routing.store.database import Store, StoreBroken, StoreClosed, StoreFull, open_store
from routing.store.writer import LARGEST
from tests.databases import START, Clock


def put(name: str, value: object = 1) -> Callable[[Connection], None]:
    return lambda connection: settings.put(connection, name, value)


def commits(store: Store) -> list[int]:
    """Counts the commits of the writer from now on."""
    assert store._writer is not None
    counted: list[int] = []
    event.listen(store._writer._engine, "commit", lambda _: counted.append(1))
    return counted


async def test_a_work_returns_after_its_commit(store: Store) -> None:
    def work(connection: Connection) -> str:
        settings.put(connection, "a", 1)
        return "done"

    assert await store.write(work) == "done"
    assert await store.read(lambda connection: settings.get(connection, "a")) == 1


async def test_many_works_share_a_transaction(store: Store) -> None:
    counted = commits(store)

    def number(value: int) -> Callable[[Connection], int]:
        return lambda _: value

    numbers = await asyncio.gather(*(store.write(number(value)) for value in range(1000)))
    assert list(numbers) == list(range(1000))
    assert 1000 / LARGEST <= len(counted) < 100


async def test_works_run_one_after_the_other_in_one_thread_and_in_order(store: Store) -> None:
    order: list[int] = []
    threads = set()

    def work(number: int) -> Callable[[Connection], None]:
        def note(_: Connection) -> None:
            order.append(number)
            threads.add(get_ident())

        return note

    await asyncio.gather(*(store.write(work(number)) for number in range(300)))
    assert order == list(range(300))
    assert len(threads) == 1
    assert threads != {get_ident()}


async def test_only_the_guilty_work_of_a_group_fails(store: Store) -> None:
    async def one(number: int) -> str:
        def work(connection: Connection) -> None:
            settings.put(connection, f"n{number}", number)
            if number % 5 == 0:
                raise LookupError(number)
            if number % 5 == 1:
                connection.execute(text("INSERT INTO tally (channel) VALUES ('x')"))

        try:
            await store.write(work)
        except LookupError:
            return "lookup"
        except IntegrityError:
            return "integrity"
        return "done"

    outcomes = await asyncio.gather(*map(one, range(100)))
    assert outcomes == ["lookup", "integrity", "done", "done", "done"] * 20
    kept = await store.read(lambda c: [n for n in range(100) if settings.get(c, f"n{n}") is not None])
    assert kept == [number for number in range(100) if number % 5 > 1]


async def test_nothing_of_a_work_that_fails_is_stored(store: Store) -> None:
    def work(connection: Connection) -> None:
        settings.put(connection, "a", 1)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert await store.read(lambda connection: settings.get(connection, "a")) is None


async def test_a_caller_that_has_gone_disturbs_nobody(store: Store) -> None:
    going = asyncio.create_task(store.write(put("a")))
    await asyncio.sleep(0)
    going.cancel()
    await asyncio.gather(*(store.write(put(f"b{number}")) for number in range(10)))
    assert going.cancelled()


async def test_who_listens_is_called_after_commits_that_wrote_events(store: Store) -> None:
    called: list[int] = []
    store.on_commit(lambda: called.append(get_ident()))
    await store.write(put("a"))
    assert called == []
    await store.write(lambda connection: events.append(connection, [{"at": START, "kind": "note"}]))
    assert called == [get_ident()]


async def test_close_finishes_what_waits_and_takes_no_more(store: Store) -> None:
    waiting = [asyncio.create_task(store.write(put(f"n{number}"))) for number in range(400)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreClosed):
        await store.write(put("late"))


async def test_a_long_work_does_not_hold_up_the_commit_of_those_before_it(store: Store) -> None:
    """A group ends where it has lasted long enough; the rest is the next group."""
    counted = commits(store)
    gate = Event()

    def slow(_: Connection) -> None:
        gate.wait(0.03)

    await asyncio.gather(*(store.write(slow) for _ in range(4)))
    assert len(counted) >= 3


async def test_a_lost_connection_is_replaced_unnoticed(store: Store) -> None:
    if store.dialect == "sqlite":
        return
    pid = await store.write(lambda connection: connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    await store.write(put("a"))

    def kill(connection: Connection) -> None:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    await store.read(kill)
    assert await store.write(lambda connection: settings.get(connection, "a")) == 1


async def test_a_connection_lost_in_the_middle_fails_its_works_and_then_recovers(store: Store) -> None:
    if store.dialect == "sqlite":
        return

    def suicide(connection: Connection) -> None:
        settings.put(connection, "a", 1)
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreBroken):
        await store.write(suicide)
    await store.write(put("b"))
    assert await store.read(lambda connection: settings.get(connection, "a")) is None


async def test_two_stores_may_write_one_server(store: Store, store_url: str, clock: Clock) -> None:
    if store.dialect == "sqlite":
        return
    other = open_store(store_url, clock=clock)
    await store.write(put("n", 0))

    def more(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        settings.put(connection, "n", settings.get(connection, "n") + 1)

    await asyncio.gather(*(one.write(more) for one in (store, other) for _ in range(50)))
    await other.close()
    assert await store.read(lambda connection: settings.get(connection, "n")) == 100


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_loses_nothing_and_is_got_over(small_disk: Path, clock: Clock) -> None:
    store = open_store(f"sqlite:///{small_disk}/heedful.db", clock=clock)
    (small_disk / "ballast").write_bytes(b"x" * 1_000_000)
    kept: list[int] = []

    async def fill() -> None:
        for number in range(1000):
            await store.write(put(f"n{number}", "x" * 10_000))
            kept.append(number)

    with pytest.raises(StoreFull, match="free some space"):
        await fill()
    assert kept
    assert await store.read(lambda c: [n for n in kept if settings.get(c, f"n{n}") is None]) == []
    (small_disk / "ballast").unlink()
    await store.write(put("after"))
    await store.close()
    again = open_store(f"sqlite:///{small_disk}/heedful.db", clock=clock)
    assert await again.read(lambda c: [n for n in kept if settings.get(c, f"n{n}") is None]) == []
    assert await again.read(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar_one()) == "ok"
    await again.close()


async def test_a_database_that_failed_is_examined_before_it_is_written_again(sqlite_url: str, clock: Clock) -> None:
    store = open_store(sqlite_url, clock=clock)
    assert store._writer is not None
    examined: list[int] = []
    store._writer._revive = lambda _: examined.append(1)

    class Failed(Exception):
        sqlite_errorcode = 10 | 4 << 8  # SQLITE_IOERR_FSYNC

    def fail(_: Connection) -> None:
        raise DBAPIError("COMMIT", {}, Failed("disk I/O error"))

    with pytest.raises(StoreBroken):
        await store.write(fail)
    assert examined == []
    await store.write(put("a"))
    assert examined == [1]
    await store.close()


WRITE = """
import asyncio, sys
from datetime import UTC, datetime
from routing.store import events, settings
from routing.store.database import open_store

async def main():
    store = open_store(sys.argv[1], clock=lambda: datetime.now(UTC))
    first = int(sys.argv[2])
    async def one(number):
        def work(connection):
            settings.put(connection, f"n{number}", "x" * 500)
            events.append(connection, [{"at": datetime.now(UTC), "kind": "note", "message_id": number}])
        await store.write(work)
        print(number, flush=True)
    async def lane(start):
        for number in range(start, 10**9, 8):
            await one(number)
    await asyncio.gather(*(lane(first + lane_number) for lane_number in range(8)))
asyncio.run(main())
"""


def written_until_killed(url: str, first: int, after: int) -> list[int]:
    """What a child has acknowledged when it is killed in the middle of its work."""
    command = [sys.executable, "-c", WRITE, url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        found = [int(child.stdout.readline()) for _ in range(after)]
        os.kill(child.pid, signal.SIGKILL)
        whole_lines = child.stdout.read().split(b"\n")[:-1]
        return found + [int(line) for line in whole_lines]


async def test_what_was_acknowledged_survives_a_kill(store_url: str, clock: Clock) -> None:
    acknowledged: list[int] = []
    chance = random.Random()
    for kill in range(3):
        acknowledged.extend(written_until_killed(store_url, kill * 1_000_000, chance.randint(1, 400)))
    store = open_store(store_url, clock=clock)
    lost = await store.read(lambda c: [n for n in acknowledged if settings.get(c, f"n{n}") is None])
    told = await store.read(lambda c: {one.message_id for one in events.since(c, 0, 10**6)})
    assert lost == []
    assert set(acknowledged) <= told
    await store.close()
