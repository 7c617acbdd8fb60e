"""Fetches a feed, in full or not at all where it is unchanged.

The address in the file is trusted and called as it stands; where it redirects to is anybody's, and goes
through the guard. A permanent redirect is remembered in the cursor; when the new address fails, the old
one is asked again. What an address gave to ask by (ETag, Last-Modified) is sent to that address only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from yarl import URL

from connectors.answers import Answer
from connectors.api import Http
from connectors.errors import ConnectorError, Denied, Refused, Unreachable
from connectors.rss.feed import Document
from connectors.rss.marker import Marker, address_digest
from connectors.rss.settings import is_trusted

__all__ = ["FEED_AT_MOST", "Fetched", "Source"]

FEED_AT_MOST = 16_000_000
_PERMANENT = frozenset({301, 308})
_REDIRECTS = _PERMANENT | {302, 303, 307}
_ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.5"
_GONE = "says that this feed is gone for good: take the channel out of the file, or correct its `url`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """`document` None: unchanged. `moved` is the address to ask from now on, empty for the one in the file."""

    document: Document | None
    moved: str = ""
    etag: str = ""
    modified: str = ""


class Source:
    """One feed. What is wrong with its address is asked again no oftener than `pace`."""

    def __init__(self, http: Http, url: str, pace: timedelta, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._url = url
        self._pace = pace
        self._clock = clock

    async def fetch(self, marker: Marker) -> Fetched:
        """Raises Denied where a person must act, else Unreachable.

        That is at 401 and 410, and at 403 where the address never gave a feed: later it may be a firewall's mood.
        """
        failure: ConnectorError | None = None
        if marker.moved:
            try:
                return await self._under_guard(marker.moved, marker, marker.moved)
            except (Unreachable, Denied) as error:
                if isinstance(error, Unreachable) and error.retry_after not in {None, self._pace}:
                    raise  # it is there, and asks for patience
                failure = error
        if not is_trusted(self._url):
            return await self._under_guard(self._url, marker, "")
        return await self._as_written(marker, failure)

    async def _as_written(self, marker: Marker, failure: ConnectorError | None) -> Fetched:
        path = URL(self._url).path
        answer = await self._http.send(
            "GET",
            self._url,
            headers=_headers(marker, self._url),
            limit=FEED_AT_MOST,
            hide=(path,) if len(path) > 1 else (),
        )
        if answer.status in _REDIRECTS and "location" in answer.headers:
            to = self._target(answer)
            if failure is not None and to == marker.moved:
                raise failure
            return await self._under_guard(to, marker, to if self._remembers(answer.status, to) else "")
        problem = self._problem(answer, marker)
        if problem is not None:
            raise problem
        return _fetched(answer.status, answer.headers, answer.body, self._url, marker, "")

    async def _under_guard(self, url: str, marker: Marker, moved: str) -> Fetched:
        try:
            got = await self._http.guarded(url, headers=_headers(marker, url), limit=FEED_AT_MOST)
            if got.status == HTTPStatus.NOT_MODIFIED and not _validates(marker, got.url):
                # It went on to another address, which was asked by what it never gave.
                got = await self._http.guarded(url, headers={"Accept": _ACCEPT}, limit=FEED_AT_MOST)
        except Denied as error:
            if marker.body and str(error).endswith(f"answered {HTTPStatus.FORBIDDEN.value}"):
                raise Unreachable(str(error), retry_after=self._pace) from None
            raise
        except Refused as error:
            # The guard tells a status only by its words.
            if str(error).endswith(f"answered {HTTPStatus.GONE.value}"):
                raise Denied(f"{URL(url).host} {_GONE}") from None
            raise Unreachable(str(error), retry_after=self._pace) from None
        return _fetched(got.status, got.headers, got.body, got.url, marker, moved)

    def _target(self, answer: Answer) -> str:
        try:
            return str(URL(self._url).join(URL(answer.headers["location"])))
        except (ValueError, IndexError):
            raise Unreachable(f"{answer.where}: redirects to what is not an address", retry_after=self._pace) from None

    def _remembers(self, status: int, to: str) -> bool:
        """What comes over plain http may come from anybody on the way: it moves nothing to another host."""
        here, there = URL(self._url), URL(to)
        return status in _PERMANENT and (here.scheme == "https" or here.host == there.host)

    def _problem(self, answer: Answer, marker: Marker) -> ConnectorError | None:
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        if answer.status == HTTPStatus.GONE:
            return Denied(f"{URL(self._url).host} {_GONE}")
        if answer.status == HTTPStatus.NOT_FOUND:
            what = f"{URL(self._url).host} has no feed at this address (404): correct `url`, if this stays"
            return Unreachable(what, retry_after=self._pace)
        failure = answer.failure(self._clock())
        mood = answer.status == HTTPStatus.FORBIDDEN and marker.body
        return Unreachable(str(failure), retry_after=self._pace) if isinstance(failure, Refused) or mood else failure


def _headers(marker: Marker, url: str) -> Mapping[str, str]:
    headers = {"Accept": _ACCEPT}
    if _validates(marker, url):
        headers |= {"If-None-Match": marker.etag, "If-Modified-Since": marker.modified}
    return {name: value for name, value in headers.items() if value}


def _validates(marker: Marker, url: str) -> bool:
    """Whether this is the address that the validators came from."""
    return bool(marker.etag or marker.modified) and marker.validates == address_digest(url)


def _fetched(status: int, headers: Mapping[str, str], body: bytes, url: str, marker: Marker, moved: str) -> Fetched:
    if status == HTTPStatus.NOT_MODIFIED:
        if not _validates(marker, url):
            raise Unreachable("the server calls a feed unchanged that we never had")
        return Fetched(document=None, moved=moved, etag=marker.etag, modified=marker.modified)
    document = Document(body=body, url=url, content_type=headers.get("content-type", ""))
    return Fetched(
        document=document,
        moved=moved,
        etag=headers.get("etag", ""),
        modified=headers.get("last-modified", ""),
    )
