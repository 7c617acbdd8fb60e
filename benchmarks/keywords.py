"""What more keywords cost: 10 to 10,000 in heedful's automaton, and in a loop of `in` beside it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from benchmarks.messages import generate
from benchmarks.words import keywords
from config.folding import Folded, fold
from config.keywords import Keywords
from config.schema import KeywordList

__all__ = ["COUNTS", "Cost", "curve"]

Round = tuple[float, float, float, float]
"""Hits; seconds of searching, of the loop, of compiling."""
COUNTS = (10, 50, 500, 5_000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Hits and microseconds a message, and the milliseconds in which a changed list is compiled."""

    keywords: int
    hits: float
    search_us: float
    naive_us: float
    compile_ms: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def curve(
    messages: int = 4_000, rounds: int = 5, counts: Sequence[int] = COUNTS, tick: Callable[[], None] = lambda: None
) -> list[Cost]:
    """Interleaved: each round measures every count. `tick` is called rounds × counts times."""
    texts = [json.loads(line)["text"] for line in generate(messages)]
    folded = [fold(text) for text in texts]
    lower = [text.lower() for text in texts[: max(1, messages // 20)]]
    found: dict[int, list[Round]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            found[count].append(_measure(keywords(count), folded, lower))
            tick()
    return [_cost(count, found[count]) for count in counts]


def _measure(words: list[str], folded: list[Folded], lower: list[str]) -> Round:
    """Search all `folded`; run the loop over the fewer `lower`."""
    today = datetime.now(UTC).date()
    lists = {f"list_{n}": KeywordList(any=tuple(words[n::8])) for n in range(min(8, len(words)))}
    started = time.perf_counter()
    compiled = Keywords.compile(lists)
    compiling = time.perf_counter() - started
    started = time.perf_counter()
    for text in folded:
        compiled.search(text, today)
    searching = (time.perf_counter() - started) / len(folded)
    hits = sum(len(spans) for text in folded for spans in compiled.search(text, today).lists.values())
    started = time.perf_counter()
    for line in lower:
        [word for word in words if word in line]
    return hits / len(folded), searching, (time.perf_counter() - started) / len(lower), compiling


def _cost(count: int, rounds: list[Round]) -> Cost:
    hits, searching, looping, compiling = (median(column) for column in zip(*rounds, strict=True))
    return Cost(
        keywords=count,
        hits=round(hits, 2),
        search_us=round(searching * 1e6, 2),
        naive_us=round(looping * 1e6, 2),
        compile_ms=round(compiling * 1e3, 2),
    )
