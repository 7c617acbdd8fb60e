"""Slack's markup into what people read, and a plain text into what Slack shows as it is. Pure.

Slack writes & < > as entities and puts whatever it knows itself into angle brackets
(docs.slack.dev/messaging/formatting-message-text). The same text always reads the same: names are
taken out of the text alone, never out of a directory that may know them today and not tomorrow.
"""

from __future__ import annotations

import re

__all__ = ["escaped", "mentioned", "plain"]

_SIGN = re.compile(r"<([^<>\s][^<>]*)>|&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_SCHEME = re.compile(r"^(?:mailto:|tel:|https?://)")


def plain(text: str) -> str:
    """What the author saw; `*bold*` and the like stay as they were typed."""
    return _SIGN.sub(_shown, text)


def escaped(text: str) -> str:
    """So that nobody is called and nothing becomes a link: `plain` makes the same text of it again."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mentioned(text: str) -> frozenset[str]:
    """The ids of all who are named by an @."""
    return frozenset(_MENTION.findall(text))


def _shown(sign: re.Match[str]) -> str:
    if sign[2]:
        return _ENTITIES[sign[2]]
    what, _, label = sign[1].partition("|")
    what, label = _unescaped(what), _unescaped(label)
    if what.startswith("@"):
        return f"@{label.removeprefix('@')}" if label else what
    if what.startswith("#"):
        return f"#{label.removeprefix('#')}" if label else what
    if what.startswith("!"):
        return _command(what[1:], label)
    return _link(what, label)


def _command(what: str, label: str) -> str:
    """`<!here>`, `<!subteam^S1|@team>`, `<!date^0^{date}|3 May>`."""
    if label:
        return label
    word, _, rest = what.partition("^")
    return f"@{rest}" if word == "subteam" else f"@{word}" if word in {"here", "channel", "everyone"} else word


def _link(address: str, label: str) -> str:
    """A label that the address repeats was made by Slack, not by the author."""
    shown = _SCHEME.sub("", address)
    if not address or address.startswith(("mailto:", "tel:")):
        return label or shown
    if not label or label == address:
        return address
    return label if label.rstrip("/") == shown.rstrip("/") else f"{label} ({address})"


def _unescaped(text: str) -> str:
    return re.sub("&(amp|lt|gt);", lambda entity: _ENTITIES[entity[1]], text)
