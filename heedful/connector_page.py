"""The page about a connector, made from what its Plugin declares: Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from connectors.api import Ability, Idempotency, Plugin, Policy
from connectors.settings import BaseUrl

__all__ = ["page", "snippet"]

_ABILITIES: dict[Ability, str] = {
    "polls": "**Polls**: heedful asks it for news, {every}.",
    "streams": "**Streams**: it holds a connection open and hears what happens as it happens.",
    "listens": "**Listens**: the platform calls heedful at `/hooks/NAME`, NAME being your name of the channel; "
    "the call is answered once its messages are stored.",
    "replies": "**Replies**: acknowledgements, and the answers of your team, up to {longest}.",
    "finds": "**Finds**: it can read back what it posted.",
    "marks": "**Marks**: it can set a sign of receipt, such as a reaction.",
    "retracts": "**Retracts**: it can change what it posted, or take it back.",
}
_IN_DOUBT: dict[Idempotency, str] = {
    "A": "the reply is sent again with the same key, and the platform posts it once (class A)",
    "B1": "heedful looks for its own reply first, and sends again only where there is none (class B1)",
    "B2": "the reply is sent again, since the platform allows only one (class B2)",
    "C": "a person looks and decides: the platform cannot tell (class C)",
}
_ADDRESS = get_args(BaseUrl)[1]
_TYPES = {"SecretStr": "a secret", "timedelta": "a duration", "bool": "true or false",
          "int": "a number", "float": "a number", "str": "a text", "datetime": "a time"}  # fmt: skip
_EXAMPLES: dict[str, object] = {
    "an address": "https://example.org",
    "a duration": "5m",
    "a number": 1,
    "true or false": True,
}
_LIST = "a list"
_BRAND = "acmeair"
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def page(plugin: Plugin[Any]) -> str:
    """One page: how to configure a channel of this kind, what it can do, keeps to, and cannot do."""
    sections = (
        ("", f"{_sentence(plugin.summary)}\n\n```yaml\nchannels:\n  {snippet(plugin)}\n```"),
        ("How to get what it asks for", plugin.token.strip()),
        ("Settings", _settings(plugin.settings)),
        ("What it can do", _list(_can(plugin))),
        ("What it keeps to", _list(_keeps_to(plugin))),
        ("What it cannot do", plugin.cannot.strip()),
    )
    made = "<!-- Made by `heedful connectors --docs`: change the connector, not this page. -->"
    body = (
        f"## {title}\n\n{text}" if title else f"# {plugin.kind}\n\n{made}\n\n{text}" for title, text in sections if text
    )
    return "\n\n".join(body) + "\n"


def snippet(plugin: Plugin[Any]) -> str:
    """A channel of this kind as a line of the file, with what has to be said and no more.

    What is required, and as many secrets, from the first on, as the model's own rules ask for. A model may
    give another example by `json_schema_extra={"examples": [{…}]}`.
    """
    model, kind = plugin.settings, plugin.kind
    fields = model.model_fields.items()
    needed = {name: _example(kind, name, field) for name, field in fields if field.is_required()}
    secrets = [(name, _example(kind, name, field)) for name, field in fields if _secret(field)]
    tried = (needed | dict(secrets[:count]) for count in range(len(secrets) + 1))
    fits = _own_example(model) or next((values for values in tried if _valid(model, values)), needed)
    keys = ", ".join(f"{key}: {_yaml(value)}" for key, value in {"kind": kind, **fits}.items())
    return f"my-{kind.replace('_', '-')}: {{{keys}}}"


def _own_example(model: type[BaseModel]) -> dict[str, Any] | None:
    extra = model.model_config.get("json_schema_extra")
    examples = extra.get("examples") if isinstance(extra, dict) else None
    return dict(examples[0]) if isinstance(examples, list) and examples and isinstance(examples[0], dict) else None


def _valid(model: type[BaseModel], values: dict[str, Any]) -> bool:
    try:
        model.model_validate(values)
    except ValidationError:
        return False
    return True


def _example(kind: str, name: str, field: FieldInfo) -> object:
    if _secret(field):
        return f"${{{kind}_{name}}}".upper()
    if field.examples:
        return field.examples[0]
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)[0]
    form = "an address" if "url" in name else _named(field.annotation, field.metadata)
    return [_BRAND] if form.startswith(_LIST) else _EXAMPLES.get(form, _BRAND)


def _yaml(value: object) -> str:
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, Enum):
        return _yaml(value.value)
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    text = str(value)
    return text if re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", text) else f'"{text}"'


def _settings(model: type[BaseModel]) -> str:
    if not model.model_fields:
        return ""
    rows = [_row(name, field) for name, field in model.model_fields.items()]
    table = "\n".join(("| key | means | form | default |", "|---|---|---|---|", *rows))
    return f"{cleandoc(model.__doc__ or '')}\n\n{table}".lstrip()


def _row(name: str, field: FieldInfo) -> str:
    form = _named(field.annotation, field.metadata)
    cells = (f"`{field.alias or name}`", field.description or "", form, _default(field))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), [], {}, ""):
        return "none"
    return "a secret" if isinstance(value, SecretStr) else f"`{_yaml(value)}`"


def _secret(field: FieldInfo) -> bool:
    return _named(field.annotation, field.metadata) == "a secret"


def _named(annotation: Any, metadata: Any = ()) -> str:
    """A type in words."""
    if _ADDRESS in metadata:
        return "an address"
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _named(parts[0], parts[1:])
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(_named(part) for part in parts if part is not NoneType))
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in {list, tuple, set, frozenset}:
        inner = [_named(part) for part in parts if part is not Ellipsis]
        return f"{_LIST}: {', '.join(dict.fromkeys(inner))}"
    return _TYPES.get(getattr(annotation, "__name__", ""), "a text")


def _can(plugin: Plugin[Any]) -> Iterator[str]:
    longest = f"{plugin.limits.reply_length:,} characters, as the platform counts them"
    wait = plugin.limits.poll_every
    every = f"{_words(wait)} after each answer" if wait >= timedelta(seconds=1) else "again as soon as it has answered"
    for ability, words in _ABILITIES.items():
        if ability in plugin.abilities:
            yield words.format(every=every, longest=longest)
    if not plugin.abilities & {"polls", "streams", "listens"}:
        yield "It hears nothing by itself."
    yield f"After a stop: {_recovers(plugin.recovers)}"


def _recovers(recovers: timedelta | None) -> str:
    if recovers is None:
        return "it catches up with whatever the platform still holds."
    if not recovers:
        return "what was said meanwhile is not asked for."
    return f"it catches up with the last {_words(recovers)}; what lies before is recorded as a gap, with an alarm."


def _keeps_to(plugin: Plugin[Any]) -> Iterator[str]:
    limits, policy = plugin.limits, plugin.policy
    if "replies" not in plugin.abilities:
        return
    yield f"Where nobody knows whether a reply went out, {_IN_DOUBT[plugin.idempotency]}."
    thread = limits.replies_per_minute_thread
    yield f"At most {limits.replies_per_minute:,} replies a minute" + (
        f", {thread:,} in one thread." if thread else "."
    )
    if limits.spacing:
        yield f"At least {_words(limits.spacing)} between two replies in one place."
    yield from _policy(policy, marks="marks" in plugin.abilities)


def _policy(policy: Policy, *, marks: bool) -> Iterator[str]:
    """What the platform's terms say, only where they bind."""
    if not policy.unsolicited:
        yield "A public message is answered automatically only where it mentions or quotes us."
    if not policy.private_first:
        yield "Nobody is written to in private who did not write first."
    if marks and not policy.automatic_marks:
        yield "A machine may not set reactions."
    if policy.per_interaction is not None:
        yield f"Automated replies to one message of a customer: at most {policy.per_interaction}."
    if policy.reply_window is not None:
        count = f", at most {policy.messages_per_window} messages" if policy.messages_per_window else ""
        again = f"; {policy.reopens} opens it again" if policy.reopens else ""
        window = _words(policy.reply_window)
        yield f"Replies are allowed for {window} after the customer's last message{count}{again}."
    if policy.delete_within is not None:
        yield f"The text of a post that was deleted there is erased here within {_words(policy.delete_within)}."
    if policy.cost is not None:
        yield f"What it costs: {policy.cost}."


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _words(value: timedelta) -> str:
    """As people say it: a day is 24 hours, a week 7 days."""
    seconds = value.total_seconds()
    for unit, size, least in (("day", 86_400, 172_800), ("hour", 3_600, 3_600), ("minute", 60, 60)):
        if seconds >= least and seconds % size == 0:
            return f"{seconds / size:g} {unit}{'s' if seconds != size else ''}"
    return f"{seconds:g} second{'s' if seconds != 1 else ''}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _list(items: Iterator[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
