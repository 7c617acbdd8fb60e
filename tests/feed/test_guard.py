"""What never gets as far as a handler."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from config.schema import Web
from feed.guard import place
from routing.store import settings
from tests.feed.conftest import ORIGIN, Rooms, field
from tests.feed.scene import CARE


def scope(*hosts: str, port: int = 8080) -> dict[str, object]:
    return {"type": "http", "headers": [(b"host", host.encode()) for host in hosts], "server": ("127.0.0.1", port)}


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"])
def test_our_own_addresses(host: str) -> None:
    assert place(scope(host), CARE) is not None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:8081",
        "localhost.evil.example:8080",
        "127.0.0.1:8080@evil",
        "127.0.0.2:8080",
        "0.0.0.0:8080",
        "",
        "127.0.0.1:8080, evil",
        "127.0.0.1:x",
        "[::1",
        "localhost:99999999",
        "ⅼocalhost:8080",
    ],
)
def test_anything_else_is_refused(host: str) -> None:
    found = scope("x")
    found["headers"] = [(b"host", host.encode("utf-8"))]
    assert place(found, CARE) is None


def test_one_host_exactly() -> None:
    assert place(scope(), CARE) is None
    assert place(scope("127.0.0.1:8080", "127.0.0.1:8080"), CARE) is None


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://care.example.com", "care.example.com"), ("https://care.example.com:444/x", "care.example.com:444")],
)
def test_the_public_address(url: str, host: str) -> None:
    care = CARE.model_copy(update={"web": Web(public_url=url)})
    found = place(scope(host), care)
    assert found is not None
    assert found.secure
    assert found.cookie_prefix == "__Host-heedful-"
    assert place(scope("other.example.com"), care) is None


async def test_a_rebound_name_gets_421(rooms: Rooms) -> None:
    door = rooms.door()
    answer = await door.get("/", Host="evil.example:8080")
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8081"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Origin": "http://127.0.0.1:8080.evil.example"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_forged_origin_is_refused(rooms: Rooms, headers: dict[str, str]) -> None:
    door = rooms.door()
    await door.sign_in("Lea Ortiz")
    answer = await door.post("/api/v1/pause", {"reason": "x"}, **headers)
    assert answer.status_code == 403
    assert not (await rooms.store.read(settings.paused)).paused


async def test_no_origin_is_refused(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Lea Ortiz")
    answer = await door.client.post("/api/v1/pause", json={}, headers={"X-CSRF-Token": door.csrf})
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "x", "ä", "0" * 10_000])
async def test_a_forged_token_is_refused(rooms: Rooms, token: str) -> None:
    door = rooms.door()
    await door.sign_in("Lea Ortiz")
    answer = await door.client.post(
        "/api/v1/pause", json={}, headers=[(b"Origin", ORIGIN.encode()), (b"X-CSRF-Token", token.encode())]
    )
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:heedful:problem:csrf"


async def test_another_sessions_token_is_refused(rooms: Rooms) -> None:
    lead, agent = rooms.door(), rooms.another()
    await lead.sign_in("Lea Ortiz")
    await agent.sign_in("Lin Mei")
    lead.csrf = agent.csrf
    assert (await lead.post("/api/v1/pause", {})).status_code == 403


async def test_a_body_needs_its_length_and_an_end(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Lea Ortiz")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    headers = {"Origin": ORIGIN, "X-CSRF-Token": door.csrf}
    assert (await door.client.post("/api/v1/pause", content=pieces(), headers=headers)).status_code == 411
    assert (await door.client.post("/api/v1/pause", content=b"x" * 1_000_001, headers=headers)).status_code == 413


async def test_every_answer_carries_the_headers(rooms: Rooms) -> None:
    door = rooms.door()
    for path in ("/signin", "/nowhere", "/api/v1/cases", "/static/feed.css", "/"):
        headers = (await door.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == ("same-origin" if path == "/signin" else "no-referrer")
    assert (await door.get("/static/feed.css")).headers["cache-control"].endswith("immutable")
    assert (await door.get("/signin")).headers["cache-control"] == "no-store"


async def test_no_page_holds_a_script_or_a_style_of_its_own(rooms: Rooms) -> None:
    door = rooms.door()
    await door.sign_in("Ada Admin")
    for path in ("/", "/stream", "/acknowledgements", "/channels", "/ledger", "/people"):
        text = (await door.get(path)).text
        for script in text.split("<script")[1:]:
            assert script.startswith((' src="/static/', ' type="application/json"')), script[:80]
        assert "<style" not in text
        assert " style=" not in text
        assert " on" + "click" not in text
        assert "//cdn" not in text


async def test_cookies_are_strict(rooms: Rooms) -> None:
    door = rooms.door()
    cookies = (await door.get("/signin")).headers.get_list("set-cookie")
    cookies += (await door.sign_in("Lin Mei")).headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "Path=/" in cookie


async def test_cookies_are_bound_to_a_public_https_host(rooms: Rooms) -> None:
    rooms.care = CARE.model_copy(update={"web": Web(public_url="https://care.example.com")})
    door = rooms.door(base="http://care.example.com")
    page = await door.get("/signin")
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-heedful-form=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert page.headers["strict-transport-security"]
    assert field(page.text, "csrf")
