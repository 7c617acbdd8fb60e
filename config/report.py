"""Where the rules of lint write what they find, and how they walk the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from config.document import Node, Path
from config.findings import Finding, Level
from config.schema import Care, Condition, RootRoute, Route

__all__ = ["Branch", "Report", "branches", "conditions"]


@dataclass(slots=True)
class Report:
    """Findings of one file, placed by path. `key`: point at the key rather than at its value."""

    root: Node
    findings: list[Finding] = field(default_factory=list)

    def error(self, path: Path, rule: str, what: str, way_out: str, *, key: bool = False, offset: int = 0) -> None:
        self._add("error", path, rule, what, way_out, key, offset)

    def warning(self, path: Path, rule: str, what: str, way_out: str, *, key: bool = False, offset: int = 0) -> None:
        self._add("warning", path, rule, what, way_out, key, offset)

    def _add(self, level: Level, path: Path, rule: str, what: str, way_out: str, key: bool, offset: int) -> None:
        entry = self.root.at(path)
        line, column = (entry.line, entry.column) if key else (entry.node.line, entry.node.column)
        self.findings.append(Finding(line, column + offset, level, rule, what, way_out))


@dataclass(frozen=True, slots=True)
class Branch:
    """A route with its path in the file and the routes above it, the root first."""

    path: Path
    route: Route | RootRoute
    above: tuple[Route | RootRoute, ...]

    @property
    def line(self) -> tuple[Route | RootRoute, ...]:
        """From the root down to the route itself."""
        return (*self.above, self.route)

    @property
    def when(self) -> Condition | None:
        """What it asks of a message; None for the root, which asks nothing."""
        return self.route.when if isinstance(self.route, Route) else None

    @property
    def team(self) -> str:
        return next(route.team for route in reversed(self.line) if route.team is not None)

    @property
    def priority(self) -> str:
        return next(route.priority for route in reversed(self.line) if route.priority is not None)

    @property
    def style(self) -> str:
        return next(route.acknowledge for route in reversed(self.line) if route.acknowledge is not None)


def branches(care: Care) -> Iterator[Branch]:
    """Every route of the tree, the root first, each before its children."""
    yield from _branches(Branch(("route",), care.route, ()))


def _branches(branch: Branch) -> Iterator[Branch]:
    yield branch
    for index, child in enumerate(branch.route.routes):
        yield from _branches(Branch((*branch.path, "routes", index), child, branch.line))


def conditions(path: Path, condition: Condition) -> Iterator[tuple[Path, Condition]]:
    """A condition and all that stand inside it."""
    yield path, condition
    for index, part in enumerate(condition.any_of):
        yield from conditions((*path, "any", index), part)
    if condition.none_of is not None:
        yield from conditions((*path, "not"), condition.none_of)
