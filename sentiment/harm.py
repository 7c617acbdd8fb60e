"""What must not wait, whatever the mood: fourteen classes of harm, read for recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentiment.api import HARMS, Harm
from sentiment.cues import Hit

__all__ = ["ALWAYS_PAGED", "UPSETTING", "certain", "harms"]

ALWAYS_PAGED: frozenset[Harm] = frozenset(("self_harm", "bereavement", "minor", "legal", "press", "regulator"))
UPSETTING: frozenset[Harm] = frozenset(
    ("safety", "injury", "legal", "fraud", "data_leak", "discrimination", "outage", "regulator", "travel")
)
"""Harms that mean that something went wrong for the customer."""

_ENOUGH = 0.5
_ALL = frozenset(HARMS)


def harms(found: Mapping[str, Sequence[Hit]]) -> tuple[Harm, ...]:
    """The classes whose cues together reach certainty enough, sorted."""
    if _ALL.isdisjoint(found):
        return ()
    return tuple(sorted(harm for harm in HARMS if harm in found and certain(found[harm]) >= _ENOUGH))


def certain(hits: Sequence[Hit]) -> float:
    """Several weak and different cues make a strong one."""
    doubt = 1.0
    for weight in {(hit.start, hit.end): hit.weight for hit in hits}.values():
        doubt *= 1.0 - weight
    return 1.0 - doubt
