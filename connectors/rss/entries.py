"""One entry of feedparser into ours; pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.rss.feed import TEXT_AT_MOST, Enclosure, Entry
from connectors.rss.text import clean, plain, safe_link

__all__ = ["entry"]

_PARTS_AT_MOST = 20
_MAILBOX = re.compile(r"[^\s()@]+@[^\s()@]+\s*\(([^()]+)\)")  # RSS: mei@acme.example (Mei)
_NAME_AT_MOST = 200
_GUID_AT_MOST = 2_000


def entry(raw: Mapping[str, Any], base: str) -> Entry | None:
    """None where there is nothing that anybody could read: no word, no link and no file."""
    title = plain(_text(raw, "title"), _kind(raw, "title_detail"))
    found = Entry(
        guid=clean(_text(raw, "id"))[:_GUID_AT_MOST],
        link=safe_link(_get(raw, "link"), base),
        title=_cut(title, _NAME_AT_MOST * 5),
        text=_cut(_body(raw), TEXT_AT_MOST),
        author=_author(raw),
        at=_at(raw, "published_parsed", "updated_parsed", "created_parsed"),
        updated=_at(raw, "updated_parsed"),
        enclosures=tuple(_enclosures(raw, base))[:_PARTS_AT_MOST],
    )
    return found if found.title or found.text or found.link or found.enclosures else None


def _get(raw: Mapping[str, Any], key: str) -> Any:
    """Feedparser's own `get` gives one date for another, with a warning."""
    return dict.get(raw, key) if isinstance(raw, dict) else None


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = _get(raw, key)
    return value if isinstance(value, str) else ""


def _kind(raw: Mapping[str, Any], key: str) -> str:
    detail = _get(raw, key)
    return _text(detail, "type") if isinstance(detail, Mapping) else ""


def _body(raw: Mapping[str, Any]) -> str:
    """The fullest of what is given: a summary, or the whole content."""
    given = [(_text(raw, "summary"), _kind(raw, "summary_detail"))]
    given += [(_text(one, "value"), _text(one, "type")) for one in _list(raw, "content")]
    return max((plain(*one) for one in given), key=len)


def _author(raw: Mapping[str, Any]) -> str:
    """Their name; where there is none, what stands for it."""
    detail = _get(raw, "author_detail")
    names = [_text(detail, key) for key in ("name", "href", "email")] if isinstance(detail, Mapping) else []
    mailbox = _MAILBOX.fullmatch(_text(raw, "author")[:1_000])
    names = [mailbox[1], *names] if mailbox else names
    return next((name for name in (clean(plain(one)) for one in (*names, _text(raw, "author"))) if name), "")[
        :_NAME_AT_MOST
    ]


def _at(raw: Mapping[str, Any], *keys: str) -> float | None:
    for key in keys:
        parsed = _get(raw, key)
        if parsed is not None:
            try:
                return float(calendar.timegm(parsed))
            except (ValueError, OverflowError, TypeError):
                continue
    return None


def _enclosures(raw: Mapping[str, Any], base: str) -> Iterator[Enclosure]:
    """What comes with an entry, each address once."""
    told: set[str] = set()
    given = [one for one in _list(raw, "links") if _text(one, "rel") == "enclosure"]
    for one in (*given, *_list(raw, "media_content"), *_list(raw, "media_thumbnail")):
        href = safe_link(_get(one, "href") or _get(one, "url"), base)
        if href and href not in told:
            told.add(href)
            kind = (
                _text(one, "type") or _text(one, "medium") or ("image" if one in _list(raw, "media_thumbnail") else "")
            )
            name = clean(_text(one, "title"))[:_NAME_AT_MOST] or None
            yield Enclosure(href=href, type=clean(kind)[:_NAME_AT_MOST].lower(), name=name)


def _list(raw: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = _get(raw, key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
