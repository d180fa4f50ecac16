"""The member's desk, as answers need it."""

from __future__ import annotations

from app.dependencies import Access, House
from models.checkpoint import Checkpoint
from models.desk import Desk
from models.predictions import predictions_of


def desk_of(access: Access, house: House) -> Desk:
    """The member's desk in the project."""
    project = access.project
    classifier = access.session.get_one(Checkpoint, project.classifier_id) if project.classifier_id else None
    named = classifier.predictions if classifier and classifier.predictions else "predictions/none"
    return Desk(access.session, project, access.user.id, access.role, predictions_of(house.store.root / named))
