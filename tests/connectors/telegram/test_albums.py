from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.api import Message
from connectors.telegram.albums import Albums
from connectors.telegram.parsing import Parsed, parse
from connectors.telegram.target import message_number
from tests.connectors.telegram.samples import DATE, ME, post, update

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def items(*raws: dict[str, Any]) -> list[Parsed]:
    return [parsed for raw in raws for parsed in parse(raw, ME, NOW)]


def photo(
    number: int, caption: str | None = None, kind: str = "message", album: str = "99", **more: object
) -> dict[str, Any]:
    content = {
        "photo": [{"file_id": f"F{number}"}],
        "media_group_id": album,
        **({"caption": caption} if caption else {}),
    }
    return update(kind, text=None, number=number, **content, **more)


def refs(message: Message) -> list[str | None]:
    return [part.ref for part in message.parts]


def test_an_album_is_one_message_at_the_place_of_its_first_item() -> None:
    page = items(update(number=6), photo(7, "broken"), photo(8), update(number=9), photo(10, "both of them"))
    messages = Albums().gather(page)
    assert [message.id for message in messages] == ["501/6", "501/g99", "501/9"]
    album = messages[1]
    assert album.text == "broken\nboth of them"
    assert refs(album) == ["7/F7", "8/F8", "10/F10"]
    assert album.revision == ""


def test_a_reply_to_an_album_goes_to_its_first_message() -> None:
    [album] = Albums().gather(items(photo(8), photo(7)))
    assert message_number(album.id, album.parts[0].ref) == 7
    assert message_number(album.id, None) is None


def test_a_reply_to_one_photo_answers_the_album() -> None:
    [parsed] = items(update(number=9, reply_to_message=post(None, number=8, media_group_id="99")))
    assert parsed.message.in_reply_to == "501/g99"


def test_a_late_item_makes_a_revision_of_the_whole() -> None:
    albums = Albums()
    [original] = albums.gather(items(photo(7, "broken")))
    [second] = albums.gather(items(photo(8)))
    [third] = albums.gather(items(photo(9, "see?")))
    assert original.id == second.id == third.id
    assert original.revision < second.revision < third.revision
    assert (third.text, refs(third)) == ("broken\nsee?", ["7/F7", "8/F8", "9/F9"])


def test_a_page_that_comes_again_makes_the_same_message_again() -> None:
    albums = Albums()
    page = items(photo(7, "broken"), photo(8))
    assert albums.gather(page) == albums.gather(page)
    late = items(photo(9))
    assert albums.gather(late) == albums.gather(late)


def test_what_came_meanwhile_joins_a_page_that_comes_again() -> None:
    albums = Albums()
    albums.gather(items(photo(7, "broken")))
    [whole] = albums.gather(items(photo(7, "broken"), photo(8)))
    assert (whole.revision, refs(whole)) == ("", ["7/F7", "8/F8"])


def test_an_edited_caption_keeps_the_rest_of_the_album() -> None:
    albums = Albums()
    [original, edited] = albums.gather(
        items(photo(7, "broken"), photo(8), photo(7, "broken, refund me", "edited_message", edit_date=DATE + 5))
    )
    assert (edited.id, edited.text, refs(edited)) == (original.id, "broken, refund me", ["7/F7", "8/F8"])
    assert original.revision < edited.revision


def test_two_albums_and_two_chats_stay_apart() -> None:
    other = {"id": 502, "type": "private"}
    messages = Albums().gather(items(photo(7), photo(8, album="100"), photo(7, chat=other)))
    assert [message.id for message in messages] == ["501/g99", "501/g100", "502/g99"]


def test_old_albums_are_forgotten() -> None:
    albums = Albums(keep=2)
    for album in ("1", "2", "3"):
        albums.gather(items(photo(7, album=album)))
    [again] = albums.gather(items(photo(8, album="1")))
    assert (again.revision, len(again.parts)) == ("", 1)


def test_plain_messages_are_never_put_together() -> None:
    notice = {
        "deleted_business_messages": {
            "business_connection_id": "A",
            "chat": {"id": 1, "type": "private"},
            "message_ids": [1, 2],
        }
    }
    assert len(Albums().gather(items(notice))) == 2
    twice = [update("edited_message", text=text, edit_date=DATE) for text in ("within", "one second")]
    assert [message.text for message in Albums().gather(items(*twice))] == ["within", "one second"]
