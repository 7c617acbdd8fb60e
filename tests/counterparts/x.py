"""X's API v2 as far as heedful calls it: a platform with a memory, over a real socket. Ours, not X's.

    from tests.counterparts.x import fake_x, FakeX    # `fake_x` is a pytest fixture

    async def test_something(fake_x):
        fake_x.write("@acmeair where is my parcel?")  # a customer posts
        settings = fake_x.settings()                  # of a channel of kind x that reads here
        ...
        assert fake_x.replies("where is")             # what we posted under it
        fake_x.faults.append(limited(reset=None))     # what happens to the next request

Ids are snowflakes of now; listings are newest first, with tokens; signatures are checked by oauthlib's
server side against the address that was really called. Written after https://docs.x.com/x-api (2026-08).
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest_asyncio
from aiohttp import web
from oauthlib.oauth1.rfc5849 import signature

from connectors.x import snowflake

__all__ = [
    "BEARER", "HANDLE", "KEYS", "ME", "USER_TOKEN", "FakeX", "Request", "cut_after", "fake_x", "forbidden",
    "html_outage", "limited", "revoked", "start_x",
]  # fmt: skip

ME = "783214"
HANDLE = "acmeair"
BEARER = "AAAA-canary-bearer-that-nobody-may-see"
USER_TOKEN = "canary-user-token-that-nobody-may-see"
KEYS = {
    "consumer_key": "canary-consumer-key-that-nobody-may-see",
    "consumer_secret": "canary-consumer-secret-that-nobody-may-see",
    "access_token": f"{ME}-canary-access-token-that-nobody-may-see",
    "access_token_secret": "canary-access-secret-that-nobody-may-see",
}
_SHOWN_MENTIONS = 800
_USER = web.RequestKey("user", str)

Fault = Callable[["FakeX", web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked(self) -> str:
        return f"{self.method} {self.path}"


def _signed_by_us(request: web.BaseRequest, header: str, nonces: set[str]) -> bool:
    """By oauthlib's server side, for the address that was really called; a nonce counts once.

    A JSON body is no part of the signature.
    """
    found = dict(signature.collect_parameters(headers={"Authorization": header}, exclude_oauth_signature=False))
    asked: Any = SimpleNamespace(
        uri=str(request.url.with_query(None)),
        http_method=request.method,
        signature=found.get("oauth_signature", ""),
        params=signature.collect_parameters(request.rel_url.raw_query_string, headers={"Authorization": header}),
    )
    keys = KEYS["consumer_secret"], KEYS["access_token_secret"]
    ours = (found.get("oauth_consumer_key"), found.get("oauth_token")) == (KEYS["consumer_key"], KEYS["access_token"])
    fresh = found.get("oauth_nonce", "") not in nonces
    nonces.add(found.get("oauth_nonce", ""))
    return ours and fresh and bool(signature.verify_hmac_sha1(asked, *keys))


@dataclass
class FakeX:
    """What is on the platform, who asks, and what goes wrong."""

    url: str = ""
    posts: list[dict[str, Any]] = field(default_factory=list)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    media: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    keep_alive: float = 20.0
    page: int = 100
    read: int = 0
    """Posts that listings have told, each time they did."""
    index_delay: timedelta = timedelta(0)
    """How long after it was posted a listing has a post; a stream has it at once."""
    finds_all: bool = False
    """Whether every post matches every query; else one whose text holds a word of it."""
    streams: list[asyncio.Queue[bytes | None]] = field(default_factory=list)
    connects: int = 0
    _nonces: set[str] = field(default_factory=set)
    _posted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.user(ME, "Acme Air", HANDLE, followers=12_000)
        self._last = 0

    # What customers do.

    def user(self, identity: str, name: str, handle: str, *, followers: int = 10) -> str:
        metrics = {"followers_count": followers, "following_count": 1, "tweet_count": 1, "listed_count": 0}
        self.users[identity] = {"id": identity, "name": name, "username": handle, "public_metrics": metrics}
        return identity

    def new_id(self, at: datetime | None = None) -> str:
        """Grows from post to post, also within one millisecond."""
        wanted = snowflake.first_at(at or datetime.now(UTC))
        if at is None:
            self._last = wanted = max(wanted, self._last + 1)
        return str(wanted)

    def write(
        self,
        text: str,
        *,
        author: str = "501",
        to: str | None = None,
        quotes: str | None = None,
        edits: str | None = None,
        at: datetime | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Post; `more` adds to what X tells of it or replaces."""
        if author not in self.users:
            self.user(author, f"Customer {author}", f"customer{author}")
        identity = self.new_id(at)
        parent = self.find(to) if to else None
        before = self.find(edits)["edit_history_tweet_ids"] if edits else []
        shortened, links = _shortened(text)
        post: dict[str, Any] = {
            "id": identity,
            "text": html.escape(shortened, quote=False),
            "author_id": author,
            "created_at": snowflake.at(int(identity)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "conversation_id": parent["conversation_id"] if parent else identity,
            "edit_history_tweet_ids": [*before, identity],
            "lang": "en",
            "entities": {"mentions": _mentions(text)} | ({"urls": links} if links else {}),
        }
        references = [{"type": "replied_to", "id": to}] if to else []
        references += [{"type": "quoted", "id": quotes}] if quotes else []
        if references:
            post["referenced_tweets"] = references
        if quotes:
            shown = f"https://twitter.com/{HANDLE}/status/{quotes}"
            post["entities"]["urls"] = [*links, {"url": "https://t.co/q", "expanded_url": shown}]
        post.update(more)
        self.posts.append(post)
        self._tell(post)
        return post

    def find(self, identity: str) -> dict[str, Any]:
        return next(post for post in self.posts if post["id"] == identity)

    def replies(self, to_text: str = "") -> list[dict[str, Any]]:
        """What our account has posted under posts whose text holds this."""
        under = {post["id"] for post in self.posts if to_text in post["text"]}
        return [post for post in self.posts if post["author_id"] == ME and under & set(_referenced(post))]

    def asked(self, ending: str) -> int:
        """How many calls of a method and path, or of whatever ends so."""
        return sum(request.asked.endswith(ending) for request in self.requests)

    def settings(self, **more: Any) -> dict[str, Any]:
        """A channel that reads as the account, by OAuth 1.0a; `more` adds to it or replaces."""
        return {"account": HANDLE, "bearer_token": BEARER, "base_url": self.url, **KEYS, **more}

    # How it answers.

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        query = request.rel_url.raw_query_string
        self.requests.append(Request(request.method, request.path, query, dict(request.headers), body))
        if self.always is not None:
            return await self.always(self, request)
        if self.faults:
            return await self.faults.pop(0)(self, request)
        return await self.answer(request)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        user = self._who(request)
        if user is None:
            return problem(401, "Unauthorized")
        request[_USER] = user
        asked = f"{request.method} {request.path}"
        for pattern, route in self._routes().items():
            match = re.fullmatch(pattern, asked)
            if match:
                return await route(self, request, *match.groups())
        return problem(404, "Not Found", detail=f"{asked} is not served")

    @staticmethod
    def _routes() -> dict[str, Callable[..., Awaitable[web.StreamResponse]]]:
        return {
            "GET /2/users/me": _get_me,
            r"GET /2/users/by/username/(\w+)": _get_user,
            r"GET /2/users/(\d+)/mentions": _get_mentions,
            r"GET /2/users/(\d+)/tweets": _get_posts,
            "GET /2/tweets/search/recent": _get_search,
            "GET /2/tweets": _look_up,
            "POST /2/tweets": _post,
            "GET /2/tweets/search/stream/rules": _get_rules,
            "POST /2/tweets/search/stream/rules": _post_rules,
            "GET /2/tweets/search/stream": _stream,
        }

    def _who(self, request: web.BaseRequest) -> str | None:
        """Which account asks, '' for the app itself, None for nobody."""
        given = request.headers.get("Authorization", "")
        if given.startswith("OAuth "):
            return ME if _signed_by_us(request, given, self._nonces) else None
        return {f"Bearer {BEARER}": "", f"Bearer {USER_TOKEN}": ME}.get(given)

    def listing(self, posts: Iterable[Mapping[str, Any]], query: Mapping[str, str]) -> web.Response:
        """Newest first, a page; the token is the id to go on before."""
        since = int(query.get("since_id", 0))
        asked = (query.get(name) for name in ("until_id", "pagination_token", "next_token"))
        until = min((int(each) for each in asked if each), default=10**19)
        indexed = int(self.new_id(datetime.now(UTC) - self.index_delay)) if self.index_delay else 10**19
        shown = (post for post in posts if since < int(post["id"]) < until and int(post["id"]) < indexed)
        found = sorted(shown, key=_number, reverse=True)
        self.read += min(len(found), self.page)
        page = found[: min(int(query.get("max_results", 10)), self.page)]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": page[0]["id"], "oldest_id": page[-1]["id"]}
        if len(found) > len(page):
            meta["next_token"] = page[-1]["id"]
        told: dict[str, Any] = {"meta": meta}
        if page:
            told |= {"data": page, "includes": self.along(page)}
        return web.json_response(told, headers=_quota(450))

    def along(self, posts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        authors = {post.get("author_id") for post in posts}
        included: dict[str, Any] = {"users": [user for user in self.users.values() if user["id"] in authors]}
        return included | ({"media": self.media} if self.media else {})

    def _tell(self, post: Mapping[str, Any]) -> None:
        line = {"data": post, "includes": self.along([post]), "matching_rules": self.rules}
        for stream in self.streams:
            stream.put_nowait(json.dumps(line).encode())

    def send(self, line: bytes | None) -> None:
        """Put a line into all open streams; None closes them cleanly."""
        for stream in self.streams:
            stream.put_nowait(line)


def problem(status: int, title: str, *, detail: str = "", kind: str = "about:blank", **headers: str) -> web.Response:
    told = {"title": title, "detail": detail or title, "type": kind, "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(told, status=status, headers=named)


def _number(post: Mapping[str, Any]) -> int:
    return int(post["id"])


def _quota(of: int) -> dict[str, str]:
    resets = datetime.now(UTC) + timedelta(minutes=15)
    return {
        "x-rate-limit-limit": str(of),
        "x-rate-limit-remaining": str(of - 1),
        "x-rate-limit-reset": str(int(resets.timestamp())),
    }


def _mentions(text: str) -> list[dict[str, Any]]:
    known = {HANDLE: ME}
    found = re.finditer(r"@(\w+)", text)
    return [
        {"start": match.start(), "end": match.end(), "username": match[1], "id": known.get(match[1].lower(), "999")}
        for match in found
    ]


def _shortened(text: str) -> tuple[str, list[dict[str, str]]]:
    """X's links: also of a bare name, and with a slash where there is no path."""
    links: list[dict[str, str]] = []

    def shorten(match: re.Match[str]) -> str:
        bare = "://" not in match[0]
        expanded = f"http://{match[0]}" if bare else match[0] + "/" * (match[0].count("/") == 2)
        links.append({"url": f"https://t.co/{len(links)}aB", "expanded_url": expanded, "display_url": match[0]})
        return links[-1]["url"]

    return re.sub(
        r"https?://[^\s]*[\w/]|(?<![\w@.-])[\w-]+\.(?:com|org|example)(?:/[^\s]*[\w/])?", shorten, text
    ), links


def _referenced(post: Mapping[str, Any]) -> list[str]:
    return [reference["id"] for reference in post.get("referenced_tweets", ())]


def _may_reply(post: Mapping[str, Any]) -> bool:
    """Since February 2026 the author must have mentioned us, or quoted us."""
    entities = post.get("entities", {})
    mentioned = any(mention["id"] == ME for mention in entities.get("mentions", ()))
    return mentioned or any(f"/{HANDLE}/status/" in link["expanded_url"] for link in entities.get("urls", ()))


async def _get_me(x: FakeX, request: web.BaseRequest) -> web.Response:
    user = request[_USER]
    return web.json_response({"data": x.users[user]}) if user else problem(403, "Forbidden", detail="no user context")


async def _get_user(x: FakeX, _request: web.BaseRequest, handle: str) -> web.Response:
    found = [user for user in x.users.values() if user["username"].lower() == handle.lower()]
    if found:
        return web.json_response({"data": found[0]})
    words = f"Could not find user with username: [{handle}]."
    error = {"detail": words, "title": "Not Found Error", "resource_type": "user", "parameter": "username"}
    return web.json_response({"errors": [error]})


async def _get_mentions(x: FakeX, request: web.BaseRequest, _user: str) -> web.Response:
    mentions = [post for post in x.posts if _may_reply(post) and post["author_id"] != ME]
    return x.listing(sorted(mentions, key=_number)[-_SHOWN_MENTIONS:], request.query)


async def _get_posts(x: FakeX, request: web.BaseRequest, user: str) -> web.Response:
    return x.listing([post for post in x.posts if post["author_id"] == user], request.query)


async def _get_search(x: FakeX, request: web.BaseRequest) -> web.Response:
    since = int(request.query.get("since_id", 0))
    if since and snowflake.at(since) < datetime.now(UTC) - timedelta(days=7):
        words = "'since_id' must be a tweet id created after 7 days ago"
        return web.json_response({"errors": [{"message": words}], "title": "Invalid Request"}, status=400)
    wanted = re.sub(r"\W+", " ", request.query["query"]).casefold().split()
    found = [post for post in x.posts if x.finds_all or any(word in post["text"].casefold() for word in wanted)]
    return x.listing(found, request.query)


async def _look_up(x: FakeX, request: web.BaseRequest) -> web.Response:
    wanted = request.query["ids"].split(",")
    found = [post for post in x.posts if post["id"] in wanted and post["id"] not in x.gone]
    return web.json_response({"data": found})


async def _post(x: FakeX, request: web.BaseRequest) -> web.Response:
    if not request[_USER]:
        return problem(403, "Forbidden", detail="no user context")
    asked = await request.json()
    to = asked["reply"]["in_reply_to_tweet_id"]
    if to in x.gone or not any(post["id"] == to for post in x.posts):
        words = "You attempted to reply to a Tweet that is deleted or not visible to you."
        return problem(403, "Forbidden", detail=words)
    if not _may_reply(x.find(to)):
        return problem(403, "Forbidden", detail="You are not permitted to reply to this post.")
    if asked["text"] in x._posted:
        return problem(403, "Forbidden", detail="You are not allowed to create a Tweet with duplicate content.")
    x._posted.add(asked["text"])
    post = x.write(asked["text"], author=ME, to=to)
    data = {"id": post["id"], "text": post["text"], "edit_history_tweet_ids": [post["id"]]}
    return web.json_response({"data": data}, status=201, headers=_quota(100))


async def _get_rules(x: FakeX, _request: web.BaseRequest) -> web.Response:
    meta = {"sent": datetime.now(UTC).isoformat(), "result_count": len(x.rules)}
    return web.json_response({"meta": meta} | ({"data": x.rules} if x.rules else {}))


async def _post_rules(x: FakeX, request: web.BaseRequest) -> web.Response:
    asked = await request.json()
    if "delete" in asked:
        away = set(asked["delete"]["ids"])
        x.rules[:] = [rule for rule in x.rules if rule["id"] not in away]
        return web.json_response({"meta": {"summary": {"deleted": len(away), "not_deleted": 0}}})
    added = []
    for rule in asked["add"]:
        if rule["value"].count("(") != rule["value"].count(")"):
            error = {"title": "Invalid Rule", "details": ["Rules must contain balanced brackets"]}
            return web.json_response({"errors": [error], "meta": {"summary": {"created": 0, "invalid": 1}}})
        added.append({"id": x.new_id(), "value": rule["value"], "tag": rule.get("tag", "")})
    x.rules.extend(added)
    return web.json_response({"data": added, "meta": {"summary": {"created": len(added)}}}, status=201)


async def _stream(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
    x.connects += 1
    response = web.StreamResponse(headers={"content-type": "application/json", **_quota(50)})
    await response.prepare(request)
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    x.streams.append(lines)
    try:
        while True:
            try:
                line = await asyncio.wait_for(lines.get(), x.keep_alive)
            except TimeoutError:
                line = b""
            if line is None:
                return response
            await response.write(line + b"\r\n")
    except ConnectionError:
        return response
    finally:
        x.streams.remove(lines)


# What goes wrong.


def limited(*, reset: datetime | None) -> Fault:
    """429, with or without the time when the window starts again."""
    headers = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0"}
    if reset is not None:
        headers["x-rate-limit-reset"] = str(int(reset.timestamp()))

    async def fault(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return problem(429, "Too Many Requests", **headers)

    return fault


async def html_outage(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=503, text="<html><body>Over capacity</body></html>", content_type="text/html")


async def revoked(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
    return problem(401, "Unauthorized")


def forbidden(detail: str, kind: str = "about:blank") -> Fault:
    async def fault(_x: FakeX, _request: web.BaseRequest) -> web.StreamResponse:
        return problem(403, "Forbidden", detail=detail, kind=kind)

    return fault


async def cut_after(x: FakeX, request: web.BaseRequest) -> web.StreamResponse:
    """X does what it was asked, and its answer is lost."""
    await x.answer(request)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def start_x(port: int = 0) -> AsyncIterator[FakeX]:
    """The platform for as long as the block lasts."""
    x = FakeX()
    runner = web.ServerRunner(web.Server(x.serve, access_log=None), shutdown_timeout=0.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound = runner.addresses[0][:2]
        x.url = f"http://{host}:{bound}"
        yield x
    finally:
        x.send(None)
        await runner.cleanup()


@pytest_asyncio.fixture
async def fake_x() -> AsyncIterator[FakeX]:
    async with start_x() as running:
        yield running
