"""A channel of the file made ready to be opened: its plug-in found, its secrets put in, its settings valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from config.load import MissingSecret, resolve
from config.schema import Channel
from connectors import registry
from connectors.api import Plugin
from heedful.source import Source

__all__ = ["Unfit", "fitted", "paced"]


class Unfit(Exception):
    """The channel cannot be opened as the file has it; what a person must mend."""


def fitted(channel: Channel, variables: Mapping[str, str]) -> tuple[Plugin[Any], BaseModel]:
    """Its plug-in and its settings, `${NAME}` replaced from `variables`. Raises Unfit, which names no secret."""
    try:
        plugin = registry.load(channel.kind)
        return plugin, plugin.settings.model_validate(resolve(channel.settings, variables))
    except (MissingSecret, LookupError, ValidationError) as cause:
        problem = _explain(cause)
    raise Unfit(problem)  # outside the handler: what pydantic saw is not chained


def paced(source: Source, settings: BaseModel) -> Source:
    """A channel's own `poll_every` stands before that of its kind."""
    own = getattr(settings, "poll_every", None)
    return replace(source, limits=replace(source.limits, poll_every=own)) if isinstance(own, timedelta) else source


def _explain(cause: Exception) -> str:
    if isinstance(cause, MissingSecret):
        return f"{cause}; set it, or write it into .env beside the file, and reload"
    if isinstance(cause, ValidationError):
        first = cause.errors(include_input=False, include_url=False)[0]
        return f"setting `{'.'.join(map(str, first['loc']))}`: {first['msg']}"
    return str(cause)
