"""The part of the pipeline that needs no database: repair, mask, fold, read, search. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from routing.masking import mask, repair

from config.folding import Folded, fold
from config.keywords import Hits
from config.schema import Brand
from connectors.api import Author, Message
from heedful.guidance import Guidance
from heedful.source import Source
from sentiment.api import Circumstances, Reading

__all__ = ["Prepared", "prepare"]

NO_HITS = Hits(lists={}, expressions={})


@dataclass(frozen=True, slots=True)
class Prepared:
    """One item ready for the transaction. `reading` is None for what is not read: our own, bots', deletes."""

    message: Message
    folded: Folded
    own: bool
    reading: Reading | None = None
    hits: Hits = NO_HITS


def prepare(message: Message, source: Source, guidance: Guidance, today: date) -> Prepared:
    """Repair and mask, then read the masked text: from here on it is 'the original'."""
    clean = _clean(message)
    own = clean.own or source.is_self(clean.author) or _is_staff(clean.author, source.kind, guidance.care.brand)
    folded = fold(clean.text)
    clean = replace(clean, mentions_us=_mentions_us(clean, source, guidance.care.brand))
    if own or clean.author.bot or clean.deleted:
        return Prepared(clean, folded, own)
    circumstances = Circumstances(mentions_us=bool(clean.mentions_us), private=clean.private, language=clean.language)
    reading = guidance.reader.read(folded, circumstances)
    return Prepared(clean, folded, own, reading, guidance.rules.keywords.search(folded, today))


def _clean(message: Message) -> Message:
    """Masking also covers what strangers choose: names and handles."""
    text, name = mask(repair(message.text)), mask(repair(message.author.name))
    if text is message.text and name is message.author.name:
        return message
    return replace(message, text=text, author=replace(message.author, name=name))


def _is_staff(author: Author, kind: str, brand: Brand) -> bool:
    if not brand.staff:
        return False
    handle = (author.handle or "").lstrip("@")
    return f"{kind}:{author.id}" in brand.staff or bool(handle and f"{kind}:@{handle}" in brand.staff)


def _mentions_us(message: Message, source: Source, brand: Brand) -> bool:
    """What the platform says; else private and replayed messages are to us, others by a brand handle."""
    if message.mentions_us is not None:
        return message.mentions_us
    if message.private or source.kind == "replay":
        return True
    text = message.text.casefold()
    return any(handle.casefold() in text for handle in brand.handles)
