"""What comes in."""

# ruff: noqa: S101, PT018 — an exam asserts, and what belongs together is asserted together

from __future__ import annotations

from datetime import datetime

import pytest

from connectors.api import Cursor, Message, Page
from connectors.testing.asking import AWKWARD, CALLS, EARS, Exam, asks
from connectors.testing.sitting import Sitting, items

__all__ = ["Hearing"]


class Hearing(Exam):
    """Polls, streams and webhooks alike."""

    @asks(of=EARS)
    async def test_a_message_comes_in_as_it_is(self, s: Sitting) -> None:
        posted = s.channel.post(AWKWARD)
        heard = await s.heard()
        assert len(heard) == 1
        message = heard[0]
        assert message.text == AWKWARD
        assert (message.revision, message.deleted) == ("", False)
        assert message.id and message.thread and message.author.id and message.author.id != s.connector.me.id
        assert posted.author.name in message.author.name
        assert message.sent_at.tzinfo is not None and message.sent_at == posted.sent_at

    @asks(of=EARS)
    async def test_messages_come_oldest_first_and_each_once(self, s: Sitting) -> None:
        texts = [s.channel.post(f"number {at}").text for at in range(5)]
        heard = await s.heard()
        assert [message.text for message in heard] == texts
        assert len({message.id for message in heard}) == len(texts), "an id is unique"
        assert len({message.author.id for message in heard}) == 1, "an author's id is stable"

    @asks(of=CALLS)
    async def test_a_cursor_resumes_after_its_page(self, s: Sitting) -> None:
        """Also after a restart: the cursor is all that is kept."""
        s.channel.post("before")
        cursor = _last_cursor(await s.pages())
        assert isinstance(cursor, str), "a cursor is a text"
        s.channel.post("after")
        async with s.reopened() as s.connector:
            assert [message.text for message in await s.heard(cursor, wanted=1)] == ["after"]

    @asks("polls", of=("polls",))
    async def test_an_empty_page_keeps_the_cursor(self, s: Sitting) -> None:
        s.channel.post("before")
        cursor = _last_cursor(await s.pages())
        page = await s.first(cursor)
        assert items(page) == 0 and not page.more
        assert page.cursor in {None, cursor}, "an empty page must keep the cursor"

    @asks(of=CALLS)
    async def test_nothing_is_lost_between_pages(self, s: Sitting) -> None:
        """A cursor says 'after everything in this page', and no more than that."""
        texts = [s.channel.post(f"number {at}").text for at in range(self.many)]
        pages = await s.pages()
        assert [message.text for page in pages for message in page.messages] == texts
        heard: list[Message] = []
        for page in pages:
            heard += page.messages
            if page.cursor is None or not page.messages:
                continue
            async with s.reopened() as s.connector:
                rest = await s.heard(page.cursor, wanted=len(texts) - len(heard))
            assert [message.text for message in (*heard, *rest)] == texts, "a page's cursor leads past its end"

    @asks(of=EARS)
    async def test_what_was_not_stored_is_heard_again(self, s: Sitting) -> None:
        """The host may fail to store a page: the same again, from the older cursor, is the same."""
        s.channel.post("before")
        cursor = _last_cursor(await s.pages())
        s.channel.post("first")
        s.channel.post("second")
        once = await s.heard(cursor, wanted=2)
        assert [message.text for message in once] == ["first", "second"]
        assert await s.heard(cursor, wanted=2) == once

    @asks(of=EARS)
    async def test_clocks_of_customers_do_not_matter(self, s: Sitting) -> None:
        """Messages out of the order of their times arrive all the same."""
        late = datetime.fromisoformat("2027-01-31T12:00:00+00:00")
        early = datetime.fromisoformat("2027-01-31T06:00:00+00:00")
        s.channel.post("late", sent_at=late)
        cursor = _last_cursor(await s.pages())
        s.channel.post("early", sent_at=early)
        assert [message.text for message in await s.heard(cursor, wanted=1)] == ["early"]

    @asks(of=EARS, flag="edits")
    async def test_an_edit_is_the_same_message_with_a_larger_revision(self, s: Sitting) -> None:
        posted = s.channel.post("frist")
        edited = s.channel.edit(posted, "first")
        s.channel.edit(edited, "first!")
        heard = await s.heard()
        assert len(heard) == 3, "an original and its edits are told apart"
        original, second, third = heard
        assert original.id == second.id == third.id
        assert (second.text, third.text) == ("first", "first!")
        assert "" == original.revision < second.revision < third.revision, "revisions sort"

    @asks(of=EARS, flag="deletes")
    async def test_a_deleted_message_is_told(self, s: Sitting) -> None:
        s.channel.delete(s.channel.post("in anger"))
        heard = await s.heard()
        assert len(heard) == 2, "an original and a delete notice"
        original, notice = heard
        assert notice.deleted and notice.id == original.id and notice.revision > original.revision

    @asks(of=EARS, flag="spoils")
    async def test_an_unreadable_item_does_not_spoil_the_page(self, s: Sitting) -> None:
        s.channel.post("one")
        s.channel.spoil()
        s.channel.post("three")
        pages = await s.pages()
        assert [message.text for page in pages for message in page.messages] == ["one", "three"]
        spoiled = [item for page in pages for item in page.unreadable]
        assert len(spoiled) == 1, "an item that cannot be read is an Unreadable of its page"
        assert spoiled[0].raw and spoiled[0].reason, "with its bytes and the reason"
        if s.ear == "polls":
            assert sum(map(items, await s.pages(_last_cursor(pages)))) == 0, "the cursor leads past the spoiled item"

    @asks(of=CALLS, flag="ruins")
    async def test_an_item_of_which_nothing_can_be_read_holds_nobody_up(self, s: Sitting) -> None:
        """It comes last, without a place: an Unreadable all the same, and what is said after it is heard."""
        s.channel.post("before")
        s.channel.ruin()
        cursor: Cursor | None = None
        for heard in ("before", "after"):
            pages = [await s.first(cursor)] if s.ear == "polls" else await s.pages(cursor, wanted=2)
            assert [message.text for page in pages for message in page.messages] == [heard]
            assert any(page.unreadable for page in pages), "an item that cannot be read is an Unreadable of its page"
            cursor = _last_cursor(pages)
            assert isinstance(cursor, str), "a cursor is a text, and what was heard moves it"
            s.channel.post("after")

    @asks(of=EARS)
    async def test_our_own_posts_are_known_as_ours(self, s: Sitting) -> None:
        if not s.connector.me.id:
            pytest.skip("it has no account of its own")
        s.channel.post("from the care team", author=s.connector.me)
        for message in await s.heard():
            assert message.author.id == s.connector.me.id or message.own


def _last_cursor(pages: list[Page]) -> Cursor | None:
    return next((page.cursor for page in reversed(pages) if page.cursor is not None), None)
