"""The keyword lists and `text:` expressions of a file, searched in one pass over a message.

All literals of everything sit in one overlapping Aho-Corasick automaton; the rest is done only for
what it found. Expressions are those of `config.expressions`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from config.expressions import And, Expression, ExpressionError, Near, Node, Not, Or, Pattern, Phrase, parse
from config.folding import Folded, fold
from config.patterns import Patterns, compile_pattern
from config.schema import KeywordList

__all__ = ["ExpressionError", "Hits", "Keywords", "Span", "compile_entry"]

Span = tuple[int, int]
"""Positions in the original text, the end excluded."""

_INSIDE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""Scripts written without blanks between words (and Hangul, whose words carry particles)."""
_IS_INSIDE = re.compile(f"[{_INSIDE}]")
_TOKEN = re.compile(rf"[{_INSIDE}]|[^\W{_INSIDE}](?:[^\W{_INSIDE}]|['\u0300-\u036f](?=[^\W{_INSIDE}]))*")
_JUNCTION = re.compile(rf"(?<=[a-z0-9]) ?(?=[{_INSIDE}])|(?<=[{_INSIDE}]) ?(?=[a-z0-9])")
_THRICE = re.compile(r"(?s)(.)\1\1")

_IMPLEMENTATION = Implementation.ContiguousNFA


@dataclass(frozen=True, slots=True)
class Hits:
    """What a message hit: each list and each expression that holds, with its spans in order."""

    lists: Mapping[str, tuple[Span, ...]]
    expressions: Mapping[str, tuple[Span, ...]]


_NONE: Mapping[str, tuple[Span, ...]] = MappingProxyType({})
_NO_HITS = Hits(_NONE, _NONE)


@dataclass(frozen=True, slots=True)
class _Term:
    """A literal to find: at which ends a Latin-like neighbour spoils it, and who asked for it.

    `stretched` stands for a word such as `AAA`, which folds like `AA` and must not be found in it.
    """

    left: bool
    right: bool
    stretched: bool
    owners: list[int] = field(default_factory=list)
    entries: list[tuple[int, Node]] = field(default_factory=list)


@dataclass(slots=True)
class _Owner:
    """A list or an expression: what it is called and what cancels its hits."""

    name: str
    is_list: bool
    until: date | None = None
    exceptions: list[Expression] = field(default_factory=list)


Found = Mapping[int, Sequence[Span]]


class Keywords:
    """The compiled vocabulary of one file. Immutable; searching is pure."""

    def __init__(self, build: _Build) -> None:
        self._owners = build.owners
        self._terms = build.terms
        self._numbers = build.numbers
        self._of_literal = build.of_literal
        self._pattern_owners = build.pattern_owners
        self._patterns = Patterns([compile_pattern(source) for source in build.patterns], build.patterns)
        self._automaton = (
            AhoCorasick(list(build.literals), MatchKind.Standard, False, _IMPLEMENTATION) if build.literals else None
        )

    @classmethod
    def compile(cls, lists: Mapping[str, KeywordList], texts: Iterable[str] = ()) -> Keywords:
        """Compile all lists and expressions. Raises ExpressionError at the first that does not parse."""
        build = _Build()
        for name, keyword_list in lists.items():
            build.add_list(name, keyword_list)
        for text in dict.fromkeys(texts):
            build.add_expression(text)
        return cls(build)

    def search(self, folded: Folded, today: date) -> Hits:
        """Everything that the text hits; a list is searched up to and on its `until`."""
        text = folded.text.replace("\n", " ")
        matches = self._automaton.find_matches_as_indexes(text, True) if self._automaton else ()
        patterns = self._patterns.search(text) if self._pattern_owners else {}
        if not matches and not patterns:
            return _NO_HITS
        found = self._confirm(matches, folded, text)
        return _Search(self._owners, self._terms, self._numbers, found, text).hits(
            folded, today, [(self._pattern_owners[i], spans) for i, spans in patterns.items()])

    def _confirm(self, matches: Iterable[tuple[int, int, int]], folded: Folded, text: str) -> dict[int, list[Span]]:
        """The matches whose neighbours allow them, by term."""
        found: dict[int, list[Span]] = {}
        for literal, start, end in matches:
            for number in self._of_literal[literal]:
                term = self._terms[number]
                if term.left and start and _latin_like(text[start - 1]):
                    continue
                if term.right and end < len(text) and _latin_like(text[end]):
                    continue
                if term.stretched and _width(folded.span(start, end)) <= end - start:
                    continue
                found.setdefault(number, []).append((start, end))
        return found


@dataclass(slots=True)
class _Build:
    """What `Keywords` is made of, while entries are added."""

    owners: list[_Owner] = field(default_factory=list)
    terms: list[_Term] = field(default_factory=list)
    numbers: dict[Phrase, int] = field(default_factory=dict)
    literals: dict[str, int] = field(default_factory=dict)
    of_literal: list[list[int]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    pattern_owners: list[int] = field(default_factory=list)

    def add_list(self, name: str, keyword_list: KeywordList) -> None:
        exceptions = [parse(entry) for entry in keyword_list.exceptions]
        self.owners.append(_Owner(name, True, keyword_list.until, exceptions))
        for exception in exceptions:
            if isinstance(exception, Pattern):
                compile_pattern(exception.source)
            else:
                self._number_all(exception)
        for entry in keyword_list.entries:
            self._add(parse(entry))

    def add_expression(self, text: str) -> None:
        self.owners.append(_Owner(text, False))
        self._add(parse(text))

    def _add(self, expression: Expression) -> None:
        owner = len(self.owners) - 1
        if isinstance(expression, Pattern):
            self.patterns.append(expression.source)
            self.pattern_owners.append(owner)
        elif isinstance(expression, Phrase):
            self.terms[self._number(expression)].owners.append(owner)
        else:
            self._number_all(expression)
            for phrase in dict.fromkeys(_phrases(expression, wanted=True)):
                self.terms[self.numbers[phrase]].entries.append((owner, expression))

    def _number_all(self, node: Node) -> None:
        for phrase in _phrases(node, wanted=False):
            self._number(phrase)

    def _number(self, phrase: Phrase) -> int:
        number = self.numbers.get(phrase)
        if number is None:
            number = self.numbers[phrase] = len(self.terms)
            text = _literal(phrase)
            stretched = _THRICE.search(phrase.text) is not None and len(text) < len(phrase.text)
            self.terms.append(
                _Term(_latin_like(text[0]), not phrase.prefix and _latin_like(text[-1]), stretched))
            for variant in _spacings(text):
                literal = self.literals.setdefault(variant, len(self.of_literal))
                if literal == len(self.of_literal):
                    self.of_literal.append([])
                self.of_literal[literal].append(number)
        return number


@dataclass(slots=True)
class _Search:
    """One message's hits, worked out from the terms that were found in it."""

    owners: Sequence[_Owner]
    terms: Sequence[_Term]
    numbers: Mapping[Phrase, int]
    found: Found
    text: str
    cancelled: dict[int, bytes] = field(default_factory=dict)
    starts: list[int] | None = None

    def hits(self, folded: Folded, today: date, patterns: Iterable[tuple[int, Sequence[Span]]]) -> Hits:
        raw: dict[int, list[Span]] = {}
        for owner, spans in (*self._simple(), *self._joined(), *patterns):
            raw.setdefault(owner, []).extend(spans)
        lists: dict[str, tuple[Span, ...]] = {}
        expressions: dict[str, tuple[Span, ...]] = {}
        for number in sorted(raw):
            whose = self.owners[number]
            if whose.until is not None and today > whose.until:
                continue
            if spans := _outside(raw[number], self._cancelling(number)):
                into = lists if whose.is_list else expressions
                into[whose.name] = tuple(sorted({folded.span(*span) for span in spans}))
        return Hits(lists, expressions)

    def _simple(self) -> Iterator[tuple[int, Sequence[Span]]]:
        for number, spans in self.found.items():
            for owner in self.terms[number].owners:
                yield owner, spans

    def _joined(self) -> Iterator[tuple[int, Sequence[Span]]]:
        """Entries with operators, each asked once, and only where one of its words was found."""
        entries = {id(node): (owner, node) for number in self.found for owner, node in self.terms[number].entries}
        for owner, node in entries.values():
            if (spans := self._find(node, self._cancelling(owner))) is not None:
                yield owner, spans

    def _cancelling(self, owner: int) -> bytes:
        """A byte for each character of the text: 1 where an `except` of this owner matches. Empty: nowhere."""
        if owner not in self.cancelled:
            exceptions = self.owners[owner].exceptions
            spans = [span for entry in exceptions for span in self._exception(entry)]
            self.cancelled[owner] = _cover(spans, len(self.text)) if spans else b""
        return self.cancelled[owner]

    def _exception(self, entry: Expression) -> Sequence[Span]:
        if isinstance(entry, Pattern):
            return [match.span() for match in compile_pattern(entry.source).finditer(self.text)]
        return self._find(entry, b"") or ()

    def _find(self, node: Node, cancelling: bytes) -> Sequence[Span] | None:
        """The spans that make the node hold, or None where it does not; a NOT that holds has none."""
        match node:
            case Phrase():
                return _outside(self.found.get(self.numbers[node], ()), cancelling) or None
            case Not(of):
                return () if self._find(of, b"") is None else None
            case Or(parts):
                some = [spans for part in parts if (spans := self._find(part, cancelling)) is not None]
                return [span for spans in some for span in spans] if some else None
            case And(parts):
                every = [spans for part in parts if (spans := self._find(part, cancelling)) is not None]
                return [span for spans in every for span in spans] if len(every) == len(parts) else None
            case Near(left, right, within):
                return self._near(self._find(left, cancelling), self._find(right, cancelling), within)

    def _near(self, left: Sequence[Span] | None, right: Sequence[Span] | None, within: int) -> Sequence[Span] | None:
        """From the one to the other, for every pair that has at most `within` tokens between."""
        if not left or not right:
            return None
        return sorted({*self._after(left, right, within), *self._after(right, left, within)}) or None

    def _after(self, firsts: Sequence[Span], seconds: Sequence[Span], within: int) -> Iterator[Span]:
        seconds = sorted(seconds)
        for start, end in firsts:
            tokens_before = bisect_left(self._token_starts(), end)
            for second in seconds[bisect_left(seconds, (end, end)):]:
                if bisect_left(self._token_starts(), second[0]) - tokens_before > within:
                    break
                yield start, second[1]

    def _token_starts(self) -> Sequence[int]:
        if self.starts is None:
            self.starts = [match.start() for match in _TOKEN.finditer(self.text)]
        return self.starts


def compile_entry(entry: str) -> Expression:
    """Check one entry wholly, as `Keywords.compile` would. Raises ExpressionError."""
    expression = parse(entry)
    if isinstance(expression, Pattern):
        compile_pattern(expression.source)
    else:
        for phrase in _phrases(expression, wanted=False):
            _literal(phrase)
    return expression


def _literal(phrase: Phrase) -> str:
    text = fold(phrase.text).text
    if not text.strip():
        raise ExpressionError("nothing to look for: the keyword has no visible character", "write it again by hand")
    return text


def _spacings(text: str) -> set[str]:
    """Chinese authors set a blank between Latin and Chinese, or do not: both are looked for."""
    if text.isascii() or not _JUNCTION.search(text):
        return {text}
    return {text, _JUNCTION.sub("", text), _JUNCTION.sub(" ", text)}


def _phrases(node: Node, *, wanted: bool) -> Iterator[Phrase]:
    """The phrases of an expression; with `wanted` only those outside of NOT."""
    match node:
        case Phrase():
            yield node
        case Not(of):
            if not wanted:
                yield from _phrases(of, wanted=False)
        case Near(left, right):
            yield from _phrases(left, wanted=wanted)
            yield from _phrases(right, wanted=wanted)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _phrases(part, wanted=wanted)


@lru_cache(maxsize=4096)
def _latin_like(character: str) -> bool:
    """Whether a word goes on through this character: a letter, digit or mark of a script with word breaks."""
    if character.isascii():
        return character.isalnum()
    if _IS_INSIDE.match(character):
        return False
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _width(span: Span) -> int:
    return span[1] - span[0]


def _cover(spans: Iterable[Span], length: int) -> bytes:
    covered = bytearray(length)
    for start, end in spans:
        covered[start:end] = b"\x01" * (end - start)
    return bytes(covered)


def _outside(spans: Sequence[Span], cancelling: bytes) -> Sequence[Span]:
    """The spans that no cancelled character touches."""
    return [span for span in spans if cancelling.find(1, *span) < 0] if cancelling else spans
