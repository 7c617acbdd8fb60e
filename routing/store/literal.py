"""The conditions of the partial indexes, word for word as `tables` has them.

SQLite uses such an index only where the question states its condition as text: a bound value proves nothing.
A question that leaves it out walks through every row there ever was.
"""

from __future__ import annotations

from sqlalchemy import text

__all__ = ["CLAIMED", "DOUBTFUL", "LATE", "QUEUED", "RESOLVED", "SNOOZED", "UNSETTLED"]

QUEUED = text("support_case.status != 'resolved'")
RESOLVED = text("support_case.status = 'resolved'")
CLAIMED = text("support_case.status = 'claimed'")
SNOOZED = text("support_case.status != 'resolved' AND support_case.snoozed_until IS NOT NULL")
LATE = text(
    "support_case.status != 'resolved'"
    " AND (support_case.escalated_at IS NULL OR support_case.escalated_at < support_case.due)"
)
"""Due, and not marked since it last became due; the caller says when."""
UNSETTLED = text("outbox.state IN ('pending','sending','uncertain')")
DOUBTFUL = text("outbox.state IN ('approve','unknown')")
