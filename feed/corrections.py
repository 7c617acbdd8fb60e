"""/api/v1 of marks: what staff say about the reading of a message, their list, their export, the agreement."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from config.durations import parse_duration
from feed import lookups
from feed.access import GuardedRoute
from feed.api import LARGEST_ID, REFUSALS, TextId
from feed.asking import number
from feed.bodies import AgreementFigures, Done, Example, Marked, Marking
from feed.parts import parts_of, person_of
from feed.problems import Problem
from routing.desk import MarkFilter
from routing.marks import final

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", route_class=GuardedRoute, responses=REFUSALS, tags=["marks"])
EXPORTED_AT_MOST = 100_000


@router.post("/messages/{message_id}/mark", response_model=Done, summary="Say how a message should have been read")
async def mark(request: Request, message_id: TextId, body: Marking) -> JSONResponse:
    """Replaces one's own former mark of the same field: of being negative, of urgency, of whom it is for."""
    seen = await _seen(request, message_id)
    await parts_of(request).desk.mark(seen, person_of(request).name, body.mark)
    return JSONResponse({"id": message_id, "done": True})


@router.post("/messages/{message_id}/unmark", response_model=Done, summary="Take one's own mark back")
async def unmark(request: Request, message_id: TextId, body: Marking) -> JSONResponse:
    seen = await _seen(request, message_id)
    await parts_of(request).desk.unmark(seen, person_of(request).name, body.mark)
    return JSONResponse({"id": message_id, "done": True})


@router.get("/marks", response_model=list[Marked], summary="What staff marked, newest first")
async def marks(request: Request) -> JSONResponse:
    """`since` is a duration such as 30d; `limit`."""
    asked = MarkFilter(
        since=_since(request), teams=person_of(request).only_teams, limit=number(request, "limit", 200, 500)
    )
    return JSONResponse([one.as_json() for one in await parts_of(request).desk.marks(asked)])


@router.get("/marks/export", response_model=list[Example], summary="Marks as training examples")
async def export(request: Request) -> JSONResponse:
    """One a message and field, the last word of all; texts that were erased or deleted are left out. `since`: 30d."""
    limit = number(request, "limit", EXPORTED_AT_MOST, EXPORTED_AT_MOST)
    asked = MarkFilter(since=_since(request), teams=person_of(request).only_teams, limit=limit)
    found = final(await parts_of(request).desk.marks(asked))
    return JSONResponse([one.as_example() for one in found if one.text])


@router.get("/agreement", response_model=AgreementFigures, summary="How often staff agreed with the reading")
async def agreement(request: Request) -> JSONResponse:
    """Of the messages of the last twelve weeks whose cases were answered or resolved, and of all that were marked."""
    return JSONResponse((await parts_of(request).desk.agreement(person_of(request).only_teams)).as_json())


async def _seen(request: Request, message_id: str) -> int:
    """A message of a team that the person may see; else it is not there."""
    wanted = int(message_id)
    if wanted > LARGEST_ID:
        raise Problem(404, "not_found")
    found = await parts_of(request).store.read(lambda connection: lookups.message_text(connection, wanted))
    if found is None or not person_of(request).sees(found[1]):
        raise Problem(404, "not_found")
    return wanted


def _since(request: Request) -> datetime | None:
    raw = request.query_params.get("since")
    if not raw:
        return None
    try:
        return parts_of(request).clock() - parse_duration(raw)
    except (ValueError, OverflowError):
        raise Problem(422, "invalid", what="since") from None
