"""The pages themselves: whole in three languages, unmoved by whatever strangers write."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import delete

from feed.catalogue import LANGUAGES, catalogue
from feed.render import instant, script_data
from feed.views import safe_link
from routing.store import events
from routing.store.rows import TALLY
from tests.feed.conftest import START, Door, Rooms
from tests.feed.scene import Scene

PAGES = (
    "/",
    "/stream",
    "/acknowledgements",
    "/acknowledgements?state=preview",
    "/channels",
    "/ledger",
    "/?view=resolved",
    "/?q=nothing",
)
HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "rtl": "\u202eevil\u2066 turned\u061c",
    "nul": "a\ufffdb\x07\x1b[31m",
    "emoji": "😀" * 10_000,
    "huge": "x" * 1_000_000,
    "zalgo": "H" + "\u0337\u0301" * 400,
    "quote": "\"'><svg/onload=alert(1)>{{ 7*7 }}{% raw %}",
    "entity": "&lt;b&gt; &#x27; ${alert(1)}",
}


@pytest.fixture
async def door(rooms: Rooms) -> Door:
    found = rooms.door()
    await found.sign_in("Lea Ortiz")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_in_every_language(door: Door, path: str, language: str) -> None:
    answer = await door.get(path, **{"Accept-Language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert catalogue(language).text("nav.stream") in answer.text
    assert not re.search(r">\s*[a-z_]+\.[a-z_]+\s*<", answer.text), "a key instead of its text"


@pytest.mark.parametrize("what", HOSTILE)
async def test_hostile_words_do_nothing(rooms: Rooms, door: Door, what: str) -> None:
    text = HOSTILE[what]
    name = text[:5_000]

    def write(connection: Any) -> int:
        scene = Scene(connection, rooms.clock())
        return scene.case(
            text,
            author=name,
            author_handle=name,
            channel=name[:200],
            team="care",
            rule=name[:100],
            detail=name[:100],
            words=(text[:3],),
        )

    number = await rooms.store.write(write)
    for path in (
        "/",
        f"/cases/{number}",
        "/stream",
        f"/fragments/cases/{number}",
        "/fragments/queue",
        "/acknowledgements?state=sent",
    ):
        answer = await door.get(path)
        assert answer.status_code == 200, path
        html = answer.text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "<svg/onload" not in html
        assert not set(html) & set("\x00\x07\x1b\u202e\u2066\u061c")
        assert len(html) < 250_000, path


async def test_the_whole_of_a_long_text_is_only_text(rooms: Rooms, door: Door) -> None:
    text = "<script>alert(1)</script>" + "x" * 5_000
    case = await rooms.store.write(lambda connection: Scene(connection, rooms.clock()).case(text))
    page = (await door.get(f"/cases/{case}")).text
    link = re.search(r'href="(/messages/\d+/text)"', page)
    assert link
    answer = await door.get(link[1])
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text == text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        " https://x.example",
        "https://",
        "//x.example",
        "x",
        "https://x.example/\u202e",
        "java\nscript:alert(1)",
        "http://[",
        None,
        "https://x.example/" + "x" * 2_000,
    ],
)
def test_links_that_lead_nowhere(url: str | None) -> None:
    assert safe_link(url) is None


def test_links_to_the_platform() -> None:
    assert safe_link("https://x.example/priya_r/1?a=b") == "https://x.example/priya_r/1?a=b"


async def test_what_the_case_shows(rooms: Rooms, door: Door) -> None:
    case = next(one for one in (await door.get("/api/v1/cases")).json() if one["author"]["name"] == "Priya Raman")
    html = (await door.get(f"/cases/{case['id']}")).text
    assert "my <mark>stolen card</mark> on" in html
    assert "<b>Keyword list</b> <span>fraud</span>" in html
    assert 'title="2027-03-01T09:06:00.000Z"' in html
    assert "Automatic acknowledgement" in html
    assert 'href="https://x.example/priya_r/1"' in html
    assert "93 %" in html


async def test_an_edit_a_deletion_and_an_answer_given_elsewhere(rooms: Rooms, door: Door) -> None:
    def write(connection: Any) -> int:
        scene = Scene(connection, rooms.clock())
        case = scene.case("where is it", ago=9)
        shared: dict[str, Any] = {"case_id": case, "event": False}
        scene.message("where is my bag", ago=8, revision="1", kept="edit", **shared)
        scene.message("", ago=7, revision="~deleted", deleted=True, kept="deleted", **shared)
        scene.message("we called you", ago=6, own=True, kept="own", author_name="Care desk", **shared)
        scene.text("on its way", ago=5, case_id=case, kind="answer", state="pending", actor="Lin Mei")
        note = {
            "at": rooms.clock(),
            "kind": "note",
            "actor": "Lin Mei",
            "case_id": case,
            "data": {"text": "rang <b>twice</b>"},
        }
        events.append(connection, [note])
        return case

    html = (await door.get(f"/cases/{await rooms.store.write(write)}")).text
    order = [
        html.index(word)
        for word in ("where is it</bdi>", "where is my bag", "deleted by the customer", "we called you", "on its way")
    ]
    assert order[1:] == sorted(order[1:])
    assert "rang &lt;b&gt;twice&lt;/b&gt;" in html


async def test_the_books_are_shown_as_they_are(rooms: Rooms, door: Door) -> None:
    assert "The books balance." in (await door.get("/ledger")).text
    await rooms.store.write(lambda connection: connection.execute(delete(TALLY)))
    assert "The books do not balance." in (await door.get("/ledger")).text


async def test_an_empty_queue_says_so(rooms: Rooms, door: Door) -> None:
    ids = [case["id"] for case in (await door.get("/api/v1/cases")).json()]
    for case in ids:
        await door.post(f"/api/v1/cases/{case}/assign", {"to": "Lea Ortiz"})
        await door.post(f"/api/v1/cases/{case}/resolve", {"reason": "spam"})
    assert "Nothing waits" in (await door.get("/")).text
    assert "No case matches" in (await door.get("/?q=zzz")).text
    assert "Nothing is on its way" in (await door.get("/acknowledgements?state=pending")).text


async def test_errors_are_pages_for_people_and_problems_for_programs(door: Door) -> None:
    page = await door.get("/cases/12", **{"Accept-Language": "zh-TW"})
    assert page.status_code == 404
    assert "找不到" in page.text
    assert (await door.get("/nowhere")).status_code == 404
    assert (await door.get("/api/v1/nowhere")).headers["content-type"] == "application/problem+json"
    assert (await door.get("/static/../app.py")).status_code == 404
    assert (await door.get("/static/%2e%2e/app.py")).status_code == 404


def test_times_are_for_the_viewers_zone() -> None:
    assert str(instant(START, "clock")) == (
        '<time datetime="2027-03-01T09:00:00.000Z" title="2027-03-01T09:00:00.000Z" data-time="clock">'
        "2027-03-01 09:00 UTC</time>"
    )
    assert str(instant(None)) == ""


def test_data_for_the_script_cannot_end_it() -> None:
    assert "</" not in script_data({"a": "</script><!--"})
