"""What a viewer asks to see, out of the query string; anything not understood is refused, never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from feed.problems import Problem
from feed.staff import Person
from routing.shown import CaseFilter

__all__ = ["VIEWS", "Wish", "case_filter", "case_wish", "number", "page_filter", "search_text", "seen_number", "words"]

VIEWS = ("open", "mine", "unclaimed", "overdue", "waiting", "resolved")
NARROWING = ("team", "priority", "channel", "label", "language")
STATES = ("open", "claimed", "waiting", "resolved", "all")
LIMIT = 100
LIMIT_MOST = 500
QUERY_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The filters of a page, as its form shows them."""

    view: str = "open"
    q: str = ""
    limit: int = LIMIT
    narrow: Mapping[str, str] = field(default_factory=dict[str, str])

    def __getitem__(self, key: str) -> str:
        """Templates ask `wish[key]` for a select's value."""
        return self.narrow.get(key, "")

    @property
    def narrowed(self) -> int:
        return sum(1 for value in self.narrow.values() if value)

    @property
    def filtered(self) -> bool:
        return bool(self.q or self.narrowed or self.view != "open")


def words(request: Request, key: str) -> tuple[str, ...]:
    """A parameter that may be repeated or hold commas; empty values do not count."""
    found = [word.strip() for value in request.query_params.getlist(key) for word in value.split(",")]
    return tuple(dict.fromkeys(word for word in found if word))[:50]


def number(request: Request, key: str, default: int, most: int) -> int:
    """A whole number from 1 up; more than `most` is taken as `most`."""
    raw = request.query_params.get(key)
    if not raw:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10) or int(raw) < 1:
        raise Problem(422, "invalid", what=key)
    return min(int(raw), most)


def seen_number(raw: object) -> int | None:
    """An id that came as text or number, or None where none came."""
    if raw is None:
        return None
    text = str(raw)
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) >= 1 << 63:
        raise Problem(422, "invalid", what="seen")
    return int(text)


def search_text(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:QUERY_MOST]


def case_wish(request: Request) -> Wish:
    """The form of the queue page; an unknown view is the open queue."""
    view = request.query_params.get("view", "open")
    narrow = {key: request.query_params.get(key, "")[:100] for key in NARROWING}
    return Wish(
        view=view if view in VIEWS else "open",
        q=search_text(request),
        limit=number(request, "limit", LIMIT, LIMIT_MOST),
        narrow=narrow,
    )


def page_filter(wish: Wish, person: Person) -> CaseFilter:
    """What the queue page lists: one more than it shows, to know whether there is more."""
    by_view: Mapping[str, Mapping[str, Any]] = {
        "mine": {"assignee": person.name},
        "unclaimed": {"assignee": ""},
        "overdue": {"overdue": True},
        "waiting": {"status": ("waiting",)},
        "resolved": {"status": ("resolved",)},
    }
    narrow: Mapping[str, Any] = {key: (value,) for key, value in wish.narrow.items() if value}
    asked = {**by_view.get(wish.view, {}), **narrow}
    return CaseFilter(**asked, q=wish.q or None, teams=person.only_teams, limit=wish.limit + 1)


def case_filter(request: Request, person: Person) -> CaseFilter:
    """The parameters of `GET /api/v1/cases`."""
    lists: dict[str, Sequence[str]] = {key: words(request, key) for key in NARROWING}
    status = words(request, "status")
    if any(state not in STATES for state in status):
        raise Problem(422, "invalid", what="status")
    assignee = request.query_params.get("assignee")
    return CaseFilter(
        status=status,
        team=tuple(lists["team"]),
        priority=tuple(lists["priority"]),
        channel=tuple(lists["channel"]),
        label=tuple(lists["label"]),
        language=tuple(lists["language"]),
        q=search_text(request) or None,
        assignee=person.name if assignee == "me" else assignee,
        teams=person.only_teams,
        limit=number(request, "limit", 200, LIMIT_MOST),
        offset=number(request, "offset", 0, 1_000_000),
    )
