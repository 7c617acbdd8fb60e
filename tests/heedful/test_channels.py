from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from config.schema import Channel
from connectors import registry
from connectors.api import (
    Author,
    Connector,
    Cursor,
    Denied,
    Gap,
    Http,
    Limits,
    Message,
    Page,
    Part,
    Plugin,
    Receipt,
    Reply,
    Unreachable,
)
from connectors.net import open_http
from heedful.alarms import Alarms
from heedful.channels import Environment, Runner
from routing.store.database import Store
from routing.store.rows import GAP
from tests.databases import Clock
from tests.heedful.office import Office


class Nothing(BaseModel):
    pass


class Chat:
    """A platform whose polls and replies do what the test wants next."""

    def __init__(self) -> None:
        self.me = Author(id="999", name="Acme bot", bot=True)
        self.pages: asyncio.Queue[Page | Exception] = asyncio.Queue()
        self.polled = asyncio.Event()
        self.sending = asyncio.Event()
        self.may_send = asyncio.Event()
        self.posted: list[Reply] = []

    async def poll(self, after: Cursor | None, /) -> Page:
        self.polled.set()
        found = await self.pages.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def reply(self, reply: Reply, /) -> Receipt:
        self.sending.set()
        await self.may_send.wait()
        self.posted.append(reply)
        return Receipt(id=f"post-{len(self.posted)}")


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Chat:
    found = Chat()

    @asynccontextmanager
    async def opened(settings: Nothing, http: Http) -> AsyncIterator[Connector]:
        yield found

    plugin = Plugin(
        kind="chat",
        summary="a chat",
        settings=Nothing,
        open=opened,
        abilities=frozenset({"polls", "replies"}),
        recovers=timedelta(hours=24),
        limits=Limits(poll_every=timedelta(milliseconds=1), reply_length=1000),
    )
    monkeypatch.setattr(registry, "load", lambda _: plugin)
    return found


@asynccontextmanager
async def running(office: Office) -> AsyncIterator[tuple[Runner, Alarms]]:
    async with open_http() as http:
        alarms = Alarms(office.store, office.clock)
        environment = Environment(
            store=office.store,
            pipeline=office.pipeline,
            http=http,
            alarms=alarms,
            guidance=lambda: office.guidance,
            clock=office.clock,
        )
        runner = Runner("chat", Channel(kind="chat"), environment)
        task = asyncio.create_task(runner.run())
        try:
            yield runner, alarms
        finally:
            await runner.finish(1)
            task.cancel()
            await asyncio.wait({task})


async def until(holds: Any) -> None:
    async with asyncio.timeout(20):
        while not (await holds() if asyncio.iscoroutinefunction(holds) else holds()):  # noqa: ASYNC110 rows tell it
            await asyncio.sleep(0.01)


async def test_a_failing_poll_never_touches_a_text_that_is_leaving(store: Store, clock: Clock, chat: Chat) -> None:
    office = Office(store, clock)
    async with running(office) as (runner, _):
        chat.pages.put_nowait(Page(messages=(office.message("charged twice"),), cursor=Cursor("1")))
        async with asyncio.timeout(20):
            await chat.sending.wait()
        chat.pages.put_nowait(Unreachable("502"))
        await until(lambda: runner.health.state == "waiting")
        chat.may_send.set()

        async def sent() -> bool:
            return [row["state"] for row in await office.outbox()] == ["sent"]

        await until(sent)
    assert len(chat.posted) == 1


async def test_a_revoked_token_lets_the_text_go_and_then_stops_with_an_alarm(
    store: Store, clock: Clock, chat: Chat
) -> None:
    office = Office(store, clock)
    async with running(office) as (runner, alarms):
        chat.pages.put_nowait(Page(messages=(office.message("charged twice"),), cursor=Cursor("1")))
        async with asyncio.timeout(20):
            await chat.sending.wait()
        chat.pages.put_nowait(Denied("the token was revoked"))
        chat.may_send.set()
        await until(lambda: runner.health.state == "failed")
        assert [alarm.text for alarm in alarms.ringing] == ["the token was revoked"]
    assert [row["state"] for row in await office.outbox()] == ["sent"]


async def test_the_cursor_is_asked_for_where_it_was_left(store: Store, clock: Clock, chat: Chat) -> None:
    office = Office(store, clock)
    async with running(office):
        chat.pages.put_nowait(Page(messages=(office.message("nice day"),), cursor=Cursor("41")))

        async def stored() -> bool:
            return bool(await office.rows())

        await until(stored)
    assert (await office.pipeline.resume(office.source))[0] == "41"


async def test_an_outage_beyond_what_the_platform_keeps_is_a_gap_told_once(
    store: Store, clock: Clock, chat: Chat
) -> None:
    office = Office(store, clock)
    async with running(office):
        chat.pages.put_nowait(Page(cursor=Cursor("1")))
        await until(chat.pages.empty)
        await asyncio.wait_for(chat.polled.wait(), 20)

        async def moved() -> bool:
            return (await office.pipeline.resume(office.source))[0] == "1"

        await until(moved)
    clock.forward(days=3)
    async with running(office) as (runner, alarms):
        await until(lambda: any("gap" in alarm.name for alarm in alarms.ringing))
        for _ in range(2):
            chat.pages.put_nowait(Unreachable("502"))
            await until(lambda: runner.health.state == "waiting")
            chat.pages.put_nowait(Page())
            await until(lambda: runner.health.state == "listening")
    (gap,) = await office.rows(GAP)
    assert gap["since"] < gap["until"]


async def test_to_be_asked_to_wait_once_is_no_loss_and_again_at_once_is_one(
    store: Store, clock: Clock, chat: Chat
) -> None:
    office = Office(store, clock)
    limit = Unreachable("too many requests", retry_after=timedelta(milliseconds=1), unsent=True)
    async with running(office) as (runner, _):
        chat.pages.put_nowait(Page(messages=(office.message("nice day"),), cursor=Cursor("1")))
        await until(lambda: runner.health.state == "listening")
        since = runner.health.snapshot().since
        clock.forward(minutes=1)
        chat.pages.put_nowait(limit)
        chat.pages.put_nowait(Page(messages=(office.message("and again"),), cursor=Cursor("2")))

        async def heard() -> bool:
            return len(await office.rows()) == 2

        await until(heard)
        assert (runner.health.state, runner.health.snapshot().since) == ("listening", since)
        chat.pages.put_nowait(limit)
        await until(lambda: runner.health.state == "waiting")


async def test_a_gap_that_the_connector_tells_rings(store: Store, clock: Clock, chat: Chat) -> None:
    office = Office(store, clock)
    async with running(office) as (_, alarms):
        lost = Gap(since=clock() - timedelta(hours=2), until=clock(), reason="the platform sheds load")
        chat.pages.put_nowait(Page(gaps=(lost,)))
        await until(lambda: any(alarm.name.endswith(": gap") for alarm in alarms.ringing))
        (told,) = [alarm.text for alarm in alarms.ringing if alarm.name.endswith(": gap")]
        assert told.endswith("UTC may be lost: the platform sheds load")
    assert len(await office.rows(GAP)) == 1


async def test_one_poisonous_item_is_set_aside_and_its_page_is_stored(store: Store, clock: Clock) -> None:
    office = Office(store, clock)
    poison = Message(
        id="x\ud83d", author=Author(id="5", name="Mallory"), text="hello", sent_at=clock(), thread="t", mentions_us=True
    )
    outcome = await office.take(office.message("charged twice"), poison, office.message("stolen card", "2"), cursor="7")
    assert (outcome.received, outcome.quarantined, outcome.routed) == (3, 1, 2)
    assert (await office.pipeline.resume(office.source))[0] == "7"
    assert (await office.books()).balances


async def test_every_text_of_a_stranger_is_repaired_and_masked(store: Store, clock: Clock) -> None:
    office = Office(store, clock)
    await office.hear(
        "look",
        url="https://x.example/status/4242424242424242?mail=bob@example.com\x00",
        language="en\ud83d",
        parts=(Part(kind="file", name="4242 4242 4242 4242 \ud83d.pdf"),),
    )
    (row,) = await office.rows()
    assert row["url"].startswith("https://x.example/status/4242424242424242?mail=")
    assert "bob@" not in row["url"]
    assert "4242" not in row["body"]["parts"][0]["name"]
