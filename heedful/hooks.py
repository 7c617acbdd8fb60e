"""The doors without a face: /hooks/{channel}, /livez, /readyz and /metrics.

A hook is answered only after what it brought is committed. These routes know no session, so they take no
Host check: a platform calls them by whatever name the proxy has. Only /metrics, where no token is given, asks
for one of this machine's own names: a page of a stranger may be called by a name that leads here.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.api import ConnectorError, Hook
from feed.guard import forwarded, loopback
from heedful.channels import Runner
from heedful.metrics import Metrics
from routing.store.errors import StoreError

__all__ = ["Doors"]

log = structlog.get_logger("heedful.hooks")

BODY_AT_MOST = 1_000_000


class Doors:
    """`runners` and `metrics` are looked up at each call, so a reload needs no restart of the server."""

    def __init__(
        self,
        runners: Callable[[], Mapping[str, Runner]],
        metrics: Metrics,
        clock: Callable[[], datetime],
        metrics_token: str | None = None,
        refresh: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._runners = runners
        self._metrics = metrics
        self._clock = clock
        self._token = metrics_token
        self._refresh = refresh

    def hooks(self) -> list[BaseRoute]:
        return [Route("/hooks/{channel}", self._hook, methods=["GET", "POST"])]

    def health(self) -> list[BaseRoute]:
        return [
            Route("/livez", self._livez),
            Route("/readyz", self._readyz),
            Route("/metrics", self._scrape),
        ]

    async def _hook(self, request: Request) -> Response:
        runner = self._runners().get(request.path_params["channel"])
        if runner is None or (runner.source is not None and "listens" not in runner.source.abilities):
            return Response(status_code=404)
        if runner.listens is None:
            return Response(status_code=503)
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        hook = Hook(
            method=request.method,
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.query_params),
            body=body,
        )
        return await self._answer(runner, hook)

    async def _answer(self, runner: Runner, hook: Hook) -> Response:
        """Nothing is confirmed that is not stored: a store that cannot write answers 503."""
        if runner.listens is None:
            return Response(status_code=503)
        try:
            answer = await runner.listens.hear(hook)
            page = answer.page
            if page.messages or page.unreadable or page.gaps or page.cursor is not None or page.cost:
                await runner.hear(page)
        except StoreError as failure:
            log.error("hook not stored", channel=runner.name, reason=str(failure))  # noqa: TRY400 no trace needed
            await runner.tell_store_failure(failure)
            return Response(status_code=503, headers={"retry-after": "30"})
        except ConnectorError as failure:
            log.warning("hook refused", channel=runner.name, reason=str(failure))
            return Response(status_code=503)
        return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))

    async def _livez(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _readyz(self, _: Request) -> Response:
        """Ready while each channel's last successful poll or heartbeat is younger than three of its rounds."""
        now = self._clock()
        late = {name: problem for name, runner in self._runners().items() if (problem := _problem(runner, now))}
        return JSONResponse({"status": "ready" if not late else "not ready", "channels": late}, 503 if late else 200)

    async def _scrape(self, request: Request) -> Response:
        if not self._knows_token(request):
            if not _from_here(request):
                return Response(status_code=403)
            if loopback(request.scope) is None:
                return Response(status_code=421)
        if self._refresh is not None:
            with suppress(StoreError):  # a database that is down is the very time to look at the rest
                await self._refresh()
        return Response(self._metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _knows_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        bearer = scheme.lower() == "bearer"
        return bool(self._token and bearer and hmac.compare_digest(given.encode(), self._token.encode()))


def _from_here(request: Request) -> bool:
    """From this machine itself, and through no proxy."""
    if request.client is None or forwarded(request.headers):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _read(request: Request) -> bytes | None:
    """The body, or None where it is larger than we read; a Content-Length that says less is not believed."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > BODY_AT_MOST):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_AT_MOST:
            return None
    return bytes(body)


def _problem(runner: Runner, now: datetime) -> str | None:
    health = runner.health.snapshot()
    if health.state in {"idle", "paused"}:
        return None
    if health.state != "listening":
        return health.error or health.state
    if runner.listens is not None and health.last_success is not None:
        return None
    limit = max(runner.poll_every * 3, timedelta(minutes=2))
    if health.last_success is None or now - health.last_success > limit:
        return "silent for too long"
    return None
