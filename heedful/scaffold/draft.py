"""A connector of one's own: name and abilities -> the files of a small distribution. It only reads the samples."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Literal

from heedful.version import VERSION

__all__ = ["Ear", "distribution", "draft", "objection"]

Ear = Literal["polls", "streams", "listens"]

_KIND = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 32
"""What the exam allows a kind to be."""
_MARKED = re.compile(r"^ *# <replies>\n(.*?)^ *# </replies>\n", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r"^from (\S+) import (.+)\n", re.MULTILINE)
_TOO_AIRY = re.compile(r"\n{4,}")


def objection(name: str, taken: Collection[str]) -> str | None:
    """Why a connector cannot be called so, and the way out; None where it can."""
    if name in taken:
        return f"the kind `{name}` is taken → `heedful connectors` lists them all; choose another name"
    if _fits(name):
        return None
    better = re.sub("[^a-z0-9]+", "_", name.lower()).lstrip("_0123456789")[:_LONGEST].strip("_")
    way_out = f"try `{better}`" if _fits(better) and better not in taken else "try a word such as `forum`"
    return f"`{name}` cannot be a kind: lower-case letters, digits and single _, a letter first → {way_out}"


def _fits(name: str) -> bool:
    return bool(_KIND.fullmatch(name)) and len(name) <= _LONGEST and not keyword.iskeyword(name)


def distribution(kind: str) -> str:
    """The name of the distribution, and of its folder."""
    return f"heedful-{kind.replace('_', '-')}"


def draft(kind: str, ear: Ear, *, replies: bool) -> Mapping[str, str]:
    """The files of a distribution by path. `kind` is one that `objection` lets pass."""
    module = f"heedful_{kind}"
    texts = {
        "pyproject.toml": _sample("project.toml"),
        "README.md": _sample("readme.md"),
        f"{module}.py": _sample(f"{ear}.py"),
        f"tests/test_{kind}.py": _sample(f"{ear}_exam.py"),
    }
    return {path: _renamed(_fitted(text, replies=replies), kind, ear) for path, text in texts.items()}


def _sample(name: str) -> str:
    return files("heedful.scaffold").joinpath(name).read_text("utf-8")


def _fitted(text: str, *, replies: bool) -> str:
    """With what is marked as belonging to replies, or without it and what only that had needed."""
    if replies:
        return _TOO_AIRY.sub("\n\n\n", _MARKED.sub(r"\1", text))
    text = _TOO_AIRY.sub("\n\n\n", _MARKED.sub("", text).replace(', "replies"', ""))
    return _IMPORT.sub(lambda found: _needed(found, text), text)


def _needed(found: re.Match[str], text: str) -> str:
    names = [name for name in found[2].split(", ") if len(re.findall(rf"\b{name}\b", text)) > 1]
    return f"from {found[1]} import {', '.join(names)}\n" if names else ""


def _renamed(text: str, kind: str, ear: Ear) -> str:
    camel = "".join(part.capitalize() for part in kind.split("_"))
    text = text.replace(f"heedful.scaffold.{ear}", f"heedful_{kind}").replace("TestSample", f"Test{camel}")
    text = text.replace("heedful-sample", distribution(kind)).replace("heedful_sample", f"heedful_{kind}")
    return re.sub(r"(?<![A-Za-z])sample\b", kind, text.replace("VERSION", VERSION))
