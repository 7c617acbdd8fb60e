"""What every request passes before anything reads it: Host, Origin, size, and the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.schema import Care

__all__ = ["CSP", "FORWARDING", "Gate", "Place", "forwarded", "loopback", "place"]

CSP = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDING = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-real-ip",
)
BODY_AT_MOST = 1_000_000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# A form is sent with `Origin: null` from a page that forbids referrers; these two pages work without a script.
FORM_PAGES = ("/signin", "/first-run")
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """The address under which the browser knows us; what its Origin and cookies must belong to."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    @property
    def cookie_prefix(self) -> str:
        """Loopback shares cookies between ports, so there the name carries ours."""
        return "__Host-heedful-" if self.secure else f"heedful-{self.port}-"


def place(scope: Scope, care: Care) -> Place | None:
    """Where this request believes to be, or None if that is not ours (a rebound name, another site's proxy)."""
    hosts = Headers(scope=scope).getlist("host")
    if len(hosts) != 1:
        return None
    asked = _netloc(hosts[0])
    if asked is None:
        return None
    host, port = asked
    public = _public(care.web.public_url)
    if public and (host, port or DEFAULT_PORTS[public.scheme]) == (public.host, public.port):
        return public
    return _loopback(scope, host, port)


def loopback(scope: Scope) -> Place | None:
    """Where this request believes to be, if that is this machine by one of its own names and our port."""
    hosts = Headers(scope=scope).getlist("host")
    asked = _netloc(hosts[0]) if len(hosts) == 1 else None
    return None if asked is None else _loopback(scope, *asked)


def _loopback(scope: Scope, host: str, port: int | None) -> Place | None:
    ours = (scope.get("server") or ("", None))[1]
    return Place("http", host, port or 80) if host in LOOPBACK and (port or 80) == ours else None


def forwarded(headers: Headers) -> bool:
    """Whether something stands between the browser and us."""
    return any(name.startswith("x-forwarded-") or name in FORWARDING for name in headers)


def same_origin(headers: Headers, here: Place) -> bool:
    """Origin must be where we are; a browser that says cross-site is believed too."""
    origins = headers.getlist("origin")
    if len(origins) != 1 or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    try:
        origin = urlsplit(origins[0])
        port = origin.port or DEFAULT_PORTS.get(origin.scheme)
    except ValueError:
        return False
    return (origin.scheme, origin.hostname, port) == (here.scheme, here.host, here.port)


class Gate:
    """The outermost ASGI layer. `local` is the socket that only our own user can open: there nothing is asked."""

    def __init__(self, app: ASGIApp, *, care: Callable[[], Care], local: bool) -> None:
        self._app = app
        self._care = care
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # The page has no WebSocket: what asks for one is closed unheard.
            await (
                self._app(scope, receive, send) if scope["type"] == "lifespan" else send({"type": "websocket.close"})
            )
            return
        here = Place("http", "localhost", 80) if self._local else place(scope, self._care())
        scope.setdefault("state", {})["place"] = here
        refusal = None if self._local else self._refusal(scope, here)
        secured = _Secured(send, secure=here is not None and here.secure, path=scope["path"])
        if refusal:
            await _refuse(refusal, secured)
        else:
            await self._app(scope, receive, secured)

    def _refusal(self, scope: Scope, here: Place | None) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if here is None:
            return 421, "This address does not serve the Host that was asked for; open the page by its own address."
        if scope["method"] in SAFE:
            return None
        if not same_origin(headers, here):
            return 403, "The request did not come from this page; reload it and try again."
        length = headers.get("content-length")
        if "transfer-encoding" in headers or (length is not None and not length.isdecimal()):
            return 411, "A body needs its length."
        return (413, "The body is too large.") if length and int(length) > BODY_AT_MOST else None


class _Secured:
    """Adds the headers that every answer carries."""

    def __init__(self, send: Send, *, secure: bool, path: str) -> None:
        self._send = send
        self._secure = secure
        self._path = path

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in self._headers():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    def _headers(self) -> Iterable[tuple[str, str]]:
        yield "Content-Security-Policy", CSP
        yield "X-Content-Type-Options", "nosniff"
        yield "X-Frame-Options", "DENY"
        yield "Referrer-Policy", "same-origin" if self._path in FORM_PAGES else "no-referrer"
        yield "Cross-Origin-Opener-Policy", "same-origin"
        yield "Cross-Origin-Resource-Policy", "same-origin"
        yield "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"
        if self._secure:
            yield "Strict-Transport-Security", "max-age=31536000"


async def _refuse(refusal: tuple[int, str], send: Send) -> None:
    status, detail = refusal
    kind = {421: "misdirected", 403: "cross-origin", 411: "length-required", 413: "too-large"}[status]
    problem = {
        "type": f"urn:heedful:problem:{kind}",
        "title": kind.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    body = json.dumps(problem).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _netloc(value: str) -> tuple[str, int | None] | None:
    if not value.isascii() or any(character in value for character in "/@?#\\ ,"):
        return None
    try:
        split = urlsplit("//" + value)
        return (split.hostname, split.port) if split.hostname else None
    except ValueError:
        return None


def _public(url: str | None) -> Place | None:
    if not url:
        return None
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        return None
    scheme: Literal["http", "https"] = "https" if split.scheme == "https" else "http"
    return Place(scheme, split.hostname, split.port or DEFAULT_PORTS[scheme])
