"""Due times from deadlines, hours and what was promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from config.schema import Calendar, Deadline
from routing.calendar import ALWAYS, Hours
from routing.sla import Due, binding, clocks, earliest, next_answer, tighter, window_due

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)  # Friday, 17:00 in Shanghai
OFFICE = Hours.compile(Calendar.model_validate({"hours": {"mon-fri": "09:00-18:00"}}), ZoneInfo("Asia/Shanghai"))
P3 = Deadline.model_validate({"first_answer": "4h", "resolve": "2d"})
moments = st.none() | st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda ahead: AT + ahead)


def test_both_clocks_of_a_case() -> None:
    assert clocks(AT, P3, ALWAYS) == Due(AT + timedelta(hours=4), AT + timedelta(days=2))
    assert clocks(AT, P3, OFFICE).first_answer == datetime(2026, 11, 30, 4, tzinfo=UTC)
    assert clocks(AT, Deadline(), ALWAYS) == Due()


def test_without_a_next_answer_the_first_serves() -> None:
    both = Deadline.model_validate({"first_answer": "4h", "next_answer": "8h"})
    assert next_answer(AT, P3, ALWAYS) == AT + timedelta(hours=4)
    assert next_answer(AT, both, ALWAYS) == AT + timedelta(hours=8)
    assert next_answer(AT, Deadline(), ALWAYS) is None


def test_the_window_escalates_before_it_closes() -> None:
    assert window_due(AT) == AT - timedelta(hours=2)
    assert window_due(None) is None


@given(moments, moments)
def test_what_was_promised_binds(due: datetime | None, promised: datetime | None) -> None:
    held = binding(due, promised)
    assert promised is None or (held is not None and held <= promised)
    assert due is None or (held is not None and held <= due)


@given(st.lists(moments))
def test_the_earliest_of_those_that_run(dues: list[datetime | None]) -> None:
    found = earliest(*dues)
    assert all(due is None or (found is not None and found <= due) for due in dues)


@given(st.builds(Due, moments, moments), st.builds(Due, moments, moments))
def test_tightening_never_gives_time_away(old: Due, new: Due) -> None:
    both = tighter(old, new)
    assert earliest(both.first_answer, old.first_answer) == both.first_answer
    assert earliest(both.resolution, old.resolution) == both.resolution
