"""The web application of the social-care team: pages, live feed and API over one desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from config.schema import Care
from feed import api, corrections, pages, signin
from feed.access import GuardedRoute
from feed.attempts import Attempts
from feed.events import Hub
from feed.guard import Gate
from feed.parts import Parts, parts_of, texts_of
from feed.problems import Problem, as_json, as_response, translated
from feed.render import page
from feed.status import Status
from routing.desk import CaseError, Desk
from routing.store.database import Store
from routing.store.errors import StoreError

__all__ = ["close", "create_app"]

FOREVER = "public, max-age=31536000, immutable"
VERSION = "1"


def create_app(
    desk: Desk,
    store: Store,
    care: Callable[[], Care],
    status: Callable[[], Status],
    *,
    sample: bool,
    clock: Callable[[], datetime],
    local: bool = False,
) -> FastAPI:
    """The application for one listener. It must run in the event loop that `store` writes from.

    `local` is for the Unix socket and for calls in process: whoever can reach it acts with every right
    under the name in `X-Heedful-Actor`. Before the server is told to stop, call `close`: streams end then.
    """
    hub = Hub(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await hub.close()

    app = FastAPI(
        title="heedful",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.parts = Parts(
        desk=desk,
        store=store,
        care=care,
        status=status,
        clock=clock,
        hub=hub,
        attempts=Attempts(clock),
        sample=sample,
        local=local,
    )
    _add_routes(app)
    _add_refusals(app)
    app.add_middleware(Gate, care=care, local=local)
    return app


async def close(app: FastAPI) -> None:
    """End the live feeds at once, so that the server has nothing left to wait for."""
    parts: Parts = app.state.parts
    await parts.hub.close()


def _add_routes(app: FastAPI) -> None:
    described = APIRouter(route_class=GuardedRoute, include_in_schema=False)

    @described.get("/api/v1/openapi.json")
    async def openapi(request: Request) -> JSONResponse:
        """What /api/v1 takes and gives."""
        return JSONResponse(_openapi(request.app))

    for router in (described, api.router, corrections.router, pages.router, signin.router):
        app.include_router(router)
    with as_file(files("feed").joinpath("static")) as folder:
        app.mount("/static", _Static(directory=folder), name="static")


def _openapi(app: FastAPI) -> dict[str, Any]:
    return get_openapi(
        title="heedful",
        version=VERSION,
        routes=app.routes,
        description="The private support queue. Ids are texts, times RFC 3339 in UTC, errors RFC 9457. "
        "Unsafe methods need the session's X-CSRF-Token.",
    )


class _Static(StaticFiles):
    """Files of ours, asked for by the version in their address and then kept for ever."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = FOREVER
        return response


def _add_refusals(app: FastAPI) -> None:
    errors: Sequence[type[Exception]] = (Problem, CaseError, StoreError, RequestValidationError, HTTPException)
    for error in errors:
        app.add_exception_handler(error, _refuse)


async def _refuse(request: Request, error: Exception) -> Response:
    """Programs get problem+json; people get a page, or the way to the door."""
    problem = translated(error)
    if problem is None:
        raise error
    texts = texts_of(request)
    if parts_of(request).local or not _for_people(request):
        return as_response(problem, texts)
    if problem.status == 401:
        wish = request.url.path if request.method == "GET" else "/"
        return RedirectResponse("/signin" if wish == "/" else f"/signin?next={wish}", 303)
    words = as_json(problem, texts)
    return page(request, "error.html", problem.status, title=words["title"], detail=words["detail"])


def _for_people(request: Request) -> bool:
    return not request.url.path.startswith(("/api/", "/fragments/", "/events", "/static/"))
