"""The time that a customer is told: never too early, never ambiguous."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.promise import round_up, when

SHANGHAI, MADRID, KATHMANDU = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Asia/Shanghai",
        "Asia/Taipei",
        "Europe/Madrid",
        "America/New_York",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/St_Johns",
    )
]
NOW = datetime(2026, 11, 23, 10, 3, tzinfo=UTC)  # a Monday, 18:03 in Shanghai

moments = st.timedeltas(timedelta(days=-3650), timedelta(days=3650)).map(lambda ahead: NOW + ahead)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("due", "locale", "expected"),
    [
        ("2026-11-23T18:27+08:00", "en", "today 18:30 (UTC+8)"),
        ("2026-11-23T18:27+08:00", "en-GB", "today 18:30 (UTC+8)"),
        ("2026-11-23T21:01+08:00", "en", "today 21:15 (UTC+8)"),
        ("2026-11-24T09:00+08:00", "en", "tomorrow 09:00 (UTC+8)"),
        ("2026-11-24T09:00+08:00", "zh-Hans", "明天 09:00（北京时间 UTC+8）"),
        ("2026-11-24T09:00+08:00", "zh-Hant", "明天 09:00（北京時間 UTC+8）"),
        ("2026-11-24T09:00+08:00", "zh-Hant-HK", "明日 09:00（北京時間 UTC+8）"),
        ("2026-11-24T09:00+08:00", "es", "mañana 09:00 (UTC+8)"),
        ("2026-11-26T09:01+08:00", "en", "Thu 26 Nov 10:00 (UTC+8)"),
        ("2026-11-26T09:01+08:00", "zh-Hans", "11月26日周四 10:00（北京时间 UTC+8）"),
        ("2026-11-26T09:01+08:00", "zh-Hant", "11月26日週四 10:00（北京時間 UTC+8）"),
        ("2026-11-26T09:01+08:00", "zh-Hant-HK", "11月26日星期四 10:00（北京時間 UTC+8）"),
        ("2027-01-04T09:00+08:00", "zh-Hans", "2027年1月4日周一 09:00（北京时间 UTC+8）"),
        ("2027-01-04T09:00+08:00", "en", "Mon 4 Jan 2027 09:00 (UTC+8)"),
        ("2026-11-26T09:00+08:00", "ar", "2026-11-26 09:00 (UTC+8)"),
    ],
)
def test_written_in_the_locale(due: str, locale: str, expected: str) -> None:
    assert when(_at(due), SHANGHAI, locale, NOW) == expected


def test_just_before_midnight_the_day_is_a_date() -> None:
    late = _at("2026-11-23T23:40+08:00")
    assert when(_at("2026-11-24T09:00+08:00"), SHANGHAI, "en", late) == "Tue 24 Nov 09:00 (UTC+8)"
    assert when(_at("2026-11-23T23:58+08:00"), SHANGHAI, "zh-Hans", late) == "11月24日周二 00:00（北京时间 UTC+8）"


def test_rounding_over_midnight_names_the_next_day() -> None:
    now = _at("2026-11-23T23:05+08:00")
    assert when(_at("2026-11-23T23:56+08:00"), SHANGHAI, "en", now) == "tomorrow 00:00 (UTC+8)"


def test_the_doubled_hour_is_told_apart_by_its_offset() -> None:
    now = _at("2026-10-24T22:00+00:00")
    assert when(_at("2026-10-25T00:30+00:00"), MADRID, "es", now) == "hoy 02:30 (UTC+2)"
    assert when(_at("2026-10-25T01:30+00:00"), MADRID, "es", now) == "hoy 02:30 (UTC+1)"


def test_offsets_that_are_not_whole_hours() -> None:
    assert when(_at("2026-11-23T12:00+00:00"), KATHMANDU, "en", NOW) == "today 17:45 (UTC+5:45)"
    assert when(_at("2026-11-23T12:00+00:00"), ZoneInfo("UTC"), "en", NOW) == "today 12:00 (UTC)"
    assert when(_at("2026-11-23T12:00+00:00"), ZoneInfo("America/New_York"), "en", NOW) == "today 07:00 (UTC-5)"


@given(moments, st.timedeltas(timedelta(0), timedelta(days=40)), st.sampled_from(ZONES))
def test_never_earlier_than_the_deadline_and_never_an_hour_later(
    now: datetime, ahead: timedelta, zone: ZoneInfo
) -> None:
    due = now + ahead
    told = round_up(due, zone, now)
    assert due <= told < due + timedelta(hours=1)
    if ahead < timedelta(hours=1):
        assert told - due < timedelta(minutes=5)
    assert told.second == told.microsecond == 0
    assert round_up(told, zone, told - timedelta(minutes=1)) == told or zone.key == "Australia/Lord_Howe"


@given(moments, st.timedeltas(timedelta(0), timedelta(days=400)), st.sampled_from(ZONES))
def test_the_text_tells_the_very_instant(now: datetime, ahead: timedelta, zone: ZoneInfo) -> None:
    text = when(now + ahead, zone, "ja", now)
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d) \(UTC(?:([+-])(\d+)(?::(\d\d))?)?\)", text)
    assert match is not None
    offset = timedelta(hours=int(match[3] or 0), minutes=int(match[4] or 0)) * (-1 if match[2] == "-" else 1)
    assert datetime.fromisoformat(match[1]).replace(tzinfo=UTC) - offset == round_up(now + ahead, zone, now)
