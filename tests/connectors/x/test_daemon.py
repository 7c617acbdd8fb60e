"""The daemon as a process, against an X with a memory: a mention, an acknowledgement, an answer, a crash."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from heedful import failpoints
from tests.counterparts.x import ME, FakeX, cut_after, limited, revoked
from tests.heedful.household import PATIENCE, SECRET, Household, Pager, pager

TEXT = "@acmeair my card was charged twice!!"
FILE = """
version: 1
brand: {{name: Acme Air, handles: ["@acmeair"]}}
web: {{listen: "127.0.0.1:{port}"}}
channels: {{x-care: {channel}}}
keywords: {{fraud: {{en: [charged twice, stolen card]}}}}
route:
  team: care
  acknowledge: default
  routes: [{{name: fraud, when: {{keywords: [fraud]}}, team: payments, priority: P1}}]
acknowledge:
  mode: send
  too_old: never
  styles: {{default: {{en: ["We have your message ({{ref}}). A colleague answers by {{due}}."]}}}}
teams: {{care: {{notify: [pager]}}, payments: {{notify: [pager]}}}}
notify: {{pager: {{kind: webhook, url: "{pager}", secret: "{secret}"}}}}
"""


class XHouse(Household):
    """A household whose only channel is one on X."""

    def __init__(self, folder: Path, x: FakeX, pager_url: str, **more: object) -> None:
        self.greeting = "We have your message"
        self.channel = {"kind": "x", **x.settings(poll_every="5s", **more)}
        super().__init__(folder, {}, pager_url)

    def write(self, **changes: str) -> None:
        file = FILE.replace("We have your message", self.greeting)
        text = file.format(port=self.port, channel=json.dumps(self.channel), pager=self.pager_url, secret=SECRET)
        for old, new in changes.items():
            text = text.replace(old, new)
        self.file.write_text(text, encoding="utf-8")


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Pager]:
    async with pager() as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, fake_x: FakeX, phone: Pager) -> XHouse:
    return XHouse(tmp_path, fake_x, phone.url)


async def until(holds: Callable[[], object], house: Household) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE
    while not holds():
        log = (house.folder / "heedful.log").read_text()[-3000:] if clock() >= end else ""
        assert clock() < end, f"never came true\n{log}"
        await asyncio.sleep(0.05)


def settled(books: dict[str, Any]) -> bool:
    """Somebody was acknowledged, and nothing is on its way."""
    return bool(books["acknowledgements"]["sent"]) and books["acknowledgements"]["pending"] == 0


@pytest.mark.parametrize("mode", ["mentions", "search", "stream"])
async def test_a_mention_is_acknowledged_answered_and_read_back(
    tmp_path: Path, fake_x: FakeX, phone: Pager, mode: str
) -> None:
    more = {} if mode == "mentions" else {"query": "acmeair -from:acmeair"}
    house = XHouse(tmp_path, fake_x, phone.url, mode=mode, **more)
    async with house.runs():
        post = fake_x.write(TEXT)  # our own posts come by too, and are known as ours
        await until(fake_x.replies, house)
        (case,) = await house.until("queue", "list", holds=lambda cases: cases and cases[0]["acknowledged_at"])
        assert (case["priority"], case["team"], case["text"]) == ("P1", "payments", TEXT)
        assert (await house.command("queue", "claim", case["id"]))[0] == 0
        code, told = await house.command("queue", "answer", case["id"], "We refunded the second charge.")
        assert code == 0, told
        await until(lambda: len(fake_x.replies()) == 2, house)
        acknowledgement, answer = fake_x.replies()
        books = await house.until("ledger", holds=settled)
    assert acknowledgement["text"].startswith("We have your message")
    assert answer["text"] == "We refunded the second charge."
    assert acknowledgement["referenced_tweets"] == [{"type": "replied_to", "id": post["id"]}]
    assert books["balances"]
    assert books["acknowledgements"]["sent"] == 1


@pytest.mark.parametrize("point", failpoints.NAMES)
async def test_killed_at_any_point_nothing_is_lost_and_nobody_is_answered_twice(
    house: XHouse, fake_x: FakeX, point: str
) -> None:
    """Class B1: what is due is sent afterwards, for what was sent can be read back."""
    async with house.runs(HEEDFUL_FAILPOINT=point) as first:
        fake_x.write(TEXT)
        assert await first.ended() == -signal.SIGKILL
    async with house.runs():
        await house.until("queue", "list", holds=bool)
        books = await house.until("ledger", holds=settled)
    assert books["balances"]
    assert books["acknowledgements"]["sent"] == 1
    assert len(fake_x.replies()) == 1


async def test_an_answer_lost_on_the_way_is_read_back_not_sent_again(house: XHouse, fake_x: FakeX) -> None:
    async def lost(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return await x.answer(request)
        x.always = None
        return await cut_after(x, request)

    fake_x.always = lost
    async with house.runs():
        fake_x.write(TEXT)
        books = await house.until("ledger", holds=settled)
    assert books["acknowledgements"]["sent"] == 1
    assert len(fake_x.replies()) == 1
    assert fake_x.asked("POST /2/tweets") == 1
    assert fake_x.asked(f"GET /2/users/{ME}/tweets") >= 1


async def test_an_acknowledgement_that_x_shows_with_a_short_link_is_not_posted_twice(
    house: XHouse, fake_x: FakeX
) -> None:
    """A brand that is called as its site: X makes a link of the name, and the answer to the post was lost."""

    async def lost(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return await x.answer(request)
        x.always = None
        return await cut_after(x, request)

    house.greeting = "Acme.com has your message"
    house.write()
    fake_x.always = lost
    async with house.runs():
        fake_x.write(TEXT)
        books = await house.until("ledger", holds=settled)
    assert books["acknowledgements"]["sent"] == 1
    (shown,) = fake_x.replies()
    assert shown["text"].startswith("https://t.co/")
    assert fake_x.asked("POST /2/tweets") == 1


async def test_what_a_day_s_money_does_not_buy_is_not_read_and_answers_go_out(
    tmp_path: Path, fake_x: FakeX, phone: Pager
) -> None:
    """The least budget: one look, and then reading rests until tomorrow."""
    fake_x.write(TEXT)
    house = XHouse(tmp_path, fake_x, phone.url, daily_budget=0.51)
    async with house.runs() as running:
        await until(fake_x.replies, house)
        await until(lambda: "reading pauses until" in running.log.read_text(), house)
        books = await house.until("ledger", holds=settled)
    assert books["acknowledgements"]["sent"] == 1
    assert fake_x.asked("/mentions") == 1


async def test_only_who_asked_us_is_answered(tmp_path: Path, fake_x: FakeX, phone: Pager) -> None:
    """A search finds more than X lets us answer: the rest is queued for people."""
    house = XHouse(tmp_path, fake_x, phone.url, mode="search", query="charged twice")
    async with house.runs():
        fake_x.write("acme air charged twice for my bag", author="601")
        fake_x.write(TEXT, author="602")
        cases = await house.until("queue", "list", holds=lambda found: len(found) == 2)
        books = await house.until("ledger", holds=settled)
    assert len(cases) == 2
    assert books["acknowledgements"]["sent"] == 1
    assert fake_x.asked("POST /2/tweets") == 1


async def test_to_wait_as_x_asked_is_no_loss(house: XHouse, fake_x: FakeX) -> None:
    async with house.runs() as running:
        await until(lambda: fake_x.asked("/mentions"), house)
        fake_x.always = limited(reset=datetime.now(UTC) + timedelta(seconds=12))
        before = fake_x.asked("/mentions")
        await until(lambda: fake_x.asked("/mentions") > before, house)
        fake_x.write(TEXT)
        fake_x.always = None
        await until(fake_x.replies, house)
        assert fake_x.asked("/mentions") - before <= 3, "the wait that X stated is kept to"
        assert [line["event"] for line in told(running)] == ["channel listens"]


async def test_a_storm_of_429_is_one_alarm_and_one_recovery(house: XHouse, fake_x: FakeX) -> None:
    async with house.runs() as running:
        await until(lambda: fake_x.asked("/mentions"), house)
        fake_x.always = limited(reset=datetime.now(UTC))
        await until(lambda: alarms(running), house)
        fake_x.write(TEXT)
        fake_x.always = None
        await until(fake_x.replies, house)
        assert [line["event"] for line in told(running)] == ["channel listens", "channel lost", "channel listens"]
        assert len(alarms(running)) == 1


async def test_a_revoked_token_stops_the_channel_with_one_alarm(house: XHouse, fake_x: FakeX) -> None:
    async with house.runs() as running:
        await until(lambda: told(running), house)
        fake_x.always = revoked
        await until(lambda: len(told(running)) > 1, house)
        await until(lambda: alarms(running), house)
        asked = fake_x.asked("/mentions")
        assert (await running.get("/readyz"))[0] == 503
        assert (await running.get("/livez"))[0] == 200
        assert [line["event"] for line in told(running)] == ["channel listens", "channel stopped"]
        assert len(alarms(running)) == 1
    assert fake_x.asked("/mentions") == asked, "a person has to act: nobody is asked again"


def told(running: Any) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("channel") == "x-care"]


def alarms(running: Any) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "alarm" and line["about"] == "x-care"]


async def test_a_stream_that_closes_at_once_makes_no_storm_and_loses_nothing(
    tmp_path: Path, fake_x: FakeX, phone: Pager
) -> None:
    """The library alone made 1,776 connections in a second; X allows 50 in 15 minutes."""

    async def closes(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
        if not request.path.endswith("/stream"):
            return await x.answer(request)
        response = web.StreamResponse()
        await response.prepare(request)
        return response

    house = XHouse(tmp_path, fake_x, phone.url, mode="stream", query="acmeair")
    fake_x.always = closes
    async with house.runs():
        await until(lambda: fake_x.asked("/search/stream") >= 3, house)
        fake_x.write(TEXT)
        await until(fake_x.replies, house)
        books = await house.until("ledger", holds=settled)
    assert books["acknowledgements"]["sent"] == 1
    assert fake_x.asked("/search/stream") < 15
