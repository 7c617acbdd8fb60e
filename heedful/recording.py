"""Recorded lines made ready to be stored: parsed, masked, read. Pure but for the connectors' declarations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from config.schema import Care, Channel
from connectors import registry
from connectors.api import Author, BadPayload, Unreadable
from connectors.replay import parse_line
from heedful.guidance import Guidance
from heedful.preparation import Prepared, Unmaskable, clean, raw_of, read_all
from heedful.source import Source

__all__ = ["BROKEN_CHANNEL", "EPOCH", "Turn", "Turns", "source_of"]

BROKEN_CHANNEL = "replay"
"""Where a line is booked that does not even name its channel."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One line, read: an item, or why there is none; on which channel, and when."""

    channel: str
    now: datetime
    item: Prepared | None
    unreadable: Unreadable | None = None

    @property
    def settles_first(self) -> bool:
        """Whether what was said before must have been sent when this is stored: it would call it back or silence it."""
        item = self.item
        return item is not None and (
            item.own or item.message.deleted or (item.reading is not None and item.reading.asks_person)
        )


class Turns:
    """Reads lines in their order; its clock is the largest `sent_at` so far."""

    def __init__(self, care: Care, guidance: Guidance) -> None:
        self._care = care
        self._guidance = guidance
        self._now = EPOCH
        self._sources: dict[str, Source] = {}

    def read(self, lines: Sequence[bytes]) -> list[Turn]:
        turns = [self._turn(line, place) for place, line in enumerate(lines)]
        ready = iter(read_all([turn.item for turn in turns if turn.item is not None], self._guidance))
        return [turn if turn.item is None else replace(turn, item=next(ready)) for turn in turns]

    def _turn(self, line: bytes, place: int) -> Turn:
        try:
            channel, message = parse_line(line)
        except BadPayload as error:
            return Turn(BROKEN_CHANNEL, self._now, None, Unreadable(raw=line, reason=str(error)))
        self._now = max(self._now, message.sent_at)
        try:
            item = clean(message, self._source(channel), self._guidance, self._now, place)
        except Unmaskable as failure:
            return Turn(channel, self._now, None, Unreadable(raw=raw_of(message), reason=str(failure)))
        return Turn(channel, self._now, item)

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            self._sources[name] = source_of(name, self._care)
        return self._sources[name]


def source_of(name: str, care: Care) -> Source:
    """The channel of a recording: under the policy, caps and length of its kind, but taken at once by a sink."""
    channel = care.channels.get(name) or Channel(kind="replay")
    source = Source.of(name, channel, registry.load(channel.kind), Author(id="", name=name))
    limits = replace(
        source.limits, replies_per_minute=1_000_000_000, replies_per_minute_thread=None, spacing=timedelta(0)
    )
    return replace(source, idempotency="A", limits=limits)
