"""`reading:` of the file: how staff correct what a message sounds like. At the root, or of one team."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from config.fields import STRICT, Words
from config.folding import fold

__all__ = ["CLASSES", "LARGEST_SHARE", "SMALLEST_SHARE", "ReadingSettings", "ReadingWords"]

SMALLEST_SHARE, LARGEST_SHARE = 0.001, 0.5
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?) ?[%％]")


def _share(value: object) -> object:
    if value is None or (isinstance(value, float) and SMALLEST_SHARE <= value <= LARGEST_SHARE):
        return value
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = round(float(match[1]) / 100, 8) if match else 0.0
    if not SMALLEST_SHARE <= share <= LARGEST_SHARE:
        raise ValueError(f"`{value}` is no share of the calm messages from 0.1% to 50%; write 5% or 0.5%")
    return share


class ReadingWords(BaseModel):
    """Words and phrases, as entries of a keyword list are written, by what they say about a text that holds them."""

    model_config = STRICT

    negative: Words = ()
    positive: Words = ()
    neutral: Words = ()
    urgent: Words = ()
    not_for_us: Words = ()


CLASSES = tuple(ReadingWords.model_fields)


class ReadingSettings(BaseModel):
    """`false_alarms`: which share of the calm messages may be called negative; None leaves the reader's own cut.

    `deep`: whether what is unsure gets a second look; only the root's counts.
    """

    model_config = STRICT

    words: ReadingWords = ReadingWords()
    false_alarms: Annotated[float | None, BeforeValidator(_share)] = None
    deep: bool | None = None

    def over(self, root: ReadingSettings | None) -> ReadingSettings:
        """A team's settings over the root's: each key and each class of words that the team writes replaces the root's.

        A word that the team puts into another class than the root leaves the root's.
        """
        if root is None:
            return self
        mine = {fold(word).text for name in self.words.model_fields_set for word in getattr(self.words, name)}
        words = {
            name: getattr(self.words, name)
            if name in self.words.model_fields_set
            else tuple(word for word in getattr(root.words, name) if fold(word).text not in mine)
            for name in CLASSES
        }
        chosen = self if "false_alarms" in self.model_fields_set else root
        return ReadingSettings(words=ReadingWords(**words), false_alarms=chosen.false_alarms, deep=root.deep)
