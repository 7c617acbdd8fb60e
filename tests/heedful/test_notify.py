"""Teams are told, again until somebody claims, by servers that we did not write and by nobody's leave."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from config.schema import NotifyTarget
from connectors.api import ConnectorError, Http, Message, Policy, Refused
from connectors.net import open_http
from heedful import notify
from heedful.notify import Announcement, Notifier, open_target
from routing.announcements import REPEATS
from routing.store.database import Store, open_store
from tests.counterparts.slack import SlackApi
from tests.counterparts.telegram import TOKEN, BotApi, free_port
from tests.databases import Clock
from tests.heedful.office import CARE, Office

FRAUD = "my card was charged twice <!channel> & canary-of-the-customer"
SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes or so..").decode()
REFUSED = """
import asyncio, sys
from config.schema import NotifyTarget
from connectors.net import open_http
from heedful.logs import configure
from heedful.notify import Announcement, open_target
async def main():
    target = NotifyTarget.model_validate({"kind": "apprise", "url": sys.argv[1]})
    async with open_http() as http:
        await open_target(target, http, {}).tell(Announcement("k", "text", {}))
configure()
asyncio.run(main())
"""
OLD_TARGET = (
    'notify: {pager: {kind: webhook, url: "http://127.0.0.1:9/hook", secret: "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}}'
)
assert OLD_TARGET in CARE


@dataclass
class Endpoint:
    """Somebody's own server: keeps what it is told, byte for byte, and answers what it is asked to."""

    url: str = ""
    status: int = 200
    answer: str = "taken, thanks"
    headers: Mapping[str, str] = field(default_factory=dict)
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.told.append((dict(request.headers), await request.read()))
        if self.status == 0:
            await self.held.wait()
        return web.Response(status=self.status or 200, text=self.answer, headers=dict(self.headers))

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for _, raw in self.told]


@asynccontextmanager
async def listening() -> AsyncIterator[Endpoint]:
    endpoint, port = Endpoint(), free_port()
    app = web.Application()
    app.router.add_post("/{path:.*}", endpoint.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    endpoint.url = f"http://127.0.0.1:{port}/secret-path-of-the-hook"
    try:
        yield endpoint
    finally:
        endpoint.held.set()
        await runner.cleanup()


@pytest_asyncio.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with listening() as found:
        yield found


@pytest_asyncio.fixture
async def http() -> AsyncIterator[Http]:
    async with open_http() as found:
        yield found


@pytest_asyncio.fixture
async def embedded(sqlite_url: str, clock: Clock) -> AsyncIterator[Store]:
    """What is tested is the other side; one kind of database is enough."""
    opened = open_store(sqlite_url, clock=clock)
    yield opened
    await opened.close()


def told_by(*targets: Mapping[str, Any], team: str = "payments") -> str:
    """The file with these targets, all of them for one team."""
    named = {f"t{number}": dict(target) for number, target in enumerate(targets)}
    text = CARE.replace(OLD_TARGET, f"notify: {json.dumps(named)}")
    return text.replace("{care: {}, payments: {notify: [pager]}}", json.dumps(teams(team, list(named))))


def teams(team: str, targets: list[str]) -> dict[str, Any]:
    return {"care": {}, "payments": {}, team: {"notify": targets}}


def hook(endpoint: Endpoint) -> dict[str, str]:
    return {"kind": "webhook", "url": endpoint.url, "secret": SECRET}


class Room(Office):
    """The office with somebody who tells its teams."""

    def __init__(self, store: Store, clock: Clock, http: Http, text: str, **facts: Any) -> None:
        super().__init__(store, clock, text, **facts)
        self.notifier = Notifier(store, lambda: self.guidance.care, http, clock, {"PAGER": SECRET})

    async def drains(self) -> Mapping[str, str | None]:
        return await self.notifier.drain()

    async def states(self) -> list[tuple[str, str | None]]:
        return [(row["state"], row["reason"]) for row in await self.outbox("notify")]


async def test_slack_shows_it_and_a_stranger_rings_nobody(
    embedded: Store, clock: Clock, http: Http, slack_api: SlackApi
) -> None:
    room = Room(embedded, clock, http, told_by(slack_api.settings))
    await room.hear(FRAUD)
    assert await room.drains() == {"t0": None}
    newest = (await slack_api.texts())[0]
    (case,) = await room.cases()
    assert newest.startswith("P1 · chat · payments\nAnna: my card was charged twice &lt;!channel&gt; &amp; canary")
    assert newest.endswith(f"/cases/{case['id']}")
    assert await room.drains() == {}
    assert len(await slack_api.texts()) == 2


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"bot_token": "xoxb-canary-12345678"}, "invalid_auth"), ({"channel": "C0NOTHERE"}, "channel_not_found")],
)
async def test_slack_says_what_is_wrong(http: Http, slack_api: SlackApi, wrong: dict[str, str], reason: str) -> None:
    target = open_target(NotifyTarget.model_validate({**slack_api.settings, **wrong}), http, {})
    with pytest.raises(ConnectorError, match=reason) as refused:
        await target.tell(Announcement("k", "text", {}))
    assert "canary" not in str(refused.value)


async def test_telegram_is_told(embedded: Store, clock: Clock, http: Http, bot_api: BotApi) -> None:
    target = {"kind": "telegram", "token": TOKEN, "chat": "-100", "base_url": bot_api.url}
    room = Room(embedded, clock, http, told_by(target))
    await room.hear(FRAUD)
    assert await room.drains() == {"t0": None}
    assert bot_api.calls("sendMessage") == 1
    assert bot_api.calls("sendMessage", 400) == 1, "it does not know how to leave out previews"


async def test_telegram_says_what_is_wrong(http: Http, bot_api: BotApi) -> None:
    target = {"kind": "telegram", "token": TOKEN, "chat": "@nobody", "base_url": bot_api.url}
    with pytest.raises(ConnectorError, match=r"answered 400 \(Bad Request: chat not found\)") as refused:
        await open_target(NotifyTarget.model_validate(target), http, {}).tell(Announcement("k", "text", {}))
    assert "canary" not in str(refused.value)


async def test_a_wrong_address_of_telegram_never_shows_its_token(http: Http) -> None:
    target = {"kind": "telegram", "token": TOKEN, "chat": "1", "base_url": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(ConnectorError) as unreachable:
        await open_target(NotifyTarget.model_validate(target), http, {}).tell(Announcement("k", "text", {}))
    assert "canary" not in repr(unreachable.value) + str(unreachable.value.__cause__)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_apprise_is_told(embedded: Store, clock: Clock, http: Http, endpoint: Endpoint) -> None:
    url = endpoint.url.replace("http://", "json://")
    room = Room(embedded, clock, http, told_by({"kind": "apprise", "url": url}))
    await room.hear(FRAUD)
    assert await room.drains() == {"t0": None}
    (body,) = endpoint.bodies()
    assert body["message"].startswith("P1 · chat · payments\nAnna: my card was charged twice")


@pytest.mark.parametrize("url", ["nonsense://user:canary@host", "json://user:canary@:99999", "tgram://12/canary"])
async def test_what_apprise_does_not_take_is_refused_and_not_shown(url: str) -> None:
    """In a process of its own: the logging of the daemon is set up once and for all."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", REFUSED, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    shown, _ = await process.communicate()
    assert b"Refused: Apprise does not know this kind of address" in shown
    assert b"canary" not in shown


async def test_a_webhook_is_signed_and_any_success_counts(
    embedded: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(embedded, clock, http, told_by({**hook(endpoint), "secret": "${PAGER}"}))
    await room.hear(FRAUD)
    assert await room.drains() == {"t0": None}
    ((headers, raw),) = endpoint.told
    body = Webhook(SECRET).verify(raw, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(raw.replace(b"P1", b"P4"), headers)
    (case,) = await room.cases()
    assert (body["type"], body["priority"], body["team"], body["case"]) == (
        "case.attention", "P1", "payments", str(case["id"])
    )  # fmt: skip
    assert [state for state, _ in await room.states()] == ["sent", "pending", "pending", "pending"]


async def test_told_again_after_5_15_and_60_minutes_and_then_no_more(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    await room.hear(FRAUD)
    counts = []
    for minutes in (0, 4, 1, 9, 1, 44, 1, 600):
        clock.forward(minutes=minutes)
        await room.drains()
        counts.append(len(endpoint.told))
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4]
    assert len({headers["webhook-id"] for headers, _ in endpoint.told}) == len(REPEATS)


async def test_whoever_claims_ends_it(store: Store, clock: Clock, http: Http, endpoint: Endpoint) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    await room.hear(FRAUD)
    await room.drains()
    (case,) = await room.cases()
    await room.desk.claim(case["id"], "mei")
    clock.forward(minutes=61)
    assert await room.drains() == {}
    assert len(endpoint.told) == 1
    assert await room.states() == [("sent", None), *[("suppressed", "claimed")] * 3]


async def test_what_fails_is_told_later_and_rests_meanwhile(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    endpoint.status = 500
    await room.hear(FRAUD)
    (problem,) = (await room.drains()).values()
    assert problem is not None
    assert "answered 500" in problem
    assert "secret-path" not in problem
    assert await room.drains() == {}, "it rests"
    clock.forward(seconds=5)
    await room.drains()
    assert len(endpoint.told) == 2
    endpoint.status = 202
    clock.forward(seconds=10)
    assert await room.drains() == {"t0": None}
    assert len({headers["webhook-id"] for headers, _ in endpoint.told}) == 1, "the same delivery, so it can be folded"


async def test_after_an_outage_each_case_is_told_once_not_once_a_repeat(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    endpoint.status = 503
    await room.hear(FRAUD)
    await room.hear("stolen card", author="2")
    await room.drains()
    clock.forward(minutes=16)
    endpoint.status = 200
    endpoint.told.clear()
    assert await room.drains() == {"t0": None}
    assert len(endpoint.told) == 2
    assert len({body["case"] for body in endpoint.bodies()}) == 2


async def test_the_wish_to_be_left_alone_is_granted(store: Store, clock: Clock, http: Http, endpoint: Endpoint) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    endpoint.status, endpoint.headers = 429, {"Retry-After": "40"}
    await room.hear(FRAUD)
    await room.drains()
    clock.forward(seconds=39)
    await room.drains()
    assert len(endpoint.told) == 1
    clock.forward(seconds=1)
    await room.drains()
    assert len(endpoint.told) == 2


async def test_one_that_hangs_or_is_dead_does_not_keep_another_waiting(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TELL_WITHIN", timedelta(seconds=0.3))
    async with listening() as hanging:
        hanging.status = 0
        dead = {**hook(endpoint), "url": f"http://127.0.0.1:{free_port()}/"}
        room = Room(store, clock, http, told_by(hook(hanging), dead, hook(endpoint)))
        for number in range(5):
            await room.hear(FRAUD, author=str(number))
        found = await room.drains()
        assert len(hanging.told) == 1
    assert len(endpoint.told) == 5
    assert {name: problem is None for name, problem in found.items()} == {"t0": False, "t1": False, "t2": True}


@pytest.mark.parametrize(("status", "headers"), [(503, {}), (401, {}), (400, {}), (429, {"Retry-After": "3600"})])
async def test_while_nobody_claims_it_is_never_given_up(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint, status: int, headers: dict[str, str]
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    endpoint.status, endpoint.headers = status, headers
    await room.hear(FRAUD)
    for _ in range(2 * 24 * 4):  # two days, tried at least every quarter of an hour
        told = len(endpoint.told)
        await room.drains()
        assert len(endpoint.told) > told
        clock.forward(minutes=15)
    endpoint.status, endpoint.headers = 200, {}
    endpoint.told.clear()
    assert await room.drains() == {"t0": None}
    assert len(endpoint.told) == 1
    assert await room.drains() == {}
    assert {state for state, _ in await room.states()} == {"sent", "suppressed"}


async def test_who_claims_ends_the_tries_too(store: Store, clock: Clock, http: Http) -> None:
    dead = {"kind": "webhook", "url": f"http://127.0.0.1:{free_port()}/", "secret": SECRET}
    room = Room(store, clock, http, told_by(dead))
    await room.hear(FRAUD)
    await room.drains()
    await room.desk.claim((await room.cases())[0]["id"], "mei")
    clock.forward(hours=2)
    assert await room.drains() == {}
    assert {state for state, _ in await room.states()} == {"suppressed"}


@pytest.mark.parametrize(
    ("target", "what"),
    [
        ({"kind": "carrier-pigeon"}, "no notify kind `carrier-pigeon`"),
        ({"kind": "slack", "bot_token": "${NOT_SET}", "channel": "C1"}, "NOT_SET is not set; set it, or"),
        ({"kind": "slack", "bot_token": "canary"}, "`channel`: Field required"),
        ({"kind": "webhook", "url": "https://x.example", "secret": "whsec_canary!"}, "`secret`: .*not base64"),
        ({"kind": "webhook", "url": "http://x.example", "secret": SECRET}, "`url`: .*https"),
        ({"kind": "telegram", "token": "canary", "chat": "1", "chats": "2"}, "`chats`: Extra inputs"),
    ],
)
async def test_settings_that_do_not_hold_are_named_without_their_values(
    http: Http, target: dict[str, str], what: str
) -> None:
    with pytest.raises(Refused, match=what) as refused:
        open_target(NotifyTarget.model_validate(target), http, {})
    assert "canary" not in str(refused.value).replace("carrier", "")


async def test_one_wrong_target_does_not_silence_the_others(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(store, clock, http, told_by({**hook(endpoint), "secret": "${NOT_SET}"}, hook(endpoint)))
    await room.hear(FRAUD)
    found = await room.drains()
    assert found["t1"] is None
    assert "NOT_SET is not set" in str(found["t0"])
    assert len(endpoint.told) == 1


async def test_a_target_that_left_the_file(store: Store, clock: Clock, http: Http, endpoint: Endpoint) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)))
    await room.hear(FRAUD)
    room.obey(CARE)
    assert await room.drains() == {"t0": "the file no longer names this target"}
    room.obey(told_by(hook(endpoint)))
    clock.forward(seconds=5)
    assert await room.drains() == {"t0": None}
    assert len(endpoint.told) == 1


async def test_no_word_of_a_customer_leaves_its_region(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    home, abroad = {**hook(endpoint), "region": "cn"}, {**hook(endpoint), "region": "eu"}
    room = Room(store, clock, http, told_by(home, abroad, hook(endpoint)), region="cn")
    await room.hear(FRAUD, name="canary-of-a-name")
    assert set((await room.drains()).values()) == {None}
    texts = [raw.decode() for _, raw in endpoint.told]
    with_words = [text for text in texts if "canary" in text]
    assert len(texts) == 3
    assert len(with_words) == 1
    for text in texts:
        assert json.loads(text)["priority"] == "P1"
        assert "/cases/" in json.loads(text)["link"]


async def test_words_that_were_taken_back_are_not_repeated(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)), policy=Policy(delete_within=timedelta(hours=24)))
    message: Message = room.message(FRAUD, id="gone")
    await room.take(message)
    await room.drains()
    await room.take(room.message("", id="gone", deleted=True, revision="2"))
    clock.forward(minutes=5)
    await room.drains()
    assert ["canary" in body["text"] for body in endpoint.bodies()] == [True, False]


@pytest.mark.parametrize(("priority", "told"), [("P1", 1), ("P2", 1), ("P3", 0), ("P4", 0)])
async def test_only_p1_and_p2_ring(
    store: Store, clock: Clock, http: Http, endpoint: Endpoint, priority: str, told: int
) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint)).replace("priority: P1", f"priority: {priority}"))
    await room.hear("stolen card")
    await room.drains()
    assert len(endpoint.told) == told


async def test_a_case_that_rises_rings_then(store: Store, clock: Clock, http: Http, endpoint: Endpoint) -> None:
    room = Room(store, clock, http, told_by(hook(endpoint), team="care"))
    await room.hear("my parcel never came and nobody answers, this is terrible service")
    await room.drains()
    assert endpoint.told == []
    await room.hear("and now somebody uses my stolen card")
    await room.drains()
    assert [(body["priority"], body["team"]) for body in endpoint.bodies()] == [("P1", "care")]
    await room.hear("hello?? stolen card!")
    await room.drains()
    assert len(endpoint.told) == 1, "the same case, no higher than before"


async def test_a_team_without_notify_is_nobody_to_tell(store: Store, clock: Clock, http: Http) -> None:
    room = Room(store, clock, http, CARE.replace("{notify: [pager]}", "{}"))
    await room.hear(FRAUD)
    assert len(await room.cases()) == 1
    assert await room.drains() == {}
    assert await room.outbox("notify") == []
