from __future__ import annotations

import json
import multiprocessing
import random
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from config.schema import Channel
from heedful.aside import ReadingStopped, reading_aside
from heedful.guidance import Guidance
from heedful.recording import Turns, source_of
from heedful.replay import Figures, ReplayClock, replay
from routing.store import ledger
from routing.store.database import Store, open_store
from routing.store.rows import CASE, MESSAGE, OUTBOX, QUARANTINE, TALLY
from tests.heedful.office import CARE, care_of

START = datetime(2026, 3, 1, 8, 20, tzinfo=UTC)
BUSY = CARE.replace(
    "mode: send", "mode: send\n  caps: {per_thread: 2 per 3h, per_channel: 3 per 5m, overall: 4 per 5m}"
).replace("  routes:\n", "  routes:\n    - {name: again, when: {repeats: 4}, team: care, priority: P2}\n")
TEXTS = (
    "charged twice",
    "my card was stolen card!",
    "nice day",
    "hello? where is my bag?",
    "转人工",
    "我的卡被盗刷了",
    "this is terrible, I am so angry",
)


def line(text: str, at: datetime, **fields: Any) -> dict[str, Any]:
    author = {"id": fields.pop("author", "1"), "name": "Anna"}
    return {
        "id": fields.pop("id", f"m{at.timestamp()}"),
        "channel": fields.pop("channel", "chat"),
        "text": text,
        "author": author,
        "sent_at": at.isoformat(),
        **fields,
    }


def recording(seed: int, length: int = 90) -> list[bytes]:
    """Two channels, few people, staff who answer, edits, deletes, repeats and broken lines, at any pace."""
    chance, at, found = random.Random(seed), START, list[dict[str, Any]]()
    for number in range(length):
        at += timedelta(seconds=chance.choice((0, 1, 20, 200, 4_000, 20_000)))
        sent = at - timedelta(seconds=chance.choice((0, 0, 0, 400, 2_000)))
        author = chance.choice(("1", "2", "3", "77"))
        fields = {"channel": chance.choice(("chat", "wall")), "thread": chance.choice(("t1", "t2"))}
        old = chance.choice(found) if found else None
        match chance.randrange(12):
            case 0 if old:
                found.append({**old, "text": "", "deleted": True, "sent_at": sent.isoformat()})
            case 1 if old:
                found.append({**old, "text": chance.choice(TEXTS), "revision": "2", "sent_at": sent.isoformat()})
            case 2 if old:
                found.append(old)
            case 3:
                found.append({"id": f"broken {chance.randrange(3)}"})
            case _:
                found.append(line(chance.choice(TEXTS), sent, id=f"m{number}", author=author, **fields))
        if "channel" not in found[-1]:  # a broken line is nothing to edit or delete later
            found.append(line("nice day", sent, id=f"n{number}", author=author, **fields))
            found[-2], found[-1] = found[-1], found[-2]
            continue
    return [json.dumps(one).encode() for one in found]


async def play(store: Store, lines: Sequence[bytes], care: str = BUSY, batch: int = 256) -> Figures:
    clock = ReplayClock()
    return await replay(lines, care_of(care), store, clock, batch=batch)


def _told(connection: Connection) -> dict[str, Any]:
    """All that a replay writes, but for what is drawn anew each time."""
    messages = {row["id"]: row for row in connection.execute(select(MESSAGE)).mappings()}
    names = {id_: (row["channel"], row["external_id"], row["revision"]) for id_, row in messages.items()}
    cases = {row["id"]: row for row in connection.execute(select(CASE)).mappings()}
    keys = {id_: (row["channel"], row["thread"], row["author_id"]) for id_, row in cases.items()}
    drawn = {"id", "case_id", "message_id", "last_message_id", "ref", "key", "receipt", "text", "envelope"}

    def plain(row: Any) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name not in drawn}

    outbox = connection.execute(select(OUTBOX)).mappings()
    return {
        "messages": {names[id_]: {**plain(row), "case": keys.get(row["case_id"])} for id_, row in messages.items()},
        "cases": {keys[id_]: {**plain(row), "last": names[row["last_message_id"]]} for id_, row in cases.items()},
        "outbox": sorted(
            [
                (names[row["message_id"]], row["kind"], row["target"], str(row["due_at"]), str(plain(row)))
                for row in outbox
            ]
        ),
        "quarantine": sorted(
            str(plain(row) | {"sealed": None}) for row in connection.execute(select(QUARANTINE)).mappings()
        ),
        "tally": sorted(map(tuple, connection.execute(select(TALLY)))),
    }


async def test_a_process_that_reads_aside_reads_the_same() -> None:
    """Each turn, with its message, its reading, its hits and what could not be read, comes over as it is."""
    care, lines = care_of(BUSY), [line for seed in range(4) for line in recording(seed)]
    here = Turns(care, Guidance.compile(care)).read(lines)
    async with reading_aside(care) as read:
        there = await read(lines)
    assert {turn.item is None for turn in here} == {True, False}
    assert any(turn.item and turn.item.hits.lists for turn in here)
    assert there == here


async def test_a_process_that_was_killed_is_one_plain_error() -> None:
    async with reading_aside(care_of(BUSY)) as read:
        await read(())
        (process,) = multiprocessing.active_children()
        process.kill()
        with pytest.raises(ReadingStopped, match="out of memory"):
            await read(recording(0))


async def test_what_is_read_aside_is_stored_the_same(store: Store) -> None:
    lines = recording(3)
    async with reading_aside(care_of(BUSY)) as read:
        figures = await replay(lines, care_of(BUSY), store, ReplayClock(), read=read, batch=16)
    assert figures.balances, figures.problems
    assert figures.books["received"] == len(lines)
    assert figures.books["acknowledgements"]["sent"] > 3


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_depends_on_how_the_lines_fall_into_batches(sqlite_url: str, tmp_path: Path, seed: int) -> None:
    empty = Path(sqlite_url.removeprefix("sqlite:///"))
    lines, told = recording(seed), list[dict[str, Any]]()
    for batch in (1, 7, 256):
        fresh = shutil.copyfile(empty, tmp_path / f"{batch}.db")
        store = open_store(f"sqlite:///{fresh}", clock=lambda: START)
        figures = await play(store, lines, batch=batch)
        assert figures.balances, figures.problems
        books = await store.read(ledger.ledger)
        told.append({**await store.read(_told), "figures": figures.books, "books": books.as_json(hours=True)})
        await store.close()
    assert told[0]["books"]["acknowledgements"]["sent"] > 3
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_no_pace_of_a_platform_holds_a_recording_up() -> None:
    """Slack and Telegram want a second between two texts in one place; a sink does not."""
    care = care_of(BUSY)
    for kind in ("slack", "telegram"):
        channels = {**care.channels, "chat": Channel(kind=kind)}
        limits = source_of("chat", care.model_copy(update={"channels": channels})).limits
        assert (limits.spacing, limits.replies_per_minute_thread) == (timedelta(0), None)


async def test_each_message_is_as_fresh_as_it_was(store: Store) -> None:
    lines = [
        json.dumps(line("charged twice", START + timedelta(hours=n), author=str(n), thread=str(n))).encode()
        for n in range(20)
    ]
    figures = await play(store, lines, care=CARE)
    assert figures.books["acknowledgements"]["sent"] == 20
    books = await store.read(ledger.ledger)
    assert len(books.by_hour) == 20
    assert books.balances


async def test_what_was_late_when_it_came_is_stale(store: Store) -> None:
    late = [line("nice day", START), line("charged twice", START - timedelta(minutes=16), author="2")]
    figures = await play(store, [json.dumps(one).encode() for one in late], care=CARE)
    assert figures.books["acknowledgements"]["sent"] == 0


async def test_a_text_was_taken_before_the_message_was_deleted(store: Store) -> None:
    first = line("charged twice", START, id="x")
    gone = {**first, "text": "", "deleted": True, "sent_at": (START + timedelta(minutes=1)).isoformat()}
    figures = await play(store, [json.dumps(one).encode() for one in (first, gone)], care=CARE)
    assert figures.books["acknowledgements"]["sent"] == 1
    assert figures.balances
