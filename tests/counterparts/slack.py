"""A Slack Web API that we did not write: backlot, as a process on a free loopback port, its telemetry off.

    from tests.counterparts.slack import slack_api   # `slack_api` is a pytest fixture

    async def test_something(slack_api):
        settings = slack_api.settings                # of a notify target of kind slack
        ...
        assert "hello" in await slack_api.texts()    # what stands in the channel, by conversations.history

It knows real channels, users, access rules and error names; it has no rate limits and sends no events.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from ruamel.yaml import YAML

from tests.counterparts.telegram import free_port

__all__ = ["CHANNEL", "SlackApi", "slack_api", "start_slack_api"]

CHANNEL = "care"
_PROGRAM = "backlot"
_PATIENCE = 40.0
_HISTORY = {
    "source_type": "slack",
    "channel": CHANNEL,
    "author_email": "bob@acme.example",
    "created": "2026-02-10T18:00:00Z",
    "content": "Good morning, team",
}


@dataclass(frozen=True, slots=True)
class SlackApi:
    """The running server, a token that may post, and the channel where the team reads."""

    url: str
    token: str
    channel: str
    session: aiohttp.ClientSession

    @property
    def settings(self) -> dict[str, str]:
        return {"kind": "slack", "bot_token": self.token, "channel": self.channel, "base_url": self.url}

    async def call(self, method: str, **parameters: str) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.session.post(self.url + method, data=parameters, headers=headers) as answer:
            return await answer.json()

    async def texts(self) -> list[str]:
        """What stands in the channel, newest first."""
        found = await self.call("conversations.history", channel=self.channel)
        return [message["text"] for message in found["messages"]]


def _program() -> str:
    beside = Path(sys.executable).with_name(_PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if found is None:
        reason = f"{_PROGRAM} is not installed: uv sync --group dev"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


async def _start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        _program(),
        *arguments,
        cwd=folder,
        env={**os.environ, "BACKLOT_TELEMETRY": "0"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _answers(process: asyncio.subprocess.Process, slack: SlackApi) -> None:
    async with asyncio.timeout(_PATIENCE):
        while process.returncode is None:
            try:
                assert (await slack.call("auth.test"))["ok"]
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
                continue
            return
    pytest.fail(f"{_PROGRAM} ended with {process.returncode}")


@asynccontextmanager
async def start_slack_api(folder: Path) -> AsyncIterator[SlackApi]:
    """The server for as long as the block lasts, over a workspace with one channel."""
    corpus = folder / "workspace.jsonl"
    corpus.write_text(json.dumps(_HISTORY) + "\n", encoding="utf-8")
    data = folder / "workspace"
    assert await (await _start(folder, "import", str(corpus), "--data-dir", str(data))).wait() == 0
    token = YAML(typ="safe").load((data / "tokens.yaml").read_text(encoding="utf-8"))["users"][0]["token"]
    port = free_port()
    process = await _start(folder, "serve", "--port", str(port), "--disable-telemetry", "--data-dir", str(data))
    try:
        async with aiohttp.ClientSession() as session:
            slack = SlackApi(f"http://127.0.0.1:{port}/slack/api/", token, "", session)
            await _answers(process, slack)
            (channel,) = (await slack.call("conversations.list"))["channels"]
            yield SlackApi(slack.url, token, channel["id"], session)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def slack_api(tmp_path: Path) -> AsyncIterator[SlackApi]:
    async with start_slack_api(tmp_path) as running:
        yield running
