"""Sends what is due from one account, each thing once.

A claim is committed before the first byte leaves. Only proof that nothing was posted makes a row due
again; every doubt is reconciled by the channel's class of idempotency, and what stays doubtful goes to
a person. One `Sender` an account, for the life of the process that holds the database's lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from connectors.api import Connector, Denied, Finds, Marks, Receipt, Refused, Replies, Reply, Unreachable
from heedful import delivery, failpoints
from heedful.delivery import Moment, Row, Settlement, message_of_row
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


class Sender:
    """`monotonic` counts seconds for the rates; `stopping` ends the work after the row in hand.

    `moment` is when a row counts as claimed and settled, where that is not now.
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
    ) -> None:
        self._store = store
        self._source = source
        self._connector = connector
        self._guidance = guidance
        self._clock = clock
        self._stopping = stopping
        self._settle_pause = settle_pause
        self._moment = moment or (lambda _row: clock())
        self._rates = Rates(source.limits, monotonic)
        self.batch = 64 if source.idempotency == "A" else 1

    async def recover(self) -> None:
        """At start: what was being sent is uncertain, and is reconciled before anything new leaves."""
        await self._store.write(lambda connection: delivery.recover(connection, self._source.account))
        for row in await self._store.read(lambda c: delivery.uncertain(c, self._source.account)):
            await self._reconcile(row)

    async def drain(self) -> float:
        """Send all that is due now. Returns the seconds after which to look again (a rate's wait, else 60).

        Raises Denied when the platform no longer lets us in; the rows concerned are due again.
        """
        while not self._stopping():
            rows, found = await self._store.write(self._claim)
            if not found:
                await self._recheck(self._clock())
                return LONGEST_PAUSE.total_seconds()
            failpoints.reach("after-claim")
            if wait := await self._send_all(rows):
                return wait
        return 0.0

    def _claim(self, connection: Connection) -> tuple[list[Row], bool]:
        account, now = self._source.account, self._clock()
        return delivery.claim(connection, account, now, self.batch, self._forbids, self._moment)

    async def _send_all(self, rows: list[Row]) -> float:
        """Side by side where the platform takes our key (class A), else strictly one by one."""
        for index, row in enumerate(rows):
            if wait := self._rates.wait(row["thread"]):
                await self._send_now(rows[:index])
                await self._postpone(rows[index:], timedelta(seconds=wait))
                return wait
            self._rates.count(row["thread"])
        await self._send_now(rows)
        return 0.0

    async def _send_now(self, rows: list[Row]) -> None:
        outcomes = await asyncio.gather(*map(self._send, rows))
        settled = [outcome for outcome in outcomes if outcome is not None]
        if settled:
            await self._settle(*settled)

    async def _recheck(self, now: datetime) -> None:
        """What could not be read back at the time is looked up again."""
        for row in await self._store.read(lambda c: delivery.uncertain(c, self._source.account)):
            if row["claimed_at"] is None or row["claimed_at"] <= now - LONGEST_PAUSE:
                await self._reconcile(row)

    def _forbids(self, row: Row) -> str | None:
        """The mode that holds now: a file may have changed since the intent was written."""
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
            return Settlement(row, "refused", self._moment(row), str(refusal))
        except Denied as denial:
            await self._postpone([row], SETTLE, reason=str(denial))
            raise
        except Unreachable as failure:
            await (self._back_off(row, failure) if failure.unsent else self._doubt(row))
            return None
        except TimeoutError:
            await self._doubt(row)
            return None
        failpoints.reach("after-send")
        return Settlement(row, "sent", self._moment(row), receipt=receipt.id if receipt else None)

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

    async def _back_off(self, row: Row, failure: Unreachable) -> None:
        pause = failure.retry_after or timedelta(seconds=min(60, 2 ** row["attempts"]))
        await self._postpone([row], pause, reason=str(failure))

    async def _postpone(self, rows: list[Row], pause: timedelta, reason: str | None = None) -> None:
        until = self._clock() + pause

        def work(connection: Connection) -> None:
            for row in rows:
                delivery.postpone(connection, row, until, reason)

        await self._store.write(work)

    async def _settle(self, *settled: Settlement) -> None:
        await self._store.write(lambda connection: delivery.settle(connection, settled))
        failpoints.reach("after-record")

    async def _doubt(self, row: Row) -> None:
        """It may have been posted. Class C can never know; the others look or repeat harmlessly."""
        log.warning("doubtful", channel=self._source.name, outbox=row["id"], kind=row["kind"])
        await self._store.write(lambda connection: delivery.doubt(connection, row))
        await self._reconcile(row)

    async def _reconcile(self, row: Row) -> None:
        if row["kind"] == "mark" or self._source.idempotency in {"A", "B2"}:
            await self._postpone([row], SETTLE if row["attempts"] else timedelta(0))
        elif self._source.idempotency == "B1" and isinstance(self._connector, Finds):
            await self._read_back(self._connector, row)
        else:
            await self._settle(Settlement(row, "unknown", self._moment(row), "nobody can tell whether it was sent"))

    async def _read_back(self, connector: Finds, row: Row) -> None:
        """Absent twice with a pause between means not sent; a failed look leaves the doubt to a person's eye."""
        receipt = None
        for pause in (timedelta(0), self._settle_pause):
            await asyncio.sleep(pause.total_seconds())
            try:
                receipt = await connector.find(self._reply(row))
            except (Unreachable, Refused):
                return
            if receipt is not None:
                break
        if receipt is None:
            await self._postpone([row], timedelta(0))
        else:
            await self._settle(Settlement(row, "sent", self._moment(row), receipt=receipt.id))
