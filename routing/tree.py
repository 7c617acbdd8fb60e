"""The routing tree: which routes match a message, and what they set together; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from config.schema import Priority, Route
from routing.calendar import Hours
from routing.conditions import Because, Compiled, Facts, compile_condition, texts_of
from routing.deadlines import Layer

__all__ = ["Found", "Node", "compile_nodes", "texts", "walk"]


@dataclass(frozen=True, slots=True)
class Node:
    """A route with its condition compiled. `team` is the one that it leads to, its own or inherited."""

    route: Route
    team: str
    condition: Compiled
    layer: Layer | None
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What the matching routes set; None: nothing, so that the root or the case decides."""

    route: tuple[str, ...] = ("root",)
    team: str | None = None
    priority: Priority | None = None
    style: str | None = None
    queue: bool | None = None
    layers: tuple[Layer, ...] = ()
    because: tuple[Because, ...] = ()


NOTHING = Found()
NO_VIEWS: Mapping[str, Facts] = MappingProxyType({})


def compile_nodes(
    routes: Sequence[Route], team: str, people: Mapping[str, Collection[str]], calendars: Mapping[str, Hours]
) -> tuple[Node, ...]:
    """`team` is what the routes inherit. Raises ValueError for a calendar or a list of people that does not exist."""
    return tuple(
        Node(
            route,
            route.team or team,
            compile_condition(route.when, people, calendars),
            Layer(route.calendar, route.deadlines) if route.calendar or route.deadlines else None,
            compile_nodes(route.routes, route.team or team, people, calendars),
        )
        for route in routes
    )


def texts(routes: Sequence[Route]) -> Iterator[str]:
    """Every `text:` expression of a tree."""
    for route in routes:
        yield from texts_of(route.when)
        yield from texts(route.routes)


def walk(nodes: Sequence[Node], facts: Facts, views: Mapping[str, Facts] = NO_VIEWS) -> Found:
    """The first that matches wins, with the first of its children, and so on down, each overriding its parent.

    Behind one that says `continue` later siblings are tried too: they override the keys that they set,
    but of the priorities the most urgent stands. `views`: the facts as a team sees them, where it reads otherwise.
    """
    found = NOTHING
    for node in nodes:
        seen = views.get(node.team, facts)
        if node.condition.test(seen):
            found = _beside(found, _down(node, seen, facts, views))
            if not node.route.proceed:
                break
    return found


def _down(node: Node, seen: Facts, facts: Facts, views: Mapping[str, Facts]) -> Found:
    route = node.route
    mine = Found(
        ("root", route.name),
        route.team,
        route.priority,
        route.acknowledge,
        route.queue,
        () if node.layer is None else (node.layer,),
        (Because("route", route.name), *node.condition.told(seen)),
    )
    return _over(mine, walk(node.children, facts, views)) if node.children else mine


def _over(below: Found, above: Found) -> Found:
    """`above` overrides the keys that it sets."""
    if above is NOTHING:
        return below
    return Found(
        below.route + above.route[1:],
        above.team or below.team,
        above.priority or below.priority,
        above.style or below.style,
        below.queue if above.queue is None else above.queue,
        below.layers + above.layers,
        below.because + above.because,
    )


def _beside(before: Found, after: Found) -> Found:
    both = _over(before, after)
    if before.priority is None or after.priority is None:
        return both
    return replace(both, priority=min(before.priority, after.priority))
