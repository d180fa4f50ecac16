"""A whole installation in a folder of its own: database, web server, worker, one signed-in administrator."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import select

from models.database import Database
from models.job import UNFINISHED, Job
from models.membership import Membership, Role
from models.project import Project
from models.schema import migrate
from models.session import UserSession
from models.settings import Settings
from models.storage import Store
from models.user import User

ROOT = Path(__file__).resolve().parent.parent
EMAIL = "bench@example.org"


@dataclass(frozen=True)
class Household:
    """What a benchmark works on."""

    settings: Settings
    database: Database
    store: Store
    user_id: int
    token: str
    running: tuple[subprocess.Popen[bytes], ...] = ()

    @property
    def address(self) -> str:
        """Of the web server."""
        return f"http://127.0.0.1:{self.settings.port}"

    def project(self, name: str, **columns: object) -> int:
        """A new project of the administrator; its id."""
        with self.database.writing() as session:
            project = Project.start(session, name)
            for column, value in columns.items():
                setattr(project, column, value)
            Membership.grant(session, project.id, self.user_id, Role.admin)
            return project.id

    def wait_for(self, job_id: str, *, timeout_s: float = 3600) -> Job:
        """The job, once it has ended well."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            with self.database.reading() as session:
                job = session.get_one(Job, job_id)
            self.check_running()
            if job.state not in UNFINISHED:
                if job.state != "done":
                    raise SystemExit(f"job {job.kind} {job.state}: {job.error}")
                return job
            time.sleep(0.5)
        raise SystemExit(f"job {job_id} did not end in {timeout_s:.0f} s")

    def quiet(self, project_id: int) -> None:
        """Return when the project has no unfinished job."""
        pause_s = 0.05
        while True:
            with self.database.reading() as session:
                jobs = session.scalars(
                    select(Job.id).where(Job.project_id == project_id, Job.state.in_(UNFINISHED))
                ).all()
            if not jobs:
                return
            self.check_running()
            time.sleep(pause_s)
            pause_s = min(1.0, pause_s * 1.2)  # a fine-tune takes long, and asking costs it time

    def check_running(self) -> None:
        """Nobody waits for a process that is gone."""
        for process in self.running:
            if process.poll() is not None:
                raise SystemExit(f"{process.args!r} ended with {process.returncode}")


@contextlib.contextmanager
def household(*, worker: bool = True, serve: bool = True) -> Iterator[Household]:
    """Set up, run, tear down."""
    with (
        tempfile.TemporaryDirectory(prefix="waterhole-benchmark-") as folder,
        household_at(Path(folder), worker=worker, serve=serve) as house,
    ):
        yield house


@contextlib.contextmanager
def household_at(
    home: Path, *, worker: bool = True, serve: bool = True, log: Path | None = None
) -> Iterator[Household]:
    """Run in a folder that stays: a new one, or what an earlier household left there. log: where the processes write.

    WATERHOLE_DATABASE_URL is not used: the embedded database is measured.
    """
    settings = Settings(home=home, port=free_port(), free_space_floor_mb=100, database_url=None, _env_file=None)
    home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.url)
    migrate(database)
    user_id, token = sign_in(database)
    names = [name for name, wanted in (("serve", serve), ("worker", worker)) if wanted]
    environment = os.environ | {
        "WATERHOLE_HOME": str(home.resolve()),
        "WATERHOLE_PORT": str(settings.port),
        "WATERHOLE_DATABASE_URL": "",
    }
    with contextlib.ExitStack() as stack:
        stack.callback(database.dispose)
        out = stack.enter_context(log.open("ab")) if log else None
        running = tuple(
            stack.enter_context(started([sys.executable, str(ROOT / "waterhole.py"), name], environment, out))
            for name in names
        )
        if serve:
            wait_for_port(settings.port)
        yield Household(settings, database, Store(settings.store), user_id, token, running)


@contextlib.contextmanager
def started(
    command: list[str], environment: dict[str, str], out: IO[bytes] | None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process while the block runs."""
    process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def sign_in(database: Database) -> tuple[int, str]:
    """(id, token) of the administrator, registered when the folder is new."""
    with database.writing() as session:
        user = User.by_email(session, EMAIL) or User.register(session, EMAIL, "Benchmark", is_admin=True)
        return user.id, UserSession.start(session, user)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    """Return once somebody listens."""
    for _attempt in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not start within a minute")
