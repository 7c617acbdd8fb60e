"""The one outgoing client, against a real socket."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from connectors.addresses import Ip
from connectors.errors import ConnectorError, Denied, Refused, Unreachable
from connectors.net import Http, open_http

NOW = datetime(2027, 1, 31, 9, tzinfo=UTC)
SECRET = "123:SECRET"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(handler: Handler, **options: Any) -> AsyncIterator[tuple[Http, str]]:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(serving(handler))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        yield Http(session, clock=lambda: NOW, **options), f"http://127.0.0.1:{port}"


def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> Handler:
    async def handler(_request: web.BaseRequest) -> web.Response:
        return web.Response(
            status=status, body=body, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )

    return handler


async def failure(call: Awaitable[object]) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await call
    link: BaseException | None = caught.value
    while link is not None:
        assert SECRET not in str(link)
        assert not isinstance(link, aiohttp.ClientError)
        link = link.__cause__ or link.__context__
    return caught.value


async def test_json_out_and_in() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        body = await request.json()
        return web.json_response([request.method, request.path_qs, request.headers["Authorization"], body])

    async with calling(handler) as (http, base):
        found = await http.json("POST", f"{base}/a", token=SecretStr("t"), params={"x": 1}, body={"text": "好\ud83d"})
    assert found == ["POST", "/a?x=1", "Bearer t", {"text": "好\ud83d"}]


async def test_an_empty_success_is_none() -> None:
    async with calling(answering(204, b"")) as (http, base):
        assert await http.json("PUT", base) is None


@pytest.mark.parametrize(
    ("status", "kind", "unsent"),
    [
        (302, Unreachable, False),
        (400, Refused, None),
        (401, Denied, None),
        (403, Denied, None),
        (404, Refused, None),
        (408, Unreachable, False),
        (422, Refused, None),
        (429, Unreachable, True),
        (500, Unreachable, False),
        (503, Unreachable, False),
    ],
)
async def test_a_status_is_what_happens_next(status: int, kind: type[ConnectorError], unsent: bool | None) -> None:
    async with calling(answering(status, b"secret body", Retry_After="9", Location="https://example.org")) as (
        http,
        base,
    ):
        error = await failure(http.json("GET", f"{base}/bot{SECRET}/poll", params={"q": "hidden"}, hide=[SECRET]))
    assert type(error) is kind
    assert str(error) == f"GET 127.0.0.1/bot…/poll: answered {status}"
    if isinstance(error, Unreachable):
        assert error.unsent is unsent
        assert error.retry_after == timedelta(seconds=9)


async def test_bad_json_leaves_all_in_doubt() -> None:
    async with calling(answering(200, b"<html>")) as (http, base):
        error = await failure(http.json("POST", base))
    assert isinstance(error, Unreachable)
    assert not error.unsent


async def test_a_connection_that_was_never_made_is_unsent() -> None:
    async with calling(answering()) as (http, base):
        pass
    async with open_http() as http:
        for url in (base, "https://no-such-host.invalid/x"):
            error = await failure(http.json("POST", url))
            assert isinstance(error, Unreachable)
            assert error.unsent


async def test_a_failed_handshake_is_unsent() -> None:
    async with calling(answering()) as (http, base):
        error = await failure(http.json("POST", base.replace("http:", "https:")))
    assert isinstance(error, Unreachable)
    assert error.unsent


async def test_a_connection_that_breaks_is_in_doubt() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with calling(handler) as (http, base):
        error = await failure(http.json("POST", base))
    assert isinstance(error, Unreachable)
    assert not error.unsent


async def test_a_deadline_is_in_doubt() -> None:
    over = asyncio.Event()

    async def handler(_request: web.BaseRequest) -> web.Response:
        await over.wait()
        return web.Response()

    async with calling(handler) as (http, base):
        error = await failure(http.json("POST", base, deadline=timedelta(seconds=0.05)))
        over.set()
    assert isinstance(error, Unreachable)
    assert not error.unsent


async def test_an_answer_is_bounded() -> None:
    async with calling(answering(200, b"x" * 2_000)) as (http, base):
        assert (await http.send("GET", base, limit=2_000)).body == b"x" * 2_000
        assert "too large" in str(await failure(http.send("GET", base, limit=1_999)))


async def test_plain_http_goes_to_this_machine_only() -> None:
    async with open_http() as http:
        error = await failure(http.json("GET", f"http://api.example.org/bot{SECRET}"))
    assert isinstance(error, Denied)
    assert "write https://" in str(error)


@pytest.mark.parametrize("token", ["a\nb", "a\r\nHost: x", "ü", "\ud83d"])
async def test_a_token_that_no_header_may_hold(token: str) -> None:
    async with calling(answering()) as (http, base):
        assert isinstance(await failure(http.json("GET", base, token=token)), Denied)


async def test_nobody_is_followed_and_no_cookie_is_kept() -> None:
    seen: list[str | None] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.json_response({}, headers={"Set-Cookie": "a=b"})

    async with calling(handler) as (http, base):
        for _ in range(2):
            await http.json("GET", base)
    assert seen == [None, None]


async def test_lines_of_a_stream() -> None:
    async with calling(answering(200, "一\r\n\ntwo\nrest".encode())) as (http, base):
        assert [line async for line in http.lines("GET", base)] == ["一".encode(), b"", b"two", b"rest"]


async def test_a_line_without_end_is_given_up() -> None:
    async def drain(http: Http, base: str) -> None:
        async for _ in http.lines("GET", base, limit=100):
            pytest.fail("no line has ended")

    async with calling(answering(200, b"x" * 1_000)) as (http, base):
        assert isinstance(await failure(drain(http, base)), Unreachable)


# Guarded addresses.


def names(**known: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, _port: int) -> Sequence[str]:
        if host.partition(".")[0] not in known:
            raise OSError(host)
        return known[host.partition(".")[0]].split()

    return resolve


def here(_ip: Ip, _port: int) -> bool:
    return True


async def test_a_checked_name_is_connected_by_its_address_and_told_its_name() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.headers["Host"])

    async with calling(handler, resolver=names(shop="127.0.0.1"), allowed=here) as (http, base):
        port = base.rpartition(":")[2]
        found = await http.guarded(f"http://shop.example:{port}/a?b=c")
    assert found.body.decode() == f"shop.example:{port}"
    assert (found.status, found.url) == (200, f"http://shop.example:{port}/a?b=c")


@pytest.mark.parametrize(
    "addresses",
    ["127.0.0.1", "93.184.216.34 10.0.0.1", "::1", "::ffff:93.184.216.34", "fe80::1%eth0", "64:ff9b::7f00:1"],
)
async def test_one_address_that_is_not_public_refuses_the_name(addresses: str) -> None:
    async with calling(answering(), resolver=names(shop=addresses)) as (http, _):
        assert isinstance(await failure(http.guarded("https://shop.example/")), Refused)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "https://user:pw@shop.example/",
        "ftp://a",
        "",
    ],
)
async def test_addresses_that_are_refused_unasked(url: str) -> None:
    async with calling(answering(), resolver=names()) as (http, _):
        assert isinstance(await failure(http.guarded(url)), Refused)


async def test_other_ports_are_refused() -> None:
    async with calling(answering(), resolver=names(shop="93.184.216.34")) as (http, _):
        assert isinstance(await failure(http.guarded("https://shop.example:8443/")), Refused)


@pytest.mark.parametrize("known", [{}, {"shop": ""}, {"shop": "not-an-address"}])
async def test_a_name_that_nobody_knows(known: dict[str, str]) -> None:
    async with calling(answering(), resolver=names(**known)) as (http, _):
        error = await failure(http.guarded("https://shop.example/"))
    assert isinstance(error, Unreachable)
    assert error.unsent


def redirecting(to: Callable[[web.BaseRequest], str | None]) -> tuple[Handler, list[web.BaseRequest]]:
    seen: list[web.BaseRequest] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        location = to(request)
        return (
            web.Response(text="there") if location is None else web.Response(status=302, headers={"Location": location})
        )

    return handler, seen


async def test_every_redirect_is_checked_again() -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1" if host == "a.example" else "10.0.0.1"]

    handler, seen = redirecting(lambda _request: "http://b.example/")
    async with calling(handler, resolver=resolve, allowed=lambda ip, _port: str(ip) == "127.0.0.1") as (http, base):
        error = await failure(http.guarded(f"http://a.example:{base.rpartition(':')[2]}/"))
    assert isinstance(error, Refused)
    assert asked == ["a.example", "b.example"]
    assert len(seen) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/", "file:///etc/passwd", "http://0x7f.1/", "http://[::1", "http://[]@", "//10.0.0.1/",
        "http://u:p@b.example",
    ],
)  # fmt: skip
async def test_a_redirect_to_what_is_not_public(location: str) -> None:
    def the_server_alone(_ip: Ip, port: int) -> bool:
        return port not in {80, 443}

    handler, seen = redirecting(lambda _request: location)
    async with calling(handler, resolver=names(a="127.0.0.1"), allowed=the_server_alone) as (http, base):
        assert isinstance(await failure(http.guarded(base.replace("127.0.0.1", "a.example"))), Refused)
    assert len(seen) == 1


@pytest.mark.parametrize(("hops", "arrives"), [(3, True), (4, False)])
async def test_three_redirects_and_no_more(hops: int, arrives: bool) -> None:
    handler, seen = redirecting(
        lambda request: None if request.path == f"/{hops}" else f"/{int(request.path[1:] or 0) + 1}"
    )
    async with calling(handler, allowed=here) as (http, base):
        if arrives:
            assert (await http.guarded(base)).url.endswith("/3")
        else:
            assert isinstance(await failure(http.guarded(base)), Refused)
    assert len(seen) == 4


async def test_headers_stay_with_the_first_origin() -> None:
    def to(request: web.BaseRequest) -> str | None:
        if request.host.startswith("b."):
            return None
        return "/same" if request.path == "/" else f"http://b.example:{request.url.port}/"

    handler, seen = redirecting(to)
    async with calling(handler, resolver=names(a="127.0.0.1", b="127.0.0.1"), allowed=here) as (http, base):
        await http.guarded(base.replace("127.0.0.1", "a.example") + "/", headers={"Authorization": SECRET})
    assert [request.headers.get("Authorization") for request in seen] == [SECRET, SECRET, None]


async def test_a_guarded_body_is_bounded_also_where_it_is_packed() -> None:
    async with calling(answering(200, gzip.compress(b"0" * 5_000_000), Content_Encoding="gzip"), allowed=here) as (
        http,
        base,
    ):
        error = await failure(http.guarded(base, limit=100_000))
    assert isinstance(error, Refused)
    assert "larger than 100000 bytes" in str(error)


async def test_not_modified_is_an_answer() -> None:
    async with calling(answering(304, b""), allowed=here) as (http, base):
        assert (await http.guarded(base, headers={"If-None-Match": '"x"'})).status == 304


async def test_a_guarded_deadline() -> None:
    over = asyncio.Event()

    async def handler(_request: web.BaseRequest) -> web.Response:
        await over.wait()
        return web.Response()

    async with calling(handler, allowed=here) as (http, base):
        assert isinstance(await failure(http.guarded(base, deadline=timedelta(seconds=0.05))), Unreachable)
        over.set()


@settings(max_examples=50)  # each example has an event loop of its own
@given(st.text() | st.builds("http://{}/{}".format, st.text(), st.text()))
def test_no_text_is_ever_called_unchecked(url: str) -> None:
    """Nothing is public, so whatever the text, there is an error of ours and no connection."""

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            http = Http(session, resolver=names(), allowed=lambda _ip, _port: False)
            with pytest.raises((Refused, Unreachable)):
                await http.guarded(url)

    asyncio.run(ask())


async def test_the_certificate_is_checked_against_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """SNI carries the name, not the address."""
    asked: list[str] = []
    original = ssl.SSLContext.wrap_bio

    def wrap_bio(self: ssl.SSLContext, *args: Any, **options: Any) -> Any:
        asked.append(options.get("server_hostname") or args[3])
        return original(self, *args, **options)

    monkeypatch.setattr(ssl.SSLContext, "wrap_bio", wrap_bio)
    async with calling(answering(), resolver=names(shop="127.0.0.1"), allowed=here) as (http, base):
        error = await failure(http.guarded(f"https://shop.example:{base.rpartition(':')[2]}/"))
    assert isinstance(error, Unreachable)
    assert error.unsent
    assert asked == ["shop.example"]
