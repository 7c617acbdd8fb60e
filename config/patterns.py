"""Regular expressions of staff: RE2, so that no pattern can stall the program, within small bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import re2

from config.expressions import ExpressionError
from config.folding import simplify

__all__ = ["Compiled", "Patterns", "compile_pattern"]

_MEMORY = 1 << 20
_MEMORY_TOGETHER = 8 << 20
_LARGEST = 2000

Span = tuple[int, int]


class _Match(Protocol):
    def span(self) -> Span: ...


class Compiled(Protocol):
    """What google-re2, which ships no types, gives for a pattern."""

    programsize: int

    def search(self, text: str) -> _Match | None: ...
    def finditer(self, text: str) -> Sequence[_Match]: ...


def compile_pattern(source: str) -> Compiled:
    """Compile for folded text: letter case and traditional forms do not matter. Raises ExpressionError."""
    try:
        compiled = _compile(simplify(source), _MEMORY)
    except re2.error as error:
        raise ExpressionError(
            f"`re:{source}` is not a pattern: {_reason(error)}",
            "RE2 has neither look-around nor back-references; see its syntax",
        ) from error
    if compiled.programsize > _LARGEST:
        raise ExpressionError(f"`re:{source}` is too large a pattern", "use smaller repetitions, or split it")
    if compiled.search("") is not None:
        raise ExpressionError(f"`re:{source}` matches the empty text, so every message", "demand a character: + for *")
    return compiled


class Patterns:
    """Several patterns, of which most messages match none: one automaton of all of them is asked first."""

    def __init__(self, patterns: Sequence[Compiled], sources: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._together = _together(sources)

    def search(self, text: str) -> dict[int, list[Span]]:
        """Where each pattern that matches does, by its number."""
        if self._together is not None and self._together.search(text) is None:
            return {}
        found = ((i, [m.span() for m in pattern.finditer(text)]) for i, pattern in enumerate(self._patterns))
        return {i: [span for span in spans if span[0] < span[1]] for i, spans in found if spans}


def _compile(source: str, memory: int) -> Compiled:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    options.case_sensitive = False
    return cast("Compiled", re2.compile(source, options))


def _together(sources: Sequence[str]) -> Compiled | None:
    if len(sources) < 2:
        return None
    try:
        return _compile("|".join(f"(?:{simplify(source)})" for source in sources), _MEMORY_TOGETHER)
    except re2.error:  # together too large, or two groups of one name: each is then asked by itself
        return None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "unknown"
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
