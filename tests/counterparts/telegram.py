"""A Bot API that we did not write: lo-bot-api-emulator, as a process on a free loopback port.

    from tests.counterparts.telegram import bot_api, TOKEN   # `bot_api` is a pytest fixture

    async def test_something(bot_api):
        await bot_api.say("where is my parcel?")             # a private message of a customer
        ...                                                   # a channel with bot_api.settings
        assert await bot_api.answered(1)                      # waits until one sendMessage succeeded

It gives an update until its offset is confirmed, waits in a long poll, answers a second poller with
409 and calls webhooks with their secret. It does not know the time (`date` of what we send is 1), has
no username, no reactions, no getChat and no 429, and takes messages only of the kinds message,
callback_query and inline_query. Its journal holds methods, fields and statuses, never a text.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

__all__ = ["BOT_ID", "TOKEN", "BotApi", "bot_api", "free_port", "private_message", "start_bot_api"]

TOKEN = "7:canary-AAF0kENdoNotShowThisTokenAnywhere"
BOT_ID = 7
"""Who the emulator says that every bot is."""

_PROGRAM = "lo-bot-api-emulator"
_PATIENCE = 20.0
_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def private_message(text: str, *, sender: int = 501, **more: object) -> dict[str, Any]:
    """A message of a customer to the bot; `more` adds to it or replaces."""
    return {
        "message_id": next(_numbers),
        "date": int(datetime.now(UTC).timestamp()),
        "chat": {"id": sender, "type": "private", "first_name": "Mei"},
        "from": {"id": sender, "is_bot": False, "first_name": "Mei", "language_code": "en"},
        "text": text,
        **more,
    }


@dataclass(frozen=True, slots=True)
class BotApi:
    """The running emulator: where it is, what to put into it, and what it saw."""

    url: str
    journal: Path
    session: aiohttp.ClientSession
    token: str = TOKEN
    seen: list[int] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a channel of kind telegram that polls here."""
        return {"token": self.token, "base_url": self.url, "long_poll": "1s"}

    async def inject(self, update: Mapping[str, Any]) -> int:
        """Put an update into the bot's queue, as it is; tells its number."""
        body = {"token": self.token, "update": dict(update)}
        async with self.session.post(f"{self.url}/__fixture/updates", json=body) as answer:
            told = await answer.json()
        assert answer.status == 200, told
        number: int = told["result"]["update_id"]
        return number

    async def say(self, text: str, *, sender: int = 501, **more: object) -> int:
        """A customer writes to the bot in private."""
        return await self.inject({"message": private_message(text, sender=sender, **more)})

    async def call(self, method: str, **parameters: object) -> Any:
        """Ask the emulator itself, as some other program with the token would."""
        async with self.session.post(f"{self.url}/bot{self.token}/{method}", json=parameters) as answer:
            return await answer.json()

    def records(self, method: str | None = None) -> list[dict[str, Any]]:
        """What the journal holds: calls of one method, or everything."""
        if not self.journal.exists():
            return []
        whole = self.journal.read_text(encoding="utf-8").rpartition("\n")[0]
        records = [json.loads(line) for line in whole.splitlines()]
        return [record for record in records if method in (None, record.get("method"))]

    def calls(self, method: str, status: int = 200) -> int:
        return sum(record.get("status") == status for record in self.records(method))

    async def answered(self, count: int, *, method: str = "sendMessage", within: float = _PATIENCE) -> int:
        """Wait for `count` calls that succeeded; tells how many there are, fewer where time ran out."""
        clock = asyncio.get_running_loop().time
        until = clock() + within
        while self.calls(method) < count and clock() < until:  # noqa: ASYNC110 - another process writes the journal
            await asyncio.sleep(0.02)
        return self.calls(method)


def _program() -> str:
    beside = Path(sys.executable).with_name(_PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        reason = f"{_PROGRAM} is not installed: uv sync --group dev"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
    pytest.fail(f"{_PROGRAM} ended with {process.returncode}")


def _arguments(port: int, journal: Path) -> Iterable[str]:
    return (
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--journal", str(journal)),
        "--enable-control",
        "--allow-insecure-loopback-webhooks",
    )


@asynccontextmanager
async def start_bot_api(folder: Path) -> AsyncIterator[BotApi]:
    """The emulator for as long as the block lasts; its journal lies in `folder`."""
    port, journal = free_port(), folder / "bot-api.jsonl"
    process = await asyncio.create_subprocess_exec(
        _program(),
        *_arguments(port, journal),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(process, port)
        async with aiohttp.ClientSession() as session:
            yield BotApi(url=f"http://127.0.0.1:{port}", journal=journal, session=session)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def bot_api(tmp_path: Path) -> AsyncIterator[BotApi]:
    async with start_bot_api(tmp_path) as running:
        yield running
