"""What a real web server answers: nginx."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.api import Cursor, Denied, Http, Page, Unreachable
from connectors.rss.connector import Rss
from connectors.rss.fetching import FEED_AT_MOST
from connectors.rss.marker import Marker
from connectors.rss.settings import Settings
from tests.connectors.rss.samples import item, rss
from tests.counterparts.nginx import Nginx, start_nginx

NOW = datetime(2027, 6, 1, tzinfo=UTC)
ONE = rss(item("1", "first", "hello"))
TWO = rss(item("2", "second", "world"), item("1", "first", "hello"))


def feed(http: Http, url: str) -> Rss:
    return Rss(Settings(url=url, poll_every=timedelta(minutes=5)), http, lambda: NOW)


def titles(page: Page) -> list[str]:
    return [message.text.partition("\n")[0] for message in page.messages]


async def test_an_unchanged_feed_is_not_sent_again(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", ONE)
    news = feed(strict, nginx.url("/feed.xml"))
    first = await news.poll(None)
    again = await news.poll(first.cursor)
    assert titles(first) == ["first"]
    assert again == Page()
    assert [answered.status for answered in await nginx.answered(2)] == [200, 304]


async def test_a_changed_feed_tells_what_is_new(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", ONE, at=1e9)
    news = feed(strict, nginx.url("/feed.xml"))
    cursor = (await news.poll(None)).cursor
    nginx.put("feed.xml", TWO, at=2e9)
    page = await news.poll(cursor)
    assert titles(page) == ["second"]
    assert page.gaps == ()
    assert await news.poll(page.cursor) == Page()


async def test_a_touched_file_is_nothing_new(nginx: Nginx, strict: Http) -> None:
    """Another ETag, the same bytes: the validators move, nothing is told."""
    nginx.put("feed.xml", ONE, at=1e9)
    news = feed(strict, nginx.url("/feed.xml"))
    cursor = (await news.poll(None)).cursor
    nginx.put("feed.xml", ONE, at=2e9)
    page = await news.poll(cursor)
    assert page.messages == ()
    assert page.cursor not in {None, cursor}
    await news.poll(page.cursor)
    assert (await nginx.answered(3))[-1].status == 304


async def test_a_compressed_feed_is_read(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", rss(*(item(str(at), f"number {at}") for at in range(50, 0, -1))))
    page = await feed(strict, nginx.url("/feed.xml")).poll(None)
    assert titles(page) == [f"number {at}" for at in range(1, 51)]
    assert (await nginx.answered(1))[-1].encoding == "gzip"


async def test_a_permanent_redirect_is_remembered(nginx: Nginx, open_guard: Http) -> None:
    nginx.put("feed.xml", ONE)
    news = feed(open_guard, nginx.url("/moved"))
    cursor = (await news.poll(None)).cursor
    assert await news.poll(cursor) == Page()
    assert [(one.uri, one.status) for one in await nginx.answered(3)] == [
        ("/moved", 301),
        ("/feed.xml", 200),
        ("/feed.xml", 304),
    ]


async def test_a_redirect_for_now_is_asked_each_time(nginx: Nginx, open_guard: Http) -> None:
    nginx.put("feed.xml", ONE)
    news = feed(open_guard, nginx.url("/for-now"))
    cursor = (await news.poll(None)).cursor
    assert await news.poll(cursor) == Page()
    assert [answered.uri for answered in await nginx.answered(4)] == ["/for-now", "/feed.xml"] * 2


async def test_over_plain_http_nothing_moves_to_another_host(nginx: Nginx, open_guard: Http) -> None:
    nginx.put("feed.xml", ONE)
    news = feed(open_guard, nginx.url("/away"))
    cursor = (await news.poll(None)).cursor
    assert await news.poll(cursor) == Page()
    assert [answered.uri for answered in await nginx.answered(4)] == ["/away", "/feed.xml"] * 2


async def test_when_the_new_address_fails_the_old_one_is_asked(nginx: Nginx, open_guard: Http) -> None:
    nginx.put("feed.xml", ONE)
    old = nginx.url("/old.xml")
    (nginx.folder / "site" / "old.xml").write_bytes(TWO)
    moved = _moved_to(nginx.url("/feed.xml"), old)
    nginx.take_away("feed.xml")
    page = await feed(open_guard, old).poll(moved)
    assert titles(page) == ["first", "second"]
    await feed(open_guard, old).poll(page.cursor)
    assert [answered.uri for answered in await nginx.answered(3)] == ["/feed.xml", "/old.xml", "/old.xml"]


async def test_when_both_fail_the_first_failure_is_told(nginx: Nginx, open_guard: Http) -> None:
    moved = _moved_to(nginx.url("/feed.xml"), nginx.url("/moved"))
    with pytest.raises(Unreachable, match="404"):
        await feed(open_guard, nginx.url("/moved")).poll(moved)
    assert [answered.uri for answered in await nginx.answered(2)] == ["/feed.xml", "/moved"]


async def test_a_new_address_that_is_gone_for_good_stops_the_channel(nginx: Nginx, open_guard: Http) -> None:
    news = feed(open_guard, nginx.url("/moved-to-gone"))
    for cursor in (None, _moved_to(nginx.url("/gone"), nginx.url("/moved-to-gone"))):
        with pytest.raises(Denied, match="gone for good"):
            await news.poll(cursor)
    assert [answered.uri for answered in await nginx.answered(4)] == [
        "/moved-to-gone",
        "/gone",
        "/gone",
        "/moved-to-gone",
    ]


BY_DATE = "etag off; if_modified_since before;"


def _moved_to(new: str, url: str) -> Cursor:
    return replace(Marker.of(None, url), moved=new).cursor()


@pytest.mark.parametrize("path", ["/inward", "/moved"])
async def test_a_redirect_inwards_is_refused(path: str, nginx: Nginx, strict: Http) -> None:
    """The file may name this machine; a stranger's server may not."""
    nginx.put("feed.xml", ONE)
    with pytest.raises(Unreachable, match="not a public address"):
        await feed(strict, nginx.url(path)).poll(None)
    assert [answered.uri for answered in await nginx.answered(1)] == [path]


async def test_a_remembered_address_is_guarded_too(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", ONE)
    nginx.put("secret.xml", rss(item("9", "not for you")))
    url = nginx.url("/feed.xml")
    page = await feed(strict, url).poll(_moved_to(nginx.url("/secret.xml"), url))
    assert titles(page) == ["first"]


async def test_a_loop_ends(nginx: Nginx, open_guard: Http) -> None:
    with pytest.raises(Unreachable, match="redirects"):
        await feed(open_guard, nginx.url("/loop")).poll(None)


async def test_gone_for_good_stops_the_channel(nginx: Nginx, strict: Http) -> None:
    with pytest.raises(Denied, match="gone for good"):
        await feed(strict, nginx.url("/gone")).poll(None)


async def test_forbidden_stops_the_channel(nginx: Nginx, strict: Http) -> None:
    with pytest.raises(Denied, match="403"):
        await feed(strict, nginx.url("/denied")).poll(None)


async def test_forbidden_for_once_stops_no_channel_that_has_read(nginx: Nginx, strict: Http, open_guard: Http) -> None:
    """A firewall's mood: the host tries again, and calls a person where it stays."""
    nginx.put("feed.xml", ONE)
    for url, http in ((nginx.url("/denied"), strict), (nginx.url("/moved-to-denied"), open_guard)):
        read = replace(Marker.of(None, url), body="read before").cursor()
        with pytest.raises(Unreachable, match="403") as caught:
            await feed(http, url).poll(read)
        assert caught.value.retry_after == timedelta(minutes=5)
        with pytest.raises(Denied, match="403"):
            await feed(http, url).poll(None)


async def test_a_login_that_is_wanted_stops_the_channel_at_any_time(nginx: Nginx, strict: Http) -> None:
    url = nginx.url("/login")
    for cursor in (None, replace(Marker.of(None, url), body="read before").cursor()):
        with pytest.raises(Denied, match="401"):
            await feed(strict, url).poll(cursor)


@pytest.mark.parametrize("status", [301, 302])
async def test_what_one_address_gave_to_ask_by_is_sent_to_no_other(
    status: int, tmp_path: Path, open_guard: Http
) -> None:
    """The second file is older than the first: asked by the first one's date, nginx would say `unchanged`."""
    gone = tmp_path / "site" / "old.xml"
    more = f"{BY_DATE} location = /old {{ if (-f {gone}) {{ rewrite ^ /old.xml break; }} return {status} /feed.xml; }}"
    async with start_nginx(tmp_path, more) as nginx:
        gone.write_bytes(ONE)
        os.utime(gone, (2e9, 2e9))
        news = feed(open_guard, nginx.url("/old"))
        first = await news.poll(None)
        assert await news.poll(first.cursor) == Page()
        gone.unlink()
        nginx.put("feed.xml", TWO, at=1e9)
        moved = await news.poll(first.cursor)
        assert titles(moved) == ["second"]
        assert await news.poll(moved.cursor) == Page()
        statuses = [200, 304, status, 200] + [304] * (status == 301) + [status, 304] * (status == 302)
        assert [one.status for one in await nginx.answered(len(statuses))] == statuses


async def test_an_address_that_goes_on_to_another_is_asked_anew(tmp_path: Path, open_guard: Http) -> None:
    """The remembered address gave its validators, then leads elsewhere: the client sends them along."""
    async with start_nginx(tmp_path, f"{BY_DATE} location = /on {{ return 302 /feed.xml; }}") as nginx:
        nginx.put("feed.xml", TWO, at=1e9)
        url, here = nginx.url("/first"), nginx.url("/on")
        kept = Marker.of(None, url).validated("", "Wed, 18 May 2033 03:33:20 GMT", here, b"old", here)
        assert titles(await feed(open_guard, url).poll(kept.cursor())) == ["first", "second"]
        assert [one.status for one in await nginx.answered(4)] == [302, 304, 302, 200]


async def test_a_missing_feed_is_asked_again_at_its_pace(nginx: Nginx, strict: Http) -> None:
    with pytest.raises(Unreachable, match=r"404.*correct `url`") as caught:
        await feed(strict, nginx.url("/missing")).poll(None)
    assert caught.value.retry_after == timedelta(minutes=5)


async def test_a_busy_server_is_left_alone_for_as_long_as_it_says(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", ONE)
    news = feed(strict, nginx.url("/busy"))
    first = await news.poll(None)
    with pytest.raises(Unreachable) as caught:
        await news.poll(first.cursor)
    assert titles(first) == ["first"]
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_half_an_answer_is_none(nginx: Nginx, strict: Http) -> None:
    with pytest.raises(Unreachable, match="broke off"):
        await feed(strict, nginx.url("/broken")).poll(None)


async def test_a_page_for_people_is_no_feed(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", b"<!DOCTYPE html><html><head><title>Please sign in</title></head><body>Hi</body></html>")
    with pytest.raises(Unreachable, match="no feed"):
        await feed(strict, nginx.url("/feed.xml")).poll(None)


async def test_a_wrong_charset_in_the_header_spoils_nothing(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", rss(item("1", "我的卡被盜刷了")))
    page = await feed(strict, nginx.url("/odd/feed.xml")).poll(None)
    assert titles(page) == ["我的卡被盜刷了"]


async def test_ten_megabytes_are_read_and_what_is_beyond_the_bound_is_not(nginx: Nginx, strict: Http) -> None:
    large = rss(*(item(str(at), f"number {at}", "x" * 5_000) for at in range(2_000, 0, -1)))
    nginx.put("feed.xml", large)
    news = feed(strict, nginx.url("/feed.xml"))
    page = await news.poll(None)
    assert len(large) > 10_000_000
    assert titles(page) == [f"number {at}" for at in range(1, 2_001)]
    assert page.cursor is not None
    assert len(page.cursor) < 60_000
    nginx.put("feed.xml", b" " * FEED_AT_MOST + large)
    with pytest.raises(Unreachable, match="too large"):
        await news.poll(page.cursor)


async def test_a_feed_that_rolled_over_is_a_gap(nginx: Nginx, strict: Http) -> None:
    nginx.put("feed.xml", TWO, at=1e9)
    news = feed(strict, nginx.url("/feed.xml"))
    cursor = (await news.poll(None)).cursor
    nginx.put("feed.xml", rss(item("9", "ninth", "other")), at=2e9)
    page = await news.poll(cursor)
    (gap,) = page.gaps
    assert (gap.since, gap.until) == (NOW, NOW)
    assert titles(page) == ["ninth"]


async def test_no_error_shows_more_of_the_address_than_its_host(nginx: Nginx, strict: Http) -> None:
    for path in ("/missing", "/gone", "/denied", "/inward", "/broken", "/hidden-key-in-path"):
        with pytest.raises((Unreachable, Denied)) as caught:
            await feed(strict, nginx.url(f"{path}?key=s3cret")).poll(None)
        told = f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"
        assert "s3cret" not in told
        assert "hidden" not in told
    assert "s3cret" not in repr(Settings(url=nginx.url("/feed.xml?key=s3cret")))
