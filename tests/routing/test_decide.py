"""Who gets a message, how urgently, and because of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.folding import fold
from config.schema import Care
from connectors.api import Author, Message
from routing.decide import ALWAYS_QUEUED, Decision, History, OpenCase, Rules, decide, most_urgent, one_up
from sentiment.api import HARMS, KINDS, Reading

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)  # a Monday noon in Shanghai
CALM = Reading(
    language="en", compound=0.0, negative=0.1, urgent=0.1, needs_answer=0.1, label="neutral", harm=(), kind="chatter",
    addressed="to_us", scorer="test",
)
FILE: dict[str, Any] = {
    "version": 1,
    "brand": {"name": "Acme Air"},
    "timezone": "Asia/Shanghai",
    "channels": {"x-mentions": {"kind": "x"}, "hk": {"kind": "telegram", "calendar": "hk-office"}},
    "keywords": {"fraud": {"en": ["stolen card"], "zh": ["盗刷"]}, "refund": {"any": ["refund", "退款"]}},
    "people": {"press": ["x:77", "x:@Reporter"]},
    "calendars": {"office": {"hours": {"mon-fri": "09:00-18:00"}}, "hk-office": {"hours": {"mon-fri": "10:00-19:00"}}},
    "teams": {"care": {}, "payments": {}, "night": {"calendar": "always"}},
    "deadlines": {
        "P1": {"first_answer": "15m", "resolve": "4h", "calendar": "always"},
        "P3": {"first_answer": "4h", "resolve": "2d", "calendar": "office"},
    },
}


def care(*routes: dict[str, Any], **root: Any) -> Care:
    route = {"team": "care", "priority": "P3", "acknowledge": "default", **root, "routes": list(routes)}
    return Care.model_validate({**FILE, "route": route})


FRAUD = {"name": "fraud", "when": {"keywords": "fraud"}, "team": "payments", "priority": "P1", "acknowledge": "urgent"}
PLAIN = Rules.compile(care(FRAUD))


def told(
    text: str = "hello there", rules: Rules = PLAIN, *, history: History = History(), channel: str = "x-mentions",  # noqa: B008
    connector: str = "x", now: datetime = NOW, author: Author = Author(id="9", name="Ana"),  # noqa: B008
    private: bool = False, mentions_us: bool | None = True, **reading: Any,
) -> Decision:
    message = Message(
        id="1", author=author, text=text, sent_at=now, thread="t", private=private, mentions_us=mentions_us
    )
    hits = rules.keywords.search(fold(text), now.date())
    return decide(
        message, replace(CALM, **reading), hits, rules, history, channel=channel, connector=connector, now=now
    )


def reasons(decision: Decision) -> list[str]:
    return [str(because) for because in decision.because]


# ── routed or kept


def test_calm_is_kept() -> None:
    decision = told()
    assert (decision.routed, decision.kept, decision.style, decision.team, decision.priority) == (False, "calm", "none", None, None)
    assert reasons(decision) == ["calm"]


def test_what_is_kept_may_be_thanked() -> None:
    assert told(rules=Rules.compile(care(keep={"acknowledge": "thanks"}))).style == "thanks"


@pytest.mark.parametrize(("reading", "why"), [
    ({"negative": 0.6}, "negative: 0.6 ≥ 0.6"),
    ({"urgent": 0.5}, "urgent: 0.5 ≥ 0.5"),
    ({"needs_answer": 0.701}, "needs_answer: 0.701 ≥ 0.7"),
])
def test_a_threshold_routes_to_the_root(reading: dict[str, float], why: str) -> None:
    decision = told(**reading)
    assert (decision.routed, decision.team, decision.priority, decision.style) == (True, "care", "P3", "default")
    assert decision.route == ("root",)
    assert why in reasons(decision)


@pytest.mark.parametrize("kind", ["spam", "campaign"])
def test_spam_and_campaigns_reach_no_threshold(kind: str) -> None:
    assert told(kind=kind, negative=1.0, urgent=1.0, needs_answer=1.0).kept == "calm"


def test_a_matching_route_sets_what_it_says_and_tells_where() -> None:
    decision = told("my Stolen Card!")
    assert (decision.team, decision.priority, decision.style, decision.route) == ("payments", "P1", "urgent", ("root", "fraud"))
    assert (decision.because[0].rule, decision.because[0].detail) == ("route", "fraud")
    assert (decision.because[1].rule, decision.because[1].detail, decision.because[1].spans) == ("keywords", "fraud", ((3, 14),))
    assert told("我的卡被盜刷了").team == "payments"


def test_a_hit_or_a_harm_makes_a_complaint_but_not_of_noise() -> None:
    assert told("stolen card").kind == "complaint"
    assert told("stolen card", kind="news").kind == "news"
    assert told(harm=("safety",)).kind == "complaint"
    assert told(harm=("safety",), kind="fan").kind == "fan"
    assert told(kind="praise").kind == "praise"


def test_an_unreadable_text_goes_to_a_person() -> None:
    unread = {"unread": True, "language": "th", "label": "unsure"}
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
    rules = Rules.compile(care({"name": "mute", "when": {"kind": "chatter"}, "queue": False}, keep={"acknowledge": "thanks"}))
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


# ── the tree


def route(name: str, when: dict[str, Any] | None = None, *children: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"name": name, "when": when or {}, "routes": list(children), **keys}


NEVER = {"text": "no such words anywhere"}


def test_the_first_matching_child_wins_and_inherits_downwards() -> None:
    rules = Rules.compile(care(
        route("no", NEVER, team="no"),
        route("a", None, route("a1", NEVER, team="no"), route("a2", None, route("a21", None, acknowledge="urgent"), priority="P2"),
              team="night", priority="P4"),
        route("b", None, team="payments", priority="P1"),
    ))
    decision = told(rules=rules)
    assert decision.route == ("root", "a", "a2", "a21")
    assert (decision.team, decision.priority, decision.style) == ("night", "P2", "urgent")


def test_continue_lets_later_siblings_override_but_not_calm_down() -> None:
    rules = Rules.compile(care(
        route("loud", None, team="night", priority="P2", **{"continue": True}),
        route("topic", None, team="payments", priority="P4", acknowledge="urgent"),
        route("never reached", None, team="care", priority="P1"),
    ))
    decision = told(rules=rules)
    assert decision.route == ("root", "loud", "topic")
    assert (decision.team, decision.priority, decision.style) == ("payments", "P2", "urgent")


def test_continue_keeps_what_later_siblings_do_not_set() -> None:
    rules = Rules.compile(care(
        route("vip", None, team="night", priority="P1", **{"continue": True}), route("topic", None, acknowledge="none"),
    ))
    decision = told(rules=rules)
    assert (decision.team, decision.priority, decision.style) == ("night", "P1", "none")


def test_a_child_may_be_less_urgent_than_its_parent() -> None:
    rules = Rules.compile(care(route("a", None, route("b", None, priority="P4"), priority="P1")))
    assert told(rules=rules).priority == "P4"


def matches(when: dict[str, Any], text: str = "hello there", **facts: Any) -> bool:
    return told(text, Rules.compile(care(route("it", when))), **facts).route == ("root", "it")


FAMOUS, OBSCURE = Author(id="9", name="A", followers=60_000), Author(id="9", name="A", followers=10)


@pytest.mark.parametrize(("when", "facts"), [
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
])
def test_conditions_that_hold(when: dict[str, Any], facts: dict[str, Any]) -> None:
    assert matches(when, **facts)


@pytest.mark.parametrize(("when", "facts"), [
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
])
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
    rules = Rules.compile(care(
        route("by-route", {"negative": 0.8}, calendar="always", deadlines={"P3": {"first_answer": "1h"}}),
        route("by-team", {"negative": 0.7}, team="night"),
        calendar="office", deadlines={"P3": {"resolve": "3d"}},
    ))
    by_root = told(rules=rules, negative=0.6).deadlines
    assert (by_root.first_answer, by_root.resolve, by_root.calendar) == (timedelta(hours=4), timedelta(days=3), "office")
    assert told(rules=rules, negative=0.6, channel="hk").deadlines.calendar == "hk-office"
    by_route = told(rules=rules, negative=0.8, channel="hk").deadlines
    assert (by_route.first_answer, by_route.resolve, by_route.calendar) == (timedelta(hours=1), timedelta(days=3), "always")
    assert told(rules=rules, negative=0.7, channel="hk").deadlines.calendar == "always"
    assert rules.hours(by_root).is_open(NOW)


def test_what_no_level_sets_stays_unset() -> None:
    rules = Rules.compile(care(priority="P4"))
    assert (told(rules=rules, negative=0.9).deadlines.first_answer, told(rules=rules, negative=0.9).deadlines.calendar) == (None, "always")


# ── what always holds

TREES = [
    Rules.compile(care()),
    PLAIN,
    Rules.compile(care(
        route("loud", {"negative": 0.5}, priority="P2", **{"continue": True}),
        route("noise", {"kind": ["campaign", "spam"]}, queue=False),
        route("topic", {"any": [{"keywords": "refund"}, {"harm": ["travel"]}]}, team="payments", priority="P4"),
    )),
]
cases = st.builds(
    OpenCase, st.integers(1, 9), st.sampled_from(["P1", "P2", "P3", "P4"]), st.sampled_from(["care", "night"]),
    st.sampled_from(["none", "default"]), st.booleans(),
)
chances = st.floats(0, 1)
facts = st.fixed_dictionaries({
    "text": st.sampled_from(["hello", "stolen card", "退款", ""]), "rules": st.sampled_from(TREES),
    "history": st.builds(History, st.none() | cases, st.none() | cases, st.integers(1, 5)),
    "negative": chances, "urgent": chances, "needs_answer": chances, "kind": st.sampled_from(KINDS),
    "harm": st.lists(st.sampled_from(HARMS), max_size=3, unique=True).map(lambda each: tuple(sorted(each))),
    "asks_person": st.booleans(), "unread": st.booleans(), "language": st.sampled_from(["en", "zh-Hant", "th", "und"]),
})


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
        assert (decision.routed, decision.case_id, decision.team) == (True, history.open_case.id, history.open_case.team)
        assert decision.priority is not None
        assert decision.priority <= history.open_case.priority


@given(facts, st.sampled_from(["negative", "urgent", "needs_answer"]))
def test_worse_is_never_kept_where_better_was_routed(given_facts: dict[str, Any], number: str) -> None:
    if told(**given_facts).routed:
        assert told(**{**given_facts, number: 1.0}).routed


def test_order_of_priorities() -> None:
    assert most_urgent("P3", "P1", "P4") == "P1"
    assert [one_up(priority) for priority in ("P1", "P2", "P3", "P4")] == ["P1", "P1", "P2", "P3"]
