"""Serves the page, the hooks and the command socket by uvicorn, inside the daemon's own TaskGroup."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

__all__ = ["ListenError", "compose", "listen", "listen_unix", "serve"]

DRAIN_WITHIN = 3
SOCKET_PATH_AT_MOST = 100
"""sockaddr_un holds 108 bytes on Linux and 104 on macOS."""


class ListenError(Exception):
    """The address cannot be listened on."""


class _Server(uvicorn.Server):
    """The daemon owns the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def compose(routes: Sequence[BaseRoute], page: ASGIApp | None) -> ASGIApp:
    """Our own doors before the page, which checks Host, Origin and session by itself."""
    return Starlette(routes=[*routes, *([Mount("/", app=page)] if page is not None else [])])


def listen(address: str) -> socket.socket:
    """Bind `host:port` at once, so that a taken port is an error of the start. Raises ListenError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host or "127.0.0.1", int(port), type=socket.SOCK_STREAM)[
            0
        ]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(1024)
    except (OSError, ValueError) as error:
        raise ListenError(f"cannot listen on {address}: {error} → choose another address under `web:`") from error
    bound.setblocking(False)
    return bound


def listen_unix(path: Path) -> socket.socket | None:
    """The command socket, mode 0600; None where the path is too long for one."""
    if len(os.fsencode(path)) > SOCKET_PATH_AT_MOST:
        return None
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        bound.bind(str(path))
    finally:
        os.umask(previous)
    bound.listen(64)
    bound.setblocking(False)
    return bound


async def serve(app: ASGIApp, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop`, then finish the requests in hand within three seconds."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_WITHIN,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(_stop(server, stop))
        await server.serve(sockets=[bound])
        stop.set()


async def _stop(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
