"""The daemon as a process, against a feed that fails: nothing lost, nothing told twice, one alarm, one return."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.heedful.household import SECRET, Household, Running, until

FILE = """
version: 1
brand: {{name: Acme Air}}
web: {{listen: "127.0.0.1:{port}"}}
channels: {{news: {{kind: rss, url: "{feed}", poll_every: 10s}}}}
keywords: {{fraud: {{en: [charged twice]}}}}
route: {{team: care, routes: [{{name: fraud, when: {{keywords: [fraud]}}, priority: P1}}]}}
teams: {{care: {{notify: [pager]}}}}
notify: {{pager: {{kind: webhook, url: "{feed}", secret: "{secret}"}}}}
"""
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A feed of its own making, served over a socket."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.asked = 0
        self.instead: Answer | None = None
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":  # the pager
            return web.Response()
        self.asked += 1
        return await (self.instead or self.feed)(request)

    async def feed(self, _: web.Request) -> web.StreamResponse:
        items = "".join(f"<item><guid>{n}</guid><title>{word}</title></item>" for n, word in enumerate(self.words))
        return web.Response(text=f"<rss><channel>{items}</channel></rss>", content_type="application/rss+xml")


class FeedHouse(Household):
    """A household whose only channel is a feed."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.site = site
        super().__init__(folder, {}, site.url)

    def write(self, **changes: str) -> None:
        assert not changes
        self.file.write_text(FILE.format(port=self.port, feed=self.site.url, secret=SECRET), encoding="utf-8")


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_route("*", "/feed", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/feed"
    yield found
    await runner.cleanup()


@pytest.fixture
def house(tmp_path: Path, site: Site) -> FeedHouse:
    return FeedHouse(tmp_path, site)


def said(running: Running, about: str = "news") -> list[str]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if about in {line.get("channel"), line.get("about")}]


def stored(count: int) -> Callable[[dict[str, Any]], bool]:
    return lambda books: bool(books["stored"] == count)


@pytest.mark.parametrize("point", ["before-commit", "after-commit"])
async def test_killed_while_it_stores_nothing_is_lost_and_nothing_told_twice(
    house: FeedHouse, site: Site, point: str
) -> None:
    site.words = ["charged twice", "also charged twice"]
    async with house.runs(HEEDFUL_FAILPOINT=point) as first:
        assert await first.ended() == -signal.SIGKILL
    async with house.runs():
        books = await house.until("ledger", holds=stored(2))
        cases = await house.until("queue", "list", holds=bool)
    assert books["balances"]
    assert books["received"] - books["duplicates"] == 2
    assert sorted(case["text"] for case in cases) == ["also charged twice", "charged twice"]


async def test_a_storm_and_a_broken_line_are_one_alarm_and_one_return(house: FeedHouse, site: Site) -> None:
    async def limit(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "1"})

    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    site.words = ["charged twice"]
    async with house.runs() as running:
        await house.until("ledger", holds=stored(1))
        site.words.append("also charged twice")
        site.instead = limit
        await until(lambda: "channel lost" in said(running))
        site.instead = hang_up
        await until(lambda: "alarm" in said(running))
        site.instead = None
        books = await house.until("ledger", holds=stored(2))
        heard = said(running)
    assert books["balances"]
    assert heard == ["channel listens", "channel lost", "alarm", "channel listens"]


async def test_a_feed_that_is_gone_for_good_stops_alone_with_one_alarm(house: FeedHouse, site: Site) -> None:
    async def gone(_: web.Request) -> web.StreamResponse:
        return web.Response(status=410)

    site.instead = gone
    async with house.runs() as running:
        await until(lambda: "channel stopped" in said(running))
        asked = site.asked
        assert (await running.get("/livez"))[0] == 200
        status, told = await running.get("/readyz")
        assert (status, "news" in told) == (503, True)
        assert said(running) == ["channel stopped", "alarm"]
    assert site.asked == asked == 1
