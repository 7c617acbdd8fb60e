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
_KEPT = "%$+"


def _blanks(kept: str) -> bytes:
    """For `bytes.translate`: a blank for all that is no letter, no digit and not `kept`."""
    return bytes(code if chr(code).isalnum() or chr(code) in kept else 32 for code in range(128)).ljust(256)


_PLAIN, _BARE = _blanks(_KEPT), _blanks("")
"""Punctuation around Latin words counts as a blank, so that a blank on either side of a literal bounds it."""
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
    text: str

    @property
    def is_ascii(self) -> bool:
        return self.text.isascii() and self.text[0] not in _MARKED

    def padded(self) -> str:
        """As it is looked for among blanked text: a blank wherever a word must begin or end."""
        return " " * self.bounded_left + _blanked(self.text, _PLAIN) + " " * self.bounded_right


_Match = tuple[int, int, Sequence[_Literal]]
"""Start, end, and what the literal that stands there may mean."""
_ANY = -1
"""In place of a second part: the pattern has none."""
_Place = Callable[[str, int, int, _Literal], _Span | None]


class _Rule(NamedTuple):
    tag: str
    weight: float
    rest: tuple[tuple[int, int], ...]  # the parts that must follow, and within how many characters
    parts: frozenset[int]  # those parts


class Cues:
    """Patterns compiled into overlapping automata: for words among blanked text, and for all that is no word."""

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
        self._words, self._signs, self._wide = self._compiled()

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
                    _Literal(number, _is_latin(literal[0]), _is_latin(literal[-1]) and not open_end, literal)
                )
        return self._parts[choices]

    def _compiled(self) -> tuple[_Automaton, _Automaton, _Automaton]:
        every = [literal for found in self._literals.values() for literal in found]
        ascii_ = [(padded, one) for one in every if one.is_ascii and (padded := one.padded()).strip()]
        words = [(padded, one) for padded, one in ascii_ if not _signed(padded)]
        signs = [(padded, one) for padded, one in ascii_ if _signed(padded)]
        among_words = {id(one) for _, one in words}
        wide = [(one.text, one) for one in every if id(one) not in among_words]
        return _Automaton(words, self._rules), _Automaton(signs, self._rules), _Automaton(wide, self._rules)

    def _matched(self, text: str) -> list[_Run]:
        """All literals that may stand in the text. In an ASCII text punctuation is a blank; in others it stays."""
        if not text.isascii():
            words = self._words.matches(f" {_blanked(text, _BARE)} ")
            return [(self._wide, _checked, self._wide.matches(text)), (self._words, _verified, words)]
        plain = f" {_blanked(text, _PLAIN)} "
        runs: list[_Run] = [(self._words, _unpadded, self._words.matches(plain))]
        if _signed(plain):
            runs.append((self._signs, _unpadded, self._signs.matches(plain)))
        return runs

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Every cue in the folded `text`, by tag; what an exception overlaps is gone."""
        line = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        runs = self._matched(line)
        present = {_ANY}
        for automaton, _, matches in runs:
            automaton.note(matches, present)
        begun: list[_Span] = []
        for automaton, place, matches in runs:
            begun += _places(line, automaton.begun(matches, present), place)
        if not begun:
            return {}
        needs = self._needs
        wanted = frozenset().union(*[needs[part] for _, _, part in begun if part in needs])
        later: dict[int, list[tuple[int, int]]] = {}
        if wanted:
            for automaton, place, matches in runs:
                for start, end, part in _places(line, automaton.following(matches, wanted), place):
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
                if rest and rest[0][0] not in later:
                    continue
                hits = found.get(tag)
                if hits is not None and len(hits) >= _ENOUGH:
                    continue
                stop = _follow(text, end, rest, later) if rest else end
                if not stop:
                    continue
                hit = Hit(start, stop, tag, weight)
                if hits is None:
                    found[tag] = [hit]
                else:
                    hits.append(hit)
        return found


def _needed(rules: Iterable[_Rule]) -> frozenset[int]:
    return frozenset(part for rule in rules for part in rule.parts)


class _Automaton:
    """Literals, and which parts of patterns each of them begins or continues."""

    def __init__(self, literals: Iterable[tuple[str, _Literal]], rules: Mapping[int, Sequence[_Rule]]) -> None:
        meanings: dict[str, list[_Literal]] = {}
        for text, literal in literals:
            meanings.setdefault(text, []).append(literal)
        later = frozenset(part for found in rules.values() for rule in found for part in rule.parts)
        shared: dict[frozenset[int], frozenset[int]] = {}  # few different sets: they stay in the processor's cache
        self._begins = [tuple(one for one in found if one.part in rules) for found in meanings.values()]
        self._meanings = [tuple(found) for found in meanings.values()]
        self._follows = [shared.setdefault(one, one) for one in (_parts(found) & later for found in self._meanings)]
        self._seconds = [shared.setdefault(one, one) for one in (_seconds(found, rules) for found in self._begins)]
        self._matcher = AhoCorasick(list(meanings))

    def matches(self, text: str) -> list[_Span]:
        """Number of the literal, start and end of all that stands in `text`, overlaps too."""
        return self._matcher.find_matches_as_indexes(text, overlapping=True)

    def note(self, matches: Sequence[_Span], present: set[int]) -> None:
        """Add to `present` the parts that may continue patterns."""
        follows = self._follows
        present.update(*[follows[index] for index, _, _ in matches])

    def begun(self, matches: Sequence[_Span], present: set[int]) -> list[_Match]:
        """What begins patterns, less what begins only patterns whose next part stands nowhere in the text."""
        seconds, begins = self._seconds, self._begins
        return [(start, end, begins[i]) for i, start, end in matches if not seconds[i].isdisjoint(present)]

    def following(self, matches: Sequence[_Span], wanted: frozenset[int]) -> list[_Match]:
        """What may continue patterns with one of the `wanted` parts."""
        follows, meanings = self._follows, self._meanings
        return [(start, end, meanings[i]) for i, start, end in matches if not follows[i].isdisjoint(wanted)]


_Run = tuple[_Automaton, _Place, list[_Span]]
"""What was matched by an automaton, and how to check each of it."""


def _parts(literals: Iterable[_Literal]) -> frozenset[int]:
    return frozenset(literal.part for literal in literals)


def _seconds(literals: Iterable[_Literal], rules: Mapping[int, Sequence[_Rule]]) -> frozenset[int]:
    """The parts of which one must stand in the text for any rule of the literals to hold."""
    every = [rule for literal in literals for rule in rules[literal.part]]
    return frozenset(rule.rest[0][0] if rule.rest else _ANY for rule in every)


def _places(text: str, matches: Iterable[_Match], place: _Place) -> list[_Span]:
    """Start, end and part of those matches that keep the bounds of words."""
    return [
        span for start, end, literals in matches for literal in literals if (span := place(text, start, end, literal))
    ]


def _unpadded(_: str, start: int, end: int, literal: _Literal) -> _Span | None:
    """Where a match in the padded text stands in the text itself; the literal holds its own bounds."""
    part, left, right, _text = literal
    return start + left - 1, end - right - 1, part


def _verified(text: str, start: int, end: int, literal: _Literal) -> _Span | None:
    """As `_unpadded`, where blanks may stand for anything that is no ASCII letter or digit."""
    start += literal.bounded_left - 1
    if not text.startswith(literal.text, start):
        return None
    return _checked(text, start, end - literal.bounded_right - 1, literal)


def _checked(text: str, start: int, end: int, literal: _Literal) -> _Span | None:
    """The match, unless a Latin word goes on beside it; a Chinese character bounds a word as well as a blank."""
    part, left, right, _text = literal
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


def _blanked(text: str, table: bytes) -> str:
    """The text as ASCII, as long as before: `table` makes a blank of all that is no part of a word."""
    return text.encode("ascii", "replace").translate(table).decode("ascii")


def _signed(text: str) -> bool:
    return "%" in text or "$" in text or "+" in text
