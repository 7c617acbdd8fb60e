"""The small language of the cue files: what a pattern stands for, as lists of literals and gaps between them.

`(a|b|)` is a choice, `{name}` a choice written once as `=name`, a final `*` leaves a word open at its end, and
` .. ` stands for a gap: both sides, in this order, close together, in one sentence; `.{0,9}` for one of at most
nine characters. `(a)?` may be missing, and so may a Chinese character before `?`. `[5-7]` is a digit. Patterns
are folded like the messages, so that they may be written in either Chinese script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from config.folding import simplify

__all__ = ["Pattern", "named", "patterns"]

_GAP = 44
"""Characters that ` .. ` may stand for, at most."""
_MANY = 80
"""A part with more literals than this is cut in two where it can be."""
_GAPS = re.compile(r"( \.\. |\.\{0,\d+\})")
_NAME = re.compile(r"\{([a-z]+)\}")
_DIGITS = re.compile(r"\[(\d[\d-]*)\]")
_MAYBE = re.compile(r"([\u00b7\u2e80-\uffef])\?")


class Pattern(NamedTuple):
    """The literals of each part, in order, and within how many characters each next part follows."""

    parts: list[list[str]]
    widths: list[int]


def patterns(text: str) -> Iterator[Pattern]:
    """Every pattern of one cell, in which they are separated by `;`. Raises ValueError on stray parentheses."""
    for pattern in filter(None, (pattern.strip() for pattern in _folded(text).split(";"))):
        for one in _without_inner_gaps(_short_forms(pattern)):
            yield Pattern(*_cut(*_at_gaps(one)))


def _folded(pattern: str) -> str:
    """Patterns in the form of folded text, written in either Chinese script."""
    return pattern if pattern.isascii() else simplify(unicodedata.normalize("NFKC", pattern).casefold())


def named(text: str, names: Mapping[str, str]) -> str:
    """The text with each `{name}` replaced by the choice of that name."""
    return _NAME.sub(lambda match: named(names[match[1]], names), text)


def _short_forms(pattern: str) -> str:
    """`[5-7]` as a choice of digits; `x?` as a choice between a wide letter and nothing."""
    pattern = _DIGITS.sub(lambda match: f"({'|'.join(_digits(match[1]))})", pattern)
    return _MAYBE.sub(r"(\1|)", pattern)


def _digits(text: str) -> list[str]:
    if len(text) == 3 and text[1] == "-":
        return [str(digit) for digit in range(int(text[0]), int(text[2]) + 1)]
    return list(text)


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
