"""Live servers for the API's tests; each test makes a project of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.api.study import Study, study_on
from tests.conftest import Site, fresh_postgres, running_site


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server over SQLite."""
    home = tmp_path_factory.mktemp("api")
    with running_site(f"sqlite:///{home / 'waterhole.sqlite'}", home) as site:
        yield site


@pytest.fixture(scope="session")
def postgres_house(tmp_path_factory: pytest.TempPathFactory, postgres_address: str) -> Iterator[Site]:
    """The same over PostgreSQL."""
    with fresh_postgres(postgres_address) as url, running_site(url, tmp_path_factory.mktemp("api")) as site:
        yield site


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest) -> Site:
    """Over each kind of database."""
    site: Site = request.getfixturevalue(f"{request.param}_house")
    return site


@pytest.fixture
def study(house: Site) -> Study:
    """A project over each kind of database."""
    return study_on(house)


@pytest.fixture
def sqlite_study(sqlite_house: Site) -> Study:
    """A project where the kind of database does not matter."""
    return study_on(sqlite_house)
