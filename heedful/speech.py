"""Whether to speak about one message, and in which words: the guard and the wording, fed from rows. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.schema import Cap, Caps
from connectors.api import Message
from heedful.guidance import Guidance
from heedful.preparation import Prepared
from heedful.recall import Sent, Traffic
from heedful.source import Source
from responders.guard import Circumstances, Count, Verdict, answered_recently, effective_mode, judge
from responders.names import usable_name
from responders.wording import Words, compose, locale_for, when
from routing.decide import Decision

__all__ = ["Speech", "due_of"]

Case = Mapping[str, Any] | None


class Speech:
    """Speaks for one channel, by one version of the file, at one moment."""

    def __init__(self, source: Source, guidance: Guidance, now: datetime) -> None:
        self._source = source
        self._guidance = guidance
        self._care = guidance.care
        self._now = now

    def consider(
        self, item: Prepared, decision: Decision, case: Case, traffic: Callable[[], Traffic], *, edit: bool = False
    ) -> tuple[Verdict, Words | None]:
        """The verdict and the words that would be said; `traffic` is asked for only where a text is due at all."""
        if decision.style == "none" or edit:
            return judge(self._circumstances(item, decision, case, edit=edit, worded=True, traffic=None)), None
        seen = traffic()
        words = self._words(item, decision, case, seen)
        return judge(
            self._circumstances(item, decision, case, edit=edit, worded=words is not None, traffic=seen)
        ), words

    def _circumstances(
        self, item: Prepared, decision: Decision, case: Case, *, edit: bool, worded: bool, traffic: Traffic | None
    ) -> Circumstances:
        message, reading, acknowledge = item.message, item.reading, self._care.acknowledge
        assert reading is not None, "only what was read is decided"
        policy = self._source.policy
        return Circumstances(
            routed=decision.routed,
            style=decision.style,
            edit=edit,
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
            window_left=policy.reply_window and message.sent_at + policy.reply_window - self._now,
            bot_silent=bool(case and case["bot_silent"]),
            answered_recently=answered_recently(case["last_answered_at"] if case else None, self._now),
            age=self._now - message.sent_at,
            too_old=acknowledge.too_old,
            **(self._counts(message, acknowledge.caps, traffic) if traffic else {}),
        )

    def _counts(self, message: Message, caps: Caps, traffic: Traffic) -> dict[str, Any]:
        sent = traffic.by_person.get(message.author.id, [])
        return {
            "paused": traffic.paused,
            "per_thread": Count(
                _within([one for one in sent if one.thread == message.thread], caps.per_thread, self._now),
                caps.per_thread.count,
            ),
            "per_person": Count(_within(sent, caps.per_person, self._now), caps.per_person.count),
            "per_channel": Count(traffic.channel, caps.per_channel.count),
            "overall": Count(traffic.overall, caps.overall.count),
            "messages_left": self._messages_left(message, sent),
        }

    def _messages_left(self, message: Message, sent: Sequence[Sent]) -> int | None:
        policy = self._source.policy
        if policy.messages_per_window is None or policy.reply_window is None:
            return None
        window = Cap(count=policy.messages_per_window, window=policy.reply_window)
        return window.count - _within([one for one in sent if one.thread == message.thread], window, self._now)

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
        due = due_of(case)
        used = [
            one
            for one in traffic.by_person.get(message.author.id, [])
            if one.style == decision.style and one.locale == locale
        ]
        return compose(
            style,
            locale=locale,
            name=usable_name(message.author.name, self._forbidden_names()),
            ref=case["ref"] if case else None,
            due=None if due is None else when(due, self._zone(decision), locale, self._now),
            brand=self._care.brand.name,
            team=decision.team,
            avoid={one.wording for one in used if one.wording is not None},
            length=self._source.limits.reply_length,
            measure=self._source.length,
            disclose=acknowledge.disclose,
            seed=_seed(message.id),
        )

    def _forbidden_names(self) -> tuple[str, ...]:
        brand = self._care.brand
        return (*self._care.acknowledge.forbidden_names, brand.name, *brand.aliases, *brand.handles, *brand.competitors)

    def _zone(self, decision: Decision) -> ZoneInfo:
        calendar = self._care.calendars.get(decision.deadlines.calendar or "")
        return ZoneInfo(calendar.timezone) if calendar and calendar.timezone else self._care.zone()


def _within(sent: Sequence[Sent], cap: Cap, now: datetime) -> int:
    return sum(one.at > now - cap.window for one in sent)


def due_of(case: Case) -> datetime | None:
    """The deadline that a customer may be told: of the first answer, or of the next one where that was given."""
    if case is None:
        return None
    due: datetime | None = case["next_answer_due"] if case["first_answered_at"] else case["first_answer_due"]
    return due


def _seed(text: str) -> int:
    return sum(text.encode())
