"""A disk that runs full under the daemon: nothing is confirmed that is not stored, and all goes on by itself."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from heedful.signatures import sign
from tests.counterparts.telegram import BotApi
from tests.heedful.household import PATIENCE, SECRET, Household, Running, pager


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes; containers may forbid to mount one, in CI too."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no mount: {error}")
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017
    os.sync()


async def post(session: aiohttp.ClientSession, running: Running, number: int) -> int:
    """A message of some size, signed; the same number is the same message."""
    body: dict[str, Any] = {
        "id": f"r{number}",
        "text": "stolen card " + "word " * 300,
        "author": {"id": str(number), "name": "Li"},
        "sent_at": datetime(2027, 1, 1, tzinfo=UTC).isoformat(),
    }
    headers, raw = sign(SECRET, f"msg_{number}", body)
    async with session.post(f"{running.url}/hooks/shop", data=raw, headers=headers) as answer:
        return answer.status


async def eventually(running: Running, path: str, status: int, words: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(aiohttp.ClientError):
                found = await running.get(path)
                if found[0] == status and words in found[1]:
                    return
            await asyncio.sleep(0.1)


async def test_full_says_503_and_rings_and_with_room_again_it_goes_on(disk: Path, bot_api: BotApi) -> None:
    async with pager() as phone, aiohttp.ClientSession() as session:
        house = Household(disk, bot_api.settings, phone.url)
        await fills_and_empties(house, bot_api, session)


async def fills_and_empties(house: Household, bot_api: BotApi, session: aiohttp.ClientSession) -> None:
    disk = house.folder
    async with house.runs() as running:
        await eventually(running, "/readyz", 200, "ready")
        assert await post(session, running, 0) == 200
        fill(disk / "ballast")
        stored = 1
        while (status := await post(session, running, stored)) == 200:
            stored += 1
            assert stored < 3_000, "the disk never filled"
        assert status == 503
        for _ in range(3):
            assert await post(session, running, stored) == 503
        await eventually(running, "/metrics", 200, "heedful_alarms 1.0")
        assert (await running.get("/readyz"))[0] == 503
        assert (await running.get("/livez"))[0] == 200
        assert (await house.ask("ledger"))["stored"] == stored, "what is there can still be read"

        (disk / "ballast").unlink()
        async with asyncio.timeout(PATIENCE):
            while await post(session, running, stored) != 200:  # noqa: ASYNC110 as a platform would
                await asyncio.sleep(0.1)
        assert await post(session, running, stored) == 200
        await eventually(running, "/readyz", 200, "ready")
        await eventually(running, "/metrics", 200, "heedful_alarms 0.0")
        books = await house.ask("ledger")
        await bot_api.say("my card was charged twice")
        assert await bot_api.answered(1) == 1, "polling goes on too"
    assert books["balances"]
    assert (books["channels"]["shop"]["stored"], books["channels"]["shop"]["duplicates"]) == (stored + 1, 1)
