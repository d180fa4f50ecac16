"""Rows in one line, for tests: a user, a project, a photo with boxes, a round."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from typing import Any

from sqlalchemy.orm import Session

from app.security.passwords import hash_password
from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.checkpoint import EMBEDDER, Checkpoint
from models.deployment import Deployment
from models.image import READY, Image
from models.membership import Membership, Role
from models.project import Project
from models.queue import ask
from models.round import Round
from models.session import UserSession
from models.species import Species
from models.user import User

PASSWORD = "tall grass by the river"
PASSWORD_HASH = hash_password(PASSWORD)
numbers = itertools.count(1)


def user(session: Session, name: str = "", *, is_admin: bool = False) -> User:
    """An account with the password PASSWORD."""
    name = name or f"Person {next(numbers)}"
    made = User.register(session, f"{name.replace(' ', '.').lower()}@example.org", name, is_admin=is_admin)
    made.password_hash = PASSWORD_HASH
    session.flush()
    return made


def token(session: Session, who: User) -> str:
    """A fresh sign-in; goes into the cookie."""
    made = UserSession.start(session, who)
    session.flush()
    return made


def project(session: Session, *members: tuple[User, Role], name: str = "", **columns: Any) -> Project:
    """A project with members."""
    made = Project.start(session, name or f"Project {next(numbers)}")
    made.strategy = "k_center"  # the one whose picks a test can foretell
    for who, role in members:
        Membership.grant(session, made.id, who.id, role)
    for column, value in columns.items():
        setattr(made, column, value)
    session.flush()
    return made


def batch(session: Session, of: Project, name: str = "") -> Batch:
    """An empty batch."""
    made = Batch(project_id=of.id, name=name or f"batch {next(numbers)}")
    session.add(made)
    session.flush()
    return made


def image(session: Session, of: Batch, path: str = "", **columns: Any) -> Image:
    """A photo that was looked through; its file does not exist."""
    path = path or f"Camera A/IMG_{next(numbers):04}.JPG"
    deployment = Deployment.of_folder(session, of.project_id, path.split("/")[0])
    values: dict[str, Any] = {
        "sha256": hashlib.sha256(f"{of.id}/{path}".encode()).hexdigest(), "size": 1000, "state": READY, "width_px": 1600,
        "height_px": 1200, "captured_at": dt.datetime(2026, 3, 1, 6, 30), "processed_at": utc_now(),
    }  # fmt: skip
    values = {"taken_at": columns.get("captured_at", values["captured_at"])} | values
    made = Image(
        project_id=of.project_id, batch_id=of.id, deployment_id=deployment.id, path=path, **(values | columns)
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def embedder(session: Session) -> Checkpoint:
    """The row of an embedder that nobody trained."""
    return Checkpoint.known(session, EMBEDDER, "fake", "0" * 64, {})


def box(session: Session, of: Image, score: float = 0.95, **columns: Any) -> Box:
    """A box with a vector's address (the file does not exist)."""
    ordinal = len(session.query(Box).filter_by(image_id=of.id).all()) + 1
    place = {"x_min": 0.2, "y_min": 0.3, "x_max": 0.6, "y_max": 0.8, "kind": "animal"}
    vector = {"embedder_id": embedder(session).id, "vector_file": "none", "vector_row": 0}
    made = Box(
        project_id=of.project_id, image_id=of.id, ordinal=ordinal, score=score, **(place | vector | columns)
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def round_of(session: Session, of: Project, boxes: list[Box]) -> Round:
    """A chosen round that asks about these boxes in order."""
    of.embedder_id = embedder(session).id
    job = ask(session, "learn", of.id, {})
    job.state = "done"
    return Round.choose(
        session,
        of,
        [each.id for each in boxes],
        strategy="random",
        seed=1,
        embedder_id=of.embedder_id,
        classifier_id=None,
        job_id=job.id,
    )


def species(session: Session, of: Project, *names: str) -> list[Species]:
    """Species with the next free keys."""
    return [Species.add(session, of.id, name) for name in names]
