"""feedparser's own feeds: none crashes, none loses the rest."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest

from connectors.api import Page
from connectors.rss.connector import Rss
from connectors.rss.entries import entry
from connectors.rss.feed import Document, Feed
from connectors.rss.marker import Marker
from connectors.rss.reading import NotAFeed, read
from connectors.rss.settings import Settings
from tests.counterparts.feeds import feed_files, feeds_folder, headers_of

NOW = datetime(2027, 6, 1, tzinfo=UTC)
URL = "https://acme.example/feed.xml"


@pytest.fixture(scope="module")
def corpus(request: pytest.FixtureRequest) -> dict[Path, bytes]:
    folder = feeds_folder(Path(request.config.rootpath) / ".pytest_cache" / "feeds")
    return {path: path.read_bytes() for path in feed_files(folder)}


def _read(body: bytes) -> Feed | None:
    try:
        return read(Document(body=body, url=URL, content_type=headers_of(body).get("content-type", "")))
    except NotAFeed:
        return None


def _messages(feed: Feed) -> Page:
    rss = Rss(Settings(url=URL, poll_every=timedelta(minutes=5)), None, lambda: NOW)  # type: ignore[arg-type]
    before = Marker.of(None, URL)
    return rss._page(feed, URL, before, before.validated("", "", "", b""))


def _readable(body: bytes) -> int:
    """How many entries feedparser finds in the whole, of those in which there is anything."""
    theirs = feedparser.parse(
        io.BytesIO(body), response_headers=headers_of(body), sanitize_html=False, resolve_relative_uris=False
    ).entries
    return sum(entry(one, URL) is not None for one in theirs)


def test_every_feed_of_the_corpus_is_read_and_told(corpus: dict[Path, bytes]) -> None:
    told: Counter[str] = Counter()
    short: list[str] = []
    for path, body in corpus.items():
        feed = _read(body)
        theirs = _readable(body)
        if feed is None:
            told["no feed"] += 1
            if theirs:
                short.append(f"{path.name}: {theirs} entries, none of ours")
            continue
        page = _messages(feed)
        told["entries"] += len(feed.entries)
        told["lost"] += len(feed.lost)
        told[f"{path.parent.name} with lost"] += bool(feed.lost)
        told["messages"] += len(page.messages)
        assert all(one.id and one.thread and one.author.id and one.sent_at <= NOW for one in page.messages), path
        assert all(one.url is None or one.url.lower().startswith(("http://", "https://")) for one in page.messages), (
            path
        )
        assert len(page.messages) == len(feed.entries), path
        if len(feed.entries) < theirs:
            short.append(f"{path.name}: {theirs} entries, {len(feed.entries)} read, {len(feed.lost)} lost")
    assert len(corpus) > 2_000
    assert told["entries"] > 500
    assert short == [], f"{len(short)} feeds lose something"
    print(dict(told))  # noqa: T201 — the figures, for who asks by -s


def _neighbours(end: bytes) -> bytes:
    """One that is not well-formed, and one that quotes markup of its own kind."""
    start = end.replace(b"/", b"")
    quoting = start + b"<title>q</title><summary><![CDATA[" + start + b"x" + end + b"]]></summary>" + end
    return start + b"<title>b & c</title>" + end + b"<!-- " + start + b" -->" + quoting


def test_a_bad_neighbour_spoils_no_entry_of_the_corpus(corpus: dict[Path, bytes]) -> None:
    tried = 0
    spoiled: list[str] = []
    for path, body in corpus.items():
        end = next((end for end in (b"</item>", b"</entry>") if end in body), b"")
        feed = _read(body)
        if not end or feed is None or not feed.entries:
            continue
        tried += 1
        before, _, after = body.rpartition(end)
        beside = _read(before + end + _neighbours(end) + after)
        if beside is None or len(beside.entries) != len(feed.entries) + 2:
            spoiled.append(f"{path.name}: {len(feed.entries)}, then {beside and len(beside.entries)}")
    assert tried > 500
    assert spoiled == []
