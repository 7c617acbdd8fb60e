"""A figure is worth what it was measured on: that is tested here, never a speed."""

from __future__ import annotations

import json
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.care import care
from benchmarks.keywords import curve
from benchmarks.messages import BLOCK, generate
from benchmarks.words import keywords, problems
from config.folding import fold
from config.keywords import Keywords
from config.lint import parse
from connectors.replay import parse_line

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "care.yaml"


def test_the_committed_file_is_the_generated_one() -> None:
    assert COMMITTED.read_text("utf-8") == care(500)


@pytest.mark.parametrize("count", [500, 5_000])
def test_the_file_has_as_many_keywords_as_it_says_and_lints(count: int) -> None:
    read, findings = parse(care(count), "care.yaml")
    assert read is not None, findings
    assert sorted(word for words in read.keywords.values() for word in words.entries) == sorted(set(keywords(count)))


def test_the_same_seed_makes_the_same_messages() -> None:
    assert list(generate(50)) == list(generate(50))
    assert list(generate(50)) != list(generate(50, seed=8))


def test_one_message_in_ten_names_a_problem_to_both_sides() -> None:
    lines = list(generate(400))
    english, chinese = problems(400)
    read, _ = parse(care(500), "care.yaml")
    assert read is not None
    routed = {name: words for name, words in read.keywords.items() if name.startswith("problem_")}
    compiled = Keywords.compile(routed)
    for block in range(0, len(lines), BLOCK):
        texts = [parse_line(line).message.text for line in lines[block : block + BLOCK]]
        assert sum(bool(compiled.search(fold(text), date(2026, 1, 1)).lists) for text in texts) == 1
    simplified = [json.loads(line)["text"].lower() for line in lines]
    assert any(word in text for text in simplified for word in (*english, *chinese))


def test_every_message_can_be_replayed() -> None:
    for line in islice(generate(200), 200):
        assert parse_line(line).channel in {"mentions", "reviews"}


def test_the_curve_measures_each_size() -> None:
    costs = curve(messages=40, rounds=1, counts=(10, 50))
    assert [cost.keywords for cost in costs] == [10, 50]
    assert all(cost.search_us > 0 and cost.naive_us > 0 for cost in costs)
