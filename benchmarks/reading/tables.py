"""The figures as tables: built once, shown on the terminal and written into the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks.reading.contenders import Contender
from benchmarks.reading.evaluation import Report
from benchmarks.reading.figures import Figures
from benchmarks.reading.sets import OWN

__all__ = ["Table", "markdown", "tables"]

MOODS = ("negative", "neutral", "positive")
TOLD = ("negative", "unsure", "neutral", "positive")


class Table(NamedTuple):
    """`name` is that of its place in the page."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(report: Report, contenders: Sequence[Contender]) -> list[Table]:
    """All of them; one whose set was not there has no rows."""
    return [
        *_beside(report, contenders),
        _own(report),
        _care(report),
        _confusion(report),
        _moods(report),
        _speed(report),
        _misses(report),
    ]


def markdown(table: Table) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ↵ ")


def _number(value: float | None) -> str:
    """Two decimals, without a leading nought: .87; nothing where it is not defined."""
    if value is None:
        return "–"
    return f"{value:.2f}".replace("0.", ".", 1) if value < 1 else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _cell(one: Figures) -> str:
    told = f"{_number(one.auc)} {_number(one.recall)} {_number(one.macro_f1)}"
    return told if one.claimed else f"({told})"


def _beside(report: Report, contenders: Sequence[Contender]) -> list[Table]:
    """Those for one language only share a column, in which each stands with its name beside its own language."""
    general = [one.name for one in contenders if len(one.languages) > 1 or one.languages & {"en", "*"}]
    special = [one.name for one in contenders if one.name not in general]
    columns = ["language", "messages", "negative", *general, *(["of that language"] if special else [])]

    def rows(keep: Callable[[Figures], bool], head: Callable[[Figures], str]) -> list[list[str]]:
        return [
            [head(group[0]), f"{group[0].messages:,}", f"{group[0].negatives:,}", *_line(group, general, special)]
            for group in _groups(filter(keep, report.figures))
        ]

    own = rows(lambda one: one.sample == OWN, lambda one: one.language)
    sets = rows(lambda one: one.sample != OWN, lambda one: f"{one.sample}, {one.language}")
    legend = "AUC, recall of negative at 10 % false alarms, macro-F1; (does not claim the language)"
    return [
        Table("development", f"Our development split: {legend}", columns, own),
        Table("sets", f"Public sets: {legend}", ["set", *columns[1:]], sets),
    ]


def _groups(figures: Iterable[Figures]) -> list[list[Figures]]:
    found: dict[tuple[str, str], list[Figures]] = {}
    for one in figures:
        found.setdefault((one.sample, one.language), []).append(one)
    return list(found.values())


def _line(group: Sequence[Figures], general: Sequence[str], special: Sequence[str]) -> list[str]:
    cells = {one.contender: one for one in group}
    own = [f"{name}: {_cell(cells[name])}" for name in special if cells[name].claimed]
    return [*(_cell(cells[name]) for name in general), *([" ".join(own) or "–"] if special else [])]


def _ours(report: Report) -> set[str]:
    return {one.contender for one in report.figures if one.unread is not None}


def _own(report: Report) -> Table:
    columns = ("reader", "set", "language", "messages", "AUC", "recall", "macro-F1", "calibration error", "not read")
    rows = [
        (
            one.contender,
            one.sample,
            one.language,
            f"{one.messages:,}" + (f" of {one.whole:,}" if one.whole > one.messages else ""),
            _number(one.auc) + (f" ± {_number(one.half_width)}" if one.half_width is not None else ""),
            _number(one.recall),
            _number(one.macro_f1),
            _number(one.calibration_error),
            _share(one.unread),
        )
        for one in report.figures
        if one.contender in _ours(report)
    ]
    return Table("own", "heedful: with 95 % intervals of the AUC", columns, rows)


def _care(report: Report) -> Table:
    columns = (
        "language", "contender", "urgent: AUC", "kind right", "harm: precision", "harm: recall",
        "called, of the negatives", "called, of the rest", "calm questions", "of them called negative",
    )  # fmt: skip
    order = {language: place for place, language in enumerate(dict.fromkeys(one.language for one in report.care))}
    rows = [
        (
            one.language, one.contender, _number(one.urgent_auc), _number(one.kind), _number(one.harm.precision),
            _number(one.harm.recall), _share(one.called_negatives), _share(one.called_rest), f"{one.calm}",
            _share(one.calm_called),
        )
        for one in sorted(report.care, key=lambda one: order[one.language])
        if (one.language, one.contender) in _claimed(report)
    ]  # fmt: skip
    return Table("care", "What care asks beyond negative or not (development split)", columns, rows)


def _confusion(report: Report) -> Table:
    rows = [
        (language, truth, *(f"{cells[truth, told]:,}" for told in TOLD))
        for language, cells in report.confused.items()
        for truth in MOODS
    ]
    return Table("confusion", "heedful: what was told as what", ("language", "is", *TOLD), rows)


def _moods(report: Report) -> Table:
    columns = ("language", "contender", "thanks to a complaint", "apology to praise", "thanks to praise",
               "apology to a complaint", "complaints, praise")  # fmt: skip
    languages = list(dict.fromkeys(one.language for one in report.moods))
    rows = [
        (
            one.language, one.contender, _share(one.thanked_complaints), _share(one.apologised_praise),
            _share(one.thanked_praise), _share(one.apologised_complaints), f"{one.complaints}, {one.praise}",
        )
        for one in sorted(report.moods, key=lambda one: languages.index(one.language))
        if (one.language, one.contender) in _claimed(report)
    ]  # fmt: skip
    return Table("moods", "The wrong mood: the first two shares are mistakes", columns, rows)


def _claimed(report: Report) -> set[tuple[str, str]]:
    """Language and contender, of those of our own messages that the contender claims to read."""
    return {(one.language, one.contender) for one in report.figures if one.sample == OWN and one.claimed}


def _speed(report: Report) -> Table:
    pools = list(report.speed[0].messages_per_second) if report.speed else []
    rows = [
        (
            one.contender,
            *(f"{rate:,.0f}" for rate in one.messages_per_second.values()),
            "–" if one.slowest_ms is None else f"{one.slowest_ms:,.1f} ms ({one.slowest_on})",
        )
        for one in report.speed
    ]
    return Table("speed", "Messages a second, one core", ("contender", *pools, "slowest hostile text"), rows)


def _misses(report: Report) -> Table:
    rows = [(one.language, one.mood, one.label, _number(one.negative), one.text) for one in report.misses]
    return Table("misses", "heedful: the surest mistakes", ("language", "is", "read as", "`negative`", "text"), rows)
