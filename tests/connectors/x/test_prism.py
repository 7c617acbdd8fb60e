"""Every request that we make, held against X's own OpenAPI document by Prism."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import aiohttp
import pytest
from yarl import URL

from tests.connectors.x.opened import NO_KEYS, OAUTH2, a_reply, messages, polling, streaming, walked
from tests.counterparts.prism import document, prism
from tests.counterparts.x import FakeX, Request


@pytest.fixture(scope="module")
def by_the_book() -> Iterator[str]:
    with prism(document("HEEDFUL_X_OPENAPI")) as url:
        yield url


async def all_requests(x: FakeX) -> list[Request]:
    """One of each that the connector can make, with every parameter that it ever gives.

    By OAuth 2.0: Prism refuses OAuth 1.0a, which X takes.
    """
    x.page = 5
    for at in range(12):
        x.write(f"@acmeair acme {at}")
    async with polling(x, **OAUTH2) as mentions:
        pages = await walked(mentions)
        await walked(mentions, pages[-1].cursor)
        message = messages(pages)[-1]
        await mentions.reply(a_reply(message, "Thanks 好 👩‍👩‍👧 (Ref K7Q2) https://acme.example"))
        for at in range(6):
            x.write(f"news {at}", author="783214")
        await mentions.find(a_reply(message, "never said"))
    async with polling(x, **NO_KEYS, mode="search", query='(acme OR "acme air") -is:retweet') as search:
        pages = await walked(search)
        await walked(search, pages[-1].cursor)
    x.rules = [{"id": "1165037377523306497", "value": "old", "tag": "heedful:acmeair:old"}]
    async with streaming(x, **OAUTH2) as (_, pages_of_stream):
        await anext(pages_of_stream)
    return x.requests


async def verdict(url: str, request: Request) -> tuple[int, str]:
    kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
    async with aiohttp.ClientSession() as session:
        target = f"{url}{request.path}" + (f"?{request.query}" if request.query else "")
        async with session.request(
            request.method, URL(target, encoded=True), headers=kept, data=request.body or None
        ) as answer:
            return answer.status, (await answer.text())[:600]


async def test_every_request_is_one_that_x_describes(fake_x: FakeX, by_the_book: str) -> None:
    requests = await all_requests(fake_x)
    assert {request.asked for request in requests} == {
        "GET /2/users/me", "GET /2/users/by/username/acmeair", "GET /2/users/783214/mentions",
        "GET /2/users/783214/tweets", "GET /2/tweets/search/recent", "POST /2/tweets",
        "GET /2/tweets/search/stream/rules", "POST /2/tweets/search/stream/rules", "GET /2/tweets/search/stream",
    }  # fmt: skip
    for request in requests:
        status, said = await verdict(by_the_book, request)
        assert 200 <= status < 300, f"{request.asked}?{request.query}: {status} {said}"


async def test_a_request_that_x_does_not_describe_is_refused(fake_x: FakeX, by_the_book: str) -> None:
    """Else the test above would prove nothing."""
    requests = await all_requests(fake_x)
    posted = next(request for request in requests if request.asked == "POST /2/tweets")
    listed = next(request for request in requests if request.asked.endswith("/mentions"))
    wrong = [
        replace(posted, body=json.dumps({**json.loads(posted.body), "replyto": 5}).encode()),
        replace(posted, body=posted.body.replace(b'"in_reply_to_tweet_id":"', b'"in_reply_to_tweet_id":"x')),
        replace(posted, headers={"Content-Type": "application/json"}),
        replace(listed, query=listed.query.replace("max_results=100", "max_results=101")),
        replace(listed, query=listed.query.replace("expansions=", "expansions=everything,")),
    ]
    for request in wrong:
        status, said = await verdict(by_the_book, request)
        assert 400 <= status < 500, f"{request.asked}: {said}"
