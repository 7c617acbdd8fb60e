"""Signing in: slowly for who guesses, with a new session each time, and never on to another site."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import delete

from feed import staff
from feed.attempts import HASHES_AT_ONCE, NAMES_AT_MOST, Attempts, address_of, safe_path
from routing.store.rows import STAFF
from tests.databases import Clock
from tests.feed.conftest import Rooms, field
from tests.feed.scene import PASSWORD


@pytest.mark.parametrize("path", ["/", "/stream", "/cases/12?view=mine", "/?q=%E8%A1%8C"])
def test_our_own_paths(path: str) -> None:
    assert safe_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        None,
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil",
        " //evil",
        "/a\\b",
        "/" + "x" * 501,
        "evil",
        "/\u202eevil",
        "///evil",
    ],
)
def test_no_way_out(path: str | None) -> None:
    assert safe_path(path) == "/"


async def test_in_and_out(rooms: Rooms) -> None:
    door = rooms.door()
    assert (await door.get("/stream")).headers["location"] == "/signin?next=/stream"
    answer = await door.sign_in("Lin Mei", to="/stream")
    assert answer.headers["location"] == "/stream"
    assert (await door.get("/api/v1/cases")).status_code == 200
    cookie = dict(door.client.cookies)
    assert (await door.form("/signout", {"csrf": door.csrf})).status_code == 303
    door.client.cookies.update(cookie)
    assert (await door.get("/api/v1/cases")).status_code == 401


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_never_on_to_another_site(rooms: Rooms, to: str) -> None:
    assert (await rooms.door().sign_in("Lin Mei", to=to)).headers["location"] == "/"


async def test_a_planted_session_is_worth_nothing(rooms: Rooms) -> None:
    attacker, victim = rooms.door(), rooms.another()
    await attacker.sign_in("Pat Payne")
    planted = dict(attacker.client.cookies)
    for name, value in planted.items():
        victim.client.cookies.set(name, value, domain="127.0.0.1", path="/")
    token = field((await victim.get("/")).text, "csrf")
    form = {"csrf": token, "name": "Lea Ortiz", "password": PASSWORD, "next": "/"}
    assert (await victim.form("/signin", form)).status_code == 303
    assert dict(victim.client.cookies) != planted
    attacker.client.cookies.clear()
    attacker.client.cookies.update(planted)
    assert (await attacker.get("/api/v1/cases")).status_code == 401


async def test_an_invented_cookie_is_worth_nothing(rooms: Rooms) -> None:
    door = rooms.door()
    for cookie in ("x", "0" * 43, "' OR 1=1 --", "%00"):
        answer = await door.get("/api/v1/cases", Cookie=f"heedful-8080-session={cookie}")
        assert answer.status_code == 401


async def test_guessing_is_stopped(rooms: Rooms) -> None:
    door = rooms.door()
    for _ in range(5):
        assert (await door.sign_in("Lin Mei", "wrong")).status_code == 401
    answer = await door.sign_in("lin mei")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert (await door.sign_in("Lea Ortiz")).status_code == 303
    rooms.clock.forward(minutes=6)
    assert (await rooms.another().sign_in("Lin Mei")).status_code == 303


async def test_a_stranger_locks_out_nobody_else(rooms: Rooms) -> None:
    stranger = rooms.door()
    for _ in range(6):
        await stranger.sign_in("Lin Mei", "wrong")
    assert (await stranger.sign_in("Lin Mei")).status_code == 429
    assert (await rooms.another(client="192.0.2.8").sign_in("Lin Mei")).status_code == 303
    assert (await rooms.another().sign_in("Lea Ortiz")).status_code == 303


def test_however_many_fail_nobody_else_waits_and_memory_is_bounded() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(2 * NAMES_AT_MOST):
        attempts.failed(f"name{number}", "192.0.2.7")
    for _ in range(5):
        attempts.failed("Mei", "192.0.2.7")
    assert attempts.wait("mei", "192.0.2.7") > 0
    assert attempts.wait("mei", "192.0.2.8") == attempts.wait("somebody else", "192.0.2.7") == 0
    assert len(attempts.failures) == NAMES_AT_MOST
    clock.forward(minutes=6)
    assert attempts.wait("mei", "192.0.2.7") == 0


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),  # anybody can write this header
        ("127.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),  # what our own proxy has added
        ("10.0.0.2", "1.1.1.1", "1.1.1.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("::ffff:8.8.8.8", "", "8.8.8.8"),
        ("2a00:1450::1", "", "2a00:1450::/64"),
        ("2a00:1450::ffff:2", "", "2a00:1450::/64"),
        ("", "", ""),
        ("testclient", "1.1.1.1", "testclient"),
    ],
)
def test_where_somebody_is(peer: str, forwarded_for: str, address: str) -> None:
    assert address_of(peer, forwarded_for) == address


async def test_many_at_once_are_slowed_and_not_refused(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    now = most = 0
    verify = staff.verify_password

    def counted(stored: str | None, password: str) -> bool:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return verify(stored, password)
        finally:
            now -= 1

    monkeypatch.setattr(staff, "verify_password", counted)
    rooms.door()
    doors = [rooms.another(client=f"192.0.2.{number}") for number in range(20)]
    answers = await asyncio.gather(*(door.sign_in("Lin Mei", "wrong") for door in doors))
    assert {answer.status_code for answer in answers} == {401}
    assert (await rooms.another().sign_in("Lin Mei")).status_code == 303
    assert most <= HASHES_AT_ONCE


def test_a_check_is_small_and_old_hashes_still_fit() -> None:
    hashed = staff.hash_password(PASSWORD)
    found = extract_parameters(hashed)
    assert found.memory_cost * found.parallelism <= 20_000
    assert staff.verify_password(hashed, PASSWORD)
    assert not staff.verify_password(hashed, "wrong")
    old = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4).hash(PASSWORD)
    assert staff.verify_password(old, PASSWORD)
    assert not staff.verify_password(old, "wrong")


async def test_unknown_names_take_the_same_way(rooms: Rooms) -> None:
    known = await rooms.door().sign_in("Lin Mei", "wrong")
    unknown = await rooms.another().sign_in("Nobody", "wrong")
    assert known.status_code == unknown.status_code == 401
    assert "Name or password is wrong" in known.text
    assert "Name or password is wrong" in unknown.text


async def test_sessions_end(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Lin Mei")
    rooms.clock.forward(hours=11)
    assert (await door.get("/api/v1/cases")).status_code == 200
    rooms.clock.forward(hours=11)
    assert (await door.get("/api/v1/cases")).status_code == 200
    rooms.clock.forward(hours=13)
    assert (await door.get("/api/v1/cases")).status_code == 401
    await door.sign_in("Lin Mei")
    for _ in range(20):
        rooms.clock.forward(hours=9)
        await door.get("/api/v1/cases")
    assert (await door.get("/api/v1/cases")).status_code == 401


async def test_sign_in_needs_its_own_token(rooms: Rooms) -> None:
    door = rooms.door()
    form = {"csrf": "", "name": "Lin Mei", "password": PASSWORD}
    assert (await door.form("/signin", form)).status_code == 403
    token = field((await door.get("/signin")).text, "csrf")
    assert (await rooms.another().form("/signin", {**form, "csrf": token})).status_code == 403
    assert (
        await door.client.post("/signin", data={**form, "csrf": token}, headers={"Origin": "http://evil.example"})
    ).status_code == 403


async def test_the_first_admin(rooms: Rooms) -> None:
    await rooms.store.write(lambda connection: connection.execute(delete(STAFF)))
    token = await rooms.store.write(lambda connection: staff.first_run_token(connection, rooms.clock()))
    door = rooms.door()
    assert (await door.get("/first-run?token=wrong")).status_code == 404
    page = await door.get(f"/first-run?token={token}")
    assert page.status_code == 200
    form = {"csrf": field(page.text, "csrf"), "token": token, "name": "黃主任", "password": "short"}
    assert (await door.form("/first-run", form)).status_code == 422
    assert (await door.form("/first-run", {**form, "password": PASSWORD})).status_code == 303
    assert (await door.get("/api/v1/users")).json()[0]["role"] == "admin"
    other = rooms.another()
    token_again = field((await other.get("/signin")).text, "csrf")
    assert (await other.form("/first-run", {**form, "csrf": token_again, "password": PASSWORD})).status_code == 404


async def test_the_link_of_the_first_admin_lives_an_hour(rooms: Rooms) -> None:
    token = await rooms.store.write(lambda connection: staff.first_run_token(connection, rooms.clock()))
    assert (await rooms.door().get(f"/first-run?token={token}")).status_code == 404, "there are accounts already"
    await rooms.store.write(lambda connection: connection.execute(delete(STAFF)))
    rooms.clock.forward(minutes=61)
    assert (await rooms.another().get(f"/first-run?token={token}")).status_code == 404


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_the_sample_run_lets_a_visitor_in(rooms: Rooms, site: str) -> None:
    door = rooms.door(sample=True)
    page = await door.get("/", **{"Sec-Fetch-Site": site})
    assert page.status_code == 200
    assert "Sample run" in page.text
    assert (await door.get("/api/v1/cases")).status_code == 200
    assert (await door.get("/api/v1/users")).status_code == 403, "a lead, not an admin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "X-Forwarded-For": "1.2.3.4"},
        {"Sec-Fetch-Site": "none", "Forwarded": "for=1.2.3.4"},
        {"Sec-Fetch-Site": "none", "Via": "1.1 proxy"},
        {"Sec-Fetch-Site": "none", "X-Forwarded-Proto": "https"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
    ],
)
async def test_the_sample_run_lets_nobody_else_in(rooms: Rooms, headers: dict[str, str]) -> None:
    door = rooms.door(sample=True)
    answer = await door.get("/", **headers)
    assert answer.status_code == 303
    assert "session" not in answer.headers.get("set-cookie", "")
    assert (await door.get("/api/v1/cases", **{"Sec-Fetch-Site": "none"})).status_code == 401


async def test_a_visitor_is_nobody_outside_the_sample_run(rooms: Rooms) -> None:
    door = rooms.door(sample=True)
    await door.get("/", **{"Sec-Fetch-Site": "none"})
    cookies = dict(door.client.cookies)
    real = rooms.door()
    real.client.cookies.update(cookies)
    assert (await real.get("/api/v1/cases")).status_code == 401


async def test_the_language_is_remembered(rooms: Rooms) -> None:
    door = rooms.door()
    token = field((await door.get("/signin")).text, "csrf")
    answer = await door.form("/language", {"csrf": token, "language": "zh-Hant", "next": "/signin?next=/stream"})
    assert answer.headers["location"] == "/signin?next=/stream"
    assert "登入" in (await door.get("/signin")).text
    assert (await door.form("/language", {"csrf": token, "language": "xx"})).status_code == 422
