"""Opening hours: make-up days, holidays, nights, and clocks that change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schema import Calendar
from routing.calendar import ALWAYS, Hours

ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Taipei",
    "Europe/Madrid",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
)
SHANGHAI = "Asia/Shanghai"


def hours(zone: str = SHANGHAI, **keys: Any) -> Hours:
    return Hours.compile(Calendar.model_validate({"hours": {"mon-fri": "09:00-18:00"}, **keys}), ZoneInfo(zone))


def local(text: str, zone: str = SHANGHAI, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def due(calendar: Hours, start: str, span: timedelta, zone: str = SHANGHAI) -> str:
    return calendar.add(local(start, zone), span).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


H4 = timedelta(hours=4)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-11-23 10:00", H4, "2026-11-23 14:00"),
        ("2026-11-23 17:00", H4, "2026-11-24 12:00"),
        ("2026-11-23 05:00", H4, "2026-11-23 13:00"),
        ("2026-11-23 20:00", H4, "2026-11-24 13:00"),
        ("2026-11-27 16:00", H4, "2026-11-30 11:00"),
        ("2026-11-28 12:00", H4, "2026-11-30 13:00"),
        ("2026-11-23 14:00", H4, "2026-11-23 18:00"),
        ("2026-11-23 09:00", timedelta(hours=18), "2026-11-24 18:00"),
        ("2026-11-23 20:00", timedelta(0), "2026-11-24 09:00"),
        ("2026-11-23 18:00", timedelta(0), "2026-11-23 18:00"),
    ],
)
def test_working_time_only(start: str, span: timedelta, expected: str) -> None:
    assert due(hours(), start, span) == expected


def test_holidays_are_closed_and_make_up_days_are_open() -> None:
    spring = hours(holidays=["2027-02-05", "2027-02-08", "2027-02-09"], workdays=["2027-02-07"])
    assert due(spring, "2027-02-04 17:00", H4) == "2027-02-07 12:00"
    assert due(spring, "2027-02-07 17:00", H4) == "2027-02-10 12:00"


def test_a_make_up_saturday_has_mondays_hours() -> None:
    shop = hours(hours={"mon-fri": "09:00-18:00", "sat": "10:00-14:00"}, workdays=["2027-01-09"])
    assert due(shop, "2027-01-09 08:00", timedelta(0)) == "2027-01-09 09:00"
    assert due(shop, "2027-01-16 08:00", timedelta(0)) == "2027-01-16 10:00"


def test_a_workday_beats_a_holiday_and_an_own_weekday_keeps_its_hours() -> None:
    both = hours(
        hours={"mon": "09:00-18:00", "wed": "12:00-16:00"},
        holidays=["2027-01-06"],
        workdays=["2027-01-06", "2027-01-09"],
    )
    assert due(both, "2027-01-06 08:00", timedelta(0)) == "2027-01-06 12:00"
    assert due(both, "2027-01-09 08:00", timedelta(0)) == "2027-01-09 09:00"


def test_the_first_working_day_serves_where_monday_is_off() -> None:
    market = hours(hours={"tue-sun": "11:00-19:00"}, workdays=["2027-01-04"])
    assert due(market, "2027-01-04 08:00", timedelta(0)) == "2027-01-04 11:00"


def test_several_spans_and_lists_of_days() -> None:
    split = hours(hours={"mon,wed": ["09:00-12:00", "14:00-18:00"], "fri-sun": "10:00-11:00"})
    assert due(split, "2026-11-23 11:00", timedelta(hours=2)) == "2026-11-23 15:00"
    assert due(split, "2026-11-23 17:00", timedelta(hours=2)) == "2026-11-25 10:00"
    assert due(split, "2026-11-27 08:00", timedelta(hours=2, minutes=30)) == "2026-11-29 10:30"


def test_a_night_belongs_to_the_day_it_starts_on() -> None:
    night = hours(hours={"fri": "22:00-06:00"}, holidays=["2026-11-28"])
    assert night.is_open(local("2026-11-28 03:00"))
    assert not night.is_open(local("2026-11-27 03:00"))
    assert due(night, "2026-11-27 20:00", H4) == "2026-11-28 02:00"
    off = hours(hours={"fri": "22:00-06:00"}, holidays=["2026-11-27"])
    assert not off.is_open(local("2026-11-28 03:00"))


def test_overlapping_spans_count_once() -> None:
    night = hours(hours={"mon-sun": ["22:00-06:00", "05:00-09:00"]})
    assert night.between(local("2026-11-23 22:00"), local("2026-11-24 09:00")) == timedelta(hours=11)


def test_the_opening_minute_is_open_and_the_closing_one_is_not() -> None:
    assert hours().is_open(local("2026-11-23 09:00"))
    assert hours().is_open(local("2026-11-23 17:59"))
    assert not hours().is_open(local("2026-11-23 18:00"))


def test_one_message_four_cities() -> None:
    at = datetime(2026, 10, 9, 8, 30, tzinfo=UTC)  # Friday: 16:30 in Shanghai, Taipei, Hong Kong; 10:30 in Madrid
    shanghai = hours(hours={"mon-fri": "09:00-18:00"}, workdays=["2026-10-10"])
    taipei = hours("Asia/Taipei", hours={"mon-fri": "09:00-18:00"}, holidays=["2026-10-09"])
    hong_kong = hours("Asia/Hong_Kong", hours={"mon-fri": "09:00-18:00", "sat": "09:00-13:00"})
    madrid = hours("Europe/Madrid", hours={"mon-fri": ["09:00-14:00", "16:00-19:00"]}, holidays=["2026-10-12"])
    assert shanghai.add(at, H4) == local("2026-10-10 11:30")
    assert taipei.add(at, H4) == local("2026-10-12 13:00", "Asia/Taipei")
    assert hong_kong.add(at, H4) == local("2026-10-10 11:30", "Asia/Hong_Kong")
    assert madrid.add(at, H4) == local("2026-10-09 16:30", "Europe/Madrid")


def test_a_night_in_which_the_clock_goes_forward_is_an_hour_shorter() -> None:
    night = hours("Europe/Madrid", hours={"mon-sun": "22:00-06:00"})
    start, end = local("2027-03-27 22:00", "Europe/Madrid"), local("2027-03-28 06:00", "Europe/Madrid")
    assert night.between(start, end) == timedelta(hours=7)
    assert due(night, "2027-03-27 22:00", timedelta(hours=5), "Europe/Madrid") == "2027-03-28 04:00"


def test_a_night_in_which_the_clock_goes_back_is_an_hour_longer() -> None:
    night = hours("Europe/Madrid", hours={"mon-sun": "22:00-06:00"})
    start, end = local("2026-10-24 22:00", "Europe/Madrid"), local("2026-10-25 06:00", "Europe/Madrid")
    assert night.between(start, end) == timedelta(hours=9)


@pytest.mark.parametrize(
    ("span", "begins", "ends"),
    [
        ("02:30-05:00", "03:00", "05:00"),
        ("01:00-02:30", "01:00", "03:00"),
        ("02:10-02:50", None, None),
    ],
)
def test_hours_inside_the_skipped_hour(span: str, begins: str | None, ends: str | None) -> None:
    calendar = hours("Europe/Madrid", hours={"sun": span})
    day = local("2027-03-28 00:00", "Europe/Madrid")
    opening = calendar.add(day, timedelta(0)).astimezone(ZoneInfo("Europe/Madrid"))
    if begins is None:
        assert opening.date() == date(2027, 4, 4)
    else:
        assert opening.strftime("%H:%M") == begins
        assert calendar.is_open(
            local(f"2027-03-28 {ends}", "Europe/Madrid") - timedelta(minutes=61)
        ) or span.startswith("01")


def test_a_day_that_never_was() -> None:
    apia = hours("Pacific/Apia", hours={"mon-sun": "09:00-17:00"})
    assert due(apia, "2011-12-29 16:00", timedelta(hours=2), "Pacific/Apia") == "2011-12-31 10:00"


def test_the_calendar_names_its_own_zone() -> None:
    assert due(hours("UTC", timezone=SHANGHAI), "2026-11-23 10:00", H4) == "2026-11-23 14:00"


@pytest.mark.parametrize(
    "spans",
    [
        {},
        {"mon": []},
        {"someday": "09:00-18:00"},
        {"mon": "9-18"},
        {"mon": "09:00-09:00"},
        {"mon": "25:00-26:00"},
        {"mon": "09:60-10:00"},
        {"mon": "09:00-24:30"},
        {"": "09:00-18:00"},
    ],
)
def test_refused_at_once(spans: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"never open|not a day|not a span|on the clock|no time at all"):
        hours(hours=spans)


def test_a_search_without_end_ends() -> None:
    with pytest.raises(ValueError, match="twenty years"):
        hours(hours={"mon": "09:00-09:01"}).add(local("2026-11-23 10:00"), timedelta(days=30))


def test_always() -> None:
    at = datetime(2026, 11, 22, 3, tzinfo=UTC)
    assert ALWAYS.is_open(at)
    assert ALWAYS.add(at, H4) == at + H4
    assert ALWAYS.between(at, at + H4) == H4


clock = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
span_texts = st.tuples(clock, clock).filter(lambda pair: pair[0] != pair[1]).map("-".join)
weeks = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed-fri", "sat", "sun", "fri-mon", "mon,thu"]),
    st.lists(span_texts, min_size=1, max_size=2),
    min_size=1,
    max_size=3,
)
days = st.lists(st.dates(date(2026, 3, 20), date(2026, 4, 5)), max_size=4)
calendars = st.builds(
    lambda zone, week, holidays, workdays: hours(zone, hours=week, holidays=holidays, workdays=workdays),
    st.sampled_from(ZONES),
    weeks,
    days,
    days,
)
SPRING = datetime(2026, 3, 20, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=16)).map(lambda ahead: SPRING + ahead)
spans = st.integers(0, 60 * 24 * 3).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=60)
@given(calendars, moments, spans, spans)
def test_adding_in_two_steps_is_adding_at_once(calendar: Hours, start: datetime, a: timedelta, b: timedelta) -> None:
    assert calendar.add(calendar.add(start, a), b) == calendar.add(start, a + b)


@settings(max_examples=60)
@given(calendars, moments, spans, spans)
def test_later_or_longer_is_never_earlier(calendar: Hours, start: datetime, a: timedelta, b: timedelta) -> None:
    assert start <= calendar.add(start, a) <= calendar.add(start, a + b)
    assert calendar.add(start, a) <= calendar.add(start + b, a)


@settings(max_examples=60)
@given(calendars, moments, spans)
def test_what_was_added_is_the_open_time_between(calendar: Hours, start: datetime, span: timedelta) -> None:
    end = calendar.add(start, span)
    assert calendar.between(start, end) == span
    tick = timedelta(microseconds=1)
    assert calendar.is_open(end) or calendar.is_open(end - tick)


@settings(max_examples=30)
@given(calendars, moments)
def test_open_is_where_time_goes_by(calendar: Hours, at: datetime) -> None:
    tick = timedelta(microseconds=1)
    assert calendar.is_open(at) == (calendar.between(at, at + tick) == tick)


@settings(max_examples=40)
@given(st.sampled_from(ZONES), st.dates(date(2000, 1, 1), date(2037, 12, 1)), spans)
def test_all_day_every_day_is_always(zone: str, day: date, span: timedelta) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert hours(zone, hours={"mon-sun": "00:00-24:00"}).add(start, span) == start + span
