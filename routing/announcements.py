"""What a team is told about a case, and when again: rows of the outbox, as plain values. Pure.

A team hears of each new P1 and P2, of one that comes back or rises to it, and of one that another team
hands over. What leaves a region holds the priority and a link, and no word of the customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from config.schema import Care

__all__ = ["EXCERPT", "REPEATS", "URGENT", "Occasion", "announcements", "describe"]

REPEATS = (timedelta(0), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
EXCERPT = 280
URGENT = frozenset({"P1", "P2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why it is told: `name` is in the keys, so that the same occasion is told once and another one anew.

    `words` are the customer's, of the message `message_id`, from a channel in `region`.
    """

    name: str
    message_id: int
    words: str
    region: str | None


def announcements(
    case: Mapping[str, Any],
    occasion: Occasion,
    care: Care,
    now: datetime,
    namespace: UUID,
    new_id: Callable[[datetime], int],
) -> Iterator[dict[str, Any]]:
    """Rows for each target of the case's team: at once, and again until somebody claims."""
    team = care.teams.get(case["team"])
    for target in team.notify if team else ():
        foreign = occasion.region is not None and occasion.region != care.notify[target].region
        facts = _facts(case, care, foreign=foreign)
        words = None if foreign else occasion.words[:EXCERPT]
        text = describe(facts, excerpt=words, link=facts["link"] or None)
        for number, pause in enumerate(REPEATS):
            key = uuid5(namespace, f"notify {case['id']} {occasion.name} {target} {number}")
            due = {"id": new_id(now), "key": str(key), "target": target, "due_at": now + pause}
            yield {**_blank(case, occasion, now), **due, "text": text, "envelope": dict(facts)}


def describe(facts: Mapping[str, Any], *, excerpt: str | None, link: str | None) -> str:
    """The text of a notification: priority, channel and team; the customer's words only where they may go."""
    head = f"{facts['priority']} · {facts['channel']} · {facts['team']}"
    words = f"\n{facts['author']}: {excerpt}" if excerpt else ""
    return head + words + (f"\n{link}" if link else "")


def _facts(case: Mapping[str, Any], care: Care, *, foreign: bool) -> dict[str, str]:
    base = care.web.public_url or f"http://{care.web.listen}"
    return {
        "priority": case["priority"],
        "channel": case["channel"],
        "team": case["team"],
        "case": str(case["id"]),
        "author": "" if foreign else case["author_name"],
        "link": f"{base.rstrip('/')}/cases/{case['id']}",
    }


def _blank(case: Mapping[str, Any], occasion: Occasion, now: datetime) -> dict[str, Any]:
    return {
        "kind": "notify",
        "account": "notify",
        "channel": case["channel"],
        "thread": case["thread"],
        "author_id": "",
        "case_id": case["id"],
        "message_id": occasion.message_id,
        "priority": case["priority"],
        "state": "pending",
        "reason": None,
        "style": None,
        "locale": None,
        "wording": None,
        "attempts": 0,
        "created_at": now,
        "stale_at": None,
    }
