"""The whole run: every contender on every sample, then the probes of mood, then speed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.measures import confusion
from benchmarks.reading.contenders import Contender, Opinion, Readings
from benchmarks.reading.figures import Care, Figures, Miss, care, figures, misses
from benchmarks.reading.moods import Moods, moods, probes
from benchmarks.reading.sets import OWN, Sample
from benchmarks.reading.speed import Speed, hostile, slowest, speed

__all__ = ["Report", "evaluate"]

MISSES = 4
FIRST = ("en", "zh-Hans", "zh-Hant", "zh-Hant-HK")
"""Read in depth; the others have too few messages each, and are pooled as well."""
Tick = Callable[[str], None]


@dataclass(slots=True)
class Report:
    """What was found; `confused` counts truth and label (`unsure` told apart) of heedful's first reader."""

    figures: list[Figures] = field(default_factory=list)
    care: list[Care] = field(default_factory=list)
    moods: list[Moods] = field(default_factory=list)
    speed: list[Speed] = field(default_factory=list)
    confused: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            **{
                name: [one.as_json() for one in getattr(self, name)]
                for name in ("figures", "care", "moods", "speed", "misses")
            },
            "confused": {
                language: [{"truth": truth, "told": told, "messages": n} for (truth, told), n in cells.items()]
                for language, cells in self.confused.items()
            },
        }


def evaluate(contenders: Sequence[Contender], samples: Sequence[Sample], tick: Tick = lambda _: None) -> Report:
    """`tick` is told what was just done: once a contender and sample, once a contender for moods and for speed."""
    report = Report()
    ours = [sample for sample in samples if sample.name == OWN]
    pools = _pools(ours)
    for number, contender in enumerate(contenders):
        opinions: dict[tuple[str, str], list[Opinion]] = {}
        for sample in samples:
            opinions[sample.name, sample.language] = contender.judge([row.text for row in sample.rows])
            tick(f"{contender.name}: {sample.name} {sample.language}")
        for pool, parts in pools:
            opinions[OWN, pool.language] = [one for part in parts for one in opinions[OWN, part.language]]
        everything = [*ours, *(pool for pool, _ in pools), *(sample for sample in samples if sample.name != OWN)]
        _judged(report, contender, everything, opinions, first=not number)
        _moods(report, contender)
        tick(f"{contender.name}: moods")
    report.speed = _speed(contenders, _texts(ours), tick)
    return report


def _pools(ours: Sequence[Sample]) -> list[tuple[Sample, Sequence[Sample]]]:
    """Our own messages of all languages, and of those with few."""
    few = [sample for sample in ours if sample.language not in FIRST]
    return [(_pool(name, parts), parts) for name, parts in (("others", few), ("all", ours)) if len(parts) > 1]


def _pool(language: str, parts: Sequence[Sample]) -> Sample:
    rows = tuple(row for part in parts for row in part.rows)
    return Sample(name=OWN, language=language, rows=rows, whole=len(rows))


def _judged(
    report: Report,
    contender: Contender,
    samples: Sequence[Sample],
    opinions: Mapping[tuple[str, str], Sequence[Opinion]],
    *,
    first: bool,
) -> None:
    for sample in samples:
        told = opinions[sample.name, sample.language]
        report.figures.append(figures(sample, contender, told))
        if sample.name != OWN:
            continue
        report.care.append(care(sample, contender, told))
        if first:
            report.confused[sample.language] = confusion([row.mood for row in sample.rows], [one.label for one in told])
            report.misses += misses(sample, told, MISSES) if sample.language not in {"all", "others"} else []


def _moods(report: Report, contender: Contender) -> None:
    asked = probes()
    for language in (*dict.fromkeys(probe.language for probe in asked), "all"):
        report.moods.append(moods(contender, asked, language))


def _texts(ours: Sequence[Sample]) -> dict[str, list[str]]:
    """What is timed: a package that passes over what it cannot read is fast at that."""
    pools: dict[str, list[str]] = {"English": [], "Chinese": [], "others": [], "all": []}
    for sample in ours:
        first = sample.language.partition("-")[0]
        texts = [row.text for row in sample.rows]
        pools[{"en": "English", "zh": "Chinese"}.get(first, "others")] += texts
        pools["all"] += texts
    return {name: texts for name, texts in pools.items() if texts}


def _speed(contenders: Sequence[Contender], texts: Mapping[str, Sequence[str]], tick: Tick) -> list[Speed]:
    rates = {pool: speed(contenders, chosen) for pool, chosen in texts.items()}
    found: list[Speed] = []
    for contender in contenders:
        most = slowest(contender, hostile()) if isinstance(contender, Readings) else (None, None)
        tick(f"{contender.name}: speed")
        found.append(
            Speed(
                contender=contender.name,
                messages_per_second={pool: rate[contender.name] for pool, rate in rates.items()},
                slowest_ms=most[0],
                slowest_on=most[1],
            )
        )
    return found
