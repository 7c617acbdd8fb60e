"""Data -> Care, and whatever does not fit the schema as findings in our own words."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.document import FULL_WIDTH_SIGNS, Node, Path, half_width
from config.findings import Finding, did_you_mean
from config.schema import Care

__all__ = ["misfits", "shape"]

_AS_RESOLVED = ("channels", "notify", "tests", "version")
"""Whose values a connector or a recorded message types; all else is read as written."""

_OWN = "digest"
_QUOTED = re.compile(r"'([^']*)'")
_NUMBERS = ("int_parsing", "int_type", "int_from_float", "float_parsing", "float_type", "finite_number",
            "greater_than_equal", "less_than_equal", "int_parsing_size")  # fmt: skip
_LISTS = ("tuple_type", "list_type")
_MAPPINGS = ("model_type", "model_attributes_type", "mapping_type", "dict_type")
_DATES = re.compile("date|datetime|time")
_SECRET = re.compile("token|secret|password|key")


def shape(root: Node, digest: str) -> tuple[Care | None, list[Finding]]:
    """The file as a value, its version set; or what does not fit."""
    if not isinstance(root.value, dict):
        return None, [
            _misfit(
                root,
                "the file must hold keys such as `brand:` and `route:`",
                "start from the example that `heedful init` writes",
            )
        ]
    if _OWN in root.value:
        return None, [_unknown(root, (_OWN,), _keys_at(Care, ()))]
    data = {
        key: entry.node.resolved() if key in _AS_RESOLVED else entry.node.written() for key, entry in root.value.items()
    }
    _say_as_written(root, data)
    try:
        return Care.model_validate({**data, _OWN: digest}), []
    except ValidationError as error:
        return None, misfits(root, error, Care)


def misfits(
    root: Node, error: ValidationError, model: type[BaseModel], path: Path = (), *, also: Sequence[str] = ()
) -> list[Finding]:
    """What did not fit `model`, whose values stand at `path` of the file, in our own words.

    `also` are keys that stand beside those of the model.
    """
    details = error.errors(include_url=False, include_input=False)
    return list(dict.fromkeys(_finding(root, detail, model, path, also) for detail in details))


def _say_as_written(root: Node, data: dict[str, Any]) -> None:
    for index, test in enumerate(data["tests"] if isinstance(data.get("tests"), list) else ()):
        if isinstance(test, dict):
            for key in ("say", "expect"):
                if key in test:
                    test[key] = root.at(("tests", index, key)).node.written()


def _finding(root: Node, detail: ErrorDetails, model: type[BaseModel], above: Path, also: Sequence[str]) -> Finding:
    kind, path = detail["type"], (*above, *detail["loc"])
    if kind == "extra_forbidden":
        inside = path[len(above) : -1]
        return _unknown(root, path, [*_keys_at(model, inside), *(() if inside else also)])
    entry = root.at(path)
    if kind == "missing":
        holder = root.at(path[:-1])
        return Finding(
            holder.line, holder.column, "error", "missing-key", f"`{path[-1]}` is missing", f"add `{path[-1]}:`"
        )
    if (kind in _LISTS or kind in _MAPPINGS) and (delimiter := _delimiter(entry.node)) is not None:
        return delimiter
    return _by_kind(kind, detail, entry.node, _name(root, path))


def _delimiter(node: Node) -> Finding | None:
    """A list or mapping that is none, because it was typed with the signs of a Chinese keyboard."""
    found = FULL_WIDTH_SIGNS.search(node.value) if isinstance(node.value, str) and node.plain else None
    if found is None:
        return None
    return Finding(
        node.line,
        node.column + found.start(),
        "error",
        "full-width",
        f"full-width `{found[0]}` where YAML needs `{half_width(found[0])}`",
        f"write {half_width(str(node.value))}",
    )


def _by_kind(kind: str, detail: ErrorDetails, node: Node, name: str) -> Finding:
    context = detail.get("ctx", {})
    tellable = isinstance(node.value, str) and node.value and not _SECRET.search(name)
    shown = f"`{node.value}`" if tellable else "this"
    if kind == "literal_error":
        return _choice(node, shown, name, str(context.get("expected", "")))
    if kind == "string_type" and node.is_null():
        return Finding(
            node.line,
            node.column,
            "error",
            "empty-item",
            f"`{name}` has an empty item",
            'remove it; quote a text that begins with #, as in "#refund"',
        )
    if kind == "value_error":
        return _own(node, shown, str(context.get("error", "")))
    if kind in _NUMBERS:
        return _misfit(node, f"{shown} does not fit `{name}`", _number(kind, context))
    if _DATES.match(kind):
        return Finding(
            node.line,
            node.column,
            "error",
            "bad-date",
            f"{shown} is not a date of `{name}`",
            "write it as 2027-03-31, a time as 2027-03-31T09:00:00+08:00",
        )
    return _misfit(node, *_type(kind, node, shown, name))


def _choice(node: Node, shown: str, name: str, expected: str) -> Finding:
    allowed = _QUOTED.findall(expected)
    way_out = did_you_mean(str(node.value), allowed) if allowed else f"write {expected}"
    return _misfit(node, f"{shown} is not a value of `{name}`", way_out)


def _type(kind: str, node: Node, shown: str, name: str) -> tuple[str, str]:
    if kind == "string_type":
        return f"`{name}` must be a text", "write a text" if isinstance(node.value, str) else "quote this value"
    if kind in _LISTS:
        return f"`{name}` must be a list", "write [one, two], or one item a line behind `- `"
    if kind in _MAPPINGS:
        return f"`{name}` must hold keys", "write `key: value`, each on a line of its own, indented"
    if kind.startswith("bool"):
        return f"{shown} does not fit `{name}`", "write true or false"
    if kind == "string_too_short":
        return f"`{name}` is empty", "write a text"
    return f"{shown} does not fit `{name}`", "compare with the shipped example"


def _number(kind: str, context: Mapping[str, Any]) -> str:
    if "ge" in context:
        return f"write a number of at least {context['ge']:g}"
    if "le" in context:
        return f"write a number of at most {context['le']:g}"
    return "write a whole number" if kind.startswith("int") else "write a number, such as 0.6"


def _own(node: Node, shown: str, message: str) -> Finding:
    """Errors that the schema itself words: 'a duration is …: 30s, 15m'."""
    for sign, rule in (("a duration", "bad-duration"), ("a cap", "bad-cap"), ("time zone", "bad-timezone")):
        if sign in message:
            return Finding(node.line, node.column, "error", rule, f"{shown} cannot be read", message)
    what, _, way_out = message.partition("; ")
    return _misfit(node, what or f"{shown} does not fit", way_out or "compare with the shipped example")


def _misfit(node: Node, what: str, way_out: str) -> Finding:
    return Finding(node.line, node.column, "error", "bad-value", what, way_out)


def _unknown(root: Node, path: Sequence[str | int], known: Sequence[str]) -> Finding:
    entry = root.at(path)
    key = str(path[-1])
    if FULL_WIDTH_SIGNS.search(key):
        return Finding(
            entry.line,
            entry.column,
            "error",
            "full-width",
            f"full-width signs in the key `{key}`",
            f"write {half_width(key)}",
        )
    return Finding(entry.line, entry.column, "error", "unknown-key", f"unknown key `{key}`", did_you_mean(key, known))


def _name(root: Node, path: Path) -> str:
    """The last key of `path` that is written in the file."""
    written = [
        step
        for n, step in enumerate(path)
        if isinstance(step, str) and root.at(path[:n]).node is not root.at(path[: n + 1]).node
    ]
    return written[-1] if written else "this"


def _keys_at(top: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that a model knows at a place inside it."""
    annotation: Any = top
    for step in path:
        annotation = _inside(annotation, step)
    model = _model(annotation)
    return [field.alias or name for name, field in model.model_fields.items() if name != _OWN] if model else []


def _inside(annotation: Any, step: str | int) -> Any:
    model = _model(annotation)
    if model is not None:
        field = next((f for name, f in model.model_fields.items() if step in (name, f.alias)), None)
        return field.annotation if field else None
    for part in _parts(annotation):
        origin, arguments = get_origin(part), get_args(part)
        if isinstance(origin, type) and issubclass(origin, (Mapping, tuple)):
            return arguments[-1] if issubclass(origin, Mapping) else arguments[0]
    return None


def _model(annotation: Any) -> type[BaseModel] | None:
    return next((p for p in _parts(annotation) if isinstance(p, type) and issubclass(p, BaseModel)), None)


def _parts(annotation: Any) -> list[Any]:
    """The alternatives of an annotation, without what only annotates."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [part for argument in get_args(annotation) for part in _parts(argument)]
    return [annotation]
