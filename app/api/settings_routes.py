"""Settings: read them, change some against the version that was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.responses import Response

from app.api.access import Manager, Viewer
from app.api.shapes import IfMatch, Sent, Shape, etag, expect
from app.dependencies import Access
from app.projects import settings_changes as changes
from models.errors import Invalid
from models.project import Project

router = APIRouter(tags=["Settings"])
Score = Annotated[StrictFloat | StrictInt, Field(ge=0, le=1)]
Word = Annotated[StrictStr, Field(max_length=60)]
Whole = Annotated[StrictInt, Field(ge=0, le=10**7)]


class SettingsShape(Shape):
    """What shapes a project's counts and rounds."""

    version: int = Field(description="Rises with every change; also in the ETag.")
    count_above: float = Field(description="The detector's score from which on a box counts.")
    classify_above: float = Field(description="And from which on it gets a crop and is asked about.")
    strategy: str = Field(description="How the crops of a round are chosen.")
    first_round: int = Field(description="Crops of the first round.")
    round_size: int = Field(description="Crops of every other.")
    target: float = Field(description="Stop when this share of the rest is right.")
    label_budget: int = Field(description="Answers that people mean to give in all.")
    consensus: str = Field(description="When several voices name a crop.")
    gold_one_in: int = Field(description="Of an annotator's answers one in so many is about a gold crop; 0: none.")
    sequence_gap_s: int = Field(description="Seconds after which a burst ends.")
    event_gap_minutes: int = Field(description="Minutes after which a visit ends.")
    asks_sex: bool
    asks_life_stage: bool
    behaviours: list[str] = Field(description="Those that may be said; none: it is not asked.")
    opened_by: str = Field(description="The least role that may see people on photos (on the pages, never here).")
    hides_unseen: bool = Field(description="Photos are hidden until somebody has looked.")
    zone: str = Field(description="IANA name of the zone of its cameras' clocks.")
    event_rule: str
    cameras_independent: bool
    detector_id: int | None = Field(description="The network in use.")
    embedder_id: int | None
    classifier_id: int | None


class SettingsChange(Sent):
    """What is left out stays. All of it or nothing is kept."""

    count_above: Score | None = None
    classify_above: Score | None = None
    strategy: Word | None = None
    first_round: Whole | None = None
    round_size: Whole | None = None
    target: Score | None = Field(None, description="A share, like 0.95.")
    label_budget: Whole | None = None
    consensus: Word | None = None
    gold_one_in: Whole | None = None
    sequence_gap_s: Whole | None = None
    event_gap_minutes: Whole | None = None
    asks_sex: StrictBool | None = None
    asks_life_stage: StrictBool | None = None
    behaviours: Annotated[list[Annotated[StrictStr, Field(max_length=200)]], Field(max_length=100)] | None = None
    opened_by: Word | None = None
    hides_unseen: StrictBool | None = None


def on(wanted: object) -> str:
    """A ticked box as a form sends it."""
    return "on" if wanted else ""


# the forms of the settings page: which fields each changes, what it calls them, and how a value is typed there
Form = tuple[Callable[[Access, Mapping[str, str]], None], dict[str, tuple[str, Callable[[Any], str]]]]
FORMS: tuple[Form, ...] = (
    (changes.change_thresholds, {"count_above": ("count_above", repr), "classify_above": ("classify_above", repr)}),
    (
        changes.change_rounds,
        {"strategy": ("strategy", str), "first_round": ("first_round", str), "round_size": ("round_size", str)},
    ),
    (changes.change_goal, {"target": ("target", lambda share: f"{100 * share:.6f}"), "label_budget": ("label_budget", str)}),
    (changes.change_people, {"consensus": ("consensus", str), "gold_one_in": ("gold_one_in", str)}),
    (changes.change_gaps, {"sequence_gap_s": ("burst_gap", str), "event_gap_minutes": ("event_gap", str)}),
    (
        changes.change_fields,
        {"asks_sex": ("sex", on), "asks_life_stage": ("life_stage", on), "behaviours": ("behaviours", "\n".join)},
    ),
    (changes.change_privacy, {"opened_by": ("opened_by", str), "hides_unseen": ("hides_unseen", on)}),
)  # fmt: skip


@router.get("/projects/{project_id}/settings")
def show_settings(member: Viewer, response: Response) -> SettingsShape:
    """All of them, with the version in the ETag."""
    return told(member.project, response)


@router.patch("/projects/{project_id}/settings")
def change_settings(
    member: Manager, change: SettingsChange, response: Response, if_match: IfMatch = None
) -> SettingsShape:
    """Change some. Send the ETag that you read as If-Match: when somebody saved since, nothing changes and the answer is 412."""
    project = member.project
    project.lock(member.session)
    expect(if_match, project.version)
    now = settings_of(project)
    wanted = {name: value for name, value in change.model_dump().items() if value is not None}
    for apply, fields in FORMS:
        if wanted.keys() & fields.keys():
            values = {name: wanted.get(name, getattr(now, name)) for name in fields}
            typed = {typed_as: form(values[name]) for name, (typed_as, form) in fields.items()}
            save(member, apply, typed)
    return told(project, response)


def save(member: Access, apply: Callable[[Access, Mapping[str, str]], None], typed: dict[str, str]) -> None:
    """One form of the page, at the version that stands by now; words about a field of the page name the one of the API."""
    try:
        apply(member, typed | {"version": str(member.project.version)})
        member.session.flush()
    except Invalid as error:
        names = {"burst gap": "sequence_gap_s", "event gap": "event_gap_minutes"}
        field, colon, words = str(error).partition(": ")
        raise Invalid(f"{names.get(field, field)}{colon}{words}") from error


def told(project: Project, response: Response) -> SettingsShape:
    """With the version in the header."""
    response.headers.update(etag(project.version))
    return settings_of(project)


def settings_of(project: Project) -> SettingsShape:
    """As scripts see them."""
    plain = {name: getattr(project, name) for name in SettingsShape.model_fields}
    return SettingsShape(**(plain | {"behaviours": project.behaviours.splitlines()}))
