"""A site that serves what it is told, and a reader of it whose clock is in our hands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web

from connectors.api import Cursor, Http, Page
from connectors.rss.connector import Rss
from connectors.rss.settings import Settings
from tests.connectors.rss.samples import rss

__all__ = ["NOW", "Site", "opened", "titles"]

NOW = datetime(2027, 3, 2, 9, tzinfo=UTC)


class Site:
    """One feed; its reader starts anew where the address is another."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.body = b""
        self.now = NOW
        self.cursor: Cursor | None = None
        self.asked: list[str] = []
        self.http = Http(session)
        self.url = ""
        self._readers: dict[str, Rss] = {}

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.headers.get("If-None-Match", ""))
        return web.Response(body=self.body, content_type="application/rss+xml", headers={"ETag": '"same"'})

    async def poll(self, *items: str, url: str = "") -> Page:
        """What the reader makes of the site as it stands now; its cursor is kept."""
        return await self.read(rss(*items), url)

    async def read(self, body: bytes, url: str = "") -> Page:
        """As `poll`, of a whole document."""
        self.body = body
        where = url or self.url
        reader = self._readers.setdefault(where, Rss(Settings(url=where), self.http, lambda: self.now))
        page = await reader.poll(self.cursor)
        self.cursor = page.cursor or self.cursor
        self.now += timedelta(minutes=5)
        return page


@asynccontextmanager
async def opened() -> AsyncIterator[Site]:
    async with aiohttp.ClientSession() as session:
        site = Site(session)
        runner = web.ServerRunner(web.Server(site.serve, access_log=None), shutdown_timeout=0.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/feed.xml"
            yield site
        finally:
            await runner.cleanup()


def titles(page: Page) -> list[str]:
    return [message.text.partition("\n")[0] for message in page.messages]
