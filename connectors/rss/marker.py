"""Where a feed was left off: its validators, its new address, and what was seen there; the opaque cursor."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace

import msgspec
from yarl import URL

from connectors.api import Cursor
from connectors.rss.feed import ENTRIES_AT_MOST, Entry

__all__ = ["GONE_KEPT", "REPEATS", "Marker", "Trace", "address_digest", "digest", "key", "repeats", "trace", "words"]

GONE_KEPT = 500
"""Entries that left the document are known for a while: some servers give now an old, now a new one."""
_HELD_AT_MOST = 3 * ENTRIES_AT_MOST
_KEY, _SIDE = 8, 6
_RECORD = _KEY + 2 * _SIDE
_HEADER_AT_MOST = 1_000
REPEATS = b"\xff" * _SIDE
"""Stands where the content of one entry would."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of an entry: its identity, what it says, and all that tells it from others (`place`)."""

    key: bytes
    content: bytes = bytes(_SIDE)
    place: bytes = bytes(_SIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """`at` is when this marker was made, in whole seconds. `feed` is the address in the file, as a digest.

    `etag` and `modified` hold for the address whose digest is `validates`, and for no other. The first `held`
    of `seen` stood in the last document. `long`: it once was longer than is read, and this was told.
    """

    feed: str
    at: int = 0
    etag: str = ""
    modified: str = ""
    moved: str = ""
    body: str = ""
    validates: str = ""
    held: int = 0
    long: bool = False
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
            return cls(feed=feed, at=wire.at, held=wire.held, seen=seen)
        return cls(**{name: getattr(wire, name) for name in _KEPT}, seen=seen)

    def cursor(self) -> Cursor:
        packed = b"".join(trace.key + trace.content + trace.place for trace in self.seen.values())
        kept = {name: getattr(self, name) for name in _KEPT}
        wire = _Wire(**kept, seen=base64.b64encode(packed).decode())
        return Cursor(msgspec.json.encode(wire).decode())

    def validated(self, etag: str, modified: str, moved: str, body: bytes, url: str = "") -> Marker:
        """After a whole document, out of `url`. Monstrous validators are left out: it then comes in full."""
        return replace(
            self,
            etag=_header(etag),
            modified=_header(modified),
            moved=moved,
            body=digest(body)[:12],
            validates=address_digest(url),
        )

    def seeing(self, traces: list[Trace]) -> Marker:
        """What the document holds now, then what it held before, within bounds."""
        now = {trace.key: trace for trace in traces[:_HELD_AT_MOST]}
        gone = [trace for key, trace in self.seen.items() if key not in now][:GONE_KEPT]
        return replace(self, seen=now | {trace.key: trace for trace in gone}, held=len(now))

    def last(self) -> list[Trace]:
        """What the last document held."""
        return list(self.seen.values())[: max(0, self.held)]


class _Wire(msgspec.Struct, array_like=True):
    feed: str
    seen: str
    at: int = 0
    etag: str = ""
    modified: str = ""
    moved: str = ""
    body: str = ""
    validates: str = ""
    held: int = 0
    long: bool = False


_KEPT = tuple(name for name in _Wire.__struct_fields__ if name != "seen")


def digest(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    return hashlib.sha256(raw).hexdigest()


def address_digest(url: str) -> str:
    """The same however the address is written: the client gives it back in its own spelling."""
    try:
        return digest(str(URL(url).with_fragment(None)))[:12]
    except (ValueError, IndexError):
        return digest(url)[:12]


def key(identity: str) -> bytes:
    return bytes.fromhex(digest(_without_scheme(identity)))[:_KEY]


def words(entry: Entry) -> str:
    """A digest of all that tells an entry from others and stays: some sites date each anew at every request."""
    return digest(chr(0).join((_without_scheme(entry.link), entry.title, entry.text, entry.author)))


def trace(identity: str, entry: Entry) -> Trace:
    """The title and text alone say whether an entry was edited: dates and links change by themselves."""
    says = f"{entry.title}\0{entry.text}"
    place = f"{words(entry)}\0{entry.at}"
    return Trace(key(identity), bytes.fromhex(digest(says))[:_SIDE], bytes.fromhex(digest(place))[:_SIDE])


def repeats(identity: bytes) -> Trace:
    """Remembers of an identity, by its key, that several entries share it."""
    return Trace(identity, REPEATS)


def _without_scheme(address: str) -> str:
    """A site that turns to https is still the same."""
    return address.partition("://")[2] if address.startswith(("http://", "https://")) else address


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
