"""`heedful marks` by the real executable: what is exported may be trained on, and nothing else is in it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from routing.corrections import Corrections
from routing.store.database import open_store
from routing.store.rows import MESSAGE
from tests.heedful.test_commands import asks, heedful
from tests.routing import samples

NOW = datetime.now(UTC)
HOSTILE = "bad\x1b[31m\u202eword"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three marked messages: one of long ago, one whose text was erased, and one by two people."""

    def work(connection: Connection) -> None:
        reading = {"scorer": "en/rules-1", "addressed": "to_us"}
        texts = {1: "call [phone] back", 2: "", 3: HOSTILE}
        rows = [samples.message(id=n, text=text or "x", reading=reading, negative=0.7) for n, text in texts.items()]
        samples.add(connection, messages=rows)
        Corrections(connection, NOW - timedelta(days=40)).mark(1, "Lin", "not_negative")
        Corrections(connection, NOW - timedelta(days=2)).mark(2, "Lin", "urgent")
        Corrections(connection, NOW - timedelta(days=1)).mark(3, "Lin", "negative")
        Corrections(connection, NOW).mark(3, "Mo", "not_negative")
        erased = MESSAGE.update().where(MESSAGE.c.id == 2).values(text="")
        connection.execute(erased)

    async def fill() -> None:
        store = open_store(f"sqlite:///{tmp_path / 'heedful.db'}", clock=lambda: NOW)
        await store.write(work)
        await store.close()

    asyncio.run(fill())
    return tmp_path


def exported(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = heedful(folder, "marks", "export", *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_example_a_line(folder: Path) -> None:
    newest, oldest = exported(folder)
    assert oldest["text"] == "call [phone] back"
    assert oldest["said"] == {"negative": 0.7, "urgent": 0.1, "label": "neutral"}
    assert set(oldest) == {"text", "language", "field", "mark", "said", "scorer", "at"}
    assert (newest["text"], newest["mark"]) == (HOSTILE, "not_negative")
    assert exported(folder, "--json") == [newest, oldest]
    assert exported(folder, "--since", "30d") == [newest]
    assert b"Lin" not in heedful(folder, "marks", "export").stdout


def test_a_list_for_people_and_for_programs(folder: Path) -> None:
    found = asks(folder, "marks", "list")
    assert [(one["message_id"], one["by"], one["mark"], one["agrees"]) for one in found] == [
        ("3", "Mo", "not_negative", False),
        ("3", "Lin", "negative", True),
        ("2", "Lin", "urgent", False),
        ("1", "Lin", "not_negative", False),
    ]
    assert len(asks(folder, "marks", "list", "--limit", "1")) == 1
    shown = heedful(folder, "marks", "list").stdout.decode()
    assert "not_negative" in shown
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown


def test_nothing_marked_is_said(tmp_path: Path) -> None:
    assert b"Nothing is marked yet" in heedful(tmp_path, "marks", "list").stdout
    assert heedful(tmp_path, "marks", "export").stdout == b""


@pytest.mark.parametrize("since", ["yesterday", "30", "-1d", "d", "999999d"])
def test_a_time_that_is_none_is_refused(folder: Path, since: str) -> None:
    done = heedful(folder, "marks", "list", f"--since={since}")
    assert done.returncode == 1
    assert b"since" in done.stderr
