"""A web server that we did not write: nginx, as a process on a free loopback port.

    from tests.counterparts.nginx import nginx   # `nginx` is a pytest fixture

    async def test_something(nginx):
        nginx.put("feed.xml", body)              # served with ETag, Last-Modified, Range and gzip
        settings = {"url": nginx.url("/feed.xml")}
        ...
        assert (await nginx.answered(2))[-1].status == 304   # what it answered, in order

Fixed answers: /gone (410), /missing (404), /denied (403), /login (401), /busy (limited to 1 a minute, else 429 with
Retry-After), /moved and /for-now (301 and 302 to `/feed.xml`), /away (301 to the other port), /inward (301
to this machine by name), /loop, /broken (the connection is cut half way), /odd (a wrong charset).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.counterparts.telegram import free_port

__all__ = ["Answered", "Nginx", "nginx", "start_nginx"]

_PROGRAM = "nginx"
_PATIENCE = 20.0
_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
  log_format told '$status $body_bytes_sent $sent_http_content_encoding $request_uri';
  access_log {folder}/access.log told;
  client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
  scgi_temp_path {folder}/temp; uwsgi_temp_path {folder}/temp;
  types {{ application/rss+xml xml; text/html html; }}
  gzip on; gzip_types application/rss+xml; gzip_min_length 100;
  limit_req_zone $binary_remote_addr zone=busy:64k rate=1r/m;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/site;
    location = /gone {{ return 410; }}
    location = /missing {{ return 404; }}
    location = /denied {{ return 403; }}
    location = /login {{ return 401; }}
    location = /moved-to-denied {{ return 301 /denied; }}
    location = /moved {{ return 301 /feed.xml; }}
    location = /moved-to-gone {{ return 301 /gone; }}
    location = /for-now {{ return 302 /feed.xml; }}
    location = /away {{ return 301 http://feeds.example:{port}/feed.xml; }}
    location = /inward {{ return 301 http://localhost:{port}/feed.xml; }}
    location = /loop {{ return 301 http://feeds.example:{port}/loop; }}
    location = /busy {{ limit_req zone=busy; error_page 429 @busy; try_files /feed.xml =404; }}
    location @busy {{ add_header Retry-After 7 always; return 429; }}
    location = /broken {{ proxy_pass http://127.0.0.1:{broken}/; proxy_buffering off; }}
    location /odd/ {{ alias {folder}/site/; types {{ }} default_type "text/xml; charset=iso-8859-1"; }}
    {more}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    size: int
    encoding: str
    uri: str


@dataclass(frozen=True, slots=True)
class Nginx:
    """The running server."""

    port: int
    folder: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, name: str, body: bytes, *, at: float | None = None) -> None:
        """Replace a file, as an editor does; `at` sets its time, which ETag and Last-Modified are made of."""
        path = self.folder / "site" / name
        path.with_suffix(".new").write_bytes(body)
        if at is not None:
            os.utime(path.with_suffix(".new"), (at, at))
        path.with_suffix(".new").rename(path)

    def take_away(self, name: str) -> None:
        (self.folder / "site" / name).unlink()

    def log(self) -> list[Answered]:
        lines = (self.folder / "access.log").read_text().splitlines()
        found = [line.split(" ", 3) for line in lines]
        return [Answered(int(status), int(size), encoding, uri) for status, size, encoding, uri in found]

    async def answered(self, count: int) -> list[Answered]:
        """What it answered, once it has logged `count` answers: it logs after the last byte has left."""
        async with asyncio.timeout(_PATIENCE):
            while len(self.log()) < count:  # noqa: ASYNC110 — another process writes the log
                await asyncio.sleep(0.01)
        return self.log()


def _program() -> str:
    found = shutil.which(_PROGRAM, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        reason = f"{_PROGRAM} is not installed: apt-get install nginx-light"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


def _prepared(folder: Path, **values: object) -> Path:
    (folder / "site").mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(folder=folder, **values))
    return configuration


async def _half(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promises a thousand bytes and breaks off."""
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n<rss version='2.0'><channel><item>")
    await writer.drain()
    writer.close()


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(_PATIENCE):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
    pytest.fail(f"{_PROGRAM} ended with {process.returncode}")


@asynccontextmanager
async def start_nginx(folder: Path, more: str = "") -> AsyncIterator[Nginx]:
    """The server for as long as the block lasts; `more` are further locations in its own language."""
    program = _program()
    port = free_port()
    half = await asyncio.start_server(_half, "127.0.0.1", 0)
    broken = half.sockets[0].getsockname()[1]
    configuration = _prepared(folder, port=port, broken=broken, more=more)
    process = await asyncio.create_subprocess_exec(
        *(program, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(process, port)
        yield Nginx(port, folder)
    finally:
        half.close()
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def nginx(tmp_path: Path) -> AsyncIterator[Nginx]:
    async with start_nginx(tmp_path) as running:
        yield running
