"""A feed as a connector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.api import Author, Cursor, Gap, Http, Message, Page, Part, PartKind, Unreadable
from connectors.errors import Unreachable
from connectors.rss.apart import read_apart
from connectors.rss.feed import TEXT_AT_MOST, Document, Enclosure, Entry, Feed
from connectors.rss.fetching import Source
from connectors.rss.marker import Marker, Trace, digest, trace
from connectors.rss.settings import Settings

__all__ = ["Rss", "connect", "identity", "utc_now"]

_KINDS: dict[str, PartKind] = {"image": "photo", "audio": "voice", "video": "video"}
_ROLLED_OVER = "nothing that the feed held before is in it now: what came and went between two polls is lost"
_TOO_LONG = "the feed holds more entries than heedful reads of one document"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Rss:
    """Tells each entry once, and again where its title or text was changed."""

    me = Author(id="", name="rss")

    def __init__(self, settings: Settings, http: Http, clock: Callable[[], datetime] = utc_now) -> None:
        self._url = settings.url
        self._clock = clock
        self._pace = settings.poll_every
        self._source = Source(http, settings.url, settings.poll_every, clock)
        self._hopeless = ("", "")

    async def poll(self, after: Cursor | None, /) -> Page:
        """An unchanged feed is an empty page, which may still carry a cursor: a new address, a new ETag."""
        marker = Marker.of(after, self._url)
        got = await self._source.fetch(marker)
        if got.document is None:
            return self._resumed(Page(), marker, replace(marker, moved=got.moved))
        known = marker.validated(got.etag, got.modified, got.moved, got.document.body)
        if known.body == marker.body:
            return self._resumed(Page(), marker, known)
        feed = await self._read(got.document, known.body)
        return self._page(feed, got.document.url, marker, known)

    async def _read(self, document: Document, body: str) -> Feed:
        """What could not be read once is not tried again until it changes: the attempt may cost a minute."""
        if self._hopeless[0] != body:
            try:
                return await read_apart(document)
            except Unreachable as error:
                self._hopeless = (body, str(error))
        raise Unreachable(self._hopeless[1], retry_after=self._pace)

    def _page(self, feed: Feed, url: str, marker: Marker, known: Marker) -> Page:
        now = self._clock()
        ordered = _oldest_first(feed.entries)
        traces = {id(entry): trace(identity(entry), entry) for entry in ordered}
        here = {one.key for one in traces.values()}
        renamed = {one.place for key, one in marker.seen.items() if key not in here and any(one.place)}
        messages: list[Message] = []
        told: set[bytes] = set()
        for entry in ordered:
            mark = traces[id(entry)]
            before = marker.seen.get(mark.key)
            if mark.key in told or (before is None and mark.place in renamed):
                continue
            told.add(mark.key)
            if before is None or before.content != mark.content:
                messages.append(_message(entry, feed, url, now, edited=before is not None))
        unread = {_lost_key(one.raw): one for one in feed.lost}
        page = Page(
            messages=tuple(messages),
            unreadable=tuple(
                Unreadable(raw=one.raw, reason=one.reason) for key, one in unread.items() if key not in marker.seen
            ),
            gaps=tuple(_gaps(feed, traces.values(), marker, now)),
        )
        seen = [*(traces[id(entry)] for entry in feed.entries), *map(Trace, unread)]
        return self._resumed(page, marker, known.seeing(seen))

    def _resumed(self, page: Page, before: Marker, after: Marker) -> Page:
        if after == before:
            return page
        return replace(page, cursor=replace(after, at=int(self._clock().timestamp())).cursor())


def identity(entry: Entry) -> str:
    """Its guid, else its link, else what it says."""
    return entry.guid or entry.link or f"sha256:{digest(chr(0).join((entry.title, entry.text)))[:32]}"


def _oldest_first(entries: tuple[Entry, ...]) -> list[Entry]:
    """By date where all are dated, else the document upside down: feeds begin with the newest."""
    upwards = list(reversed(entries))
    if all(entry.at is not None for entry in entries):
        upwards.sort(key=lambda entry: entry.at or 0.0)
    return upwards


def _message(entry: Entry, feed: Feed, url: str, now: datetime, *, edited: bool) -> Message:
    host = urlsplit(url).hostname or "feed"
    name = entry.author or feed.title or host
    known_as = identity(entry)
    return Message(
        id=known_as,
        author=Author(id=entry.author or host, name=name),
        text=_text(entry),
        sent_at=_sent_at(entry, now),
        thread=known_as,
        revision=f"{int(now.timestamp()):012d}" if edited else "",
        url=entry.link or None,
        parts=tuple(_part(one) for one in entry.enclosures),
    )


def _text(entry: Entry) -> str:
    """Title and text, the title only where the text does not begin with it."""
    opening = entry.title.rstrip("….")
    if not entry.title or (opening and entry.text.startswith(opening)):
        return entry.text
    return f"{entry.title}\n\n{entry.text}".strip()[:TEXT_AT_MOST]


def _sent_at(entry: Entry, now: datetime) -> datetime:
    """What is undated or dated ahead was written when we first saw it."""
    try:
        at = datetime.fromtimestamp(entry.at, UTC) if entry.at is not None else now
    except (OverflowError, ValueError, OSError):
        return now
    return min(at, now)


def _part(one: Enclosure) -> Part:
    return Part(kind=_KINDS.get(one.type.partition("/")[0], "file"), ref=one.href, name=one.name)


def _lost_key(raw: bytes) -> bytes:
    return bytes.fromhex(digest(raw))[:8]


def _gaps(feed: Feed, traces: Iterable[Trace], marker: Marker, now: datetime) -> Iterable[Gap]:
    if feed.beyond:
        yield Gap(since=None, until=now, reason=_TOO_LONG, count=feed.beyond)
    here = list(traces)
    places = {one.place for one in marker.seen.values()}
    if marker.seen and here and not any(one.key in marker.seen or one.place in places for one in here):
        yield Gap(since=datetime.fromtimestamp(marker.at, UTC), until=now, reason=_ROLLED_OVER)


@asynccontextmanager
async def connect(settings: Settings, http: Http, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Rss]:
    """Nothing is asked until the first poll."""
    yield Rss(settings, http, clock)
