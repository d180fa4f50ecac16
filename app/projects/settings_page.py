"""The settings page, as every form on it shows it again."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, get_house
from app.forms import Refusal
from app.pages import page
from app.projects import embedding_queries, history, members_queries, presets, settings_queries
from models.checkpoint import Checkpoint
from models.membership import Role
from models.project import STRATEGY_NAMES

STRATEGIES = {
    "k_center": "k-center: the crops least like those already named (preset paper)",
    "random": "Random",
    "confidence": "Confidence: where the first guess is weakest",
    "margin": "Margin: where the first two guesses are closest",
    "entropy": "Entropy: where the guesses are spread widest",
}
ROLES = {
    Role.admin.value: "Administrator",
    Role.expert.value: "Expert",
    Role.annotator.value: "Annotator",
    Role.viewer.value: "Viewer",
}


def settings_page(
    request: Request,
    access: Access,
    refused: Refusal | None = None,
    *,
    saved: str = "",
    price: bool = False,
    before: int | None = None,
) -> Response:
    """Everything below one h1. A viewer sees the same, without the buttons."""
    session, project = access.session, access.project
    detector = session.get(Checkpoint, project.detector_id) if project.detector_id else None
    entries = settings_queries.history(session, project.id, before)
    shown = entries[: settings_queries.SHOWN_HISTORY]
    return page(
        request,
        "settings/settings.html",
        status_code=refused.status if refused else 200,
        project=project,
        tab="Settings",
        may=access.may("admin"),
        refused=refused,
        saved=saved,
        members=members_queries.members(session, project.id),
        roles=ROLES,
        key=uuid.uuid4().hex,
        detector=detector,
        presets=presets.presets(detector),
        price=settings_queries.price(session, project) if price else None,
        strategies={name: STRATEGIES.get(name, name) for name in STRATEGY_NAMES},
        tuning=embedding_queries.tuning(session, get_house(request).store, project),
        networks=settings_queries.networks(session, project),
        history=history.lines(shown),
        older=shown[-1].id if len(entries) > len(shown) else None,
        threshold=history.shown,
    )
