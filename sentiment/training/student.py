"""The student: the small model of `sentiment.model`, learnt from the teacher's labels, the sets' own and the corpus."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from sentiment.features import TURNS, WORDS
from sentiment.model import OUTPUTS, Floats
from sentiment.training.inputs import Inputs, Rows
from sentiment.training.syllabus import Syllabus
from sentiment.training.targets import WIDTH

__all__ = ["learnt"]

torch: Any = import_module("torch")
_functions = torch.nn.functional

_WORD_WIDTH, _TURN_WIDTH, _HIDDEN = 48, 24, 96
_EPOCHS, _BATCH = 7, 256
_WORD_RATE, _TURN_RATE, _RATE, _DECAY = 0.002, 0.003, 3e-3, 1e-3
_DROPPED, _NO_TURNS, _NO_SIGNALS = 0.3, 0.1, 0.05
"""The share of features that is left out each time; of texts whose turns, or signals, are."""
_HARM_WEIGHT, _OWN_HARMS, _HARMS = 3.0, 1.2, 0.12
_SMALL = 0.01


def learnt(given: Inputs, syllabus: Syllabus, epochs: int = _EPOCHS) -> dict[str, Floats]:
    """The arrays of `sentiment.model.Model`, its tables not yet rounded. Always the same on one machine."""
    torch.manual_seed(0)
    chance = np.random.default_rng(0)
    model = _fresh(given.signals.shape[1])
    dense = [tensor for name, tensor in model.items() if name not in {"words", "turns"}]
    steps = (
        (torch.optim.SparseAdam([model["words"]], lr=_WORD_RATE), _WORD_RATE),
        (torch.optim.SparseAdam([model["turns"]], lr=_TURN_RATE), _TURN_RATE),
        (torch.optim.AdamW(dense, lr=_RATE, weight_decay=_DECAY), _RATE),
    )
    batches = [one for _ in range(epochs) for one in _batches(len(syllabus.texts), chance)]
    with Progress() as progress:
        task = progress.add_task("student", total=len(batches))
        for number, some in enumerate(batches):
            loss = _loss(_answers(model, _batch(given, some, chance)), syllabus, some)
            for optimiser, rate in steps:
                optimiser.param_groups[0]["lr"] = rate * (1 - number / len(batches))
                optimiser.zero_grad()
            loss.backward()
            for optimiser, _ in steps:
                optimiser.step()
            progress.update(task, advance=1, description=f"student, loss {loss.item():.2f}")
    return {name: tensor.detach().numpy() for name, tensor in model.items()}


def _fresh(signals: int) -> dict[str, Any]:
    """Parameters, small and by chance."""
    given = _WORD_WIDTH + _TURN_WIDTH + signals

    def even(inputs: int, *shape: int) -> Any:
        return (torch.rand(*shape) * 2 - 1) / math.sqrt(inputs)

    model = {
        "words": torch.randn(WORDS, _WORD_WIDTH) * _SMALL,
        "turns": torch.randn(TURNS, _TURN_WIDTH) * _SMALL,
        "hidden": even(given, given, _HIDDEN),
        "hidden_bias": even(given, _HIDDEN),
        "out": even(_HIDDEN, _HIDDEN, WIDTH),
        "skip": even(given, given, WIDTH),
        "out_bias": even(_HIDDEN, WIDTH),
    }
    return {name: tensor.requires_grad_() for name, tensor in model.items()}


def _batches(count: int, chance: np.random.Generator) -> list[NDArray[np.int64]]:
    """All texts but a few, in a new order, at least one batch."""
    order = chance.permutation(count)
    return [order[at : at + _BATCH] for at in range(0, max(1, count - _BATCH + 1), _BATCH)]


def _batch(given: Inputs, some: NDArray[np.int64], chance: np.random.Generator) -> tuple[Any, ...]:
    """Some texts, with a share of their features left out."""
    words, turns = (_some(rows, some, chance) for rows in (given.words, given.turns))
    heard = torch.from_numpy(given.signals[some] * (chance.random((len(some), 1)) >= _NO_SIGNALS)).float()
    without = torch.from_numpy(chance.random(len(some)) >= _NO_TURNS).float()
    return (words, turns, without, heard)


def _some(rows: Rows, texts: NDArray[np.int64], chance: np.random.Generator) -> tuple[Any, Any, Any]:
    """Rows, where each text's begin, and the root of their number. The first of a text, for nothing, always stays."""
    found, counts = rows.of(texts)
    starts = np.cumsum(counts) - counts
    kept = chance.random(len(found)) >= _DROPPED
    kept[starts] = True
    counts = np.add.reduceat(kept.astype(np.int64), starts)
    return (
        torch.from_numpy(found[kept]),
        torch.from_numpy(np.cumsum(counts) - counts),
        torch.from_numpy(np.sqrt(counts, dtype=np.float32)[:, None]),
    )


def _answers(model: Mapping[str, Any], batch: tuple[Any, ...]) -> Any:
    """As `sentiment.model.Model.logits`."""
    words, turns, without, heard = batch
    summed = [
        _functions.embedding_bag(rows, model[name], starts, mode="sum", sparse=True) / roots
        for name, (rows, starts, roots) in (("words", words), ("turns", turns))
    ]
    given = torch.cat([summed[0], summed[1] * without[:, None], heard], 1)
    deep = _functions.relu(given @ model["hidden"] + model["hidden_bias"])
    return deep @ model["out"] + given @ model["skip"] + model["out_bias"]


def _loss(answers: Any, syllabus: Syllabus, some: NDArray[np.int64]) -> Any:
    target, weights = torch.from_numpy(syllabus.targets[some]), torch.from_numpy(syllabus.weights[some])
    known = (target[:, OUTPUTS["urgent"].start] >= 0).float()
    target = target.clamp(min=0)

    def one(name: str) -> Any:
        where = OUTPUTS[name]
        return -(target[:, where] * _functions.log_softmax(answers[:, where], 1)).sum(1)

    def each(name: str, weight: float = 1.0) -> Any:
        where, wide = OUTPUTS[name], {"reduction": "none"}
        of = torch.full((where.stop - where.start,), weight)
        return _functions.binary_cross_entropy_with_logits(
            answers[:, where], target[:, where], pos_weight=of, **wide
        ).sum(1)

    harms = torch.where(torch.from_numpy(syllabus.own[some]), _OWN_HARMS, _HARMS)
    more = each("urgent") + 0.6 * each("answer") + 0.7 * one("kind") + harms * each("harm", _HARM_WEIGHT)
    more = more + 0.3 * one("addressed") + 0.2 * each("flags")
    return ((1.5 * one("mood") + known * more) * weights).sum() / weights.sum()
