"""A case that is handed over rings where it now lies, and no longer where it lay."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from routing.announcements import EXCERPT, REPEATS, Occasion, announcements
from routing.store.database import Store
from routing.store.rows import CASE
from tests.databases import START, Clock
from tests.heedful.office import CARE, Office, care_of

TEAMS = "teams: {care: {notify: [room]}, payments: {notify: [pager]}, quiet: {}}"
ROOM = 'room: {kind: telegram, token: "t", chat: "c", region: cn}'
HOUSE = CARE.replace("teams: {care: {}, payments: {notify: [pager]}}", TEAMS).replace(
    "notify: {pager:", f"notify: {{{ROOM}, pager:"
)
SPACE = UUID(int=7)
CASE_ROW = {"id": 5, "priority": "P1", "channel": "chat", "team": "care", "author_name": "Anna", "thread": "t"}


async def told(office: Office) -> list[tuple[str, str, str | None]]:
    return [(row["target"], row["state"], row["reason"]) for row in await office.outbox("notify")]


async def test_the_new_team_is_told_and_the_old_one_no_longer(store: Store, clock: Clock) -> None:
    office = Office(store, clock, HOUSE)
    await office.hear("charged twice")
    (case,) = await office.cases()
    assert await told(office) == [("pager", "pending", None)] * 4
    clock.forward(minutes=1)
    await office.desk.assign(case["id"], "lea", "team:care")
    assert await told(office) == [("pager", "suppressed", "handed over")] * 4 + [("room", "pending", None)] * 4
    rows = [row for row in await office.outbox("notify") if row["target"] == "room"]
    assert [row["due_at"] - clock() for row in rows] == list(REPEATS)
    assert "P1 · chat · care" in rows[0]["text"]
    assert "charged twice" in rows[0]["text"]


async def test_there_and_back_rings_each_time(store: Store, clock: Clock) -> None:
    office = Office(store, clock, HOUSE)
    await office.hear("charged twice")
    (case,) = await office.cases()
    for team in ("care", "payments", "care"):
        clock.forward(minutes=1)
        await office.desk.assign(case["id"], "lea", f"team:{team}")
    pending = [target for target, state, _ in await told(office) if state == "pending"]
    assert pending == ["room"] * 4
    assert len({row["key"] for row in await office.outbox("notify")}) == 16


async def test_nobody_is_told_twice_by_handing_it_to_who_has_it(store: Store, clock: Clock) -> None:
    office = Office(store, clock, HOUSE)
    await office.hear("charged twice")
    (case,) = await office.cases()
    await office.desk.assign(case["id"], "lea", "team:payments")
    assert await told(office) == [("pager", "pending", None)] * 4


async def test_of_a_channel_that_left_the_file_no_word_goes_anywhere(store: Store, clock: Clock) -> None:
    """Where the file knows regions at all: it may have been a channel of one."""
    office = Office(store, clock, HOUSE + "channels: {other: {kind: replay, region: eu}}\n")
    await office.hear("charged twice")
    (case,) = await office.cases()
    await store.write(lambda connection: connection.execute(CASE.update().values(channel="renamed")))
    await office.desk.assign(case["id"], "lea", "team:care")
    (text,) = {row["text"] for row in await office.outbox("notify") if row["state"] == "pending"}
    assert text.startswith("P1 · renamed · care\nhttp")
    assert "charged" not in text


async def test_what_is_not_urgent_rings_nowhere_and_a_team_without_a_bell_silences_the_old_one(
    store: Store, clock: Clock
) -> None:
    office = Office(store, clock, HOUSE)
    await office.hear("charged twice")
    (case,) = await office.cases()
    await office.desk.assign(case["id"], "lea", "team:quiet")
    assert await told(office) == [("pager", "suppressed", "handed over")] * 4
    await store.write(lambda connection: connection.execute(CASE.update().values(priority="P3")))
    await office.desk.assign(case["id"], "lea", "team:care")
    assert len(await told(office)) == 4


@given(st.text(max_size=1000), st.sampled_from([None, "cn", "eu"]), st.text(max_size=20))
def test_no_word_leaves_its_region_and_an_occasion_is_told_once(words: str, region: str | None, name: str) -> None:
    care = care_of(HOUSE)
    occasion = Occasion(name=name, message_id=9, words=words, region=region)
    rows = list(announcements(CASE_ROW, occasion, care, START, SPACE, lambda _: 1))
    again = list(announcements(CASE_ROW, occasion, care, START + timedelta(hours=1), SPACE, lambda _: 2))
    assert [row["key"] for row in rows] == [row["key"] for row in again]
    assert len({row["key"] for row in rows}) == len(REPEATS)
    for row in rows:
        if region == "eu":
            assert row["text"] == "P1 · chat · care\nhttp://127.0.0.1:8080/cases/5"
            assert row["envelope"]["author"] == ""
        elif words:
            assert f"Anna: {words[:EXCERPT]}" in row["text"]
