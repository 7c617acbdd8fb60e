"""May we answer at all? Every 'no' has a reason; pure.

The checks run in one fixed order, and the first that says no names the reason:

1. *who and what*: own, bot, automated, repost, deleted, edit: never answered, whatever the file says.
2. *what was decided*: kept, none: no style of text is due.
3. *what it is*: harm, not_addressed or about_competitor, kind, policy.
4. *between these two people*: opted_out, silenced, answered.
5. *what the house wants*: off, paused, stale, window_reserve, cap, no_wording.
6. *the mode*: dry_run (suppressed, but shown as a preview), approve, send.

So a message that must never be answered says so even where sending is off, and a preview is shown only
of what would really have been sent.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from config.schema import Acknowledge, Mode, Modes
from sentiment.api import Addressed, Harm, Kind

__all__ = [
    "NEVER_ALONE",
    "REASONS",
    "Circumstances",
    "Count",
    "Reason",
    "Verdict",
    "answered_recently",
    "effective_mode",
    "foregone",
    "judge",
]

Reason = Literal[
    "own",
    "bot",
    "automated",
    "repost",
    "deleted",
    "edit",
    "kept",
    "none",
    "harm",
    "not_addressed",
    "about_competitor",
    "kind",
    "policy",
    "opted_out",
    "silenced",
    "answered",
    "off",
    "paused",
    "stale",
    "window_reserve",
    "cap",
    "no_wording",
    "dry_run",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""In the order in which they are looked at."""

NEVER_ALONE: frozenset[Harm] = frozenset({"self_harm", "bereavement", "minor", "legal", "press", "regulator"})
"""A person is paged; a text goes out only where a person approved that very text."""

STRICTEST_FIRST: tuple[Mode, ...] = ("off", "dry_run", "approve", "send")
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Count:
    """How many automatic texts went out in a cap's sliding window, without the one in question."""

    sent: int = 0
    cap: int | None = None

    @property
    def full(self) -> bool:
        return self.cap is not None and self.sent >= self.cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that the guard may know, as plain values.

    `routed`, `style`, `kind`, `harm`, `addressed` and `silences` come from decision and reading; `mode`
    is what `effective_mode` said. `age` counts from when the customer wrote. `can_reply` is False where
    the channel's kind has no replies. `wrote_first` is False only for a private thread in which the
    customer never wrote. `replies_to_it` counts automatic texts that already answered this interaction.
    `window_left` and `messages_left` are None where the platform has no reply window; `reserve` messages
    of a window are kept for people. `worded` is False where no wording could be chosen.
    `mark` is True where not a text but a reaction is to be set.
    """

    routed: bool
    style: str
    mode: Mode
    kind: Kind
    kinds: Collection[str]
    addressed: Addressed
    private: bool
    mentions_us: bool
    harm: Collection[Harm] = ()
    own: bool = False
    bot: bool = False
    automated: bool = False
    repost: bool = False
    deleted: bool = False
    edit: bool = False
    mark: bool = False
    can_reply: bool = True
    wrote_first: bool = True
    unsolicited_allowed: bool = True
    private_first_allowed: bool = True
    marks_allowed: bool = True
    per_interaction: int | None = None
    replies_to_it: int = 0
    window_left: timedelta | None = None
    messages_left: int | None = None
    reserve: int = 2
    opted_out: bool = False
    bot_silent: bool = False
    answered_recently: bool = False
    paused: bool = False
    age: timedelta = NOTHING
    too_old: timedelta | None = None
    per_thread: Count = Count()
    per_person: Count = Count()
    per_channel: Count = Count()
    overall: Count = Count()
    worded: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """`preview` is True where only `dry_run` held it back; `detail` says which cap or which harm."""

    outcome: Literal["send", "approve", "suppress"]
    reason: Reason | None = None
    detail: str = ""
    preview: bool = False


SEND = Verdict("send")
APPROVE = Verdict("approve")
PREVIEW = Verdict("suppress", "dry_run", preview=True)
AUTOMATED = Verdict("suppress", "automated")
REPOST = Verdict("suppress", "repost")
EDIT = Verdict("suppress", "edit")
NO_STYLE = Verdict("suppress", "none")
KEPT = Verdict("suppress", "kept")
UNWRITTEN = Modes()


def judge(c: Circumstances) -> Verdict:
    """Decide about one automatic text. Asked when the intent is written, and again by the sender, whose word is final.

    The sender asks without counting the text itself, and lets one that a person approved go where the
    outcome is approve or send.
    """
    no = _source(c) or _decided(c) or _matter(c) or _between_us(c) or _house(c)
    if no is not None:
        return no
    if c.mode == "dry_run":
        return PREVIEW
    return APPROVE if c.mode == "approve" else SEND


def foregone(*, automated: bool, repost: bool, edit: bool, routed: bool, style: str) -> Verdict | None:
    """The verdict on a customer's message where nothing else has to be known; the same as `judge` would give."""
    if automated:
        return AUTOMATED
    if repost:
        return REPOST
    if edit:
        return EDIT
    if style != "none":
        return None
    return NO_STYLE if routed else KEPT


def effective_mode(acknowledge: Acknowledge, channel: str, style: str, private: bool) -> Mode:
    """The strictest of what is written for the channel (else for all) and for the style; nothing written: dry_run."""
    style_modes = acknowledge.styles[style].mode if style in acknowledge.styles else UNWRITTEN
    channel_mode = _side(acknowledge.channels.get(channel, UNWRITTEN), private) or _side(acknowledge.mode, private)
    written = (channel_mode, _side(style_modes, private))
    for mode in STRICTEST_FIRST:
        if mode in written:
            return mode
    return "dry_run"


def _side(modes: Modes, private: bool) -> Mode | None:
    return modes.private if private else modes.public


def answered_recently(
    answered_at: datetime | None, message_at: datetime, within: timedelta = timedelta(minutes=5)
) -> bool:
    """Whether a person answered after this message, or so shortly before that a machine would talk into it."""
    return answered_at is not None and answered_at >= message_at - within


def _no(reason: Reason, detail: str = "") -> Verdict:
    return Verdict("suppress", reason, detail)


def _source(c: Circumstances) -> Verdict | None:
    found: tuple[tuple[bool, Reason], ...] = (
        (c.own, "own"),
        (c.bot, "bot"),
        (c.automated, "automated"),
        (c.repost, "repost"),
        (c.deleted, "deleted"),
        (c.edit, "edit"),
    )
    return next((_no(reason) for holds, reason in found if holds), None)


def _decided(c: Circumstances) -> Verdict | None:
    if c.style != "none":
        return None
    return _no("none" if c.routed else "kept")


def _matter(c: Circumstances) -> Verdict | None:
    grave = sorted(NEVER_ALONE.intersection(c.harm))
    if grave and c.mode != "approve":
        return _no("harm", ", ".join(grave))
    if not c.private and c.addressed != "to_us":
        return _no("about_competitor" if c.addressed == "about_other" else "not_addressed")
    if c.kind not in c.kinds:
        return _no("kind", c.kind)
    breach = _breach(c)
    return _no("policy", breach) if breach else None


def _breach(c: Circumstances) -> str:
    """What the platform's terms forbid here, or an empty text."""
    found = (
        (not c.can_reply, "cannot be answered"),
        (c.mark and not c.marks_allowed, "no automatic marks"),
        (not c.private and not c.mentions_us and not c.unsolicited_allowed, "unsolicited"),
        (c.private and not c.wrote_first and not c.private_first_allowed, "private first"),
        (c.per_interaction is not None and c.replies_to_it >= c.per_interaction, "per interaction"),
        (c.window_left is not None and c.window_left <= NOTHING, "reply window is over"),
    )
    return next((what for holds, what in found if holds), "")


def _between_us(c: Circumstances) -> Verdict | None:
    found: tuple[tuple[bool, Reason], ...] = (
        (c.opted_out, "opted_out"),
        (c.bot_silent, "silenced"),
        (c.answered_recently, "answered"),
    )
    return next((_no(reason) for holds, reason in found if holds), None)


def _house(c: Circumstances) -> Verdict | None:
    if c.mode == "off":
        return _no("off")
    if c.paused:
        return _no("paused")
    if c.too_old is not None and c.age > c.too_old:
        return _no("stale")
    if c.messages_left is not None and c.messages_left <= c.reserve:
        return _no("window_reserve")
    caps = (
        ("per_thread", c.per_thread),
        ("per_person", c.per_person),
        ("per_channel", c.per_channel),
        ("overall", c.overall),
    )
    full = next((name for name, count in caps if count.full), None)
    if full is not None:
        return _no("cap", full)
    return None if c.worded else _no("no_wording")
