"""The form of a recorded message, one JSON object a line: what `heedful replay` and webhooks read.

Two ways lead to one result: a fast one for ordinary lines, and an exact one that finds the reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, get_args

import msgspec

from connectors.api import Author, BadPayload, Message, Part, PartKind

__all__ = ["LINE_AT_MOST", "Recorded", "parse_line", "parse_object"]

LINE_AT_MOST = 1_000_000
"""Bytes (or characters) of one recorded message."""
ID_AT_MOST = 512
PARTS_AT_MOST = 1_000
COUNT_AT_MOST = 2**63 - 1
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)
"""A time beyond these is held to them: `0001-01-01` must not cost a customer an answer, nor overflow a deadline."""

REQUIRED = ("id", "channel", "text", "author", "sent_at")
OPTIONAL = ("thread", "private", "url", "language", "in_reply_to", "mentions_us", "revision", "deleted", "parts")

_KINDS: dict[str, PartKind] = {kind: kind for kind in get_args(PartKind)}
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})(\.[0-9]{1,30})?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_BROKEN = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile("[0-9]{1,19}")


class Recorded(NamedTuple):
    """Which channel a line names, and what it says."""

    channel: str
    message: Message


def parse_line(line: bytes | str, *, channel: str | None = None) -> Recorded:
    """Read one recorded message. Raises `BadPayload` with a reason that names the key.

    With `channel` given, the line need not name one, and what it names is ignored. Lone halves of
    surrogate pairs and NUL stay in the texts as they are: the host repairs them.
    """
    if len(line) > LINE_AT_MOST:
        raise BadPayload(f"longer than {LINE_AT_MOST} bytes")
    ordinary = _ordinary(line, channel)
    return parse_object(_exact(line), channel=channel) if ordinary is None else ordinary


def parse_object(value: object, *, channel: str | None = None) -> Recorded:
    """The same for a message that is already parsed. Unknown keys are ignored. Raises `BadPayload`."""
    if not isinstance(value, dict):
        raise BadPayload("not an object")
    get = value.get
    author = _author(get("author"))
    deleted = _flag(get("deleted"), "deleted")
    text = get("text")
    thread = get("thread")
    reply_to = get("in_reply_to")
    mentions_us = get("mentions_us")
    revision = get("revision")
    parts = get("parts")
    message = Message(
        id=_id(get("id"), "id"),
        author=author,
        text="" if deleted and text is None else _string(text, "text"),
        sent_at=_instant(get("sent_at")),
        thread=author.id if thread is None else _id(thread, "thread"),
        revision="" if revision is None else _revision(revision),
        url=_option(get("url"), "url"),
        private=_flag(get("private"), "private"),
        mentions_us=None if mentions_us is None else _flag(mentions_us, "mentions_us"),
        in_reply_to=None if reply_to is None else _id(reply_to, "in_reply_to"),
        language=_option(get("language"), "language"),
        parts=() if parts is None else _parts(parts),
        deleted=deleted,
    )
    return Recorded(_id(get("channel"), "channel") if channel is None else channel, message)


def _author(value: object) -> Author:
    if not isinstance(value, dict):
        raise _wrong(value, "author", "an object")
    get = value.get
    return Author(
        id=_id(get("id"), "author.id"),
        name=_string(get("name"), "author.name"),
        handle=_option(get("handle"), "author.handle"),
        followers=_count(get("followers"), "author.followers"),
        bot=_flag(get("bot"), "author.bot"),
    )


def _wrong(value: object, key: str, wanted: str) -> BadPayload:
    return BadPayload(f"{key} is missing" if value is None else f"{key} is not {wanted}")


def _id(value: object, key: str) -> str:
    """An id is a text, or a whole number written as one; it must fit an index and be kept unrepaired."""
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise _wrong(value, key, "a text or a whole number")
    if not value:
        raise BadPayload(f"{key} is empty")
    if len(value) > ID_AT_MOST:
        raise BadPayload(f"{key} is longer than {ID_AT_MOST} characters")
    if not value.isprintable() and _BROKEN.search(value):
        raise BadPayload(f"{key} holds a NUL or half a character")
    return value


def _string(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _wrong(value, key, "a text")
    return value


def _option(value: object, key: str) -> str | None:
    return None if value is None else _string(value, key) or None


def _flag(value: object, key: str) -> bool:
    if value is None or value is False:
        return False
    if value is not True:
        raise BadPayload(f"{key} is not true or false")
    return True


def _count(value: object, key: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= COUNT_AT_MOST:
        raise BadPayload(f"{key} is not a count")
    return value


def _revision(value: object) -> str:
    """Sortable: numbers, and texts of digits, are padded alike; 0 is the original."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        return _id(value, "revision") if value else ""
    number = int(value) if isinstance(value, str) else value
    if type(number) is not int or not 0 <= number <= COUNT_AT_MOST:
        raise BadPayload("revision is not a text or a whole number from 0 to 2^63")
    return f"{number:020d}" if number else ""


def _instant(value: object) -> datetime:
    """RFC 3339, in UTC. A leap second counts as the second before it."""
    if not isinstance(value, str):
        raise _wrong(value, "sent_at", "a text such as 2027-01-31T09:00:00Z")
    form = _INSTANT.fullmatch(value)
    if form is None:
        raise BadPayload("sent_at is not a time such as 2027-01-31T09:00:00Z")
    day, hour_minute, second, fraction, offset = form.groups()
    if offset is None:
        raise BadPayload("sent_at has no offset: write Z or +08:00 behind it")
    if second == "60":
        second, fraction = "59", ".999999"
    if offset in {"Z", "z"}:
        offset = "+00:00"
    try:
        at = datetime.fromisoformat(f"{day}T{hour_minute}{second}{fraction or ''}{offset}")
    except ValueError:
        raise BadPayload("sent_at is not a time that exists") from None
    return min(max(at, EARLIEST), LATEST).astimezone(UTC)


def _parts(value: object) -> tuple[Part, ...]:
    if not isinstance(value, list):
        raise BadPayload("parts is not a list")
    if len(value) > PARTS_AT_MOST:
        raise BadPayload(f"parts holds more than {PARTS_AT_MOST}")
    return tuple(_part(item, f"parts[{at}]") for at, item in enumerate(value))


def _part(value: object, key: str) -> Part:
    """`"photo"`, or `{"kind": "photo", "ref": …, "name": …}`; a kind that heedful does not know is a file."""
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, dict):
        raise BadPayload(f"{key} is not a text or an object")
    kind, ref = _string(value.get("kind"), f"{key}.kind"), value.get("ref")
    name = _option(value.get("name"), f"{key}.name")
    return Part(
        kind=_KINDS.get(kind, "file"),
        ref=None if ref is None else _id(ref, f"{key}.ref"),
        name=name if name is not None or kind in _KINDS else kind,
    )


class _Writer(msgspec.Struct, gc=False):
    id: str | int
    name: str
    handle: str | None = None
    followers: Annotated[int, msgspec.Meta(ge=0, le=COUNT_AT_MOST)] | None = None
    bot: bool | None = None


class _Line(msgspec.Struct, gc=False):
    """An ordinary line: nothing is null or empty, there are no parts and no revision."""

    id: str | int
    channel: str
    text: str
    author: _Writer
    sent_at: str
    thread: str | int | None = None
    private: bool | None = None
    url: str | None = None
    language: str | None = None
    in_reply_to: str | int | None = None
    mentions_us: bool | None = None


_decode = msgspec.json.Decoder(_Line).decode
_new = object.__new__


def _setters(of: type, names: str) -> tuple[Callable[[object, object], None], ...]:
    """A frozen dataclass sets each field through object.__setattr__; its slots take half of that time."""
    return tuple(getattr(of, name).__set__ for name in names.split())


_a_id, _a_name, _a_handle, _a_followers, _a_bot = _setters(Author, "id name handle followers bot")
_READ = "id author text sent_at thread url private mentions_us in_reply_to language"
_m_id, _m_author, _m_text, _m_sent_at, _m_thread, _m_url, _m_private, _m_mentions_us, _m_reply_to, _m_language = (
    _setters(Message, _READ)
)
_REST = tuple((getattr(Message, f.name).__set__, f.default) for f in fields(Message) if f.name not in _READ.split())


def _ordinary(line: bytes | str, channel: str | None) -> Recorded | None:
    """The fast way; None for whatever is not ordinary, be it good or bad."""
    try:
        got = _decode(line)
        at = datetime.fromisoformat(got.sent_at)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    if not _whole(line, got) or not EARLIEST <= at <= LATEST:
        return None
    who = _identity(got.author.id)
    own = _identity(got.id)
    thread = who if got.thread is None else _identity(got.thread)
    name = _identity(got.channel)
    if not who or not own or not thread or not name:
        return None
    message = _new(Message)
    _m_id(message, own)
    _m_author(message, _ordinary_author(who, got.author))
    _m_text(message, got.text)
    _m_sent_at(message, at if at.tzinfo is UTC else at.astimezone(UTC))
    _m_thread(message, thread)
    _m_url(message, got.url)
    _m_private(message, got.private is True)
    _m_mentions_us(message, got.mentions_us)
    _m_reply_to(message, None if got.in_reply_to is None else str(got.in_reply_to))
    _m_language(message, got.language)
    for setter, default in _REST:
        setter(message, default)
    return Recorded(name if channel is None else channel, message)


def _ordinary_author(identity: str, writer: _Writer) -> Author:
    author = _new(Author)
    _a_id(author, identity)
    _a_name(author, writer.name)
    _a_handle(author, writer.handle)
    _a_followers(author, writer.followers)
    _a_bot(author, writer.bot is True)
    return author


def _identity(value: str | int) -> str | None:
    if isinstance(value, int):
        return str(value)
    return value if len(value) <= ID_AT_MOST and value.isprintable() else None


def _whole(line: bytes | str, got: _Line) -> bool:
    """Whether the parser has passed over nothing: it drops keys that repeat or that it does not know.

    Colons outside of texts follow keys. If the line holds as many as there are keys and colons in the
    texts that came out, then no key was dropped, unless a colon is written as an escape.
    """
    known = _colons(got.sent_at)
    if not known:
        return False
    known += 7 + got.text.count(":")  # five keys, and two of the author
    who = got.author
    for value in (got.thread, got.private, got.mentions_us, who.handle, who.followers, who.bot, got.language, got.url):
        if value is not None:
            if value == "":
                return False
            known += 1
    if got.url is not None:
        known += got.url.count(":")
    if got.in_reply_to is not None:
        if not _identity(got.in_reply_to):
            return False
        known += 1
    if isinstance(line, str):
        return known == line.count(":") and "\\u003" not in line
    return known == line.count(b":") and b"\\u003" not in line


def _colons(when: str) -> int:
    """How many colons an ordinary RFC 3339 time holds; 0 for the many other forms that `fromisoformat` takes."""
    if len(when) < 20 or when[4] != "-" or when[7] != "-" or when[10] != "T" or when[13] != ":" or when[16] != ":":
        return 0
    if when[-1] == "Z":
        return 2 if len(when) == 20 or when[19] == "." else 0
    return 3 if when[-6] in "+-" and when[-3] == ":" and when[19] in ".+-" else 0


def _exact(line: bytes | str) -> object:
    """Slow and exact: whole integers, halves of surrogate pairs, and repeated keys found."""
    try:
        text = line if isinstance(line, str) else line.decode()
    except UnicodeDecodeError:
        raise BadPayload("not UTF-8") from None
    try:
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except RecursionError:
        raise BadPayload("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadPayload(f"not JSON: {error.msg} at character {error.pos}") from None
    except ValueError:  # an integer of more digits than Python reads
        raise BadPayload("holds a number of too many digits") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        repeated, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise BadPayload(f"the key {repeated[:40]!a} stands twice")
    return value


def _no_number(name: str) -> None:
    raise BadPayload(f"{name} is not a number")
