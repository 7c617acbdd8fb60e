"""The pages of the team, and the fragments that the live feed refreshes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from sqlalchemy import Connection

from feed import lookups, staff
from feed.access import GuardedRoute
from feed.agreement import agreement_view
from feed.api import CaseId, TextId, seen_case
from feed.asking import case_wish, number, page_filter, search_text
from feed.books import books_of
from feed.casefile import CaseView, case_view
from feed.marks import marks_on
from feed.parts import parts_of, person_of, session_of, texts_of
from feed.problems import Problem
from feed.render import fragment, page
from feed.views import drop, language_name, line, out
from routing.corrections import marks_of
from routing.shown import AckFilter, MessageItem
from routing.store import events
from routing.store.ledger import ledger
from sentiment.api import LABELS

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
REASONS = ("answered", "answered_elsewhere", "no_answer_needed", "not_for_us", "spam", "duplicate", "customer_silent")
ACK_VIEWS = ("attention", "preview", "pending", "sent", "suppressed")
STREAM_VIEWS = ("all", "routed", "kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The figures of the top bar."""

    p1: int
    overdue: int
    open: int
    waiting_texts: int
    alarms: int


async def _numbers(request: Request) -> dict[str, Any]:
    parts, teams = parts_of(request), person_of(request).only_teams
    counts, paused = await parts.desk.counts(teams), await parts.desk.paused()
    status = parts.status()
    failed = sum(1 for channel in status.channels if channel.state == "failed")
    p1 = await parts.store.read(lambda connection: lookups.unclaimed_p1(connection, teams))
    waiting = counts.doubtful + counts.to_approve
    numbers = Numbers(
        p1=p1, overdue=counts.overdue, open=counts.total, waiting_texts=waiting, alarms=failed + len(status.alarms)
    )
    return {"counts": numbers, "paused": paused}


async def _frame(request: Request, tab: str) -> dict[str, Any]:
    """What every page needs. The position comes first: what happens while we read is sent again, never missed."""
    store = parts_of(request).store
    position = await store.read(events.latest)
    colleagues = await store.read(lookups.assignees)
    return {"tab": tab, "position": position, "colleagues": colleagues, "reasons": REASONS, **await _numbers(request)}


async def _queue(request: Request) -> dict[str, Any]:
    parts, person, texts, wish = parts_of(request), person_of(request), texts_of(request), case_wish(request)
    items = await parts.desk.list(page_filter(wish, person))
    shown = items[: wish.limit]
    acks = await parts.store.read(lambda connection: lookups.acknowledged(connection, [item.id for item in shown]))
    now = parts.clock()
    lines = [line(item, acks.get(item.id, "none"), person, texts, now) for item in shown]
    return {"lines": lines, "total": len(lines), "more": len(items) > wish.limit, "limit": wish.limit, "wish": wish}


async def _case(request: Request, name: str) -> CaseView:
    detail = await seen_case(request, name)
    ids = [message.id for message in detail.messages]
    marked = await parts_of(request).store.read(lambda connection: marks_of(connection, ids))
    return case_view(detail, person_of(request), texts_of(request), marked)


def _choices(request: Request) -> Mapping[str, list[tuple[str, str]]]:
    care, texts, person = parts_of(request).care(), texts_of(request), person_of(request)
    teams = dict.fromkeys([*care.teams, care.route.team])
    languages = dict.fromkeys([*care.brand.languages, "es", "ja"])
    return {
        "team": [(team, team) for team in teams if person.sees(team)],
        "priority": [(name, texts.name("priority", name)) for name in ("P1", "P2", "P3", "P4")],
        "channel": [(name, name) for name in care.channels],
        "label": [(label, texts.name("label", label)) for label in LABELS],
        "language": [(tag, language_name(tag, texts)) for tag in languages],
    }


@router.get("/")
async def show_queue(request: Request) -> Response:
    values = {**await _frame(request, "queue"), **await _queue(request)}
    return page(request, "queue.html", case=None, choices=_choices(request), **values)


@router.get("/cases/{case_id}")
async def show_case(request: Request, case_id: CaseId) -> Response:
    values = {**await _frame(request, "queue"), **await _queue(request)}
    return page(request, "queue.html", case=await _case(request, case_id), choices=_choices(request), **values)


@router.get("/fragments/counts")
async def counts_fragment(request: Request) -> Response:
    return fragment(request, "_counts.html", **await _numbers(request))


@router.get("/fragments/queue")
async def queue_fragment(request: Request) -> Response:
    return fragment(request, "_queue.html", **await _queue(request))


@router.get("/fragments/cases/{case_id}")
async def case_fragment(request: Request, case_id: CaseId) -> Response:
    return fragment(request, "_case.html", case=await _case(request, case_id))


async def _stream(request: Request) -> dict[str, Any]:
    view, q = request.query_params.get("view", "all"), search_text(request)
    limit, teams, texts = number(request, "limit", 80, 500), person_of(request).only_teams, texts_of(request)
    view = view if view in STREAM_VIEWS else "all"
    outcome = None if view == "all" else view
    person = person_of(request)

    def ask(connection: Connection) -> tuple[list[MessageItem], dict[int, list[tuple[str, str]]]]:
        found = lookups.stream(connection, q, outcome, limit + 1, teams)
        return found, marks_of(connection, [item.id for item in found])

    found, marked = await parts_of(request).store.read(ask)
    return {
        "messages": [drop(item, texts, marks_on(marked, item.id, person)) for item in found[:limit]],
        "more": len(found) > limit,
        "limit": limit,
        "wish": {"q": q, "view": view},
    }


@router.get("/stream")
async def show_stream(request: Request) -> Response:
    return page(request, "stream.html", **{**await _frame(request, "stream"), **await _stream(request)})


@router.get("/fragments/stream")
async def stream_fragment(request: Request) -> Response:
    return fragment(request, "_stream.html", **await _stream(request))


async def _acknowledgements(request: Request) -> dict[str, Any]:
    parts, teams, texts = parts_of(request), person_of(request).only_teams, texts_of(request)
    wanted = request.query_params.get("state", "attention")
    view = wanted if wanted in ACK_VIEWS else "attention"
    states = ("unknown", "approve") if view == "attention" else (view,)
    found = [
        item for state in states for item in await parts.desk.acknowledgements(AckFilter(state=state, teams=teams))
    ]
    return {"texts": [out(item, texts) for item in found], "wish": {"state": view}, "views": ACK_VIEWS}


@router.get("/acknowledgements")
async def show_acknowledgements(request: Request) -> Response:
    values = {**await _frame(request, "ack"), **await _acknowledgements(request)}
    numbers = dict.fromkeys(ACK_VIEWS, 0) | {"attention": values["counts"].waiting_texts}
    return page(request, "acknowledgements.html", numbers=numbers, **values)


@router.get("/fragments/acknowledgements")
async def acknowledgements_fragment(request: Request) -> Response:
    return fragment(request, "_acknowledgements.html", **await _acknowledgements(request))


async def _channels(request: Request) -> dict[str, Any]:
    return {"daemon": parts_of(request).status(), "gaps": await parts_of(request).store.read(lookups.gaps)}


@router.get("/channels")
async def show_channels(request: Request) -> Response:
    return page(request, "channels.html", **{**await _frame(request, "channels"), **await _channels(request)})


@router.get("/fragments/channels")
async def channels_fragment(request: Request) -> Response:
    return fragment(request, "_channels.html", **await _channels(request))


@router.get("/ledger")
async def show_ledger(request: Request) -> Response:
    parts = parts_of(request)
    books = books_of(await parts.store.read(ledger), parts.clock())
    return page(request, "ledger.html", books=books, **await _frame(request, "ledger"))


async def _agreement(request: Request) -> dict[str, Any]:
    parts, person = parts_of(request), person_of(request)
    settings = parts.care().reading
    found = await parts.desk.agreement(person.only_teams)
    budget = settings.false_alarms if settings else None
    return {"agreement": agreement_view(found, person, texts_of(request), budget)}


@router.get("/agreement")
async def show_agreement(request: Request) -> Response:
    return page(request, "agreement.html", **{**await _frame(request, "agreement"), **await _agreement(request)})


@router.get("/fragments/agreement")
async def agreement_fragment(request: Request) -> Response:
    return fragment(request, "_agreement.html", **await _agreement(request))


@router.get("/people")
async def show_people(request: Request) -> Response:
    members = await parts_of(request).store.read(staff.all_staff)
    teams = list(parts_of(request).care().teams)
    return page(request, "people.html", members=members, teams=teams, **await _frame(request, "people"))


@router.get("/messages/{message_id}/text")
async def message_text(request: Request, message_id: TextId) -> Response:
    """A text too long for its place, as nothing but text."""
    found = await parts_of(request).store.read(lambda connection: lookups.message_text(connection, int(message_id)))
    if found is None or not person_of(request).sees(found[1]):
        raise Problem(404, "not_found")
    return PlainTextResponse(found[0], headers={"Content-Security-Policy": "sandbox; default-src 'none'"})


@router.get("/events")
async def live(request: Request) -> Response:
    """The live feed: `id` is the number of the last event in a frame; Last-Event-ID, or `after`, resumes behind it."""
    parts, person, session = parts_of(request), person_of(request), session_of(request)
    after = request.headers.get("last-event-id") or request.query_params.get("after") or ""
    position = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None

    key = session.key if session else ""

    async def alive() -> bool:
        return not key or await parts.store.read(lambda connection: staff.is_open(connection, key, parts.clock()))

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        parts.hub.stream(position, person.sees, alive), media_type="text/event-stream", headers=headers
    )
