"""Every text of the page, in each language of the interface. Three files with the same keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "Catalogue", "catalogue", "negotiate"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}
_SLOT = re.compile(r"\{([a-z_]+)\}")
_TRADITIONAL = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language. A missing key or slot raises KeyError: the tests then fail, not the reader."""

    language: str
    texts: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """The text with its slots filled; slots are replaced by our own pattern, never by format()."""
        return _SLOT.sub(lambda slot: str(values[slot[1]]), self.texts[key])

    def count(self, key: str, number: int) -> str:
        """The form for this number: `key.one` or `key.other`; Chinese has the same text in both."""
        return self.text(f"{key}.one" if number == 1 else f"{key}.other", n=number)

    def name(self, group: str, value: str) -> str:
        """The word for a value such as a state or a language; the value itself where there is none."""
        return self.texts.get(f"{group}.{value}", value)

    def under(self, prefix: str) -> dict[str, str]:
        """The texts that the script of the page needs."""
        return {key.removeprefix(prefix): text for key, text in self.texts.items() if key.startswith(prefix)}


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES, read once."""
    raw = files("feed.catalogue").joinpath(f"{language}.json").read_text(encoding="utf-8")
    return Catalogue(language, json.loads(raw))


def negotiate(chosen: str | None, accept: str) -> str:
    """The viewer's own choice, then the browser's wish in its order, then English."""
    if chosen is not None and chosen in LANGUAGES:
        return chosen
    for wish in _wishes(accept):
        if wish.startswith(_TRADITIONAL):
            return "zh-Hant"
        if wish == "zh" or wish.startswith("zh-"):
            return "zh-Hans"
        if wish == "en" or wish.startswith("en-"):
            return "en"
    return "en"


def _wishes(accept: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for item in accept.lower()[:500].split(","):
        tag, _, parameter = item.strip().partition(";")
        weight = parameter.strip().removeprefix("q=") if parameter else "1"
        try:
            weighed.append((-float(weight), tag.strip()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
