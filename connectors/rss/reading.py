"""A document into a feed; pure, and slow where somebody wants it to be: run it apart.

Nothing is fetched: feedparser is given bytes, never an address. A document that is not well-formed is cut
into its entries and each is read alone, so that one bad entry spoils no other.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from xml.sax import SAXException

import feedparser

from connectors.rss.entries import entry
from connectors.rss.feed import ENTRIES_AT_MOST, Document, Entry, Feed, Lost
from connectors.rss.text import plain

__all__ = ["NotAFeed", "read"]

_RAW_AT_MOST = 65_536
_CUT_OFF_LAST = "the last entry, which is cut off"
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_STATEFUL = ("iso-2022", "iso2022", "hz", "utf-7", "utf7", "utf-16", "utf16", "utf-32", "utf32", "ucs")
"""Encodings whose bytes may also be read as UTF-8, to no sense."""
_OPENS = re.compile(r"<(?:[A-Za-z][\w.-]*:)?(?:item|entry)(?=[\s>])[^<>]*>")
_CLOSES = re.compile(r"</(?:[A-Za-z][\w.-]*:)?(?:item|entry)\s*>")
_UNSEEN = re.compile(r"<!--(?:(?!<!--).)*?-->|<!\[CDATA\[(?:(?!<!\[CDATA\[).)*?\]\]>", re.DOTALL)
"""Comments and quoted text. One that opens again before it closes was never closed: it hides nothing."""
_ROOT = re.compile(r"<([A-Za-z][\w.:-]*)")
_DECLARES_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|(\d+));?")
_ADDRESS_OPENS = re.compile(rb"//\[")


class NotAFeed(ValueError):
    """The document is something else, such as a page for people."""


def read(document: Document) -> Feed:
    """Raises NotAFeed; nothing else, short of running out of time or memory."""
    body = document.body.strip(b" \t\r\n")
    if _DECLARES_ENTITY.search(body, 0, _RAW_AT_MOST):
        body = _without_doctype(body)
    parsed = _parsed(body, document)
    entries: list[Any] = list(parsed.entries) if parsed else []
    version = parsed.get("version", "") if parsed else ""
    feed = _taken(entries, document.url)
    why = parsed.get("bozo_exception") if parsed else SAXException("no parser can read the whole")
    if isinstance(why, SAXException):
        apart = _apart(_decoded(body, parsed), document, str(why))
        # Some dialects nest what we take for entries: then the whole tells more. It also takes the last, where
        # the document breaks off, for an entry: only this one is better lost than told.
        broken_off = sum(one.reason.startswith(_CUT_OFF_LAST) for one in apart.lost)
        feed = apart if len(apart.entries) + broken_off >= len(feed.entries) else feed
    if not (version or entries or feed.entries or (parsed is None and feed.lost)):
        raise NotAFeed("this is no feed")
    title = parsed.feed.get("title", "") if parsed else ""
    return Feed(
        version=version or "",
        title=plain(title)[:200] if isinstance(title, str) else "",
        entries=feed.entries[:ENTRIES_AT_MOST],
        lost=feed.lost[:ENTRIES_AT_MOST],
        beyond=max(0, len(feed.entries) - ENTRIES_AT_MOST),
    )


def _parsed(body: bytes, document: Document) -> Any:
    """None where feedparser fails even without what it stumbles over: impossible characters and addresses."""
    # Without the address of the document: an id that stands for a link must not change when the feed moves.
    headers = {"content-type": _content_type(body, document.content_type)}
    for mend in (None, _mended):
        try:
            return feedparser.parse(
                io.BytesIO(mend(body) if mend else body),
                response_headers=headers,
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112 — whatever a parser of thirty dialects trips over
            continue
    return None


def _mended(body: bytes) -> bytes:
    return _ADDRESS_OPENS.sub(b"//", _REFERENCE.sub(lambda found: found[0] if _is_possible(found) else b" ", body))


def _is_possible(reference: re.Match[bytes]) -> bool:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    code = int(digits, base) if len(digits) < 12 else -1
    return 0 < code < 0xD800 or 0xDFFF < code <= 0x10FFFF


def _content_type(body: bytes, given: str) -> str:
    """The header's charset stands only where the bytes do not speak against it: servers often guess."""
    declared = _DECLARED.search(body)
    named = declared[1].decode() if declared else ""
    header = _CHARSET.search(given)
    if not named.lower().startswith(_STATEFUL) and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ("utf-8", named, header[1] if header else "")
        for name in filter(None, candidates):
            if _decodes(body, name):
                return f"application/xml; charset={name}"
    return "application/xml"


def _decodes(body: bytes, name: str) -> bool:
    try:
        codecs.lookup(name)
        body.decode(name)
    except (LookupError, UnicodeError, ValueError):
        return False
    return b"\x00" not in body[:64]


def _without_doctype(body: bytes) -> bytes:
    """No entity of the document's own is needed to read a feed, and a few lines of them fill any memory."""
    start = re.search(rb"<[A-Za-z]", body)
    head, rest = (body[: start.start()], body[start.start() :]) if start else (body, b"")
    declaration = re.match(rb"<\?xml[^>]*\?>", head)
    return (declaration[0] if declaration else b"") + rest


def _taken(entries: list[Any], base: str) -> Feed:
    taken: list[Entry] = []
    lost: list[Lost] = []
    for raw in entries:
        found = entry(raw, base)
        if found is not None:
            taken.append(found)
        else:
            lost.append(
                Lost(
                    raw=repr(sorted(dict(raw).items())).encode(errors="replace")[:_RAW_AT_MOST],
                    reason="an entry without text or link",
                )
            )
    return Feed(entries=tuple(taken), lost=tuple(lost))


def _decoded(body: bytes, parsed: Any) -> str:
    try:
        return body.decode((parsed.get("encoding") if parsed else "") or "utf-8", "replace")
    except (LookupError, UnicodeError):
        return body.decode("utf-8", "replace")


def _apart(text: str, document: Document, why: str) -> Feed:
    """Each entry read alone, between the head of the document and the ends of what that opens."""
    pieces = list(_pieces(text))
    if not pieces:
        return Feed()
    head = re.sub(r"^\s*<\?xml[^>]*\?>", "", text[: pieces[0][0]])
    tail = _tail(head)
    taken: list[Entry] = []
    lost: list[Lost] = []
    for start, end, whole in pieces[: 2 * ENTRIES_AT_MOST]:
        piece = text[start:end]
        raw = piece.encode(errors="replace")[:_RAW_AT_MOST]
        if not whole:
            cut_off = _CUT_OFF_LAST if end == len(text) else "an entry that is cut off"
            lost.append(Lost(raw=raw, reason=f"{cut_off}: {_short(why)}"))
            continue
        alone = Document(body=(head + piece + tail).encode(errors="replace"), url=document.url)
        parsed = _parsed(alone.body, alone)
        entries = parsed.entries if parsed else []
        found = entry(entries[0], document.url) if entries else None
        if found is None:
            lost.append(Lost(raw=raw, reason=f"not well-formed: {_short(why)}"))
        else:
            taken.append(found)
    return Feed(entries=tuple(taken), lost=tuple(lost))


def _pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where each entry begins and ends, and whether its end is there."""
    seen = _UNSEEN.sub(lambda found: " " * len(found[0]), text)
    starts = [match.start() for match in _OPENS.finditer(seen)]
    for start, following in pairwise((*starts, len(seen))):
        end = _CLOSES.search(seen, start, following)
        yield start, end.end() if end else following, end is not None


def _tail(head: str) -> str:
    root = _ROOT.search(head)
    channel = re.search(r"<channel[\s>]", head) and "</channel>" not in head
    return ("</channel>" if channel else "") + (f"</{root[1]}>" if root else "")


def _short(why: str) -> str:
    return why.rpartition(": ")[2][:100]
