from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.slack.blocks import spoken
from connectors.slack.mrkdwn import escaped, mentioned, plain


@given(st.text())
def test_what_goes_out_comes_in_as_it_was(text: str) -> None:
    assert plain(escaped(text)) == text
    assert not set("<>") & set(escaped(text))


@given(st.text(alphabet="<>@#!|&;amptlg CU1^{}:/", max_size=60))
def test_whatever_is_written_is_read(text: str) -> None:
    assert isinstance(plain(text), str)
    assert mentioned(text) is not None


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("<@U012AB3CD> my parcel", "@U012AB3CD my parcel"),
        ("<@U1|ming>, hi", "@ming, hi"),
        ("see <#C1|general> or <#C2> or <#C3|>", "see #general or #C2 or #C3"),
        ("<!here> <!channel> <!everyone>", "@here @channel @everyone"),
        ("<!subteam^S1|@care> <!subteam^S2>", "@care @S2"),
        ("until <!date^1392734382^{date}|18 Feb>", "until 18 Feb"),
        ("<https://acme.example/a?b=1&amp;c=2>", "https://acme.example/a?b=1&c=2"),
        ("<https://acme.example|our shop>", "our shop (https://acme.example)"),
        ("<http://acme.com|acme.com>", "acme.com"),
        ("<mailto:bob@acme.example|bob@acme.example>", "bob@acme.example"),
        ("<tel:+861380000|+86 138 0000>", "+86 138 0000"),
        ("1 &lt; 2 &amp;amp; 3 &gt; 2 &quot;", "1 < 2 &amp; 3 > 2 &quot;"),
        ("*bold* _it_ ~no~ `code` :wave:", "*bold* _it_ ~no~ `code` :wave:"),
        ("<> < > <|x>", "<> < > x"),
        ("<@U1", "<@U1"),
        ("我的卡被盗刷了 <https://例子.中国|看>", "我的卡被盗刷了 看 (https://例子.中国)"),
    ],
)
def test_markup_reads_as_it_looked(marked: str, shown: str) -> None:
    assert plain(marked) == shown


def test_nobody_is_called_by_what_we_say() -> None:
    assert escaped("<!channel> <@U1> & <https://x|y>") == "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;https://x|y&gt;"


RICH = [
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [
                    {"type": "text", "text": "Hi "},
                    {"type": "user", "user_id": "U1"},
                    {"type": "emoji", "name": "wave"},
                    {"type": "link", "url": "https://a.example", "text": "shop"},
                ],
            },
            {"type": "rich_text_list", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "channel", "channel_id": "C1"}]},
                {"type": "rich_text_section", "elements": [{"type": "broadcast", "range": "here"}]},
            ]},
        ],
    }
]  # fmt: skip


def test_blocks_are_read_where_there_is_no_text() -> None:
    assert spoken(RICH, None) == "Hi @U1:wave:shop (https://a.example)\n#C1\n@here"


def test_sections_headers_contexts_and_attachments() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Order <7>"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "is &lt;late&gt;"},
            "fields": [{"type": "mrkdwn", "text": "f"}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by <@U1>"}, {"type": "image", "alt_text": "x"}]},
        {"type": "divider"},
    ]
    attachments = [{"pretext": "p", "text": "t", "fallback": "f"}, {"fallback": "only this"}, {"blocks": RICH}]
    lines = ["Order <7>", "is <late>", "f", "by @U1", "p", "t", "only this", *spoken(RICH, None).split("\n")]
    assert spoken(blocks, attachments).split("\n") == lines


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["rich_text", "mrkdwn", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "fields", "blocks"]) | st.text(max_size=3), inner
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_whatever_blocks_are_they_break_nothing(blocks: object, attachments: object) -> None:
    spoken(blocks, attachments).encode("utf-8", "surrogatepass")
    spoken([blocks], [attachments])


def test_deep_and_huge_blocks_are_cut() -> None:
    deep: object = RICH
    for _ in range(5_000):
        deep = [{"type": "x", "elements": deep}]
    assert spoken(deep, None) == ""
    assert len(spoken([{"type": "header", "text": {"type": "plain_text", "text": "x" * 100_000}}], None)) == 40_000
