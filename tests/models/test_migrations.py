"""The migrations make exactly the tables that the program describes, go down and up again, and guard against strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from app.main import create_app
from models import Base
from models.database import Database
from models.errors import SchemaMismatch
from models.schema import MIGRATIONS, check_schema, migrate, versions
from models.settings import Settings
from tests import make


def to(database: Database, target: str) -> None:
    """Migrate down to a revision."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(write=True).connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, target)
        connection.commit()


def differences(database: Database) -> list[object]:
    """What the tables have that the program does not describe, and the other way round."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_the_migrated_tables_are_those_that_the_program_describes(database: Database) -> None:
    assert differences(database) == []


def test_down_and_up_again_gives_the_same_tables(database: Database) -> None:
    to(database, "base")
    left = set(sa.inspect(database.engine).get_table_names()) - {"alembic_version"}
    assert left == set()
    migrate(database)
    check_schema(database)
    assert differences(database) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.writing() as session:
        make.user(session)
    migrate(database)
    with database.reading() as session:
        assert session.scalar(sa.text("select count(*) from user_account")) == 1


def test_a_newer_schema_is_refused_and_the_program_is_to_be_updated(database: Database) -> None:
    with database.writing() as session:
        session.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="newer schema"):
        check_schema(database)


def test_an_older_schema_is_refused_and_says_how_to_migrate(database_url: str) -> None:
    empty = Database(database_url)
    with pytest.raises(SchemaMismatch, match="waterhole migrate"):
        check_schema(empty)
    assert versions(empty)[0] is None
    migrate(empty)
    check_schema(empty)
    empty.dispose()


def test_no_server_starts_on_a_schema_that_is_not_its_own(tmp_path: Path, sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        session.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaMismatch):
        create_app(Settings(home=tmp_path, database_url=sqlite_database.url, _env_file=None))
