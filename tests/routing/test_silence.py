from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.silence import IMPROBABLE, KNOWN_FOR, LEAST_EXPECTED, SHORTEST, Rhythm, judge, rhythm

MONDAY = datetime(2027, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
rhythms = st.builds(
    Rhythm,
    rates=st.sampled_from([24, 168]).flatmap(lambda n: st.lists(st.floats(0, 500), min_size=n, max_size=n)),
    spread=st.floats(1, 50),
)
instants = st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  given here
spans = st.timedeltas(timedelta(0), timedelta(days=6))


def steady(days: int, per_hour: float = 6, seed: int = 1) -> dict[datetime, int]:
    """Office hours, with chance in them."""
    chance = random.Random(seed)
    hours = (MONDAY + HOUR * n for n in range(days * 24))
    return {at: sum(chance.random() < per_hour / 60 for _ in range(60)) for at in hours if 8 <= at.hour < 20}


@given(rhythms, instants, spans, spans)
def test_a_longer_silence_is_never_more_probable(known: Rhythm, since: datetime, a: timedelta, b: timedelta) -> None:
    short, long = judge(known, since, since + min(a, b)), judge(known, since, since + max(a, b))
    assert long.chance <= short.chance
    assert long.striking or not short.striking


@given(rhythms, instants, spans)
def test_nothing_strikes_before_enough_was_to_be_expected(known: Rhythm, since: datetime, span: timedelta) -> None:
    found = judge(known, since, since + span)
    if found.striking:
        assert found.expected >= LEAST_EXPECTED
        assert found.chance <= IMPROBABLE
        assert span >= SHORTEST


@given(rhythms, instants, spans, spans)
def test_what_is_expected_adds_up(known: Rhythm, since: datetime, a: timedelta, b: timedelta) -> None:
    whole = known.expected(since, since + a + b)
    assert whole == pytest.approx(known.expected(since, since + a) + known.expected(since + a, since + a + b), abs=1e-6)


@given(rhythms, instants, spans, st.integers(-14, 14))
def test_the_zone_in_which_a_time_is_written_says_nothing(
    known: Rhythm, since: datetime, span: timedelta, offset: int
) -> None:
    zone = timezone(timedelta(hours=offset, minutes=30 if offset < 14 else 0))
    there = judge(known, since.astimezone(zone), (since + span).astimezone(zone))
    assert there.chance == pytest.approx(judge(known, since, since + span).chance)


@given(st.integers(1, 40), st.integers(0, 4))
def test_twice_the_messages_are_awaited_half_as_long(rate: int, weeks: int) -> None:
    slow, fast = (Rhythm(rates=[float(rate * factor)] * 24) for factor in (1, 2))
    span = timedelta(hours=weeks + 1)
    assert judge(fast, MONDAY, MONDAY + span / 2).chance == pytest.approx(judge(slow, MONDAY, MONDAY + span).chance)


@given(st.dictionaries(st.integers(0, 700).map(lambda n: MONDAY + HOUR * n), st.integers(0, 100_000)))
def test_any_history_gives_a_rhythm_or_none(counts: dict[datetime, int]) -> None:
    known = rhythm(counts, min(counts, default=MONDAY), max(counts, default=MONDAY) + HOUR)
    if known is not None:
        assert len(known.rates) in {24, 168}
        assert all(rate >= 0 for rate in known.rates)
        assert known.spread >= 1


def test_a_busy_channel_that_falls_silent_at_noon_is_told_the_same_afternoon() -> None:
    known = rhythm(steady(35), MONDAY, MONDAY + timedelta(days=35))
    assert known is not None
    assert len(known.rates) == 168
    noon = MONDAY + timedelta(days=35, hours=12)
    assert not judge(known, noon, noon + HOUR).striking
    assert judge(known, noon, noon + 5 * HOUR).striking


def test_nights_are_no_silence() -> None:
    known = rhythm(steady(35), MONDAY, MONDAY + timedelta(days=35))
    assert known is not None
    evening = MONDAY + timedelta(days=35, hours=20)
    assert not judge(known, evening, evening + 12 * HOUR).striking


def test_the_hour_of_the_day_serves_until_four_weeks_are_known() -> None:
    known = rhythm(steady(10), MONDAY, MONDAY + timedelta(days=10))
    assert known is not None
    assert len(known.rates) == 24


def test_too_little_is_no_rhythm() -> None:
    assert rhythm(steady(6), MONDAY, MONDAY + KNOWN_FOR - HOUR) is None
    assert rhythm({MONDAY + timedelta(days=n): 3 for n in range(14)}, MONDAY, MONDAY + timedelta(days=14)) is None


def test_a_channel_that_is_quiet_by_nature_is_never_suspected_over_a_weekend() -> None:
    chance = random.Random(7)
    few = {MONDAY + timedelta(days=day, hours=chance.randrange(24)): 2 for day in range(35)}
    known = rhythm(few, MONDAY, MONDAY + timedelta(days=35))
    assert known is not None
    friday = MONDAY + timedelta(days=39, hours=18)
    assert not judge(known, friday, friday + timedelta(days=3)).striking


def test_one_storm_of_complaints_does_not_make_the_next_week_look_silent() -> None:
    counts = steady(35)
    calm = rhythm(counts, MONDAY, MONDAY + timedelta(days=35))
    storm = {at: count + (900 if 20 <= (at - MONDAY).days < 21 else 0) for at, count in counts.items()}
    after = rhythm(storm, MONDAY, MONDAY + timedelta(days=35))
    assert calm is not None
    assert after is not None
    noon = MONDAY + timedelta(days=41, hours=12)
    assert after.expected(noon, noon + 4 * HOUR) <= calm.expected(noon, noon + 4 * HOUR) * 1.8


def test_chance_alone_almost_never_rings() -> None:
    """A year of a steady channel: no silence between two messages of it may strike."""
    chance = random.Random(3)
    known = rhythm(steady(35), MONDAY, MONDAY + timedelta(days=35))
    assert known is not None
    at, last, struck = MONDAY, MONDAY, 0
    for _ in range(365 * 24 * 60):
        at += timedelta(minutes=1)
        if 8 <= at.hour < 20 and chance.random() < 0.1:
            struck += judge(known, last, at).striking
            last = at
    assert struck == 0
