"""doctor: whether this installation is well."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from heedful.commands.output import (
    ConfigOption,
    DatabaseOption,
    JsonOption,
    config_path,
    database_url,
    out,
    plain,
    print_json,
    variables,
)

if TYPE_CHECKING:
    from heedful.doctor.verdict import Verdict

__all__ = ["register"]

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red"), "skip": ("·", "dim")}


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody but this machine.")] = False,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Examine environment, file, database, clock, channels, notify targets and flows of personal data."""
    from heedful.doctor.examination import Examination
    from heedful.logs import configure

    configure("ERROR")
    environ = variables(config)
    visit = Examination(
        config_path(config),
        lambda care: database_url(database, care, environ),
        environ,
        lambda: datetime.now(UTC),
        offline=offline,
    )
    found = asyncio.run(visit.run())
    counts = Counter[str](verdict.level for verdict in found)
    if as_json:
        checks = [verdict.as_json() for verdict in found]
        print_json({"well": not counts["fail"], "checks": checks, "counts": {name: counts[name] for name in MARKS}})
    else:
        _print(found, counts)
    if counts["fail"]:
        raise typer.Exit(1)


def _print(found: Sequence[Verdict], counts: Counter[str]) -> None:
    table = Table(box=None, padding=(0, 1), show_header=False)
    for column in ("mark", "area", "name", "found"):
        table.add_column(column, overflow="fold", ratio=1 if column == "found" else None)
    area = ""
    for one in sorted(found, key=lambda verdict: _order(found, verdict.area)):
        mark, style = MARKS[one.level]
        said = Text(plain(one.found), style="" if one.level != "skip" else "dim")
        if one.way:
            said.append(f"\n→ {plain(one.way)}", style="bold")
        head = Text("" if one.area == area else one.area, style="bold")
        table.add_row(Text(mark, style=style), head, Text(plain(one.name)), said)
        area = one.area
    out.print(table)
    summary = ", ".join(f"{counts[name]} {name}" for name in MARKS if counts[name])
    out.print(Text(f"\n{summary}: " + ("this needs a person." if counts["fail"] else "heedful can work.")))


def _order(found: Sequence[Verdict], area: str) -> int:
    """Areas in the order in which they were first looked at."""
    return next(place for place, verdict in enumerate(found) if verdict.area == area)


def register(app: typer.Typer) -> None:
    app.command()(doctor)
