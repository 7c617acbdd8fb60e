"""The private support queue: what the page, the commands and the API do, each action one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection

from config.schema import Care
from routing import inquiry
from routing.agreement import Agreement, agreement
from routing.cases import CaseError, Fenced, NotAllowed, Taken
from routing.corrections import Corrections, MarkFilter, marked
from routing.handling import Handling
from routing.marks import Mark, MarkItem
from routing.shown import (
    AckFilter,
    AckItem,
    CaseDetail,
    CaseFilter,
    CaseItem,
    Counts,
    MessageItem,
    OutboxItem,
)  # fmt: skip
from routing.store import settings
from routing.store.casebook import NotFound
from routing.store.database import Store
from routing.store.settings import Pause
from routing.texts import Outcome, Texts

__all__ = [
    "AckFilter", "AckItem", "BulkResult", "CaseDetail", "CaseError", "CaseFilter", "CaseItem", "Counts", "Desk",
    "Fenced", "MarkFilter", "MessageItem", "NotAllowed", "NotFound", "OutboxItem", "Pause", "Taken",
]  # fmt: skip

T = TypeVar("T")
Action = Literal["claim", "release", "assign", "snooze", "note", "resolve", "reopen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of one case of many: the case as it now is, or why it was left alone."""

    id: int
    case: CaseItem | None = None
    error: CaseError | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "case": self.case.as_json() if self.case else None,
            "error": str(self.error) if self.error else None,
        }


class Desk:
    """`care` is asked anew each time: a changed file holds from the next action on.

    Every action of a person raises NotFound, Taken, Fenced or NotAllowed (all CaseError) before it has
    changed anything, and StoreError where the database cannot take it.
    """

    def __init__(self, store: Store, care: Callable[[], Care], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._care = care
        self._clock = clock

    async def list(self, asked: CaseFilter = CaseFilter()) -> list[CaseItem]:  # noqa: B008  frozen
        """Cases by priority, then by what is due first; without a status all that is not resolved."""
        now = self._clock()
        return await self._store.read(lambda connection: inquiry.cases(connection, asked, now))

    async def find(self, name: str) -> int:
        """The id of a case by its id or its reference, such as K7Q2. Raises NotFound."""
        found = await self._store.read(lambda connection: inquiry.find(connection, name))
        return _there(found, f"there is no case {name}")

    async def show(self, case_id: int) -> CaseDetail:
        """A case with its messages (all revisions), our texts and its events, in order of time."""
        found = await self._store.read(lambda connection: inquiry.detail(connection, case_id))
        return _there(found, f"there is no case {case_id}")

    async def counts(self, teams: tuple[str, ...] | None = None) -> Counts:
        """How many cases wait; `teams`, where not None, is what the viewer may see."""
        now = self._clock()
        return await self._store.read(lambda connection: inquiry.counts(connection, now, teams))

    async def messages(self, q: str | None = None, limit: int = 50, teams: tuple[str, ...] | None = None) -> Messages:
        """The newest messages, kept ones too, that hold every word of `q`."""
        return await self._store.read(lambda connection: inquiry.messages(connection, q, limit, teams))

    async def acknowledgements(self, asked: AckFilter = AckFilter()) -> Acknowledgements:  # noqa: B008  frozen
        """Automatic texts, newest first, previews of dry_run among them."""
        return await self._store.read(lambda connection: inquiry.acknowledgements(connection, asked))

    async def claim(self, case_id: int, actor: str) -> CaseItem:
        """Take a case for a while; of many who try at once exactly one succeeds, the others get Taken."""
        return await self._handle(lambda handling: handling.claim(case_id, actor))

    async def release(self, case_id: int, actor: str) -> CaseItem:
        return await self._handle(lambda handling: handling.release(case_id, actor))

    async def assign(self, case_id: int, actor: str, to: str) -> CaseItem:
        """Hand a case to a colleague, whoever has it, or with `team:NAME` to a team."""
        return await self._handle(lambda handling: handling.assign(case_id, actor, to))

    async def snooze(self, case_id: int, actor: str, until: datetime) -> CaseItem:
        """Put a case aside until a time or until the customer writes; no clock stops."""
        return await self._handle(lambda handling: handling.snooze(case_id, actor, until))

    async def note(self, case_id: int, actor: str, text: str) -> CaseItem:
        """Write down what no customer sees."""
        return await self._handle(lambda handling: handling.note(case_id, actor, text))

    async def answer(
        self, case_id: int, actor: str, text: str, seen: int | None = None, confirm: bool = False
    ) -> CaseItem:
        """Queue an answer, once however often it is asked for; the sender sends it.

        `seen`: the newest message the author had before them. Raises Fenced where the customer wrote or
        a colleague answered after it, unless `confirm`.
        """
        return await self._handle(lambda handling: handling.answer(case_id, actor, text, seen, confirm))

    async def resolve(self, case_id: int, actor: str, reason: str, detail: str | None = None) -> CaseItem:
        """Close a case with a reason (`routing.cases.REASONS_TO_RESOLVE`)."""
        return await self._handle(lambda handling: handling.resolve(case_id, actor, reason, detail))

    async def reopen(self, case_id: int, actor: str) -> CaseItem:
        return await self._handle(lambda handling: handling.reopen(case_id, actor))

    async def bulk(self, case_ids: Sequence[int], actor: str, action: Action, **options: Any) -> Bulk:
        """Do the same with many cases, in one transaction; what one refuses stops no other."""

        def each(handling: Handling) -> Bulk:
            return [_one(handling, case_id, actor, action, options) for case_id in dict.fromkeys(case_ids)]

        if action not in _BULK:
            raise NotAllowed(f"`{action}` is not done with many cases at once; {', '.join(sorted(_BULK))} are")
        return await self._handle(each)

    async def escalate(self) -> Sequence[int]:
        """Mark and tell what has become due; let lapse what nobody renewed; returns the cases due.

        Writes nothing where nothing has happened.
        """
        now = self._clock()
        if not await self._store.read(lambda connection: Handling(connection, self._care(), now).something_due()):
            return []

        def work(handling: Handling) -> Sequence[int]:
            handling.renew()
            return handling.escalate()

        return await self._handle(work)

    async def approve(self, outbox_id: int, actor: str) -> OutboxItem:
        """Let a text go out that waits for a person's word."""
        return await self._decide(lambda texts: texts.approve(outbox_id, actor))

    async def reject(self, outbox_id: int, actor: str) -> OutboxItem:
        """Hold a text back for good."""
        return await self._decide(lambda texts: texts.reject(outbox_id, actor))

    async def settle_unknown(self, outbox_id: int, actor: str, outcome: Outcome) -> OutboxItem:
        """Say whether a doubtful text had arrived: `sent` or `unsent`."""
        return await self._decide(lambda texts: texts.settle_unknown(outbox_id, actor, outcome))

    async def mark(self, message_id: int, actor: str, mark: Mark) -> None:
        """Say that a message is read wrongly, or rightly; replaces one's own former mark of the same field."""
        await self._correct(lambda corrections: corrections.mark(message_id, actor, mark))

    async def unmark(self, message_id: int, actor: str, mark: Mark) -> None:
        """Take one's own mark back."""
        await self._correct(lambda corrections: corrections.unmark(message_id, actor, mark))

    async def marks(self, asked: MarkFilter = MarkFilter()) -> Marks:  # noqa: B008  frozen
        """What staff marked, newest first."""
        return await self._store.read(lambda connection: marked(connection, asked))

    async def agreement(self, teams: tuple[str, ...] | None = None) -> Agreement:
        """How often staff agreed with the reading; `teams`, where not None, is what the viewer may see."""
        now = self._clock()
        return await self._store.read(lambda connection: agreement(connection, now, teams))

    async def pause(self, actor: str, reason: str | None = None) -> Pause:
        """Stop all automatic text at once."""
        return await self._decide(lambda texts: texts.pause(actor, reason))

    async def resume(self, actor: str) -> Pause:
        return await self._decide(lambda texts: texts.resume(actor))

    async def paused(self) -> Pause:
        return await self._store.read(settings.paused)

    async def _handle(self, work: Callable[[Handling], T]) -> T:
        return await self._store.write(lambda connection: work(Handling(connection, self._care(), self._clock())))

    async def _correct(self, work: Callable[[Corrections], T]) -> T:
        return await self._store.write(lambda connection: work(Corrections(connection, self._clock())))

    async def _decide(self, work: Callable[[Texts], T]) -> T:
        def inside(connection: Connection) -> T:
            return work(Texts(connection, self._care(), self._clock()))

        return await self._store.write(inside)


Bulk = list[BulkResult]
Messages = list[MessageItem]
Acknowledgements = list[AckItem]
Marks = list[MarkItem]
_BULK: dict[str, Callable[..., CaseItem]] = {
    "claim": Handling.claim,
    "release": Handling.release,
    "assign": Handling.assign,
    "snooze": Handling.snooze,
    "note": Handling.note,
    "resolve": Handling.resolve,
    "reopen": Handling.reopen,
}


def _one(handling: Handling, case_id: int, actor: str, action: str, options: dict[str, Any]) -> BulkResult:
    try:
        return BulkResult(id=case_id, case=_BULK[action](handling, case_id, actor, **options))
    except CaseError as error:
        return BulkResult(id=case_id, error=error)


def _there(found: T | None, otherwise: str) -> T:
    if found is None:
        raise NotFound(otherwise)
    return found
