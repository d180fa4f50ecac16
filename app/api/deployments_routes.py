"""Changing where cameras stood: deployments and sites by hand, from a table, from the folders of the photos."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.responses import Response

from app.api.access import Id, PlaceEditor, PlaceReader
from app.api.places_routes import DeploymentShape, SiteShape, deployment_shapes
from app.api.shapes import IfMatch, Sent, Shape, etag, expect
from app.dependencies import Access
from app.deployments import changes, folders, queries, table, table_changes
from models.audit import note
from models.deployment import Deployment
from models.effort import Problem
from models.errors import Conflict, Invalid
from models.facts import Facts
from models.folders import LONGEST, FolderPattern
from models.site import Site
from models.species import clean_name
from models.words import say

router = APIRouter(tags=["Places and events"], max_body_size=2 * table.MOST_BYTES)
Degrees = Annotated[StrictFloat | StrictInt, Field(description="WGS84.")]
Clock = Annotated[dt.datetime, Field(description="The place's clock, without a zone.")]
Metres = Annotated[StrictInt, Field(ge=1, le=10_000_000)]
Text = Annotated[StrictStr, Field(max_length=2000)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=255)]


class SentProblem(Sent):
    """A time in which the camera did not do its work."""

    kind: Literal["not_working", "knocked_down", "moved", "blocked"]
    from_at: Clock
    to_at: Clock


class DeploymentChange(Sent):
    """What is left out stays; null, or an empty text, takes a fact away. All of it or nothing is kept."""

    site: Annotated[StrictStr, Field(max_length=255)] | None = Field(None, description="Its name; a new one is made.")
    camera: Text | None = None
    camera_model: Text | None = None
    starts_at: Clock | None = None
    ends_at: Clock | None = None
    zone: Annotated[StrictStr, Field(max_length=64)] | None = Field(
        None, description="IANA name; empty: the project's."
    )
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    uncertainty_m: Metres | None = None
    comments: Text | None = None
    problems: Annotated[list[SentProblem], Field(max_length=50)] | None = None


class NewDeployment(DeploymentChange):
    """A deployment before its photos come: photos whose first folder has this name go to it."""

    name: Name


class SiteChange(Sent):
    """What is left out stays; null takes a fact away."""

    title: Annotated[StrictStr, Field(max_length=255)] | None = None
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    uncertainty_m: Metres | None = None


class NewSite(SiteChange):
    """A place where cameras stand."""

    name: Name


class SentTable(Sent):
    """A CSV of deployments: our own columns, Camtrap DP's deployments.csv or camtrapR's station table."""

    text: Annotated[StrictStr, Field(min_length=1, max_length=table.MOST_BYTES)]
    dry_run: StrictBool = Field(True, description="Only say what each line would do. false: take the good lines.")


class PlannedLine(Shape):
    """One good line."""

    line: int = Field(description="In the text; the header is 1.")
    deployment: str
    is_new: bool
    changed: list[str] = Field(description="Facts that would be other than they are.")


class BadLine(Shape):
    """One line that cannot be taken."""

    line: int
    field: str
    reason: str


class TableRead(Shape):
    """What was read, and what came of it."""

    lines: list[PlannedLine]
    bad: list[BadLine]
    ignored: list[str] = Field(description="Headers that mean nothing here.")
    new: int = Field(description="Deployments that were made; 0 in a dry run.")
    changed: int


class FolderShape(Shape):
    """One folder with photos. deployment: what the pattern, else the default, makes of it."""

    path: str
    photos: int
    is_matched: bool
    deployment: str
    site: str
    camera: str


class FoldersRead(Shape):
    """What a pattern makes of the folders of the project's photos."""

    pattern: str
    folders: list[FolderShape]
    deployments: int
    sites: int
    photos: int = Field(description="Of folders that the pattern matches.")
    unmatched_photos: int
    corrected: list[str] = Field(description="Deployments whose clock was corrected and that would lose photos.")


class Applied(Sent):
    """A pattern like {site}/{camera}/*."""

    pattern: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST)]


class TakenBack(Sent):
    """The pattern that counts and shall not any more."""

    pattern_id: Annotated[StrictInt, Field(ge=1)]


class PatternShape(Shape):
    """The pattern that counts; null: the first folder is the deployment."""

    id: int | None
    pattern: str | None


@router.post("/projects/{project_id}/deployments", status_code=201)
def add_deployment(member: PlaceEditor, new: NewDeployment, response: Response) -> DeploymentShape:
    """Add one. A name that is there: 409."""
    deployment = changes.add(member, {"name": new.name})
    write(member, deployment, new)
    return told(member, deployment, response)


@router.patch("/projects/{project_id}/deployments/{deployment_id}")
def change_deployment(
    member: PlaceEditor, deployment_id: Id, change: DeploymentChange, response: Response, if_match: IfMatch = None
) -> DeploymentShape:
    """Change some facts. Send its version as If-Match: when somebody saved since, nothing changes and the answer is 412."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    member.session.refresh(deployment, with_for_update=True)
    expect(if_match, deployment.version)
    write(member, deployment, change)
    return told(member, deployment, response)


@router.post("/projects/{project_id}/deployments/{deployment_id}/period")
def take_period(member: PlaceEditor, deployment_id: Id, response: Response) -> DeploymentShape:
    """Its first and last photo become its period, where none is known."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    changes.take_period(member, deployment)
    return told(member, deployment, response)


@router.post("/projects/{project_id}/deployments/table")
def read_table(member: PlaceEditor, sent: SentTable) -> TableRead:
    """Deployments from a table. A dry run first: each line with what it would change, or with what is wrong and where."""
    read = table.read(sent.text, "UTF-8", member.project.zone)
    planned = table_changes.plan(member.session, member.project.id, read)
    lines = [
        PlannedLine(line=each.line.number, deployment=each.name, is_new=each.deployment is None, changed=each.changed)
        for each in planned
    ]
    bad = [BadLine(line=each.number, field=each.field, reason=each.reason) for each in read.bad]
    new = changed = 0
    if not sent.dry_run:
        new, changed = table_changes.save(member, table.read(sent.text, "UTF-8", member.project.zone))
    return TableRead(lines=lines, bad=bad, ignored=list(read.ignored), new=new, changed=changed)


@router.get("/projects/{project_id}/folders")
def read_folders(
    member: PlaceReader,
    pattern: Annotated[str, Query(min_length=1, max_length=LONGEST, description="{site}/{camera}/*")],
) -> FoldersRead:
    """What a pattern would make of each folder. Changes nothing."""
    seen = folders.preview(member.session, member.project.id, pattern)
    return FoldersRead(
        pattern=seen.pattern.text, folders=[folder_shape(each) for each in seen.folders], deployments=seen.deployments,
        sites=seen.sites, photos=seen.photos, unmatched_photos=seen.unmatched_photos, corrected=list(seen.corrected),
    )  # fmt: skip


@router.post("/projects/{project_id}/folders")
def apply_pattern(member: PlaceEditor, sent: Applied) -> PatternShape:
    """Photos go where the pattern says, at once or by a job; the same again changes nothing."""
    folders.apply(member, sent.pattern)
    return pattern_of(member)


@router.post("/projects/{project_id}/folders/take-back")
def take_pattern_back(member: PlaceEditor, sent: TakenBack) -> PatternShape:
    """The pattern before counts again."""
    folders.take_back(member, str(sent.pattern_id))
    return pattern_of(member)


@router.post("/projects/{project_id}/sites", status_code=201)
def add_site(member: PlaceEditor, new: NewSite) -> SiteShape:
    """Add one. A name that is there: 409."""
    member.project.lock(member.session)
    name = clean_name(new.name)
    if queries.site_named(member.session, member.project.id, name) is not None:
        raise Conflict("name: " + say("there is already a site called %(name)s", name=name))
    return save_site(member, Site.of_name(member.session, member.project.id, name), new)


@router.patch("/projects/{project_id}/sites/{site_id}")
def change_site(member: PlaceEditor, site_id: Id, change: SiteChange) -> SiteShape:
    """Its longer name and its coordinates, which count for cameras without their own."""
    return save_site(member, queries.site(member.session, member.project.id, site_id), change)


def save_site(member: Access, site: Site, change: SiteChange) -> SiteShape:
    """Write what was sent, with one line in the history."""
    said = change.model_dump(exclude_unset=True, exclude={"name"})
    if "title" in said:
        said["title"] = (said["title"] or "").strip()
    changed = site.describe(said)
    if changed or isinstance(change, NewSite):
        note(
            member.session,
            "site.saved",
            user=member.user,
            project_id=member.project.id,
            name=site.name,
            changes=changed,
        )
    member.session.flush()
    return SiteShape.model_validate(site)


def write(member: Access, deployment: Deployment, change: DeploymentChange) -> None:
    """The facts that were sent. Raises Invalid at the field."""
    said: dict[str, Any] = change.model_dump(exclude_unset=True, exclude={"name"})
    for field in ("site", "camera", "camera_model", "zone", "comments"):
        if field in said:
            said[field] = (said[field] or "").strip()
    for field in ("starts_at", "ends_at"):
        said |= {field: plain(field, said[field])} if said.get(field) else {}
    if "problems" in said:
        said["problems"] = tuple(
            Problem(each.kind, plain("problems", each.from_at), plain("problems", each.to_at))
            for each in change.problems or ()
        )
    changes.write(member, deployment, Facts.of(member.session, deployment).with_(said))


def plain(field: str, moment: dt.datetime) -> dt.datetime:
    """A camera's clock has no zone. Raises Invalid."""
    if moment.tzinfo is not None:
        raise Invalid(f"{field}: a wall clock without Z and without an offset")
    return moment.replace(microsecond=0)


def told(member: Access, deployment: Deployment, response: Response) -> DeploymentShape:
    """As it stands, with its version in the header."""
    member.session.flush()
    response.headers.update(etag(deployment.version))
    return deployment_shapes(member, [deployment])[0]


def folder_shape(each: folders.Folder) -> FolderShape:
    """One of them."""
    named = each.named
    return FolderShape(
        path=each.path, photos=each.photos, is_matched=named is not None, deployment=named.deployment if named else each.default,
        site=named.site if named else "", camera=named.camera if named else "",
    )  # fmt: skip


def pattern_of(member: Access) -> PatternShape:
    """The one that counts now."""
    standing = FolderPattern.standing(member.session, member.project.id)
    return PatternShape(id=standing.id if standing else None, pattern=standing.pattern if standing else None)
