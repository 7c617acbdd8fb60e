"""What the pipeline and the outbox must know about a channel, once it is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from config.schema import Channel
from connectors.api import Ability, Author, Idempotency, Limits, Plugin, Policy

__all__ = ["Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One open channel, as plain facts. `account` is `kind:own id`, or `kind:channel name` where there is none."""

    name: str
    kind: str
    account: str
    abilities: frozenset[Ability]
    idempotency: Idempotency
    limits: Limits
    policy: Policy
    length: Callable[[str], int] = field(compare=False)
    place: Callable[[str], str] = field(default=lambda thread: thread, compare=False)
    selves: frozenset[str] = frozenset()
    machine: str | None = None
    locale: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, name: str, channel: Channel, plugin: Plugin[Any], me: Author) -> Source:
        """The facts about channel `name`, whose connector says that it is `me`."""
        selves = {me.id} | ({channel.reply_as} if channel.reply_as else set())
        return cls(
            name=name,
            kind=plugin.kind,
            account=f"{plugin.kind}:{me.id or name}",
            abilities=plugin.abilities,
            idempotency=plugin.idempotency,
            limits=plugin.limits,
            policy=plugin.policy,
            length=plugin.length,
            place=plugin.place,
            selves=frozenset(selves - {""}),
            machine=me.id if me.bot else None,
            locale=channel.locale,
            region=channel.region,
        )

    def is_self(self, author: Author) -> bool:
        return author.id in self.selves or bool(author.handle and author.handle.lstrip("@") in self.selves)
