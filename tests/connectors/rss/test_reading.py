"""Documents into entries: what is there is read, whatever stands beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rss.feed import ENTRIES_AT_MOST, TEXT_AT_MOST, Document
from connectors.rss.reading import NotAFeed, read
from tests.connectors.rss.samples import atom, item, read_bytes, rss

AWKWARD = "Ça va? 我的卡被盜刷了 👩‍👩‍👧 <b>1 &lt; 2 & 3</b> \"'\\ {name} %s\nsecond line"
BROKEN = "<item><title>two</title><description>&nbsp;&oops; <b></description></item>"


def test_a_text_comes_in_as_it_was_meant() -> None:
    (one,) = read_bytes(rss(item("1", "title", AWKWARD))).entries
    assert (one.guid, one.title, one.text) == ("1", "title", AWKWARD)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a &lt;b&gt;bold&lt;/b&gt; word", "a bold word"),
        ("one&lt;br/&gt;two", "one\ntwo"),
        ("&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;", "one\n\ntwo"),
        ("<![CDATA[<i>Tom &amp; Jerry</i>]]>", "Tom & Jerry"),
        ("&amp;eacute;t&amp;#233;", "été"),
        ("x&lt;script&gt;alert(1)&lt;/script&gt;y", "xy"),
        ("x&lt;style&gt;p{}&lt;/style&gt;y", "xy"),
        ("&lt;a href='javascript:alert(1)'&gt;tap&lt;/a&gt;", "tap"),
        ("plain\n  lines\nstay", "plain\n  lines\nstay"),
        ("1 &lt; 2", "1 < 2"),
        ("&lt;li&gt;a&lt;/li&gt;&lt;li&gt;b&lt;/li&gt;", "a\n\nb"),
    ],
)
def test_markup_becomes_plain_text(written: str, shown: str) -> None:
    (one,) = read_bytes(rss(f"<item><guid>1</guid><description>{written}</description></item>")).entries
    assert one.text == shown


def test_in_atom_a_text_is_what_it_says_it_is() -> None:
    plain, marked = (
        "<id>1</id><title type='text'>1 &lt;b&gt; 2</title>",
        "<id>2</id><title type='html'>&lt;b&gt;x</title>",
    )
    first, second = read_bytes(atom(plain, marked)).entries
    assert (first.title, second.title) == ("1 <b> 2", "x")


def test_the_fullest_text_is_taken() -> None:
    entry = (
        "<id>1</id><summary>short</summary><content type='xhtml'>"
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>long and <b>whole</b></p></div></content>"
    )
    assert read_bytes(atom(entry)).entries[0].text == "long and whole"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("/p/1", "https://acme.example/p/1"),
        ("p?a=1&amp;b=2", "https://acme.example/blog/p?a=1&b=2"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("http://[", ""),
        ("https://acme.example/" + "x" * 5_000, ""),
        ("", ""),
        (" ", ""),
        ("#comments", ""),
        ("https://acme.example/blog/feed.xml?key=s3cret", ""),
        ("?key=s3cret#top", ""),
        ("?p=2", "https://acme.example/blog/feed.xml?p=2"),
        ("#top&#10;", ""),
    ],
)
def test_links_are_absolute_and_safe(written: str, read_as: str) -> None:
    body = rss(f"<item><title>t</title><link>{written}</link><enclosure url='{written}' type='x/y'/></item>")
    (one,) = read_bytes(body, url="https://acme.example/blog/feed.xml?key=s3cret").entries
    assert one.link == read_as
    assert [file.href for file in one.enclosures] == [read_as] * bool(read_as)


def test_files_that_come_along() -> None:
    more = (
        "<item><title>t</title><enclosure url='/a.mp3' type='audio/mpeg' length='1'/>"
        "<media:content url='https://cdn.example/b.jpg' type='image/jpeg'/>"
        "<enclosure url='javascript:x' type='audio/mp3'/>"
        "<media:thumbnail url='https://cdn.example/b.jpg'/></item>"
    )
    (one,) = read_bytes(rss(more)).entries
    assert [(file.href, file.type) for file in one.enclosures] == [
        ("https://acme.example/a.mp3", "audio/mpeg"),
        ("https://cdn.example/b.jpg", "image/jpeg"),
    ]


def test_dates_and_authors() -> None:
    at = datetime(2027, 1, 31, 9, tzinfo=UTC)
    dated, odd = read_bytes(
        rss(
            item("1", "t", at=at, more={"dc:creator": "Mei &lt;b&gt;"}),
            item("2", "u", pubDate="soon", author="m@acme.example (Mei)"),
        )
    ).entries
    assert (dated.at, odd.at) == (at.timestamp(), None)
    assert odd.author == "Mei"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "gbk", "gb18030", "big5", "euc-kr", "shift_jis"])
@pytest.mark.parametrize("header", ["", "text/xml", "application/rss+xml; charset=iso-8859-1"])
def test_encodings_are_known_by_what_the_document_says(encoding: str, header: str) -> None:
    words = {"gbk": "盗刷", "gb18030": "盗刷", "big5": "盜刷", "euc-kr": "카드", "shift_jis": "カード"}.get(
        encoding, "盗刷 盜刷"
    )
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + rss(item("1", words)).decode()
    assert [one.title for one in read_bytes(text.encode(encoding), header).entries] == [words]


def test_a_header_that_knows_better_is_believed() -> None:
    body = rss(item("1", "盜刷")).decode().encode("big5")
    assert read_bytes(body, "text/xml; charset=big5").entries[0].title == "盜刷"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("<item></item>", "without text or link"),
        ("<item><title></title><description> </description></item>", "without text or link"),
    ],
)
def test_one_that_nobody_can_read_is_counted(broken: str, reason: str) -> None:
    feed = read_bytes(rss(item("1", "one"), broken, item("3", "three")))
    assert [one.title for one in feed.entries] == ["one", "three"]
    assert [reason in one.reason for one in feed.lost] == [True]


@pytest.mark.parametrize(
    "second",
    [
        BROKEN,
        "<item><title>two</title><description><![CDATA[never closed </description></item>",
        "<item><title>two</title><!-- never closed <description>x</description></item>",
        "<item><title>two & two</title></item>",
        "<item><title>two\x0b\x00</title></item>",
        "<item><title>two</wrong></item>",
        "<item><title>two</title><a:b>no such prefix</a:b></item>",
        "<item><title>two &#0; &#x110000; &#99999999999;</title></item>",
        "<item><title>two</title><link>x</item>",
    ],
)
def test_a_broken_entry_spoils_no_other(second: str) -> None:
    feed = read_bytes(rss(item("1", "one"), second, item("3", "three"), item("4", "four")))
    assert [one.title for one in feed.entries if not one.title.startswith("two")] == ["one", "three", "four"]
    assert len(feed.entries) + len(feed.lost) == 4


QUOTING = "<item><guid>q</guid><title>Help</title><description><![CDATA[<item>x</item> <b>y</b>]]></description></item>"


@pytest.mark.parametrize("neighbour", ["<title>b & c</title>", "<title>b &nbsp; c</title>", "<title>b</titel>"])
@pytest.mark.parametrize(
    ("beside", "found"),
    [
        (QUOTING, ["Help"]),
        ("<!-- <item><title>draft</title></item> -->", []),
        ("<!-- <item> --><item><title>one</title></item><!-- </item> -->", ["one"]),
        ("<item><title>one</title><!-- </item> --><guid>1</guid></item>", ["one"]),
    ],
)
def test_a_bad_neighbour_spoils_no_entry_that_quotes_markup(beside: str, found: list[str], neighbour: str) -> None:
    for items in ((beside, f"<item>{neighbour}</item>"), (f"<item>{neighbour}</item>", beside)):
        feed = read_bytes(rss(*items))
        assert [one.title for one in feed.entries if not one.title.startswith("b")] == found
        assert len(feed.entries) + len(feed.lost) == len(found) + 1


def test_what_was_never_closed_hides_no_other() -> None:
    for opened in ("<![CDATA[", "<!--"):
        feed = read_bytes(rss(f"<item><title>a {opened} </title></item>", QUOTING, item("3", "three")))
        assert [one.title for one in feed.entries if one.title in {"Help", "three"}] == ["Help", "three"]


def test_what_is_cut_off_is_not_taken_for_whole() -> None:
    """A guid that is cut off would be another entry's."""
    whole = rss(item("guid-1", "one"), item("guid-2", "two"))
    feed = read_bytes(whole[: whole.index(b"guid-2") + 5])
    assert [one.guid for one in feed.entries] == ["guid-1"]
    assert [b"<item>" in one.raw and "cut off" in one.reason for one in feed.lost] == [True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\x00",
        b"{}",
        b'{"half of',
        b"<html><body>Sign in</body></html>",
        b"not a feed",
        b"<a>" * 1_000,
        b"\xff\xfe",
        b"&" * 99,
    ],
)
def test_what_is_no_feed_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read_bytes(body)


def test_an_empty_feed_is_a_feed() -> None:
    assert read_bytes(rss()).entries == ()


def test_bounds() -> None:
    many = rss(*(item(str(at), f"t{at}") for at in range(ENTRIES_AT_MOST + 7)))
    feed = read_bytes(many)
    assert (len(feed.entries), feed.beyond) == (ENTRIES_AT_MOST, 7)
    (one,) = read_bytes(rss(item("1", "t", "word " * 20_000))).entries
    assert len(one.text) == TEXT_AT_MOST


def test_entities_of_the_document_itself_fill_no_memory() -> None:
    laughs = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10 if at else "ha"}">\n' for at in range(30))
    bomb = f'<?xml version="1.0"?>\n<!DOCTYPE rss [\n{laughs}<!ENTITY x SYSTEM "file:///etc/passwd">\n]>\n'
    body = rss("<item><title>one &l29; &x;</title></item>", item("2", "two"), head=bomb)
    feed = read_bytes(body)
    assert len(feed.entries) == 2
    assert all(len(one.title) < 100 and "root:" not in one.title for one in feed.entries)


@given(st.binary(max_size=400), st.text(max_size=40))
def test_nothing_but_a_feed_or_a_word_comes_out(body: bytes, header: str) -> None:
    try:
        feed = read(Document(body=body, url="https://acme.example/", content_type=header))
    except NotAFeed:
        return
    assert len(feed.entries) <= ENTRIES_AT_MOST


FRAGMENTS = st.lists(
    st.sampled_from([
        "<item>", "</item>", "<title>", "</title>", "<link>", "</link>", "<guid>", "</guid>", "text", "&amp;", "&x;",
        "&#0;", "&#xD800;", "<![CDATA[", "]]>", "<!--", "-->", "<", ">", "\x00", "\ud83d", "<description>",
        "</description>", "<entry>", "</entry>", "<pubDate>", "</pubDate>", "1", "<?xml", "?>", "<media:content url='",
        "'/>", "http://[", "<author>", "<category>", "<dc:date>", "9999-99-99", "</channel>", "</rss>", "😀",
    ]),
    max_size=40,
).map("".join)  # fmt: skip


@given(FRAGMENTS)
def test_whatever_stands_between_two_good_entries(between: str) -> None:
    """Nothing crashes, and the first of them is always read: what comes after may be swallowed by an open comment."""
    body = (
        rss(item("1", "first")).replace(b"</channel></rss>", between.encode("utf-8", "surrogatepass"))
        + b"<item><guid>9</guid><title>last</title></item></channel></rss>"
    )
    feed = read(Document(body=body, url="https://acme.example/"))
    told = [one.title for one in feed.entries] + [one.raw.decode(errors="replace") for one in feed.lost]
    assert any("first" in one for one in told)
    assert all("\x00" not in one.title + one.text + one.guid for one in feed.entries)
    for one in feed.entries:
        (one.title + one.text + one.author + one.guid).encode()  # no half of a surrogate pair
