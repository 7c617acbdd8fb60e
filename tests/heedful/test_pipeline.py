from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from config.folding import Folded
from connectors.api import Gap, Policy, Unreadable
from heedful.preparation import FAILED
from routing.masking import mask
from routing.store import search
from routing.store.database import Store
from routing.store.rows import CASE, CURSOR, GAP, MESSAGE, OUTBOX, QUARANTINE
from sentiment.api import Circumstances, Reader, Reading
from tests.databases import Clock
from tests.heedful.office import CARE, Office


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    return Office(store, clock)


async def test_a_complaint_opens_a_case_and_makes_one_acknowledgement_due(office: Office) -> None:
    outcome = await office.hear("my card was charged twice!!", private=True)
    assert (outcome.routed, outcome.intents) == (1, 5)  # one text, four notifications
    (case,), (text,), (message,) = await office.cases(), await office.outbox(), await office.rows()
    assert (case["priority"], case["team"], case["status"]) == ("P1", "payments", "open")
    assert message["case_id"] == case["id"] == text["case_id"]
    assert (message["acknowledgement"], text["state"], text["style"]) == ("pending", "pending", "urgent")
    assert case["ref"] in text["text"]
    assert "Automatic reply" in text["text"]
    assert (await office.books()).balances


@pytest.mark.parametrize(
    ("text", "locale", "words"),
    [("我的卡被盗刷了！", "zh-Hans", "优先处理"), ("我的卡被盜刷了，請盡快處理！", "zh-Hant", "優先處理")],
)
async def test_chinese_is_answered_in_its_own_script(office: Office, text: str, locale: str, words: str) -> None:
    await office.hear(text)
    (row,) = await office.outbox()
    assert row["locale"] == locale
    assert words in row["text"]


async def test_the_same_message_again_is_a_duplicate_and_counted_as_one(office: Office) -> None:
    message = office.message("charged twice")
    await office.take(message)
    outcome = await office.take(message, message)
    assert outcome.duplicates == 2
    assert len(await office.outbox()) == 1
    assert (await office.books()).total.duplicates == 2


async def test_the_same_id_with_another_text_is_the_next_revision(office: Office) -> None:
    await office.hear("where is my bag?", id="x")
    await office.hear("where is my black bag?", id="x")
    outcome = await office.hear("where is my bag?", id="x")
    assert outcome.duplicates == 1
    assert [row["revision"] for row in await office.rows()] == ["", "+0001"]


async def test_a_calm_follow_up_reaches_the_open_case_and_gets_no_second_text(office: Office) -> None:
    await office.hear("charged twice")
    await office.hear("it was on Tuesday")
    (case,), messages = await office.cases(), await office.rows()
    assert {row["case_id"] for row in messages} == {case["id"]}
    assert messages[1]["because"][0]["rule"] == "open case"
    assert messages[1]["acknowledgement"] == "suppressed"
    assert case["last_message_id"] == messages[1]["id"]


async def test_two_customers_of_one_thread_have_a_case_and_a_text_each(office: Office) -> None:
    await office.take(
        office.message("charged twice", "1", thread="group"), office.message("stolen card", "2", thread="group")
    )
    cases = await office.cases()
    assert {case["author_id"] for case in cases} == {"1", "2"}
    assert len(await office.outbox()) == 2


async def test_within_one_batch_the_first_message_opens_what_the_second_finds(office: Office) -> None:
    await office.take(office.message("charged twice"), office.message("hello? anyone?"))
    assert len(await office.cases()) == 1
    assert [row["acknowledgement"] for row in await office.rows()] == ["pending", "suppressed"]


async def test_an_edit_may_raise_and_is_never_acknowledged(office: Office) -> None:
    await office.hear("nice weather", id="x")
    await office.hear("someone charged twice my card", id="x", revision="1")
    first, second = await office.rows()
    assert (first["outcome"], second["outcome"]) == ("kept", "routed")
    assert (second["acknowledgement"], second["acknowledgement_reason"]) == ("suppressed", "edit")
    assert len(await office.cases()) == 1


async def test_an_edit_that_comes_before_its_original_stands_for_it(office: Office) -> None:
    await office.hear("stolen card!", id="x", revision="2")
    await office.hear("hm", id="x")
    rows = {row["revision"]: row for row in await office.rows()}
    assert rows["2"]["outcome"] == "routed"
    assert (rows[""]["kept"], rows[""]["acknowledgement_reason"]) == ("edit", "edit")


async def test_a_delete_calls_back_what_has_not_left_and_its_original_stays_away(office: Office) -> None:
    await office.hear("charged twice", id="x")
    await office.hear("", id="x", deleted=True)
    (text,) = await office.outbox()
    assert (text["state"], text["reason"]) == ("suppressed", "deleted")
    assert (await office.hear("", id="x", deleted=True)).duplicates == 1
    await office.hear("", id="y", deleted=True)
    await office.hear("stolen card", id="y")
    late = [row for row in await office.rows() if row["external_id"] == "y"]
    assert [row["kept"] for row in late] == ["deleted", "deleted"]
    assert (await office.books()).balances


async def test_where_the_platform_wants_it_a_deleted_text_is_gone(store: Store, clock: Clock) -> None:
    office = Office(store, clock, policy=Policy(delete_within=timedelta(hours=24)))
    await office.hear("charged twice, I am Anna", id="x")
    await office.hear("", id="x", deleted=True)
    assert {row["text"] for row in await office.rows()} == {""}


@pytest.mark.parametrize("policy", [Policy(), Policy(delete_within=timedelta(hours=24))])
async def test_what_is_delivered_again_after_its_deletion_is_a_duplicate(
    store: Store, clock: Clock, policy: Policy
) -> None:
    office = Office(store, clock, policy=policy)
    original, notice = office.message("charged twice", id="x"), office.message("", id="x", deleted=True)
    await office.take(original, notice)
    assert (await office.take(original)).duplicates == 1
    assert (await office.take(notice, original)).duplicates == 2
    early = office.message("", id="y", deleted=True)
    await office.take(early)
    assert [(await office.hear("stolen card", id="y")).duplicates for _ in range(2)] == [0, 1]
    await office.hear("stolen card!", id="y", revision="2")
    assert [row["kept"] for row in await office.rows(external_id="y")] == ["deleted"] * 3
    assert len(await office.rows(external_id="x")) == 2
    assert (await office.books()).balances


async def test_our_own_voice_is_kept_and_a_colleagues_post_stops_the_clock(office: Office) -> None:
    await office.hear("charged twice", thread="g", id="q")
    await office.hear("we are on it", "77", thread="g", in_reply_to="q")
    (case,) = await office.cases()
    assert (case["status"], case["first_answered_at"]) == ("waiting", office.clock())
    own = (await office.rows())[1]
    assert (own["outcome"], own["kept"], own["acknowledgement_reason"]) == ("kept", "own", "own")
    await office.sender_drains()
    (text,) = await office.outbox()
    assert (text["state"], text["reason"]) == ("suppressed", "answered")


async def test_what_the_bot_itself_posts_is_nothing(office: Office) -> None:
    await office.hear("charged twice", thread="g")
    await office.hear("We have your message", "999", thread="g")
    (case,) = await office.cases()
    assert case["first_answered_at"] is None


async def test_in_a_group_with_two_open_cases_a_post_to_nobody_answers_nobody(office: Office) -> None:
    await office.take(office.message("charged twice", "1", thread="g"), office.message("stolen card", "2", thread="g"))
    await office.hear("hello all", "77", thread="g")
    assert {case["status"] for case in await office.cases()} == {"open"}


async def test_another_bot_is_kept_unread(office: Office) -> None:
    await office.hear("charged twice", "5", bot=True)
    (row,) = await office.rows()
    assert (row["kept"], row["label"]) == ("bot", None)


async def test_a_resolved_case_is_reopened_for_seven_days_by_what_would_be_routed(office: Office) -> None:
    await office.hear("charged twice")
    (case,) = await office.cases()
    await office.desk.claim(case["id"], "lin")
    await office.desk.resolve(case["id"], "lin", "answered")
    await office.hear("thanks!")
    (shown,) = [row for row in await office.rows() if row["text"] == "thanks!"]
    assert (shown["outcome"], shown["case_id"]) == ("kept", case["id"])
    await office.hear("charged twice again!")
    (case,) = await office.cases()
    assert case["status"] != "resolved"
    await office.desk.resolve(case["id"], "lin", "answered")
    office.clock.forward(days=8)
    await office.hear("charged twice once more!")
    assert len(await office.cases()) == 2


async def test_the_priority_of_an_open_case_rises_and_never_falls(office: Office) -> None:
    await office.hear("this is terrible service, I am so angry and disappointed")
    (case,) = await office.cases()
    assert case["priority"] == "P3"
    await office.hear("and charged twice!")
    await office.hear("this is awful")
    (case,) = await office.cases()
    assert case["priority"] == "P1"
    assert len(await office.outbox("notify")) == 0  # team care has nobody to notify; the case stays with it


async def test_an_unreadable_item_is_quarantined_once_and_the_rest_goes_on(office: Office) -> None:
    broken = Unreadable(raw=b"\xff{", reason="not JSON")
    outcome = await office.take(office.message("charged twice"), unreadable=[broken, broken])
    assert (outcome.received, outcome.quarantined, outcome.duplicates, outcome.routed) == (3, 1, 1, 1)
    (row,) = await office.rows(QUARANTINE)
    assert row["reason"] == "not JSON"
    assert row["sealed"] is None or b"\xff{" not in row["sealed"]
    assert (await office.books()).balances


async def test_cursor_and_gap_are_in_the_transaction_of_the_page(office: Office) -> None:
    gap = Gap(since=None, until=office.clock(), reason="away")
    await office.take(office.message("hello"), cursor="41", gaps=[gap])
    assert [row["cursor"] for row in await office.rows(CURSOR)] == ["41"]
    assert [row["reason"] for row in await office.rows(GAP)] == ["away"]
    assert await office.pipeline.resume(office.source) == ("41", office.clock())


async def test_a_page_longer_than_a_transaction_moves_the_cursor_with_its_last_piece(office: Office) -> None:
    messages = [office.message(f"hello {n}", str(n)) for n in range(600)]
    outcome = await office.take(*messages, cursor="600")
    assert outcome.received == 600
    assert (await office.books()).total.stored == 600


async def test_card_numbers_are_masked_before_anything_is_stored(office: Office) -> None:
    await office.hear("my card 4242 4242 4242 4242 was charged twice", name="4242424242424242")
    (row,) = await office.rows()
    assert "4242" not in row["text"].replace("…4242", "") + row["author_name"]


async def test_hostile_text_is_stored_whole_and_read_in_part(office: Office) -> None:
    texts = ["charged twice \x00 now", "half \ud83d of a pair", "😀" * 10_000, "\u202egnp.exe", "x" * 1_000_000]
    await office.take(*(office.message(text, str(n)) for n, text in enumerate(texts)))
    rows = await office.rows()
    assert len(rows) == 5
    assert len(rows[4]["text"]) == 1_000_000
    assert "\x00" not in rows[0]["text"]
    assert (await office.books()).balances


@pytest.mark.parametrize(
    ("cap", "hears"),
    [
        ("per_thread: 2 per 24h", [("1", "t"), ("1", "t"), ("1", "t")]),
        ("per_thread: 9 per 24h, per_person: 2 per 24h", [("1", "a"), ("1", "b"), ("1", "c")]),
        ("per_channel: 2 per 1m", [("1", "a"), ("2", "b"), ("3", "c")]),
        ("overall: 2 per 1m", [("1", "a"), ("2", "b"), ("3", "c")]),
    ],
)
@pytest.mark.parametrize("together", [True, False])
async def test_caps_hold_within_a_batch_and_across_batches(
    store: Store, clock: Clock, cap: str, hears: list[tuple[str, str]], together: bool
) -> None:
    office = Office(store, clock, CARE.replace("mode: send", f"mode: send\n  caps: {{{cap}}}"))
    messages = [office.message("charged twice", author, thread=thread) for author, thread in hears]
    for page in [messages] if together else [[one] for one in messages]:
        await office.take(*page)
    assert [row["acknowledgement_reason"] for row in await office.rows()] == [None, None, "cap"]


async def test_an_omitted_mode_previews_and_sends_nothing(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("  mode: send\n", ""))
    await office.hear("charged twice")
    (row,), (text,), (preview,) = await office.rows(), await office.outbox(), await office.events("preview")
    assert (row["acknowledgement"], row["acknowledgement_reason"]) == ("suppressed", "dry_run")
    assert (text["state"], text["reason"]) == ("suppressed", "dry_run")
    assert preview["data"]["text"] == text["text"]
    assert (await office.books()).balances


async def test_approve_waits_for_a_person_and_then_leaves(store: Store, clock: Clock) -> None:
    office = Office(store, clock, CARE.replace("mode: send", "mode: approve"))
    await office.hear("charged twice")
    assert await office.sender_drains() == []
    (text,) = await office.outbox()
    await office.desk.approve(text["id"], "lead")
    assert len(await office.sender_drains()) == 1
    assert (await office.books()).total.acknowledged["sent"] == 1


async def test_asking_for_a_person_queues_and_silences_the_bot(office: Office) -> None:
    await office.hear("转人工", private=True)
    await office.hear("charged twice", private=True)
    (case,) = await office.cases()
    assert case["bot_silent"]
    assert (await office.rows())[1]["acknowledgement_reason"] in {"silenced", "cap"}


async def test_a_message_that_is_about_us_but_not_to_us_is_queued_without_a_text(office: Office) -> None:
    await office.hear("@acmeair charged twice? wow", mentions_us=False)
    (row,) = await office.rows()
    assert (row["outcome"], row["acknowledgement_reason"]) == ("routed", "not_addressed")


async def test_notifications_wait_for_their_time_and_name_the_case(office: Office) -> None:
    await office.hear("charged twice")
    notes = await office.outbox("notify")
    assert [(note["due_at"] - office.clock()) // timedelta(minutes=1) for note in notes] == [0, 5, 15, 60]
    (case,) = await office.cases()
    assert f"/cases/{case['id']}" in notes[0]["text"]
    assert notes[0]["priority"] == "P1"


async def test_text_stays_in_its_region(store: Store, clock: Clock) -> None:
    office = Office(store, clock, region="cn")
    await office.hear("charged twice by 重庆支行")
    for note in await office.outbox("notify"):
        assert "charged" not in note["text"] + str(note["envelope"])
        assert "Anna" not in note["text"] + str(note["envelope"])


@pytest.mark.parametrize(
    "corrupt",
    [
        update(MESSAGE).values(outcome="lost"),
        update(MESSAGE).values(acknowledgement="maybe"),
        delete(MESSAGE).where(MESSAGE.c.kept.is_not(None)),
        update(OUTBOX).where(OUTBOX.c.kind == "acknowledgement").values(state="sent"),
        delete(CASE),
    ],
)
async def test_a_corrupted_row_does_not_balance(office: Office, corrupt: object) -> None:
    await office.take(office.message("charged twice"), office.message("nice day", "2"))
    assert (await office.books()).balances

    def work(connection: Connection) -> None:
        connection.execute(corrupt)  # type: ignore[call-overload]

    await office.store.write(work)
    assert not (await office.books()).balances


class Stumbling:
    """A reader that fails on some texts."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, folded: Folded, circumstances: Circumstances, /) -> Reading:
        if "stumble" in folded.text:
            raise ZeroDivisionError
        return self._reader.read(folded, circumstances)

    def read_many(self, messages: Sequence[tuple[Folded, Circumstances]], /) -> list[Reading]:
        return [self.read(folded, circumstances) for folded, circumstances in messages]


async def test_what_the_reader_fails_on_goes_to_a_person_unread(office: Office) -> None:
    office.guidance = replace(office.guidance, reader=Stumbling(office.guidance.reader))
    await office.take(office.message("stumble over my stolen card"), office.message("charged twice", "2"))
    first, second = await office.rows()
    assert (first["outcome"], first["label"], first["reading"]["scorer"]) == ("routed", "unsure", FAILED)
    assert first["because"][0]["rule"] == "unreadable"
    assert (first["acknowledgement"], second["acknowledgement"]) == ("suppressed", "pending")
    assert (await office.books()).balances


async def test_what_cannot_be_masked_is_quarantined_and_the_rest_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(text: str) -> str:
        if "4242" in text:
            raise OverflowError(text)
        return mask(text)

    monkeypatch.setattr("heedful.preparation.mask", failing)
    bad = office.message("charged twice on 4242 4242 4242 4242")
    outcome = await office.take(bad, office.message("stolen card", "2"), cursor="7")
    assert (outcome.received, outcome.quarantined, outcome.routed) == (2, 1, 1)
    (row,) = await office.rows(QUARANTINE)
    assert row["reason"] == "it could not be masked (OverflowError)"
    assert b"4242" not in (row["sealed"] or b"")
    assert (await office.take(bad)).duplicates == 1
    assert [message["text"] for message in await office.rows()] == ["stolen card"]
    assert (await office.books()).balances


async def test_what_is_erased_is_not_found_either(store: Store, clock: Clock) -> None:
    office = Office(store, clock, policy=Policy(delete_within=timedelta(hours=24)))
    await office.take(office.message("charged twice by 重庆支行", id="x"), office.message("charged twice", "2"))
    assert len(await store.read(lambda connection: search.search(connection, "重庆支行"))) == 1
    await office.hear("", id="x", deleted=True)
    assert await store.read(lambda connection: search.search(connection, "重庆支行")) == []
    assert len(await store.read(lambda connection: search.search(connection, "charged"))) == 1
    assert [case["text"] for case in await office.cases()] == ["", "charged twice"]


async def test_no_two_cases_bear_one_reference(office: Office) -> None:
    await office.take(*(office.message("charged twice", f"p{n}") for n in range(300)))
    assert len({case["ref"] for case in await office.cases()}) == 300


async def test_the_name_of_one_of_ours_is_not_said_and_that_of_a_namesake_is(store: Store, clock: Clock) -> None:
    text = CARE.replace('["replay:77"]', '["replay:@linlin"], not_us: [Polar]')
    text = text.replace(', "We have your message ({ref}). A colleague answers by {due}."', "")
    text = text.replace('en: ["Thanks {name}', 'en: ["We have your message ({ref}).", "Thanks {name}')
    office = Office(store, clock, text)
    for number in range(8):
        await office.hear("this is terrible, I am so angry", f"a{number}", name="Linlin")
        await office.hear("this is terrible, I am so angry", f"b{number}", name="Polar")
    texts = [row["text"] for row in await office.outbox()]
    assert not any("Linlin" in text for text in texts)
    assert any("Thanks Polar" in text for text in texts)


async def test_an_error_of_the_database_does_not_quote_a_customer(office: Office) -> None:
    def work(connection: Connection) -> None:
        connection.execute(update(MESSAGE).values(id=None, text="my card 4242"))

    await office.hear("charged twice")
    with pytest.raises(IntegrityError) as caught:
        await office.store.write(work)
    # The DETAIL that PostgreSQL adds to a broken constraint is its own.
    assert "4242" not in f"{caught.value}{caught.value.statement}".partition("DETAIL")[0]
