from __future__ import annotations

from collections import deque
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from heedful.patience import OPENS, Patience

QUARTER = 900.0
lives = st.lists(st.sampled_from([0.0, 0.5, 30.0, 59.9, 60.0, 61.0, 300.0]) | st.floats(0, 120), min_size=1, max_size=8)


class Stepped:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def most_in_a_quarter(times: list[float]) -> int:
    most, window = 0, deque[float]()
    for at in times:
        window.append(at)
        while window[0] <= at - QUARTER + 1e-6:
            window.popleft()
        most = max(most, len(window))
    return most


def connects(pattern: list[float], hours: float, patience: Patience, time: Stepped) -> list[float]:
    """When streams are opened, whose lives repeat a pattern."""
    opened: list[float] = []
    while time.now < hours * 3600:
        if wait := patience.turn():
            time.now += wait
            continue
        opened.append(time.now)
        patience.succeed()
        time.now += pattern[len(opened) % len(pattern)]
        patience.succeed()
        time.now += patience.fail()
    return opened


@given(lives)
@example([0.0])
@example([60.0])
@example([0.0, 0.0, 0.0, 60.0])  # forgetting after a minute alone would allow 53
def test_no_pattern_of_closes_connects_more_often_than_x_allows(pattern: list[float]) -> None:
    time = Stepped()
    opened = connects(pattern, 2, Patience(time, lambda: 1.0), time)
    assert most_in_a_quarter(opened) <= OPENS
    assert len(opened) > 8  # nor does it give up


def test_even_where_the_program_is_started_anew_in_between() -> None:
    time = Stepped()
    opened = connects([0.0], 0.25, Patience(time, lambda: 1.0), time)
    opened += connects([0.0], 0.5, Patience(time, lambda: 1.0), time)
    assert most_in_a_quarter(opened) <= 50


def test_a_channel_is_well_again_after_a_minute_of_success_and_not_before() -> None:
    time = Stepped()
    patience = Patience(time, lambda: 1.0)
    assert [patience.fail() for _ in range(3)] == [1, 2, 4]
    assert not patience.succeed()
    time.now += 59.9
    assert not patience.succeed()
    assert patience.failures == 3
    time.now += 0.2
    assert patience.succeed()
    assert not patience.succeed()  # told once
    assert patience.fail() == 1


@given(st.integers(0, 20), st.floats(0, 10_000))
def test_what_the_platform_wishes_is_kept_to(failures: int, wished: float) -> None:
    patience = Patience(Stepped())
    for _ in range(failures):
        patience.fail()
    assert patience.fail(timedelta(seconds=wished)) >= timedelta(seconds=wished).total_seconds()
    assert 1 <= patience.fail() <= 78
