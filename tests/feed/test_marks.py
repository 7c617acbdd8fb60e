"""Marks over the API and on the pages: who may, what is refused, and what is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from config.reading import ReadingSettings
from feed.agreement import percent
from routing.marks import MARKS
from routing.store.rows import MESSAGE
from tests.feed.conftest import Door, Rooms

FOREIGN = "我爸上周走了，他的会员里程还能转给我妈吗？需要什么材料"
PAYMENTS = "Charged twice for seat 14C. Chat bot says 'resolved', bank says otherwise. Third message this week."
KEPT = "Landed 20 minutes early, crew was lovely. Thanks!"


@pytest.fixture
async def door(rooms: Rooms) -> Door:
    found = rooms.door()
    await found.sign_in("Lea Ortiz")
    return found


async def message(rooms: Rooms, text: str) -> str:
    question = select(MESSAGE.c.id).where(MESSAGE.c.text == text)
    return str(await rooms.store.read(lambda connection: connection.execute(question).scalar_one()))


async def mark(door: Door, number: str, what: object, how: str = "mark", **headers: str) -> int:
    return (await door.post(f"/api/v1/messages/{number}/{how}", {"mark": what}, **headers)).status_code


async def marks(door: Door, query: str = "") -> list[dict[str, Any]]:
    return list((await door.get("/api/v1/marks" + query)).json())


@pytest.mark.parametrize("what", MARKS)
async def test_a_message_is_marked_and_unmarked(rooms: Rooms, door: Door, what: str) -> None:
    number = await message(rooms, PAYMENTS)
    assert await mark(door, number, what) == 200
    (one,) = await marks(door)
    assert (one["message_id"], one["mark"], one["by"], one["source"]) == (number, what, "Lea Ortiz", "mark")
    assert one["at"].endswith("Z")
    assert await mark(door, number, what, "unmark") == 200
    assert await marks(door) == []


@pytest.mark.parametrize(
    "body", [{}, {"mark": "evil"}, {"mark": None}, {"mark": "urgent", "by": "x"}, [], {"mark": ["urgent"]}]
)
async def test_what_is_no_mark_is_refused(rooms: Rooms, door: Door, body: object) -> None:
    answer = await door.post(f"/api/v1/messages/{await message(rooms, PAYMENTS)}/mark", body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["0", "9223372036854775808", "9" * 19, "x", "-1", "1'"])
async def test_a_message_that_is_not_there(door: Door, number: str) -> None:
    for how in ("mark", "unmark"):
        assert await mark(door, number, "urgent", how) in (404, 422)


async def test_what_is_gone_says_so_in_the_viewers_language(rooms: Rooms, door: Door) -> None:
    number = await message(rooms, PAYMENTS)
    await rooms.store.write(lambda c: c.execute(update(MESSAGE).where(MESSAGE.c.id == int(number)).values(text="")))
    answer = await door.post(f"/api/v1/messages/{number}/mark", {"mark": "urgent"}, **{"Accept-Language": "zh-TW"})
    assert answer.status_code == 409
    assert "內容已刪除" in answer.json()["detail"]


async def test_another_teams_message_is_not_there(rooms: Rooms, door: Door) -> None:
    agent = rooms.another()
    await agent.sign_in("Pat Payne")
    foreign, own, kept = [await message(rooms, text) for text in (FOREIGN, PAYMENTS, KEPT)]
    for how in ("mark", "unmark"):
        assert await mark(agent, foreign, "urgent", how) == 404
    assert await mark(door, foreign, "not_urgent") == 200
    assert await mark(agent, own, "not_urgent") == await mark(agent, kept, "negative") == 200
    assert {one["message_id"] for one in await marks(agent)} == {own, kept}
    for path in ("/agreement", "/fragments/agreement", "/api/v1/agreement"):
        text = (await agent.get(path)).text
        assert "里程还能转给" not in text, path
        assert "Charged twice" in text, path


async def test_without_its_token_nothing_is_marked(rooms: Rooms, door: Door) -> None:
    number = await message(rooms, PAYMENTS)
    for headers in ({"X-CSRF-Token": "forged"}, {"X-CSRF-Token": ""}, {"Origin": "https://evil.example"}):
        for how in ("mark", "unmark"):
            assert await mark(door, number, "urgent", how, **headers) == 403
    assert await marks(door) == []


async def test_the_export_is_for_leads_and_names_nobody(rooms: Rooms, door: Door) -> None:
    agent = rooms.another()
    await agent.sign_in("Lin Mei")
    number = await message(rooms, PAYMENTS)
    await mark(agent, number, "negative")
    await mark(door, number, "not_negative")
    assert (await agent.get("/api/v1/marks/export")).status_code == 403
    answer = await door.get("/api/v1/marks/export?since=1d")
    (one,) = answer.json()
    assert (one["text"], one["mark"], one["field"]) == (PAYMENTS, "not_negative", "negative")
    assert one["said"] == {"negative": 0.82, "urgent": 0.64, "label": "negative"}
    assert "Ortiz" not in answer.text


@pytest.mark.parametrize("query", ["?since=x", "?since=30", "?since=999999d", "?limit=0", "?limit=x"])
async def test_a_question_that_is_not_understood(door: Door, query: str) -> None:
    assert (await door.get("/api/v1/marks" + query)).status_code == 422
    assert (await door.get("/api/v1/marks/export" + query)).status_code == 422


async def test_the_agreement_counts_what_was_dealt_with(rooms: Rooms, door: Door) -> None:
    await mark(door, await message(rooms, PAYMENTS), "not_negative")
    found = (await door.get("/api/v1/agreement")).json()
    assert found["overall"]["negative"] == {"messages": 1, "otherwise": 1, "share": 0.0}
    assert len(found["weeks"]) == 12
    assert [one["text"] for one in found["disagreements"]] == [PAYMENTS]
    assert found["false_alarms"]["judged"] == 1
    assert 0 < found["false_alarms"]["share"] < 1


async def test_the_page_is_empty_until_there_is_something(rooms: Rooms, door: Door) -> None:
    text = (await door.get("/agreement")).text
    assert "Nothing to compare yet" in text
    assert "<svg viewBox" not in text.partition('id="agreement"')[2].partition('class="icon"')[0]
    await mark(door, await message(rooms, PAYMENTS), "not_negative")
    text = (await door.get("/agreement")).text
    assert "Nothing to compare yet" not in text
    assert "Charged twice" in text
    assert "read as: Negative 82%" in text


async def test_the_page_says_what_the_file_asks_for(rooms: Rooms, door: Door) -> None:
    assert "The file asks for no share" in (await door.get("/agreement")).text
    asked = ReadingSettings.model_validate({"false_alarms": "2.5%"})
    rooms.care = rooms.care.model_copy(update={"reading": asked})
    assert "at most 2.5%" in (await door.get("/agreement")).text


async def test_a_case_shows_its_marks_and_whose_they_are(rooms: Rooms, door: Door) -> None:
    other = rooms.another()
    await other.sign_in("Lin Mei")
    number = await message(rooms, PAYMENTS)
    await mark(other, number, "urgent")
    await mark(door, number, "not_negative")
    case = next(one["id"] for one in (await door.get("/api/v1/cases")).json() if one["text"] == PAYMENTS)
    for path in (f"/cases/{case}", "/stream", f"/fragments/cases/{case}"):
        text = (await door.get(path)).text
        assert f'data-message="{number}"' in text
        assert 'data-mark="not_negative" aria-pressed="true"' in text
        assert "Lin Mei</bdi>: Urgent" in text


async def test_our_own_words_have_no_flag(rooms: Rooms, door: Door) -> None:
    number = await message(rooms, KEPT)
    await rooms.store.write(lambda c: c.execute(update(MESSAGE).where(MESSAGE.c.id == int(number)).values(own=True)))
    assert f'data-message="{number}"' not in (await door.get("/stream")).text
    assert await mark(door, number, "urgent") == 409


async def test_openapi_tells_of_it(door: Door) -> None:
    paths = (await door.get("/api/v1/openapi.json")).json()["paths"]
    for path in ("messages/{message_id}/mark", "messages/{message_id}/unmark", "marks", "marks/export", "agreement"):
        assert f"/api/v1/{path}" in paths
    assert "Marking" in str(paths["/api/v1/messages/{message_id}/mark"])


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, ""), (0.0, "0%"), (1.0, "100%"), (0.9996, "99.9%"), (0.05, "5%"), (0.0004, "0.04%"), (0.974, "97.4%")],
)
def test_a_share_in_words(share: float | None, words: str) -> None:
    assert percent(share) == words


@given(st.floats(0, 1))
def test_only_the_whole_is_all(share: float) -> None:
    assert (percent(share) == "100%") == (share == 1)
