"""Templates to answers. Everything is escaped; an unknown name in a template is an error, not an empty place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from feed import marking
from feed.access import csrf_token
from feed.catalogue import LANGUAGES
from feed.parts import parts_of, session_of, texts_of
from feed.staff import ROLES
from feed.status import stamp
from routing.store.spending import dollars

__all__ = ["asset_version", "environment", "fragment", "page"]

TEXTS_OF_SCRIPT = "js."


@cache
def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("feed"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    env.filters.update(marked=marking.marked, excerpt=marking.excerpt, visible=marking.visible, plain=marking.plain)
    env.filters.update(instant=instant, initials=initials, money=dollars)
    env.globals.update(languages=LANGUAGES, roles=ROLES, version=asset_version())
    return env


@cache
def asset_version() -> str:
    """Changes with the files, so that browsers may keep them for ever."""
    folder = files("feed").joinpath("static")
    digest = sha256()
    for name in ("feed.css", "feed.js", "htmx.js", "hx-sse.js"):
        digest.update(folder.joinpath(name).read_bytes())
    return digest.hexdigest()[:10]


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page for whoever asks."""
    return HTMLResponse(_render(request, template, values), status)


def fragment(request: Request, template: str, **values: Any) -> HTMLResponse:
    """A piece of a page, that the script puts in its place."""
    return HTMLResponse(_render(request, template, values))


def _render(request: Request, template: str, values: dict[str, Any]) -> str:
    parts, texts, session = parts_of(request), texts_of(request), session_of(request)
    common = {
        "t": texts.text,
        "count": texts.count,
        "name_of": texts.name,
        "language": texts.language,
        "person": session.person if session else getattr(request.state, "person", None),
        "csrf": csrf_token(request) if not parts.local else "",
        "sample": parts.sample,
        "brand": parts.care().brand.name,
        "now": parts.clock(),
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "script_texts": script_data(texts.under(TEXTS_OF_SCRIPT)),
    }
    return environment().get_template(template).render(**common, **values)


def script_data(value: object) -> Markup:
    """JSON inside a <script type="application/json">: no character that could end the element."""
    raw = json.dumps(value, ensure_ascii=False)
    safe = raw.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704  no character is left that means anything in HTML


def instant(at: datetime | None, style: str = "ago") -> Markup:
    """A <time> that the script writes in the viewer's zone; without a script it reads as UTC."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{0}" title="{0}" data-time="{1}">{2}</time>').format(
        stamp(at), escape(style), utc.strftime("%Y-%m-%d %H:%M UTC")
    )


def initials(name: str) -> str:
    """Two letters, or one character of a name in Chinese."""
    words = [word for word in name.replace(".", " ").replace("-", " ").replace("_", " ").split() if word]
    if not words:
        return "?"
    first = words[0][0]
    if not first.isascii():
        return first
    return (first + (words[1][0] if len(words) > 1 else "")).upper()
