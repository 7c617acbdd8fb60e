"""Who may do what: one table from route to role, asked before a handler's body is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal

from fastapi import Request, Response
from fastapi.routing import APIRoute

from feed import staff
from feed.guard import SAFE, forwarded
from feed.parts import parts_of, place_of
from feed.problems import Problem
from feed.staff import Person, Session

__all__ = ["ROUTES", "GuardedRoute", "Needs", "csrf_token", "set_cookie"]

Needs = Literal["anyone", "agent", "lead", "admin"]
SESSION_COOKIE = "session"
FORM_COOKIE = "form"
ACTOR_HEADER = "x-heedful-actor"

ROUTES: Mapping[tuple[str, str], Needs] = {
    ("GET", "/"): "agent",
    ("GET", "/cases/{case_id}"): "agent",
    ("GET", "/stream"): "agent",
    ("GET", "/acknowledgements"): "agent",
    ("GET", "/channels"): "agent",
    ("GET", "/ledger"): "agent",
    ("GET", "/agreement"): "agent",
    ("GET", "/people"): "admin",
    ("GET", "/events"): "agent",
    ("GET", "/messages/{message_id}/text"): "agent",
    ("GET", "/fragments/counts"): "agent",
    ("GET", "/fragments/queue"): "agent",
    ("GET", "/fragments/cases/{case_id}"): "agent",
    ("GET", "/fragments/stream"): "agent",
    ("GET", "/fragments/acknowledgements"): "agent",
    ("GET", "/fragments/channels"): "agent",
    ("GET", "/fragments/agreement"): "agent",
    ("GET", "/signin"): "anyone",
    ("POST", "/signin"): "anyone",
    ("POST", "/signout"): "agent",
    ("POST", "/language"): "anyone",
    ("GET", "/first-run"): "anyone",
    ("POST", "/first-run"): "anyone",
    ("GET", "/api/v1/openapi.json"): "agent",
    ("GET", "/api/v1/cases"): "agent",
    ("GET", "/api/v1/cases/{case_id}"): "agent",
    ("POST", "/api/v1/cases/bulk"): "agent",
    ("POST", "/api/v1/cases/{case_id}/claim"): "agent",
    ("POST", "/api/v1/cases/{case_id}/release"): "agent",
    ("POST", "/api/v1/cases/{case_id}/assign"): "agent",
    ("POST", "/api/v1/cases/{case_id}/snooze"): "agent",
    ("POST", "/api/v1/cases/{case_id}/note"): "agent",
    ("POST", "/api/v1/cases/{case_id}/answer"): "agent",
    ("POST", "/api/v1/cases/{case_id}/resolve"): "agent",
    ("POST", "/api/v1/cases/{case_id}/reopen"): "agent",
    ("GET", "/api/v1/messages"): "agent",
    ("POST", "/api/v1/messages/{message_id}/mark"): "agent",
    ("POST", "/api/v1/messages/{message_id}/unmark"): "agent",
    ("GET", "/api/v1/marks"): "agent",
    ("GET", "/api/v1/marks/export"): "lead",
    ("GET", "/api/v1/agreement"): "agent",
    ("GET", "/api/v1/acknowledgements"): "agent",
    ("POST", "/api/v1/acknowledgements/{text_id}/approve"): "lead",
    ("POST", "/api/v1/acknowledgements/{text_id}/reject"): "lead",
    ("POST", "/api/v1/acknowledgements/{text_id}/sent"): "agent",
    ("POST", "/api/v1/acknowledgements/{text_id}/unsent"): "agent",
    ("POST", "/api/v1/pause"): "lead",
    ("POST", "/api/v1/resume"): "lead",
    ("GET", "/api/v1/status"): "agent",
    ("GET", "/api/v1/ledger"): "agent",
    ("GET", "/api/v1/users"): "admin",
    ("POST", "/api/v1/users"): "admin",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that is in ROUTES and lets nobody else in. One that is not in the table cannot be made."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.needs: Needs = _strictest([ROUTES[method, path] for method in sorted(self.methods or ())])

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await _admit(request, self.needs)
            response = await handler(request)
            _hand_out_cookies(request, response)
            return response

        return guarded


def csrf_token(request: Request) -> str:
    """What forms and scripts of this page must send back; before sign-in it is bound to a cookie of its own."""
    session: Session | None = getattr(request.state, "session", None)
    return session.csrf if session else str(getattr(request.state, "form_token", ""))


def set_cookie(response: Response, request: Request, name: str, value: str, seconds: int | None = None) -> None:
    """Every cookie of ours: HttpOnly, SameSite=Strict, and bound to the host where it is safe."""
    here = place_of(request)
    response.set_cookie(
        here.cookie_prefix + name,
        value,
        max_age=seconds,
        path="/",
        secure=here.secure,
        httponly=True,
        samesite="strict",
    )


async def _admit(request: Request, needs: Needs) -> None:
    parts = parts_of(request)
    if parts.local:
        request.state.person = Person(name=_actor(request), role="admin")
        return
    request.state.session = await _session(request)
    if needs == "anyone":
        request.state.form_token = _cookie(request, FORM_COOKIE) or secrets.token_urlsafe(32)
    session = request.state.session or await _visit(request, needs)
    if needs != "anyone":
        if session is None:
            raise Problem(401, "signed_out")
        if not session.person.at_least(needs):
            raise Problem(403, "role", role=needs)
    if session is not None:
        request.state.person = session.person
    if request.method not in SAFE and not await _csrf_fits(request):
        raise Problem(403, "csrf")


def _cookie(request: Request, name: str) -> str | None:
    return request.cookies.get(place_of(request).cookie_prefix + name)


def _actor(request: Request) -> str:
    name = request.headers.get(ACTOR_HEADER, "").strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise Problem(401, "actor")
    return name


async def _session(request: Request) -> Session | None:
    cookie = _cookie(request, SESSION_COOKIE)
    if not cookie:
        return None
    parts, now = parts_of(request), parts_of(request).clock()
    found = await parts.store.read(lambda connection: staff.session(connection, cookie, now, sample=parts.sample))
    if found is None:
        return None
    session, seen_at = found
    if now - seen_at > staff.SEEN_EVERY:
        await parts.store.write(lambda connection: staff.seen(connection, session.key, now))
    return session


async def _visit(request: Request, needs: Needs) -> Session | None:
    """The sample run signs a visitor in on a page load of the same machine, and only then."""
    if not (parts_of(request).sample and needs != "anyone" and _loads_page(request)) or forwarded(request.headers):
        return None
    parts, now = parts_of(request), parts_of(request).clock()
    cookie, csrf = await parts.store.write(lambda connection: staff.open_session(connection, staff.VISITOR, now))
    session = Session(key=staff.digest(cookie), csrf=csrf, person=staff.sample_visitor())
    request.state.session, request.state.new_cookie = session, cookie
    return session


def _loads_page(request: Request) -> bool:
    """A person opened one of our pages by hand or from another of our pages; no script and no other site did."""
    headers = request.headers
    page = request.method == "GET" and not request.url.path.startswith(("/api/", "/fragments/", "/events"))
    by_hand = (
        headers.get("sec-fetch-site") in ("none", "same-origin")
        and headers.get("sec-fetch-mode", "navigate") == "navigate"
    )
    return page and by_hand


def _hand_out_cookies(request: Request, response: Response) -> None:
    cookie: str | None = getattr(request.state, "new_cookie", None)
    if cookie:
        set_cookie(response, request, SESSION_COOKIE, cookie, int(staff.LIFE.total_seconds()))
    token: str | None = getattr(request.state, "form_token", None)
    if token and token != _cookie(request, FORM_COOKIE):
        set_cookie(response, request, FORM_COOKIE, token)


async def _csrf_fits(request: Request) -> bool:
    sent = request.headers.get("x-csrf-token")
    if sent is None:
        sent = str((await request.form()).get("csrf", "")) if "form" in request.headers.get("content-type", "") else ""
    if request.state.session is None and not _cookie(request, FORM_COOKIE):
        return False
    return secrets.compare_digest(sent.encode(), csrf_token(request).encode())


def _strictest(needs: list[Needs]) -> Needs:
    order: tuple[Needs, ...] = ("anyone", "agent", "lead", "admin")
    return max(needs, key=order.index)
