"""`heedful check`: lint, the settings of each channel and notify target, and the platforms' policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ValidationError

from config.document import Node, Path
from config.findings import Finding, did_you_mean
from config.lint import examine
from config.report import Report, branches, conditions
from config.schema import Care, Channel, Mode
from config.shape import misfits
from connectors import registry
from connectors.api import Plugin

__all__ = ["check", "check_file"]

_OUTGOING: tuple[Mode, ...] = ("send", "approve")
_NOTHING = "none"

Finder = Callable[[str], Plugin[Any]]
Targets = Mapping[str, type[BaseModel]]


def check_file(path: FilePath, *, today: date | None = None) -> tuple[Finding, ...]:
    """All findings about a file on disk; one that cannot be read is a finding."""
    try:
        source = path.read_bytes()
    except OSError as error:
        return (
            Finding(
                1,
                1,
                "error",
                "unreadable-file",
                f"{path} cannot be read: {error.strerror or error}",
                "name another file, or write one with `heedful init`",
            ),
        )
    from heedful.notify import KINDS  # the library behind it takes long to import; only this command needs both

    return check(source, path.name, targets=KINDS, today=today)


def check(
    source: str | bytes,
    name: str,
    *,
    find: Finder = registry.load,
    targets: Targets | None = None,
    today: date | None = None,
) -> tuple[Finding, ...]:
    """Lint, and what only the plug-ins can tell. `find` raises LookupError for a kind that is not installed.

    Without `targets`, the settings models by kind, notify targets are not looked into.
    """
    examined = examine(source, name, today=today)
    if examined.care is None or examined.root is None:
        return examined.findings
    report = Report(examined.root)
    desk = _Desk(examined.care, report, find)
    desk.channels()
    desk.acknowledgements()
    desk.conditions()
    if targets is not None:
        _targets(examined.care, report, targets)
    return tuple(sorted({*examined.findings, *report.findings}))


@dataclass(slots=True)
class _Voice:
    """A channel, and the plug-in of the account that speaks for it."""

    channel: Channel
    plugin: Plugin[Any]

    @property
    def speaks(self) -> bool:
        return "replies" in self.plugin.abilities


class _Desk:
    """The channels of one file with their plug-ins; kinds that are not installed are findings, once."""

    def __init__(self, care: Care, report: Report, find: Finder) -> None:
        self._care = care
        self._report = report
        self._plugins: dict[str, Plugin[Any]] = {}
        for name, channel in care.channels.items():
            try:
                self._plugins[name] = find(channel.kind)
            except LookupError as error:
                what, _, way_out = str(error).strip("'\"").partition(" → ")
                report.error(
                    ("channels", name, "kind"),
                    "unknown-kind",
                    what,
                    way_out or "see `heedful connectors` for what is installed",
                )

    def channels(self) -> None:
        """Each channel's own settings, and the account that speaks for it."""
        for name, plugin in self._plugins.items():
            channel = self._care.channels[name]
            path = ("channels", name)
            _settings(self._report, path, plugin.settings, channel.settings, set(Channel.model_fields))
            if channel.reply_as in self._plugins:
                self._reply_as(name, plugin, str(channel.reply_as))

    def acknowledgements(self) -> None:
        """Automatic texts only where a channel can carry them, and the platform allows them."""
        care, report = self._care, self._report
        voices = {name: _Voice(care.channels[name], self._speaker(name)) for name in self._plugins}
        for name, modes in care.acknowledge.channels.items():
            voice = voices.get(name)
            if voice and not voice.speaks and (modes.public in _OUTGOING or modes.private in _OUTGOING):
                report.error(
                    ("acknowledge", "channels", name),
                    "policy",
                    f"`{name}` is to be answered, but {voice.plugin.kind} cannot reply",
                    "say off, or give the channel a `reply_as` that can",
                )
        if voices and self._acknowledges() and not any(voice.speaks for voice in voices.values()):
            report.warning(
                ("acknowledge",),
                "policy",
                "no channel of this file can reply",
                "acknowledgements will stay away; add a channel that can reply",
                key=True,
            )
        for name, voice in voices.items():
            self._lengths(name, voice)
            if care.acknowledge.mark and "marks" in voice.plugin.abilities and not voice.plugin.policy.automatic_marks:
                report.warning(
                    ("acknowledge", "mark"),
                    "policy",
                    f"{voice.plugin.kind} forbids automatic reactions",
                    f"none is set on `{name}`",
                )

    def conditions(self) -> None:
        """The kinds that `connector:` conditions name."""
        known = {*registry.kinds(), *(channel.kind for channel in self._care.channels.values())}
        for branch in branches(self._care):
            inner = conditions((*branch.path, "when"), branch.when) if branch.when is not None else ()
            for path, condition in inner:
                for index, kind in enumerate(condition.connector):
                    if kind not in known:
                        self._report.error(
                            (*path, "connector", index),
                            "unknown-kind",
                            f"no connector of kind `{kind}`",
                            did_you_mean(kind, known),
                        )

    def _reply_as(self, name: str, plugin: Plugin[Any], speaker: str) -> None:
        path = ("channels", name, "reply_as")
        other = self._plugins[speaker]
        if other.kind != plugin.kind:
            self._report.error(
                path,
                "policy",
                f"`{speaker}` is of kind {other.kind}: it cannot answer on {plugin.kind}",
                f"name a channel of kind {plugin.kind}",
            )
        elif "replies" not in other.abilities:
            self._report.error(path, "policy", f"{other.kind} cannot reply", "remove `reply_as`")
        elif self._care.channels[speaker].reply_as is not None:
            self._report.error(
                path,
                "policy",
                f"`{speaker}` itself answers by another channel",
                "name the channel that speaks in the end",
            )

    def _speaker(self, name: str) -> Plugin[Any]:
        return self._plugins.get(self._care.channels[name].reply_as or name, self._plugins[name])

    def _acknowledges(self) -> bool:
        modes = self._care.acknowledge.mode
        named = any(branch.style != _NOTHING for branch in branches(self._care))
        return named and (modes.public in _OUTGOING or modes.private in _OUTGOING)

    def _lengths(self, name: str, voice: _Voice) -> None:
        if not voice.speaks:
            return
        limit = voice.plugin.limits.reply_length
        for style, texts in self._care.acknowledge.styles.items():
            for locale, wordings in texts.wordings.items():
                for index, text in enumerate(wordings):
                    if voice.plugin.length(text) > limit:
                        self._report.warning(
                            ("acknowledge", "styles", style, locale, index),
                            "too-long",
                            f"longer than the {limit} characters of `{name}`",
                            "shorten it, or another text is chosen there",
                        )


def _targets(care: Care, report: Report, targets: Targets) -> None:
    for name, target in care.notify.items():
        path = ("notify", name)
        model = targets.get(target.kind)
        if model is None:
            report.error(
                (*path, "kind"), "unknown-kind", f"no notify kind `{target.kind}`", did_you_mean(target.kind, targets)
            )
        else:
            _settings(report, path, model, target.settings, {"kind", "region"})


def _settings(
    report: Report, path: Path, model: type[BaseModel], settings: Mapping[str, Any], common: set[str]
) -> None:
    """What the connector's own model says about the settings, at their lines. `${NAME}` may be any text."""
    try:
        model.model_validate(dict(settings))
    except ValidationError as error:
        for finding in misfits(report.root, error, model, path, also=sorted(common)):
            if not _is_secret(report.root, finding, path):
                report.findings.append(finding)


def _is_secret(root: Node, finding: Finding, path: Path) -> bool:
    """Whether the finding is about a value that only the environment knows."""
    return any(
        "${" in str(node.value) and (node.line, node.column) == (finding.line, finding.column)
        for _, node in root.at(path).node.scalars()
    )
