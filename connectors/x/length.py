"""How long X takes a text to be; pure.

A post holds 280 units. Most letters are one unit, Chinese, Japanese and Korean ones and whole emoji are
two, and a link is 23 whatever its length: X shortens it.
https://docs.x.com/fundamentals/counting-characters and, for the ranges of light characters,
https://github.com/twitter/twitter-text/blob/master/config/v3.json.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["LONGEST", "has_link", "weighted_length"]

LONGEST = 280
_LINK_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

_LINK = re.compile(r"https?://[^\s<>\"\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
_BARE = re.compile(r"(?<![@\w.])(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,63}(?![\w@])(?:/[^\s<>\"]*)?")
"""A name without a scheme. X links the ones under a real top-level domain; we take each for a link."""
_PICTURE = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = re.compile(
    rf"[\U0001f1e6-\U0001f1ff]{{2}}"  # a flag
    rf"|[0-9#*]\ufe0f?\u20e3"  # a key
    rf"|{_PICTURE}[\U0001f3fb-\U0001f3ff\ufe0f]*[\U000e0020-\U000e007f]*"
    rf"(?:\u200d{_PICTURE}[\U0001f3fb-\U0001f3ff\ufe0f]*)*"
)


def weighted_length(text: str) -> int:
    """The length in X's units, never less than X counts. Of a name without a scheme the larger reading."""
    normal = unicodedata.normalize("NFC", text)
    total = at = 0
    for start, end, weight in _links(normal):
        total += _plain(normal[at:start]) + weight
        at = end
    return total + _plain(normal[at:])


def has_link(text: str) -> bool:
    """Whether X could find a link, for which it asks thirteen times the price."""
    return _LINK.search(text) is not None or _BARE.search(text) is not None


def _links(text: str) -> list[tuple[int, int, int]]:
    found = [(match.start(), match.end(), _LINK_WEIGHT) for match in _LINK.finditer(text)]
    for match in _BARE.finditer(text):
        if not any(start <= match.start() < end for start, end, _ in found):
            found.append((match.start(), match.end(), max(_LINK_WEIGHT, _plain(match[0]))))
    return sorted(found)


def _plain(text: str) -> int:
    without, emoji = _EMOJI.subn("", text)
    return 2 * emoji + sum(map(_weight, without))


def _weight(character: str) -> int:
    return 1 if any(first <= ord(character) <= last for first, last in _LIGHT) else 2
