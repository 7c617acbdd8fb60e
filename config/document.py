"""Bytes -> a tree of what is written, each part with its place. YAML 1.2; values stay as written.

The tree is built from the parser's events, so that nothing written is lost: duplicate keys, anchors
and the source text of `012` or `no`. Nothing is executed, expanded or resolved.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from config.expressions import FULL_WIDTH
from config.findings import Finding

__all__ = ["FULL_WIDTH_SIGNS", "LARGEST", "Entry", "Node", "Path", "decode", "half_width", "read"]

LARGEST = 1_000_000
DEEPEST = 40

Path = tuple[str | int, ...]

_HALF_WIDTH = str.maketrans(FULL_WIDTH + "：【】", '()[]{}"""""",,;|*:[]')
FULL_WIDTH_SIGNS = re.compile(f"[{FULL_WIDTH}：【】]")
"""Signs of a Chinese keyboard that are no delimiters, neither of YAML nor of the keyword language."""
_FULL_WIDTH_IN_YAML = re.compile("[：，；［］｛｝【】“”]")
_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_OTHER_INTEGER = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


@dataclass(slots=True, eq=False)
class Node:
    """A value: a text as written, a list or a mapping. `plain`: a text without quotes."""

    line: int
    column: int
    value: str | list[Node] | dict[str, Entry]
    plain: bool = False

    def at(self, path: Sequence[str | int]) -> Entry:
        """The deepest part of `path` that exists."""
        entry = Entry(self.line, self.column, self)
        for step in path:
            value = entry.node.value
            if isinstance(value, dict) and step in value:
                entry = value[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                item = value[step]
                entry = Entry(item.line, item.column, item)
            else:
                break
        return entry

    def scalars(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """Every text in the tree, with its path."""
        if isinstance(self.value, str):
            yield path, self
        elif isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield from item.scalars((*path, index))
        else:
            for key, entry in self.value.items():
                yield from entry.node.scalars((*path, key))

    def written(self) -> Any:
        """As plain data, every text as written; only what is empty or null is None."""
        if isinstance(self.value, str):
            return None if self.is_null() else self.value
        if isinstance(self.value, list):
            return [item.written() for item in self.value]
        return {key: entry.node.written() for key, entry in self.value.items()}

    def resolved(self) -> Any:
        """As plain data by the core schema of YAML 1.2: null, true, false and numbers are such."""
        if isinstance(self.value, list):
            return [item.resolved() for item in self.value]
        if isinstance(self.value, dict):
            return {key: entry.node.resolved() for key, entry in self.value.items()}
        return _core(self.value) if self.plain else self.value

    def is_null(self) -> bool:
        return self.plain and self.value in _NULLS


@dataclass(slots=True, eq=False)
class Entry:
    """A key of a mapping (its place), or an item of a list, and the value."""

    line: int
    column: int
    node: Node


def half_width(text: str) -> str:
    """What was meant: the same with the signs that YAML and the keyword language understand."""
    return re.sub("： ?", ": ", text).translate(_HALF_WIDTH).strip()


def decode(source: bytes, name: str) -> tuple[str, Finding | None]:
    """The text of a file, or a finding that says which encoding it seems to have."""
    for bom, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if source.startswith(bom):
            return "", _not_utf8(name, 1, 1, f"is written in {encoding}")
    if b"\x00" in source[:1000]:
        wide = source[:1000].count(b"\x00") * 3 >= min(len(source), 1000)
        return "", _not_utf8(name, 1, 1, "is written in UTF-16" if wide else "is not a text file")
    try:
        return source.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        before = source[: error.start].rpartition(b"\n")
        line = source.count(b"\n", 0, error.start) + 1
        return "", _not_utf8(name, line, len(before[2].decode("utf-8", "replace")) + 1, _guess(source))


def _not_utf8(name: str, line: int, column: int, what: str) -> Finding:
    return Finding(line, column, "error", "not-utf8", f"{name} {what}", "save it as UTF-8 in your editor")


def _guess(source: bytes) -> str:
    for codec, encoding in (("gb2312", "GBK"), ("big5", "Big5"), ("gbk", "GBK"), ("gb18030", "GB18030")):
        try:
            source.decode(codec)
        except UnicodeDecodeError:
            continue
        return f"is not UTF-8; it seems to be written in {encoding}"
    return "is not UTF-8, or is damaged"


def read(text: str) -> tuple[Node | None, list[Finding]]:
    """The tree of one document. None where it cannot be read; never raises on any text."""
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
            if builder.stopped:
                return None, builder.findings
    except MarkedYAMLError as error:
        return None, [*builder.findings, _syntax(error, text)]
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        return None, [Finding(line, column, "error", "yaml", "a character that no text holds", "remove it")]
    except (YAMLError, ValueError, OverflowError):  # the last two: `\\UFFFFFFFF`, a directive's number
        return None, [*builder.findings, Finding(1, 1, "error", "yaml", "this is not YAML", "see the shipped example")]
    if builder.root is None:
        builder.findings.append(
            Finding(
                1,
                1,
                "error",
                "empty-file",
                "the file says nothing",
                "start from the example that `heedful init` writes",
            )
        )
    return builder.root, builder.findings


@dataclass(slots=True)
class _Frame:
    node: Node
    key: tuple[str, int, int] | None = None


@dataclass(slots=True)
class _Builder:
    """Puts events together; a fault that leaves the rest readable is noted and passed over."""

    root: Node | None = None
    stack: list[_Frame] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    documents: int = 0
    stopped: bool = False

    def take(self, event: Event) -> None:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(line, column, "second-document", "a second document begins here", "remove the `---` line")
        elif isinstance(event, AliasEvent):
            self._note(line, column, "alias", f"`*{event.anchor}` is an alias", "write the value out where it is used")
            self._put(Node(line, column, "", plain=True))
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self.stack.pop()
        elif isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)):
            self._open(event, line, column)

    def _open(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent, line: int, column: int) -> None:
        if event.anchor is not None:
            self._note(line, column, "alias", f"`&{event.anchor}` is an anchor", "remove it, and write values out")
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._note(line, column, "tag", f"`{tag}` is a tag", "remove it; quote a value that is a text")
        if isinstance(event, ScalarEvent):
            self._put(Node(line, column, event.value, plain=event.style is None))
            return
        node = Node(line, column, [] if isinstance(event, SequenceStartEvent) else {})
        self._put(node)
        self.stack.append(_Frame(node))
        if len(self.stack) > DEEPEST:
            self._stop(line, column, "too-deep", "nested too deeply", f"at most {DEEPEST} levels are read")

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = None if node.is_null() else node
            return
        frame = self.stack[-1]
        holder = frame.node.value
        if isinstance(holder, list):
            holder.append(node)
        elif isinstance(holder, dict):
            if frame.key is None:
                frame.key = self._key(node)
            else:
                self._set(holder, frame.key, node)
                frame.key = None

    def _key(self, node: Node) -> tuple[str, int, int]:
        if isinstance(node.value, str):
            return node.value, node.line, node.column
        self._note(node.line, node.column, "yaml", "a key must be a word", "quote it if it begins with { or [")
        return "", node.line, node.column

    def _set(self, holder: dict[str, Entry], key: tuple[str, int, int], node: Node) -> None:
        name, line, column = key
        if name in holder:
            self._note(
                line,
                column,
                "duplicate-key",
                f"`{name}` is given twice, first in line {holder[name].line}",
                "join the two, or remove one",
            )
        else:
            holder[name] = Entry(line, column, node)

    def _note(self, line: int, column: int, rule: str, what: str, way_out: str) -> None:
        self.findings.append(Finding(line, column, "error", rule, what, way_out))

    def _stop(self, line: int, column: int, rule: str, what: str, way_out: str) -> None:
        self._note(line, column, rule, what, way_out)
        self.stopped = True


_ADVICE = (
    ("could not find expected ':'", "a line without its `:`", "write `key: value`, or quote a text of several lines"),
    (
        "mapping values are not allowed",
        "a `:` where no key can stand",
        "check the indentation, or quote the value that holds `: `",
    ),
    ("'\\t'", "a tab in the indentation", "indent with blanks"),
    ("end of stream", "a quote or bracket that is never closed", "close it"),
    ("<stream end>", "a quote or bracket that is never closed", "close it"),
    ("cannot start any token", "a value that begins with a reserved sign", 'put it into quotes: "@acme"'),
    ("expected ',' or", "a list or mapping that goes wrong here", "check commas, and close the bracket"),
    ("expected <block end>", "a line whose indentation fits nothing above", "indent it like its neighbours"),
    ("escape", "a `\\` in double quotes that means nothing", "use single quotes"),
)


def _syntax(error: MarkedYAMLError, text: str) -> Finding:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.splitlines() or [""]
    suspects = [line, line - 1] + ([error.context_mark.line] if error.context_mark else [])
    for suspect in suspects:
        found = _FULL_WIDTH_IN_YAML.search(lines[suspect]) if 0 <= suspect < len(lines) else None
        if found:
            return Finding(
                suspect + 1,
                found.start() + 1,
                "error",
                "full-width",
                f"full-width `{found[0]}` where YAML needs `{half_width(found[0])}`",
                f"write {half_width(lines[suspect])}",
            )
    problem = f"{error.problem or ''} {error.context or ''}"
    what, way_out = next(
        ((what, way_out) for sign, what, way_out in _ADVICE if sign in problem),
        ("this is not YAML", "compare with the shipped example"),
    )
    return Finding(min(line, len(lines)) + 1, column + 1, "error", "yaml", what, way_out)


def _core(text: str) -> Any:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_INTEGER.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
