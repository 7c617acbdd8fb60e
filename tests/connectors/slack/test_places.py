from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.api import BadPayload, Cursor, Refused
from connectors.slack import plugin
from connectors.slack.marks import Mark, Standing, read_standing, written
from connectors.slack.places import EPOCH, Place, earlier, slack_time, time_of, time_text

TIMES = st.builds("{:010d}.{:06d}".format, st.integers(1_000_000_000, 9_999_999_999), st.integers(0, 999_999))
CHANNELS = st.from_regex(r"[CDG][A-Z0-9]{2,11}", fullmatch=True)
MARKS = st.builds(Mark, TIMES, TIMES, TIMES, st.integers(0, 1_000))


@given(CHANNELS, st.none() | TIMES)
def test_a_place_leads_back_to_itself(channel: str, ts: str | None) -> None:
    place = Place(channel, ts)
    assert Place.parse(str(place)) == place
    assert plugin.place(str(place)) == channel


@pytest.mark.parametrize(
    "text",
    ["", "C1/", "C1/1", "C1/1700000000.1", "c1/1700000000.000100", "C1/1700000000.000100/2", "1 2", "Ｃ１", "-77/7"],
)
def test_what_is_no_place_of_slacks_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        Place.parse(text)


@given(TIMES, TIMES)
def test_times_sort_as_texts_and_lead_back(one: str, other: str) -> None:
    assert time_text(time_of(one)) == one
    assert (one < other) == (time_of(one) < time_of(other))


@given(TIMES, st.timedeltas(timedelta(0), timedelta(days=40_000)))
def test_earlier_is_never_later_nor_before_all_time(ts: str, by: timedelta) -> None:
    before = earlier(ts, by)
    assert EPOCH <= before <= ts
    assert before == EPOCH or time_of(ts) - time_of(before) == by
    assert slack_time(before) == before


@pytest.mark.parametrize(
    "value",
    [None, 1, "", "1", "1700000000", "1700000000.1", "17000000000.000000", "x" * 17, "１７００００００００.000000"],
)
def test_what_is_no_time_of_slacks_is_not_read(value: object) -> None:
    with pytest.raises(BadPayload):
        slack_time(value)


def test_a_date_before_all_time() -> None:
    assert time_text(datetime(1901, 1, 1, tzinfo=UTC)) == EPOCH


STANDINGS = st.builds(
    Standing,
    st.dictionaries(CHANNELS, MARKS, max_size=5),
    st.dictionaries(st.builds("{}/{}".format, CHANNELS, TIMES), TIMES, max_size=5),
    st.frozensets(CHANNELS, max_size=3),
)


@given(STANDINGS)
def test_a_cursor_leads_back_to_where_it_was_written(standing: Standing) -> None:
    assert read_standing(written(standing)) == standing


def test_a_cursor_of_the_first_version_is_read() -> None:
    marks = read_standing(
        Cursor('{"marks":{"C1":["1790000000.000100","1790000000.000200","1790000000.000300"]}}')
    ).marks
    assert marks == {"C1": Mark("1790000000.000100", "1790000000.000200", "1790000000.000300")}


@given(st.text() | st.just('{"marks": {"C1": ["1", "2", "3"]}}') | st.just("[" * 100_000))
@example('{"marks": {}, "threads": {"C1": "x"}}')
@example('{"marks": {}, "threads": {"c1/1790000000.000100": "1790000000.000100"}}')
def test_a_cursor_that_is_none_of_ours_is_known_for_that(text: str) -> None:
    assert read_standing(Cursor(text)) == Standing(unknown=True)


@given(MARKS, TIMES, TIMES)
def test_a_mark_only_moves_on(mark: Mark, one: str, other: str) -> None:
    for moved in (
        mark.passed(one),
        mark.saw(one, other),
        mark.heard(max(one, other), min(one, other)),
        mark.turned(),
        mark.walked(one),
    ):
        assert moved.posts >= mark.posts
        assert moved.changes >= mark.changes
        assert moved.newest >= mark.newest
