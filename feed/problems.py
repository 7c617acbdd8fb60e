"""What the API says when it cannot: RFC 9457, in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from feed.catalogue import Catalogue
from routing.desk import Fenced, NotAllowed, NotFound, Taken
from routing.store.errors import StoreError, StoreFull

__all__ = ["Problem", "as_json", "as_response", "translated"]

KNOWN_STATUS = {401: "signed_out", 403: "role", 404: "not_found", 405: "method", 422: "invalid"}


class Problem(Exception):
    """A refusal with its way out. `kind` names texts of the catalogue: `problem.<kind>` and its title."""

    def __init__(
        self,
        status: int,
        kind: str,
        *,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
        **values: object,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.headers = dict(headers or {})
        self.reason = reason
        self.values = values


def translated(error: Exception) -> Problem | None:
    """The problem behind an error that was foreseen; None for a fault of ours."""
    match error:
        case Problem():
            return error
        case NotFound():
            return Problem(404, "not_found")
        case Taken():
            return Problem(409, "taken", by=error.by)
        case Fenced():
            return Problem(409, "fenced", reason=error.why)
        case NotAllowed():
            return Problem(409, "not_allowed", reason=error.way_out)
        case RequestValidationError():
            return Problem(422, "invalid", what=_places(error))
        case HTTPException() if error.status_code in KNOWN_STATUS:
            return Problem(error.status_code, KNOWN_STATUS[error.status_code], headers=error.headers, what="", role="")
        case StoreError():
            return Problem(507 if isinstance(error, StoreFull) else 503, "store", headers={"Retry-After": "5"})
        case _:
            return None


def as_json(problem: Problem, texts: Catalogue) -> dict[str, Any]:
    """The problem for people and programs; `reason` is the sentence of whoever refused, translated where we know it."""
    detail = texts.text(f"problem.{problem.kind}", **problem.values)
    if problem.reason:
        detail = f"{detail} {texts.name('refusal', problem.reason)}".strip()
    return {
        "type": f"urn:heedful:problem:{problem.kind}",
        "title": texts.text(f"problem.{problem.kind}.title"),
        "status": problem.status,
        "detail": detail,
    }


def as_response(problem: Problem, texts: Catalogue) -> JSONResponse:
    return JSONResponse(as_json(problem, texts), problem.status, problem.headers, media_type="application/problem+json")


def _places(error: RequestValidationError) -> str:
    places = [".".join(str(step) for step in one["loc"] if step != "body") for one in error.errors()]
    return ", ".join(place[:60] for place in dict.fromkeys(places) if place) or "JSON"
