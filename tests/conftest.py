"""What tests share: fresh databases of both kinds, a store, a live server on loopback, and skips that CI forbids."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

import models.round
from app.main import create_app
from app.security.sessions import COOKIE
from app.server import Server
from models.database import Database
from models.schema import migrate
from models.settings import Settings
from models.storage import Store

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
REQUIRE_ALL = os.environ.get("WATERHOLE_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip on a laptop; on CI (WATERHOLE_REQUIRE_ALL=1) a skip is a failure."""
    if REQUIRE_ALL:
        pytest.fail(f"WATERHOLE_REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data with the real photos."""
    if not SHARED.is_dir():
        skip_or_fail("../shared/data is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres_address() -> str:
    """The server of WATERHOLE_TEST_POSTGRES_URL, when it answers."""
    address = os.environ.get("WATERHOLE_TEST_POSTGRES_URL", "")
    if not address:
        skip_or_fail("WATERHOLE_TEST_POSTGRES_URL is not set")
    try:
        sa.create_engine(Settings(database_url=address).url, connect_args={"connect_timeout": 3}).connect().close()
    except sa.exc.OperationalError:
        skip_or_fail("no PostgreSQL answers at WATERHOLE_TEST_POSTGRES_URL")
    return Settings(database_url=address).url


@contextlib.contextmanager
def fresh_postgres(address: str, *, template: str = "template1") -> Iterator[str]:
    """The address of a new database on this server, a copy of the template; it is dropped at the end."""
    name = f"waterhole_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"create database {name} template {template}"))
    yield sa.make_url(address).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"drop database if exists {name} with (force)"))
    server.dispose()


@pytest.fixture(autouse=True)
def only_audited_crops_are_blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which others are asked without a guess follows from the ids of picks, and those from the tests that came before."""
    monkeypatch.setattr(models.round, "BLIND_ONE_IN", 2**64)


@pytest.fixture
def postgres_url(postgres_address: str) -> Iterator[str]:
    """A fresh, empty PostgreSQL database."""
    with fresh_postgres(postgres_address) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'waterhole.sqlite'}"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_address: str) -> Iterator[str]:
    """The name of a migrated PostgreSQL database, to be copied: a copy takes a tenth of a migration's time."""
    with fresh_postgres(postgres_address) as url:
        migrate_once(url)
        yield str(sa.make_url(url).database)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "waterhole.sqlite"
    migrate_once(f"sqlite:///{path}")
    return path


def migrate_once(url: str) -> None:
    """Bring a database to the head and let go of it."""
    fresh = Database(url)
    migrate(fresh)
    fresh.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """A migrated SQLite database of this test."""
    path = tmp_path / "waterhole.sqlite"
    if not path.exists():
        shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture
def migrated_postgres_url(postgres_address: str, migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test."""
    with fresh_postgres(postgres_address, template=migrated_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A migrated database, once of each kind."""
    url: str = request.getfixturevalue("migrated_postgres_url" if request.param == "postgres" else "sqlite_url")
    return url


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A migrated database, once of each kind."""
    made = Database(migrated_url)
    yield made
    made.dispose()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A migrated SQLite database, where the kind does not matter."""
    made = Database(sqlite_url)
    yield made
    made.dispose()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


class Site:
    """A live server on loopback with its database and store."""

    def __init__(self, settings: Settings, port: int) -> None:
        """The server must be started by the fixture."""
        self.settings, self.port = settings, port
        self.address = f"http://127.0.0.1:{port}"
        self.database = Database(settings.url)
        self.store = Store(settings.store)

    def client(self, token: str | None = None, *, accept: str = "application/json") -> httpx.Client:
        """A client of this site, signed in with a token of make.token()."""
        headers = {"origin": self.address, "accept": accept}
        if token:
            headers["cookie"] = f"{COOKIE}={token}"
        return httpx.Client(base_url=self.address, headers=headers, timeout=30, follow_redirects=False)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running_site(url: str, home: Path) -> Iterator[Site]:
    """A live server over this database, migrated; it stops at the end."""
    port = free_port()
    settings = Settings(home=home, database_url=url, port=port, free_space_floor_mb=1, _env_file=None)
    migrate_once(settings.url)
    server = Server(uvicorn.Config(create_app(settings), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    site = Site(settings, port)
    yield site
    server.should_exit = True
    thread.join(10)
    site.database.dispose()


@pytest.fixture
def start_site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Start live servers over databases of one's choice; all stop at the end of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda url: stack.enter_context(running_site(url, tmp_path))


@pytest.fixture
def site(start_site: Callable[[str], Site], migrated_url: str) -> Site:
    """A live server, once over each kind of database."""
    return start_site(migrated_url)


@pytest.fixture
def sqlite_site(start_site: Callable[[str], Site], sqlite_url: str) -> Site:
    """A live server over SQLite, where the kind does not matter."""
    return start_site(sqlite_url)
