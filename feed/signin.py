"""Signing in and out, the viewer's language, and the first admin by a one-time link."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from feed import staff
from feed.access import SESSION_COOKIE, GuardedRoute, set_cookie
from feed.attempts import address_of, safe_path
from feed.catalogue import LANGUAGES
from feed.parts import LANGUAGE_COOKIE, parts_of, place_of, session_of, texts_of
from feed.problems import Problem
from feed.render import page

__all__ = ["NAME_AT_MOST", "PASSWORD_AT_LEAST", "clean_name", "router"]

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
NAME_AT_MOST = 60
PASSWORD_AT_LEAST = 10
PASSWORD_AT_MOST = 1_000
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was typed into the sign-in or first-run form."""

    name: str
    password: str
    next: str
    token: str


async def _entry(request: Request) -> Entry:
    form = await request.form()
    field = {key: value for key, value in form.items() if isinstance(value, str)}
    return Entry(
        name=clean_name(field.get("name", "")),
        password=field.get("password", "")[:PASSWORD_AT_MOST],
        next=safe_path(field.get("next")),
        token=field.get("token", "")[:100],
    )


def clean_name(name: str) -> str:
    """A name as we keep it: composed, printable, not too long; "" where nothing is left."""
    kept = "".join(character for character in unicodedata.normalize("NFC", name) if character.isprintable())
    return kept.strip()[:NAME_AT_MOST]


@router.get("/signin")
async def show_signin(request: Request, next: str = "/") -> Response:  # noqa: A002
    if session_of(request):
        return RedirectResponse(safe_path(next), 303)
    parts = parts_of(request)
    anybody = parts.sample or await parts.store.read(staff.any_staff)
    return page(request, "signin.html", next=safe_path(next), error=None, anybody=anybody)


@router.post("/signin")
async def sign_in(request: Request) -> Response:
    parts, entry, texts = parts_of(request), await _entry(request), texts_of(request)
    peer = request.client.host if request.client else ""
    address = address_of(peer, ",".join(request.headers.getlist("x-forwarded-for")))
    seconds = parts.attempts.wait(entry.name, address)
    if seconds:
        error = texts.count("signin.wait", -(-seconds // 60))
        answer = page(request, "signin.html", 429, next=entry.next, error=error, anybody=True)
        answer.headers["Retry-After"] = str(seconds)
        return answer
    # Counted before it is known to be wrong, so that many at once do not slip through.
    parts.attempts.failed(entry.name, address)
    stored = await parts.store.read(lambda connection: staff.password_of(connection, entry.name))
    async with parts.attempts.hashing:
        right = await asyncio.to_thread(staff.verify_password, stored, entry.password)
    if not right:
        return page(request, "signin.html", 401, next=entry.next, error=texts.text("signin.wrong"), anybody=True)
    parts.attempts.succeeded(entry.name, address)
    return await _begin(request, entry.name, entry.next)


async def _begin(request: Request, name: str, path: str) -> Response:
    """A new session id each time: whatever id the browser came with is worth nothing afterwards."""
    parts, before = parts_of(request), session_of(request)
    if before:
        await parts.store.write(lambda connection: staff.close_session(connection, before.key))
    cookie, _ = await parts.store.write(lambda connection: staff.open_session(connection, name, parts.clock()))
    response = RedirectResponse(path, 303)
    set_cookie(response, request, SESSION_COOKIE, cookie, int(staff.LIFE.total_seconds()))
    return response


@router.post("/signout")
async def sign_out(request: Request) -> Response:
    session = session_of(request)
    if session:
        await parts_of(request).store.write(lambda connection: staff.close_session(connection, session.key))
    response = RedirectResponse("/signin", 303)
    here = place_of(request)
    response.delete_cookie(here.cookie_prefix + SESSION_COOKIE, secure=here.secure, httponly=True, samesite="strict")
    return response


@router.post("/language")
async def choose_language(request: Request) -> Response:
    form = await request.form()
    language = str(form.get("language", ""))
    if language not in LANGUAGES:
        raise Problem(422, "invalid", what="language")
    response = RedirectResponse(safe_path(str(form.get("next", "/"))), 303)
    set_cookie(response, request, LANGUAGE_COOKIE, language, YEAR)
    return response


@router.get("/first-run")
async def show_first_run(request: Request, token: str = "") -> Response:
    parts = parts_of(request)
    valid = await parts.store.read(lambda connection: staff.first_run_open(connection, token, parts.clock()))
    return page(request, "first_run.html", 200 if valid else 404, token=token[:100], valid=valid, error=None)


@router.post("/first-run")
async def first_run(request: Request) -> Response:
    parts, entry, texts = parts_of(request), await _entry(request), texts_of(request)
    if not entry.name or len(entry.password) < PASSWORD_AT_LEAST:
        error = texts.text("first_run.rules", least=PASSWORD_AT_LEAST)
        return page(request, "first_run.html", 422, token=entry.token, valid=True, error=error)
    if not await parts.store.read(lambda connection: staff.first_run_open(connection, entry.token, parts.clock())):
        return page(request, "first_run.html", 404, token="", valid=False, error=None)
    async with parts.attempts.hashing:
        password = await asyncio.to_thread(staff.hash_password, entry.password)
    made = await parts.store.write(
        lambda connection: staff.redeem(connection, entry.token, name=entry.name, password=password, now=parts.clock())
    )
    if not made:
        return page(request, "first_run.html", 404, token="", valid=False, error=None)
    return await _begin(request, entry.name, "/")
