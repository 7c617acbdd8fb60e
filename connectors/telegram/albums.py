"""An album is one message, though Telegram tells it item by item."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.api import Message
from connectors.telegram.parsing import Parsed

__all__ = ["Albums"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    message: Message
    told_in: str
    """The revision that first told of this item."""


class Albums:
    """Puts the items of an album together, and remembers the latest albums.

    Items of one page become one message. An item that arrives later makes a revision of it, with the
    whole album as far as known; the same items again, after a commit that failed, make the same
    message again. After a restart a late item makes a message of its own under the album's id.
    """

    def __init__(self, keep: int = 256) -> None:
        self._keep = keep
        self._known: OrderedDict[str, dict[int, _Item]] = OrderedDict()

    def gather(self, parsed: Iterable[Parsed]) -> tuple[Message, ...]:
        """The messages in their order, an album at the place of its first item."""
        groups: dict[tuple[str, str, int], list[Parsed]] = {}
        for place, item in enumerate(parsed, start=1):
            key = (item.message.id, item.message.revision, 0 if item.album else place)
            groups.setdefault(key, []).append(item)
        return tuple(self._album(items) if items[0].album else items[0].message for items in groups.values())

    def _album(self, items: list[Parsed]) -> Message:
        known = self._remembered(items[0].message.id)
        revision = items[0].message.revision or _revision(items, known)
        for item in items:
            told_in = known[item.number].told_in if item.number in known else revision
            known[item.number] = _Item(message=item.message, told_in=told_in)
        return _merged([known[number].message for number in sorted(known)], revision)

    def _remembered(self, identity: str) -> dict[int, _Item]:
        known = self._known.setdefault(identity, {})
        self._known.move_to_end(identity)
        while len(self._known) > self._keep:
            self._known.popitem(last=False)
        return known


def _revision(items: list[Parsed], known: dict[int, _Item]) -> str:
    """That of the album itself, or of what told of these items before, or a new one for late items."""
    told = [known[item.number].told_in for item in items if item.number in known]
    if told or not known:
        return min(told, default="")
    late = items[0]
    return f"{int(late.message.sent_at.timestamp()):012d}.{late.number:012d}"


def _merged(messages: list[Message], revision: str) -> Message:
    first = messages[0]
    return replace(
        first,
        revision=revision,
        text="\n".join(message.text for message in messages if message.text),
        parts=tuple(part for message in messages for part in message.parts),
        mentions_us=True if any(message.mentions_us for message in messages) else first.mentions_us,
    )
