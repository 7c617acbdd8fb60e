"""Where a feed was left off: its validators, its new address, and what was seen there; the opaque cursor."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace

import msgspec

from connectors.api import Cursor
from connectors.rss.feed import ENTRIES_AT_MOST, Entry

__all__ = ["GONE_KEPT", "Marker", "Trace", "digest", "trace"]

GONE_KEPT = 500
"""Entries that left the document are known for a while: some servers give now an old, now a new one."""
_KEY, _SIDE = 8, 6
_RECORD = _KEY + 2 * _SIDE
_HEADER_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of an entry: whose it is, what it says, and where it leads together with what it says."""

    key: bytes
    content: bytes = bytes(_SIDE)
    place: bytes = bytes(_SIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """`at` is when this marker was made, in whole seconds. `feed` is the address in the file, as a digest."""

    feed: str
    at: int = 0
    etag: str = ""
    modified: str = ""
    moved: str = ""
    body: str = ""
    seen: dict[bytes, Trace] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Cursor | None, url: str) -> Marker:
        """A cursor that cannot be read starts anew; of another address, only what was seen is kept."""
        feed = digest(url)[:12]
        try:
            wire = msgspec.json.decode(cursor or "", type=_Wire)
            packed = base64.b64decode(wire.seen, validate=True)
        except (msgspec.DecodeError, ValueError):
            return cls(feed=feed)
        seen = {trace.key: trace for trace in _unpacked(packed)}
        if wire.feed != feed:
            return cls(feed=feed, at=wire.at, seen=seen)
        return cls(
            **{name: getattr(wire, name) for name in ("feed", "at", "etag", "modified", "moved", "body")}, seen=seen
        )

    def cursor(self) -> Cursor:
        packed = b"".join(trace.key + trace.content + trace.place for trace in self.seen.values())
        wire = _Wire(
            self.feed, base64.b64encode(packed).decode(), self.at, self.etag, self.modified, self.moved, self.body
        )
        return Cursor(msgspec.json.encode(wire).decode())

    def validated(self, etag: str, modified: str, moved: str, body: bytes) -> Marker:
        """After a whole document. Monstrous validators are left out: the document then comes in full."""
        return replace(self, etag=_header(etag), modified=_header(modified), moved=moved, body=digest(body)[:12])

    def seeing(self, traces: list[Trace]) -> Marker:
        """What the document holds now, then what it held before, within bounds."""
        now = {trace.key: trace for trace in traces[: 2 * ENTRIES_AT_MOST]}
        gone = [trace for key, trace in self.seen.items() if key not in now][:GONE_KEPT]
        return replace(self, seen=now | {trace.key: trace for trace in gone})


class _Wire(msgspec.Struct, array_like=True):
    feed: str
    seen: str
    at: int = 0
    etag: str = ""
    modified: str = ""
    moved: str = ""
    body: str = ""


def digest(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    return hashlib.sha256(raw).hexdigest()


def trace(identity: str, entry: Entry) -> Trace:
    """The title and text alone say whether an entry was edited: dates and links change by themselves."""
    says = f"{entry.title}\0{entry.text}"
    where = entry.link.partition("://")[2]  # a site that turns to https is still the same
    place = bytes.fromhex(digest(f"{where}\0{says}"))[:_SIDE] if where else bytes(_SIDE)
    return Trace(bytes.fromhex(digest(identity))[:_KEY], bytes.fromhex(digest(says))[:_SIDE], place)


def _unpacked(packed: bytes) -> list[Trace]:
    if len(packed) % _RECORD:
        raise ValueError("not a whole number of records")
    cuts = range(0, len(packed), _RECORD)
    return [
        Trace(packed[at : at + _KEY], packed[at + _KEY : at + _KEY + _SIDE], packed[at + _KEY + _SIDE : at + _RECORD])
        for at in cuts
    ]


def _header(value: str) -> str:
    return value if len(value) <= _HEADER_AT_MOST and value.isascii() and value.isprintable() else ""
