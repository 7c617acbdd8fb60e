"""Sends what is due from one account, each thing once.

A claim is committed before the first byte leaves. Only proof that nothing was posted makes a row due
again; every doubt is reconciled by the channel's class of idempotency, and what stays doubtful goes to
a person. One `Sender` an account, for the life of the process that holds the database's lock.
"""

from __future__ import annotations

import asyncio
import heapq
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connectors.api import Connector, Denied, Finds, Marks, Message, Receipt, Refused, Replies, Reply, Unreachable
from heedful import delivery, failpoints
from heedful.delivery import DOUBT, Moment, Row, Settlement, message_of_row
from heedful.guidance import Guidance
from heedful.rates import Rates
from heedful.source import Source
from responders.guard import effective_mode
from routing.store.database import Store

__all__ = ["Sender"]

log = structlog.get_logger("heedful.outbox")

SEND_WITHIN = timedelta(seconds=30)
SETTLE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)
"""However long the platform wants us to stay away, after this we ask again."""
LOOK_FOR = timedelta(hours=1)
"""A text that could not be looked up for so long is a person's to judge."""
MOST_DOUBTS = 5
SIDE_BY_SIDE = 8


class Sender:
    """`monotonic` counts seconds for the rates; `stopping` ends the work after the row in hand.

    `moment` is when a row counts as claimed and settled, where that is not now. `forget` is told of each message
    that a platform says is gone.
    """

    def __init__(
        self,
        store: Store,
        source: Source,
        connector: Connector,
        guidance: Callable[[], Guidance],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        stopping: Callable[[], bool] = lambda: False,
        settle_pause: timedelta = SETTLE,
        moment: Moment | None = None,
        forget: Callable[[Message], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._source = source
        self._connector = connector
        self._guidance = guidance
        self._clock = clock
        self._stopping = stopping
        self._settle_pause = settle_pause
        self._given = moment
        self._moment = moment or (lambda _row: clock())
        self._monotonic = monotonic
        self._rest_until = monotonic()
        self._later: list[datetime] = []
        self._rates = Rates(source.limits, monotonic, source.place)
        self._deleted: list[Message] = []
        self._forget = forget
        self.batch = 1 if source.idempotency != "A" else SIDE_BY_SIDE if moment is None else 64

    async def recover(self) -> None:
        """At start: what was being sent is uncertain, and is reconciled before anything new leaves."""
        left = await self._store.write(lambda connection: delivery.recover(connection, self._source.account))
        for row in await self._store.read(lambda c: delivery.uncertain(c, self._source.account)):
            await (self._doubt(row) if row["id"] in left else self._reconcile(row))

    async def drain(self) -> float:
        """Send all that is due now. Returns the seconds after which to look again.

        They are at most 60, unless the platform told us to stay away for longer.
        Raises Denied when the platform no longer lets us in; the rows concerned are due again.
        """
        held = Counter[str]()
        while not self._stopping():
            await self._forget_deleted()
            if rest := self._rest():
                return rest
            rows, found = await self._store.write(self._claim)
            if not found:
                await self._recheck(self._clock())
                return self._until_next(self._clock())
            failpoints.reach("after-claim")
            if wait := await self._send_all(rows, held):
                return wait
        return 0.0

    def _claim(self, connection: Connection) -> tuple[list[Row], bool]:
        account, now = self._source.account, self._clock()
        return delivery.claim(connection, account, now, self.batch, self._forbids, self._given)

    async def _send_all(self, rows: list[Row], held: Counter[str]) -> float:
        """Side by side where the platform takes our key (class A), else strictly one by one.

        One place that must be left in peace keeps no other waiting: its rows are due again one after the other.
        """
        ready: list[Row] = []
        for index, row in enumerate(rows):
            if wait := self._rates.wait_anywhere():
                await self._send_now(ready)
                await self._give_back(rows[index:], self._clock() + timedelta(seconds=wait))
                return wait
            if wait := self._rates.wait_there(row["thread"]):
                await self._hold(row, wait, held)
                continue
            self._rates.count(row["thread"])
            ready.append(row)
        await self._send_now(ready)
        return 0.0

    async def _hold(self, row: Row, wait: float, held: Counter[str]) -> None:
        place = self._source.place(row["thread"])
        pause = timedelta(seconds=wait) + held[place] * self._source.limits.spacing
        held[place] += 1
        await self._give_back([row], self._due_again(self._clock() + pause))

    async def _send_now(self, rows: list[Row]) -> None:
        """One's failure is raised once all others have come to their ends."""
        untried: list[Row] = []
        outcomes = await asyncio.gather(*(self._try(row, untried) for row in rows), return_exceptions=True)
        settled = [outcome for outcome in outcomes if isinstance(outcome, Settlement)]
        if settled:
            await self._settle(*settled)
        if untried:
            await self._give_back(untried)
        await self._forget_deleted()
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _forget_deleted(self) -> None:
        """What the platform says is gone goes here too; what cannot be stored now is tried at the next round."""
        while self._deleted and self._forget is not None:
            await self._forget(self._deleted[0])
            del self._deleted[0]

    async def _try(self, row: Row, untried: list[Row]) -> Settlement | None:
        if self._stopping() or self._rest():
            untried.append(row)
            return None
        return await self._send(row)

    def _rest(self) -> float:
        """Seconds for which the platform wants to hear nothing from this account."""
        return max(0.0, self._rest_until - self._monotonic())

    def _until_next(self, now: datetime) -> float:
        while self._later and self._later[0] <= now:
            heapq.heappop(self._later)
        return min([LONGEST_PAUSE, *(at - now for at in self._later[:1])]).total_seconds()

    async def _recheck(self, now: datetime) -> None:
        """What could not be read back at the time is looked up again."""
        for row in await self._store.read(lambda c: delivery.uncertain(c, self._source.account)):
            if row["due_at"] <= now:
                await self._reconcile(row)

    def _forbids(self, row: Row) -> str | None:
        """The mode that holds now (a file may have changed since the intent was written), and the platform's terms."""
        window = self._source.policy.reply_window
        if window is not None and row["message_sent_at"] + window <= self._moment(row):
            return "policy"
        acknowledge = self._guidance().care.acknowledge
        style = row["style"] or "none"
        if style not in acknowledge.styles:
            return "off"
        mode = effective_mode(acknowledge, row["channel"], style, bool(row["message_private"]))
        approved = mode == "approve" and row["actor"] is not None
        return None if mode == "send" or approved else ("off" if mode == "off" else "dry_run")

    async def _send(self, row: Row) -> Settlement | None:
        """Post one; None where it is not settled yet but due again, or in doubt."""
        try:
            async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                receipt = await self._post(row)
        except Refused as refusal:
            self._note_gone(row, refusal)
            return Settlement(row, "refused", self._moment(row), str(refusal))
        except Denied as denial:
            await self._postpone(row, SETTLE, reason=str(denial))
            raise
        except Unreachable as failure:
            self._obey(failure)
            await (self._back_off(row, failure) if failure.unsent else self._doubt(row, self._moment(row)))
            return None
        except TimeoutError:
            await self._doubt(row, self._moment(row))
            return None
        except Exception as fault:  # noqa: BLE001  a connector may be anybody's: what it does not foresee is doubt
            log.error("fault", channel=self._source.name, outbox=row["id"], **_place(fault))  # noqa: TRY400
            await self._doubt(row, self._moment(row))
            return None
        failpoints.reach("after-send")
        return _sent(row, self._moment(row), receipt)

    def _note_gone(self, row: Row, refusal: Refused) -> None:
        if refusal.gone and row["message_external_id"] is not None:
            self._deleted.append(message_of_row(row))

    async def _post(self, row: Row) -> Receipt | None:
        if row["kind"] == "mark":
            if isinstance(self._connector, Marks):
                await self._connector.mark(message_of_row(row))
            return None
        if not isinstance(self._connector, Replies):
            raise Refused("this channel cannot be answered")
        return await self._connector.reply(self._reply(row))

    def _reply(self, row: Row) -> Reply:
        return Reply(key=row["key"], to=message_of_row(row), text=row["text"])

    def _obey(self, failure: Unreachable) -> None:
        """The platform named a time: the whole account rests until then, people's answers too."""
        if failure.retry_after is not None:
            rest = min(failure.retry_after, LONGEST_REST).total_seconds()
            self._rest_until = max(self._rest_until, self._monotonic() + rest)

    async def _back_off(self, row: Row, failure: Unreachable) -> None:
        doubling = timedelta(seconds=2 ** min(row["attempts"], 6))
        pause = min(failure.retry_after, LONGEST_REST) if failure.retry_after else min(LONGEST_PAUSE, doubling)
        await self._postpone(row, pause, reason=str(failure))

    async def _postpone(self, row: Row, pause: timedelta, reason: str | None = None) -> None:
        until = self._due_again(self._clock() + pause)
        await self._store.write(lambda connection: delivery.postpone(connection, row, until, reason))

    async def _give_back(self, rows: list[Row], until: datetime | None = None) -> None:
        await self._store.write(lambda connection: delivery.give_back(connection, rows, until))

    def _due_again(self, at: datetime) -> datetime:
        heapq.heappush(self._later, at)
        return at

    async def _settle(self, *settled: Settlement) -> None:
        await self._store.write(lambda connection: delivery.settle(connection, settled))
        failpoints.reach("after-record")

    async def _doubt(self, row: Row, claimed_at: datetime | None = None) -> None:
        """It may have been posted. Class C can never know; the others look or repeat harmlessly."""
        log.warning("doubtful", channel=self._source.name, outbox=row["id"], kind=row["kind"])
        row = await self._store.write(lambda connection: delivery.doubt(connection, row))
        await self._reconcile({**row, "claimed_at": claimed_at or row["claimed_at"]})

    async def _reconcile(self, row: Row) -> None:
        """What stays in doubt goes to a person, save a mark: that nobody need look for."""
        doubts = delivery.doubts(row)
        if row["kind"] == "mark" or self._source.idempotency in {"A", "B2"}:
            if doubts < MOST_DOUBTS:
                await self._postpone(row, _longer(doubts))
            else:
                await self._give_up(row)
        elif self._source.idempotency == "B1" and isinstance(self._connector, Finds):
            await self._read_back(self._connector, row)
        else:
            await self._give_up(row)

    async def _give_up(self, row: Row) -> None:
        state = "refused" if row["kind"] == "mark" else "unknown"
        await self._settle(Settlement(row, state, self._moment(row), DOUBT))

    async def _read_back(self, connector: Finds, row: Row) -> None:
        """Absent twice with a pause between means not sent; a failed look is repeated after a while."""
        receipt = None
        for pause in (timedelta(0), self._settle_pause):
            await asyncio.sleep(pause.total_seconds())
            try:
                async with asyncio.timeout(SEND_WITHIN.total_seconds()):
                    receipt = await connector.find(self._reply(row))
            except Denied:
                raise
            except Exception as failure:  # noqa: BLE001  whatever it is, it tells nothing about the text
                if isinstance(failure, Refused) and failure.gone:
                    self._note_gone(row, failure)
                    await self._give_up(row)
                    await self._forget_deleted()
                    return
                log.warning("not looked up", channel=self._source.name, outbox=row["id"], **_place(failure))
                await self._look_again(row)
                return
            if receipt is not None:
                break
        if receipt is not None:
            await self._settle(_sent(row, self._moment(row), receipt))
        elif delivery.doubts(row) < MOST_DOUBTS:
            await self._disprove(row)
        else:
            await self._give_up(row)

    async def _disprove(self, row: Row) -> None:
        """Not there: sent again at once the first time, later after growing pauses."""
        doubts = delivery.doubts(row)
        until = self._due_again(self._clock() + (_longer(doubts - 1) if doubts > 1 else timedelta(0)))
        await self._store.write(lambda connection: delivery.disprove(connection, row, until))

    async def _look_again(self, row: Row) -> None:
        now = self._clock()
        if row["claimed_at"] is not None and row["claimed_at"] <= now - LOOK_FOR:
            await self._give_up(row)
            return
        at = self._due_again(now + LONGEST_PAUSE)
        await self._store.write(lambda connection: delivery.look_again(connection, row, at))


def _sent(row: Row, at: datetime, receipt: Receipt | None) -> Settlement:
    if receipt is None:
        return Settlement(row, "sent", at)
    return Settlement(row, "sent", at, receipt=receipt.id, cost=receipt.cost)


def _place(fault: Exception) -> dict[str, str]:
    """What went wrong, and where, for whoever mends it: without the message, which may hold a customer's words."""
    frames = traceback.extract_tb(fault.__traceback__)
    return {"fault": type(fault).__name__, "at": f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""}


def _longer(doubts: int) -> timedelta:
    """5 s, then three times as long each time: a platform that stumbles for minutes is not yet a person's affair."""
    times: int = 3 ** max(0, doubts - 1)
    return SETTLE * times
