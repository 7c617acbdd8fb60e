"""What a feed holds, as it crosses from the process that reads it to ours."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["ENTRIES_AT_MOST", "TEXT_AT_MOST", "Document", "Enclosure", "Entry", "Feed", "Lost"]

ENTRIES_AT_MOST = 5_000
TEXT_AT_MOST = 10_000


class Document(Struct, frozen=True, kw_only=True):
    """A feed as it was fetched. `url` is where it lay at last: what relative links are relative to."""

    body: bytes
    url: str
    content_type: str = ""


class Enclosure(Struct, frozen=True, kw_only=True):
    href: str
    type: str = ""
    name: str | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """One entry as plain text; links are http or https.

    In seconds since 1970, where it says so: `at` is when it was written, `updated` when it was last changed.
    """

    guid: str = ""
    link: str = ""
    title: str = ""
    text: str = ""
    author: str = ""
    at: float | None = None
    updated: float | None = None
    enclosures: tuple[Enclosure, ...] = ()


class Lost(Struct, frozen=True, kw_only=True):
    """An entry that nobody can read: what stands there, and why."""

    raw: bytes
    reason: str


class Feed(Struct, frozen=True, kw_only=True):
    """`entries` stand in the order of the document; `beyond` counts those after the last that is read."""

    version: str = ""
    title: str = ""
    entries: tuple[Entry, ...] = ()
    lost: tuple[Lost, ...] = ()
    beyond: int = 0
