from __future__ import annotations

import asyncio
import json
from itertools import pairwise

from routing.store import events
from routing.store.database import Store, open_store
from tests.databases import START, Clock


def happened(kind: str, **more: object) -> dict[str, object]:
    return {"at": START, "kind": kind, **more}


async def test_events_come_back_in_order_and_from_a_number_on(store: Store) -> None:
    assert await store.read(events.latest) == 0
    await store.write(lambda connection: events.append(connection, [happened("message"), happened("note", case_id=7)]))
    await store.write(lambda connection: events.append(connection, [happened("sent", data={"a": [1]})]))
    found = await store.read(lambda connection: events.since(connection, 0))
    assert [(event.seq, event.kind) for event in found] == [(1, "message"), (2, "note"), (3, "sent")]
    assert await store.read(events.latest) == 3
    assert [event.seq for event in await store.read(lambda connection: events.since(connection, 1, 1))] == [2]
    assert [event.kind for event in await store.read(lambda connection: events.of_case(connection, 7))] == ["note"]


async def test_an_event_leaves_as_json(store: Store) -> None:
    await store.write(lambda connection: events.append(connection, [happened("note", case_id=2**62, actor="ann")]))
    (event,) = await store.read(lambda connection: events.since(connection, 0))
    assert json.loads(json.dumps(event.as_json())) == {
        "seq": "1", "at": "2027-03-01T09:00:00Z", "kind": "note", "actor": "ann", "channel": None, "team": None,
        "case_id": "4611686018427387904", "message_id": None, "data": {},
    }  # fmt: skip


async def test_a_work_that_fails_leaves_no_event(store: Store) -> None:
    async def fail() -> None:
        def work(connection: object) -> None:
            events.append(connection, [happened("alarm")])  # type: ignore[arg-type]
            raise LookupError

        try:
            await store.write(work)
        except LookupError:
            return

    async def succeed(number: int) -> None:
        await store.write(lambda connection: events.append(connection, [happened("note", message_id=number)]))

    await asyncio.gather(*(fail() if number % 7 == 3 else succeed(number) for number in range(60)))
    found = await store.read(lambda connection: events.since(connection, 0))
    assert sorted(event.message_id or 0 for event in found) == [number for number in range(60) if number % 7 != 3]


async def test_an_event_that_cannot_be_written_fails_its_own_work_only(store: Store) -> None:
    def work(kind: str | None) -> object:
        return store.write(lambda connection: events.append(connection, [happened("note") | {"kind": kind}]))

    results = await asyncio.gather(work("note"), work(None), work("sent"), return_exceptions=True)  # type: ignore[call-overload]
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    found = await store.read(lambda connection: events.since(connection, 0))
    assert [event.kind for event in found] == ["note", "sent"]


async def test_numbers_become_visible_in_order_though_two_write(store: Store, store_url: str, clock: Clock) -> None:
    """Whoever has seen number n never finds a smaller one later."""
    if store.dialect == "sqlite":
        return
    other = open_store(store_url, clock=clock)
    seen: list[list[int]] = []

    async def write(into: Store) -> None:
        for _ in range(40):
            await into.write(lambda connection: events.append(connection, [happened("note")] * 3))

    async def watch() -> None:
        while len(seen) < 2 or len(seen[-1]) < 240:
            seen.append([event.seq for event in await store.read(lambda connection: events.since(connection, 0))])

    await asyncio.gather(write(store), write(other), watch())
    await other.close()
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier


async def test_a_number_is_never_given_twice(store: Store) -> None:
    """Also where the newest events were removed: a page resumes by number."""
    await store.write(lambda connection: events.append(connection, [happened("note")] * 3))
    await store.write(lambda connection: connection.exec_driver_sql("DELETE FROM event"))
    await store.write(lambda connection: events.append(connection, [happened("note")]))
    assert await store.read(events.latest) == 4
