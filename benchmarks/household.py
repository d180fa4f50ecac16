"""A whole installation in a temporary folder: database, web server, worker, one signed-in administrator."""

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


@dataclass(frozen=True)
class Household:
    """What a benchmark works on."""

    settings: Settings
    database: Database
    store: Store
    user_id: int
    token: str

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
            if job.state not in UNFINISHED:
                if job.state != "done":
                    raise SystemExit(f"job {job.kind} {job.state}: {job.error}")
                return job
            time.sleep(0.02)
        raise SystemExit(f"job {job_id} did not end in {timeout_s:.0f} s")

    def quiet(self, project_id: int) -> None:
        """Return when the project has no unfinished job."""
        while True:
            with self.database.reading() as session:
                jobs = session.scalars(
                    select(Job.id).where(Job.project_id == project_id, Job.state.in_(UNFINISHED))
                ).all()
            if not jobs:
                return
            time.sleep(0.05)


@contextlib.contextmanager
def household(*, worker: bool = True, serve: bool = True) -> Iterator[Household]:
    """Set up, run, tear down. WATERHOLE_DATABASE_URL is not used: the embedded database is measured."""
    with tempfile.TemporaryDirectory(prefix="waterhole-benchmark-") as home:
        settings = Settings(
            home=Path(home), port=free_port(), free_space_floor_mb=100, database_url=None, _env_file=None
        )
        database = Database(settings.url)
        migrate(database)
        with database.writing() as session:
            user = User.register(session, "bench@example.org", "Benchmark", is_admin=True)
            token = UserSession.start(session, user)
            user_id = user.id
        names = [name for name, wanted in (("serve", serve), ("worker", worker)) if wanted]
        environment = os.environ | {
            "WATERHOLE_HOME": home,
            "WATERHOLE_PORT": str(settings.port),
            "WATERHOLE_DATABASE_URL": "",
        }
        running = [
            subprocess.Popen([sys.executable, str(ROOT / "waterhole.py"), name], env=environment) for name in names
        ]
        try:
            if serve:
                wait_for_port(settings.port)
            yield Household(settings, database, Store(settings.store), user_id, token)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)
            database.dispose()


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
