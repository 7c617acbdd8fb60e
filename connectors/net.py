"""The one outgoing client: bounded, deadlined, and its failures named by what happens next.

No error text holds a query, a header, a body or a hidden part of a path, nor is the library's own
error chained to it: those print whole addresses.
"""

from __future__ import annotations

import asyncio
import json as stdlib_json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr
from yarl import URL

from connectors.addresses import BaseUrl, Hop, Ip, Unsafe, hop, public, trusted
from connectors.answers import Answer, Fetched, retry_after, strict_json
from connectors.errors import ConnectorError, Denied, Refused, Unreachable

__all__ = ["Answer", "BaseUrl", "Fetched", "Http", "open_http", "retry_after", "strict_json"]

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a name, as texts. Raises OSError."""
Allowed = Callable[[Ip, int], bool]

DEADLINE = timedelta(seconds=30)
CONNECT_WITHIN = timedelta(seconds=10)
ANSWER_AT_MOST = 16_000_000
REDIRECTS_AT_MOST = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _system_resolver(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Http:
    """The one outgoing client. Base URLs of settings are trusted; all other addresses go through `guarded`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        resolver: Resolver = _system_resolver,
        allowed: Allowed = public,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._session = session
        self._resolver = resolver
        self._allowed = allowed
        self._clock = clock

    async def json(
        self,
        method: str,
        url: str,
        *,
        token: str | SecretStr | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        deadline: timedelta = DEADLINE,
        hide: Collection[str] = (),
    ) -> Any:
        """Call a trusted API and read its JSON; an empty success is None.

        Raises `Denied` on 401 and 403, `Unreachable` with `unsent` on 429 and where no connection was
        made, `Refused` on any other 4xx, and `Unreachable` in doubt on everything else.
        """
        answer = await self.send(
            method, url, token=token, headers=headers, params=params, body=body, deadline=deadline, hide=hide
        )
        failure = answer.failure(self._clock())
        if failure is not None:
            raise failure
        return answer.json() if answer.body.strip() else None

    async def send(
        self,
        method: str,
        url: str,
        *,
        token: str | SecretStr | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        deadline: timedelta = DEADLINE,
        hide: Collection[str] = (),
        limit: int = ANSWER_AT_MOST,
    ) -> Answer:
        """Call a trusted API and give its answer, whatever the status: for platforms that explain their errors.

        `body` is sent as JSON, bytes as they are. `hide` names the secrets that stand in the path.
        Raises only `Unreachable` and `Denied` (an address or token that cannot be used at all).
        """
        target, where = _target(method, url, hide)
        sent = _headers(headers, token, body, where)
        timeout = _timeout(deadline)
        try:
            async with self._session.request(
                method, target, headers=sent, params=params, data=_encoded(body), timeout=timeout, allow_redirects=False
            ) as response:
                content = await _bounded(response, limit)
                return Answer(where, response.status, _lower(response.headers), content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = _network_failure(error, where)
        raise failure  # outside the handler: nothing is chained that prints the address

    async def lines(
        self,
        method: str,
        url: str,
        *,
        token: str | SecretStr | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        silence: timedelta = DEADLINE,
        hide: Collection[str] = (),
        limit: int = 1_000_000,
    ) -> AsyncIterator[bytes]:
        """Hold a trusted stream open and give its lines, empty ones (keep-alives) too, until it ends.

        Raises as `json` does, and `Unreachable` after `silence` without a byte or on a line beyond `limit`.
        """
        target, where = _target(method, url, hide)
        sent = _headers(headers, token, None, where)
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_WITHIN.total_seconds(), sock_read=silence.total_seconds())
        try:
            async with self._session.request(
                method, target, headers=sent, params=params, timeout=timeout, allow_redirects=False
            ) as response:
                answer = Answer(where, response.status, _lower(response.headers), b"")
                refusal = answer.failure(self._clock())
                if refusal is not None:
                    raise refusal
                async for line in _lines(response, limit):
                    yield line
                return
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = _network_failure(error, where)
        raise failure

    async def guarded(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 10_000_000,
        deadline: timedelta = DEADLINE,
    ) -> Fetched:
        """GET an address that a stranger wrote: each hop resolved, checked and connected by IP.

        `headers` go to the first origin only. Raises `Refused` for an address that is not public, more
        than three redirects, a body beyond `limit` or a 4xx; `Unreachable` and `Denied` as `json` does.
        """
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                return await self._follow(url, headers, limit)
        except TimeoutError:
            pass
        except Unsafe as error:
            raise Refused(str(error)) from None
        raise Unreachable(f"no whole answer within {deadline.total_seconds():g} s")

    async def _follow(self, url: str, headers: Mapping[str, str] | None, limit: int) -> Fetched:
        here = hop(url)
        first = here.url.origin()
        for _ in range(REDIRECTS_AT_MOST + 1):
            answer = await self._hop(here, headers if here.url.origin() == first else None, limit)
            if answer.status in _REDIRECTS and "location" in answer.headers:
                here = _next_hop(here, answer.headers["location"])
                continue
            failure = None if answer.status == 304 else answer.failure(self._clock())
            if failure is not None:
                raise failure
            return Fetched(str(here.url), answer.status, answer.headers, answer.body)
        raise Refused(f"{here.host}: more than {REDIRECTS_AT_MOST} redirects")

    async def _hop(self, here: Hop, headers: Mapping[str, str] | None, limit: int) -> Answer:
        where = here.host
        pinned = _Pinned(await self._checked(here))
        sent = _headers(headers, None, None, where)
        connector = aiohttp.TCPConnector(resolver=pinned, use_dns_cache=False, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as own,
                own.get(here.url, headers=sent, allow_redirects=False) as response,
            ):
                redirect = response.status in _REDIRECTS
                body = b"" if redirect else await _bounded(response, limit)
                return Answer(where, response.status, _lower(response.headers), body)
        except _TooLarge:
            failure: ConnectorError = Refused(f"{where}: larger than {limit} bytes")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            failure = _network_failure(error, where)
        raise failure

    async def _checked(self, here: Hop) -> Sequence[Ip]:
        """All addresses of a hop, every one of them allowed. One that is not refuses the whole name."""
        if here.ip is not None:
            addresses: Sequence[Ip] = (here.ip,)
        else:
            try:
                addresses = [ip_address(text) for text in await self._resolver(here.host, here.port)]
            except (OSError, UnicodeError, ValueError):
                addresses = ()
        if not addresses:
            raise Unreachable(f"{here.host}: the name is not known", unsent=True)
        if not all(self._allowed(address, here.port) for address in addresses):
            raise Unsafe(f"{here.host}: not a public address on port 80 or 443")
        return addresses


@asynccontextmanager
async def open_http() -> AsyncIterator[Http]:
    """The client of a running daemon: no cookies, no proxies out of the environment."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, headers={"User-Agent": "heedful"}
    ) as session:
        yield Http(session)


class _TooLarge(ValueError):
    """A body beyond its bound."""


class _Pinned(AbstractResolver):
    """Answers with the addresses that were checked, so that a second look-up cannot differ."""

    def __init__(self, addresses: Sequence[Ip]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 — the interface is aiohttp's
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _target(method: str, url: str, hide: Collection[str]) -> tuple[URL, str]:
    """A trusted address, and how errors call it."""
    try:
        target = trusted(url)
    except Unsafe as error:
        raise Denied(str(error)) from None
    path = target.path
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        path = path.replace(secret, "…")
    return target, f"{method} {target.host}{path}"


def _next_hop(here: Hop, location: str) -> Hop:
    try:
        return hop(here.url.join(URL(location)))
    except Unsafe:
        raise
    except (ValueError, IndexError):  # the latter: `http://[]@`
        raise Unsafe(f"{here.host}: redirects to what is not an address") from None


def _headers(
    given: Mapping[str, str] | None, token: str | SecretStr | None, body: object, where: str
) -> dict[str, str]:
    headers = dict(given or {})
    if token is not None:
        secret = token.get_secret_value() if isinstance(token, SecretStr) else token
        headers["Authorization"] = f"Bearer {secret}"
    if body is not None and not isinstance(body, bytes):
        headers.setdefault("Content-Type", "application/json")
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise Denied(f"{where}: a token or header holds characters that no header may hold")
    return headers


def _encoded(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    try:
        return orjson.dumps(body)
    except TypeError:  # half a surrogate pair, or an integer beyond 64 bits
        return stdlib_json.dumps(body).encode()


def _timeout(deadline: timedelta) -> aiohttp.ClientTimeout:
    connect = min(deadline, CONNECT_WITHIN).total_seconds()
    return aiohttp.ClientTimeout(total=deadline.total_seconds(), sock_connect=connect)


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > limit:
            raise _TooLarge
    return bytes(body)


async def _lines(response: aiohttp.ClientResponse, limit: int) -> AsyncIterator[bytes]:
    rest = bytearray()
    async for chunk in response.content.iter_any():
        rest += chunk
        *whole, tail = bytes(rest).split(b"\n")
        rest = bytearray(tail)
        if len(rest) > limit:
            raise _TooLarge
        for line in whole:
            yield line.rstrip(b"\r")
    if rest:
        yield bytes(rest)


def _network_failure(error: Exception, where: str) -> ConnectorError:
    """What a library's error means. `unsent` only where no connection was ever made."""
    if isinstance(error, (aiohttp.ClientConnectorDNSError, socket.gaierror)):
        return Unreachable(f"{where}: the name is not known", unsent=True)
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLCertVerificationError, aiohttp.ServerFingerprintMismatch)):
        return Unreachable(f"{where}: no secure connection", unsent=True)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(f"{where}: no connection", unsent=True)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Unreachable(f"{where}: no connection in time", unsent=True)
    if isinstance(error, TimeoutError):
        return Unreachable(f"{where}: no whole answer in time")
    if isinstance(error, _TooLarge):
        return Unreachable(f"{where}: the answer is too large")
    if isinstance(error, aiohttp.InvalidURL):
        return Denied(f"{where}: the address in the settings cannot be used")
    return Unreachable(f"{where}: the connection broke off")
