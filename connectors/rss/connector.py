"""A feed as a connector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from connectors.api import Author, Cursor, Gap, Http, Message, Page, Part, PartKind, Unreadable
from connectors.errors import Unreachable
from connectors.rss.apart import Hopeless, read_apart
from connectors.rss.feed import TEXT_AT_MOST, Document, Enclosure, Entry, Feed
from connectors.rss.fetching import Source
from connectors.rss.marker import Marker, Trace, digest
from connectors.rss.news import News, Told, news_of
from connectors.rss.settings import Settings

__all__ = ["Rss", "connect", "utc_now"]

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
        self._same = ("", 0)  # the document that was found unchanged last, and when

    async def poll(self, after: Cursor | None, /) -> Page:
        """An unchanged feed is an empty page, which may still carry a cursor: a new address, a new ETag."""
        marker = Marker.of(after, self._url)
        got = await self._source.fetch(marker)
        if got.document is None:
            return self._unchanged(marker, replace(marker, moved=got.moved))
        known = marker.validated(got.etag, got.modified, got.moved, got.document.body, got.document.url)
        if known.body == marker.body:
            return self._unchanged(marker, known)
        feed = await self._read(got.document, known.body)
        return self._page(feed, got.document.url, marker, known)

    def _unchanged(self, before: Marker, after: Marker) -> Page:
        self._same = (after.body, int(self._clock().timestamp()))
        return self._resumed(Page(), before, after)

    async def _read(self, document: Document, body: str) -> Feed:
        """What can never be read is not tried again until it changes: the attempt may cost a minute."""
        if self._hopeless[0] != body:
            try:
                return await read_apart(document)
            except Hopeless as error:
                self._hopeless = (body, str(error))
            except Unreachable as error:
                raise Unreachable(str(error), retry_after=self._pace) from None
        raise Unreachable(self._hopeless[1], retry_after=self._pace)

    def _page(self, feed: Feed, url: str, marker: Marker, known: Marker) -> Page:
        now = self._clock()
        news = news_of(feed, marker)
        unread = {_lost_key(one.raw): one for one in feed.lost}
        page = Page(
            messages=tuple(_message(one, feed, url, now) for one in news.told),
            unreadable=tuple(
                Unreadable(raw=one.raw, reason=one.reason) for key, one in unread.items() if key not in marker.seen
            ),
            gaps=tuple(self._gaps(feed, news, marker, now)),
        )
        known = replace(known, long=known.long or bool(feed.beyond))
        return self._resumed(page, marker, known.seeing([*news.traces, *map(Trace, unread)]))

    def _gaps(self, feed: Feed, news: News, marker: Marker, now: datetime) -> Iterator[Gap]:
        """That a feed is too long is said once: what lies beyond its end was mostly told long ago."""
        if feed.beyond and not marker.long:
            yield Gap(since=None, until=now, reason=_TOO_LONG, count=feed.beyond)
        if news.rolled_over:
            same, at = self._same  # after a restart, the last change is the last poll that we know of
            since = max(marker.at, at) if same == marker.body else marker.at
            yield Gap(since=datetime.fromtimestamp(since, UTC), until=now, reason=_ROLLED_OVER)

    def _resumed(self, page: Page, before: Marker, after: Marker) -> Page:
        if after == before:
            return page
        return replace(page, cursor=replace(after, at=int(self._clock().timestamp())).cursor())


def _message(told: Told, feed: Feed, url: str, now: datetime) -> Message:
    host = urlsplit(url).hostname or "feed"
    entry = told.entry
    name = entry.author or feed.title or host
    return Message(
        id=told.id,
        author=Author(id=entry.author or host, name=name),
        text=_text(entry),
        sent_at=_sent_at(entry, now),
        thread=told.id,
        revision=_revision(now, told.edit),
        url=entry.link or None,
        parts=tuple(_part(one) for one in entry.enclosures),
    )


def _revision(now: datetime, edit: int) -> str:
    """Larger with each poll, and with each edit that one poll finds of an entry."""
    second = f"{int(now.timestamp()):012d}"
    return "" if not edit else second if edit == 1 else f"{second}.{edit:04d}"


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


@asynccontextmanager
async def connect(settings: Settings, http: Http, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Rss]:
    """Nothing is asked until the first poll."""
    yield Rss(settings, http, clock)
