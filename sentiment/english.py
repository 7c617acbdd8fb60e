"""English: VADER's own score beside what customers' mishaps sound like."""

from __future__ import annotations

import math
import re
from functools import cache

from sentiment.cues import Hit
from sentiment.vader import Vader

__all__ = ["ASKS", "OWN", "SUPPOSES", "scale", "valence"]

_NEGATOR = re.compile(
    r"(?:\b(?:not|never|no|none|without|hardly|barely|isnt|wasnt|arent|werent|dont"
    r"|didnt|doesnt|hasnt|havent|cant|wont|nor|neither|zero)"
    r"|n't)(?: (?!only\b|just\b|but\b)\w+){0,2} $"
)
_NEGATING = ("no", "n't", "nt", "ne", "without", "hardly", "barely", "zero")
"""One of these stands in every negator: a look for them is quicker than the pattern."""
_NEGATIVE_START = re.compile(
    r"(?:no|not|never|zero|none|nothing|without|can't|cant|cannot|couldn't|could|nobody)\b"
    r"|\w+n't"
)
_BOOSTER = re.compile(
    r"\b(?:very|so|really|extremely|absolutely|completely|totally|utterly|beyond|incredibly"
    r"|bloody|fucking|such a) $"
)
_BOOSTING = ("y ", "so ", "beyond ", "fucking ", "such a ")
_GREETING = (
    r"^\W*(?:(?:hi|hello|hey|good \w+|dear \w+|sorry|excuse me|quick question|just wondering"
    r"|question|so|and|ok|okay|@\S+)"
    r"\W+(?:(?:there|team|all|guys|folks)\W+)?)*"
)
ASKS = re.compile(
    _GREETING + r"(?:(?:what|which|when|where|who|how|any(?:one|body)?)\b"
    r"|(?:can|could|may|might|is|are|do|does|did|will|would|should|shall|am|has|have) (?:i"
    r"|you|u|we|it|there|the|my|your|this"
    r"|that|these|those|they|he|she|some(?:one|body)|any(?:one|body|thing)?|all)\b"
    r"|(?:is|are|does|was|were) (?!a |an |not |so |very |still |now |just |such |by )\w+ \w+)"
)
SUPPOSES = re.compile(
    r"\b(?:what (?:happens|if|would happen|should i do if|do i do if)|in case|how (?:much"
    r"|long|many) (?:is|are|does|do)|which (?:plan|policy|cover)"
    r"|(?:can|could|do|will|would|may|should|is|are|how) [^.!?]{0,60}\bif\b"
    r"|if (?:my|a|an|the|i|it|one|something|anything|someone) [^.!?]{0,60}(?:can|could"
    r"|do|will|would|how|what|where|who|is there)\b"
    r"|do you (?:offer|cover|have|charge|accept|sell|provide)|does [^.!?]{0,40}\bcover"
    r"|what(?: is|'s|s) (?:the|your) (?:\w+ )?(?:policy|fee|process|procedure))"
)
OWN = re.compile(r"\b(?:my|mine|me|i|i'm|i've|i'd|im|ive|we|our|us|we're|we've|my\w+)\b")
_STRETCHED = re.compile(r"[^\W\d_]*([^\W\d_])\1\1[^\W\d_]*")
_TRIPLE = re.compile(r"([^\W\d_])\1\1+")


@cache
def _vader() -> Vader:
    return Vader()


def valence(text: str, *, stretched: bool) -> float:
    """VADER's score of `text`, its squashing undone, so that other valences can be added.

    `stretched`: some words may have letters repeated, as in "sooo".
    """
    if stretched and _TRIPLE.search(text):
        text = _STRETCHED.sub(_relaxed, text)
    compound = max(-0.9999, min(0.9999, _vader().compound(text)))
    return compound * math.sqrt(15.0 / (1.0 - compound * compound))


def _relaxed(match: re.Match[str]) -> str:
    """A stretched word as the lexicon spells it, with one letter or with two."""
    once = _TRIPLE.sub(r"\1", match[0])
    return once if once.lower() in _vader().lexicon else _TRIPLE.sub(r"\1\1", match[0])


def scale(text: str, hit: Hit) -> float:
    """Negation turns a word or phrase that holds none itself; a booster strengthens it."""
    weight = hit.weight
    if hit.tag in ("fail", "emoji", "calm"):
        return weight
    before = text[max(0, hit.start - 28) : hit.start]
    if not before or before[-1] not in " \n":  # both patterns end with a blank
        return weight
    if before.rstrip("\n").endswith(_BOOSTING) and _BOOSTER.search(before):
        weight *= 1.2
    if not any([part in before for part in _NEGATING]):  # noqa: C419 (a generator costs twice as much)
        return weight
    if _NEGATOR.search(before) and not _NEGATIVE_START.match(text, hit.start):
        weight *= -0.4 if weight < 0 else -0.75
    return weight
