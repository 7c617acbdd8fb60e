"""What staff say about the reading of a message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mark",
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("scorer", sa.String(), nullable=False),
        sa.Column("negative", sa.Float(), nullable=True),
        sa.Column("urgent", sa.Float(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("addressed", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "field", "staff"),
    )
    op.create_index("mark_at", "mark", ["at"])


def downgrade() -> None:
    op.drop_table("mark")
