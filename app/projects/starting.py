"""Start a project: name, note, networks, a first list of species, and whoever starts it as its administrator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.orm import Session

from models.act import Act
from models.audit import note
from models.checkpoint import DETECTOR, EMBEDDER
from models.errors import Invalid
from models.membership import Membership, Role
from models.offered import choose
from models.project import Project
from models.species import Species
from models.user import User

FIELDS = ("name", "note", "detector", "embedder", "species")


def start_project(session: Session, user: User, typed: Mapping[str, str], weights: Path) -> int:
    """Its id; the same form sent twice makes one project. All or nothing: raises Invalid naming field and line.

    weights: the folder of those that may be chosen beside the shipped ones.
    """
    body = {field: typed[field] for field in FIELDS}
    act, fresh = Act.once(session, user.id, typed["idempotency_key"], "form", body)
    if not fresh:
        return int(act.answer["project_id"])
    project = Project.start(session, typed["name"], typed["note"].strip())
    for kind in (DETECTOR, EMBEDDER):
        choose(project, weights, kind, typed[kind])
    Membership.grant(session, project.id, user.id, Role.admin)
    add_species(session, project.id, typed["species"])
    act.project_id, act.answer = project.id, {"project_id": project.id}
    note(
        session,
        "project.started",
        user=user,
        project_id=project.id,
        name=project.name,
        detector=project.detector,
        embedder=project.embedder,
    )
    return project.id


def add_species(session: Session, project_id: int, text: str) -> None:
    """Raises Invalid at the field, naming the line."""
    try:
        Species.add_list(session, project_id, species_lines(text))
    except Invalid as error:
        raise Invalid(f"species: {error}") from error


def species_lines(text: str) -> list[tuple[str, str]]:
    """(name, scientific name) of each line: "Jaguar; Panthera onca", or the name alone."""
    pairs = (line.partition(";") for line in text.splitlines() if line.strip())
    return [(name, scientific) for name, _semicolon, scientific in pairs]
