"""The part of the pipeline that needs no database: repair, mask, fold, read, search. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from config.folding import Folded, fold
from config.keywords import Hits
from config.schema import Brand
from connectors.api import Author, Message
from heedful.guidance import Guidance
from heedful.source import Source
from routing.masking import mask, repair
from sentiment.api import Circumstances, Reading

__all__ = ["FAILED", "NO_HITS", "Prepared", "Unmaskable", "clean", "prepare", "raw_of", "read_all"]

NO_HITS = Hits(lists={}, expressions={})
LANGUAGE_AT_MOST = 35
"""Characters of a language tag: https://www.rfc-editor.org/rfc/rfc5646#section-4.4.1."""
FAILED = "none/failed"
"""The scorer of a reading that did not come about."""

BATCH = 64
"""Messages that are read together: beyond it nothing is gained."""


class Unmaskable(Exception):
    """A message that could not be repaired and masked, and so must not be stored as it is; says why."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One item ready for the transaction.

    `at` is the moment at which it is received and decided. `reading` is None for what is not read: our
    own, bots', deletes. `views` is the reading by team, where the file lets a team read otherwise. `place`
    orders the items of several sources that share a transaction.
    """

    message: Message
    folded: Folded
    own: bool
    at: datetime
    reading: Reading | None = None
    hits: Hits = NO_HITS
    place: int = 0
    views: Mapping[str, Reading] = field(default_factory=dict[str, Reading])

    def seen_by(self, team: str) -> Prepared:
        """With the reading as this team sees it."""
        view = self.views.get(team)
        return self if view is None else replace(self, reading=view)


def prepare(message: Message, source: Source, guidance: Guidance, now: datetime, place: int = 0) -> Prepared:
    """Repair and mask, then read the masked text: from here on it is 'the original'. Raises Unmaskable."""
    return read_all([clean(message, source, guidance, now, place)], guidance)[0]


def clean(message: Message, source: Source, guidance: Guidance, now: datetime, place: int = 0) -> Prepared:
    """Repair and mask, and tell whose it is; not yet read. Raises Unmaskable."""
    masked, folded = _clean(message)
    own = masked.own or source.is_self(message.author) or _is_staff(message.author, source.kind, guidance.care.brand)
    if masked.mentions_us is None:
        masked = replace(masked, mentions_us=_mentions_us(masked, source, guidance.care.brand))
    return Prepared(masked, folded, own, now, place=place)


def read_all(items: Sequence[Prepared], guidance: Guidance) -> list[Prepared]:
    """The same items, those read that are to be read: not our own, bots' or deleted ones. Many at once cost less."""
    to_read = [item for item in items if not (item.own or item.message.author.bot or item.message.deleted)]
    found = [one for at in range(0, len(to_read), BATCH) for one in _read(to_read[at : at + BATCH], guidance)]
    ready = iter(found)
    wanted = {id(item) for item in to_read}
    return [next(ready) if id(item) in wanted else item for item in items]


def raw_of(message: Message) -> bytes:
    """A message as bytes that say the same again, whatever its texts are made of: for the quarantine."""
    return repr(message).encode("utf-8", "backslashreplace")


def _clean(message: Message) -> tuple[Message, Folded]:
    """Masking also covers what strangers choose: names and handles."""
    author = message.author
    try:
        text, name = mask(repair(message.text)), mask(repair(author.name))
        handle = author.handle and mask(repair(author.handle))
        message = _clean_rest(message)
        folded = fold(text)
    except Exception as error:  # noqa: BLE001  whatever a hostile text does to the masks: unmasked it is never stored
        raise Unmaskable(f"it could not be masked ({type(error).__name__})") from None
    if name is not author.name or handle is not author.handle:
        return replace(message, text=text, author=replace(author, name=name, handle=handle)), folded
    return (message if text is message.text else replace(message, text=text)), folded


def _clean_rest(message: Message) -> Message:
    """Links, names of files and the language tag are a stranger's words too. A path may hold long numbers: ids."""
    if message.url is None and message.language is None and not message.parts:
        return message
    path, question, query = repair(message.url or "").partition("?")
    return replace(
        message,
        url=None if message.url is None else path + question + mask(query),
        language=message.language and repair(message.language)[:LANGUAGE_AT_MOST],
        parts=tuple(replace(part, name=part.name and mask(repair(part.name))) for part in message.parts),
    )


def _read(items: Sequence[Prepared], guidance: Guidance) -> list[Prepared]:
    try:
        readings = guidance.read_many([(item.folded, _circumstances(item.message)) for item in items])
        return [_with(item, reading, guidance) for item, reading in zip(items, readings, strict=True)]
    except Exception:  # noqa: BLE001  a reader may be anybody's: what it fails on goes to a person, and the page goes on
        if len(items) > 1:
            return [read for item in items for read in _read([item], guidance)]
        return [replace(items[0], reading=_unread(_circumstances(items[0].message)))]


def _with(item: Prepared, read: tuple[Reading, Mapping[str, Reading]], guidance: Guidance) -> Prepared:
    reading, views = read
    hits = guidance.rules.keywords.search(item.folded, item.at.date())
    return Prepared(item.message, item.folded, item.own, item.at, reading, hits, item.place, views)


def _circumstances(message: Message) -> Circumstances:
    return Circumstances(mentions_us=bool(message.mentions_us), private=message.private, language=message.language)


def _unread(circumstances: Circumstances) -> Reading:
    """The numbers are priors: nothing is known about how it sounds."""
    to_us = circumstances.mentions_us or circumstances.private
    return Reading(
        language="und",
        compound=0.0,
        negative=0.35,
        urgent=0.2,
        needs_answer=0.6,
        label="unsure",
        harm=(),
        kind="chatter",
        addressed="to_us" if to_us else "unknown",
        scorer=FAILED,
        unread=True,
    )


def _is_staff(author: Author, kind: str, brand: Brand) -> bool:
    if not brand.staff:
        return False
    handle = (author.handle or "").lstrip("@")
    return f"{kind}:{author.id}" in brand.staff or bool(handle and f"{kind}:@{handle}" in brand.staff)


def _mentions_us(message: Message, source: Source, brand: Brand) -> bool:
    """Where the platform does not say: private and replayed messages are to us, others by a brand handle."""
    if message.private or source.kind == "replay":
        return True
    text = message.text.casefold()
    return any(handle.casefold() in text for handle in brand.handles)
