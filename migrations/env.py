"""Run migrations on the database that the settings (or the caller) name."""

from __future__ import annotations

from alembic import context

from models import Base
from models.database import Database
from models.settings import Settings


def run(connection: object) -> None:
    """On one open connection, inside one transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(Settings().url)
    with database.engine.execution_options(write=True).connect() as connection:
        run(connection)
        connection.commit()
    database.dispose()
