"""Bring the database to this program's schema, and refuse one that is newer (RELIABILITY rule 17)."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from models.database import Database
from models.errors import SchemaMismatch

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 0x77617465  # one migration at a time on PostgreSQL; SQLite's BEGIN IMMEDIATE does the same


def migrate(database: Database) -> None:
    """Upgrade to the head in one transaction; nothing happens when it is there already."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(write=True).connect() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def versions(database: Database) -> tuple[str | None, str]:
    """(the database's schema, this program's schema)."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), str(head)


def check_schema(database: Database) -> None:
    """Raises SchemaMismatch unless the database has exactly this program's schema."""
    has, needs = versions(database)
    if has == needs:
        return
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if has is not None and has not in known:
        raise SchemaMismatch(
            f"The database has a newer schema ({has}) than this program ({needs}). Update the program."
        )
    raise SchemaMismatch("The database has an older schema than this program. Run `waterhole migrate`.")
