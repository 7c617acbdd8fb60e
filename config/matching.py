"""What the words that were found in one message amount to: entries with operators, `except` and `until`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from config.expressions import And, Near, Node, Not, Or, Phrase
from config.folding import Folded
from config.patterns import Compiled

__all__ = ["INSIDE", "Hits", "Matching", "Owner", "Span", "Term"]

Span = tuple[int, int]
"""Start and end, the end excluded: in `Hits` of the original text, elsewhere of the folded one."""

INSIDE = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
"""Scripts written without blanks between words (and Hangul, whose words carry particles)."""
_TOKEN = re.compile(rf"(?=\w)[{INSIDE}]|[^\W{INSIDE}](?:[^\W{INSIDE}]|['\u0300-\u036f](?=[^\W{INSIDE}]))*")


@dataclass(frozen=True, slots=True)
class Term:
    """A literal to find: at which ends a Latin-like neighbour spoils it, and who asked for it.

    `stretched` stands for a word such as `AAA`, which folds like `AA` and must not be found in it.
    """

    left: bool
    right: bool
    stretched: bool
    owners: list[int] = field(default_factory=list)
    entries: list[tuple[int, Node]] = field(default_factory=list)


@dataclass(slots=True)
class Owner:
    """A list or an expression: what it is called and what cancels its hits."""

    name: str
    is_list: bool
    until: date | None = None
    exceptions: list[Node] = field(default_factory=list)
    exception_patterns: list[Compiled] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hits:
    """What a message hit: each list and each expression that holds, with its spans in order."""

    lists: Mapping[str, tuple[Span, ...]]
    expressions: Mapping[str, tuple[Span, ...]]


@dataclass(slots=True)
class Matching:
    """One message's hits, worked out from the terms that were found in it."""

    owners: Sequence[Owner]
    terms: Sequence[Term]
    numbers: Mapping[Phrase, int]
    found: Mapping[int, Sequence[Span]]
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
            whose = self.owners[owner]
            spans = [span for node in whose.exceptions for span in self._find(node, b"") or ()]
            spans += [found.span() for pattern in whose.exception_patterns for found in pattern.finditer(self.text)]
            self.cancelled[owner] = _cover(spans, len(self.text)) if spans else b""
        return self.cancelled[owner]

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
            for second in seconds[bisect_left(seconds, (end, end)) :]:
                if bisect_left(self._token_starts(), second[0]) - tokens_before > within:
                    break
                yield start, second[1]

    def _token_starts(self) -> Sequence[int]:
        if self.starts is None:
            self.starts = [match.start() for match in _TOKEN.finditer(self.text)]
        return self.starts


def _cover(spans: Iterable[Span], length: int) -> bytes:
    covered = bytearray(length)
    for start, end in spans:
        covered[start:end] = b"\x01" * (end - start)
    return bytes(covered)


def _outside(spans: Sequence[Span], cancelling: bytes) -> Sequence[Span]:
    """The spans that no cancelled character touches."""
    return [span for span in spans if cancelling.find(1, *span) < 0] if cancelling else spans
