from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from connectors.api import BadPayload, Denied, Idempotency, Limits, Policy, Receipt, Refused, Reply, Unreachable
from heedful.rates import Rates
from routing.store.database import Store
from routing.store.rows import OUTBOX
from tests.databases import Clock
from tests.heedful.office import CARE, HOUR, Found, Office, Platform


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


NOBODY_KNOWS = "nobody can tell whether it was sent"


@dataclass
class Busy(Platform):
    """While each reply is on its way, something else happens."""

    meanwhile: Callable[[], Awaitable[Any]] = field(kw_only=True)

    async def reply(self, reply: Reply, /) -> Receipt:
        await self.meanwhile()
        return await super().reply(reply)


async def answer_of(office: Office) -> tuple[str, str | None]:
    (answer,) = await office.outbox("answer")
    return answer["state"], answer["reason"]


async def answered_by_lin(office: Office, text: str = "On Monday.") -> int:
    """A case with an answer that waits; the acknowledgement has left."""
    await office.hear("charged twice")
    await office.sender_drains()
    office.clock.forward(minutes=1)
    (case,) = await office.cases()
    await office.desk.answer(case["id"], "lin", text, case["last_message_id"])
    number: int = case["id"]
    return number


async def a_colleague_answers(office: Office, id_: str = "c1") -> None:
    office.clock.forward(seconds=5)
    await office.take(office.message("I have seen to it.", "77", id=id_, thread="t1", own=True))
    office.clock.forward(seconds=5)


async def test_an_answer_is_refused_where_a_colleague_was_faster(office: Office) -> None:
    await answered_by_lin(office)
    await a_colleague_answers(office)
    assert await office.sender_drains() == []
    assert await answer_of(office) == ("refused", "a colleague answered")
    (case,) = await office.cases()
    assert (case["status"], case["assignee"]) == ("claimed", "lin")


async def test_an_answer_that_was_confirmed_after_a_colleagues_goes_out(office: Office) -> None:
    case_id = await answered_by_lin(office)
    await a_colleague_answers(office)
    (case,) = await office.cases()
    await office.desk.answer(case_id, "lin", "On Monday.", case["last_message_id"], confirm=True)
    assert [reply.text for reply in await office.sender_drains()] == ["On Monday."]


async def test_a_confirmed_answer_is_refused_where_yet_another_comes_in_between(office: Office) -> None:
    case_id = await answered_by_lin(office)
    await a_colleague_answers(office)
    (case,) = await office.cases()
    await office.desk.answer(case_id, "lin", "On Monday.", case["last_message_id"], confirm=True)
    await a_colleague_answers(office, "c2")
    assert await office.sender_drains() == []


async def test_confirming_covers_what_the_customer_wrote_meanwhile(office: Office) -> None:
    case_id = await answered_by_lin(office)
    (answer,) = await office.outbox("answer")
    await office.hear("and hurry")
    await office.desk.answer(case_id, "lin", "On Monday.", answer["seen_message_id"], confirm=True)
    await office.sender_drains()
    assert await answer_of(office) == ("sent", None)


async def test_two_answers_of_one_author_do_not_fence_each_other(office: Office) -> None:
    case_id = await answered_by_lin(office)
    await office.desk.answer(case_id, "lin", "In the morning.")
    await office.desk.resolve(case_id, "lin", "answered")
    assert [reply.text for reply in await office.sender_drains()] == ["On Monday.", "In the morning."]


async def test_an_answer_is_refused_where_a_colleague_closed_the_case_as_answered(office: Office) -> None:
    case_id = await answered_by_lin(office)
    office.clock.forward(hours=1)
    await office.desk.resolve(case_id, "anna", "answered_elsewhere")
    assert await office.sender_drains() == []
    assert await answer_of(office) == ("refused", "a colleague answered")


async def test_what_was_deleted_before_it_left_is_not_answered(office: Office) -> None:
    message = office.message("charged twice")
    await office.take(message, office.message("", id=message.id, thread=message.thread, deleted=True))
    assert (await office.books()).balances
    assert await office.sender_drains() == []
    assert await state(office) == ("suppressed", "deleted")


async def test_what_waits_for_approval_is_called_back_with_its_message(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: approve"))
    message = office.message("charged twice")
    await office.take(message, office.message("", id=message.id, thread=message.thread, deleted=True))
    assert await state(office) == ("suppressed", "deleted")


async def test_what_was_deleted_while_it_was_sent_is_not_sent_again(office: Office) -> None:
    message = office.message("charged twice")
    await office.take(message)

    async def delete() -> None:
        await office.take(office.message("", id=message.id, thread=message.thread, deleted=True))
        assert await state(office) == ("sending", None)

    platform = Busy(faults=[Unreachable("429", unsent=True)], meanwhile=delete)
    await office.sender(platform).drain()
    assert await state(office) == ("pending", "429")
    office.clock.forward(minutes=1)
    await office.sender(platform).drain()
    assert platform.posted == []
    assert await state(office) == ("suppressed", "deleted")


async def test_what_arrived_before_the_delete_was_heard_of_counts_as_sent(office: Office) -> None:
    message = office.message("charged twice")
    await office.take(message)

    async def delete() -> None:
        await office.take(office.message("", id=message.id, thread=message.thread, deleted=True))

    await office.sender(Busy(meanwhile=delete)).drain()
    assert await state(office) == ("sent", None)


@pytest.mark.parametrize("edit", [True, False], ids=["an edit", "another message"])
async def test_harm_that_comes_to_light_stops_the_machine(office: Office, edit: bool) -> None:
    message = office.message("charged twice")
    await office.take(message)
    fields = {"id": message.id, "revision": "2"} if edit else {}
    await office.hear("charged twice, and now I want to kill myself", **fields)
    assert await office.sender_drains() == []
    assert next((row["state"], row["reason"]) for row in await office.outbox()) == ("suppressed", "harm")
    assert (await office.books()).balances


async def test_a_person_approves_of_what_was_there_and_of_nothing_later(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: approve"))
    await office.hear("charged twice", "1")
    await office.hear("and now I want to kill myself", "1")
    await office.hear("charged twice", "2")
    texts = [row for row in await office.outbox() if row["state"] == "approve"]
    for row in texts:
        await office.desk.approve(row["id"], "lead")
    await office.hear("and now I want to kill myself", "2")
    posted = await office.sender_drains()
    assert {reply.to.author.id for reply in posted} == {"1"}
    (later,) = [row for row in await office.outbox() if row["author_id"] == "2" and row["state"] == "suppressed"]
    assert later["reason"] == "harm"


async def test_no_machine_answers_once_the_platforms_window_is_over(store: Store, clock: Clock) -> None:
    text = CARE.replace("mode: send", "mode: send\n  too_old: never")
    office = Office(store, clock, text, policy=Policy(reply_window=timedelta(hours=24)))
    await office.hear("charged twice")
    office.clock.forward(hours=24)
    assert await office.sender_drains() == []
    assert await state(office) == ("suppressed", "policy")


@pytest.mark.parametrize(("idempotency", "most"), [("C", 1), ("A", 8)])
async def test_the_account_rests_as_long_as_the_platform_says(
    store: Store, clock: Clock, idempotency: Idempotency, most: int
) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: send\n  too_old: never"), idempotency=idempotency)
    await office.take(*(office.message("charged twice", str(n)) for n in range(20)))
    (case, *_) = await office.cases()
    platform = Platform(faults=[Unreachable("429", retry_after=HOUR, unsent=True) for _ in range(20)])
    sender = office.sender(platform)
    assert await sender.drain() == 3600
    assert 20 - len(platform.faults) <= most
    assert {row["state"] for row in await office.outbox()} == {"pending"}
    assert sum(row["attempts"] for row in await office.outbox()) == 20 - len(platform.faults)
    await office.desk.answer(case["id"], "lin", "On Monday.")
    office.clock.forward(minutes=59)
    assert await sender.drain() == 60
    assert platform.posted == []
    platform.faults.clear()
    office.clock.forward(minutes=1)
    await sender.drain()
    assert platform.posted[0].text == "On Monday."
    texts = [(row["state"], row["reason"]) for row in await office.outbox()]
    assert texts == [("suppressed", "answered"), *[("sent", None)] * 19]


async def test_no_platform_silences_us_for_longer_than_an_hour(office: Office) -> None:
    await office.hear("charged twice")
    platform = Platform(faults=[Unreachable("429", retry_after=timedelta(days=4000), unsent=True)])
    assert await office.sender(platform).drain() == 3600


@pytest.mark.parametrize("fault", [KeyError("x"), BadPayload("unreadable answer"), ExceptionGroup("", [OSError()])])
@pytest.mark.parametrize(("idempotency", "tries"), [("A", 5), ("B1", 5), ("B2", 5), ("C", 1)])
async def test_what_a_connector_did_not_foresee_is_doubt_and_ends_with_a_person(
    store: Store, clock: Clock, fault: Exception, idempotency: Idempotency, tries: int
) -> None:
    office = Office(store, clock, idempotency=idempotency)
    await office.hear("charged twice")
    platform = Found(faults=[fault] * 20)
    sender = office.sender(platform)
    for _ in range(12):
        pause = await sender.drain()
        office.clock.forward(seconds=pause)
    assert 20 - len(platform.faults) == tries
    assert await state(office) == ("unknown", NOBODY_KNOWS)


async def test_the_ways_of_a_stumbling_platform_may_part_and_meet_again(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="A")
    await office.hear("charged twice")
    platform = Platform(faults=[KeyError("x"), Unreachable("502"), BadPayload("?"), TimeoutError()])
    sender = office.sender(platform)
    for _ in range(12):
        office.clock.forward(seconds=await sender.drain())
    assert await state(office) == ("sent", None)


async def test_a_mark_in_doubt_is_nobodys_affair(store: Store, clock: Clock) -> None:
    class Moody(Platform):
        async def mark(self, message: Any, /) -> None:
            raise KeyError(message.id)

    office = Office(store, clock, CARE.replace("mode: send", "mode: send\n  mark: 👀"))
    await office.hear("charged twice")
    sender = office.sender(Moody())
    for _ in range(12):
        office.clock.forward(seconds=await sender.drain())
    assert [row["state"] for row in await office.outbox("mark")] == ["refused"]
    assert await state(office) == ("sent", None)


async def test_cancelling_is_not_doubted_away(office: Office) -> None:
    await office.hear("charged twice")
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(office.sender(Busy(meanwhile=hang)).drain())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await state(office) == ("sending", None)


async def test_what_may_have_gone_out_is_never_called_suppressed(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="A")
    await office.hear("charged twice")
    sender = office.sender(Platform(faults=[Unreachable("reset")], acts_first=True))
    await sender.drain()
    await office.desk.pause("lead", "wrong words")
    office.clock.forward(seconds=10)
    await sender.drain()
    assert await state(office) == ("unknown", NOBODY_KNOWS)


async def test_one_denial_leaves_nothing_else_of_the_batch_behind(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="A")
    await office.take(*(office.message("charged twice", str(n)) for n in range(8)))
    platform = Platform(faults=[None, Denied("revoked"), None])
    with pytest.raises(Denied):
        await office.sender(platform).drain()
    assert sorted(row["state"] for row in await office.outbox()) == ["pending", *["sent"] * 7]
    assert len(platform.posted) == 7


def test_rates_forget_the_threads_of_yesterday() -> None:
    now = 0.0
    rates = Rates(Limits(replies_per_minute=10**9, replies_per_minute_thread=2), lambda: now)
    most = 0
    for number in range(5000):
        now += 1
        rates.count(str(number))
        most = max(most, len(rates._places))
    assert most <= 121
    rates.count("busy")
    rates.count("busy")
    assert rates.wait("busy") == 60


async def test_an_answer_in_doubt_is_its_authors_again(office: Office) -> None:
    case_id = await answered_by_lin(office)
    await office.sender_drains(Platform(faults=[Unreachable("reset")]))
    (case,) = await office.cases()
    assert await answer_of(office) == ("unknown", NOBODY_KNOWS)
    assert (case["status"], case["assignee"]) == ("claimed", "lin")
    assert case["lease_until"] > office.clock()
    (answer,) = await office.outbox("answer")
    await office.desk.settle_unknown(answer["id"], "lin", "sent")
    assert (await office.desk.show(case_id)).case.status == "waiting"


async def test_what_is_postponed_keeps_its_reason(store: Store, clock: Clock) -> None:
    limits = Limits(reply_length=1000, replies_per_minute=1)
    office = Office(store, clock, limits=limits)
    await office.hear("charged twice")
    platform = Platform(faults=[Unreachable("429", retry_after=timedelta(seconds=10), unsent=True)])
    sender = office.sender(platform)
    await sender.drain()
    office.clock.forward(seconds=11)
    assert await sender.drain() == 49  # the rate: one try a minute
    assert platform.posted == []
    (row,) = await office.outbox()
    assert (row["state"], row["reason"], row["attempts"]) == ("pending", "429", 1)
    office.clock.forward(seconds=49)
    await sender.drain()
    assert await state(office) == ("sent", None)


@dataclass
class Blind(Found):
    """Its list of our replies cannot be read `failing` times."""

    failing: int = 0
    looks: int = 0

    async def find(self, reply: Reply, /) -> Receipt | None:
        self.looks += 1
        if self.failing:
            self.failing -= 1
            raise KeyError("replies")
        return await super().find(reply)


async def test_what_could_not_be_read_back_is_looked_up_a_minute_later(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="B1")
    await office.hear("charged twice")
    platform = Blind(faults=[Unreachable("reset")], acts_first=True, failing=1)
    sender = office.sender(platform)
    assert await sender.drain() == 60
    assert (await state(office))[0] == "uncertain"
    office.clock.forward(seconds=59)
    assert await sender.drain() == 1
    assert platform.looks == 1
    office.clock.forward(seconds=1)
    await sender.drain()
    assert await state(office) == ("sent", None)
    assert len(platform.posted) == 1


async def test_what_can_never_be_read_back_is_a_persons_after_an_hour(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="B1")
    await office.hear("charged twice")
    platform = Blind(faults=[Unreachable("reset")], failing=10**6)
    sender = office.sender(platform)
    for _ in range(62):
        office.clock.forward(seconds=await sender.drain())
    assert platform.looks == 61
    assert await state(office) == ("unknown", NOBODY_KNOWS)


@pytest.mark.parametrize(("idempotency", "sent"), [("A", 1), ("C", 1)])
async def test_stopping_ends_after_the_text_in_hand(
    store: Store, clock: Clock, idempotency: Idempotency, sent: int
) -> None:
    office = Office(store, clock, idempotency=idempotency)
    await office.take(*(office.message("charged twice", str(n)) for n in range(20)))
    platform = Platform()
    await office.sender(platform, lambda: bool(platform.posted)).drain()
    assert len(platform.posted) == sent
    rows = await office.outbox()
    assert sorted((row["state"], row["attempts"]) for row in rows) == [*[("pending", 0)] * 19, ("sent", 1)]
    assert len(await office.sender_drains()) == 19


async def test_a_program_that_dies_of_a_text_leaves_it_to_a_person(store: Store, clock: Clock) -> None:
    office = Office(store, clock, idempotency="A")
    await office.hear("charged twice")
    for _ in range(5):
        await set_state(office, "sending")
        await office.sender(Platform()).recover()
    assert await state(office) == ("unknown", NOBODY_KNOWS)
