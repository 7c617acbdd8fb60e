"""One request to the API under /api/v1, wherever it is answered.

Where a daemon holds the database, the request goes to it over the command socket; where none does, the
same application answers it in this process.
"""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from config.schema import Care
from feed.app import create_app
from feed.status import Status
from heedful.commands.output import database_url, fail, failures, read_care, variables
from heedful.logs import configure
from heedful.sample_run import sample_care
from heedful.version import VERSION
from routing.desk import Desk
from routing.store.database import open_store
from routing.store.errors import Locked

__all__ = ["Api"]

TIMEOUT = 30.0
CONNECT_TRIES, CONNECT_PAUSE = 25, 0.2
"""A daemon that starts or migrates holds the database before its socket is there."""


class Api:
    """`ask` returns the answer's JSON, or ends the command with the problem's own words."""

    def __init__(self, config: Path | None, database: str | None) -> None:
        configure("WARNING")
        with failures():
            self._care: Care | None = read_care(config, needed=False)
            self._url = database_url(database, self._care, variables(config))

    def ask(self, method: str, path: str, body: object = None, params: dict[str, Any] | None = None) -> Any:
        with failures():
            answer = asyncio.run(self._ask(method, path, body, params))
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            problem = answer.json()
        except ValueError:
            problem = {}
        return fail(problem.get("detail") or problem.get("title") or f"the daemon answered {answer.status_code}")

    async def _ask(self, method: str, path: str, body: object, params: dict[str, Any] | None) -> httpx.Response:
        try:
            store = open_store(self._url, clock=_now)
        except Locked as locked:
            transport: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport(uds=str(_socket_of(locked.path)))
            return await _send(transport, method, path, body, params)
        try:
            care = self._care or sample_care()
            desk = Desk(store, lambda: care, _now)
            app = create_app(
                desk, store, lambda: care, lambda: Status(version=VERSION), sample=False, clock=_now, local=True
            )
            return await _send(httpx.ASGITransport(app=app), method, path, body, params)
        finally:
            await store.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _socket_of(lock: Path) -> Path:
    return lock.with_suffix(".sock")


async def _send(
    transport: httpx.AsyncBaseTransport, method: str, path: str, body: object, params: dict[str, Any] | None
) -> httpx.Response:
    headers = {"x-heedful-actor": getpass.getuser()}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=TIMEOUT) as client:
        for _ in range(CONNECT_TRIES):
            try:
                return await client.request(method, f"/api/v1{path}", json=body, params=params, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(CONNECT_PAUSE)
            except httpx.TransportError as error:
                return fail(f"the daemon broke off ({type(error).__name__}); look before you repeat it")
        return fail("another heedful holds the database and does not answer on its command socket")
