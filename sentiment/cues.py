"""Words and phrases that mean something to a reader, all found in one pass over the folded texts.

A file of cues has three columns: tag, weight, and patterns as `sentiment.patterns` reads them. A tag that
begins with `-` takes back what it overlaps: `-self_harm` that tag, `-` every tag. Latin words match whole
words; Chinese ones match inside text.

Most literals only continue patterns, and most of those that are met continue nothing. So it is asked first
which parts of patterns a text holds at all, as bits of one number; only for patterns of which no part is
missing is looked where the parts stand.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sentiment.data import rows
from sentiment.literals import Automaton, Chain, Literal, Match, Roles, Span, Table, bare, plain, union
from sentiment.patterns import named, patterns

__all__ = ["Cues", "Found", "Hit"]

_STOPS = re.compile(r"[.!?。！？;；\n](?!\d)")
_ENOUGH = 32
"""Hits of one tag in one text: more of them say nothing new, and a flood of them must not cost more."""


class Hit(NamedTuple):
    """One cue found: where it stands in the folded text, and what it says."""

    start: int
    end: int
    tag: str
    weight: float


Found = Mapping[str, list[Hit]]
"""Hits by tag, each list in the order of the text."""


class _Rule(NamedTuple):
    tag: str
    weight: float
    rest: tuple[tuple[int, int], ...]  # the parts that must follow, and within how many characters


_Later = Mapping[int, list[tuple[int, int]]]
"""Where the parts stand that may continue patterns, in order."""
_Gaps = Sequence[tuple[int, int]]
"""The parts of a pattern, and within how many characters each follows the part before it."""
_Runs = list[tuple[Table, list[Match]]]
"""What was found in a text, and what it means there."""
_CLOSE = 10
_SHORT = 200
"""Up to so many characters, a look at what stands side by side costs less than it saves."""


class Cues:
    """Patterns compiled into two overlapping automata: for words among blanked text, and for all other text."""

    def __init__(self, files: Iterable[str]) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._literals: dict[int, list[Literal]] = {}
        self._rules: dict[int, list[_Rule]] = {}
        names: dict[str, str] = {}
        for file in files:
            for row in rows(file):
                if row[0].startswith("="):
                    names[row[0][1:]] = row[1]
                else:
                    self._add(row[0], float(row[1]), named(row[2], names))
        every = [rule for rules in self._rules.values() for rule in rules]
        self._exceptions = frozenset(rule.tag for rule in every if rule.tag.startswith("-"))
        self._continuing = frozenset(part for rule in every for part, _ in rule.rest)
        self._compile()

    def _add(self, tag: str, weight: float, text: str) -> None:
        for pattern in patterns(text):
            first, *rest = [self._part(part) for part in pattern.parts]
            following = tuple(zip(rest, pattern.widths, strict=True))
            self._rules.setdefault(first, []).append(_Rule(tag, weight, following))

    def _part(self, literals: Iterable[str]) -> int:
        choices = tuple(sorted({" ".join(literal.split()) for literal in literals} - {"", "*"}))
        if choices not in self._numbers:
            number = self._numbers[choices] = len(self._numbers)
            self._literals[number] = [Literal.of(number, choice) for choice in choices]
        return self._numbers[choices]

    def _compile(self) -> None:
        alone = {part for part, rules in self._rules.items() if any(not rule.rest for rule in rules)}
        chains = [((first, 0), *rule.rest) for first, rules in self._rules.items() for rule in rules if rule.rest]
        roles = self._roles(alone, chains)
        every = [literal for literals in self._literals.values() for literal in literals]
        words = Automaton((one.padded(), one) for one in every if one.is_word)
        others = Automaton((one.text, one) for one in every if not one.is_word or one.is_signed)
        self._firsts = frozenset(self._rules).difference(alone)
        self._ascii = Table(words, Literal.in_words, roles)
        self._words = Table(words, Literal.in_mixed, roles)
        self._others = Table(others, Literal.in_text, roles)

    def _roles(self, alone: Collection[int], chains: Sequence[_Gaps]) -> Roles:
        parts = [frozenset(part for part, _ in gaps) for gaps in chains]
        bits = {part: 1 << at for at, part in enumerate(sorted(frozenset().union(*parts)))}
        frequency = {part: sum(literal.frequency for literal in self._literals[part]) for part in bits}
        calls: dict[int, list[Chain]] = {}
        for gaps, own in zip(chains, parts, strict=True):
            rarest = min(sorted(own), key=frequency.__getitem__)
            chain = Chain(own, union(bits[part] for part in own), self._hint(gaps))
            calls.setdefault(rarest, []).append(chain)
        return Roles(alone=alone, bits=bits, calls=calls)

    def _hint(self, gaps: _Gaps) -> re.Pattern[str] | None:
        """The last characters of one part and the first ones of the next, where these stand close together."""
        width, left, right = min((width, left, right) for (left, _), (right, width) in pairwise(gaps))
        lasts = {literal.text[-1] for literal in self._literals[left]}
        firsts = {literal.text[0] for literal in self._literals[right]}
        if width > _CLOSE or not all(map(str.isalnum, lasts | firsts)):
            return None
        return re.compile(f"(?s)[{''.join(sorted(lasts))}].{{0,{width}}}[{''.join(sorted(firsts))}]")

    def find_many(self, texts: Iterable[str]) -> list[dict[str, list[Hit]]]:
        """`find` of each text."""
        return list(map(self.find, texts))

    def find(self, text: str) -> dict[str, list[Hit]]:
        """Every cue in the folded `text`, by tag; what an exception overlaps is gone."""
        line = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        runs = self._matched(line)
        begun: list[Span] = []
        called: list[Chain] = []
        present = 0
        for table, matches in runs:
            says, parts = table.says, table.parts
            for number, start, end in matches:
                present |= parts[number]
                say = says[number]
                if say is not None:
                    for part, before, behind, check in say[0]:
                        if check is None:
                            begun.append((start + before, end - behind, part))
                        elif (span := check(line, start, end)) is not None:
                            begun.append(span)
                    called += say[1]
        live = _live(line, called, present)
        later = self._placed(line, runs, live, begun) if live else {}
        return self._applied(text, begun, later) if begun else {}

    def _matched(self, text: str) -> _Runs:
        """All literals that may stand in the text. In an ASCII text punctuation is a blank; in others it stays."""
        if text.isascii():
            return [(self._ascii, self._ascii.matches(f" {plain(text)} "))]
        runs = [(self._others, self._others.matches(text))]
        words = bare(text)
        if not words.isspace():
            runs.append((self._words, self._words.matches(f" {words} ")))
        return runs

    def _placed(self, line: str, runs: _Runs, live: Sequence[Chain], begun: list[Span]) -> _Later:
        """Where the parts of the live patterns stand; those that begin patterns go to `begun`."""
        wanted = live[0].parts.union(*[chain.parts for chain in live[1:]])
        bits = union(chain.bits for chain in live)
        firsts, continuing = self._firsts, self._continuing
        later: dict[int, list[tuple[int, int]]] = {}
        for table, matches in runs:
            parts, gaps = table.parts, table.gaps
            for number, start, end in matches:
                if not parts[number] & bits:
                    continue
                for part, before, behind, check in gaps[number]:
                    if part not in wanted:
                        continue
                    span = check(line, start, end) if check else (start + before, end - behind, part)
                    if span is None:
                        continue
                    if part in firsts:
                        begun.append(span)
                    if part in continuing:
                        later.setdefault(part, []).append(span[:2])
        for spans in later.values():
            spans.sort()
        return later

    def _applied(self, text: str, begun: list[Span], later: _Later) -> dict[str, list[Hit]]:
        found: dict[str, list[Hit]] = {}
        begun.sort()
        new, rules = tuple.__new__, self._rules
        for start, end, part in begun:
            for tag, weight, rest in rules[part]:
                if rest and rest[0][0] not in later:
                    continue
                hits = found.get(tag)
                if hits is not None and len(hits) >= _ENOUGH:
                    continue
                stop = _follow(text, end, rest, later) if rest else end
                if not stop:
                    continue
                hit = new(Hit, (start, stop, tag, weight))
                if hits is None:
                    found[tag] = [hit]
                else:
                    hits.append(hit)
        return found if self._exceptions.isdisjoint(found) else _taken_back(found)


def _live(line: str, called: Iterable[Chain], present: int) -> list[Chain]:
    """The patterns of which no part is missing."""
    live = [chain for chain in called if chain.bits & present == chain.bits]
    if not live or len(line) > _SHORT:
        return live
    return [chain for chain in dict.fromkeys(live) if chain.hint is None or chain.hint.search(line)]


def _follow(text: str, end: int, rest: _Gaps, later: _Later, at: int = 0) -> int:
    """Where the last of the following parts ends; 0 where one is missing, too far or in another sentence."""
    part, width = rest[at]
    spans = later.get(part)
    if spans is None:
        return 0
    last = at + 1 == len(rest)
    for number in range(bisect_left(spans, (end,)), len(spans)):
        start, stop = spans[number]
        if start > end + width or (width > 1 and start > end and _STOPS.search(text, end, start)):
            return 0
        if last or (stop := _follow(text, stop, rest, later, at + 1)):
            return stop
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
