"""/api/v1: what the page, the commands and other programs of the house do with the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from feed import lookups, staff
from feed.access import GuardedRoute
from feed.asking import case_filter, number, search_text, seen_number
from feed.bodies import (
    Answer,
    Assignment,
    Bulk,
    Case,
    NewUser,
    Note,
    Pause,
    ProblemDetail,
    Resolution,
    Snooze,
    User,
)
from feed.catalogue import Catalogue
from feed.parts import parts_of, person_of, texts_of
from feed.problems import Problem, as_json, translated
from feed.signin import clean_name
from feed.staff import Person
from feed.status import stamp
from routing import inquiry
from routing.desk import Desk, NotFound
from routing.shown import AckFilter, CaseDetail
from routing.store.ledger import ledger

__all__ = ["router", "seen_case"]

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetail, "description": what}
    for status, what in [
        (401, "not signed in"),
        (403, "not allowed"),
        (404, "not there"),
        (409, "somebody was quicker"),
        (422, "not understood"),
    ]
}
router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, responses=REFUSALS)
CaseId = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,19}$")]
TextId = Annotated[str, Path(pattern=r"^[0-9]{1,19}$")]
LARGEST_ID = (1 << 63) - 1
ACK_STATES = ("pending", "approve", "sending", "uncertain", "sent", "suppressed", "refused", "unknown", "preview")


async def seen_case(request: Request, name: str) -> CaseDetail:
    """A case by id or reference, where the person may see its team; else it is not there."""
    desk = parts_of(request).desk
    case_id = int(name) if name.isdigit() else await desk.find(name)
    if case_id > LARGEST_ID:
        raise Problem(404, "not_found")
    detail = await desk.show(case_id)
    if not person_of(request).sees(detail.case.team):
        raise Problem(404, "not_found")
    return detail


async def _changed(request: Request, name: str, change: Callable[[Desk, int, str], Awaitable[object]]) -> JSONResponse:
    detail = await seen_case(request, name)
    parts = parts_of(request)
    await change(parts.desk, detail.case.id, person_of(request).name)
    case = await parts.store.read(lambda connection: inquiry.item(connection, detail.case.id))
    return JSONResponse(case.as_json() if case else {})


@router.get("/cases", response_model=list[Case], tags=["cases"], summary="The queue: by priority, then by what is due")
async def list_cases(request: Request) -> JSONResponse:
    """Without `status`: all that is not resolved.

    `status`, `team`, `priority`, `channel`, `label` and `language` may be repeated; `q` searches all
    messages of a case; `assignee` is a name, `me`, or empty for nobody's; `limit`, `offset`.
    """
    items = await parts_of(request).desk.list(case_filter(request, person_of(request)))
    return JSONResponse([item.as_json() for item in items])


@router.post("/cases/bulk", tags=["cases"], summary="One action on many cases")
async def bulk(request: Request, body: Bulk) -> JSONResponse:
    """What one case refuses stops no other; a case of a team that the person may not see is not there."""
    parts, person, texts = parts_of(request), person_of(request), texts_of(request)
    ids = list(dict.fromkeys(map(int, body.ids)))
    mine = await parts.store.read(lambda connection: lookups.visible_cases(connection, ids, person.only_teams))
    done = await parts.desk.bulk(mine, person.name, body.action, **_options(body))
    results: dict[int, dict[str, Any]] = {case_id: _refused(case_id, NotFound(""), texts) for case_id in ids}
    for one in done:
        results[one.id] = _refused(one.id, one.error, texts) if one.error else {"id": str(one.id), "done": True}
    return JSONResponse({"results": [results[case_id] for case_id in ids]})


def _options(body: Bulk) -> dict[str, Any]:
    """What the action needs, and nothing else."""
    needed = {"assign": ("to", body.to), "snooze": ("until", body.until), "resolve": ("reason", body.reason)}.get(
        body.action
    )
    if needed is None:
        return {}
    name, value = needed
    if value is None:
        raise Problem(422, "invalid", what=name)
    return {name: value, "detail": body.detail} if name == "reason" else {name: value}


def _refused(case_id: int, error: Exception, texts: Catalogue) -> dict[str, Any]:
    problem = translated(error) or Problem(404, "not_found")
    return {"id": str(case_id), "done": False, "problem": as_json(problem, texts)}


@router.get("/cases/{case_id}", response_model=Case, tags=["cases"], summary="A case with all that was said and done")
async def show_case(request: Request, case_id: CaseId) -> JSONResponse:
    return JSONResponse((await seen_case(request, case_id)).as_json())


@router.post("/cases/{case_id}/claim", response_model=Case, tags=["cases"], summary="Take a case")
async def claim(request: Request, case_id: CaseId) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.claim(id_, actor))


@router.post("/cases/{case_id}/release", response_model=Case, tags=["cases"], summary="Give a case back")
async def release(request: Request, case_id: CaseId) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.release(id_, actor))


@router.post("/cases/{case_id}/assign", response_model=Case, tags=["cases"], summary="Hand a case to a colleague")
async def assign(request: Request, case_id: CaseId, body: Assignment) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.assign(id_, actor, body.to))


@router.post("/cases/{case_id}/snooze", response_model=Case, tags=["cases"], summary="Look again later")
async def snooze(request: Request, case_id: CaseId, body: Snooze) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.snooze(id_, actor, body.until))


@router.post("/cases/{case_id}/note", response_model=Case, tags=["cases"], summary="A note that only colleagues see")
async def note(request: Request, case_id: CaseId, body: Note) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.note(id_, actor, body.text))


@router.post("/cases/{case_id}/answer", response_model=Case, tags=["cases"], summary="Answer the customer")
async def answer(request: Request, case_id: CaseId, body: Answer) -> JSONResponse:
    """409 where the customer wrote again after `seen`, or a colleague answered: read, then send again."""
    seen = seen_number(body.seen)
    return await _changed(
        request, case_id, lambda desk, id_, actor: desk.answer(id_, actor, body.text, seen=seen, confirm=body.confirm)
    )


@router.post("/cases/{case_id}/resolve", response_model=Case, tags=["cases"], summary="Close a case, with a reason")
async def resolve(request: Request, case_id: CaseId, body: Resolution) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.resolve(id_, actor, body.reason, body.detail))


@router.post("/cases/{case_id}/reopen", response_model=Case, tags=["cases"], summary="Open a resolved case again")
async def reopen(request: Request, case_id: CaseId) -> JSONResponse:
    return await _changed(request, case_id, lambda desk, id_, actor: desk.reopen(id_, actor))


@router.get("/messages", tags=["messages"], summary="The newest messages, kept ones too; `q` searches")
async def messages(request: Request) -> JSONResponse:
    q, limit, teams = search_text(request), number(request, "limit", 50, 500), person_of(request).only_teams
    found = await parts_of(request).store.read(lambda connection: inquiry.messages(connection, q or None, limit, teams))
    return JSONResponse([item.as_json() for item in found])


@router.get("/acknowledgements", tags=["automatic texts"], summary="Automatic texts; `state` also takes `preview`")
async def acknowledgements(request: Request) -> JSONResponse:
    state = request.query_params.get("state") or None
    if state is not None and state not in ACK_STATES:
        raise Problem(422, "invalid", what="state")
    asked = AckFilter(state=state, teams=person_of(request).only_teams, limit=number(request, "limit", 200, 500))
    return JSONResponse([item.as_json() for item in await parts_of(request).desk.acknowledgements(asked)])


async def _settled(
    request: Request, text_id: str, settle: Callable[[Desk, int, Person], Awaitable[object]]
) -> JSONResponse:
    person = person_of(request)
    team = await parts_of(request).store.read(lambda connection: lookups.team_of_text(connection, int(text_id)))
    if not person.sees(team):
        raise Problem(404, "not_found")
    await settle(parts_of(request).desk, int(text_id), person)
    return JSONResponse({"id": text_id, "done": True})


@router.post("/acknowledgements/{text_id}/approve", tags=["automatic texts"], summary="Let it be sent")
async def approve(request: Request, text_id: TextId) -> JSONResponse:
    return await _settled(request, text_id, lambda desk, id_, person: desk.approve(id_, person.name))


@router.post("/acknowledgements/{text_id}/reject", tags=["automatic texts"], summary="Do not send it")
async def reject(request: Request, text_id: TextId) -> JSONResponse:
    return await _settled(request, text_id, lambda desk, id_, person: desk.reject(id_, person.name))


@router.post("/acknowledgements/{text_id}/sent", tags=["automatic texts"], summary="It was sent after all")
async def was_sent(request: Request, text_id: TextId) -> JSONResponse:
    return await _settled(request, text_id, lambda desk, id_, person: desk.settle_unknown(id_, person.name, "sent"))


@router.post("/acknowledgements/{text_id}/unsent", tags=["automatic texts"], summary="It was not sent")
async def was_not_sent(request: Request, text_id: TextId) -> JSONResponse:
    return await _settled(request, text_id, lambda desk, id_, person: desk.settle_unknown(id_, person.name, "unsent"))


@router.post("/pause", tags=["automatic texts"], summary="Stop all automatic texts at once")
async def pause(request: Request, body: Pause | None = None) -> JSONResponse:
    await parts_of(request).desk.pause(person_of(request).name, body.reason if body else "")
    return JSONResponse((await parts_of(request).desk.paused()).as_json())


@router.post("/resume", tags=["automatic texts"], summary="Let automatic texts go out again")
async def resume(request: Request) -> JSONResponse:
    await parts_of(request).desk.resume(person_of(request).name)
    return JSONResponse((await parts_of(request).desk.paused()).as_json())


@router.get("/status", tags=["the daemon"], summary="Channels, alarms, whether automatic texts are paused")
async def status(request: Request) -> JSONResponse:
    parts = parts_of(request)
    paused, counts = await parts.desk.paused(), await parts.desk.counts(person_of(request).only_teams)
    return JSONResponse(
        {**parts.status().as_json(), "paused": paused.paused, "pause": paused.as_json(), "counts": counts.as_json()}
    )


@router.get("/ledger", tags=["the daemon"], summary="The books: received against what became of it")
async def books(request: Request) -> JSONResponse:
    return JSONResponse((await parts_of(request).store.read(ledger)).as_json(hours="hours" in request.query_params))


@router.get("/users", response_model=list[User], tags=["people"], summary="Accounts of our own people")
async def users(request: Request) -> JSONResponse:
    members = await parts_of(request).store.read(staff.all_staff)
    return JSONResponse(
        [
            _user(member.name, member.role, member.teams, stamp(member.created_at), member.disabled_at is not None)
            for member in members
        ]
    )


@router.post("/users", response_model=User, status_code=201, tags=["people"], summary="Add an account")
async def add_user(request: Request, body: NewUser) -> JSONResponse:
    parts, now = parts_of(request), parts_of(request).clock()
    name, teams = clean_name(body.name), [team for team in dict.fromkeys(body.teams) if team]
    known = {*parts.care().teams, parts.care().route.team}
    if not name or not known.issuperset(teams):
        raise Problem(422, "invalid", what="name" if not name else "teams")
    async with parts.attempts.hashing:
        password = await asyncio.to_thread(staff.hash_password, body.password)
    try:
        await parts.store.write(
            lambda connection: staff.add(connection, name=name, role=body.role, teams=teams, password=password, now=now)
        )
    except staff.AlreadyThere as error:
        raise Problem(409, "name_taken", name=name) from error
    return JSONResponse(_user(name, body.role, teams, stamp(now), False), 201)


def _user(name: str, role: str, teams: list[str], created_at: str | None, disabled: bool) -> dict[str, Any]:
    return {"name": name, "role": role, "teams": teams, "created_at": created_at, "disabled": disabled}
