"""nginx, and an `Http` that takes this machine's port for a public address where a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest_asyncio

from connectors.api import Http
from tests.counterparts.nginx import nginx

__all__ = ["nginx", "open_guard", "strict"]


async def _here(name: str, _port: int) -> Sequence[str]:
    """Every name of the internet lies on this machine."""
    return ["127.0.0.1"] if name.endswith(".example") else []


@pytest_asyncio.fixture
async def strict() -> AsyncIterator[Http]:
    """The client as the daemon has it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        yield Http(session)


@pytest_asyncio.fixture
async def open_guard() -> AsyncIterator[Http]:
    """The same client, whose guard lets this machine's ports through: redirects can be followed here."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        yield Http(session, resolver=_here, allowed=lambda _ip, _port: True)
