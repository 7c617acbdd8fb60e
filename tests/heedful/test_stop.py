"""Stopping while a platform takes its time: ten seconds are all there is, and a doubtful text stays doubtful."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.counterparts.telegram import TOKEN, free_port
from tests.heedful.household import Household, pager


class SlowTelegram:
    """One message of a customer; then every poll waits and no sendMessage is ever answered."""

    def __init__(self) -> None:
        self.sending = asyncio.Event()
        self.port = free_port()
        self._given = False

    async def answer(self, request: web.Request) -> web.Response:
        method = request.path.rpartition("/")[2]
        if method == "getMe":
            return _ok({"id": 42, "is_bot": True, "first_name": "Care", "username": "care_bot"})
        if method == "getUpdates":
            if not self._given:
                self._given = True
                return _ok([{"update_id": 1, "message": _message()}])
            await asyncio.sleep(60)
        if method == "sendMessage":
            self.sending.set()
            await asyncio.sleep(60)
        return _ok(True)


def _ok(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _message() -> dict[str, object]:
    person = {"id": 7, "is_bot": False, "first_name": "Anna"}
    chat = {"id": 7, "type": "private", "first_name": "Anna"}
    return {"message_id": 5, "date": int(time.time()), "chat": chat, "from": person, "text": "charged twice"}


@pytest_asyncio.fixture
async def telegram() -> AsyncIterator[SlowTelegram]:
    found = SlowTelegram()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", found.port).start()
    yield found
    await runner.cleanup()


@pytest.mark.parametrize("reloading", [False, True])
async def test_it_stops_in_ten_seconds_even_while_a_text_hangs(
    tmp_path: Path, telegram: SlowTelegram, reloading: bool
) -> None:
    async with pager() as phone:
        settings = {"token": TOKEN, "base_url": f"http://127.0.0.1:{telegram.port}"}
        house = Household(tmp_path, settings, phone.url)
        async with house.runs() as running:
            async with asyncio.timeout(40):
                await telegram.sending.wait()
            if reloading:
                house.telegram["long_poll"] = "7s"
                house.write()
                async with asyncio.timeout(40):
                    while "file taken over" not in running.log.read_text():  # noqa: ASYNC110 another process writes
                        await asyncio.sleep(0.05)
            running.signal(signal.SIGTERM)
            async with asyncio.timeout(10):
                assert await running.ended() == 0
        books = await house.ask("ledger")
    assert books["balances"]
    assert books["acknowledgements"]["pending"] == 1  # nobody knows: it is looked at when heedful starts again
