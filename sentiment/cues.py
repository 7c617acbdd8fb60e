"""Words and phrases that mean something to a reader, all found in one pass over the folded text.

A file of cues has three columns: tag, weight, and patterns as `sentiment.patterns` reads them. A tag that
begins with `-` takes back what it overlaps: `-self_harm` that tag, `-` every tag. Latin words match whole
words; Chinese ones match inside text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from sentiment.data import rows
from sentiment.patterns import named, patterns

__all__ = ["Cues", "Found", "Hit"]

_STOPS = re.compile(r"[.!?。！？;；\n](?!\d)")
_FIRST_WIDE = "\u2e80"
_LINE_ENDS = str.maketrans("\n\r\t", "   ")
_KEPT = "%$+"
_PLAIN = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in _KEPT}
"""Punctuation inside Latin text counts as a blank, so that a blank on either side of a literal bounds it."""
_ENOUGH = 32
"""Hits of one tag in one text: more of them say nothing new, and a flood of them must not cost more."""
_MARKED = "[#@"
"""What bracket faces and the like begin with: they are no words of Latin text."""


class Hit(NamedTuple):
    """One cue found: where it stands in the folded text, and what it says."""

    start: int
    end: int
    tag: str
    weight: float


Found = Mapping[str, list[Hit]]
"""Hits by tag, each list in the order of the text."""


_Span = tuple[int, int, int]
"""Start, end, and a number: of a literal or of a part of patterns."""


class _Literal(NamedTuple):
    part: int
    bounded_left: bool
    bounded_right: bool

    def padded(self, text: str) -> str:
        """As it is looked for in Latin text: a blank wherever a word must begin or end."""
        return " " * self.bounded_left + text.translate(_PLAIN) + " " * self.bounded_right


_Place = Callable[[str, int, int, _Literal], _Span | None]


class _Rule(NamedTuple):
    tag: str
    weight: float
    rest: tuple[tuple[int, int], ...]  # the parts that must follow, and within how many characters
    parts: frozenset[int]  # those parts


class Cues:
    """Patterns compiled into two overlapping automata, one for ASCII texts and one for all others."""

    def __init__(self, files: Iterable[str]) -> None:
        self._parts: dict[tuple[str, ...], int] = {}
        self._literals: dict[str, list[_Literal]] = {}
        self._rules: dict[int, list[_Rule]] = {}
        names: dict[str, str] = {}
        for file in files:
            for row in rows(file):
                if row[0].startswith("="):
                    names[row[0][1:]] = row[1]
                else:
                    self._add(row[0], float(row[1]), named(row[2], names))
        self._needs = {part: needed for part, rules in self._rules.items() if (needed := _needed(rules))}
        self._latin, self._wide = self._compiled()

    def _add(self, tag: str, weight: float, text: str) -> None:
        for pattern in patterns(text):
            first, *rest = [self._part(part) for part in pattern.parts]
            following = tuple(zip(rest, pattern.widths, strict=True))
            self._rules.setdefault(first, []).append(_Rule(tag, weight, following, frozenset(rest)))

    def _part(self, literals: Iterable[str]) -> int:
        choices = tuple(sorted({" ".join(literal.split()) for literal in literals} - {"", "*"}))
        if choices not in self._parts:
            number = self._parts[choices] = len(self._parts)
            for choice in choices:
                literal = choice.removesuffix("*")
                open_end = literal != choice
                self._literals.setdefault(literal, []).append(
                    _Literal(number, _is_latin(literal[0]), _is_latin(literal[-1]) and not open_end)
                )
        return self._parts[choices]

    def _compiled(self) -> tuple[_Automaton, _Automaton]:
        wide = [(text, literal) for text, found in self._literals.items() for literal in found]
        latin = [(literal.padded(text), literal) for text, literal in wide if text.isascii() and text[0] not in _MARKED]
        first, later = frozenset(self._rules), frozenset().union(*self._needs.values())
        return _Automaton([one for one in latin if one[0].strip()], first, later), _Automaton(wide, first, later)

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Every cue in the folded `text`, by tag; what an exception overlaps is gone."""
        latin = text.isascii()
        automaton = self._latin if latin else self._wide
        matches = automaton.matches(f" {text.translate(_PLAIN)} " if latin else text.translate(_LINE_ENDS))
        place: _Place = _unpadded if latin else _checked
        begun = _places(text, matches, automaton.begins, place)
        if not begun:
            return {}
        needs = self._needs
        wanted = frozenset().union(*[needs[part] for _, _, part in begun if part in needs])
        later: dict[int, list[tuple[int, int]]] = {}
        for start, end, part in _places(text, matches, automaton.follows, place) if wanted else ():
            if part in wanted:
                later.setdefault(part, []).append((start, end))
        for spans in later.values():
            spans.sort()
        return _taken_back(self._applied(text, begun, later))

    def _applied(
        self, text: str, begun: list[_Span], later: Mapping[int, list[tuple[int, int]]]
    ) -> dict[str, list[Hit]]:
        found: dict[str, list[Hit]] = {}
        begun.sort()
        for start, end, part in begun:
            for tag, weight, rest, _ in self._rules[part]:
                hits = found.get(tag)
                if hits is not None and len(hits) >= _ENOUGH:
                    continue
                stop = end if not rest else _follow(text, end, rest, later) if rest[0][0] in later else 0
                if not stop:
                    continue
                if hits is None:
                    found[tag] = [Hit(start, stop, tag, weight)]
                else:
                    hits.append(Hit(start, stop, tag, weight))
        return found


def _needed(rules: Iterable[_Rule]) -> frozenset[int]:
    return frozenset(part for rule in rules for part in rule.parts)


class _Automaton:
    """Literals, and which parts of patterns each of them begins or continues."""

    def __init__(self, literals: Iterable[tuple[str, _Literal]], first: frozenset[int], later: frozenset[int]) -> None:
        meanings: dict[str, list[_Literal]] = {}
        for text, literal in literals:
            meanings.setdefault(text, []).append(literal)
        self.begins = [tuple(one for one in found if one.part in first) for found in meanings.values()]
        self.follows = [tuple(one for one in found if one.part in later) for found in meanings.values()]
        self._matcher = AhoCorasick(list(meanings))

    def matches(self, text: str) -> list[_Span]:
        """Number of the literal, start and end of all that stands in `text`, overlaps too."""
        return self._matcher.find_matches_as_indexes(text, overlapping=True)


def _places(
    text: str, matches: Sequence[_Span], meanings: Sequence[tuple[_Literal, ...]], place: _Place
) -> list[_Span]:
    """Start, end and part of those matches that mean something and keep the bounds of words."""
    spans: list[_Span] = []
    for index, start, end in matches:
        for literal in meanings[index]:
            span = place(text, start, end, literal)
            if span:
                spans.append(span)
    return spans


def _unpadded(_: str, start: int, end: int, literal: _Literal) -> _Span:
    """Where a match in the padded text stands in the text itself; the literal holds its own bounds."""
    part, left, right = literal
    return start + left - 1, end - right - 1, part


def _checked(text: str, start: int, end: int, literal: _Literal) -> _Span | None:
    """The match, unless a Latin word goes on beside it; a Chinese character bounds a word as well as a blank."""
    part, left, right = literal
    if left and start and _is_latin(text[start - 1]):
        return None
    if right and end < len(text) and _is_latin(text[end]):
        return None
    return start, end, part


def _follow(text: str, end: int, rest: tuple[tuple[int, int], ...], later: Mapping[int, list[tuple[int, int]]]) -> int:
    """Where the last of the following parts ends; 0 where one is missing, too far or in another sentence."""
    (part, width), more = rest[0], rest[1:]
    spans = later.get(part)
    if not spans:
        return 0
    for at in range(bisect_left(spans, (end, 0)), len(spans)):
        start, stop = spans[at]
        if start > end + width or (width > 1 and _STOPS.search(text, end, start)):
            return 0
        last = _follow(text, stop, more, later) if more else stop
        if last:
            return last
    return 0


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
    return any(span.start < hit.end and hit.start < span.end for span in spans)


def _is_latin(character: str) -> bool:
    return character < _FIRST_WIDE and character.isalnum()
