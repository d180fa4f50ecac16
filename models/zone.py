"""In which zone a camera's clock runs, where somebody said it. Times are never converted (PRACTICE 1.7)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, literal

from models.deployment import Deployment
from models.project import Project

UNSAID = "UTC"  # what every project begins with: nobody has said anything


def said_zone() -> ColumnElement[str]:
    """The deployment's, else the project's; empty where nobody said one. The query joins both."""
    of_project = case((Project.zone != UNSAID, Project.zone), else_=literal(""))
    return case((Deployment.zone != "", Deployment.zone), else_=of_project)
