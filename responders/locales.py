"""In whose language: which of a style's locales a customer is answered in; pure.

Asked in turn are the customer's own setting, the language of the message, the channel's locale and
the fallback; the first of them that the style has a text for wins. A wish is met by its own locale,
else by the same language without the region, else by the language in another region. A wish for one
script is never met by the other, and nothing is machine-converted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Tag", "ladder", "locale_for", "tag"]

_TRADITIONAL = frozenset({"TW", "HK", "MO"})
_SIMPLIFIED = frozenset({"CN", "SG", "MY"})
_ALIASES = {"cmn": "zh", "yue": "zh-hant-hk", "zho": "zh", "chi": "zh", "eng": "en", "spa": "es"}


class Tag(NamedTuple):
    """A BCP 47 tag, as far as it matters here; what it does not say is empty."""

    language: str
    script: str = ""
    region: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, self))


@lru_cache(maxsize=1024)
def tag(text: str) -> Tag:
    """Read a tag: zh-CN and zh-SG are zh-Hans, zh-TW, zh-HK and zh-MO are zh-Hant."""
    head, *rest = text.replace("_", "-").lower().split("-")
    head, *more = _ALIASES.get(head, head).split("-")
    script = region = ""
    for part in (*rest, *more):
        if len(part) == 4 and part.isalpha():
            script = script or part.title()
        elif (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
            region = region or part.upper()
    if head == "zh" and not script:
        script = "Hant" if region in _TRADITIONAL else "Hans" if region in _SIMPLIFIED else ""
    return Tag(head, script, region)


def ladder(wish: Tag) -> Iterator[Tag]:
    """The wish, then the same with less and less said."""
    yield wish
    if wish.region:
        yield wish._replace(region="")
    if wish.script:
        yield Tag(wish.language)


def locale_for(
    available: Collection[str], *, customer: str | None, script: str, channel: str | None, fallback: str | None
) -> str | None:
    """Choose one of `available`, as it is written there; None where no text of the style may be used.

    `script` is the language that was read in the message; `zh` stands for Chinese of which the script
    cannot be told, `und` for not known. A message in traditional Chinese is never answered in
    simplified where there is a traditional text, whatever the customer's setting says.
    """
    keys = {tag(key): key for key in sorted(available, reverse=True)}
    written, place = tag(script), tag(channel or "")
    for text in (customer, script, channel, fallback):
        if text and text != "und":
            wish = tag(text)
            found = _match(keys, _refined(wish, written, place, tag(customer or ""))) or _match(keys, wish)
            if found is not None:
                return keys[found]
    return None


def _refined(wish: Tag, written: Tag, place: Tag, own: Tag) -> Tag:
    """Say of a wish for Chinese what the message, the customer's setting or the channel tell beside it."""
    if wish.language != "zh":
        return wish
    if written.script == "Hant" and written.language == "zh":
        wish = wish if wish.script == "Hant" else written
    if not wish.script:
        script = next((tag.script for tag in (own, written, place) if tag.language == "zh" and tag.script), "")
        wish = wish._replace(script=script)
    if not wish.region:
        region = next((tag.region for tag in (own, written, place) if tag[:2] == wish[:2] and tag.region), "")
        wish = wish._replace(region=region)
    return wish


def _match(keys: Collection[Tag], wish: Tag) -> Tag | None:
    """The best key for a wish: itself, then more general ones, then the same in another region."""
    for rung in ladder(wish):
        if rung in keys:
            return rung
    return next((key for key in sorted(keys) if _akin(key, wish)), None)


def _akin(key: Tag, wish: Tag) -> bool:
    return key.language == wish.language and (key.script == wish.script or not (key.script and wish.script))
