"""What X really answered once: the exchanges that the library's own tests recorded in 2022.

They are not ours to bring along, and no package of the library holds them: HEEDFUL_TWEEPY_CASSETTES
names the folder `cassettes` of its repository, or an archive of it. Without it these tests are skipped,
wherever they run; the samples in `test_parsing.py` are our own.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web
from ruamel.yaml import YAML

from connectors.api import Author, Message
from connectors.net import open_http
from connectors.x.connector import connect
from connectors.x.parsing import read
from connectors.x.settings import Settings
from tests.connectors.x.opened import a_reply, messages, walked
from tests.counterparts.x import BEARER, KEYS

THEN = datetime(2022, 10, 8, tzinfo=UTC)
ME = Author(id="783214", name="Twitter", handle="@Twitter")


@dataclass(frozen=True, slots=True)
class Exchange:
    method: str
    path: str
    status: int
    body: bytes


@dataclass
class Replay:
    """Each exchange is told once; what is asked beyond that finds nothing more."""

    exchanges: list[Exchange]
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        for exchange in self.exchanges:
            if (exchange.method, exchange.path) == (request.method, request.path):
                self.exchanges.remove(exchange)
                return web.Response(status=exchange.status, body=exchange.body, content_type="application/json")
        return web.json_response({"meta": {"result_count": 0}})


@asynccontextmanager
async def replayed(exchanges: list[Exchange]) -> AsyncIterator[tuple[str, Replay]]:
    replay = Replay(exchanges)
    runner = web.ServerRunner(web.Server(replay.answer, access_log=None), shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}", replay
    finally:
        await runner.cleanup()


@pytest.fixture(scope="module")
def cassettes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("HEEDFUL_TWEEPY_CASSETTES")
    if not named:
        pytest.skip("HEEDFUL_TWEEPY_CASSETTES names no recordings: they come with the library's repository only")
    found = Path(named)
    if found.is_dir():
        return found
    folder = tmp_path_factory.mktemp("recorded")
    with tarfile.open(found) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.rglob("*_get_users_mentions.yaml")).parent


def exchanges_of(file: Path) -> list[Exchange]:
    recorded: dict[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    return list(map(_exchange, recorded["interactions"]))


def _exchange(recorded: dict[str, Any]) -> Exchange:
    body = recorded["response"]["body"]["string"]
    told = body.encode() if isinstance(body, str) else body
    path = urlsplit(recorded["request"]["uri"]).path
    return Exchange(recorded["request"]["method"], path, recorded["response"]["status"]["code"], told)


def v2(cassettes: Path) -> Iterator[Exchange]:
    for file in sorted(cassettes.glob("test_*client_*.yaml")):
        yield from exchanges_of(file)


def settings(url: str, **more: Any) -> Settings:
    return Settings.model_validate({"account": "Twitter", "bearer_token": BEARER, "base_url": url, **more})


async def test_recorded_mentions_come_in(cassettes: Path) -> None:
    told = [*exchanges_of(cassettes / "test_asyncclient_get_user.yaml")]
    told += exchanges_of(cassettes / "test_asyncclient_get_users_mentions.yaml")
    async with (
        replayed(told) as (url, replay),
        open_http() as http,
        connect(settings(url), http, lambda: THEN) as connector,
    ):
        assert (connector.me.id, connector.me.handle) == ("783214", "@Twitter")
        found = messages(await walked(connector))  # type: ignore[arg-type]
    assert replay.asked.count("GET /2/users/783214/mentions") == 2, "as X said that there was more"
    assert [message.id for message in found] == ["1578522395434192896", "1578522401263919106"]
    assert found[1].text == "@GerardDalbon @Twitter @dsa_intl_comm What why?"
    assert [message.sent_at.isoformat(timespec="seconds") for message in found] == [
        "2022-10-07T23:07:21+00:00",
        "2022-10-07T23:07:22+00:00",
    ], "the id tells the time where no field does"


async def test_a_recorded_search_comes_in_oldest_first(cassettes: Path) -> None:
    told = [*exchanges_of(cassettes / "test_asyncclient_get_user.yaml")]
    search = exchanges_of(cassettes / "test_asyncclient_search_recent_tweets.yaml")
    count = len(orjson.loads(search[0].body)["data"])
    async with (
        replayed([*told, *search]) as (url, _),
        open_http() as http,
        connect(settings(url, mode="search", query="Tweepy"), http, lambda: THEN) as connector,
    ):
        found = messages(await walked(connector))  # type: ignore[arg-type]
    assert len(found) == count > 5
    assert [int(message.id) for message in found] == sorted(int(message.id) for message in found)


async def test_a_recorded_post_is_a_receipt(cassettes: Path) -> None:
    told = [*exchanges_of(cassettes / "test_asyncclient_get_me.yaml")]
    told += exchanges_of(cassettes / "test_asyncclient_create_and_delete_tweet.yaml")
    asked = Message(id="1522929456142245000", author=ME, text="?", sent_at=THEN, thread="1522929456142245000")
    async with (
        replayed(told) as (url, _),
        open_http() as http,
        connect(settings(url, account="TweepyDev", **KEYS), http) as connector,
    ):
        receipt = await connector.reply(a_reply(asked, "Test Tweet"))
    assert receipt.id == "1522929456142245888"
    assert receipt.url == "https://x.com/TweepyDev/status/1522929456142245888"


def test_every_post_that_was_ever_recorded_can_be_read(cassettes: Path) -> None:
    read_at_all = 0
    for exchange in v2(cassettes):
        if not exchange.body.lstrip().startswith(b"{"):
            continue
        answer = orjson.loads(exchange.body)
        data = answer.get("data")
        posts = (
            [raw for raw in data if "text" in raw and "edit_history_tweet_ids" in raw] if isinstance(data, list) else []
        )
        found = read(posts, answer.get("includes"), ME)
        assert not found.unreadable
        assert len(found.messages) == len({post["id"] for post in posts})
        read_at_all += len(found.messages)
    assert read_at_all > 300
