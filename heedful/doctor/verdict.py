"""One thing looked at, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Level", "Verdict", "fail", "ok", "skip", "warn"]

Level = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`way` leads out of a problem. `skip`: not looked at, and `found` says why. No secret is in any of it."""

    level: Level
    area: str
    name: str
    found: str
    way: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"level": self.level, "area": self.area, "name": self.name, "found": self.found, "way_out": self.way}


def ok(area: str, name: str, found: str) -> Verdict:
    return Verdict("ok", area, name, found)


def skip(area: str, name: str, found: str) -> Verdict:
    return Verdict("skip", area, name, found)


def warn(area: str, name: str, found: str, way: str) -> Verdict:
    return Verdict("warn", area, name, found, way)


def fail(area: str, name: str, found: str, way: str) -> Verdict:
    return Verdict("fail", area, name, found, way)
