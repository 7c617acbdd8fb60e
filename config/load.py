"""Reads the file, and puts the secrets of the environment where the file names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from config.findings import Finding
from config.lint import parse
from config.schema import Care

__all__ = ["ConfigurationError", "MissingSecret", "example", "load", "resolve"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ConfigurationError(Exception):
    """The file cannot be used; `findings` say why, in the order of its lines."""

    def __init__(self, path: Path, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(f"{path}:{finding}" for finding in findings))
        self.findings = findings


class MissingSecret(LookupError):
    """A variable that the file names and the environment does not hold."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name = name


def load(path: Path, *, today: date | None = None) -> Care:
    """The file as a value. Raises ConfigurationError, also where it cannot be read."""
    try:
        source = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        finding = Finding(
            1,
            1,
            "error",
            "unreadable-file",
            f"{path} cannot be read: {reason}",
            "name another file with -c, or write one with `heedful init`",
        )
        raise ConfigurationError(path, (finding,)) from error
    care, findings = parse(source, path.name, today=today)
    if care is None:
        raise ConfigurationError(path, tuple(f for f in findings if f.level == "error"))
    return care


def resolve(settings: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings with every `${NAME}` replaced, deep. Raises MissingSecret; an empty variable is missing too."""
    return {key: _resolve(value, environ) for key, value in settings.items()}


def example() -> str:
    """The shipped, commented heedful.yaml."""
    return resources.files("config").joinpath("heedful.yaml").read_text("utf-8")


def _resolve(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _secret(match[1], environ), value)
    if isinstance(value, Mapping):
        return resolve(value, environ)
    return [_resolve(item, environ) for item in value] if isinstance(value, (list, tuple)) else value


def _secret(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        raise MissingSecret(name)
    return value
