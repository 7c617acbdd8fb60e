"""Whether to speak about one message, and in which words: the guard and the wording, fed from rows. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from config.schema import Cap, Caps
from connectors.api import Message
from heedful.guidance import Guidance
from heedful.preparation import Prepared
from heedful.recall import Traffic, memory
from heedful.source import Source
from responders.guard import Circumstances, Count, Verdict, answered_recently, effective_mode, foregone, judge
from responders.names import usable_name
from responders.promise import round_up, when
from responders.wording import Words, compose, locale_for
from routing.decide import Decision

__all__ = ["Speech", "due_of"]

Case = Mapping[str, Any] | None


class Speech:
    """Speaks for one channel, by one version of the file."""

    def __init__(self, source: Source, guidance: Guidance) -> None:
        self._source = source
        self._care = guidance.care

    def consider(
        self, item: Prepared, decision: Decision, case: Case, traffic: Callable[[], Traffic], *, edit: bool = False
    ) -> tuple[Verdict, Words | None]:
        """The verdict and the words that would be said; `traffic` is asked for only where a text is due at all."""
        message = item.message
        no = foregone(
            automated=message.automated, repost=message.repost, edit=edit, routed=decision.routed, style=decision.style
        )
        if no is not None:
            return no, None
        seen = traffic()
        words = self._words(item, decision, case, seen)
        return judge(self._circumstances(item, decision, case, worded=words is not None, traffic=seen)), words

    def promised(self, decision: Decision, case: Case, now: datetime) -> datetime | None:
        """The time that a text of `now` tells: it binds, and not the deadline from which it was rounded up."""
        due = due_of(case)
        return due and round_up(due, self._zone(decision), now)

    def _circumstances(
        self, item: Prepared, decision: Decision, case: Case, *, worded: bool, traffic: Traffic
    ) -> Circumstances:
        message, reading, acknowledge = item.message, item.reading, self._care.acknowledge
        assert reading is not None, "only what was read is decided"
        policy = self._source.policy
        return Circumstances(
            routed=decision.routed,
            style=decision.style,
            worded=worded,
            mode=effective_mode(acknowledge, self._source.name, decision.style, message.private),
            kind=decision.kind,
            kinds=acknowledge.kinds,
            addressed=reading.addressed,
            harm=reading.harm,
            private=message.private,
            mentions_us=bool(message.mentions_us),
            automated=message.automated,
            repost=message.repost,
            can_reply="replies" in self._source.abilities,
            unsolicited_allowed=policy.unsolicited,
            private_first_allowed=policy.private_first,
            per_interaction=policy.per_interaction,
            window_left=policy.reply_window and message.sent_at + policy.reply_window - item.at,
            bot_silent=bool(case and case["bot_silent"]),
            answered_recently=answered_recently(case["last_answered_at"] if case else None, item.at),
            age=item.at - message.sent_at,
            too_old=acknowledge.too_old,
            **self._counts(message, acknowledge.caps, traffic, item.at),
        )

    def _counts(self, message: Message, caps: Caps, traffic: Traffic, now: datetime) -> dict[str, Any]:
        sent = traffic.by_person.get(message.author.id, [])
        there = [one.at for one in sent if one.thread == message.thread]
        return {
            "paused": traffic.paused,
            "per_thread": Count(_within(there, caps.per_thread, now), caps.per_thread.count),
            "per_person": Count(_within([one.at for one in sent], caps.per_person, now), caps.per_person.count),
            "per_channel": Count(_within(traffic.channel, caps.per_channel, now), caps.per_channel.count),
            "overall": Count(_within(traffic.overall, caps.overall, now), caps.overall.count),
            "messages_left": self._messages_left(there, now),
        }

    def _messages_left(self, sent: Sequence[datetime], now: datetime) -> int | None:
        policy = self._source.policy
        if policy.messages_per_window is None or policy.reply_window is None:
            return None
        window = Cap(count=policy.messages_per_window, window=policy.reply_window)
        return window.count - _within(sent, window, now)

    def _words(self, item: Prepared, decision: Decision, case: Case, traffic: Traffic) -> Words | None:
        message, acknowledge = item.message, self._care.acknowledge
        style = acknowledge.styles[decision.style]
        reading = item.reading
        assert reading is not None, "only what was read is decided"
        locale = locale_for(
            style.wordings,
            customer=message.language,
            script=reading.language,
            channel=self._source.locale,
            fallback=acknowledge.fallback,
        )
        if locale is None:
            return None
        due, remembered = due_of(case), memory(acknowledge.caps)
        used = [
            one
            for one in traffic.by_person.get(message.author.id, [])
            if one.style == decision.style and one.locale == locale and one.at > item.at - remembered
        ]
        return compose(
            style,
            locale=locale,
            name=usable_name(message.author.name, self._forbidden_names),
            ref=case["ref"] if case else None,
            due=None if due is None else when(due, self._zone(decision), locale, item.at),
            brand=self._care.brand.name,
            team=decision.team,
            avoid={one.wording for one in used if one.wording is not None},
            length=self._source.limits.reply_length,
            measure=self._source.length,
            disclose=acknowledge.disclose,
            seed=_seed(message.id),
        )

    @cached_property
    def _forbidden_names(self) -> tuple[str, ...]:
        brand = self._care.brand
        ours = (brand.name, *brand.aliases, *brand.handles, *brand.competitors, *brand.staff)
        return (*self._care.acknowledge.forbidden_names, *ours)

    def _zone(self, decision: Decision) -> ZoneInfo:
        calendar = self._care.calendars.get(decision.deadlines.calendar or "")
        return ZoneInfo(calendar.timezone) if calendar and calendar.timezone else self._care.zone()


def _within(times: Sequence[datetime], cap: Cap, now: datetime) -> int:
    """How many of these lie in the cap's window; they come oldest first, so the newest are looked at first."""
    since, count = now - cap.window, 0
    for at in reversed(times):
        if at <= since or count >= cap.count:
            break
        count += 1
    return count


def due_of(case: Case) -> datetime | None:
    """The deadline that a customer may be told: of the first answer, or of the next one where that was given."""
    if case is None:
        return None
    due: datetime | None = case["next_answer_due"] if case["first_answered_at"] else case["first_answer_due"]
    return due


def _seed(text: str) -> int:
    return sum(text.encode())
