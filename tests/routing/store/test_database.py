from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from routing.store import migrations, settings
from routing.store.database import (
    Locked,
    Newer,
    NotOurs,
    Older,
    Store,
    StoreBroken,
    StoreClosed,
    StoreError,
    open_store,
)  # fmt: skip
from tests.databases import Clock

HOLD = """
import asyncio, sys
from datetime import UTC, datetime
from routing.store.database import open_store
async def hold():
    store = open_store(sys.argv[1], clock=lambda: datetime.now(UTC))
    print("held", flush=True)
    sys.stdin.read()
asyncio.run(hold())
"""


def permissions(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


def hold(url: str) -> subprocess.Popen[str]:
    """Another process that has the database open, and says so first."""
    command = [sys.executable, "-c", HOLD, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


async def test_a_new_database_is_made_whole(tmp_path: Path, clock: Clock) -> None:
    store = open_store(f"sqlite:///{tmp_path}/new.db", clock=clock)
    first = await store.read(settings.install_id)
    await store.close()
    again = open_store(f"sqlite:///{tmp_path}/new.db", clock=clock)
    assert await again.read(settings.install_id) == first
    await again.close()


async def test_nobody_else_may_read_the_files(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "new.db"
    path.touch(0o644)
    store = open_store(f"sqlite:///{path}", clock=clock)
    await store.write(lambda connection: settings.put(connection, "a", 1))
    modes = permissions(tmp_path)
    await store.close()
    assert modes == dict.fromkeys(["new.db", "new.db-shm", "new.db-wal", "new.db.lock"], 0o600)


async def test_sqlite_is_durable_at_commit(sqlite_url: str, clock: Clock) -> None:
    store = open_store(sqlite_url, clock=clock)

    def look(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")]

    assert await store.write(look) == ["wal", 2]
    await store.close()


async def test_a_question_cannot_write(store: Store) -> None:
    with pytest.raises((StoreError, DBAPIError)):
        await store.read(lambda connection: settings.put(connection, "a", 1))
    assert await store.read(lambda connection: settings.get(connection, "a")) is None


async def test_a_question_sees_one_snapshot(store: Store) -> None:
    seen, written = Event(), Event()

    def twice(connection: Connection) -> tuple[object, object]:
        first = settings.get(connection, "a")
        seen.set()
        written.wait(10)
        return first, settings.get(connection, "a")

    reading = asyncio.create_task(store.read(twice))
    await asyncio.to_thread(seen.wait, 10)
    await store.write(lambda connection: settings.put(connection, "a", 1))
    written.set()
    assert await reading == (None, None)


async def test_a_second_writer_is_told_who_holds_the_lock(sqlite_url: str, clock: Clock) -> None:
    store = open_store(sqlite_url, clock=clock)
    with pytest.raises(Locked) as refusal:
        open_store(sqlite_url, clock=clock)
    assert refusal.value.path.name == "heedful.db.lock"
    assert store.command_socket == refusal.value.path.with_suffix(".sock")
    await store.close()
    await open_store(sqlite_url, clock=clock).close()


async def test_a_link_to_the_database_shares_its_lock(sqlite_url: str, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    link = tmp_path / "other" / "link.db"
    link.symlink_to(tmp_path / "heedful.db")
    store = open_store(sqlite_url, clock=clock)
    with pytest.raises(Locked):
        open_store(f"sqlite:///{link}", clock=clock)
    await store.close()


async def test_another_process_is_kept_out_and_a_dead_one_is_not(sqlite_url: str, clock: Clock) -> None:
    held = hold(sqlite_url)
    assert held.stdout is not None
    assert held.stdout.readline() == "held\n"
    with pytest.raises(Locked):
        open_store(sqlite_url, clock=clock)
    held.kill()
    held.communicate()
    await open_store(sqlite_url, clock=clock).close()


async def test_readers_need_no_lock_and_do_not_write(sqlite_url: str, clock: Clock) -> None:
    writer = open_store(sqlite_url, clock=clock)
    await writer.write(lambda connection: settings.put(connection, "a", 1))
    reader = open_store(sqlite_url, clock=clock, writer=False)
    assert await reader.read(lambda connection: settings.get(connection, "a")) == 1
    with pytest.raises(StoreClosed):
        await reader.write(lambda connection: settings.put(connection, "a", 2))
    await reader.close()
    await writer.close()
    alone = open_store(sqlite_url, clock=clock, writer=False)
    assert await alone.read(lambda connection: settings.get(connection, "a")) == 1
    await alone.close()


def test_a_reader_makes_no_database(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(Older, match="no database"):
        open_store(f"sqlite:///{tmp_path}/none.db", clock=clock, writer=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("heedful.db", "no database URL"),
        ("mysql://somebody@somewhere/x", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_url_that_cannot_be_is_refused(url: str, says: str, clock: Clock) -> None:
    with pytest.raises(NotOurs, match=says):
        open_store(url, clock=clock)


def test_a_server_that_is_not_there_is_named_without_the_password(clock: Clock) -> None:
    with pytest.raises(StoreBroken) as refusal:
        open_store("postgresql://me:hunter2@127.0.0.1:1/none", clock=clock)
    assert "hunter2" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(StoreBroken, match="check its folder"):
        open_store(f"sqlite:///{tmp_path}/none/heedful.db", clock=clock)


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, clock: Clock, content: bytes) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(content)
    for writer in (True, False):
        with pytest.raises(StoreError, match="→"):
            open_store(f"sqlite:///{path}", clock=clock, writer=writer)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "music.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE song (name)")
    connection.commit()
    connection.close()
    with pytest.raises(NotOurs, match="another program"):
        open_store(f"sqlite:///{path}", clock=clock)
    connection = sqlite3.connect(path)
    assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == ["song"]
    connection.close()


def test_a_refusal_lets_go_of_the_lock(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "x.db").write_bytes(b"nonsense" * 1000)
    for _ in range(2):
        with pytest.raises(NotOurs):
            open_store(f"sqlite:///{tmp_path}/x.db", clock=clock)


async def test_a_database_of_a_newer_heedful_is_refused(store_url: str, clock: Clock) -> None:
    store = open_store(store_url, clock=clock)
    await store.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await store.close()
    for writer in (True, False):
        with pytest.raises(Newer, match="9999"):
            open_store(store_url, clock=clock, writer=writer)


def test_the_named_head_is_the_last_revision() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(configuration).get_heads() == [migrations.HEAD]


async def test_the_migrations_make_what_the_tables_say(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _: object) -> bool:
            return not (kind == "table" and str(name).startswith("message_search"))

        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, SQLModel.metadata))

    assert await store.read(differences) == []


def test_a_migration_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """As where the process is killed half way: nothing of it is there, and the next start makes all."""

    def fail(connection: Connection) -> None:
        raise KeyboardInterrupt

    url = f"sqlite:///{tmp_path}/half.db"
    with monkeypatch.context() as patched:
        patched.setattr("routing.store.migrations.searching.create", fail)
        with pytest.raises(KeyboardInterrupt):
            open_store(url, clock=clock)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one() == 0
    engine.dispose()


def test_the_migrations_are_in_the_package() -> None:
    folder = Path(migrations.__file__).parent
    assert {"env.py", "script.py.mako", "versions"} <= {path.name for path in folder.iterdir()}
