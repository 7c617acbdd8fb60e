"""The daemon as a process, asked as its users would: by the command line, by hooks and by signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.counterparts.telegram import TOKEN, free_port

__all__ = ["Household", "Pager", "Running", "pager"]

HEEDFUL = Path(sys.executable).with_name("heedful")
PATIENCE = 40.0
SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
FILE = """
version: 1
brand: {{name: Acme Air, handles: ["@acmeair"], staff: ["telegram:77"]}}
web: {{listen: "127.0.0.1:{port}"}}
channels:
  telegram-care: {telegram}
  shop: {{kind: webhook, secret: "${{SHOP_SECRET}}"}}
keywords:
  fraud: {{en: [charged twice, stolen card], zh: [盗刷]}}
route:
  team: care
  acknowledge: default
  routes:
    - {{name: fraud, when: {{keywords: [fraud]}}, team: payments, priority: P1}}
acknowledge:
  mode: send
  too_old: never
  styles:
    default:
      en: ["We have your message ({{ref}}). A colleague answers by {{due}}."]
      zh-Hans: ["收到（{{ref}}），同事会在{{due}}前回复您。"]
teams: {{care: {{notify: [pager]}}, payments: {{notify: [pager]}}}}
notify: {{pager: {{kind: webhook, url: "{pager}", secret: "{secret}"}}}}
"""


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 another process tells it, by what it logs, asks or leaves
            await asyncio.sleep(0.05)


@dataclass
class Pager:
    """Somebody else's endpoint: a real server that keeps what it is told."""

    url: str
    told: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@asynccontextmanager
async def pager() -> AsyncIterator[Pager]:
    port = free_port()
    found = Pager(f"http://127.0.0.1:{port}/hook")

    async def take(request: web.Request) -> web.Response:
        found.told.append(await request.json())
        found.headers.append(dict(request.headers))
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield found
    finally:
        await runner.cleanup()


@dataclass
class Running:
    """One life of the daemon."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def listens(self) -> None:
        """Once every channel has been reached."""
        async with asyncio.timeout(PATIENCE):
            while not await self._is_ready():  # noqa: ASYNC110 another process tells it
                await asyncio.sleep(0.05)

    async def _is_ready(self) -> bool:
        try:
            return (await self.get("/readyz"))[0] == 200
        except aiohttp.ClientConnectionError:
            return False

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.text()


class Household:
    """A folder with a file and a database; `env` goes to the daemon."""

    def __init__(self, folder: Path, telegram: Mapping[str, Any], pager_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.file = folder / "heedful.yaml"
        self.telegram = dict(telegram)
        self.pager_url = pager_url
        self.write()

    def write(self, **changes: str) -> None:
        text = FILE.format(
            port=self.port,
            telegram=json.dumps({"kind": "telegram", **self.telegram}),
            pager=self.pager_url,
            secret=SECRET,
        )
        for old, new in changes.items():
            text = text.replace(old, new)
        self.file.write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        base = {key: value for key, value in os.environ.items() if not key.startswith("HEEDFUL_")}
        return {**base, "TELEGRAM_TOKEN": TOKEN, "SHOP_SECRET": SECRET, **more}

    @asynccontextmanager
    async def runs(self, **more: str) -> AsyncIterator[Running]:
        log = self.folder / "heedful.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                str(HEEDFUL), "run", cwd=self.folder, env=self.environment(**more), stdout=output, stderr=output
            )
        running = Running(process, f"http://127.0.0.1:{self.port}", log)
        try:
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def command(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            str(HEEDFUL),
            *arguments,
            cwd=self.folder,
            env=self.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, (out or err).decode()

    async def ask(self, *arguments: str) -> Any:
        code, text = await self.command(*arguments, "--json")
        assert code in {0, 1}, text
        return json.loads(text)

    async def until(self, *arguments: str, holds: Any) -> Any:
        """Ask again until the answer satisfies `holds`; the last answer where patience ran out."""
        clock = asyncio.get_running_loop().time
        until = clock() + PATIENCE
        answer: Any = None
        while clock() < until:
            code, text = await self.command(*arguments, "--json")
            if code in {0, 1} and text.lstrip().startswith(("[", "{")):
                answer = json.loads(text)
                if holds(answer):
                    return answer
            await asyncio.sleep(0.1)
        raise AssertionError(f"never came true; last: {answer}\n{(self.folder / 'heedful.log').read_text()[-3000:]}")
