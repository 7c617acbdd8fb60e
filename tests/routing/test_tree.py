"""The tree, its conditions, and the deadlines that come with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.api import Author
from routing.decide import History, Rules
from tests.routing.deciding import NOW, care, reasons, route, told

NEVER = {"text": "no such words anywhere"}


def test_the_first_matching_child_wins_and_inherits_downwards() -> None:
    rules = Rules.compile(
        care(
            route("no", NEVER, team="no"),
            route(
                "a",
                None,
                route("a1", NEVER, team="no"),
                route("a2", None, route("a21", None, acknowledge="urgent"), priority="P2"),
                team="night",
                priority="P4",
            ),
            route("b", None, team="payments", priority="P1"),
        )
    )
    decision = told(rules=rules)
    assert decision.route == ("root", "a", "a2", "a21")
    assert (decision.team, decision.priority, decision.style) == ("night", "P2", "urgent")


def test_continue_lets_later_siblings_override_but_not_calm_down() -> None:
    rules = Rules.compile(
        care(
            route("loud", None, team="night", priority="P2", **{"continue": True}),
            route("topic", None, team="payments", priority="P4", acknowledge="urgent"),
            route("never reached", None, team="care", priority="P1"),
        )
    )
    decision = told(rules=rules)
    assert decision.route == ("root", "loud", "topic")
    assert (decision.team, decision.priority, decision.style) == ("payments", "P2", "urgent")


def test_continue_keeps_what_later_siblings_do_not_set() -> None:
    rules = Rules.compile(
        care(
            route("vip", None, team="night", priority="P1", **{"continue": True}),
            route("topic", None, acknowledge="none"),
        )
    )
    decision = told(rules=rules)
    assert (decision.team, decision.priority, decision.style) == ("night", "P1", "none")


def test_a_child_may_be_less_urgent_than_its_parent() -> None:
    rules = Rules.compile(care(route("a", None, route("b", None, priority="P4"), priority="P1")))
    assert told(rules=rules).priority == "P4"


def matches(when: dict[str, Any], text: str = "hello there", **facts: Any) -> bool:
    return told(text, Rules.compile(care(route("it", when))), **facts).route == ("root", "it")


FAMOUS, OBSCURE = Author(id="9", name="A", followers=60_000), Author(id="9", name="A", followers=10)


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ({}, {}),
        ({"keywords": ["refund", "fraud"]}, {"text": "a refund"}),
        ({"text": 'refund AND NOT "refund policy"'}, {"text": "refund now"}),
        ({"negative": 0.7}, {"negative": 0.7}),
        ({"urgent": 0.7}, {"urgent": 0.8}),
        ({"needs_answer": 0.7}, {"needs_answer": 0.8}),
        ({"label": ["negative", "unsure"]}, {"label": "unsure"}),
        ({"harm": ["safety", "travel"]}, {"harm": ("outage", "travel")}),
        ({"kind": "complaint"}, {"harm": ("outage",)}),
        ({"addressed": "to_us"}, {}),
        ({"channel": ["x-mentions", "other"]}, {}),
        ({"connector": "x"}, {}),
        ({"language": "zh"}, {"language": "zh-Hant"}),
        ({"language": "zh"}, {"language": "zh-Hans"}),
        ({"language": "zh-Hant-HK"}, {"language": "zh-Hant"}),
        ({"language": ["es", "en-GB"]}, {"language": "en"}),
        ({"followers": 50000}, {"author": FAMOUS}),
        ({"repeats": 2}, {"history": History(repeats=2)}),
        ({"private": True}, {"private": True}),
        ({"private": False}, {}),
        ({"mentions_us": True}, {}),
        ({"person_in": "press"}, {"author": Author(id="77", name="A")}),
        ({"person_in": "press"}, {"author": Author(id="1", name="A", handle="reporter")}),
        ({"person_in": "press"}, {"author": Author(id="1", name="A", handle="@REPORTER")}),
        ({"calendar": {"office": "open"}}, {}),
        ({"calendar": {"office": "closed", "always": "open"}}, {"now": NOW + timedelta(hours=12)}),
        ({"any": [{"negative": 0.9}, {"private": False}]}, {}),
        ({"any": [{"followers": 5}, {"private": False}]}, {}),
        ({"not": {"keywords": "refund"}}, {}),
        ({"not": {"followers": 50000}}, {"author": OBSCURE}),
        ({"not": {"any": [{"followers": 50000}, {"private": True}]}}, {"author": OBSCURE}),
        ({"not": {"followers": 50000, "private": True}}, {}),
    ],
)
def test_conditions_that_hold(when: dict[str, Any], facts: dict[str, Any]) -> None:
    assert matches(when, **facts)


@pytest.mark.parametrize(
    ("when", "facts"),
    [
        ({"keywords": "refund", "negative": 0.5}, {"text": "a refund"}),
        ({"text": 'refund AND NOT "refund policy"'}, {"text": "the refund policy"}),
        ({"negative": 0.7}, {"negative": 0.69}),
        ({"language": "zh-Hans"}, {"language": "zh-Hant"}),
        ({"language": "zh"}, {"language": "zha"}),
        ({"followers": 50000}, {}),
        ({"not": {"followers": 50000}}, {}),
        ({"not": {"not": {"followers": 50000}}}, {}),
        ({"not": {"any": [{"followers": 50000}, {"private": True}]}}, {}),
        ({"not": {"followers": 50000, "private": False}}, {}),
        ({"any": [{"followers": 50000}, {"private": True}]}, {}),
        ({"mentions_us": False}, {"mentions_us": None}),
        ({"not": {"mentions_us": True}}, {"mentions_us": None}),
        ({"person_in": "press"}, {"author": Author(id="77", name="A"), "connector": "telegram"}),
        ({"calendar": {"office": "open", "hk-office": "closed"}}, {}),
        ({"not": {}}, {}),
    ],
)
def test_conditions_that_do_not(when: dict[str, Any], facts: dict[str, Any]) -> None:
    assert not matches(when, **facts)


def test_only_what_held_is_told() -> None:
    rules = Rules.compile(care(route("it", {"any": [{"keywords": "refund", "private": True}, {"negative": 0.2}]})))
    decision = told("refund", rules, negative=0.3)
    assert reasons(decision) == ["route: it", "negative: 0.3 ≥ 0.2"]
    assert decision.kind == "chatter"


def test_names_that_do_not_exist_are_refused() -> None:
    for when, what in (({"calendar": {"moon": "open"}}, "calendar"), ({"person_in": "nobody"}, "people")):
        with pytest.raises(ValueError, match=what):
            Rules.compile(care(route("it", when)))


# ── deadlines


def test_deadlines_of_the_priority() -> None:
    assert told("stolen card").deadlines.first_answer == timedelta(minutes=15)
    assert told("stolen card").deadlines.calendar == "always"
    assert told(negative=0.9).deadlines.calendar == "office"


def test_each_level_overrides_the_one_before() -> None:
    rules = Rules.compile(
        care(
            route("by-route", {"negative": 0.8}, calendar="always", deadlines={"P3": {"first_answer": "1h"}}),
            route("by-team", {"negative": 0.7}, team="night"),
            calendar="office",
            deadlines={"P3": {"resolve": "3d"}},
        )
    )
    by_root = told(rules=rules, negative=0.6).deadlines
    assert (by_root.first_answer, by_root.resolve, by_root.calendar) == (
        timedelta(hours=4),
        timedelta(days=3),
        "office",
    )
    assert told(rules=rules, negative=0.6, channel="hk").deadlines.calendar == "hk-office"
    by_route = told(rules=rules, negative=0.8, channel="hk").deadlines
    assert (by_route.first_answer, by_route.resolve, by_route.calendar) == (
        timedelta(hours=1),
        timedelta(days=3),
        "always",
    )
    assert told(rules=rules, negative=0.7, channel="hk").deadlines.calendar == "always"
    assert rules.hours(by_root).is_open(NOW)


def test_what_no_level_sets_stays_unset() -> None:
    rules = Rules.compile(care(priority="P4"))
    assert (
        told(rules=rules, negative=0.9).deadlines.first_answer,
        told(rules=rules, negative=0.9).deadlines.calendar,
    ) == (None, "always")
