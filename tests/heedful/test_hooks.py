"""The doors without a face: what they take, what they turn away, and to whom they say how we are."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.types import ASGIApp, Message, Scope

from config.schema import Channel
from connectors.net import open_http
from feed.status import Status
from heedful import hooks, web
from heedful.alarms import Alarms
from heedful.channels import Environment, Runner
from heedful.hooks import Doors
from heedful.metrics import Metrics, Outgoing
from heedful.signatures import sign
from routing.store.database import Store, open_store
from routing.store.errors import StoreFull
from tests.counterparts.telegram import BotApi, free_port
from tests.databases import Clock
from tests.heedful.household import SECRET, Household, Running, pager
from tests.heedful.office import CARE, Office

TOKEN = "a-bearer-token-of-the-monitor"
PROXIES = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Via": "1.1 x"},
]


class House(Office):
    """Real runners over a real store, and the doors before them."""

    def __init__(self, store: Store, clock: Clock, http: Any) -> None:
        super().__init__(store, clock, CARE)
        self.runners: dict[str, Runner] = {}
        self.alarms = Alarms(store, clock)
        self.metrics = Metrics(
            lambda: Status(channels=tuple(one.health.snapshot() for one in self.runners.values())), clock
        )
        self.pipeline._count = self.metrics.count
        self.environment = Environment(
            store=store,
            pipeline=self.pipeline,
            http=http,
            alarms=self.alarms,
            guidance=lambda: self.guidance,
            clock=clock,
            variables={},
            took=self.metrics.took,
        )
        self.outgoing = Outgoing(store, self.metrics)
        self.doors = Doors(lambda: self.runners, self.metrics, clock, TOKEN, self.outgoing.catch_up)
        self.app = web.compose([*self.doors.health(), *self.doors.hooks()], None)

    @asynccontextmanager
    async def open(self, **channels: Channel) -> AsyncIterator[None]:
        self.runners |= {name: Runner(name, channel, self.environment) for name, channel in channels.items()}
        tasks = [asyncio.create_task(runner.run()) for runner in self.runners.values()]
        async with asyncio.timeout(20):
            while not all(map(_settled, self.runners.values())):  # noqa: ASYNC110 the real runner has no bell
                await asyncio.sleep(0.005)
            await self.store.write(lambda _: None)  # behind the heartbeat of each
            await asyncio.sleep(0.005)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def client(self, host: str = "192.0.2.7", at: str = "http://heedful.example") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, client=(host, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=at)


def _settled(runner: Runner) -> bool:
    return runner.health.state in {"listening", "idle"}


@pytest_asyncio.fixture
async def house(sqlite_url: str, clock: Clock) -> AsyncIterator[House]:
    store = open_store(sqlite_url, clock=clock)
    async with open_http() as http:
        found = House(store, clock, http)
        async with found.open(
            shop=Channel.model_validate({"kind": "webhook", "secret": SECRET}), recorded=Channel(kind="replay")
        ):
            yield found
    await store.close()


def message(number: int = 1, text: str = "stolen card") -> dict[str, Any]:
    author = {"id": "canary-id", "name": "canary-name", "handle": "canary-handle"}
    return {"id": f"canary-{number}", "text": text, "author": author, "sent_at": datetime.now(UTC).isoformat()}


def signed(number: int = 1, **more: str) -> dict[str, Any]:
    headers, raw = sign(SECRET, f"msg_{number}", message(number, **more))
    return {"content": raw, "headers": headers}


async def test_what_is_answered_200_is_stored_and_only_once(house: House) -> None:
    async with house.client() as client:
        assert [(await client.post("/hooks/shop", **signed())).status_code for _ in range(3)] == [200] * 3
    books = await house.books()
    assert (books.total.received, books.total.duplicates, books.total.stored) == (3, 2, 1)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/hooks/unknown", 404),
        ("POST", "/hooks/recorded", 404),  # is there, and never listens
        ("POST", "/hooks/shop/more", 404),
        ("POST", "/hooks/", 404),
        ("POST", "/hooks/..%2fshop", 404),
        ("GET", "/hooks/shop", 405),
        ("HEAD", "/hooks/shop", 405),
        ("PUT", "/hooks/shop", 405),
        ("DELETE", "/hooks/shop", 405),
    ],
)
async def test_doors_that_are_none(house: House, method: str, path: str, status: int) -> None:
    async with house.client() as client:
        answer = await client.request(method, path, **signed())
    assert answer.status_code == status
    assert (await house.books()).total.received == 0


async def test_a_channel_that_is_not_open_yet_asks_to_be_called_again(house: House) -> None:
    house.runners["shop"].listens = None
    async with house.client() as client:
        assert (await client.post("/hooks/shop", **signed())).status_code == 503


async def test_a_store_that_cannot_write_confirms_nothing_and_rings(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StoreFull("no room left on the disk of the database")

    async with house.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(house.pipeline, "take", full)
            answer = await client.post("/hooks/shop", **signed())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert [alarm.name for alarm in house.alarms.ringing] == ["store"]
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.post("/hooks/shop", **signed())).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
    assert house.alarms.ringing == ()
    assert (await house.books()).total.stored == 1


async def call(
    app: ASGIApp,
    chunks: Iterable[bytes],
    *,
    path: str = "/hooks/shop",
    method: str = "POST",
    headers: Mapping[str, str] = MappingProxyType({}),
    fields: Sequence[tuple[bytes, bytes]] = (),
    gone: bool = False,
    client: str = "192.0.2.7",
) -> tuple[list[Message], int]:
    """The bare protocol: what a client would never send, and how many chunks were asked for."""
    sent: list[Message] = []
    waiting, asked = list(chunks), 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or gone}
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*((name.lower().encode(), value.encode()) for name, value in headers.items()), *fields],
        "client": (client, 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent, asked


@pytest.mark.parametrize(
    ("declared", "chunks", "asked"),
    [
        ({"content-length": "10"}, [b"x" * 100_000] * 30, 11),  # a lie
        ({"transfer-encoding": "chunked"}, [b"x" * 100_000] * 30, 11),
        ({"content-length": "3000000"}, [b"x" * 100_000] * 30, 0),  # the truth: nothing needs to be read
        ({"content-length": "9" * 5_000}, [b"x"], 0),
        ({"content-length": "٣"}, [b"x" * 2_000_000], 1),
    ],
)
async def test_too_much_is_turned_away_and_not_read_to_its_end(
    house: House, declared: dict[str, str], chunks: list[bytes], asked: int
) -> None:
    sent, read = await call(house.app, chunks, headers=declared)
    assert sent[0]["status"] == 413
    assert read == asked
    assert (await house.books()).total.received == 0


async def test_exactly_as_much_as_we_read_is_taken(house: House) -> None:
    headers, raw = sign(SECRET, "msg_1", message())
    headers, padded = sign(SECRET, "msg_1", {**message(), "pad": " " * (hooks.BODY_AT_MOST - len(raw) - 9)})
    assert len(padded) == hooks.BODY_AT_MOST
    async with house.client() as client:
        assert (await client.post("/hooks/shop", content=padded, headers=headers)).status_code == 200
        assert (await client.post("/hooks/shop", content=padded + b" ", headers=headers)).status_code == 413


async def test_who_hangs_up_in_the_middle_has_said_nothing(house: House) -> None:
    headers, raw = sign(SECRET, "msg_1", message())
    sent, _ = await call(house.app, [raw[:20]], headers=headers, gone=True)
    assert sent[0]["status"] == 400
    assert (await house.books()).total.received == 0


async def test_alive_and_ready(house: House, clock: Clock) -> None:
    async with house.client() as client:
        assert (await client.get("/livez")).json() == {"status": "alive"}
        assert (await client.get("/readyz")).json() == {"status": "ready", "channels": {}}
        house.runners["shop"].health.lose("127.0.0.1: no connection")
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["channels"]) == (503, {"shop": "127.0.0.1: no connection"})
        house.runners["shop"].health.fail("the token is wrong")
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/livez")).status_code == 200, "a lost channel is no reason to be killed"


async def test_a_poll_that_went_silent_is_not_ready(house: House, clock: Clock) -> None:
    runner = Runner("quiet", Channel(kind="telegram"), house.environment)
    house.runners["quiet"] = runner
    runner.health.succeed()
    async with house.client() as client:
        assert (await client.get("/readyz")).status_code == 200
        clock.forward(minutes=4)
        assert (await client.get("/readyz")).json()["channels"] == {"quiet": "silent for too long"}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1"])
async def test_this_machine_may_scrape(house: House, host: str) -> None:
    async with house.client(host, "http://localhost:8080") as client:
        assert (await client.get("/metrics")).status_code == 200
        for header in PROXIES:
            assert (await client.get("/metrics", headers=header)).status_code == 403
            with_token = {**header, "Authorization": f"Bearer {TOKEN}"}
            assert (await client.get("/metrics", headers=with_token)).status_code == 200


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("http://localhost:8080", 200),
        ("http://[::1]:8080", 200),
        ("http://rebound.example:8080", 421),
        ("http://localhost.rebound.example:8080", 421),
        ("http://127.0.0.2:8080", 421),
    ],
)
async def test_this_machine_is_called_by_its_own_name(house: House, at: str, status: int) -> None:
    async with house.client("127.0.0.1", at) as client:
        assert (await client.get("/metrics")).status_code == status
        assert (await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize(
    "named", [["localhost:81"], [], ["localhost", "localhost"], ["rebound.example"], ["localhost:"]]
)
async def test_metrics_ask_for_our_port_and_one_name(house: House, named: list[str]) -> None:
    headers = [(b"host", name.encode()) for name in named]
    sent, _ = await call(house.app, [], path="/metrics", method="GET", fields=headers, client="127.0.0.1")
    assert sent[0]["status"] == (200 if named == ["localhost:"] else 421)


@pytest.mark.parametrize("host", ["192.0.2.7", "::ffff:192.0.2.7", "10.0.0.1", "testclient", ""])
async def test_others_need_the_token(house: House, host: str) -> None:
    async with house.client(host) as client:
        for given in (
            None,
            "",
            TOKEN,
            f"Basic {TOKEN}",
            f"Bearer {TOKEN}x",
            f"Bearer {TOKEN[:-1]}",
            "Bearer ",
            "Bearer é",
        ):
            headers = {} if given is None else {b"authorization": given.encode()}
            assert (await client.get("/metrics", headers=headers)).status_code == 403, given
        for given in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
            assert (await client.get("/metrics", headers={"authorization": given})).status_code == 200


async def test_without_a_token_no_header_opens_the_metrics(house: House) -> None:
    for token in (None, ""):
        doors = Doors(lambda: house.runners, house.metrics, house.clock, token)
        house.app = web.compose(doors.health(), None)
        async with house.client() as client:
            for given in ("Bearer ", "Bearer None", "Bearer"):
                assert (await client.get("/metrics", headers={"authorization": given})).status_code == 403


def test_the_token_is_compared_in_constant_time() -> None:
    source = Path(hooks.__file__).read_text(encoding="utf-8")
    assert len(re.findall(r"self\._token\b(?!:| =)", source)) == source.count("bool(self._token and") + source.count(
        "hmac.compare_digest(given.encode(), self._token.encode())"
    )


async def test_metrics_count_and_hold_no_word_of_anybody(house: House) -> None:
    await house.outgoing.begin()
    async with house.client() as client:
        await client.post("/hooks/shop", **signed(1, text="canary-text: stolen card"))
        await client.post("/hooks/shop", **signed(1, text="canary-text: stolen card"))
        await client.post("/hooks/shop", content=b"{", headers=sign(SECRET, "m", {})[0])
    await house.hear("stolen card, canary-text")
    await house.sender_drains()
    async with house.client("127.0.0.1", "http://localhost:8080") as client:
        found = (await client.get("/metrics")).text
        again = (await client.get("/metrics")).text
    assert 'heedful_items_total{channel="shop",outcome="received"} 2.0' in found
    assert 'heedful_items_total{channel="shop",outcome="duplicates"} 1.0' in found
    assert 'heedful_channel_state{channel="shop",state="listening"} 1.0' in found
    assert 'heedful_channel_state{channel="shop",state="failed"} 0.0' in found
    assert 'heedful_outgoing_total{kind="acknowledgement",state="sent"} 1.0' in found
    assert "heedful_page_seconds_count 2.0" in found
    assert 'heedful_outgoing_total{kind="acknowledgement",state="sent"} 1.0' in again, "counted once, not once a scrape"
    assert "canary" not in found


async def test_a_store_that_cannot_be_read_still_shows_its_metrics(house: House) -> None:
    await house.store.close()

    async def broken() -> None:
        raise StoreFull("no room")

    doors = Doors(lambda: house.runners, house.metrics, house.clock, TOKEN, broken)
    house.app = web.compose(doors.health(), None)
    async with house.client("127.0.0.1", "http://localhost:8080") as client:
        assert (await client.get("/metrics")).status_code == 200


async def ready(running: Running) -> None:
    async with asyncio.timeout(40):
        while True:
            with suppress(OSError):
                if (await running.get("/readyz"))[0] == 200:
                    return
            await asyncio.sleep(0.1)


async def test_hooks_on_a_port_of_their_own_are_nowhere_else(tmp_path: Path, bot_api: BotApi) -> None:
    async with pager() as phone:
        house = Household(tmp_path, bot_api.settings, phone.url)
        port = free_port()
        page = f'{{listen: "127.0.0.1:{house.port}"}}'
        house.write(**{page: page.replace("}", f', hooks: "127.0.0.1:{port}"}}')})
        async with house.runs(HEEDFUL_METRICS_TOKEN=TOKEN) as running, httpx.AsyncClient() as client:
            await ready(running)
            hooked = f"http://127.0.0.1:{port}"
            wrong = await client.post(f"{running.url}/hooks/shop", **signed())
            assert wrong.status_code in {401, 403, 404, 405}
            assert (await house.ask("ledger"))["received"] == 0
            assert (await client.post(f"{hooked}/hooks/shop", **signed())).status_code == 200
            for path in ("/", "/metrics", "/livez", "/readyz", "/api/v1/cases", "/events", "/docs"):
                assert (await client.get(hooked + path)).status_code == 404
            assert (await house.ask("ledger"))["received"] == 1
            status, text = await running.get("/metrics", **{"X-Forwarded-For": "127.0.0.1"})
            assert status == 403
            status, text = await running.get("/metrics", Authorization=f"Bearer {TOKEN}", Via="1.1 proxy")
            assert status == 200
            assert re.search(r"heedful_page_seconds_count [1-9]", text)
            assert await endless(port) == b"HTTP/1.1 413"


async def endless(port: int) -> bytes:
    """A chunked body that never ends: the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "POST /hooks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    line = asyncio.ensure_future(reader.read(12))
    async with asyncio.timeout(timedelta(seconds=20).total_seconds()):
        with suppress(ConnectionError):
            while not line.done():
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)
        found = await line
    writer.close()
    return found
