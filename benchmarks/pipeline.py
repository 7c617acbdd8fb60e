"""heedful's whole pipeline against the plain script: interleaved, the same messages, the same durability.

Each side runs as a process of its own. Speed is what each reports for the work itself; CPU is that of the
whole process less that of the same process with no message at all, so that imports do not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.care import care
from benchmarks.messages import generate
from benchmarks.words import keywords

__all__ = ["Comparison", "Run", "compare"]

ROOT = Path(__file__).parent.parent
HEEDFUL = Path(sys.executable).with_name("heedful")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One side, one round."""

    messages: int
    seconds: float
    cpu: float
    routed: int = 0
    acknowledged: int = 0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Medians over the rounds; `ratio` is the median of the ratios within each round."""

    keywords: int
    messages: int
    rounds: int
    plain_rate: float
    heedful_rate: float
    ratio: float
    ratios: tuple[float, ...]
    plain_cpu_us: float
    heedful_cpu_us: float
    routed: float
    acknowledged: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    count: int, messages: int, rounds: int, *, folder: Path, tick: Callable[[], None] = lambda: None
) -> Comparison:
    """Measure at `count` keywords. `tick` is called rounds + 1 times."""
    with TemporaryDirectory(prefix=".benchmark-", dir=folder) as name:
        bench = _Bench(Path(name), count, messages)
        idle = [bench.plain(bench.nothing), bench.heedful(bench.nothing)]
        tick()
        pairs: list[tuple[Run, Run]] = []
        for number in range(rounds):
            sides = [bench.plain, bench.heedful]
            results = [side(bench.lines) for side in (sides if number % 2 else reversed(sides))]
            pairs.append((results[0], results[1]) if number % 2 else (results[1], results[0]))
            tick()
    return _summary(count, messages, pairs, idle[0].cpu, idle[1].cpu)


class _Bench:
    """The files of one comparison: messages, an empty file, keywords for one side, configuration for the other."""

    def __init__(self, folder: Path, count: int, messages: int) -> None:
        self._folder = folder
        self._runs = 0
        self.lines, self.nothing = folder / "messages.jsonl", folder / "nothing.jsonl"
        self._keywords, self._care = folder / "keywords.txt", folder / "care.yaml"
        with self.lines.open("wb") as file:
            file.writelines(generate(messages))
        self.nothing.touch()
        self._keywords.write_text("\n".join(keywords(count)), "utf-8")
        self._care.write_text(care(count), "utf-8")

    def plain(self, lines: Path) -> Run:
        report, cpu = _process([sys.executable, "-m", "benchmarks.plain", lines, self._keywords, self._database()])
        return Run(messages=report["messages"], seconds=report["seconds"] or 1e-9, cpu=cpu)

    def heedful(self, lines: Path) -> Run:
        database = f"sqlite:///{self._database()}"
        report, cpu = _process([HEEDFUL, "replay", lines, "-c", self._care, "--db", database, "--json"])
        return Run(
            messages=report["received"],
            seconds=report["seconds"] or 1e-9,
            cpu=cpu,
            routed=report["routed"],
            acknowledged=report["acknowledgements"]["sent"],
        )

    def _database(self) -> Path:
        self._runs += 1
        return self._folder / f"{self._runs}.db"


def _process(command: list[str | Path]) -> tuple[dict[str, Any], float]:
    """Its JSON, and the CPU seconds that it took. Raises CalledProcessError, with what it said, on failure."""
    before = os.times()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    after = os.times()
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), cpu


def _summary(
    count: int, messages: int, pairs: list[tuple[Run, Run]], plain_idle: float, heedful_idle: float
) -> Comparison:
    ratios = tuple(round(ours.rate / plain.rate, 2) for plain, ours in pairs)
    return Comparison(
        keywords=count,
        messages=messages,
        rounds=len(pairs),
        plain_rate=round(median(plain.rate for plain, _ in pairs), 1),
        heedful_rate=round(median(ours.rate for _, ours in pairs), 1),
        ratio=round(median(ratios), 2),
        ratios=ratios,
        plain_cpu_us=round(median((plain.cpu - plain_idle) / messages for plain, _ in pairs) * 1e6, 1),
        heedful_cpu_us=round(median((ours.cpu - heedful_idle) / messages for _, ours in pairs) * 1e6, 1),
        routed=round(pairs[0][1].routed / messages, 4),
        acknowledged=round(pairs[0][1].acknowledged / max(1, pairs[0][1].routed), 4),
    )
