"""What a platform answered."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import retry_after, strict_json
from connectors.errors import BadPayload

NOW = datetime(2027, 1, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7), (7, 7), (0.5, 1), ("-3", 1), ("1e9", 3600), (10**400, 3600), (-(10**400), 1), ("inf", 3600),
        ("Sun, 31 Jan 2027 09:00:30 GMT", 30), ("Sun, 31 Jan 2027 08:00:00 GMT", 1),
        ("Sun, 31 Jan 2044 08:00:00 GMT", 3600),
        ("Sun, 31 Jan 2027 10:00:30 +0100", 30),
        ("nan", None), ("soon", None), ("", None), (None, None), (True, None), ([7], None),
    ],
)  # fmt: skip
def test_retry_after(value: object, seconds: float | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@given(
    st.text()
    | st.integers()
    | st.floats()
    | st.none()
    | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
)
def test_any_retry_after_is_held_within_its_bounds(value: object) -> None:
    found = retry_after(value, NOW)
    assert found is None or timedelta(seconds=1) <= found <= timedelta(hours=1)


@given(st.binary())
def test_json_of_any_bytes(body: bytes) -> None:
    with suppress(BadPayload):
        strict_json(body)


@pytest.mark.parametrize("body", [b"", b"NaN", b"[" * 100_000, b"9" * 5_000, b'{"a": Infinity}'])
def test_hostile_json(body: bytes) -> None:
    with pytest.raises(BadPayload):
        strict_json(body)


def test_large_integers_are_exact() -> None:
    assert strict_json(b'{"a": "\\ud83d", "id": 36893488147419103233}')["id"] == 2**65 + 1
    assert strict_json(b'{"id": 36893488147419103233}')["id"] == 2**65 + 1
