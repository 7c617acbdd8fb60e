"""What one version of the configuration file makes of a message: its rules and its reader, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from config.folding import Folded
from config.reading import ReadingSettings
from config.schema import Care
from routing.decide import Rules
from sentiment.adjustment import Adjustment, Quantiles
from sentiment.api import Circumstances, Reader, Reading
from sentiment.reader import FastReader

__all__ = ["NO_VIEWS", "Guidance"]

NO_VIEWS: Mapping[str, Reading] = {}
"""Not a view of a mapping: what is read in another process is carried over."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """Swapped as a whole on reload, so that no decision mixes two versions of the file.

    `own` is what the file's `reading:` makes of a reading, `teams` what a team's makes of it instead; `calm` is what
    was measured over this installation's own calm messages.
    """

    care: Care
    rules: Rules
    reader: Reader
    uses_repeats: bool
    own: Adjustment = field(default_factory=Adjustment)
    teams: Mapping[str, Adjustment] = field(default_factory=dict[str, Adjustment])
    calm: Mapping[str, Quantiles] = field(default_factory=dict[str, Quantiles])

    @classmethod
    def compile(cls, care: Care, calm: Mapping[str, Quantiles] | None = None) -> Guidance:
        """Raises what `Rules.compile` raises; a file that lints compiles.

        `calm`: by language family, what was measured over this installation's own calm messages.
        """
        uses_repeats = '"repeats":' in care.route.model_dump_json(exclude_none=True)
        teams = {
            name: Adjustment.compile(team.reading.over(care.reading), calm)
            for name, team in care.teams.items()
            if team.reading is not None
        }
        own = Adjustment.compile(care.reading, calm)
        return cls(care, Rules.compile(care), FastReader(care.brand), uses_repeats, own, teams, calm or {})

    @property
    def budgets(self) -> frozenset[float]:
        """Every share of false alarms that the file asks for."""
        settings: list[ReadingSettings | None] = [self.care.reading]
        settings += [team.reading for team in self.care.teams.values()]
        return frozenset(one.false_alarms for one in settings if one is not None and one.false_alarms is not None)

    def read_many(
        self, messages: Sequence[tuple[Folded, Circumstances]]
    ) -> list[tuple[Reading, Mapping[str, Reading]]]:
        """Each reading, and how each team sees it that reads otherwise. Raises what the reader raises."""
        plain = self.reader.read_many(messages)
        return [self._seen(reading, *message) for reading, message in zip(plain, messages, strict=True)]

    def _seen(
        self, plain: Reading, folded: Folded, circumstances: Circumstances
    ) -> tuple[Reading, Mapping[str, Reading]]:
        if not self.teams and self.own.idle:
            return plain, NO_VIEWS

        def again(other: Folded) -> Reading:
            return self.reader.read(other, circumstances)

        views = {name: adjustment.adjust(plain, folded, again) for name, adjustment in self.teams.items()}
        return self.own.adjust(plain, folded, again), views or NO_VIEWS
