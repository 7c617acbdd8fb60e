"""Runs the revisions on the connection, and in the transaction, of whoever asks."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import routing.store.tables  # noqa: F401  fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
