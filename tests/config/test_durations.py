from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("4h", timedelta(hours=4)),
        ("2d", timedelta(days=2)),
        ("0s", timedelta(0)),
        (timedelta(hours=1), timedelta(hours=1)),
    ],
)
def test_the_four_units(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written", ["", "30", "s", "30 s", "-30s", "1.5h", "1h30m", "30S", "３０s", "9999999s", 30, None]
)
def test_anything_else_is_told_the_forms(written: object) -> None:
    with pytest.raises(ValueError, match="30s, 15m, 4h or 2d"):
        parse_duration(written)


@given(st.text())
def test_any_text_is_a_duration_or_refused(written: str) -> None:
    try:
        assert parse_duration(written) >= timedelta(0)
    except ValueError:
        assert written.strip("0123456789") not in {"s", "m", "h", "d"} or not 2 <= len(written) <= 7
