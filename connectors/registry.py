"""Which connectors are installed. A kind is imported only when it is named; a broken one is reported, never raised."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args

from connectors.api import Ability, Plugin

__all__ = ["GROUP", "UnknownKind", "broken", "installed", "kinds", "load"]

GROUP = "heedful.connectors"
_OURS = "heedful"
_ABILITIES = frozenset(get_args(Ability))


class UnknownKind(LookupError):
    """No connector of this kind can be used; the text says why, or which kinds were meant."""

    def __str__(self) -> str:  # LookupError's own is the repr of its arguments for KeyError's sake
        return str(self.args[0]) if self.args else ""


def kinds(entries: Iterable[EntryPoint] | None = None) -> tuple[str, ...]:
    """The names of all installed kinds, broken ones too. Imports none."""
    return tuple(sorted(_chosen(entries)))


def load(kind: str, entries: Iterable[EntryPoint] | None = None) -> Plugin[Any]:
    """Import one kind and nothing else. Raises `UnknownKind`, a LookupError, with near misses."""
    chosen = _chosen(entries)
    if kind not in chosen:
        near = difflib.get_close_matches(kind, chosen, n=3, cutoff=0.5)
        meant = " or ".join(f"`{name}`" for name in near)
        way_out = f"did you mean {meant}?" if near else f"installed: {', '.join(sorted(chosen)) or 'none'}"
        raise UnknownKind(f"no connector of kind `{kind}` → {way_out}")
    plugin = _imported(chosen[kind])
    if isinstance(plugin, str):
        raise UnknownKind(f"the connector `{kind}` is installed but cannot be used: {plugin}")
    return plugin


def installed(entries: Iterable[EntryPoint] | None = None) -> dict[str, Plugin[Any]]:
    """All usable plugins by kind, sorted. Imports them all: for commands, not for the daemon."""
    loaded = {kind: _imported(entry) for kind, entry in sorted(_chosen(entries).items())}
    return {kind: plugin for kind, plugin in loaded.items() if not isinstance(plugin, str)}


def broken(entries: Iterable[EntryPoint] | None = None) -> dict[str, str]:
    """What is installed and cannot be used, and why: `kind` or `kind (distribution)` to the reason."""
    found = _found(entries)
    chosen = _chosen(found)
    reasons = {kind: _imported(entry) for kind, entry in sorted(chosen.items())}
    report = {kind: reason for kind, reason in reasons.items() if isinstance(reason, str)}
    for entry in found:
        if entry != chosen[entry.name] or _distribution(entry) != _distribution(chosen[entry.name]):
            taken = _distribution(chosen[entry.name])
            report[f"{entry.name} ({_distribution(entry)})"] = f"the kind `{entry.name}` is already taken by {taken}"
    return report


def _found(entries: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    return list(entry_points(group=GROUP) if entries is None else entries)


def _chosen(entries: Iterable[EntryPoint] | None) -> dict[str, EntryPoint]:
    """One entry a kind: heedful's own before others, then by the distribution's name."""

    def rank(entry: EntryPoint) -> tuple[bool, str]:
        return _distribution(entry) != _OURS, _distribution(entry)

    return {entry.name: entry for entry in sorted(_found(entries), key=rank, reverse=True)}


def _distribution(entry: EntryPoint) -> str:
    distribution = entry.dist
    return distribution.name if distribution is not None else "an unknown distribution"


def _imported(entry: EntryPoint) -> Plugin[Any] | str:
    """The plugin, or what is wrong with it. Third-party code runs here and may fail in any way."""
    try:
        plugin = entry.load()
    except Exception as error:  # noqa: BLE001 — one bad distribution must not stop the others
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    if not isinstance(plugin, Plugin):
        return f"`{entry.value}` is a {type(plugin).__name__}, not a Plugin"
    if plugin.kind != entry.name:
        return f"`{entry.value}` says that its kind is `{plugin.kind}`, its entry point `{entry.name}`"
    if strange := sorted(map(str, plugin.abilities - _ABILITIES)):
        return f"`{entry.value}` declares unknown abilities: {', '.join(strange)}"
    return plugin
