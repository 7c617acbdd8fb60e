"""Deliveries that Slack itself published: those inside bolt-python's tests.

They are in its repository (github.com/slackapi/bolt-python, MIT), not in its packages, and not here: name
a checkout by HEEDFUL_BOLT_PYTHON and each is called signed, forged by one byte, repeated and shuffled.
"""

from __future__ import annotations

import ast
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.api import Hook, Page
from connectors.slack.connector import HookedSlack
from tests.connectors.slack.test_hook import hook

VARIABLE = "HEEDFUL_BOLT_PYTHON"
KINDS = {"event_callback", "url_verification", "app_rate_limited"}


@pytest.fixture(scope="module")
def published() -> list[dict[str, Any]]:
    folder = os.environ.get(VARIABLE)
    if folder is None:
        pytest.skip(f"{VARIABLE} names no checkout of github.com/slackapi/bolt-python")
    found = {json.dumps(one, sort_keys=True): one for path in Path(folder).rglob("*.py") for one in _literals(path)}
    assert len(found) > 50, f"{folder} holds no tests of bolt-python"
    return list(found.values())


def _literals(path: Path) -> Iterator[dict[str, Any]]:
    """Deliveries written out as a dictionary or as a text of JSON."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        try:
            value = ast.literal_eval(node) if isinstance(node, (ast.Dict, ast.Constant)) else None
            value = json.loads(value) if isinstance(value, str) and value.lstrip().startswith("{") else value
            if isinstance(value, dict) and value.get("type") in KINDS and json.dumps(value):
                yield value
        except (ValueError, TypeError):
            continue


async def heard(care: HookedSlack, calls: list[Hook]) -> list[Page]:
    pages: list[Page] = []
    for call in calls:
        answer = await care.hear(call)
        assert answer.status == 200
        pages.append(answer.page)
    return pages


async def test_each_is_read_but_those_cut_short(published: list[dict[str, Any]], called: HookedSlack) -> None:
    """Bolt's own tests need no more of some than their type: without time or channel nobody can keep them."""
    pages = await heard(called, [hook(one) for one in published])
    for one, page in zip(published, pages, strict=True):
        event = one.get("event") or {}
        said = event.get("type") == "message"  # a mention comes by its message too, which knows the room
        if not said or event.get("subtype") in {"channel_join", "channel_leave"}:
            assert page.messages == ()
        elif "channel" in event and "ts" in event:
            assert (len(page.messages), page.unreadable) == (1, ())
        else:
            assert len(page.unreadable) == 1
    assert sum(len(page.messages) for page in pages) >= 17


async def test_one_byte_makes_each_a_forgery(published: list[dict[str, Any]], called: HookedSlack) -> None:
    for one in published:
        call = hook(one)
        at = random.Random(1).randrange(len(call.body))
        forged = call.body[:at] + bytes([call.body[at] ^ 1]) + call.body[at + 1 :]
        answer = await called.hear(Hook(method="POST", headers=call.headers, query={}, body=forged))
        assert (answer.status, answer.page) == (401, Page())


async def test_repeated_and_shuffled_they_are_the_same(published: list[dict[str, Any]], called: HookedSlack) -> None:
    calls = [hook(one) for one in published]
    once = await heard(called, calls)
    assert await heard(called, calls) == once
    order = random.Random(2).sample(range(len(calls)), len(calls))
    assert await heard(called, [calls[at] for at in order]) == [once[at] for at in order]
