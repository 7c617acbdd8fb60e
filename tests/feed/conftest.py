"""Doors into the page for tests: in process for what is decided, over a socket for what a browser does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from config.schema import Care
from feed.app import close, create_app
from routing.desk import Desk
from routing.store.database import Store, open_store
from tests.databases import Clock
from tests.feed.house import status
from tests.feed.scene import CARE, PASSWORD, Scene, people

__all__ = ["Door", "Rooms"]

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8080"


class Door:
    """A browser's view of the app, without the browser: keeps cookies, sends Origin and token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        sent = {"Origin": ORIGIN, "X-CSRF-Token": self.csrf, **headers}
        return await self.client.post(path, json=body if body is not None else {}, headers=sent)

    async def form(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        return await self.client.post(path, data=fields, headers={"Origin": ORIGIN, **headers})

    async def sign_in(self, name: str, password: str = PASSWORD, to: str = "/") -> httpx.Response:
        token = field((await self.get("/signin")).text, "csrf")
        answer = await self.form("/signin", {"csrf": token, "name": name, "password": password, "next": to})
        if answer.status_code == 303:
            self.csrf = meta((await self.get("/")).text)
        return answer


class Rooms:
    """One store, and as many doors as a test wants."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.care: Care = CARE
        self._open: list[httpx.AsyncClient] = []
        self._apps: list[object] = []

    def door(self, *, sample: bool = False, local: bool = False, base: str = ORIGIN) -> Door:
        desk = Desk(self.store, lambda: self.care, self.clock)
        self.app = create_app(desk, self.store, lambda: self.care, status, sample=sample, clock=self.clock, local=local)
        self._apps.append(self.app)
        return self.another(base)

    def another(self, base: str = ORIGIN, client: str = "127.0.0.1") -> Door:
        """A second browser at the same app, on the machine `client`."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True, client=(client, 123))
        browser = httpx.AsyncClient(transport=transport, base_url=base)
        self._open.append(browser)
        return Door(browser)

    async def scene(self) -> None:
        await self.store.write(lambda connection: people(connection, self.clock()))
        await self.store.write(lambda connection: Scene(connection, self.clock()).morning())

    async def close(self) -> None:
        for client in self._open:
            await client.aclose()
        for app in self._apps:
            await close(app)  # type: ignore[arg-type]


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    clock = Clock(START)
    store = open_store(f"sqlite:///{tmp_path / 'feed.db'}", clock=clock)
    found = Rooms(store, clock)
    await found.scene()
    yield found
    await found.close()
    await store.close()


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def meta(page: str) -> str:
    found = re.search(r'<meta name="csrf" content="([^"]*)"', page)
    assert found, "no token in the page"
    return found[1]
