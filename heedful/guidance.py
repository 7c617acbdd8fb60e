"""What one version of the configuration file makes of a message: its rules and its reader, together."""

from __future__ import annotations

from dataclasses import dataclass

from config.schema import Care
from routing.decide import Rules
from sentiment.api import Reader
from sentiment.reader import FastReader

__all__ = ["Guidance"]


@dataclass(frozen=True, slots=True)
class Guidance:
    """Swapped as a whole on reload, so that no decision mixes two versions of the file."""

    care: Care
    rules: Rules
    reader: Reader
    uses_repeats: bool

    @classmethod
    def compile(cls, care: Care) -> Guidance:
        """Raises what `Rules.compile` raises; a file that lints compiles."""
        uses_repeats = '"repeats":' in care.route.model_dump_json(exclude_none=True)
        return cls(care, Rules.compile(care), FastReader(care.brand), uses_repeats)
