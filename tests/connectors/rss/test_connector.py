"""What is new, what was changed, and what only looks so: poll after poll of a site that serves what it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.api import Cursor, Page, Unreachable
from connectors.rss.apart import Hopeless, read_apart
from connectors.rss.connector import Rss
from connectors.rss.feed import Document, Entry, Feed
from connectors.rss.marker import GONE_KEPT, Marker, trace
from connectors.rss.settings import Settings
from tests.connectors.rss.samples import item
from tests.connectors.rss.site import NOW, opened, titles

T0 = datetime(2027, 3, 1, 9, tzinfo=UTC)


LINK = {"link": "https://acme.example/1"}


async def test_each_entry_is_told_once() -> None:
    async with opened() as site:
        assert titles(await site.poll(item("1", "one"))) == ["one"]
        assert await site.poll(item("1", "one")) == Page()
        assert titles(await site.poll(item("2", "two"), item("1", "one"))) == ["two"]


async def test_a_changed_text_is_an_edit() -> None:
    async with opened() as site:
        (first,) = (await site.poll(item("1", "t", "one"))).messages
        (second,) = (await site.poll(item("1", "t", "two"))).messages
        (third,) = (await site.poll(item("1", "t", "one"))).messages
        assert first.id == second.id == third.id
        assert "" == first.revision < second.revision < third.revision


async def test_another_date_is_no_edit() -> None:
    """Some sites date all entries anew with each publication."""
    async with opened() as site:
        await site.poll(item("2", "two", at=T0), item("1", "one", at=T0))
        later = T0 + timedelta(hours=5)
        assert (await site.poll(item("2", "two", at=later), item("1", "one", at=later))).messages == ()


async def test_another_guid_of_the_same_entry_is_nothing_new() -> None:
    async with opened() as site:
        await site.poll(item("a", "one", "text", at=T0, more=LINK))
        page = await site.poll(item("b", "one", "text", at=T0, more=LINK))
        assert (page.messages, page.gaps) == ((), ())
        again = await site.poll(item("b", "one", "text", at=T0, more=LINK), item("0", "old", "x"))
        assert [message.text for message in again.messages] == ["old\n\nx"]


async def test_a_site_that_turns_to_https_tells_nothing_twice() -> None:
    async with opened() as site:
        await site.poll(item("http://acme.example/1", "one", more={"link": "http://acme.example/1"}))
        page = await site.poll(item("https://acme.example/1", "one", more={"link": "https://acme.example/1"}))
        assert (page.messages, page.gaps) == ((), ())


async def test_what_could_not_be_read_is_not_tried_again_until_it_changes() -> None:
    read: list[bytes] = []

    async def hopeless(document: Document) -> Feed:
        read.append(document.body)
        raise Hopeless("too long")

    async with opened() as site:
        site.body = b"<rss>"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("connectors.rss.connector.read_apart", hopeless)
            reader = Rss(Settings(url=site.url), site.http, lambda: NOW)
            for body in (b"<rss>", b"<rss>", b"<rss/>"):
                site.body = body
                with pytest.raises(Unreachable) as caught:
                    await reader.poll(None)
                assert caught.value.retry_after == timedelta(minutes=5)
    assert read == [b"<rss>", b"<rss/>"]


async def test_two_entries_that_say_the_same_are_two() -> None:
    """A status page says `investigating` again and again, and links to itself."""
    async with opened() as site:
        await site.poll(item("a", "Investigating", more=LINK))
        page = await site.poll(item("b", "Investigating", more=LINK), item("a", "Investigating", more=LINK))
        assert titles(page) == ["Investigating"]


async def test_without_a_guid_the_link_tells_and_without_a_link_the_text() -> None:
    async with opened() as site:
        page = await site.poll(item("", "linked", more=LINK), item("", "bare"))
        assert {message.text for message in page.messages} == {"linked", "bare"}
        assert LINK["link"] in {message.id for message in page.messages}
        again = await site.poll(item("", "linked, edited", more=LINK), item("", "bare"))
        assert [message.revision > "" for message in again.messages] == [True]


async def test_an_entry_that_vanished_and_came_back_is_nothing_new() -> None:
    async with opened() as site:
        await site.poll(item("2", "two"), item("1", "one"))
        assert (await site.poll(item("1", "one"))).messages == ()
        assert (await site.poll(item("2", "two"), item("1", "one"))).messages == ()


async def test_the_oldest_comes_first() -> None:
    at = [T0 + timedelta(hours=hour) for hour in range(3)]
    async with opened() as site:
        dated = await site.poll(item("b", "1", at=at[1]), item("c", "2", at=at[2]), item("a", "0", at=at[0]))
        undated = await site.poll(item("f", "5"), item("e", "4", at=at[1]), item("d", "3", at=at[2]))
        assert titles(dated) == ["0", "1", "2"]
        assert titles(undated) == ["3", "4", "5"]


async def test_what_is_undated_or_dated_ahead_was_sent_when_first_seen() -> None:
    async with opened() as site:
        written = [
            item("1", "a"),
            item("2", "b", pubDate="Thu, 01 Jan 2099 00:00:00 GMT"),
            item("3", "c", pubDate="soon"),
        ]
        page = await site.poll(*written, item("4", "d", pubDate=format_datetime(T0)))
        assert {message.text: message.sent_at for message in page.messages} == {"a": NOW, "b": NOW, "c": NOW, "d": T0}


async def test_a_title_that_the_text_repeats_is_told_once() -> None:
    async with opened() as site:
        page = await site.poll(
            item("1", "The zip broke on…", "The zip broke on day one."), item("2", "Title", "Text"), item("3", "Alone")
        )
        assert {message.text for message in page.messages} == {"The zip broke on day one.", "Title\n\nText", "Alone"}


async def test_the_author_is_who_is_named_else_the_feed() -> None:
    async with opened() as site:
        page = await site.poll(item("1", "a", more={"dc:creator": "Mei"}), item("2", "b"))
        assert {(one.author.id, one.author.name) for one in page.messages} == {
            ("Mei", "Mei"),
            ("127.0.0.1", "Acme News"),
        }


async def test_what_was_unreadable_is_told_once() -> None:
    async with opened() as site:
        first = await site.poll(item("1", "one"), "<item></item>")
        second = await site.poll(item("2", "two"), item("1", "one"), "<item></item>")
        assert [len(first.unreadable), len(second.unreadable)] == [1, 0]


async def test_an_etag_that_never_changes_hides_nothing_from_a_server_that_ignores_it() -> None:
    async with opened() as site:
        await site.poll(item("1", "one"))
        assert titles(await site.poll(item("2", "two"), item("1", "one"))) == ["two"]
        assert site.asked == ["", '"same"']


async def test_another_address_in_the_file_starts_without_the_old_validators() -> None:
    async with opened() as site:
        await site.poll(item("1", "one"))
        other = site.url.replace("feed.xml", "other.xml")
        assert titles(await site.poll(item("2", "two"), item("1", "one"), url=other)) == ["two"]
        assert site.asked == ["", ""]


async def test_the_cursor_stays_small() -> None:
    """A year of a lively feed: what it shows now, and a while of what it showed."""
    async with opened() as site:
        for start in range(0, 3_000, 1_000):
            await site.poll(*(item(f"guid-{at}", f"title {at}") for at in range(start + 1_000, start, -1)))
        assert site.cursor is not None
        assert len(site.cursor) < 45_000
        assert len(Marker.of(site.cursor, site.url).seen) == 1_000 + GONE_KEPT


def test_each_setting_says_what_it_is() -> None:
    fields = Settings.model_fields
    assert [name for name, field in fields.items() if not field.description] == []
    assert "`10s` to `1d`" in str(fields["poll_every"].description)


async def test_a_feed_that_keeps_a_parser_busy_for_hours_is_given_up() -> None:
    """A pattern of feedparser is quadratic in this: in a thread it would hold up the whole daemon."""
    hours = (
        b"<rss version='2.0'><channel><item><title>t</title><author>"
        + b"a" * 3_000_000
        + b"</author></item></channel></rss>"
    )
    with pytest.raises(Unreachable, match="too long"):
        await read_apart(Document(body=hours, url="https://acme.example/"), within=1.0)


@given(st.text(max_size=60))
def test_any_text_may_stand_where_a_cursor_stood(text: str) -> None:
    marker = Marker.of(Cursor(text), "https://acme.example/")
    assert Marker.of(marker.cursor(), "https://acme.example/") == marker


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=9), st.text(max_size=9))
def test_a_cursor_comes_back_as_it_was(entries: list[tuple[str, str]], etag: str) -> None:
    traces = [trace(guid, Entry(guid=guid, title=title, link="https://acme.example/")) for guid, title in entries]
    marker = Marker.of(None, "url").validated(etag, "", "", b"x").seeing(traces)
    assert Marker.of(marker.cursor(), "url") == marker


@pytest.mark.parametrize(
    "url",
    [
        "ftp://acme.example/x",
        "/feed.xml",
        "http://10.0.0.5/feed",
        "https://me:secret@acme.example/feed",
        "http://[",
        "",
    ],
)
def test_addresses_that_cannot_be_fetched_are_found_by_check(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://10.0.0.5/feed", "http://acme.example/feed", "http://127.0.0.1:8000/feed", "https://intranet/feed"]
)
def test_addresses_that_can(url: str) -> None:
    assert Settings(url=url).url == url
