"""A team that reads otherwise: its routes see its view, and so does what is decided for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.keywords import Hits
from connectors.api import Message
from routing.decide import Decision, History, OpenCase, Rules, decide
from sentiment.api import Reading
from tests.routing.deciding import ANA, CALM, NOW, care, route

HIGH = replace(CALM, negative=0.9, label="negative")
NIGHT = route("night", {"negative": 0.8}, team="night", priority="P2")
PAYMENTS = route("payments", {"negative": 0.8}, team="payments")
NO_HITS = Hits(lists={}, expressions={})


def decided(
    *routes: dict[str, Any], reading: Reading = CALM, history: History | None = None, **views: Reading
) -> Decision:
    message = Message(id="1", author=ANA, text="well", sent_at=NOW, thread="t")
    return decide(
        message,
        reading,
        NO_HITS,
        Rules.compile(care(*routes)),
        history or History(),
        channel="x-mentions",
        connector="x",
        now=NOW,
        views=views,
    )


def test_the_conditions_of_its_routes_see_its_view() -> None:
    assert not decided(NIGHT, PAYMENTS).routed
    found = decided(NIGHT, PAYMENTS, payments=HIGH)
    assert (found.team, found.view, found.route) == ("payments", "payments", ("root", "payments"))
    assert str(found.because[1]) == "negative: 0.9 ≥ 0.8"
    assert decided(NIGHT, PAYMENTS, reading=HIGH, night=CALM).team == "payments"


def test_a_child_inherits_the_team_and_its_view() -> None:
    tree = route("all", {"channel": ["x-mentions"]}, route("hot", {"negative": 0.8}, priority="P1"), team="payments")
    assert decided(tree, payments=HIGH).priority == "P1"
    assert decided(tree, reading=HIGH, payments=CALM).priority == "P3"


def test_behind_continue_each_route_sees_its_own() -> None:
    first = route("first", {"negative": 0.8}, team="payments", **{"continue": True})
    assert decided(first, NIGHT, payments=HIGH).team == "payments"
    assert decided(first, NIGHT, payments=HIGH, night=HIGH).team == "night"


def test_what_nobody_matches_is_kept_or_not_by_the_view_of_the_roots_team() -> None:
    assert decided(care=HIGH).view == "care"
    assert decided(care=HIGH).routed
    kept = decided(reading=HIGH, care=CALM)
    assert (kept.routed, kept.kept, kept.view) == (False, "calm", "care")
    assert decided(payments=HIGH).routed is False


def test_an_open_case_is_read_by_the_team_that_has_it() -> None:
    history = History(open_case=OpenCase(id=7, priority="P3", team="payments"))
    found = decided(NIGHT, history=history, reading=HIGH, payments=CALM)
    assert (found.team, found.view) == ("payments", "payments")
    gone = History(open_case=OpenCase(id=7, priority="P3", team="closed-down"))
    assert decided(history=gone, payments=HIGH).view == "closed-down"


def test_a_resolved_case_that_opens_again_is_too() -> None:
    history = History(resolved_case=OpenCase(id=7, priority="P3", team="payments"))
    found = decided(history=history, payments=HIGH)
    assert (found.routed, found.reopens, found.team, found.view) == (True, True, "payments", "payments")


@pytest.mark.parametrize("harm", ["legal", "self_harm"])
def test_grave_harms_of_a_view_are_p1(harm: str) -> None:
    assert decided(care=replace(CALM, harm=(harm,))).priority == "P1"  # type: ignore[arg-type]


@given(st.floats(0, 1), st.booleans())
def test_a_view_that_says_the_same_decides_the_same(negative: float, night: bool) -> None:
    reading = replace(CALM, negative=negative)
    plain = decided(NIGHT, PAYMENTS, reading=reading)
    assert plain == decided(NIGHT, PAYMENTS, reading=reading, care=reading, payments=reading)
    if night:
        assert plain == decided(NIGHT, PAYMENTS, reading=reading, night=reading)
