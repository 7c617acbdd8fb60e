"""To whom, and about whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from config.folding import fold
from config.schema import Brand
from sentiment.api import Addressed, Circumstances
from sentiment.cues import Hit

__all__ = ["Names", "Who", "addressed"]

_COMPARED = re.compile(
    r"(?:\b(?:than|unlike|like|to|from|as|with|vs|versus|try|use|using|join|joining"
    r"|over)(?: the)?|比起|比|不像|唔似|跟|和|换|转投|转去|去|改用|改买|选|选择|投奔"
    r"|对比|相比|不如|用返|转用)\s*@?$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Where the text names us, and where a competitor; what is only compared with is left out of `targets`."""

    us: bool = False
    them: bool = False
    targets: Sequence[tuple[int, bool]] = ()  # where, and whether it is a competitor

    def damped(self, hits: Sequence[Hit]) -> frozenset[int]:
        """The starts of hits that speak of a competitor."""
        if not self.them:
            return frozenset()
        return frozenset(hit.start for hit in hits if self._them(hit.start))

    def _them(self, at: int) -> bool:
        before = [theirs for where, theirs in self.targets if where <= at]
        if before:
            return before[-1]
        return bool(self.targets) and all(theirs for _, theirs in self.targets)

    @property
    def only_them(self) -> bool:
        return bool(self.targets) and all(theirs for _, theirs in self.targets)


_NOBODY = Who()


class Names:
    """The names of a brand, of its competitors, and what only looks like the brand."""

    def __init__(self, brand: Brand) -> None:
        ours = {*brand.handles, *brand.aliases, brand.name}
        self._names = tuple({fold(name).text.strip() for name in (*ours, *brand.competitors)} - {""})
        self._ours = _pattern(ours)
        self._theirs = _pattern(brand.competitors)
        self._not_us = _pattern(brand.not_us)

    def read(self, text: str) -> Who:
        """Who is named in the folded `text`."""
        for name in self._names:
            if name in text:
                return self._who(text)
        return _NOBODY

    def _who(self, text: str) -> Who:
        theirs = [match.span() for match in self._theirs.finditer(text)] if self._theirs else []
        ours = [match.span() for match in self._ours.finditer(text)] if self._ours else []
        if ours and self._not_us:
            others = [match.span() for match in self._not_us.finditer(text)]
            ours = [(start, end) for start, end in ours if not any(a < end and start < b for a, b in others)]
        ours = [(start, end) for start, end in ours if not any(a <= start and end <= b for a, b in theirs)]
        if not theirs:
            return Who(us=bool(ours))
        named = sorted([(start, False) for start, _ in ours] + [(start, True) for start, _ in theirs])
        targets = [(start, them) for start, them in named if not _COMPARED.search(text, max(0, start - 16), start)]
        return Who(us=bool(ours), them=True, targets=targets)


def addressed(who: Who, circumstances: Circumstances) -> Addressed:
    """A mention or a private message is to us, whatever else it names."""
    if circumstances.mentions_us or circumstances.private:
        return "to_us"
    if who.us:
        return "about_us"
    return "about_other" if who.them else "unknown"


def _pattern(names: Sequence[str] | set[str] | tuple[str, ...]) -> re.Pattern[str] | None:
    folded = sorted({text for name in names if (text := fold(name).text.strip())}, key=len, reverse=True)
    if not folded:
        return None
    return re.compile("|".join(_bounded(name) for name in folded))


def _bounded(name: str) -> str:
    left = r"(?<![a-z0-9_])" if name[0].isascii() and name[0].isalnum() else ""
    right = r"(?![a-z0-9_])" if name[-1].isascii() and name[-1].isalnum() else ""
    return f"{left}{re.escape(name)}{right}"
