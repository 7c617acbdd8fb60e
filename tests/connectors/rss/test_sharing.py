"""Sites that do not keep identities apart: nobody's words are swallowed, nothing is told again and again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rss.feed import ENTRIES_AT_MOST, Entry, Feed
from connectors.rss.marker import Marker
from connectors.rss.news import news_of
from tests.connectors.rss.samples import atom, item
from tests.connectors.rss.site import NOW, opened, titles

DAY = [datetime(2027, 1, day, tzinfo=UTC) for day in range(1, 29)]
SHOP = {"link": "https://shop.example/p1"}


def review(guid: str, author: str, day: int, words: str = "Broken on day one") -> str:
    return item(guid, words, at=DAY[day], more={**SHOP, "dc:creator": author})


def version(guid: str, words: str, day: int, author: str = "Mei") -> str:
    return (
        f"<id>{guid}</id><title>{words}</title><author><name>{author}</name></author>"
        f"<published>{DAY[0].isoformat()}</published><updated>{DAY[day].isoformat()}</updated>"
    )


async def test_a_customer_who_says_what_another_said_is_heard() -> None:
    """The feed shows two; one leaves as the next one comes, with the same words about the same product."""
    async with opened() as site:
        await site.poll(review("r2", "Li", 2), review("r1", "Mei", 1))
        page = await site.poll(review("r3", "Wang", 3), review("r2", "Li", 2))
        assert [message.author.name for message in page.messages] == ["Wang"]


@pytest.mark.parametrize("author", ["Li", "Mei"])
async def test_what_left_long_ago_makes_nothing_a_renamed_entry(author: str) -> None:
    async with opened() as site:
        await site.poll(review("r1", "Mei", 1))
        await site.poll(review("r2", "Li", 2, "Good"))
        page = await site.poll(review("r3", author, 1), review("r2", "Li", 2, "Good"))
        assert titles(page) == ["Broken on day one"]


async def test_one_that_left_stands_for_one_that_came() -> None:
    async with opened() as site:
        await site.poll(review("a", "Mei", 1))
        page = await site.poll(review("c", "Mei", 1), review("b", "Mei", 1))
        assert len(page.messages) == 1


async def test_without_a_date_nobody_knows_whether_a_guid_was_renamed() -> None:
    async with opened() as site:
        await site.poll(item("a", "Investigating", more=SHOP))
        assert titles(await site.poll(item("b", "Investigating", more=SHOP))) == ["Investigating"]


SHARING = {
    "one link for all": [item("", words, more=SHOP) for words in "ABC"],
    "a constant guid": [item("0", words) for words in "ABC"],
    "an empty link and no guid": [f"<item><title>{words}</title><link></link></item>" for words in "ABC"],
    "equal words, undated": [item("", "Great", "same") for _ in "ABC"],
    "equal words, dated": [item("0", "Great", at=DAY[day]) for day in range(3)],
    "equal words, authors": [item("0", "Great", more={"dc:creator": name}) for name in "ABC"],
}


@pytest.mark.parametrize("items", SHARING.values(), ids=SHARING.keys())
async def test_all_that_share_an_identity_are_told_once(items: list[str]) -> None:
    more = item("last", "last")
    async with opened() as site:
        first = await site.poll(*items)
        assert len({message.id for message in first.messages}) == len(first.messages) == len(items)
        assert titles(await site.poll(more, *items)) == ["last"]
        assert (await site.poll(more, *items[:2])).messages == ()
        assert (await site.poll(more, items[0])).messages == ()


DATED_NOW: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "one link for all": [("", words, SHOP) for words in "AB"],
    "no guid and no link": [("", words, {}) for words in "AB"],
    "a constant guid": [("0", "A", {"dc:creator": name}) for name in ("Mei", "Li")],
    "alike in all": [("", "A", SHOP), ("", "A", SHOP)],
}


@pytest.mark.parametrize("entries", DATED_NOW.values(), ids=DATED_NOW.keys())
async def test_entries_dated_anew_at_each_request_are_told_once(entries: list[tuple[str, str, dict[str, str]]]) -> None:
    async with opened() as site:
        for told in (2, 0, 0):
            page = await site.poll(*(item(guid, words, at=site.now, more=more) for guid, words, more in entries))
            assert (len(page.messages), page.gaps) == (told, ())


async def test_one_by_one_they_are_told_too() -> None:
    """The first was alone and had the identity for itself."""
    one, two, three = SHARING["one link for all"]
    async with opened() as site:
        told = [titles(await site.poll(*items)) for items in ([one], [two, one], [two], [three], [three, two, one])]
        assert told == [["A"], ["B"], [], ["C"], []]


async def test_the_same_guid_twice_is_no_edit_at_each_poll() -> None:
    old, new = item("g", "old", at=DAY[1]), item("g", "new", at=DAY[2])
    async with opened() as site:
        assert titles(await site.poll(old, new)) == ["old", "new"]
        for count in range(3):
            assert titles(await site.poll(old, new, item(f"z{count}", f"z{count}"))) == [f"z{count}"]


async def test_the_same_entry_twice_is_one() -> None:
    async with opened() as site:
        assert titles(await site.poll(item("g", "one"), item("g", "one"))) == ["one"]


async def test_versions_in_atom_are_edits_and_the_newest_stands_at_last() -> None:
    one, two, three = (version("g", f"v{at}", at) for at in (1, 2, 3))
    async with opened() as site:
        first = await site.read(atom(two, one))
        assert [(message.id, message.text, message.revision > "") for message in first.messages] == [
            ("g", "v1", False),
            ("g", "v2", True),
        ]
        assert (await site.read(atom(two, one, version("z", "z", 4)))).messages[0].text == "z"
        assert (await site.read(atom(two))).messages == ()
        later = await site.read(atom(one, two, three))
        assert [(message.text, message.revision > "") for message in later.messages] == [("v3", True)]


async def test_several_edits_of_one_poll_are_in_order() -> None:
    async with opened() as site:
        page = await site.read(atom(*(version("g", f"v{at}", at) for at in range(12, 0, -1))))
        revisions = [message.revision for message in page.messages]
        assert titles(page) == [f"v{at}" for at in range(1, 13)]
        assert revisions == sorted(set(revisions))
        (after,) = (await site.read(atom(version("g", "v13", 13)))).messages
        assert after.revision > revisions[-1]


async def test_an_older_version_that_appears_is_not_told_over_the_newer() -> None:
    async with opened() as site:
        await site.read(atom(version("g", "v2", 2)))
        assert (await site.read(atom(version("g", "v2", 2), version("g", "v1", 1)))).messages == ()


async def test_what_different_people_wrote_are_no_versions() -> None:
    async with opened() as site:
        page = await site.read(atom(version("g", "Great", 2, "Li"), version("g", "Great", 1, "Mei")))
        assert len({message.id for message in page.messages}) == 2


ENTRIES = st.lists(
    st.builds(
        Entry,
        guid=st.sampled_from(["", "0", "1"]),
        link=st.sampled_from(["", "https://a.example/1", "http://a.example/1"]),
        title=st.sampled_from(["x", "y"]),
        author=st.sampled_from(["", "Mei"]),
        at=st.sampled_from([None, 1.0, 2.0]),
        updated=st.sampled_from([None, 1.0, 2.0]),
    ),
    max_size=8,
)


@given(st.sampled_from(["rss20", "atom10"]), ENTRIES)
def test_of_any_document_all_is_told_and_then_nothing(kind: str, entries: list[Entry]) -> None:
    feed = Feed(version=kind, entries=tuple(entries))
    marker = Marker.of(None, "url")
    first = news_of(feed, marker)
    guided = {entry for entry in entries if entry.guid}
    assert Counter(one.entry for one in first.told) == Counter(
        {
            **dict.fromkeys(guided, 1),
            **Counter(entry for entry in entries if not entry.guid),
        }
    )
    assert len({(one.id, one.edit) for one in first.told}) == len(first.told)
    seen = marker.seeing(list(first.traces))
    assert news_of(feed, seen).told == ()
    back = Marker.of(seen.seeing([]).cursor(), "url")
    assert news_of(feed, back).told == ()


@given(ENTRIES, ENTRIES)
def test_a_longer_document_tells_no_less(before: list[Entry], after: list[Entry]) -> None:
    """What was not there before, in any of its words, is told."""
    marker = Marker.of(None, "url")
    seen = marker.seeing(list(news_of(Feed(entries=tuple(before)), marker).traces))
    told = [one.entry for one in news_of(Feed(entries=(*after, *before)), seen).told]
    words = {(one.title, one.author, one.at, one.link.partition("://")[2]) for one in before}
    fresh = [one for one in after if (one.title, one.author, one.at, one.link.partition("://")[2]) not in words]
    assert all(any(one.title == entry.title and one.author == entry.author for one in told) for entry in fresh)


async def test_a_feed_that_is_too_long_is_a_gap_once() -> None:
    async with opened() as site:
        gaps: list[int | None] = []
        for newest in (ENTRIES_AT_MOST + 3, ENTRIES_AT_MOST + 4, ENTRIES_AT_MOST + 5):
            page = await site.poll(*(item(str(at), f"t{at}") for at in range(newest, 0, -1)))
            gaps += [gap.count for gap in page.gaps]
            assert page.messages
        assert gaps == [3]


async def test_a_gap_begins_at_the_last_poll_and_not_at_the_last_change() -> None:
    pair = item("1", "one"), item("0", "zero")
    async with opened() as site:
        for _ in range(4):
            await site.poll(*pair)
        (gap,) = (await site.poll(item("2", "two"))).gaps
        assert (gap.since, gap.until) == (NOW + timedelta(minutes=15), NOW + timedelta(minutes=20))


async def test_two_feeds_without_a_link_that_have_nothing_in_common_are_a_gap() -> None:
    async with opened() as site:
        await site.poll(item("1", "one"), item("0", "zero"))
        assert len((await site.poll(item("2", "two"))).gaps) == 1


@pytest.mark.parametrize("between", [[], [item("", "one", more=SHOP)], ["<item></item>", item("1", "one")]])
async def test_after_none_or_a_single_entry_there_is_no_gap(between: list[str]) -> None:
    """A feed that was empty for a while, and one that holds only its latest entry."""
    async with opened() as site:
        pages = [await site.poll(*items) for items in ([item("0", "zero")], between, [item("2", "two")])]
        assert titles(pages[-1]) == ["two"]
        assert [gap for page in pages for gap in page.gaps] == []
