"""Which of our own posts is a reply that we look for; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

import msgspec

from connectors.x.parsing import plain
from connectors.x.wire import Post

__all__ = ["answer_of"]

_ADDRESSED = re.compile(r"\A(?:@\w{1,15}\s+)+")


def answer_of(raw: object, answered: Collection[str], text: str) -> Post | None:
    """The post, where it answers one of these ids with this text: a colleague may have answered too."""
    try:
        post = msgspec.convert(raw, Post)
    except msgspec.ValidationError:
        return None
    return post if _answers(post, answered) and _same(post, text) else None


def _answers(post: Post, answered: Collection[str]) -> bool:
    references = post.referenced_tweets or post.referenced_posts or ()
    return any(reference.type == "replied_to" and reference.id in answered for reference in references)


def _same(post: Post, text: str) -> bool:
    """X shortens links, escapes, and may put the handles of those who are answered in front."""
    note = post.note_tweet or post.note_post
    told = note.text if note else post.text
    for entities in (post.entities, note.entities if note else None):
        for link in (entities and entities.urls) or ():
            if link.url and link.expanded_url:
                told = told.replace(link.url, link.expanded_url)
    return _bare(plain(told)) == _bare(text)


def _bare(text: str) -> str:
    return " ".join(_ADDRESSED.sub("", unicodedata.normalize("NFC", text).strip(), count=1).split())
