"""Messages that another system sends us, signed by Standard Webhooks: one recorded message or a list of them.

It cannot be answered. A signed body that cannot be read is taken and kept aside, since refusing it
would make the sender repeat it for ever; a forged or stale one is turned away with nothing stored.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.api import Author, BadPayload, Hook, HookAnswer, Http, Message, Page, Plugin, Unreadable
from connectors.recorded import LINE_AT_MOST, parse_line
from connectors.settings import Duration

__all__ = ["BODY_AT_MOST", "ITEMS_AT_MOST", "Settings", "Webhook", "plugin", "sign"]

BODY_AT_MOST = LINE_AT_MOST
ITEMS_AT_MOST = 1_000
SIGNATURES_AT_MOST = 10
SECRET_AT_LEAST = 24

_SECONDS = re.compile("[0-9]{1,12}")
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_TOKEN = re.compile(rb'\\.|["\[\]{},]', re.DOTALL)


def _key(secret: SecretStr) -> bytes:
    """The signing key: `whsec_` and base64, or the text itself. Raises ValueError, never with the secret in it."""
    written = secret.get_secret_value()
    if not written.startswith("whsec_"):
        key = written.encode(errors="surrogatepass")
    else:
        try:
            key = base64.b64decode(written.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("what follows whsec_ is not base64; copy the secret again") from None
    if len(key) < SECRET_AT_LEAST:
        raise ValueError(f"the secret must hold at least {SECRET_AT_LEAST} bytes; make one: openssl rand -base64 32")
    return key


def _strong(secret: SecretStr) -> SecretStr:
    _key(secret)
    return secret


Secret = Annotated[SecretStr, AfterValidator(_strong)]


class Settings(BaseModel):
    """`old_secret` is taken too, while senders are moved from one secret to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: Secret = Field(
        description=f"what calls are signed with: `whsec_` and base64, or any {SECRET_AT_LEAST} bytes"
    )
    old_secret: Secret | None = Field(None, description="taken too, while senders move from one secret to the next")
    tolerance: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(hours=1))] = Field(
        timedelta(minutes=5), description="how far the clock of a sender may be off"
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Webhook:
    """The URL names the channel; whichever one a message names is ignored."""

    me = Author(id="", name="webhook")

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._keys = tuple(_key(secret) for secret in (settings.secret, settings.old_secret) if secret is not None)
        self._tolerance = settings.tolerance
        self._clock = clock

    async def hear(self, hook: Hook, /) -> HookAnswer:
        """The signature is checked before anything is parsed, the size before that."""
        if hook.method != "POST":
            return HookAnswer(status=405, headers={"allow": "POST"})
        if len(hook.body) > BODY_AT_MOST:
            return HookAnswer(status=413)
        if not self._genuine(hook):
            return HookAnswer(status=401)
        items = _items(hook.body)
        return HookAnswer(status=413) if len(items) > ITEMS_AT_MOST else HookAnswer(page=_page(items))

    def _genuine(self, hook: Hook) -> bool:
        identity = hook.headers.get("webhook-id", "")
        at = hook.headers.get("webhook-timestamp", "")
        if not identity or not _SECONDS.fullmatch(at):
            return False
        if abs(self._clock().timestamp() - int(at)) > self._tolerance.total_seconds():
            return False
        given = hook.headers.get("webhook-signature", "").split(" ")[:SIGNATURES_AT_MOST]
        wanted = [sign(key, identity, at, hook.body) for key in self._keys]
        matches = [hmac.compare_digest(_bytes(one), _bytes(other)) for one in given for other in wanted]
        return any(matches)


def sign(key: bytes, identity: str, at: str, body: bytes) -> str:
    """The signature of Standard Webhooks over `id.timestamp.body`."""
    signed = b".".join((_bytes(identity), at.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _bytes(header: str) -> bytes:
    return header.encode(errors="surrogatepass")


def _page(items: Sequence[bytes]) -> Page:
    messages: list[Message] = []
    unreadable: list[Unreadable] = []
    for raw in items:
        try:
            messages.append(parse_line(raw, channel="").message)
        except BadPayload as error:
            unreadable.append(Unreadable(raw=raw, reason=str(error)))
    return Page(messages=tuple(messages), unreadable=tuple(unreadable))


def _items(body: bytes) -> Sequence[bytes]:
    """The bytes of each item of a list, not yet parsed, so that one bad item spoils no other.

    A body that is no whole list is one item.
    """
    if not body.lstrip().startswith(b"["):
        return (body,)
    try:
        return [bytes(item) for item in _raws(body)]
    except (ValueError, RecursionError):  # one item that it does not read spoils the list for this parser
        return _parted(body)


def _parted(body: bytes) -> Sequence[bytes]:
    """The slow way: by brackets and commas alone, whatever stands between them."""
    items: list[bytes] = []
    depth, inside, start = 0, False, 0
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark == b'"':
            inside = not inside
        elif inside or mark.startswith(b"\\"):
            continue
        elif mark in b"[{":
            depth += 1
            start = token.end() if depth == 1 else start
        elif mark == b"," and depth == 1:
            items.append(body[start : token.start()].strip())
            start = token.end()
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                last = body[start : token.start()].strip()
                whole = mark == b"]" and not body[token.end() :].strip()
                return ([*items, last] if last or items else ()) if whole else (body,)
    return (body,)


_ACCESS = f"""\
You make the secret yourself, and give it to the sender too:

```sh
echo "whsec_$(openssl rand -base64 32)"
```

The sender posts one message, or a list of at most {ITEMS_AT_MOST:,}, to `/hooks/NAME`, signed by
[Standard Webhooks](https://www.standardwebhooks.com); [send_webhook.py](../examples/send_webhook.py) does it in a few
lines. A message has `id`, `text`, `author` (`id`, `name`) and `sent_at`.
"""
_CANNOT = f"""\
- Be answered: cases from it are answered in the system that they came from.
- Ask for what was missed: your system repeats what was not answered with 200.
- Take a call of more than {BODY_AT_MOST:,} bytes or {ITEMS_AT_MOST:,} messages: it answers 413.
"""


@asynccontextmanager
async def _open(settings: Settings, _http: Http) -> AsyncIterator[Webhook]:
    yield Webhook(settings)


plugin = Plugin(
    kind="webhook",
    summary="messages that your own systems send, signed by Standard Webhooks; cannot be answered",
    settings=Settings,
    open=_open,
    abilities=frozenset({"listens"}),
    token=_ACCESS,
    cannot=_CANNOT,
)
