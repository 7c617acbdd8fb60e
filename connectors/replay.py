"""Recorded messages, one JSON object a line: the form that `heedful replay` and webhooks read.

As a channel, `replay` takes no settings and is idle; what is answered in it goes nowhere but the books.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args

import orjson
from pydantic import BaseModel, ConfigDict

from connectors.api import Author, BadPayload, Http, Limits, Message, Part, PartKind, Plugin, Policy, Receipt, Reply

__all__ = ["LINE_AT_MOST", "Recorded", "Settings", "parse_line", "parse_object", "plugin"]

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
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _exact(line)
    else:
        if not _plain(line, value):
            value = _exact(line)
    return parse_object(value, channel=channel)


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


def _plain(line: bytes | str, value: object) -> bool:
    """Whether the fast parser has lost nothing: it drops repeated keys and rounds large integers.

    Colons outside of texts follow keys. As many in the line as there are keys and colons in texts that
    came out: then no key was dropped, unless one is written as an escape.
    """
    if isinstance(line, str):
        colons, escaped = line.count(":"), "\\u003" in line
    else:
        colons, escaped = line.count(b":"), b"\\u003" in line
    if escaped:
        return False
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) is str:
            colons -= item.count(":")
        elif type(item) is dict:
            colons -= len(item)
            for key in item:
                colons -= key.count(":")
            todo.extend(item.values())
        elif type(item) is list:
            todo.extend(item)
        elif type(item) is float:
            return False
    return colons == 0


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
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise BadPayload(f"the key {repeated[:40]!a} stands twice")
    return value


def _no_number(name: str) -> None:
    raise BadPayload(f"{name} is not a number")


class Settings(BaseModel):
    """None: a channel of recorded messages has nothing to connect to."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Replay:
    """Idle: it listens to nothing, and its replies are the books' own."""

    me = Author(id="", name="replay")

    async def reply(self, reply: Reply, /) -> Receipt:
        """Posts nowhere; the same key is the same receipt."""
        return Receipt(id=reply.key)


@asynccontextmanager
async def _open(_settings: Settings, _http: Http) -> AsyncIterator[Replay]:
    yield Replay()


plugin = Plugin(
    kind="replay",
    summary="recorded messages, for trying things out; nothing goes out",
    settings=Settings,
    open=_open,
    abilities=frozenset({"replies"}),
    idempotency="A",
    recovers=None,
    limits=Limits(reply_length=4096, replies_per_minute=1_000_000),
    policy=Policy(),
)
