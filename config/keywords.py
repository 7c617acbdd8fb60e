"""The keyword lists and `text:` expressions of a file, searched in one pass over a message.

All literals of everything sit in one overlapping Aho-Corasick automaton; the rest is done only for
what it found. Expressions are those of `config.expressions`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from config.expressions import And, Expression, ExpressionError, Near, Node, Not, Or, Pattern, Phrase, parse
from config.folding import Folded, fold
from config.matching import INSIDE, Hits, Matching, Owner, Span, Term
from config.patterns import Patterns, compile_pattern
from config.schema import KeywordList

__all__ = ["ExpressionError", "Hits", "Keywords", "Span", "compile_entry"]

_IS_INSIDE = re.compile(f"[{INSIDE}]")
_JUNCTION = re.compile(rf"(?<=[a-z0-9]) ?(?=[{INSIDE}])|(?<=[{INSIDE}]) ?(?=[a-z0-9])")
_THRICE = re.compile(r"(?s)(.)\1\1")

_IMPLEMENTATION = Implementation.ContiguousNFA


_NONE: Mapping[str, tuple[Span, ...]] = MappingProxyType({})
_NO_HITS = Hits(_NONE, _NONE)


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
        return Matching(self._owners, self._terms, self._numbers, found, text).hits(
            folded, today, [(self._pattern_owners[i], spans) for i, spans in patterns.items()]
        )

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

    owners: list[Owner] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    numbers: dict[Phrase, int] = field(default_factory=dict)
    literals: dict[str, int] = field(default_factory=dict)
    of_literal: list[list[int]] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    pattern_owners: list[int] = field(default_factory=list)

    def add_list(self, name: str, keyword_list: KeywordList) -> None:
        owner = Owner(name, True, keyword_list.until)
        self.owners.append(owner)
        for exception in map(parse, keyword_list.exceptions):
            if isinstance(exception, Pattern):
                owner.exception_patterns.append(compile_pattern(exception.source))
            else:
                owner.exceptions.append(exception)
                self._number_all(exception)
        for entry in keyword_list.entries:
            self._add(parse(entry))

    def add_expression(self, text: str) -> None:
        self.owners.append(Owner(text, False))
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
            self.terms.append(Term(_latin_like(text[0]), not phrase.prefix and _latin_like(text[-1]), stretched))
            for variant in _spacings(text):
                literal = self.literals.setdefault(variant, len(self.of_literal))
                if literal == len(self.of_literal):
                    self.of_literal.append([])
                self.of_literal[literal].append(number)
        return number


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
