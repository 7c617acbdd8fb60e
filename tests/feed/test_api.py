"""The API: what the page and the commands do with the queue."""

from __future__ import annotations

from typing import Any

import pytest

from routing.store import events, settings
from tests.feed.conftest import Door, Rooms

LISTED = {
    "id",
    "channel",
    "thread",
    "author",
    "text",
    "language",
    "priority",
    "team",
    "status",
    "assignee",
    "because",
    "opened_at",
    "acknowledged_at",
    "first_answer_due",
    "resolution_due",
}


@pytest.fixture
async def door(rooms: Rooms) -> Door:
    found = rooms.door()
    await found.sign_in("Lea Ortiz")
    return found


async def cases(door: Door, query: str = "") -> list[dict[str, Any]]:
    answer = await door.get("/api/v1/cases" + query)
    assert answer.status_code == 200
    return list(answer.json())


async def free(door: Door) -> str:
    return str(next(case["id"] for case in await cases(door) if case["assignee"] is None))


async def test_the_queue(door: Door) -> None:
    found = await cases(door)
    assert len(found) == 8
    for case in found:
        assert set(case) >= LISTED
        assert isinstance(case["id"], str)
        assert case["opened_at"].endswith("Z")
    assert [case["priority"] for case in found] == sorted(case["priority"] for case in found)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?priority=P1", 2),
        ("?priority=P1,P2", 5),
        ("?priority=P1&priority=P2", 5),
        ("?team=payments", 2),
        ("?channel=x-mentions", 2),
        ("?label=unsure", 1),
        ("?language=zh", 4),
        ("?language=zh-Hant", 2),
        ("?assignee=me", 1),
        ("?assignee=", 6),
        ("?q=行李", 1),
        ("?q=机票", 1),
        ("?q=stolen", 1),
        ("?q=@priya_r", 1),
        ("?status=resolved", 0),
        ("?status=claimed", 2),
        ("?limit=3", 3),
        ("?limit=3&offset=6", 2),
        ("?q=nothinglikeit", 0),
        ("?q=" + "x" * 5000, 0),
    ],
)
async def test_filters(door: Door, query: str, count: int) -> None:
    assert len(await cases(door, query)) == count


@pytest.mark.parametrize("query", ["?status=nonsense", "?limit=0", "?limit=-1", "?limit=x", "?limit=1e9", "?offset=x"])
async def test_what_is_not_understood_is_said(door: Door, query: str) -> None:
    answer = await door.get("/api/v1/cases" + query)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail"}


@pytest.mark.parametrize(
    "name", ["0", "1", "9223372036854775807", "9223372036854775808", "9" * 19, "ZZZZ", "x" * 19, "%00", "-1", "1'"]
)
async def test_a_case_that_is_not_there(door: Door, name: str) -> None:
    assert (await door.get(f"/api/v1/cases/{name}")).status_code in (404, 422)
    assert (await door.get(f"/cases/{name}")).status_code in (404, 422)


async def test_a_case_by_id_and_by_reference(door: Door) -> None:
    case = (await cases(door))[0]
    for name in (case["id"], case["ref"], case["ref"].lower()):
        found = (await door.get(f"/api/v1/cases/{name}")).json()
        assert found["id"] == case["id"]
        assert found["messages"]
        assert all(isinstance(one["id"], str) for one in found["messages"])


async def test_the_life_of_a_case(door: Door) -> None:
    case = await free(door)
    at = f"/api/v1/cases/{case}"
    assert (await door.post(at + "/claim")).json()["assignee"] == "Lea Ortiz"
    assert (await door.post(at + "/note", {"text": "called her"})).status_code == 200
    seen = (await door.get(at)).json()["last_message_id"]
    assert (await door.post(at + "/answer", {"text": "We are on it.", "seen": seen})).status_code == 200
    detail = (await door.get(at)).json()
    assert [one["text"] for one in detail["outbox"] if one["kind"] == "answer"] == ["We are on it."]
    assert (await door.post(at + "/snooze", {"until": "2027-03-02T09:00:00Z"})).json()["status"] == "waiting"
    assert (await door.post(at + "/assign", {"to": "Lin Mei"})).json()["assignee"] == "Lin Mei"
    assert (await door.post(at + "/assign", {"to": "Lea Ortiz"})).json()["assignee"] == "Lea Ortiz"
    assert (await door.post(at + "/release")).json()["assignee"] is None
    resolved = (await door.post(at + "/resolve", {"reason": "not_for_us", "detail": "another airline"})).json()
    assert (resolved["status"], resolved["resolution"]) == ("resolved", "not_for_us")
    assert (await door.post(at + "/reopen")).json()["status"] == "open"


async def test_only_one_of_two_gets_it(rooms: Rooms, door: Door) -> None:
    other = rooms.another()
    await other.sign_in("Lin Mei")
    case = await free(door)
    assert (await door.post(f"/api/v1/cases/{case}/claim")).status_code == 200
    answer = await other.post(f"/api/v1/cases/{case}/claim", **{"Accept-Language": "zh-CN"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:heedful:problem:taken"
    assert "Lea Ortiz 正在处理此工单" in answer.json()["detail"]


async def test_an_answer_to_what_was_not_read_is_stopped(rooms: Rooms, door: Door) -> None:
    case = await free(door)
    seen = int((await door.get(f"/api/v1/cases/{case}")).json()["last_message_id"]) - 1
    answer = await door.post(
        f"/api/v1/cases/{case}/answer", {"text": "hello", "seen": str(seen)}, **{"Accept-Language": "zh-TW"}
    )
    assert answer.status_code == 409
    assert answer.json()["detail"] == "答覆未送出。請先閱讀新內容，再重新送出。 客戶剛剛又傳來訊息。"


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("answer", {}),
        ("answer", {"text": ""}),
        ("answer", {"text": "   "}),
        ("answer", {"text": "x" * 10_001}),
        ("answer", {"text": "x", "seen": "x"}),
        ("answer", {"text": "x", "seen": "9" * 30}),
        ("answer", {"text": "x", "unknown": 1}),
        ("note", {"text": None}),
        ("assign", {"to": ""}),
        ("assign", {"to": "x" * 61}),
        ("snooze", {"until": "tomorrow"}),
        ("snooze", {"until": "2027-03-02T00:00:00"}),
        ("resolve", {"reason": "bored"}),
        ("resolve", {}),
        ("resolve", []),
        ("answer", "text"),
    ],
)
async def test_bodies_that_make_no_sense(door: Door, action: str, body: object) -> None:
    answer = await door.post(f"/api/v1/cases/{await free(door)}/{action}", body)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:heedful:problem:invalid"


async def test_many_at_once(door: Door) -> None:
    ids = [case["id"] for case in await cases(door)]
    results = (
        await door.post("/api/v1/cases/bulk", {"ids": [*ids, "1"], "action": "resolve", "reason": "spam"})
    ).json()["results"]
    assert [one["id"] for one in results] == [*ids, "1"]
    refused = {one["id"]: one["problem"]["type"] for one in results if not one["done"]}
    assert refused.pop("1") == "urn:heedful:problem:not_found"
    assert set(refused.values()) <= {"urn:heedful:problem:taken"}
    assert len(await cases(door)) == len(refused)
    assert (await door.post("/api/v1/cases/bulk", {"ids": ids, "action": "assign"})).status_code == 422
    assert (await door.post("/api/v1/cases/bulk", {"ids": [], "action": "claim"})).status_code == 422


async def test_all_automatic_texts_stop_and_go_on(rooms: Rooms, door: Door) -> None:
    assert (await door.post("/api/v1/pause", {"reason": "wrong wording"})).json()["paused"] is True
    assert (await rooms.store.read(settings.paused)).by == "Lea Ortiz"
    assert (await door.get("/api/v1/status")).json()["pause"]["reason"] == "wrong wording"
    assert (await door.post("/api/v1/resume")).json()["paused"] is False


async def test_texts_that_wait_for_a_person(door: Door) -> None:
    by_state = {
        state: (await door.get(f"/api/v1/acknowledgements?state={state}")).json()
        for state in ("unknown", "approve", "preview")
    }
    assert {state: len(found) for state, found in by_state.items()} == {"unknown": 1, "approve": 1, "preview": 1}
    at = "/api/v1/acknowledgements/"
    assert (await door.post(f"{at}{by_state['unknown'][0]['id']}/unsent")).status_code == 200
    assert (await door.post(f"{at}{by_state['unknown'][0]['id']}/sent")).status_code == 409
    assert (await door.post(f"{at}{by_state['approve'][0]['id']}/approve")).status_code == 200
    assert (await door.post(f"{at}1/approve")).status_code == 404
    assert (await door.get("/api/v1/acknowledgements?state=nonsense")).status_code == 422


async def test_messages_ledger_and_status(door: Door) -> None:
    assert len((await door.get("/api/v1/messages?q=行李")).json()) == 1
    assert len((await door.get("/api/v1/messages?limit=5")).json()) == 5
    books = (await door.get("/api/v1/ledger?hours")).json()
    assert books["stored"] == books["routed"] + books["kept"]
    assert books["hours"]
    status = (await door.get("/api/v1/status")).json()
    assert {channel["state"] for channel in status["channels"]} == {"listening", "waiting", "paused", "failed", "idle"}


async def test_people(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Ada Admin")
    new = {"name": " 王小明\u202e ", "password": "long enough!", "role": "agent", "teams": ["care"]}
    answer = await door.post("/api/v1/users", new)
    assert answer.status_code == 201
    assert answer.json()["name"] == "王小明"
    assert "password" not in answer.text
    assert (await door.post("/api/v1/users", new)).status_code == 409
    assert (await door.post("/api/v1/users", {**new, "name": "x", "teams": ["nowhere"]})).status_code == 422
    assert (await door.post("/api/v1/users", {**new, "name": "x", "password": "short"})).status_code == 422
    assert (await door.post("/api/v1/users", {**new, "name": "\u202e"})).status_code == 422
    assert (await rooms.another().sign_in("王小明", "long enough!")).status_code == 303
    assert "argon2" not in (await door.get("/api/v1/users")).text


async def test_the_api_describes_itself(door: Door) -> None:
    document = (await door.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/cases/{case_id}/answer" in document["paths"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]


async def test_the_feed_tells_of_every_change(rooms: Rooms, door: Door) -> None:
    before = await rooms.store.read(events.latest)
    case = await free(door)
    await door.post(f"/api/v1/cases/{case}/claim")
    told = await rooms.store.read(lambda connection: events.since(connection, before))
    assert [(event.kind, event.actor, str(event.case_id)) for event in told] == [("claimed", "Lea Ortiz", case)]
