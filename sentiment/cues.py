"""Words and phrases that mean something to a reader, all found in one pass over the folded text.

A file of cues has three columns: tag, weight, patterns separated by `; `. In a pattern
`(a|b|)` is a choice, `{name}` a choice written once as `=name`, a final `*` leaves a word open at its end,
and ` .. ` stands for a gap: both sides, in this order, close together, in one sentence; `.{0,9}` for one of at
most nine characters. `(a)?` may be missing, and so may a Chinese character before `?`. `[5-7]` is a digit. A tag that begins
with `-` takes back what it overlaps: `-self_harm` that tag, `-` every tag.
Patterns are folded like the messages, so that they may be written in either Chinese script.
Latin words match whole words; Chinese ones match inside text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from config.folding import fold
from sentiment.data import rows

__all__ = ["Cues", "Found", "Hit"]

_GAP = 44
"""Characters between two parts of one pattern, at most."""
_MANY = 80
"""A part with more literals than this is cut in two where it can be."""
_STOPS = re.compile(r"[.!?。！？;；\n](?!\d)")
_GAPS = re.compile(r"( \.\. |\.\{0,\d+\})")
_NAME = re.compile(r"\{([a-z]+)\}")
_DIGITS = re.compile(r"\[(\d[\d-]*)\]")
_MAYBE = re.compile(r"([\u00b7\u2e80-\uffef])\?")
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
    rest: tuple[tuple[int, int], ...]  # the parts that must follow, and within how many characters


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
            for one in _without_inner_gaps(_short_forms(pattern)):
                texts, widths = _cut(*_at_gaps(one))
                first, *rest = [self._part(text) for text in texts]
                self._rules.setdefault(first, []).append(_Rule(tag, weight, tuple(zip(rest, widths, strict=True))))
                self._wanted.update(rest)

    def _part(self, literals: Iterable[str]) -> int:
        choices = tuple(sorted({fold(" ".join(literal.split())).text for literal in literals} - {"", "*"}))
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


def _follow(text: str, end: int, rest: tuple[tuple[int, int], ...], later: Mapping[int, list[tuple[int, int]]]) -> int:
    """Where the last of the following parts ends; 0 where one is missing, too far or in another sentence."""
    (part, width), more = rest[0], rest[1:]
    for start, stop in later.get(part, ()):
        if end <= start <= end + width and not (width > 1 and _STOPS.search(text, end, start)):
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
    return any([span.start < hit.end and hit.start < span.end for span in spans])


def _is_latin(character: str) -> bool:
    return character < _FIRST_WIDE and character.isalnum()


def _cut(parts: Iterable[str], widths: Iterable[int]) -> tuple[list[list[str]], list[int]]:
    """The literals of each part; one that would have too many becomes two that stand side by side."""
    texts: list[list[str]] = []
    between: list[int] = []
    gaps = [*widths, 0]
    for part, gap in zip(parts, gaps, strict=True):
        grown = [""]
        for choices in _segments(part):
            if len(grown) * len(choices) > _MANY and _standalone(grown) and _standalone(choices):
                texts.append(grown)
                between.append(1 if any(text[-1] == " " for text in grown) or choices[0][:1] == " " else 0)
                grown = [""]
            grown = [one + other for one in grown for other in choices]
        texts.append(grown)
        between.append(gap)
    return texts, between[:-1]


def _standalone(literals: Iterable[str]) -> bool:
    return all(literal.strip() for literal in literals)


def _segments(text: str) -> Iterator[list[str]]:
    """The literal stretches and the choices of a pattern, in order, choices spelled out."""
    while text:
        opened = text.find("(")
        if opened:
            yield [text if opened < 0 else text[:opened]]
            text = "" if opened < 0 else text[opened:]
            continue
        choices, closed = _choices(text, 0)
        yield [one for choice in choices for one in _spelled_out(choice)]
        text = text[closed:]


def _spelled_out(text: str) -> list[str]:
    """Every literal that a pattern with choices stands for."""
    grown = [""]
    for choices in _segments(text):
        grown = [one + other for one in grown for other in choices]
    return grown


def _choices(text: str, opened: int) -> tuple[list[str], int]:
    """The outermost choices of the parenthesis at `opened`, and where the text goes on."""
    depth, begin, choices = 0, opened + 1, list[str]()
    for at in range(opened, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 or (depth == 1 and text[at] == "|"):
            choices.append(text[begin:at])
            begin = at + 1
        if depth == 0:
            optional = text[begin : begin + 1] == "?"
            return [*choices, ""] if optional else choices, begin + optional
    raise ValueError(f"a parenthesis is left open: {text!r}")


def _without_inner_gaps(pattern: str) -> list[str]:
    """The pattern, once for each choice that holds a gap."""
    opened = pattern.find("(")
    while opened >= 0:
        choices, closed = _choices(pattern, opened)
        if any(_GAPS.search(choice) for choice in choices):
            return [
                whole for choice in choices for whole in _without_inner_gaps(pattern[:opened] + choice + pattern[closed:])
            ]
        opened = pattern.find("(", closed)
    return [pattern]


def _short_forms(pattern: str) -> str:
    """`[5-7]` as a choice of digits; `x?` as a choice between a wide letter and nothing."""
    pattern = _DIGITS.sub(lambda match: f"({'|'.join(_digits(match[1]))})", pattern)
    return _MAYBE.sub(r"(\1|)", pattern)


def _digits(text: str) -> list[str]:
    if len(text) == 3 and text[1] == "-":
        return [str(digit) for digit in range(int(text[0]), int(text[2]) + 1)]
    return list(text)


def _at_gaps(pattern: str) -> tuple[list[str], list[int]]:
    """The parts of a pattern, and how far apart they may stand."""
    parts, widths = [""], list[int]()
    for piece in _GAPS.split(pattern):
        gap = _GAPS.fullmatch(piece)
        if gap is None:
            parts[-1] += piece
        elif parts[-1].strip():
            parts.append("")
            widths.append(_width(piece))
        else:
            widths[-1] += _width(piece)
    return parts, widths


def _width(gap: str) -> int:
    return _GAP if gap == " .. " else int(gap[4:-1])


def _named(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: _named(names[match[1]], names), text)
