"""Words and phrases that mean something to a reader, all found in one pass over the folded text.

A file of cues has three columns: tag, weight, patterns separated by `; `. In a pattern
`(a|b|)` is a choice, `{name}` a choice written once as `=name`, a final `*` leaves a word open at its end,
and ` .. ` stands for a gap: both sides, in this order, close together, in one sentence. A tag that begins
with `-` takes back what it overlaps: `-self_harm` that tag, `-` every tag.
Patterns are folded like the messages, so that they may be written in either Chinese script.
Latin words match whole words; Chinese ones match inside text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from config.folding import fold
from sentiment.data import rows

__all__ = ["Cues", "Found", "Hit"]

_GAP = 44
"""Characters between two parts of one pattern, at most."""
_STOPS = re.compile(r"[.!?。！？;；\n](?!\d)")
_NAME = re.compile(r"\{([^{}]+)\}")
_FIRST_WIDE = "\u2e80"
_LINE_ENDS = str.maketrans("\n\r\t\u3000", "    ")


class Hit(NamedTuple):
    """One cue found: where it stands in the folded text, and what it says."""

    start: int
    end: int
    tag: str
    weight: float


Found = Mapping[str, list[Hit]]
"""Hits by tag, each list in the order of the text."""


class _Literal(NamedTuple):
    part: int
    bounded_left: bool
    bounded_right: bool


class _Rule(NamedTuple):
    tag: str
    weight: float
    rest: tuple[int, ...]  # the parts that must follow


class Cues:
    """Patterns compiled into one overlapping automaton."""

    def __init__(self, files: Iterable[str]) -> None:
        self._parts: dict[tuple[str, ...], int] = {}
        self._literals: dict[str, list[_Literal]] = {}
        self._rules: dict[int, list[_Rule]] = {}
        self._wanted: set[int] = set()
        names: dict[str, str] = {}
        for file in files:
            for row in rows(file):
                if row[0].startswith("="):
                    names[row[0][1:]] = row[1]
                else:
                    self._add(row[0], float(row[1]), _named(row[2], names))
        self._meanings = list(self._literals.values())
        self._automaton = AhoCorasick(list(self._literals))

    def _add(self, tag: str, weight: float, patterns: str) -> None:
        for pattern in filter(None, (pattern.strip() for pattern in patterns.split(";"))):
            first, *rest = [self._part(part) for part in _at_gaps(pattern)]
            self._rules.setdefault(first, []).append(_Rule(tag, weight, tuple(rest)))
            self._wanted.update(rest)

    def _part(self, text: str) -> int:
        choices = tuple(sorted({fold(" ".join(choice.split())).text for choice in _spelled_out(text)} - {"", "*"}))
        if choices not in self._parts:
            number = self._parts[choices] = len(self._parts)
            for choice in choices:
                literal = choice.removesuffix("*")
                open_end = literal != choice
                self._literals.setdefault(literal, []).append(
                    _Literal(number, _is_latin(literal[0]), _is_latin(literal[-1]) and not open_end)
                )
        return self._parts[choices]

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Every cue in the folded `text`, by tag; what an exception overlaps is gone."""
        matches = self._automaton.find_matches_as_indexes(text.translate(_LINE_ENDS), overlapping=True)
        if not matches:
            return {}
        begun: list[tuple[int, int, int]] = []
        later: dict[int, list[tuple[int, int]]] = {}
        for literal, start, end in matches:
            for part, left, right in self._meanings[literal]:
                if left and start and _is_latin(text[start - 1]):
                    continue
                if right and end < len(text) and _is_latin(text[end]):
                    continue
                if part in self._rules:
                    begun.append((start, end, part))
                if part in self._wanted:
                    later.setdefault(part, []).append((start, end))
        return _taken_back(self._applied(text, begun, later))

    def _applied(
        self, text: str, begun: list[tuple[int, int, int]], later: Mapping[int, list[tuple[int, int]]]
    ) -> dict[str, list[Hit]]:
        found: dict[str, list[Hit]] = {}
        for start, end, part in sorted(begun):
            for tag, weight, rest in self._rules[part]:
                stop = _follow(text, end, rest, later) if rest else end
                if stop:
                    found.setdefault(tag, []).append(Hit(start, stop, tag, weight))
        return found


def _follow(text: str, end: int, rest: tuple[int, ...], later: Mapping[int, list[tuple[int, int]]]) -> int:
    """Where the last of the following parts ends; 0 where one is missing, too far or in another sentence."""
    for part in rest:
        following = [span for span in later.get(part, ()) if end <= span[0] <= end + _GAP]
        near = next((span for span in following if not _STOPS.search(text, end, span[0])), None)
        if near is None:
            return 0
        end = near[1]
    return end


def _taken_back(found: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    for exception in [tag for tag in found if tag.startswith("-")]:
        spans = found.pop(exception)
        for tag in [exception[1:]] if len(exception) > 1 else list(found):
            if tag in found:
                found[tag] = [hit for hit in found[tag] if not _covered(hit, spans)]
                if not found[tag]:
                    del found[tag]
    return found


def _covered(hit: Hit, spans: list[Hit]) -> bool:
    return any([span.start < hit.end and hit.start < span.end for span in spans])


def _is_latin(character: str) -> bool:
    return character < _FIRST_WIDE and character.isalnum()


def _at_gaps(pattern: str) -> list[str]:
    """Split at the gaps that stand outside every choice."""
    parts = [""]
    for piece in re.split(r"( \.\. )", pattern):
        if piece == " .. " and parts[-1].count("(") == parts[-1].count(")"):
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _named(text: str, names: Mapping[str, str]) -> str:
    while _NAME.search(text):
        text = _NAME.sub(lambda match: names[match[1]], text)
    return text


def _spelled_out(text: str) -> list[str]:
    """Every literal that a pattern with choices stands for. Raises ValueError on a parenthesis left open."""
    opened = text.find("(")
    if opened < 0:
        if ")" in text or ".." in text:
            raise ValueError(f"a choice that is not closed, or a gap inside one: {text!r}")
        return [text]
    choices, closed = _choices(text, opened)
    tails = _spelled_out(text[closed:])
    return [text[:opened] + one + tail for choice in choices for one in _spelled_out(choice) for tail in tails]


def _choices(text: str, opened: int) -> tuple[list[str], int]:
    """The outermost choices of the parenthesis at `opened`, and where the text goes on."""
    depth, begin, choices = 0, opened + 1, list[str]()
    for at in range(opened, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 or (depth == 1 and text[at] == "|"):
            choices.append(text[begin:at])
            begin = at + 1
        if depth == 0:
            return choices, begin
    raise ValueError(f"a parenthesis is left open: {text!r}")
