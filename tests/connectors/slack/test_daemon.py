"""The main job by Slack, end to end: the daemon as a process, killed, cut off, limited and shut out."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from heedful import failpoints
from tests.counterparts.slack_events import DIRECT, Failure, Workspace
from tests.heedful.household import Household, Pager, pager

TEXT = "<@U0CARE> my card was charged twice!!"


class SlackHouse(Household):
    """With a Slack channel where the other has Telegram."""

    def __init__(self, folder: Path, settings: dict[str, Any], pager_url: str) -> None:
        self.settings = settings
        super().__init__(folder, {}, pager_url)

    def write(self, **changes: str) -> None:
        super().write(**changes)
        lines = self.file.read_text(encoding="utf-8").splitlines()
        slack = f"  slack-help: {json.dumps({'kind': 'slack', **self.settings})}"
        lines = [slack if line.startswith("  telegram-care:") else line for line in lines]
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def hook(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/slack-help"


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Pager]:
    async with pager() as found:
        yield found


@pytest.fixture(params=["events", "socket"])
def house(request: pytest.FixtureRequest, tmp_path: Path, slack: Workspace, phone: Pager) -> SlackHouse:
    """Both ways to listen."""
    settings = slack.events_settings(poll_every="10s") if request.param == "events" else slack.socket_settings()
    found = SlackHouse(tmp_path, settings, phone.url)
    slack.hook = found.hook if request.param == "events" else None
    return found


@pytest.fixture
def by_socket(tmp_path: Path, slack: Workspace, phone: Pager) -> SlackHouse:
    return SlackHouse(tmp_path, slack.socket_settings(), phone.url)


async def settled(house: SlackHouse, stored: int) -> Any:
    """Until so many messages are stored and nothing is pending."""

    def holds(books: Any) -> bool:
        return bool(books["stored"] >= stored and books["acknowledgements"]["pending"] == 0)

    return await house.until("ledger", holds=holds)


async def listening(running: Any) -> None:
    async with asyncio.timeout(40):
        while True:
            try:
                status, _ = await running.get("/readyz")
            except aiohttp.ClientError:
                status = 0
            if status == 200:
                return
            await asyncio.sleep(0.1)


def keys(slack: Workspace) -> list[str]:
    return [one["metadata"]["event_payload"]["key"] for one in slack.posted()]


async def test_a_customer_is_acknowledged_in_the_thread_queued_and_the_team_is_told(
    house: SlackHouse, slack: Workspace, phone: Pager
) -> None:
    async with house.runs() as running:
        await listening(running)
        said = slack.say(TEXT)
        slack.say(TEXT, room=DIRECT, user="U0MEI")
        cases = await house.until(
            "queue", "list", holds=lambda found: len(found) == 2 and all(case["acknowledged_at"] for case in found)
        )
        books = await settled(house, 2)
    assert {case["priority"] for case in cases} == {"P1"}
    assert books["balances"]
    assert books["acknowledgements"]["sent"] == 2
    assert {one.get("thread_ts") for one in slack.posted()} == {said["ts"], None}
    assert len(set(keys(slack))) == 2


@pytest.mark.parametrize(
    ("house", "point"),
    [*(("socket", point) for point in failpoints.NAMES), ("events", "after-commit"), ("events", "after-send")],
    indirect=["house"],
)
async def test_killed_at_any_point_nothing_is_lost_and_all_is_answered_once(
    house: SlackHouse, slack: Workspace, point: str
) -> None:
    """Class B1: what was being sent is looked up, so that nothing stays unknown."""
    slack.say(TEXT, told=False)
    async with house.runs(HEEDFUL_FAILPOINT=point) as first:
        assert await first.ended() == -signal.SIGKILL
    slack.say(TEXT, user="U0MEI", told=False)
    async with house.runs():
        books = await settled(house, 2)
        assert len(await house.ask("queue", "list")) == 2
        await house.until("ledger", holds=lambda found: found["acknowledgements"]["sent"] == 2)
    assert books["balances"]
    assert len(slack.posted()) == len(set(keys(slack))) == 2


async def test_a_socket_that_is_dropped_a_limit_and_an_outage_lose_nothing(
    by_socket: SlackHouse, slack: Workspace
) -> None:
    async with by_socket.runs() as running:
        await listening(running)
        await slack.connected()
        slack.say(TEXT, user="U1")
        await settled(by_socket, 1)
        slack.fail("apps.connections.open", Failure(status=503), Failure("ratelimited", status=429, retry_after=1))
        slack.fail("chat.postMessage", *[Failure("ratelimited", status=429, retry_after=1)] * 2)
        await slack.hang_up()
        slack.say(TEXT, user="U2", told=False)
        await slack.connected()
        books = await settled(by_socket, 2)
        slack.say(TEXT, user="U3")
        books = await settled(by_socket, 3)
        log = [json.loads(line) for line in running.log.read_text(encoding="utf-8").splitlines() if line[0] == "{"]
    ours = [entry["event"] for entry in log if "slack-help" in {entry.get("about"), entry.get("channel")}]
    assert ours == ["channel listens", "channel lost", "alarm", "channel listens"], "said once each"
    assert books["balances"]
    assert books["acknowledgements"]["sent"] == len(slack.posted()) == len(set(keys(slack))) == 3


async def test_an_answer_that_was_lost_on_the_way_is_not_given_twice(house: SlackHouse, slack: Workspace) -> None:
    slack.fail("chat.postMessage", Failure(breaks=True, acts=True))
    slack.say(TEXT, told=False)
    async with house.runs():
        books = await settled(house, 1)
    assert books["acknowledgements"]["sent"] == 1
    assert len(slack.posted()) == len(slack.called("chat.postMessage")) == 1


async def test_a_revoked_token_rings_once_and_stops_the_channel_alone(by_socket: SlackHouse, slack: Workspace) -> None:
    async with by_socket.runs() as running:
        await listening(running)
        await slack.connected()
        slack.revoked = True
        await slack.hang_up()
        async with asyncio.timeout(40):
            while "channel stopped" not in running.log.read_text(encoding="utf-8"):  # noqa: ASYNC110 another process
                await asyncio.sleep(0.05)
        _, metrics = await running.get("/metrics")
        calls = len(slack.calls)
        assert "heedful_alarms 1.0" in metrics
        status, text = await running.get("/readyz")
        assert status == 503
        assert list(json.loads(text)["channels"]) == ["slack-help"]
    assert len(slack.calls) == calls, "a person has to act: nobody is asked again"
    assert running.log.read_text(encoding="utf-8").count("channel stopped") == 1
