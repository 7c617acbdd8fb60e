"""Where a reply goes, as the text of a thread, and back.

A thread is `<chat>`, `<chat>/<topic>` in a forum, `<chat>/d<topic>` in a channel's direct messages or
`b:<connection>:<chat>` in a business account. An id is the chat's part of it and `/<message>`; an
album's is `/g<album>`, and the ref of each of its parts begins with `<message>/`. All that a reply
needs can thus be read from a stored message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.errors import Refused

__all__ = ["Target", "album_id", "message_number", "split_id", "utf16_length"]

_THREAD = re.compile(r"(?:b:(?P<business>.+):)?(?P<chat>-?[0-9]{1,19})(?:/(?P<direct>d)?(?P<topic>[0-9]{1,19}))?")


def utf16_length(text: str) -> int:
    """Telegram counts UTF-16 code units: an emoji outside the first plane is two."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A chat, and the place in it."""

    chat: int
    topic: int | None = None
    direct: bool = False
    business: str | None = None

    @classmethod
    def parse(cls, thread: str) -> Target:
        """Read a thread. Raises Refused for what is none of ours."""
        match = _THREAD.fullmatch(thread)
        if match is None:
            raise Refused("this thread is not one of Telegram's")
        topic = match["topic"]
        return cls(
            chat=int(match["chat"]),
            topic=None if topic is None else int(topic),
            direct=match["direct"] is not None,
            business=match["business"],
        )

    @property
    def room(self) -> str:
        """Within what message numbers are unique: a business account numbers its own."""
        return str(self.chat) if self.business is None else f"b:{self.business}:{self.chat}"

    @property
    def thread(self) -> str:
        topic = "" if self.topic is None else f"/{'d' if self.direct else ''}{self.topic}"
        return self.room + topic

    def message_id(self, number: int) -> str:
        return f"{self.room}/{number}"


def album_id(target: Target, album: str) -> str:
    return f"{target.room}/g{album}"


def split_id(identity: str) -> tuple[Target, int]:
    """The chat and number of a message that is no album. Raises Refused for what is none of ours."""
    room, _, number = identity.rpartition("/")
    if not number.isascii() or not number.isdigit():
        raise Refused("this message is not one of Telegram's")
    return Target.parse(room), int(number)


def message_number(identity: str, first_part: str | None) -> int | None:
    """Which message of the chat to answer or mark: of an album its first, where its parts are known."""
    tail = identity.rpartition("/")[2]
    if tail.startswith("g"):
        tail = (first_part or "").partition("/")[0]
    return int(tail) if tail.isascii() and tail.isdigit() else None
