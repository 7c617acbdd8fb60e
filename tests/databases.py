"""Fresh databases for tests, on SQLite and, where a server answers, on PostgreSQL.

A test that takes `store` or `store_url` runs once on each. Import the fixtures in a conftest.py:
`from tests.databases import *`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlmodel import SQLModel

from routing.store.database import Store, open_store
from routing.store.migrations import HEAD

__all__ = ["Clock", "clock", "sqlite_url", "store", "store_url", "templates"]

SERVER = "127.0.0.1:5432"
START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@cache
def _server() -> str | None:
    """The URL of a PostgreSQL server that lets us in, without a database."""
    for user in ("root", "postgres"):
        try:
            psycopg.connect(f"postgresql://{user}@{SERVER}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            continue
        return f"postgresql://{user}@{SERVER}"
    return None


def _ask(server: str, statement: LiteralString, *names: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _migrate(url: str) -> None:
    async def once() -> None:
        await open_store(url, clock=lambda: START).close()

    asyncio.run(once())


class Templates:
    """One migrated database of each kind; a fresh one is a copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name: str | None = None

    def sqlite(self, path: Path) -> str:
        template = self._folder / "template.db"
        if not template.exists():
            _migrate(f"sqlite:///{template}")
        shutil.copyfile(template, path)
        return f"sqlite:///{path}"

    def postgres(self, server: str) -> str:
        """One database for all tests of this process, emptied for each: making one takes half a second."""
        if self._name is None:
            self._name = f"heedful_{uuid4().hex}"
            _ask(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", self._name)
            _migrate(f"{server}/{self._name}")
        url = f"{server}/{self._name}"
        _empty(url)
        return url

    def close(self) -> None:
        if self._name is not None:
            _ask(_required_server(), "DROP DATABASE {} WITH (FORCE)", self._name)


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        tables = [*SQLModel.metadata.tables, "message_search"]
        for name in tables:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        connection.execute("ALTER SEQUENCE event_seq_seq RESTART")
        connection.execute("UPDATE alembic_version SET version_num = %s", [HEAD])


def _required_server() -> str:
    server = _server()
    if server is None:
        reason = f"no PostgreSQL at {SERVER} lets root or postgres in"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return server


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    found = Templates(tmp_path_factory.mktemp("templates"))
    yield found
    found.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_url(templates: Templates, tmp_path: Path) -> str:
    return templates.sqlite(tmp_path / "heedful.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        yield templates.sqlite(tmp_path / "heedful.db")
        return
    server = _required_server()
    yield templates.postgres(server)


@pytest.fixture
async def store(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    """An open store of each kind."""
    opened = open_store(store_url, clock=clock)
    yield opened
    await opened.close()
