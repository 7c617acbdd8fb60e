"""Whether to speak: what may never be answered is never answered, whatever else is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Acknowledge, Mode
from responders.guard import (
    NEVER_ALONE,
    REASONS,
    Circumstances,
    Count,
    answered_recently,
    effective_mode,
    judge,
)
from sentiment.api import ADDRESSED, HARMS, KINDS

MODES: tuple[Mode, ...] = ("off", "dry_run", "approve", "send")
PLAIN = Circumstances(
    routed=True,
    style="default",
    mode="send",
    kind="complaint",
    kinds=("complaint", "question", "request"),
    addressed="to_us",
    private=False,
    mentions_us=True,
    too_old=timedelta(minutes=15),
)

counts = st.builds(Count, st.integers(0, 5), st.none() | st.integers(0, 5))
spans = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=2))
anything = st.builds(
    Circumstances,
    routed=st.booleans(),
    style=st.sampled_from(["none", "default"]),
    mode=st.sampled_from(MODES),
    kind=st.sampled_from(KINDS),
    kinds=st.frozensets(st.sampled_from(KINDS)),
    addressed=st.sampled_from(ADDRESSED),
    private=st.booleans(),
    mentions_us=st.booleans(),
    harm=st.frozensets(st.sampled_from(HARMS), max_size=2),
    own=st.booleans(),
    bot=st.booleans(),
    automated=st.booleans(),
    repost=st.booleans(),
    deleted=st.booleans(),
    edit=st.booleans(),
    mark=st.booleans(),
    can_reply=st.booleans(),
    wrote_first=st.booleans(),
    unsolicited_allowed=st.booleans(),
    private_first_allowed=st.booleans(),
    marks_allowed=st.booleans(),
    per_interaction=st.none() | st.integers(0, 2),
    replies_to_it=st.integers(0, 2),
    window_left=st.none() | spans,
    messages_left=st.none() | st.integers(0, 5),
    opted_out=st.booleans(),
    bot_silent=st.booleans(),
    answered_recently=st.booleans(),
    paused=st.booleans(),
    age=spans,
    too_old=st.none() | spans,
    per_thread=counts,
    per_person=counts,
    per_channel=counts,
    overall=counts,
    worded=st.booleans(),
)


def test_a_complaint_to_us_is_answered() -> None:
    assert judge(PLAIN).outcome == "send"
    assert judge(replace(PLAIN, mode="approve")).outcome == "approve"


def test_a_preview_is_what_only_the_mode_held_back() -> None:
    verdict = judge(replace(PLAIN, mode="dry_run"))
    assert (verdict.outcome, verdict.reason, verdict.preview) == ("suppress", "dry_run", True)
    assert not judge(replace(PLAIN, mode="dry_run", opted_out=True)).preview


CHANGES: list[tuple[Mapping[str, Any], str]] = [
    ({"own": True}, "own"),
    ({"bot": True}, "bot"),
    ({"automated": True}, "automated"),
    ({"repost": True}, "repost"),
    ({"deleted": True}, "deleted"),
    ({"edit": True}, "edit"),
    ({"routed": False, "style": "none"}, "kept"),
    ({"style": "none"}, "none"),
    ({"harm": ("legal",)}, "harm"),
    ({"addressed": "about_us"}, "not_addressed"),
    ({"addressed": "unknown"}, "not_addressed"),
    ({"addressed": "about_other"}, "about_competitor"),
    ({"kind": "praise"}, "kind"),
    ({"can_reply": False}, "policy"),
    ({"unsolicited_allowed": False, "mentions_us": False}, "policy"),
    ({"private": True, "wrote_first": False, "private_first_allowed": False}, "policy"),
    ({"mark": True, "marks_allowed": False}, "policy"),
    ({"per_interaction": 1, "replies_to_it": 1}, "policy"),
    ({"window_left": timedelta(0)}, "policy"),
    ({"opted_out": True}, "opted_out"),
    ({"bot_silent": True}, "silenced"),
    ({"answered_recently": True}, "answered"),
    ({"mode": "off"}, "off"),
    ({"paused": True}, "paused"),
    ({"age": timedelta(minutes=16)}, "stale"),
    ({"messages_left": 2}, "window_reserve"),
    ({"per_thread": Count(1, 1)}, "cap"),
    ({"per_person": Count(3, 3)}, "cap"),
    ({"per_channel": Count(31, 30)}, "cap"),
    ({"overall": Count(0, 0)}, "cap"),
    ({"worded": False}, "no_wording"),
    ({"mode": "dry_run"}, "dry_run"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_one_thing_amiss_is_the_reason(change: Mapping[str, Any], reason: str) -> None:
    verdict = judge(replace(PLAIN, **change))
    assert (verdict.outcome, verdict.reason) == ("suppress", reason)


def test_every_reason_can_be_given() -> None:
    assert {reason for _, reason in CHANGES} == set(REASONS)


def test_the_cap_that_was_reached_is_named() -> None:
    assert judge(replace(PLAIN, per_person=Count(3, 3))).detail == "per_person"


@pytest.mark.parametrize(
    "allowed",
    [
        {"private": True, "addressed": "unknown"},
        {"unsolicited_allowed": False, "mentions_us": True},
        {"unsolicited_allowed": False, "mentions_us": False, "private": True},
        {"age": timedelta(minutes=15)},
        {"age": timedelta(days=9), "too_old": None},
        {"messages_left": 3},
        {"per_thread": Count(0, 1)},
        {"harm": ("safety", "fraud")},
    ],
)
def test_what_does_not_forbid_it(allowed: Mapping[str, Any]) -> None:
    assert judge(replace(PLAIN, **allowed)).outcome == "send"


def test_a_grave_matter_is_answered_only_by_an_approved_text() -> None:
    for harm in NEVER_ALONE:
        assert judge(replace(PLAIN, harm=(harm,))).reason == "harm"
        assert judge(replace(PLAIN, harm=(harm,), mode="approve")).outcome == "approve"


@given(anything)
def test_every_no_has_a_reason_and_every_yes_none(c: Circumstances) -> None:
    verdict = judge(c)
    assert (verdict.outcome == "suppress") == (verdict.reason in REASONS)
    assert verdict.preview == (verdict.reason == "dry_run")


@given(anything)
def test_never_spoken_without_leave(c: Circumstances) -> None:
    if judge(c).outcome == "suppress":
        return
    assert c.mode in ("approve", "send")
    assert c.style != "none"
    assert not any((c.paused, c.opted_out, c.bot_silent, c.answered_recently))
    assert c.worded
    assert c.can_reply


@given(anything)
def test_never_to_ourselves_to_machines_or_of_what_is_no_message(c: Circumstances) -> None:
    if c.own or c.bot or c.automated or c.repost or c.deleted or c.edit:
        assert judge(c).outcome == "suppress"


@given(anything)
def test_never_alone_about_a_grave_matter(c: Circumstances) -> None:
    if not NEVER_ALONE.isdisjoint(c.harm):
        assert judge(c).outcome != "send"


@given(anything)
def test_never_in_public_to_somebody_who_did_not_talk_to_us(c: Circumstances) -> None:
    if not c.private and c.addressed != "to_us":
        assert judge(c).outcome == "suppress"


@given(anything)
def test_never_outside_the_kinds_of_the_file(c: Circumstances) -> None:
    if c.kind not in c.kinds:
        assert judge(c).outcome == "suppress"


@given(anything)
def test_never_beyond_a_cap_a_window_or_an_age(c: Circumstances) -> None:
    if judge(c).outcome != "suppress":
        assert not any(count.full for count in (c.per_thread, c.per_person, c.per_channel, c.overall))
        assert c.too_old is None or c.age <= c.too_old
        assert c.window_left is None or c.window_left > timedelta(0)
        assert c.messages_left is None or c.messages_left > c.reserve


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(0, 4))
def test_a_cap_holds_for_any_run_of_messages(waits: list[int], cap: int) -> None:
    """Simulated as the host does it: count what was sent in the sliding window, then ask."""
    window, now, sent = 60, 0, list[int]()
    for wait in waits:
        now += wait
        recent = sum(at > now - window for at in sent)
        if judge(replace(PLAIN, per_person=Count(recent, cap))).outcome == "send":
            sent.append(now)
    assert all(sum(at - window < other <= at for other in sent) <= cap for at in sent)


@pytest.mark.parametrize(
    ("written", "style", "private", "mode"),
    [
        ({}, "default", False, "dry_run"),
        ({"mode": "send"}, "default", False, "send"),
        ({"mode": "send", "channels": {"x": "approve"}}, "default", False, "approve"),
        ({"mode": "off", "channels": {"x": "send"}}, "default", False, "send"),
        ({"mode": {"private": "send"}}, "default", False, "dry_run"),
        ({"mode": {"private": "send"}}, "default", True, "send"),
        ({"mode": {"public": "dry_run"}, "channels": {"x": {"private": "send"}}}, "default", False, "dry_run"),
        ({"mode": "send"}, "careful", False, "approve"),
        ({"mode": "dry_run"}, "careful", False, "dry_run"),
        ({}, "careful", True, "approve"),
        ({"mode": "send"}, "unheard-of", True, "send"),
    ],
)
def test_the_strictest_of_what_is_written(written: Mapping[str, Any], style: str, private: bool, mode: Mode) -> None:
    styles = {"default": {"en": ["Got it."]}, "careful": {"mode": "approve", "en": ["Got it."]}}
    acknowledge = Acknowledge.model_validate({**written, "styles": styles})
    assert effective_mode(acknowledge, "x", style, private) == mode


def test_a_person_answered_just_before_or_after() -> None:
    wrote = datetime(2027, 3, 1, 12, tzinfo=UTC)
    assert not answered_recently(None, wrote)
    assert answered_recently(wrote + timedelta(hours=1), wrote)
    assert answered_recently(wrote - timedelta(minutes=5), wrote)
    assert not answered_recently(wrote - timedelta(minutes=6), wrote)
