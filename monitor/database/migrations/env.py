"""Alembic's environment: always on the connection, and in the transaction, of the caller.

No batch mode: on SQLite it copies and drops a table, which must never happen to the ledger.
"""

from alembic import context

from monitor.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
