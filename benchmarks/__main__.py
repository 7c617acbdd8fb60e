"""`python -m benchmarks`: all of it, or what is named; a table for people, JSON for machines."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks.keywords import COUNTS, Cost, curve
from benchmarks.pipeline import Comparison, compare

BOUNDS = {500: 10.0, 5_000: 15.0}
"""At least so many times the plain script."""
CURVE = 4.0
"""10,000 keywords cost at most so many times what 10 cost."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="*", help="pipeline, keywords (default: both)")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keywords", default="500,5000", help="sizes of the list for the pipeline")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the databases go: a real disk")
    parser.add_argument("--json", type=Path, help="also write the figures there (`-`: to standard output)")
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a promise is not kept")
    given = parser.parse_args()
    given.what = given.what or ["pipeline", "keywords"]
    if unknown := set(given.what) - {"pipeline", "keywords"}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    return given


def measure(given: argparse.Namespace, progress: Progress) -> tuple[list[Comparison], list[Cost]]:
    comparisons: list[Comparison] = []
    for count in map(int, given.keywords.split(",") if "pipeline" in given.what else ()):
        task = progress.add_task(f"pipeline, {count} keywords", total=given.rounds + 1)
        comparisons.append(
            compare(count, given.messages, given.rounds, folder=given.folder, tick=lambda t=task: progress.advance(t))  # type: ignore[misc]
        )
    costs: list[Cost] = []
    if "keywords" in given.what:
        task = progress.add_task("keywords, 10 to 10,000", total=given.rounds * len(COUNTS))
        costs = curve(min(given.messages, 4_000), given.rounds, tick=lambda: progress.advance(task))
    return comparisons, costs


def show(console: Console, comparisons: list[Comparison], costs: list[Cost]) -> None:
    if comparisons:
        console.print(_pipeline(comparisons))
    if costs:
        console.print(_keywords(costs))


def _pipeline(comparisons: list[Comparison]) -> Table:
    columns = ("words", "plain/s", "heedful/s", "times", "goal", "plain µs", "heedful µs", "routed", "answered")
    table = Table(*columns)
    for one in comparisons:
        bound = BOUNDS.get(one.keywords)
        table.add_row(
            f"{one.keywords:,}",
            f"{one.plain_rate:,.0f}",
            f"{one.heedful_rate:,.0f}",
            f"[b]{one.ratio:.1f}[/b] ({min(one.ratios):.1f} to {max(one.ratios):.1f})",
            f"{bound:g}" if bound else "",
            f"{one.plain_cpu_us:,.0f}",
            f"{one.heedful_cpu_us:,.0f}",
            f"{one.routed:.1%}",
            f"{one.acknowledged:.1%}",
        )
    return table


def _keywords(costs: list[Cost]) -> Table:
    table = Table("words", "hits", "heedful µs", "times 10", "`in` µs", "compiled ms")
    for cost in costs:
        table.add_row(
            f"{cost.keywords:,}",
            f"{cost.hits:.2f}",
            f"{cost.search_us:.2f}",
            f"{cost.search_us / costs[0].search_us:.1f}",
            f"{cost.naive_us:,.1f}",
            f"{cost.compile_ms:.1f}",
        )
    return table


def kept(comparisons: list[Comparison], costs: list[Cost]) -> bool:
    fast = all(one.ratio >= BOUNDS.get(one.keywords, 0) for one in comparisons)
    return fast and (not costs or costs[-1].search_us <= CURVE * costs[0].search_us)


def figures(comparisons: list[Comparison], costs: list[Cost]) -> dict[str, Any]:
    return {"pipeline": [one.as_json() for one in comparisons], "keywords": [cost.as_json() for cost in costs]}


def main() -> int:
    given, console = arguments(), Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as progress:
            comparisons, costs = measure(given, progress)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").splitlines()
        console.print(error, *said[-12:], sep="\n", markup=False)
        return 1
    show(Console(), comparisons, costs)
    if given.json is not None:
        text = json.dumps(figures(comparisons, costs), indent=2)
        print(text) if str(given.json) == "-" else given.json.write_text(text + "\n", "utf-8")
    return 1 if given.strict and not kept(comparisons, costs) else 0


if __name__ == "__main__":
    sys.exit(main())
