"""What Alembic runs to change the tables, inside the transaction that `storage/database.py` has begun."""

from __future__ import annotations

from alembic import context

from deployments.storage.tables import Base

if hasattr(context, "config"):  # Alembic runs this script; whoever only imports it has nothing to change
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        render_as_batch=True,  # SQLite changes a table by making it anew
        transactional_ddl=True,
    )
    context.run_migrations()
