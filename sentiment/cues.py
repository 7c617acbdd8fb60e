"""Words and phrases that mean something to a reader, all found in one pass over the folded text.

A file of cues has three columns: tag, weight, patterns separated by `; `. In a pattern
`(a|b|)` is a choice, `{name}` a choice written once as `=name`, a final `*` leaves a word open at its end,
and ` .. ` stands for a gap: both sides, in this order, close together, in one sentence; `.{0,9}` for one of at
most nine characters. `(a)?` may be missing, and so may a Chinese character before `?`. `[5-7]` is a digit. A
tag that begins
with `-` takes back what it overlaps: `-self_harm` that tag, `-` every tag.
Patterns are folded like the messages, so that they may be written in either Chinese script.
Latin words match whole words; Chinese ones match inside text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick

from config.folding import simplify
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
_LINE_ENDS = str.maketrans("\n\r\t", "   ")
_KEPT = "%$+"
_PLAIN = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) not in _KEPT}
"""Punctuation inside Latin text counts as a blank, so that a blank on either side of a literal bounds it."""


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

    def padded(self, text: str) -> str:
        """As it is looked for in Latin text: a blank wherever a word must begin or end."""
        return " " * self.bounded_left + text.translate(_PLAIN) + " " * self.bounded_right


class _Rule(NamedTuple):
    tag: str
    weight: float
    rest: tuple[tuple[int, int], ...]  # the parts that must follow, and within how many characters
    parts: frozenset[int]  # those parts


class Cues:
    """Patterns compiled into one overlapping automaton."""

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
                    self._add(row[0], float(row[1]), _folded(_named(row[2], names)))
        self._wide = _Automaton((text, literal) for text, found in self._literals.items() for literal in found)
        self._latin = _Automaton(
            (literal.padded(text), literal)
            for text, found in self._literals.items() if text.isascii() and text[0] not in "[#@"
            for literal in found
            if literal.padded(text).strip()
        )

    def _add(self, tag: str, weight: float, patterns: str) -> None:
        for pattern in filter(None, (pattern.strip() for pattern in patterns.split(";"))):
            for one in _without_inner_gaps(_short_forms(pattern)):
                texts, widths = _cut(*_at_gaps(one))
                first, *rest = [self._part(text) for text in texts]
                self._rules.setdefault(first, []).append(
                    _Rule(tag, weight, tuple(zip(rest, widths, strict=True)), frozenset(rest))
                )

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

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Every cue in the folded `text`, by tag; what an exception overlaps is gone."""
        spans = self._latin.bounded(text) if text.isascii() else self._wide.checked(text)
        rules = self._rules
        begun = [span for span in spans if span[2] in rules]
        if not begun:
            return {}
        wanted = self._followers(begun, {part for _, _, part in spans})
        later: dict[int, list[tuple[int, int]]] = {part: [] for part in wanted}
        if wanted:
            for start, end, part in spans:
                if part in wanted:
                    later[part].append((start, end))
        return _taken_back(self._applied(text, begun, later))

    def _followers(self, begun: list[tuple[int, int, int]], present: set[int]) -> set[int]:
        """The later parts of those patterns of which every part is there, somewhere."""
        wanted: set[int] = set()
        for first in {part for _, _, part in begun}:
            for rule in self._rules[first]:
                if rule.rest and present.issuperset(rule.parts):
                    wanted.update(rule.parts)
        return wanted

    def _applied(
        self, text: str, begun: list[tuple[int, int, int]], later: Mapping[int, list[tuple[int, int]]]
    ) -> dict[str, list[Hit]]:
        found: dict[str, list[Hit]] = {}
        for start, end, part in sorted(begun):
            for tag, weight, rest, _ in self._rules[part]:
                stop = end if not rest else _follow(text, end, rest, later) if rest[0][0] in later else 0
                if stop:
                    found.setdefault(tag, []).append(Hit(start, stop, tag, weight))
        return found


class _Automaton:
    """Literals, and what each of them is part of."""

    def __init__(self, literals: Iterable[tuple[str, _Literal]]) -> None:
        meanings: dict[str, list[_Literal]] = {}
        for text, literal in literals:
            meanings.setdefault(text, []).append(literal)
        self._meanings = list(meanings.values())
        self._matcher = AhoCorasick(list(meanings))

    def bounded(self, text: str) -> list[tuple[int, int, int]]:
        """Start, end and part of all that stands in an ASCII `text`; the literals hold their own bounds."""
        meanings = self._meanings
        padded = f" {text.translate(_PLAIN)} "
        return [
            (start + left - 1, end - right - 1, part)
            for index, start, end in self._matcher.find_matches_as_indexes(padded, overlapping=True)
            for part, left, right in meanings[index]
        ]

    def checked(self, text: str) -> list[tuple[int, int, int]]:
        """The same in any text, where a word may also begin or end next to a Chinese character."""
        text = text.translate(_LINE_ENDS)
        spans: list[tuple[int, int, int]] = []
        for index, start, end in self._matcher.find_matches_as_indexes(text, overlapping=True):
            for part, left, right in self._meanings[index]:
                if left and start and _is_latin(text[start - 1]):
                    continue
                if right and end < len(text) and _is_latin(text[end]):
                    continue
                spans.append((start, end, part))
        return spans


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
    return any(span.start < hit.end and hit.start < span.end for span in spans)


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
            literal = text if opened < 0 else text[:opened]
            if ")" in literal:
                raise ValueError(f"a parenthesis is closed that was not open: {text!r}")
            yield [literal]
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
            before, after = pattern[:opened], pattern[closed:]
            return [whole for choice in choices for whole in _without_inner_gaps(before + choice + after)]
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


def _folded(pattern: str) -> str:
    """Patterns in the form of folded text, written in either Chinese script."""
    return pattern if pattern.isascii() else simplify(unicodedata.normalize("NFKC", pattern).casefold())


def _named(text: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: _named(names[match[1]], names), text)
