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
_LINK = re.compile(
    r"https?://[\w\-.~:/?#\[\]@!$&'()*+,;=%]+"
    r"|(?<![@\w.])(?:[\w-]+\.)+[^\W\d_]{2,63}(?![\w@])(?:[/?#][\w\-.~:/?#\[\]@!$&'()*+,;=%]*)?",
    re.IGNORECASE,
)
"""A link, or a name that X may have made one of: it shortens both, and tells `http://Booking.com` for the latter."""
_SOME_LINK = "\ufffc"
_TAIL = re.compile(rf"{_SOME_LINK}[\-.~:/?#\[\]@!$&'()*+,;=%]*")
"""Where a link ends X and we need not agree."""


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
    """But for links, of which any is as good as another: a second reply would be worse than a wrong find.

    X shortens links, escapes, and may put the handles of those who are answered in front.
    """
    note = post.note_tweet or post.note_post
    told = note.text if note else post.text
    short, long = told, told
    for entities in (post.entities, note.entities if note else None):
        for link in (entities and entities.urls) or ():
            if link.url:
                short = short.replace(link.url, _SOME_LINK)
                long = long.replace(link.url, link.expanded_url or link.url)
    return _bare(text) in {_bare(plain(short)), _bare(plain(long))}


def _bare(text: str) -> str:
    told = _ADDRESSED.sub("", unicodedata.normalize("NFC", text).strip(), count=1)
    return " ".join(_TAIL.sub(_SOME_LINK, _LINK.sub(_SOME_LINK, told)).split())
