"""The sample that a newcomer sees first: varied, readable, and true to the form it demonstrates."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
from opencc import OpenCC

from config.lint import parse
from connectors.replay import parse_line
from heedful.examples import run_examples

LINES = files("heedful").joinpath("sample", "messages.jsonl").read_text("utf-8").splitlines()
ROWS: list[dict[str, Any]] = [json.loads(line) for line in LINES]

SHOWN = {
    "fraud", "stranded", "medical", "minor", "safety", "press", "regulator", "legal", "bereavement", "self_harm",
    "vulnerable", "discrimination", "data_leak", "outage", "complaint", "refund", "baggage", "app", "card", "question",
    "request", "praise", "thanks", "follow_up", "human", "sarcasm", "spam", "campaign", "fan", "news", "chatter",
    "about_us", "competitor", "bot", "own", "edit", "deleted", "album", "masked",
}  # fmt: skip


def script(text: str) -> str:
    if re.search("[\u3040-\u30ff]", text):
        return "ja"
    if re.search("[\uac00-\ud7af]", text):
        return "ko"
    if re.search("[\u0600-\u06ff]", text):
        return "ar"
    if not re.search("[\u4e00-\u9fff]", text):
        return "latin"
    return "hans" if OpenCC("t2s").convert(text) == text else "hant"


def test_there_is_enough_to_look_at() -> None:
    assert len(ROWS) >= 240


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_a_replayed_message(line: str) -> None:
    channel, message = parse_line(line)
    row = json.loads(line)
    assert (channel, message.id, message.text) == (row["channel"], row["id"], row["text"])


def test_an_id_comes_back_only_as_an_edit_a_deletion_or_the_same_line() -> None:
    first: dict[tuple[str, str, str], str] = {}
    for line, row in zip(LINES, ROWS, strict=True):
        key = (row["channel"], row["id"], row.get("revision", ""))
        assert first.setdefault(key, line) == line
    again = Counter((row["channel"], row["id"]) for row in ROWS)
    assert sum(count - 1 for count in again.values()) >= 9


def test_every_kind_of_message_is_shown() -> None:
    assert {row["shows"] for row in ROWS} == SHOWN


def test_english_and_both_chinese_scripts_share_it_and_others_occur() -> None:
    counts = Counter(script(row["text"]) for row in ROWS)
    assert min(counts["latin"], counts["hans"], counts["hant"]) >= len(ROWS) * 0.28
    assert all(counts[other] for other in ("ja", "ko", "ar"))


def test_a_newcomer_sees_emergencies_at_once() -> None:
    assert {"fraud", "stranded", "medical"} <= {row["shows"] for row in ROWS[:8]}


def test_times_run_forward_but_for_repeated_lines() -> None:
    seen: set[str] = set()
    times: list[datetime] = []
    for line, row in zip(LINES, ROWS, strict=True):
        if line not in seen:
            times.append(datetime.fromisoformat(row["sent_at"]))
        seen.add(line)
    assert times == sorted(times)


def test_all_channels_are_those_of_the_sample_file() -> None:
    text = files("heedful").joinpath("sample", "heedful.yaml").read_text("utf-8")
    channels = {row["channel"] for row in ROWS}
    assert len(channels) == 5
    assert all(f"  {channel}: {{kind: replay" in text for channel in channels)


def test_the_sample_file_lints_and_keeps_its_own_word() -> None:
    care, findings = parse(files("heedful").joinpath("sample", "heedful.yaml").read_bytes(), "heedful.yaml")
    assert care is not None
    assert {finding.rule for finding in findings} <= {"unnotified-team"}
    assert [(result.say, result.why) for result in run_examples(care, datetime.now(UTC)) if not result.passed] == []


def test_links_lead_nowhere() -> None:
    for row in ROWS:
        for host in re.findall(r"https?://([^/\s]+)", row["text"] + row.get("url", "")):
            assert host.endswith((".example", "example.com"))
