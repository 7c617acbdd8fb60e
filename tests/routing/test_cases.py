"""The life of a case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Priority
from routing.cases import (
    LEASE,
    REASONS_TO_RESOLVE,
    Case,
    CaseError,
    Fenced,
    NotAllowed,
    Taken,
    acknowledged,
    answered,
    answered_elsewhere,
    assign,
    claim,
    customer_message,
    escalated,
    fence,
    is_held,
    release,
    reopen,
    reprioritise,
    resolve,
    snooze,
    wake,
)
from routing.sla import Due

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRIORITIES: tuple[Priority, ...] = ("P1", "P2", "P3", "P4")
CASE = Case(
    id=1,
    priority="P3",
    team="care",
    opened_at=NOW,
    last_message_id=10,
    last_customer_at=NOW,
    first_answer_due=NOW + 4 * HOUR,
    resolution_due=NOW + 48 * HOUR,
).timed()
RESOLVED = resolve(CASE, "lin", "spam", NOW + HOUR)


def test_one_person_at_a_time() -> None:
    held = claim(CASE, "lin", NOW)
    assert (held.status, held.assignee, held.lease_until) == ("claimed", "lin", NOW + LEASE)
    with pytest.raises(Taken, match="lin") as taken:
        claim(held, "mo", NOW + LEASE / 2)
    assert taken.value.by == "lin"
    assert claim(held, "lin", NOW + LEASE / 2).lease_until == NOW + LEASE * 1.5


def test_a_claim_lapses() -> None:
    held = claim(CASE, "lin", NOW)
    assert is_held(held, NOW + LEASE / 2)
    assert not is_held(held, NOW + LEASE)
    assert claim(held, "mo", NOW + LEASE).assignee == "mo"


def test_giving_back_and_handing_over() -> None:
    held = claim(CASE, "lin", NOW)
    assert release(held, "lin", NOW).status == "open"
    assert release(held, "lin", NOW).assignee is None
    with pytest.raises(Taken):
        release(held, "mo", NOW)
    assert assign(held, "mo", NOW).assignee == "mo"


def test_put_aside_until_a_time_or_a_message() -> None:
    aside = snooze(CASE, "lin", NOW + HOUR, NOW)
    assert (aside.status, aside.due) == ("waiting", CASE.due)
    assert wake(aside, NOW + HOUR / 2) is aside
    assert wake(aside, NOW + HOUR).status == "open"
    woken = customer_message(aside, 11, NOW + HOUR / 2, priority="P3")
    assert (woken.status, woken.snoozed_until) == ("open", None)
    with pytest.raises(NotAllowed, match="still to come"):
        snooze(CASE, "lin", NOW, NOW)


def test_the_fence() -> None:
    fence(CASE, 10)
    fence(CASE, 12, answered_id=12)
    with pytest.raises(Fenced, match="customer wrote"):
        fence(CASE, 9)
    with pytest.raises(Fenced, match="colleague answered"):
        fence(CASE, 10, answered_id=11)
    with pytest.raises(NotAllowed, match="reopen"):
        fence(RESOLVED, 10)


def test_an_answer_stops_the_answer_clocks_and_waits() -> None:
    done = answered(acknowledged(CASE, NOW, NOW + HOUR), NOW + HOUR)
    assert (done.status, done.first_answered_at, done.due) == ("waiting", NOW + HOUR, CASE.resolution_due)
    later = answered(done, NOW + 2 * HOUR)
    assert (later.first_answered_at, later.last_answered_at) == (NOW + HOUR, NOW + 2 * HOUR)


def test_an_acknowledgement_is_not_an_answer() -> None:
    told = acknowledged(CASE, NOW, NOW + 5 * HOUR)
    assert (told.acknowledged_at, told.first_answered_at, told.due) == (NOW, None, NOW + 4 * HOUR)


def test_the_time_told_escalates_even_after_the_priority_fell() -> None:
    told = acknowledged(replace(CASE, priority="P1", first_answer_due=NOW + HOUR).timed(), NOW, NOW + HOUR)
    lowered = reprioritise(told, "P3", Due(NOW + 4 * HOUR, NOW + 48 * HOUR))
    assert (lowered.priority, lowered.due) == ("P3", NOW + HOUR)


def test_a_colleague_answered_in_the_app() -> None:
    assert answered_elsewhere(CASE, NOW + HOUR) == answered(CASE, NOW + HOUR)
    newer = customer_message(CASE, 11, NOW + 2 * HOUR, priority="P3")
    late = answered_elsewhere(newer, NOW + HOUR)
    assert (late.status, late.first_answered_at, late.last_answered_at) == ("open", NOW + HOUR, None)


def test_the_next_answer_clock_runs_from_the_first_message_after_an_answer() -> None:
    waiting = customer_message(CASE, 11, NOW, priority="P3", next_due=NOW + HOUR)
    assert waiting.next_answer_due is None
    again = customer_message(answered(CASE, NOW + HOUR), 12, NOW + 2 * HOUR, priority="P3", next_due=NOW + 10 * HOUR)
    assert (again.status, again.next_answer_due, again.due) == ("open", NOW + 10 * HOUR, NOW + 10 * HOUR)
    once_more = customer_message(again, 13, NOW + 3 * HOUR, priority="P3", next_due=NOW + 11 * HOUR)
    assert once_more.next_answer_due == NOW + 10 * HOUR
    restarted = customer_message(
        answered(once_more, NOW + 4 * HOUR), 14, NOW + 5 * HOUR, priority="P3", next_due=NOW + 13 * HOUR
    )
    assert restarted.next_answer_due == NOW + 13 * HOUR


def test_a_risen_priority_brings_everything_forward() -> None:
    risen = customer_message(CASE, 11, NOW + HOUR, priority="P1", clocks=Due(NOW + 1.25 * HOUR, NOW + 5 * HOUR))
    assert (risen.priority, risen.first_answer_due, risen.resolution_due) == ("P1", NOW + 1.25 * HOUR, NOW + 5 * HOUR)
    assert risen.due == NOW + 1.25 * HOUR
    assert escalated(risen, NOW).escalated_at == NOW
    assert customer_message(escalated(CASE, NOW), 11, NOW, priority="P2").escalated_at is None


def test_the_claim_survives_a_message() -> None:
    held = answered(claim(CASE, "lin", NOW), NOW)
    assert customer_message(held, 11, NOW + LEASE / 2, priority="P3").status == "claimed"
    assert customer_message(held, 11, NOW + LEASE, priority="P3").assignee is None


def test_a_wish_for_a_person_silences_for_good() -> None:
    silent = customer_message(CASE, 11, NOW, priority="P3", silences=True)
    assert customer_message(silent, 12, NOW, priority="P3").bot_silent


@pytest.mark.parametrize("reason", REASONS_TO_RESOLVE)
def test_only_an_answer_counts_as_one(reason: str) -> None:
    done = resolve(CASE, "lin", reason, NOW + HOUR)
    assert (done.status, done.resolution, done.resolved_by, done.due) == ("resolved", reason, "lin", None)
    assert (done.first_answered_at is not None) == (reason in ("answered", "answered_elsewhere"))


def test_no_other_reason() -> None:
    with pytest.raises(NotAllowed, match="customer_silent"):
        resolve(CASE, "lin", "bored", NOW)


def test_reopened() -> None:
    again = reopen(RESOLVED, NOW + 24 * HOUR, clocks=Due(NOW + 28 * HOUR, NOW + 72 * HOUR))
    assert (again.status, again.resolution, again.resolved_at) == ("open", None, None)
    assert (again.first_answer_due, again.resolution_due, again.due) == (
        NOW + 28 * HOUR,
        NOW + 72 * HOUR,
        NOW + 28 * HOUR,
    )
    done = resolve(CASE, "lin", "answered", NOW + HOUR)
    assert reopen(done, NOW + 24 * HOUR, next_due=NOW + 26 * HOUR).due == NOW + 26 * HOUR
    with pytest.raises(NotAllowed, match="not resolved"):
        reopen(CASE, NOW)


def test_reopened_by_a_slip_it_goes_back_to_whom_had_it() -> None:
    done = resolve(claim(CASE, "lin", NOW), "lin", "spam", NOW)
    assert (reopen(done, NOW + LEASE / 2).status, reopen(done, NOW + LEASE / 2).assignee) == ("claimed", "lin")


@pytest.mark.parametrize(
    "change",
    [
        lambda case: claim(case, "lin", NOW),
        lambda case: release(case, "lin", NOW),
        lambda case: assign(case, "lin", NOW),
        lambda case: snooze(case, "lin", NOW + HOUR, NOW),
        lambda case: customer_message(case, 11, NOW, priority="P1"),
        lambda case: reprioritise(case, "P1", Due()),
        lambda case: resolve(case, "lin", "spam", NOW),
    ],
)
def test_resolved_is_resolved(change: Callable[[Case], Case]) -> None:
    with pytest.raises(NotAllowed, match="reopen"):
        change(RESOLVED)


moments = st.integers(0, 200).map(lambda hours: NOW + hours * HOUR)
dues = st.builds(Due, st.none() | moments, st.none() | moments)
people = st.sampled_from(["lin", "mo"])
steps = st.one_of(
    st.builds(lambda who, at: lambda case: claim(case, who, at), people, moments),
    st.builds(lambda who, at: lambda case: release(case, who, at), people, moments),
    st.builds(lambda who, at: lambda case: snooze(case, who, at + HOUR, at), people, moments),
    st.builds(lambda at, told: lambda case: acknowledged(case, at, told), moments, st.none() | moments),
    st.builds(
        lambda number, at, priority, clocks, after: (
            lambda case: customer_message(case, number, at, priority=priority, clocks=clocks, next_due=after)
        ),
        st.integers(1, 50),
        moments,
        st.sampled_from(PRIORITIES),
        dues,
        st.none() | moments,
    ),
    st.builds(lambda at: lambda case: wake(case, at), moments),
)


@given(st.lists(steps, max_size=12))
def test_until_somebody_answers_nothing_gets_later_or_less_urgent(changes: list[Callable[[Case], Case]]) -> None:
    case = CASE
    for change in changes:
        try:
            after = change(case)
        except CaseError:
            continue
        assert after.priority <= case.priority
        assert after.due is not None
        assert case.due is not None
        assert after.due <= case.due
        assert case.promised_due is None or (after.promised_due is not None and after.promised_due <= case.promised_due)
        assert after.promised_due is None or after.due <= after.promised_due
        assert after.last_message_id >= case.last_message_id
        case = after


@given(people, people, moments, moments)
def test_never_two_claims_at_once(first: str, second: str, one: datetime, two: datetime) -> None:
    held = claim(CASE, first, one)
    try:
        after = claim(held, second, two)
    except Taken:
        assert first != second
        assert is_held(held, two)
    else:
        assert first == second or two >= one + LEASE
        assert after.assignee == second
