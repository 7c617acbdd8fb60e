"""The literals of cues, found in one pass, and what each of them means to patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

__all__ = ["Automaton", "Chain", "Literal", "Match", "Roles", "Span", "Table", "bare", "plain", "union"]

_FIRST_WIDE = "\u2e80"
_KEPT = "%$+"
_FIRST, _LAST = 600, 200
"""Matches that are looked at: a text of 1,000 Chinese characters holds about 600."""
_ABOUNDS = 3
"""Latin words of so many letters are met in every text."""
_MARKED = "[#@"
"""What bracket faces and the like begin with: they are no words of Latin text."""

Span = tuple[int, int, int]
"""Start, end, and the number of a part of patterns."""
Match = tuple[int, int, int]
"""Number of the literal, start and end."""
_Check = Callable[[str, int, int], Span | None]
Meaning = tuple[int, int, int, _Check | None]
"""A part of patterns, how much narrower than the match it stands, on either side, and what else must hold."""


def _blanks(kept: str) -> bytes:
    """For `bytes.translate`: a blank for all that is no letter, no digit and not `kept`."""
    return bytes(code if chr(code).isalnum() or chr(code) in kept else 32 for code in range(128)).ljust(256)


_PLAIN, _BARE = _blanks(_KEPT), _blanks("")
"""Punctuation around Latin words counts as a blank, so that a blank on either side of a literal bounds it."""


class Literal(NamedTuple):
    """One way to say one part of patterns."""

    part: int
    bounded_left: bool
    bounded_right: bool
    text: str

    @classmethod
    def of(cls, part: int, choice: str) -> Literal:
        """From a cue file: a final `*` leaves it open at its end."""
        text = choice.removesuffix("*")
        return cls(part, _is_latin(text[0]), _is_latin(text[-1]) and text == choice, text)

    @property
    def is_word(self) -> bool:
        """Whether it can be looked for among blanked text."""
        return self.text.isascii() and self.text[0] not in _MARKED and bool(plain(self.text).strip())

    @property
    def is_signed(self) -> bool:
        """Whether only `plain` text can hold it, not `bare` text."""
        return plain(self.text) != bare(self.text)

    @property
    def frequency(self) -> float:
        """A guess from its length: a Chinese character is rarer than a letter, and short words abound."""
        wide = sum(character >= _FIRST_WIDE for character in self.text)
        return float(6.0 ** -max(0, len(self.text) - wide - _ABOUNDS * (not wide)) * 1500.0**-wide)

    def padded(self) -> str:
        """As it is looked for among blanked text: a blank wherever a word must begin or end."""
        return " " * self.bounded_left + plain(self.text) + " " * self.bounded_right

    def in_words(self) -> Meaning:
        """Of a match in blanked text of ASCII, which holds its own bounds."""
        return self.part, self.bounded_left - 1, self.bounded_right + 1, None

    def in_mixed(self) -> Meaning:
        """Of a match in blanked text where a blank may stand for anything that is no ASCII letter or digit."""
        return self.part, 0, 0, self._verified

    def in_text(self) -> Meaning:
        """Of a match in the text itself."""
        return self.part, 0, 0, self._bounded if self.bounded_left or self.bounded_right else None

    def _bounded(self, text: str, start: int, end: int) -> Span | None:
        """Nothing where a Latin word goes on beside it; a Chinese character bounds a word as well as a blank."""
        part, left, right, _ = self
        if left and start and _is_latin(text[start - 1]):
            return None
        if right and end < len(text) and _is_latin(text[end]):
            return None
        return start, end, part

    def _verified(self, text: str, start: int, end: int) -> Span | None:
        start += self.bounded_left - 1
        return self._bounded(text, start, end - self.bounded_right - 1) if text.startswith(self.text, start) else None


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A pattern of several parts: it cannot hold unless all of them stand in the text."""

    parts: frozenset[int]
    bits: int  # one for each part
    hint: re.Pattern[str] | None  # stands, as it was written, in every text where it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What parts of patterns are for."""

    alone: Collection[int]  # those that say something by themselves
    bits: Mapping[int, int]  # one for each part of chains
    calls: Mapping[int, Sequence[Chain]]  # the chains by the part that they are noticed by


class Automaton:
    """Texts to be found, overlaps too; each is known by a number."""

    def __init__(self, literals: Iterable[tuple[str, Literal]]) -> None:
        found: dict[str, list[Literal]] = {}
        for text, literal in literals:
            found.setdefault(text, []).append(literal)
        self.literals = tuple(map(tuple, found.values()))
        self.matches: Callable[..., list[Match]] = AhoCorasick(list(found)).find_matches_as_indexes


class Table:
    """What each literal of an automaton means, by its number, in texts of one form."""

    def __init__(self, automaton: Automaton, form: Callable[[Literal], Meaning], roles: Roles) -> None:
        self._matches = automaton.matches
        shared: dict[int, int] = {}  # few different sets: they stay in the processor's cache
        self.says: list[tuple[tuple[Meaning, ...], tuple[Chain, ...]] | None] = []
        self.parts: list[int] = []
        self.gaps: list[tuple[Meaning, ...]] = []
        for literals in automaton.literals:
            alone = tuple(form(one) for one in literals if one.part in roles.alone)
            chains = tuple(dict.fromkeys(chain for one in literals for chain in roles.calls.get(one.part, ())))
            parts = union(roles.bits.get(one.part, 0) for one in literals)
            self.says.append((alone, chains) if alone or chains else None)
            self.parts.append(shared.setdefault(parts, parts))
            self.gaps.append(tuple(form(one) for one in literals if one.part in roles.bits))

    def matches(self, text: str) -> list[Match]:
        """All that stands in `text`, in the order of the ends; of a flood of literals, the first and the last ones."""
        found = self._matches(text, overlapping=True)
        return found if len(found) <= _FIRST + _LAST else found[:_FIRST] + found[-_LAST:]


def union(sets: Iterable[int]) -> int:
    whole = 0
    for one in sets:
        whole |= one
    return whole


def plain(text: str) -> str:
    """The text as ASCII words, as long as before: a blank for all other characters but a few signs."""
    return text.encode("ascii", "replace").translate(_PLAIN).decode("ascii")


def bare(text: str) -> str:
    """As `plain`, without the signs."""
    return text.encode("ascii", "replace").translate(_BARE).decode("ascii")


def _is_latin(character: str) -> bool:
    """Whether it goes on a word of a script that sets blanks between words."""
    return character < _FIRST_WIDE and character.isalnum()
