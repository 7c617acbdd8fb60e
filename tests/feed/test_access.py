"""Every route against every role: nobody is let in by forgetting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from sqlalchemy import update
from starlette.routing import Mount

from feed.access import ROUTES, GuardedRoute, Needs
from feed.staff import ROLES
from routing.store.rows import STAFF
from tests.feed.conftest import Door, Rooms

WHO = {"agent": "Lin Mei", "lead": "Lea Ortiz", "admin": "Ada Admin"}
MISSING = {"{case_id}": "1", "{message_id}": "1", "{text_id}": "1"}
STREAMS = {"/events"}


def address(path: str) -> str:
    for slot, value in MISSING.items():
        path = path.replace(slot, value)
    return path


def may(role: str | None, needs: Needs) -> bool:
    return needs == "anyone" or (role is not None and ROLES.index(role) >= ROLES.index(needs))


async def knock(door: Door, method: str, path: str) -> int:
    if method == "GET":
        return (await door.get(address(path))).status_code
    return (await door.post(address(path), {"reason": "spam"})).status_code


async def test_the_table_is_the_app(rooms: Rooms) -> None:
    rooms.door()
    there = set()
    for route in found(rooms.app.routes):
        if isinstance(route, Mount):
            assert route.path == "/static"
            continue
        assert isinstance(route, GuardedRoute), route
        there |= {(method, route.path) for method in route.methods or ()}
    assert there == set(ROUTES)


def found(routes: Iterable[object]) -> Iterator[object]:
    """The routes of an app, those of its routers among them."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield route
        else:
            yield from found(router.routes)


def test_a_route_outside_the_table_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        GuardedRoute("/secret", lambda: None, methods=["GET"])


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_every_route_asks_for_its_role(rooms: Rooms, role: str | None) -> None:
    door = rooms.door()
    if role:
        await door.sign_in(WHO[role])
    for (method, path), needs in ROUTES.items():
        if path in STREAMS or path in ("/signout", "/signin", "/language", "/first-run"):
            continue
        status = await knock(door, method, path)
        if may(role, needs):
            assert status not in (401, 403), (method, path, status)
            assert status < 500, (method, path, status)
        elif role is None:
            assert status in (401, 303), (method, path, status)
        else:
            assert status == 403, (method, path, status)


@pytest.mark.parametrize(
    "path", sorted(path for method, path in ROUTES if method == "POST" and path.startswith("/api"))
)
async def test_refused_before_the_body_is_read(rooms: Rooms, path: str) -> None:
    door = rooms.door()
    answer = await door.client.post(
        address(path),
        content=b"{not json",
        headers={"Origin": "http://127.0.0.1:8080", "Content-Type": "application/json"},
    )
    assert answer.status_code == 401


async def test_a_foreign_teams_case_is_not_there(rooms: Rooms) -> None:
    lead, agent = rooms.door(), rooms.another()
    await lead.sign_in("Lea Ortiz")
    await agent.sign_in("Pat Payne")
    cases = (await lead.get("/api/v1/cases")).json()
    foreign = [case["id"] for case in cases if case["team"] != "payments"]
    assert foreign
    assert {case["team"] for case in (await agent.get("/api/v1/cases")).json()} == {"payments"}
    assert (await agent.get("/api/v1/cases?team=care")).json() == []
    for method, path in ROUTES:
        if "{case_id}" not in path:
            continue
        where = path.replace("{case_id}", foreign[0])
        body = {"text": "x", "to": "Pat Payne", "until": "2027-03-02T00:00:00Z", "reason": "spam"}
        allowed = {
            "note": ("text",),
            "answer": ("text",),
            "assign": ("to",),
            "snooze": ("until",),
            "resolve": ("reason",),
        }
        sent = {key: body[key] for key in allowed.get(path.rsplit("/", 1)[-1], ())}
        answer = await agent.get(where) if method == "GET" else await agent.post(where, sent)
        assert answer.status_code == 404, (method, path)
    done = (await agent.post("/api/v1/cases/bulk", {"ids": foreign, "action": "claim"})).json()["results"]
    assert {one["problem"]["status"] for one in done} == {404}
    assert all(case["assignee"] in (None, "Lea Ortiz", "Lin Mei") for case in (await lead.get("/api/v1/cases")).json())


async def test_a_foreign_teams_words_are_not_shown(rooms: Rooms) -> None:
    agent = rooms.door()
    await agent.sign_in("Pat Payne")
    for path in (
        "/",
        "/stream",
        "/acknowledgements?state=sent",
        "/api/v1/messages",
        "/api/v1/acknowledgements",
        "/?view=overdue",
    ):
        text = (await agent.get(path)).text
        assert "里程还能转给" not in text, path
        assert "颱風天改機票" not in text, path


async def test_a_disabled_account_is_out_at_once(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Lin Mei")
    assert (await door.get("/api/v1/cases")).status_code == 200
    await rooms.store.write(lambda connection: connection.execute(update(STAFF).values(disabled_at=rooms.clock())))
    assert (await door.get("/api/v1/cases")).status_code == 401


async def test_the_socket_acts_for_whom_it_names(rooms: Rooms) -> None:
    door = rooms.door(local=True, base="http://heedful")
    assert (await door.get("/api/v1/cases")).status_code == 401
    cases = (await door.get("/api/v1/cases", **{"X-Heedful-Actor": "cli"})).json()
    free = next(case for case in cases if case["assignee"] is None)
    answer = await door.client.post(f"/api/v1/cases/{free['id']}/claim", headers={"X-Heedful-Actor": "cli"})
    assert answer.status_code == 200
    assert answer.json()["assignee"] == "cli"
