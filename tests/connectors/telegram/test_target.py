from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.api import Refused
from connectors.telegram.target import Target, split_id, utf16_length

CHATS = st.integers(-(10**18), 10**18)
TOPICS = st.none() | st.integers(1, 2**31)
PLACES = st.builds(
    Target,
    chat=CHATS,
    topic=TOPICS,
    direct=st.just(False),
    business=st.none() | st.text(min_size=1).filter(str.isprintable),
)


@given(PLACES)
def test_a_thread_leads_back_to_its_place(target: Target) -> None:
    assert Target.parse(target.thread) == target


@given(CHATS, st.integers(1, 2**31), st.integers(0, 2**40))
def test_an_id_leads_back_to_its_message(chat: int, topic: int, number: int) -> None:
    target = Target(chat=chat, topic=topic, direct=True)
    assert split_id(target.message_id(number)) == (Target(chat=chat), number)


@pytest.mark.parametrize("thread", ["", "x", "1/", "1/x", "b:1", "b::1", "C123", "1 ", "１", "9" * 30])
def test_what_is_no_thread_of_ours_is_refused(thread: str) -> None:
    with pytest.raises(Refused):
        Target.parse(thread)


@pytest.mark.parametrize("identity", ["", "1", "1/", "1/g5", "1/²", "a/5", "1/-5"])
def test_what_is_no_message_of_ours_is_refused(identity: str) -> None:
    with pytest.raises(Refused):
        split_id(identity)


@given(st.text())
def test_the_length_is_what_telegram_counts(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_an_emoji_counts_twice() -> None:
    assert utf16_length("好📦") == 3
