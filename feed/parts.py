"""What every handler of the page works with, and how a request finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from fastapi import Request

from config.schema import Care
from feed.attempts import Attempts
from feed.catalogue import Catalogue, catalogue, negotiate
from feed.events import Hub
from feed.guard import Place
from feed.staff import Person, Session
from feed.status import Status
from routing.desk import Desk
from routing.store.database import Store

__all__ = ["Parts", "parts_of", "person_of", "place_of", "session_of", "texts_of"]

LANGUAGE_COOKIE = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The collaborators of one app. `care` and `status` are asked anew each time: they change while we run."""

    desk: Desk
    store: Store
    care: Callable[[], Care]
    status: Callable[[], Status]
    clock: Callable[[], datetime]
    hub: Hub
    attempts: Attempts
    sample: bool
    local: bool


def parts_of(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


def place_of(request: Request) -> Place:
    return cast("Place", request.state.place)


def session_of(request: Request) -> Session | None:
    """The session that `feed.access` found for this request."""
    return cast("Session | None", getattr(request.state, "session", None))


def person_of(request: Request) -> Person:
    """Who acts; only asked behind a route that demands a role."""
    return cast("Person", request.state.person)


def texts_of(request: Request) -> Catalogue:
    """The catalogue in the viewer's language."""
    here = cast("Place | None", getattr(request.state, "place", None))
    chosen = request.cookies.get(here.cookie_prefix + LANGUAGE_COOKIE) if here else None
    return catalogue(negotiate(chosen, request.headers.get("accept-language", "")))
