"""The counterpart itself, as other tests use it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.counterparts import nginx
from tests.counterparts.nginx import start_nginx


async def test_it_serves_what_is_put_there_and_tells_what_it_answered(tmp_path: Path) -> None:
    async with start_nginx(tmp_path) as server, aiohttp.ClientSession() as session:
        server.put("feed.xml", b"<rss/>")
        async with session.get(server.url("/feed.xml")) as answer:
            assert (answer.status, await answer.read()) == (200, b"<rss/>")
        async with session.get(server.url("/feed.xml"), headers={"If-None-Match": answer.headers["ETag"]}) as again:
            assert again.status == 304
        assert [(one.status, one.size) for one in await server.answered(2)] == [(200, 6), (304, 0)]


@pytest.mark.parametrize(
    ("environment", "outcome"), [({}, pytest.skip.Exception), ({"CI": "1"}, pytest.fail.Exception)]
)
def test_without_the_program_a_test_is_skipped_but_fails_where_it_counts(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(nginx, "_PROGRAM", "no-such-program-anywhere")
    with pytest.raises(outcome, match="not installed"):
        nginx._program()
