"""Each measure against values worked out by hand, and against what must hold of it whatever the scores."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.measures import (
    accuracy,
    auc,
    calibration_error,
    confusion,
    half_width,
    macro_f1,
    micro,
    recall_at,
)

SCORED = st.lists(st.tuples(st.integers(-5, 5).map(float), st.booleans()), max_size=40)
PROBABLE = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)
NAMES = st.sampled_from(["negative", "neutral", "positive"])
TOLD = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=30)
Scored = list[tuple[float, bool]]


def both(rows: Scored) -> tuple[list[float], list[bool]]:
    return [score for score, _ in rows], [truth for _, truth in rows]


def mixed(rows: Scored) -> tuple[list[float], list[bool]]:
    scores, truths = both(rows)
    assume(any(truths) and not all(truths))
    return scores, truths


def test_auc_by_hand() -> None:
    assert auc([0.9, 0.8, 0.7, 0.1], [True, False, True, False]) == 0.75  # 3 of 4 pairs in order
    assert auc([1, 1, 0], [True, False, False]) == 0.75  # one pair in order, one tied
    assert auc([0, 0, 0], [True, False, False]) == 0.5


def test_what_needs_both_classes_is_undefined_with_one() -> None:
    assert auc([1, 2], [True, True]) is None
    assert recall_at([1, 2], [False, False], 0.1) is None
    assert auc([], []) is None


@given(SCORED)
def test_auc_counts_pairs(rows: Scored) -> None:
    scores, truths = mixed(rows)
    high = [score for score, truth in rows if truth]
    low = [score for score, truth in rows if not truth]
    wins = sum((a > b) + (a == b) / 2 for a, b in product(high, low))
    assert auc(scores, truths) == pytest.approx(wins / len(high) / len(low))


@given(SCORED)
def test_auc_knows_only_the_order(rows: Scored) -> None:
    scores, truths = mixed(rows)
    area = auc(scores, truths)
    assert area is not None
    assert auc([math.exp(score) for score in scores], truths) == pytest.approx(area)
    assert auc([-score for score in scores], truths) == pytest.approx(1 - area)


def test_the_interval_by_hand() -> None:
    # Q1 = .8/1.2 = 2/3, Q2 = 1.28/1.8 = .7111; (.16 + 9 × .02667 + 9 × .07111) / 100 = .0104
    assert half_width(0.8, 10, 10) == pytest.approx(1.96 * math.sqrt(0.0104), abs=1e-4)
    assert half_width(1.0, 10, 10) == 0


def test_recall_by_hand() -> None:
    truths = [True, True, False, True] + [False] * 9
    scores = [13.0 - place for place in range(13)]
    assert recall_at(scores, truths, 0.1) == pytest.approx(1.0)  # one false alarm of ten, then the third
    assert recall_at(scores, truths, 0.05) == pytest.approx(2 / 3)


def test_a_scorer_without_an_opinion_finds_as_many_as_it_alarms() -> None:
    assert recall_at([0.0] * 20, [True] * 5 + [False] * 15, 0.1) == pytest.approx(0.1)


@given(SCORED, st.floats(0, 1), st.floats(0, 1))
def test_more_false_alarms_never_find_less(rows: Scored, one: float, other: float) -> None:
    scores, truths = mixed(rows)
    less, more = (recall_at(scores, truths, share) for share in sorted((one, other)))
    assert less is not None
    assert more is not None
    assert 0 <= less <= more + 1e-12 <= 1 + 1e-9


def test_calibration_by_hand() -> None:
    # one bin promises 2 × .8 and keeps 1; another promises .1 and keeps 0
    assert calibration_error([0.8, 0.8, 0.1], [True, False, False]) == pytest.approx((0.6 + 0.1) / 3)
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    assert calibration_error([], []) is None


@given(PROBABLE)
def test_calibration_lies_between_the_mean_gap_and_the_gap_of_the_means(rows: Scored) -> None:
    probabilities, truths = both(rows)
    error = calibration_error(probabilities, truths)
    assert error is not None
    means = abs(sum(probabilities) - sum(truths)) / len(rows)
    gaps = sum(abs(probability - truth) for probability, truth in rows) / len(rows)
    assert means - 1e-9 <= error <= gaps + 1e-9


def test_f1_by_hand() -> None:
    cells = confusion(["a", "a", "b", "b"], ["a", "b", "b", "c"])
    assert cells == {("a", "a"): 1, ("a", "b"): 1, ("b", "b"): 1, ("b", "c"): 1}
    assert macro_f1(cells) == pytest.approx((2 / 3 + 2 / 4) / 2)  # a: 1 of 2 and 1; b: 1 of 2 and 2
    assert macro_f1({}) is None


@given(TOLD)
def test_f1_is_one_only_where_all_is_right(rows: list[tuple[str, str]]) -> None:
    score = macro_f1(confusion(*zip(*rows, strict=True)))
    assert score is not None
    assert 0 <= score <= 1
    assert (score == 1) == all(truth == told for truth, told in rows)


def test_micro_by_hand() -> None:
    found = micro([({"fraud", "legal"}, {"fraud"}), (set(), {"press"}), ({"minor"}, {"minor"})])
    assert found == (2 / 3, 2 / 3)
    assert micro([(set(), set())]) == (None, None)


def test_accuracy_by_hand() -> None:
    assert accuracy([True, False, True, True]) == 0.75
    assert accuracy([]) is None
