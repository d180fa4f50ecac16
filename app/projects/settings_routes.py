"""Settings: thresholds, rounds, gaps, networks. Everybody in the project may look; administrators change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import ActingAdmin, Viewer
from app.forms import go, tried
from app.projects import embedding_routes, members_routes
from app.projects.settings_changes import (
    change_fields,
    change_gaps,
    change_goal,
    change_people,
    change_privacy,
    change_rounds,
    change_thresholds,
    roll_back,
)
from app.projects.settings_page import settings_page

router = APIRouter(prefix="/projects/{project_id}/settings")
router.include_router(members_routes.router)
router.include_router(embedding_routes.router)
Text = Annotated[str, Form()]


@router.get("")
def show_settings(
    request: Request,
    access: Viewer,
    saved: str = "",
    price: bool = False,
    before: Annotated[int | None, Query()] = None,
) -> Response:
    """The page."""
    return settings_page(request, access, saved=saved, price=price, before=before)


@router.post("/detector")
def save_thresholds(
    request: Request,
    access: ActingAdmin,
    version: Text = "",
    count_above: Text = "",
    classify_above: Text = "",
    preset: Text = "",
) -> Response:
    """From which score on a box counts, and gets a crop."""
    typed = {"version": version, "count_above": count_above, "classify_above": classify_above, "preset": preset}
    refused = tried(request, access.session, lambda: change_thresholds(access, typed), "detector", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "detector")


@router.post("/rounds")
def save_rounds(
    request: Request,
    access: ActingAdmin,
    version: Text = "",
    strategy: Text = "",
    first_round: Text = "",
    round_size: Text = "",
) -> Response:
    """What is asked next, and how much at a time."""
    typed = {"version": version, "strategy": strategy, "first_round": first_round, "round_size": round_size}
    refused = tried(request, access.session, lambda: change_rounds(access, typed), "rounds", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "rounds")


@router.post("/goal")
def save_goal(
    request: Request, access: ActingAdmin, version: Text = "", target: Text = "", label_budget: Text = ""
) -> Response:
    """How much must be right, and how many answers people mean to give."""
    typed = {"version": version, "target": target, "label_budget": label_budget}
    refused = tried(request, access.session, lambda: change_goal(access, typed), "goal", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "goal")


@router.post("/people")
def save_people(
    request: Request, access: ActingAdmin, version: Text = "", consensus: Text = "", gold_one_in: Text = ""
) -> Response:
    """When several people have named a crop, and how often annotators are asked about gold."""
    typed = {"version": version, "consensus": consensus, "gold_one_in": gold_one_in}
    refused = tried(request, access.session, lambda: change_people(access, typed), "people", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "people")


@router.post("/events")
def save_gaps(
    request: Request, access: ActingAdmin, version: Text = "", burst_gap: Text = "", event_gap: Text = "",
    event_gap_preset: Text = "", event_rule: Text = "", cameras: Text = "",
) -> Response:  # fmt: skip
    """When a burst ends, and when a visit ends."""
    typed = {
        "version": version, "burst_gap": burst_gap, "event_gap": event_gap, "event_gap_preset": event_gap_preset,
        "event_rule": event_rule, "cameras": cameras,
    }  # fmt: skip
    refused = tried(request, access.session, lambda: change_gaps(access, typed), "events", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "events")


@router.post("/fields")
def save_fields(
    request: Request,
    access: ActingAdmin,
    version: Text = "",
    sex: Text = "",
    life_stage: Text = "",
    behaviours: Text = "",
) -> Response:
    """What people may say beside a name."""
    typed = {"version": version, "sex": sex, "life_stage": life_stage, "behaviours": behaviours}
    refused = tried(request, access.session, lambda: change_fields(access, typed), "fields", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "fields")


@router.post("/privacy")
def save_privacy(
    request: Request, access: ActingAdmin, version: Text = "", opened_by: Text = "", hides_unseen: Text = ""
) -> Response:
    """Who may see people, and what is hidden until somebody has looked."""
    typed = {"version": version, "opened_by": opened_by, "hides_unseen": hides_unseen}
    refused = tried(request, access.session, lambda: change_privacy(access, typed), "privacy", typed, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "privacy")


@router.post("/networks/{checkpoint_id}")
def activate_network(request: Request, access: ActingAdmin, checkpoint_id: int, version: Text = "") -> Response:
    """Roll back to another network."""
    change = lambda: roll_back(access, checkpoint_id, version)  # noqa: E731
    refused = tried(request, access.session, change, "networks", {}, "form")
    return settings_page(request, access, refused) if refused else saved_at(access.project.id, "networks")


def saved_at(project_id: int, section: str) -> Response:
    """Back to the form that was saved."""
    return go(f"/projects/{project_id}/settings?saved={section}#{section}")
