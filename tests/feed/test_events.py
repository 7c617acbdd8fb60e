"""The live feed: nothing missed, nothing twice, and an end when the house closes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from feed import events as feed_events
from feed.events import Hub
from routing.store import events
from routing.store.database import Store, open_store
from routing.store.errors import StoreBroken
from routing.store.rows import SESSION
from tests.databases import Clock
from tests.feed.conftest import Rooms
from tests.feed.house import House

BEAT = 30.0


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = open_store(f"sqlite:///{tmp_path / 'events.db'}", clock=Clock())
    yield found
    await found.close()


async def happen(store: Store, count: int = 1, team: str | None = None) -> None:
    rows = [{"at": store.clock(), "kind": "message", "team": team, "message_id": 7} for _ in range(count)]
    await store.write(lambda connection: events.append(connection, rows))


def parse(frame: bytes) -> tuple[str, int | None, Any]:
    lines = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n") if not line.startswith(":"))
    return lines["event"], int(lines["id"]) if "id" in lines else None, json.loads(lines["data"])


def numbers(frame: bytes) -> list[int]:
    return [item["seq"] for item in parse(frame)[2].get("events", [])]


async def always() -> bool:
    return True


def stream(hub: Hub, after: int | None = None, teams: set[str] | None = None) -> AsyncIterator[bytes]:
    return hub.stream(after, lambda team: teams is None or team is None or team in teams, always)


async def heard(client: AsyncIterator[bytes], count: int) -> list[int]:
    """The numbers of the next `count` events."""
    found: list[int] = []
    while len(found) < count:
        found += numbers(await asyncio.wait_for(anext(client), BEAT))
    return found


async def test_the_first_frame_says_that_we_are_there(store: Store) -> None:
    hub = Hub(store)
    assert parse(await anext(stream(hub)))[0] == "beat"
    await hub.close()


async def test_an_event_arrives(store: Store) -> None:
    hub = Hub(store)
    client = stream(hub)
    await anext(client)
    waiting = asyncio.ensure_future(anext(client))
    await happen(store)
    event, number, data = parse(await asyncio.wait_for(waiting, BEAT))
    assert (event, number) == ("changed", 1)
    assert data["events"][0]["message"] == "7"
    assert set(data["events"][0]) <= {"seq", "kind", "at", "actor", "channel", "case", "message"}
    await hub.close()


async def test_resuming_misses_nothing_and_doubles_nothing(store: Store) -> None:
    hub = Hub(store, coalesce=0)
    await happen(store, 1200)
    seen: list[int] = []
    after = 0
    while len(seen) < 1200:
        client = stream(hub, after)
        await anext(client)
        frame = await asyncio.wait_for(anext(client), BEAT)
        after = parse(frame)[1] or 0
        seen += numbers(frame)
        await client.aclose()  # type: ignore[attr-defined]
    assert seen == list(range(1, 1201))
    await hub.close()


async def test_many_clients_hear_the_same_in_order(store: Store) -> None:
    hub = Hub(store, coalesce=0.001)
    clients = [stream(hub) for _ in range(20)]
    for client in clients:
        await anext(client)
    tasks = [asyncio.ensure_future(heard(client, 300)) for client in clients]
    for _ in range(60):
        await happen(store, 5)
    assert [await asyncio.wait_for(task, BEAT) for task in tasks] == [list(range(1, 301))] * 20
    await hub.close()


async def test_a_slow_client_reads_from_the_database(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_events, "RING", 10)
    hub = Hub(store, coalesce=0)
    slow, quick = stream(hub), stream(hub)
    await anext(slow)
    await anext(quick)
    task = asyncio.ensure_future(heard(quick, 200))
    for _ in range(20):
        await happen(store, 10)
    assert await asyncio.wait_for(task, BEAT) == list(range(1, 201))
    assert await heard(slow, 200) == list(range(1, 201))
    await hub.close()


@pytest.mark.parametrize("after", [0, 10_000])
async def test_too_far_behind_or_ahead_fetches_anew(store: Store, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(feed_events, "TOO_FAR", 50)
    await happen(store, 100)
    hub = Hub(store)
    client = stream(hub, after)
    await anext(client)
    assert parse(await asyncio.wait_for(anext(client), BEAT))[:2] == ("resync", 100)
    await hub.close()


async def test_a_foreign_team_is_not_told(store: Store) -> None:
    hub = Hub(store, coalesce=0)
    client = stream(hub, 0, {"payments"})
    await anext(client)
    await happen(store, 1, "care")
    await happen(store, 1, "payments")
    assert await heard(client, 1) == [2]
    await hub.close()


async def test_a_session_that_ended_hears_no_more(store: Store) -> None:
    hub = Hub(store, beat=0.01)

    async def gone() -> bool:
        return False

    frames = [parse(frame)[0] async for frame in hub.stream(None, lambda _: True, gone)]
    assert frames == ["beat", "over"]
    await hub.close()


async def test_closing_ends_every_stream(store: Store) -> None:
    hub = Hub(store)
    clients = [stream(hub) for _ in range(5)]
    for client in clients:
        await anext(client)
    tasks = [asyncio.ensure_future(anext(client, None)) for client in clients]
    await asyncio.sleep(0)
    await hub.close()
    assert [await asyncio.wait_for(task, BEAT) for task in tasks] == [None] * 5
    assert [frame async for frame in stream(hub)][1:] == []


async def test_a_failed_read_is_waited_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(store, coalesce=0, patience=0.001)
    client = stream(hub)
    await anext(client)
    tried = 0

    async def broken(_: object) -> None:
        nonlocal tried
        tried += 1
        raise StoreBroken("the connection to the database was lost")

    waiting = asyncio.ensure_future(heard(client, 2))
    with monkeypatch.context() as patch:
        patch.setattr(store, "read", broken)
        await happen(store)
        async with asyncio.timeout(BEAT):
            while tried < 3:  # noqa: ASYNC110  nothing rings when a read fails
                await asyncio.sleep(0.001)
    await happen(store)
    assert await asyncio.wait_for(waiting, BEAT) == [1, 2]
    await hub.close()


async def test_a_pump_that_ended_is_started_again(store: Store) -> None:
    hub = Hub(store, coalesce=0, beat=0.01)
    client = stream(hub)
    await anext(client)
    assert hub._pump is not None
    hub._pump.cancel()
    await asyncio.wait([hub._pump])
    await happen(store)
    assert await heard(client, 1) == [1], "by who listens already"
    assert hub._pump is not None
    hub._pump.cancel()
    await asyncio.wait([hub._pump])
    await happen(store)
    assert await heard(stream(hub, 1), 1) == [2], "and by who comes now"
    await hub.close()


def test_the_server_stops_while_browsers_listen(tmp_path: Path) -> None:
    """Over a real socket: the stream is open, and `stop` still returns."""
    import httpx

    house = House(tmp_path, sample=True)
    with httpx.Client(base_url=house.url, timeout=BEAT) as client:
        client.get("/", headers={"Sec-Fetch-Site": "none"})
        with client.stream("GET", "/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            frames = answer.iter_text()
            assert "beat" in next(frames)
            house.stop()
            assert "".join(frames) == ""


async def test_the_route_resumes_by_the_header(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Lin Mei")
    latest = await rooms.store.read(events.latest)
    await rooms.store.write(lambda connection: connection.execute(delete(SESSION)))
    assert latest > 0
    assert (await door.get("/events")).status_code == 401
