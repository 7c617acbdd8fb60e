"""Feeds as sites write them, made from few words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from html import escape

from connectors.rss.feed import Document, Feed
from connectors.rss.reading import read

__all__ = ["atom", "item", "read_bytes", "rss"]


def item(
    guid: str = "",
    title: str = "",
    text: str = "",
    *,
    at: datetime | None = None,
    more: Mapping[str, str] | None = None,
    **elements: str,
) -> str:
    """One RSS item; `text` is put in as markup that shows it, `more` and all else as elements that stand as given."""
    shown = escape(escape(text).replace("\n", "<br>"))
    whole = {
        "guid": escape(guid),
        "title": escape(title),
        "description": shown,
        "pubDate": format_datetime(at) if at else "",
        **(more or {}),
        **elements,
    }
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in whole.items() if value) + "</item>"


def rss(*items: str, title: str = "Acme News", head: str = "") -> bytes:
    """A document whose items stand as given: sites write the newest first."""
    names = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    top = f'{head}<rss version="2.0" {names}><channel><title>{escape(title)}</title>'
    return (top + "".join(items) + "</channel></rss>").encode()


def atom(*entries: str) -> bytes:
    top = '<feed xmlns="http://www.w3.org/2005/Atom"><title>Acme</title>'
    return (top + "".join(f"<entry>{one}</entry>" for one in entries) + "</feed>").encode()


def read_bytes(body: bytes, content_type: str = "", url: str = "https://acme.example/blog/feed.xml") -> Feed:
    return read(Document(body=body, url=url, content_type=content_type))
