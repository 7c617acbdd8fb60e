from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from connectors.api import Denied, Limits, Refused, Unreachable
from routing.store.database import Store
from routing.store.rows import OUTBOX
from tests.databases import Clock
from tests.heedful.office import CARE, Found, Office, Platform


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    return Office(store, clock)


async def state(office: Office) -> tuple[str, str | None]:
    (row,) = await office.outbox()
    (message, *_) = await office.rows()
    expected = {"sending": "pending", "uncertain": "pending", "approve": "pending"}.get(row["state"], row["state"])
    assert message["acknowledgement"] == expected
    assert (await office.books()).balances
    return row["state"], row["reason"]


async def test_what_is_due_is_sent_once_with_the_frozen_text(office: Office) -> None:
    await office.hear("charged twice")
    platform = Platform()
    await office.sender(platform).drain()
    await office.sender(platform).drain()
    (reply,), (row,), (case,) = platform.posted, await office.outbox(), await office.cases()
    assert (reply.key, reply.text) == (row["key"], row["text"])
    assert reply.to.text == "charged twice"
    assert await state(office) == ("sent", None)
    assert case["acknowledged_at"] == office.clock()
    assert case["first_answered_at"] is None  # the two clocks never mix


async def test_the_time_that_was_told_binds(office: Office) -> None:
    await office.hear("charged twice")
    await office.sender_drains()
    (case,) = await office.cases()
    assert case["promised_due"] == case["first_answer_due"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Refused("no such chat"), ("refused", "no such chat")),
        (Unreachable("429", unsent=True), ("pending", "429")),
        (Unreachable("connection refused", unsent=True), ("pending", "connection refused")),
        (Unreachable("reset"), ("unknown", "nobody can tell whether it was sent")),
        (TimeoutError(), ("unknown", "nobody can tell whether it was sent")),
    ],
)
async def test_only_proof_that_nothing_was_posted_makes_it_due_again(
    office: Office, fault: Exception, expected: tuple[str, str]
) -> None:
    await office.hear("charged twice")
    await office.sender_drains(Platform(faults=[fault]))
    assert await state(office) == expected


async def test_a_retry_is_sent_byte_for_byte_when_its_time_comes(office: Office) -> None:
    await office.hear("charged twice")
    platform = Platform(faults=[Unreachable("429", retry_after=timedelta(seconds=40), unsent=True)])
    await office.sender(platform).drain()
    office.clock.forward(seconds=39)
    await office.sender(platform).drain()
    assert platform.posted == []
    office.clock.forward(seconds=1)
    await office.sender(platform).drain()
    assert [reply.text for reply in platform.posted] == [row["text"] for row in await office.outbox()]


async def test_a_revoked_token_stops_the_sender_and_loses_nothing(office: Office) -> None:
    await office.hear("charged twice")
    with pytest.raises(Denied):
        await office.sender(Platform(faults=[Denied("token revoked")])).drain()
    office.clock.forward(seconds=10)
    assert len(await office.sender_drains()) == 1


async def test_what_was_being_sent_when_we_died_is_never_sent_blindly_again(office: Office) -> None:
    await office.hear("charged twice")
    await set_state(office, "sending")
    platform = Platform()
    sender = office.sender(platform)
    await sender.recover()
    await sender.drain()
    assert platform.posted == []
    assert (await state(office))[0] == "unknown"
    assert len(await office.events("unknown")) == 1


async def set_state(office: Office, name: str) -> None:
    def work(connection: Connection) -> None:
        connection.execute(update(OUTBOX).where(OUTBOX.c.kind == "acknowledgement").values(state=name, attempts=1))

    await office.store.write(work)


async def test_class_b1_reads_back_what_it_cannot_know(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="B1")
    await office.hear("charged twice")
    platform = Found(faults=[Unreachable("reset")], acts_first=True)
    await office.sender(platform).drain()
    assert await state(office) == ("sent", None)
    assert len(platform.posted) == 1


async def test_class_b1_sends_again_what_is_absent_twice(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="B1")
    await office.hear("charged twice")
    platform = Found(faults=[Unreachable("reset")])
    sender = office.sender(platform)
    await sender.drain()
    await sender.drain()
    assert await state(office) == ("sent", None)
    assert len(platform.posted) == 1


async def test_class_a_repeats_with_the_same_key(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="A")
    await office.hear("charged twice")
    platform = Platform(faults=[Unreachable("reset")], acts_first=True)
    await office.sender(platform).drain()
    office.clock.forward(seconds=10)
    await office.sender(platform).drain()
    assert await state(office) == ("sent", None)
    assert len({reply.key for reply in platform.posted}) == 1


async def test_what_is_too_old_is_never_sent_by_a_machine(office: Office) -> None:
    await office.hear("charged twice")
    office.clock.forward(minutes=16)
    assert await office.sender_drains() == []
    assert await state(office) == ("suppressed", "stale")


async def test_old_messages_are_queued_and_not_acknowledged(office: Office) -> None:
    await office.hear("charged twice", sent_at=office.clock() - timedelta(hours=2))
    assert [row["acknowledgement_reason"] for row in await office.rows()] == ["stale"]
    assert len(await office.cases()) == 1


async def test_too_old_never_sends_whatever_its_age(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: send\n  too_old: never"))
    await office.hear("charged twice", sent_at=office.clock() - timedelta(days=20000))
    assert len(await office.sender_drains()) == 1


async def test_the_kill_switch_stops_what_is_due_and_what_would_be(office: Office) -> None:
    await office.hear("charged twice")
    await office.desk.pause("lead", "wrong words")
    assert await office.sender_drains() == []
    assert await state(office) == ("suppressed", "paused")
    await office.hear("stolen card", "2")
    assert (await office.rows())[1]["acknowledgement_reason"] == "paused"
    await office.desk.resume("lead")
    await office.hear("stolen card", "3")
    assert len(await office.sender_drains()) == 1


async def test_the_final_word_is_the_running_files(office: Office) -> None:
    await office.hear("charged twice")
    office.obey(CARE.replace("mode: send", "mode: off"))
    assert await office.sender_drains() == []
    assert await state(office) == ("suppressed", "off")


async def test_a_persons_answer_first_and_no_machine_after_it(office: Office) -> None:
    await office.hear("charged twice", "1")
    await office.hear("stolen card", "2")
    first, second = await office.cases()
    await office.desk.claim(second["id"], "lin")
    await office.desk.answer(second["id"], "lin", "Your card is blocked.", second["last_message_id"])
    platform = Platform()
    await office.sender(platform).drain()
    assert platform.posted[0].text == "Your card is blocked."
    assert len(platform.posted) == 2
    answered = (await office.cases())[1]
    assert answered["first_answered_at"] == office.clock()
    assert answered["status"] == "waiting"
    assert first["first_answered_at"] is None


async def test_an_answer_is_refused_where_the_customer_wrote_again(office: Office) -> None:
    await office.hear("charged twice")
    (case,) = await office.cases()
    await office.desk.claim(case["id"], "lin")
    await office.desk.answer(case["id"], "lin", "On Monday.", case["last_message_id"])
    await office.hear("never mind")
    await office.sender_drains()
    (answer,) = await office.outbox("answer")
    assert (answer["state"], answer["reason"]) == ("refused", "customer wrote again")


async def test_answers_are_never_stale_capped_or_paused(office: Office) -> None:
    await office.hear("charged twice")
    (case,) = await office.cases()
    await office.desk.pause("lead", "")
    await office.desk.claim(case["id"], "lin")
    await office.desk.answer(case["id"], "lin", "Done.", case["last_message_id"])
    office.clock.forward(days=2)
    assert [reply.text for reply in await office.sender_drains()] == ["Done."]


async def test_the_platforms_rate_delays_and_never_drops(store: Store, clock: Clock) -> None:
    office = Office(store, clock, limits=Limits(reply_length=1000, replies_per_minute=2))
    await office.take(*(office.message("charged twice", str(n)) for n in range(5)))
    platform = Platform()
    sender = office.sender(platform)
    for _ in range(4):
        await sender.drain()
    assert len(platform.posted) == 2
    office.clock.forward(seconds=61)
    await sender.drain()
    await sender.drain()
    assert len(platform.posted) == 4


async def test_urgent_texts_leave_first(office: Office) -> None:
    await office.hear("your service is terrible and I am very disappointed", "1")
    await office.hear("stolen card", "2")
    assert [reply.to.author.id for reply in await office.sender_drains()] == ["2", "1"]


async def test_a_reaction_goes_under_the_mode_of_its_text(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: send\n  mark: 👀"))
    await office.hear("charged twice")
    platform = Platform()
    await office.sender(platform).drain()
    assert [message.text for message in platform.marked] == ["charged twice"]
    office.obey(CARE.replace("mode: send", "mode: dry_run\n  mark: 👀"))
    await office.hear("stolen card", "2")
    await office.sender(platform).drain()
    assert len(platform.marked) == len(platform.posted) == 1


async def test_a_channel_that_cannot_be_answered_is_never_answered(store: Store, clock: Clock) -> None:
    office = Office(store, clock, abilities=frozenset({"listens"}))
    await office.hear("charged twice")
    assert (await office.rows())[0]["acknowledgement_reason"] == "policy"


@pytest.mark.parametrize(
    "name", ["<b>x</b>", "http://evil.example", "@everyone", "Anna\u202e", "13800138000", "Acme Air"]
)
async def test_a_hostile_name_is_never_repeated(office: Office, name: str) -> None:
    await office.hear("this service is terrible, I am so disappointed", name=name)
    for reply in await office.sender_drains():
        assert name not in reply.text
        assert "Thanks ," not in reply.text


async def test_what_was_told_is_what_is_promised(store: Store, clock: Clock) -> None:
    clock.forward(minutes=2, seconds=7)
    office = Office(store, clock)
    await office.hear("charged twice")
    (reply,) = await office.sender_drains()
    (case,) = await office.cases()
    assert "17:20" in reply.text
    assert case["first_answer_due"] == clock() + timedelta(minutes=15)
    assert (case["promised_due"].minute, case["promised_due"].second) == (20, 0)


async def test_an_answer_that_was_refused_is_its_authors_again(office: Office) -> None:
    await office.hear("charged twice")
    await office.sender_drains()
    (case,) = await office.cases()
    await office.desk.claim(case["id"], "lin")
    await office.desk.answer(case["id"], "lin", "On Monday.", case["last_message_id"])
    await office.sender_drains(Platform(faults=[Refused("blocked by the customer")]))
    (case,) = await office.cases()
    assert (case["status"], case["assignee"]) == ("claimed", "lin")
    assert case["lease_until"] > office.clock()
