"""What a stranger wrote, made safe to look at: escaped, tamed, and with the matched words marked. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

__all__ = ["excerpt", "marked", "plain", "visible"]

Span = tuple[int, int]
SHOWN_AT_MOST = 4_000
MARKS_AT_MOST = 4
# Controls other than line feed and tab, and all that turns the direction of the text around.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_COMBINING = re.compile(f"({_MARK}{{{MARKS_AT_MOST}}}){_MARK}+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> Markup:
    """The text escaped, each hidden character as a small box with its number, stacked accents cut."""
    calm = _COMBINING.sub(r"\1", _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n")))
    pieces: list[Markup] = []
    position = 0
    for hidden in _HIDDEN.finditer(calm):
        pieces.append(escape(calm[position : hidden.start()]))
        pieces.append(Markup('<span class="hidden-char" title="U+{0:04X}">{0:04X}</span>').format(ord(hidden[0])))
        position = hidden.end()
    pieces.append(escape(calm[position:]))
    return Markup("").join(pieces)


def marked(text: str, spans: Iterable[Sequence[int]] = (), limit: int = SHOWN_AT_MOST) -> Markup:
    """The first `limit` characters, with `spans` (offsets in the text, the end not included) in <mark>."""
    shown = text[:limit]
    pieces: list[Markup] = []
    position = 0
    for start, end in _merged(spans, len(shown)):
        pieces += [visible(shown[position:start]), Markup("<mark>{}</mark>").format(visible(shown[start:end]))]
        position = end
    pieces.append(visible(shown[position:]))
    if len(text) > limit:
        pieces.append(Markup("…"))
    return Markup("").join(pieces)


def excerpt(text: str, spans: Iterable[Sequence[int]] = (), limit: int = 180) -> Markup:
    """One line for a list: line breaks become spaces, so offsets stay what they are."""
    return marked(text[: limit + 1].replace("\n", " ").replace("\t", " "), spans, limit)


def plain(text: str) -> str:
    """The text for an attribute or a title: no hidden character at all."""
    return _HIDDEN.sub("\u25a1", _COMBINING.sub(r"\1", _SURROGATE.sub("\ufffd", text)))


def _merged(spans: Iterable[Sequence[int]], length: int) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted((max(0, int(span[0])), min(length, int(span[1]))) for span in spans if len(span) == 2):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
