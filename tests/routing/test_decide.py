"""Routed or kept, how urgently, and because of what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.decide import ALWAYS_QUEUED, History, OpenCase, Rules, most_urgent, one_up
from sentiment.api import HARMS, KINDS
from tests.routing.deciding import PLAIN, care, reasons, route, told

# ── routed or kept


def test_calm_is_kept() -> None:
    decision = told()
    assert (decision.routed, decision.kept, decision.style, decision.team, decision.priority) == (
        False,
        "calm",
        "none",
        None,
        None,
    )
    assert reasons(decision) == ["calm"]


def test_what_is_kept_may_be_thanked() -> None:
    assert told(rules=Rules.compile(care(keep={"acknowledge": "thanks"}))).style == "thanks"


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        ({"negative": 0.6}, "negative: 0.6 ≥ 0.6"),
        ({"urgent": 0.5}, "urgent: 0.5 ≥ 0.5"),
        ({"needs_answer": 0.701}, "needs_answer: 0.701 ≥ 0.7"),
    ],
)
def test_a_threshold_routes_to_the_root(reading: dict[str, Any], why: str) -> None:
    decision = told(**reading)
    assert (decision.routed, decision.team, decision.priority, decision.style) == (True, "care", "P3", "default")
    assert decision.route == ("root",)
    assert why in reasons(decision)


@pytest.mark.parametrize("kind", ["spam", "campaign"])
def test_spam_and_campaigns_reach_no_threshold(kind: str) -> None:
    assert told(kind=kind, negative=1.0, urgent=1.0, needs_answer=1.0).kept == "calm"


def test_a_matching_route_sets_what_it_says_and_tells_where() -> None:
    decision = told("my Stolen Card!")
    assert (decision.team, decision.priority, decision.style, decision.route) == (
        "payments",
        "P1",
        "urgent",
        ("root", "fraud"),
    )
    assert (decision.because[0].rule, decision.because[0].detail) == ("route", "fraud")
    assert (decision.because[1].rule, decision.because[1].detail, decision.because[1].spans) == (
        "keywords",
        "fraud",
        ((3, 14),),
    )
    assert told("我的卡被盜刷了").team == "payments"


def test_a_hit_or_a_harm_makes_a_complaint_but_not_of_noise() -> None:
    assert told("stolen card").kind == "complaint"
    assert told("stolen card", kind="news").kind == "news"
    assert told(harm=("safety",)).kind == "complaint"
    assert told(harm=("safety",), kind="fan").kind == "fan"
    assert told(kind="praise").kind == "praise"


def test_an_unreadable_text_goes_to_a_person() -> None:
    unread: dict[str, Any] = {"unread": True, "language": "th", "label": "unsure"}
    assert reasons(told("สวัสดีครับ", **unread)) == ["unreadable: th"]
    assert told("ok", **unread).kept == "calm"
    assert told("!!! 123", **unread).kept == "calm"
    assert told("hm well", unread=True, language="zh-Hans").kept == "calm"


def test_asking_for_a_person_is_always_queued_one_up_and_silences() -> None:
    decision = told("人工", asks_person=True)
    assert (decision.routed, decision.priority, decision.silences) == (True, "P2", True)
    assert reasons(decision) == ["asks for a person"]
    assert told("stolen card, human!", asks_person=True).priority == "P1"


@pytest.mark.parametrize("harm", sorted(ALWAYS_QUEUED))
def test_grave_matters_are_p1_whatever_the_file_says(harm: str) -> None:
    rules = Rules.compile(care({"name": "mute", "when": {}, "queue": False, "priority": "P4"}))
    decision = told(rules=rules, harm=(harm,), kind="spam")
    assert (decision.routed, decision.priority) == (True, "P1")
    assert f"harm: {harm}" in reasons(decision)


def test_queue_false_mutes() -> None:
    rules = Rules.compile(
        care({"name": "mute", "when": {"kind": "chatter"}, "queue": False}, keep={"acknowledge": "thanks"})
    )
    muted = told(rules=rules, negative=0.9)
    assert (muted.kept, muted.style, muted.route) == ("muted", "none", ("root", "mute"))
    assert told(rules=rules, asks_person=True).routed
    assert told(rules=rules, history=History(open_case=OpenCase(5, "P3", "care"))).routed


# ── history


def test_an_open_case_takes_whatever_its_customer_writes() -> None:
    decision = told("thanks!", history=History(open_case=OpenCase(5, "P4", "baggage", "default")))
    assert (decision.routed, decision.case_id, decision.reopens) == (True, 5, False)
    assert (decision.team, decision.priority, decision.style) == ("baggage", "P4", "default")
    assert reasons(decision) == ["open case"]


def test_an_open_case_keeps_its_team_and_only_rises() -> None:
    risen = told("stolen card", history=History(open_case=OpenCase(5, "P3", "care", "default")))
    assert (risen.team, risen.priority, risen.style) == ("care", "P1", "urgent")
    assert reasons(risen)[:2] == ["open case", "route: fraud"]
    stays = told(negative=0.9, history=History(open_case=OpenCase(5, "P1", "payments", "urgent")))
    assert (stays.team, stays.priority, stays.style) == ("payments", "P1", "urgent")


def test_a_resolved_case_reopens_for_what_would_be_routed() -> None:
    history = History(resolved_case=OpenCase(5, "P2", "baggage"))
    again = told(negative=0.9, history=history)
    assert (again.case_id, again.reopens, again.team, again.priority) == (5, True, "baggage", "P2")
    assert told("stolen card", history=history).team == "payments"
    shown = told("thanks!", history=history)
    assert (shown.routed, shown.case_id, shown.reopens) == (False, 5, False)


def test_the_bot_stays_silent_in_a_silenced_case() -> None:
    assert told(history=History(open_case=OpenCase(5, "P3", "care", bot_silent=True))).silences


# ── what always holds

TREES = [
    Rules.compile(care()),
    PLAIN,
    Rules.compile(
        care(
            route("loud", {"negative": 0.5}, priority="P2", **{"continue": True}),
            route("noise", {"kind": ["campaign", "spam"]}, queue=False),
            route("topic", {"any": [{"keywords": "refund"}, {"harm": ["travel"]}]}, team="payments", priority="P4"),
        )
    ),
]
cases = st.builds(
    OpenCase,
    st.integers(1, 9),
    st.sampled_from(["P1", "P2", "P3", "P4"]),
    st.sampled_from(["care", "night"]),
    st.sampled_from(["none", "default"]),
    st.booleans(),
)
chances = st.floats(0, 1)
facts = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["hello", "stolen card", "退款", ""]),
        "rules": st.sampled_from(TREES),
        "history": st.builds(History, st.none() | cases, st.none() | cases, st.integers(1, 5)),
        "negative": chances,
        "urgent": chances,
        "needs_answer": chances,
        "kind": st.sampled_from(KINDS),
        "harm": st.lists(st.sampled_from(HARMS), max_size=3, unique=True).map(lambda each: tuple(sorted(each))),
        "asks_person": st.booleans(),
        "unread": st.booleans(),
        "language": st.sampled_from(["en", "zh-Hant", "th", "und"]),
    }
)


@given(facts)
def test_routed_has_a_team_a_priority_and_a_reason_and_kept_has_none(given_facts: dict[str, Any]) -> None:
    decision = told(**given_facts)
    assert decision.routed == (decision.kept is None) == (decision.team is not None) == (decision.priority is not None)
    assert decision.because
    assert decision.route[0] == "root"


@given(facts)
def test_the_duties_of_the_queue(given_facts: dict[str, Any]) -> None:
    decision = told(**given_facts)
    history = given_facts["history"]
    grave = not ALWAYS_QUEUED.isdisjoint(given_facts["harm"])
    if grave:
        assert decision.priority == "P1"
    if given_facts["asks_person"]:
        assert decision.routed
        assert decision.silences
    if history.open_case is not None:
        assert (decision.routed, decision.case_id, decision.team) == (
            True,
            history.open_case.id,
            history.open_case.team,
        )
        assert decision.priority is not None
        assert decision.priority <= history.open_case.priority


@given(facts, st.sampled_from(["negative", "urgent", "needs_answer"]))
def test_worse_is_never_kept_where_better_was_routed(given_facts: dict[str, Any], number: str) -> None:
    if told(**given_facts).routed:
        assert told(**{**given_facts, number: 1.0}).routed


def test_order_of_priorities() -> None:
    assert most_urgent("P3", "P1", "P4") == "P1"
    assert [one_up(priority) for priority in ("P1", "P2", "P3", "P4")] == ["P1", "P1", "P2", "P3"]
