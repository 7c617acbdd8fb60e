"""What lint finds: where, which rule, what is wrong and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "did_you_mean"]

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding; line and column count from 1. Errors refuse the file, warnings do not."""

    line: int
    column: int
    level: Level
    rule: str
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column} {self.level} {self.rule}: {self.what} → {self.way_out}"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The way out of an unknown name: the nearest known ones, else all of them."""
    known = sorted(set(names))
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=2, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f"`{folded[name]}`" for name in near) + "?"
    if not known:
        return "none is defined in this file"
    return "known are " + ", ".join(f"`{name}`" for name in known[:20]) + (", …" if len(known) > 20 else "")
