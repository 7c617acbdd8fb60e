"""How a question of the exam becomes a test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, TypeVar, get_args

import pytest

from connectors.api import Ability, Plugin
from connectors.testing.channel import FakeChannel
from connectors.testing.sitting import Ear, Sitting, sitting

__all__ = ["AWKWARD", "CALLS", "EARS", "Exam", "asks"]

AWKWARD = "Ça va? 我的卡被盜刷了 👩‍👩‍👧 <b>1 &lt; 2 & 3</b> \"'\\ {name} %s *_~` #1 @care\nsecond line"
"""A text that must come in and go out as it is."""
EARS: tuple[Ear, ...] = get_args(Ear)
CALLS: tuple[Ear, ...] = ("polls", "streams")


class Exam:
    """What a subclass states."""

    plugin: ClassVar[Plugin[Any]]
    channel: ClassVar[type[FakeChannel]] = FakeChannel
    """Stays FakeChannel for a connector that has no platform behind it."""
    ears: ClassVar[tuple[Ear, ...]] = EARS
    """Fewer, where the settings decide which of the declared ears is open."""
    many: ClassVar[int] = 250
    """More than one page of the platform holds."""

    def settings(self, base_url: str) -> dict[str, Any]:
        """The channel's keys as staff would write them, secrets filled in. `base_url` ends without a slash."""
        raise NotImplementedError("write `settings`: the keys of a channel, as staff would")

    def open_ears(self) -> tuple[Ear, ...]:
        return tuple(ear for ear in self.ears if ear in self.plugin.abilities)

    async def ask(self, question: Callable[[Any, Sitting], Coroutine[Any, Any, None]], ear: Ear | None) -> None:
        async with sitting(self.plugin, self.channel(), self.settings, ear) as s:
            await question(self, s)


E = TypeVar("E", bound=Exam)


def asks(
    *needs: Ability, of: tuple[Ear, ...] = (), flag: str | None = None, offline: bool = False
) -> Callable[[Callable[[E, Sitting], Coroutine[Any, Any, None]]], Callable[[E], None]]:
    """Make a question into a test: skipped without the abilities, an ear or the flag; asked once of each ear.

    `offline`: it can be asked where there is no platform behind the connector.
    """

    def make(question: Callable[[E, Sitting], Coroutine[Any, Any, None]]) -> Callable[[E], None]:
        def test(self: E) -> None:
            ears: list[Ear] = [ear for ear in self.open_ears() if ear in of]
            reason = _not_asked(self, needs, of, ears, flag, offline=offline)
            if reason is not None:
                pytest.skip(reason)
            asked: Sequence[Ear | None] = ears if of else self.open_ears()[:1] or (None,)
            for ear in asked:
                asyncio.run(self.ask(question, ear))

        test.__name__, test.__qualname__, test.__doc__ = question.__name__, question.__qualname__, question.__doc__
        test.__module__ = question.__module__
        return test

    return make


def _not_asked(
    exam: Exam, needs: tuple[Ability, ...], of: tuple[Ear, ...], ears: list[Ear], flag: str | None, *, offline: bool
) -> str | None:
    kind = exam.plugin.kind
    missing = [need for need in needs if need not in exam.plugin.abilities]
    if missing:
        return f"{kind} does not declare {', '.join(missing)}"
    if of and not ears:
        return f"{kind} declares none of {', '.join(of)}"
    if exam.channel is FakeChannel and not offline:
        return f"{kind} has no platform behind it"
    if flag is not None and not getattr(exam.channel, flag):
        return f"the channel states `{flag} = False`"
    return None
