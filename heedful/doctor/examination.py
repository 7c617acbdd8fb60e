"""Everything in order: environment, file, database, clock, channels, who is told, where words go."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from config.load import ConfigurationError, MissingSecret, load
from config.schema import Care
from connectors.net import open_http
from heedful.doctor import channels, database, environment
from heedful.doctor.verdict import Verdict, fail, ok, skip, warn
from routing.store.database import Store, open_store
from routing.store.errors import StoreError

__all__ = ["Examination"]

PATIENCE = 5.0


@dataclass(slots=True)
class Examination:
    """One visit. `address` finds the database for a file (or for none); `offline` asks nobody but this machine."""

    path: Path
    address: Callable[[Care | None], str]
    variables: Mapping[str, str]
    clock: Callable[[], datetime]
    offline: bool = False
    found: list[Verdict] = field(default_factory=list)
    _status: Mapping[str, Any] | None = None

    async def run(self) -> list[Verdict]:
        self.found += environment.environment()
        care = self._file()
        wanted = care is not None and care.reading is not None and bool(care.reading.deep)
        self.found.append(environment.second_look(wanted=wanted))
        await self._database(care)
        if care is not None:
            await self._channels(care)
        return self.found

    def _file(self) -> Care | None:
        if not self.path.exists():
            self.found.append(warn("file", str(self.path), "there is none", "heedful init, or name another with -c"))
            return None
        try:
            care = load(self.path)
        except ConfigurationError as error:
            first = str(error.findings[0]) if error.findings else str(error)
            self.found.append(fail("file", str(self.path), first, "heedful check names every finding"))
            return None
        self.found.append(ok("file", str(self.path), f"{len(care.channels)} channels, {len(care.teams)} teams"))
        return care

    async def _database(self, care: Care | None) -> None:
        newest, state = None, environment.kernel_clock()
        try:
            url = self.address(care)
            newest = await self._store(url)
        except MissingSecret as missing:
            self.found.append(
                fail("database", "address", str(missing), "set it, or write it into .env beside the file")
            )
        except StoreError as error:
            what, _, way = str(error).partition(" → ")
            self.found.append(fail("database", "reachable", what, way or "look at the log"))
        self.found += environment.clock(self.clock(), newest, state)

    async def _store(self, url: str) -> datetime | None:
        shown = database.shown(url)
        if database.absent(url):
            self.found.append(warn("database", "reachable", f"{shown} is not there yet", "heedful run makes it"))
            return None
        store = open_store(url, clock=self.clock, writer=False)
        try:
            return await self._rows(store, shown)
        finally:
            await store.close()

    async def _rows(self, store: Store, shown: str) -> datetime | None:
        now = self.clock()
        self.found.append(ok("database", "reachable", shown))
        self.found += await store.read(lambda connection: list(database.look(connection, now)))
        self.found += database.room(store)
        self._status = None if self.offline else await _ask(store.command_socket)
        return await store.read(lambda connection: database.newest(connection, now))

    async def _channels(self, care: Care) -> None:
        async with open_http() as http:
            if self._status is not None:
                self.found.append(ok("daemon", "running", f"heedful {self._status.get('version', '')}"))
                self.found += channels.observed(self._status)
            elif self.offline:
                self.found += [channels.settled(name, one, self.variables) for name, one in care.channels.items()]
            else:
                self.found.append(skip("daemon", "running", "none answers on the command socket; looked at directly"))
                now = self.clock()
                looked = (channels.opened(n, one, http, self.variables, now) for n, one in care.channels.items())
                self.found += [verdict for each in await asyncio.gather(*looked) for verdict in each]
            if self.offline:
                self.found.append(skip("clock", "against others", "not asked: --offline"))
            else:
                self.found.append(await channels.compared(care, http, self.variables, self.clock))
            self.found += await channels.told(care, http, self.variables, None if self.offline else _resolve)
        self.found += channels.flows(care)


async def _resolve(host: str) -> object:
    async with asyncio.timeout(PATIENCE):
        return await asyncio.get_running_loop().getaddrinfo(host, None)


async def _ask(socket: Path | None) -> Mapping[str, Any] | None:
    """The running daemon's status; None where none answers."""
    if socket is None:
        return None
    transport, headers = httpx.AsyncHTTPTransport(uds=str(socket)), {"x-heedful-actor": getpass.getuser()}
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=PATIENCE) as client:
            answer = await client.get("/api/v1/status", headers=headers)
            found: Mapping[str, Any] = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    return found
