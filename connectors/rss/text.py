"""Markup into plain text; pure. Whatever is put in, text comes out."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

__all__ = ["clean", "plain", "safe_link"]

_MARKUP_AT_MOST = 60_000
_LINK_AT_MOST = 2_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]|&#?\w+;")
_HIDDEN = frozenset({"script", "style", "template", "noscript", "title", "iframe", "object", "svg"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table",
    "tr", "ul",
})  # fmt: skip
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "pre"})


def clean(text: str) -> str:
    """Without control characters and halves of surrogate pairs; every line ends in one line feed."""
    whole = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub("", whole).strip()


def plain(value: str, kind: str = "text/html") -> str:
    """The words of an element; its line breaks stay where it has no markup."""
    if kind == "text/plain" or not _MARKUP.search(value):
        return clean(value)
    words = _Words()
    try:
        words.feed(value[:_MARKUP_AT_MOST])
        words.close()
    except (AssertionError, ValueError, OverflowError):  # the parser's own, on monstrous references and declarations
        return clean(re.sub(r"<[^<>]*>", " ", value[:_MARKUP_AT_MOST]))
    return clean(words.text())


def safe_link(address: object, base: str = "") -> str:
    """An http or https address, absolute; empty for anything else, such as `javascript:`.

    The address of the document leads to no entry and may hold a key: what says no more than it is empty too.
    """
    if not isinstance(address, str) or clean(address)[:1] in {"", "#"}:
        return ""
    try:
        written = urlsplit(clean(address))
        whole = urljoin(urlsplit(base)._replace(query="", fragment="").geturl(), clean(address))
        parts = urlsplit(whole)
        usable = (
            not (written.scheme and not written.hostname) and parts.scheme in {"http", "https"} and bool(parts.hostname)
        )
    except ValueError:
        return ""
    if not usable or len(whole) > _LINK_AT_MOST or re.search(r"\s", whole) or urldefrag(whole)[0] == base:
        return ""
    return whole


class _Words(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 — the parser's
        if tag in _HIDDEN:
            self._hidden += 1
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 — the parser's
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        if tag != "br":
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._pieces.append(re.sub(r"[ \t\r\n\f]+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._pieces.append("\n\n" if tag in _APART else "\n")

    def text(self) -> str:
        lines = (re.sub(r"[ \xa0]+", " ", line).strip() for line in "".join(self._pieces).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
