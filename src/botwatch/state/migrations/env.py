"""Run by Alembic inside the transaction that `migrate` holds."""

from alembic import context

from botwatch.state.rows import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
