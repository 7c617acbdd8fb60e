"""`reading:` of the file on its way through the program: stored, explained and replayed alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.schema import Care
from heedful.explain import explain, plain_message
from heedful.guidance import Guidance
from heedful.replay import ReplayClock, replay
from routing.store.database import Store
from routing.store.rows import MESSAGE
from tests.databases import Clock
from tests.heedful.office import CARE, Office, care_of

ROOT = "reading: {words: {negative: [gribble], positive: [wicked]}}\n"
TEAM = CARE.replace(
    "teams: {care: {}, payments: {",
    "teams: {care: {}, payments: {reading: {words: {positive: [gribble], urgent: [boarding]}}, ",
).replace("routes:\n", "routes:\n    - {name: soon, when: {urgent: 0.8}, team: payments}\n")
WORDS = "We saw a gribble there"


def negative_of(care: Care, text: str, clock: Clock) -> float:
    reading = explain(plain_message(text, clock()), "chat", care, clock()).prepared.reading
    assert reading is not None
    return reading.negative


async def test_a_word_of_the_file_routes_and_is_stored(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE)
    await office.hear(WORDS, author="1")
    office.obey(CARE + ROOT)
    await office.hear(WORDS, author="2")
    before, after = await office.rows()
    assert (before["outcome"], after["outcome"]) == ("kept", "routed")
    assert (after["label"], after["negative"] >= 0.8) == ("negative", True)
    assert [9, 16, "word: negative"] in after["reading"]["why"]


async def test_what_is_explained_is_what_is_stored(store: Store, clock: Clock) -> None:
    office = Office(store, clock)
    for number, text in enumerate((CARE, CARE + ROOT, TEAM, TEAM + ROOT)):
        office.obey(text)
        for words in (WORDS, WORDS + ", boarding now", "charged twice, a gribble", "wicked"):
            message = office.message(words, author=f"{number} {words}")
            await office.take(message)
            (row,) = await office.rows(author_id=message.author.id)
            reading = explain(message, "chat", office.guidance.care, clock()).prepared.reading
            assert reading is not None
            assert (row["negative"], row["urgent"], row["label"]) == (reading.negative, reading.urgent, reading.label)


async def test_the_stored_reading_is_the_view_of_the_team_it_went_to(store: Store, clock: Clock) -> None:
    office = Office(store, clock, TEAM + ROOT)
    await office.hear(WORDS, author="1")
    await office.hear(WORDS + " and I am boarding", author="2")
    await office.hear("charged twice, a gribble", author="3")
    care, soon, fraud = await office.rows()
    assert (care["team"], care["label"]) == ("care", "negative")
    assert (soon["team"], soon["label"], soon["urgent"] >= 0.8) == ("payments", "positive", True)
    assert fraud["team"] == "payments"


async def test_a_team_takes_what_it_does_not_say_from_the_root(clock: Clock) -> None:
    guidance = Guidance.compile(care_of(TEAM + "reading: {false_alarms: 5%, words: {neutral: [gate]}}\n"))
    assert guidance.budgets == {0.05}
    assert guidance.teams["payments"].thresholds == guidance.own.thresholds
    assert set(guidance.teams) == {"payments"}


@pytest.mark.parametrize("budget", ["0.1%", "50%"])
async def test_a_budget_moves_what_is_stored(store: Store, clock: Clock, budget: str) -> None:
    plain, asked = care_of(CARE), care_of(CARE + f"reading: {{false_alarms: {budget}}}\n")
    words = ["hello", "it is late again", "I am very disappointed", "this is terrible, I am furious"]
    before, after = ([negative_of(care, text, clock) for text in words] for care in (plain, asked))
    assert before != after
    assert sorted(range(4), key=before.__getitem__) == sorted(range(4), key=after.__getitem__)
    assert (max(after) < max(before)) if budget == "0.1%" else (max(after) >= max(before))


async def test_a_replay_reads_with_the_file(store: Store, tmp_path: Path) -> None:
    author = {"id": "1", "name": "Ann"}
    line = {"id": "1", "channel": "c", "text": WORDS, "author": author, "sent_at": "2026-11-20T08:00:00Z"}
    await replay([json.dumps(line).encode()], care_of(CARE + ROOT), store, ReplayClock())
    rows = await store.read(lambda connection: connection.execute(MESSAGE.select()).mappings().all())
    assert [row["label"] for row in rows] == ["negative"]
