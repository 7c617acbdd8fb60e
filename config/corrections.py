"""Rules of lint: the words of `reading:`, at the root and of each team."""

from __future__ import annotations

from collections.abc import Iterator

from config.document import Path
from config.expressions import Phrase
from config.folding import fold
from config.reading import CLASSES, ReadingSettings
from config.report import Report
from config.schema import Care
from config.vocabulary import check_entry

__all__ = ["check_corrections"]

_BESIDE = {"negative", "urgent"}
"""These two answer different questions: one word may stand under both. All other pairs contradict each other."""


def check_corrections(care: Care, report: Report) -> None:
    for path, settings in _settings(care):
        _words(report, (*path, "words"), settings)


def _settings(care: Care) -> Iterator[tuple[Path, ReadingSettings]]:
    if care.reading is not None:
        yield ("reading",), care.reading
    for name, team in care.teams.items():
        if team.reading is not None:
            yield ("teams", name, "reading"), team.reading


def _words(report: Report, above: Path, settings: ReadingSettings) -> None:
    seen: dict[str, list[tuple[str, str]]] = {}
    for name in CLASSES:
        for index, entry in enumerate(getattr(settings.words, name)):
            path = (*above, name, index)
            folded = _plain(report, path, entry)
            if folded is None:
                continue
            before = seen.setdefault(folded, [])
            against = next((one for one in before if {one[0], name} != _BESIDE), None)
            if against is not None:
                _again(report, path, entry, name, against)
            before.append((name, entry))


def _plain(report: Report, path: Path, entry: str) -> str | None:
    """The word as it is looked for, or None where it is none."""
    expression = check_entry(report, path, entry)
    if expression is None:
        return None
    if not isinstance(expression, Phrase):
        report.error(
            path,
            "not-a-word",
            f"`{entry}` is an expression, and only words and phrases are looked for here",
            "write each word as an item of its own; for AND, NEAR and re: add a keyword list and a route",
        )
        return None
    folded = fold(expression.text).text
    if len(folded) == 1:
        report.warning(path, "one-character", f"`{entry}` lives inside many words", "use a longer word")
    return folded + "*" * expression.prefix


def _again(report: Report, path: Path, entry: str, name: str, first: tuple[str, str]) -> None:
    before, word = first
    if before == name:
        report.warning(
            path,
            "same-keyword",
            f"`{entry}` is the same word as `{word}` above",
            "remove it: letter case, width and Chinese script do not matter",
        )
        return
    report.error(
        path,
        "two-classes",
        f"`{entry}` is both `{before}` and `{name}`",
        f"keep it under one of them; it stands under `{before}` already",
    )
