"""What a message says where it has no text of its own: its blocks, then its attachments. Pure.

Forms: docs.slack.dev/reference/block-kit and docs.slack.dev/messaging (attachments).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.slack.mrkdwn import plain

__all__ = ["spoken"]

_DEEPEST = 12
_LONGEST = 40_000
"""Slack's own bound of a message: docs.slack.dev/reference/methods/chat.postMessage."""
_LINES = ("rich_text_section", "rich_text_preformatted", "rich_text_quote")


def spoken(blocks: object, attachments: object) -> str:
    """The words in their order, a line for each piece; "" where there are none."""
    lines = [*_blocks(blocks, 0), *_attachments(attachments)]
    return "\n".join(line for line in lines if line.strip())[:_LONGEST]


def _blocks(blocks: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST or not isinstance(blocks, list):
        return
    for block in blocks:
        if not isinstance(block, Mapping):
            continue
        if block.get("type") in _LINES:
            yield "".join(_inline(block.get("elements")))
        else:
            yield from _pieces(block, depth)


def _pieces(block: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Section, header, context, and whatever holds other blocks."""
    yield _text(block.get("text"))
    fields = block.get("fields")
    for field in fields if isinstance(fields, list) else ():
        yield _text(field)
    if block.get("type") in ("mrkdwn", "plain_text"):  # an element of a context
        yield _text(block)
    else:
        yield from _blocks(block.get("elements"), depth + 1)


def _text(value: object) -> str:
    """A text object; a bare text (of a context's element) is told by its parent."""
    if not isinstance(value, Mapping) or not isinstance(value.get("text"), str):
        return ""
    text: str = value["text"]
    return plain(text) if value.get("type") == "mrkdwn" else text


def _inline(elements: object) -> Iterator[str]:
    for element in elements if isinstance(elements, list) else ():
        if isinstance(element, Mapping):
            yield _word(element)


def _word(element: Mapping[str, Any]) -> str:
    def told(key: str) -> str:
        value = element.get(key)
        return value if isinstance(value, str) else ""

    match element.get("type"):
        case "text":
            return told("text")
        case "link":
            label, url = told("text"), told("url")
            return f"{label} ({url})" if label and label != url else url
        case "user":
            return f"@{told('user_id')}"
        case "usergroup":
            return f"@{told('usergroup_id')}"
        case "channel":
            return f"#{told('channel_id')}"
        case "broadcast":
            return f"@{told('range')}"
        case "emoji":
            return f":{told('name')}:"
        case _:
            return told("fallback")


def _attachments(attachments: object) -> Iterator[str]:
    for attachment in attachments if isinstance(attachments, list) else ():
        if not isinstance(attachment, Mapping):
            continue
        lines = [plain(value) for key in ("pretext", "title", "text") if isinstance(value := attachment.get(key), str)]
        lines += _blocks(attachment.get("blocks"), 0)
        fallback = attachment.get("fallback")
        if not any(line.strip() for line in lines) and isinstance(fallback, str):
            lines = [plain(fallback)]
        yield from lines
