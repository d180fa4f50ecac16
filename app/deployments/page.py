"""The pages of deployments, put together: the list with the map, and one deployment with its clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access
from app.deployments import clocks, queries, reading, site_map, wording
from app.forms import Refusal
from app.pages import page
from models.clock_finding import ClockFinding
from models.deployment import PROBLEMS, Deployment
from models.facts import Facts
from models.folders import FolderPattern
from models.membership import Role

MAP_AT_MOST = 2000


def list_page(request: Request, access: Access, refused: Refusal | None = None, *, after: str = "") -> Response:
    """Every deployment, a page at a time; the map with the first page."""
    session, project = access.session, access.project
    rows = queries.rows(session, project.id, after)
    drawn = [] if after else site_map.sites(queries.rows(session, project.id, most=MAP_AT_MOST))
    return page(
        request, "deployments/deployments.html", status_code=refused.status if refused else 200, project=project,
        tab="Deployments", may=access.may(Role.expert), refused=refused, rows=rows[: queries.PAGE], after=after,
        more=len(rows) > queries.PAGE, totals=queries.totals(session, project.id), places=drawn,
        maps=[("wide", site_map.draw(drawn)), ("narrow", site_map.draw(drawn, site_map.NARROW))] if drawn else [],
        jobs=queries.waiting_jobs(session, project), pattern=FolderPattern.standing(session, project.id),
    )  # fmt: skip


def deployment_page(
    request: Request, access: Access, deployment: Deployment, refused: Refusal | None = None, *, saved: str = ""
) -> Response:
    """One deployment: facts, times as shot and corrected, what looks wrong, what was corrected."""
    session, project = access.session, access.project
    facts = Facts.of(session, deployment)
    return page(
        request, "deployments/deployment.html", status_code=refused.status if refused else 200, project=project,
        tab="Deployments", may=access.may(Role.expert), refused=refused, saved=saved, deployment=deployment,
        row=queries.row(session, deployment), facts=facts, typed_as=typed_facts(facts), kinds=PROBLEMS,
        zone=deployment.zone or project.zone, zone_is_own=bool(deployment.zone),
        findings=[shown_finding(access, deployment, each) for each in ClockFinding.open_in(session, deployment.id)],
        corrections=queries.corrections(session, deployment.id), photos=some_times(access, deployment),
        told=wording.told, ways=clocks.WAYS, jobs=queries.waiting_jobs(session, project),
    )  # fmt: skip


def preview_page(request: Request, access: Access, deployment: Deployment, typed: Mapping[str, str]) -> Response:
    """What a correction would do, before anybody applies it. Raises Invalid."""
    shown = clocks.preview(access.session, deployment, clocks.typed_correction(typed))
    return page(
        request, "deployments/preview.html", project=access.project, tab="Deployments", deployment=deployment,
        preview=shown, typed=typed, told=wording.told,
    )  # fmt: skip


def typed_facts(facts: Facts) -> dict[str, str]:
    """Facts as a person would type them."""
    numbers = {
        field: "" if getattr(facts, field) is None else f"{getattr(facts, field):.10g}"
        for field in ("latitude", "longitude", "uncertainty_m")
    }
    times = {field: reading.as_typed(getattr(facts, field)) for field in ("starts_at", "ends_at")}
    texts = {field: getattr(facts, field) for field in ("site", "camera", "camera_model", "zone", "comments")}
    return texts | numbers | times | {"problems": reading.as_lines(facts.problems)}


def shown_finding(access: Access, deployment: Deployment, finding: ClockFinding) -> dict[str, Any]:
    """A finding with six photos as they would be."""
    correction = finding.correction
    return {
        "id": finding.id,
        "title": wording.TITLES[finding.kind],
        "seen": wording.seen(finding),
        "proposal": wording.told(correction) if correction else "",
        "preview": clocks.preview(access.session, deployment, correction) if correction else None,
    }


def some_times(access: Access, deployment: Deployment) -> list[clocks.Before]:
    """A few photos with their time as shot and corrected."""
    images = queries.some_photos(access.session, deployment.id, None, None, clocks.SHOWN)
    return clocks.rows(access.session, images, [])
