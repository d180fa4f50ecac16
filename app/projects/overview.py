"""The overview put together: the figures, the rounds, the one next thing to do, and the words between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.dependencies import Access, House
from app.now import Now, now_of
from app.pages import count_of, duration
from app.projects.embedding_queries import Brief, brief
from app.projects.kept import Kept
from app.projects.overview_queries import Figures, RoundLine, figures, rounds_of
from app.projects.people import agreement_words, waiting_words
from app.projects.queries import ProjectLine
from app.projects.sureness import Sureness, sureness_of
from models.beside import voices_left
from models.membership import Role
from models.presence import company, names_here
from models.project import Project
from models.static import StaticGroup

ROLE_NAMES = {"admin": "Administrator", "expert": "Expert", "annotator": "Annotator", "viewer": "Viewer"}
kept_figures: Kept[Figures] = Kept()
kept_agreement: Kept[str] = Kept()


@dataclass(frozen=True)
class Step:
    """The next thing to do: a button when there is an address, else words."""

    words: str
    address: str = ""
    is_main: bool = False


@dataclass(frozen=True)
class Overview:
    """What the page shows."""

    figures: Figures
    rounds: list[RoundLine]
    round: RoundLine | None  # the one that is answered now
    now: Now
    tuning: Brief
    sureness: Sureness
    people: list[str]
    statics: int  # groups of static detections that wait for a word
    step: Step
    summary: str


def overview_of(house: House, access: Access) -> Overview:
    """Put it together; the round and the worker's line are always of this moment."""
    session, project = access.session, access.project
    rounds = rounds_of(session, project.id)
    open_rounds = [each for each in rounds if each.left]
    current = open_rounds[-1] if open_rounds else None
    counted = counted_in(house, project)
    now = now_of(session, project.id)
    summary = summary_of(counted, names_here(session, project.id, besides=access.user.id))
    step = next_step(access, current, counted, now)
    return Overview(
        counted, rounds, current, now, brief(session, project), sureness_of(session, project), people_words(house, access),
        StaticGroup.waiting(session, project.id), step, summary,
    )  # fmt: skip


def counted_in(house: House, project: Project) -> Figures:
    """The figures; another threshold or another network is another key."""

    def make() -> Figures:
        with house.database.reading() as session:
            return figures(session, session.get_one(Project, project.id))

    key = (
        house.database, project.id, project.classify_above, project.count_above, project.embedder_id,
        project.classifier_id,
    )  # fmt: skip
    return kept_figures.get(key, make)


def people_words(house: House, access: Access) -> list[str]:
    """How far people agree (kept: it reads every label of the crops that several named), and what waits for people."""
    project = access.project

    def make() -> str:
        with house.database.reading() as session:
            return agreement_words(session, project.id)

    agreed = kept_agreement.get((house.database, project.id), make)
    return [words for words in (agreed, waiting_words(access.session, project.id)) if words]


def next_step(access: Access, current: RoundLine | None, counted: Figures, now: Now) -> Step:
    """At most one filled button: the next thing to do."""
    here = f"/projects/{access.project.id}"
    upload = Step("Upload photos", f"{here}/batches") if access.may(Role.admin) else Step("")
    if not access.may(Role.annotator):
        return Step("You may look, not label.")
    if current is not None:
        return Step(f"Label round {current.number}, {current.left:,} left", f"{here}/label", is_main=True)
    voices = voices_left(access.session, access.project.id, access.user.id)
    if voices:
        return Step(f"Give second voices, {voices:,} left", f"{here}/label", is_main=True)
    if now.job_id or counted.waiting:
        return upload
    return Step(upload.words, upload.address, is_main=True) if upload.address else Step("Every crop has an answer.")


def summary_of(counted: Figures, names: list[str]) -> str:
    """48,213 photos, 16 cameras, September 2005 to July 2014. Jonas Weber is labeling now."""
    parts = [
        count_of(counted.photos, "photo"),
        count_of(counted.cameras, "camera"),
        period(counted.first_at, counted.last_at),
    ]
    said = ", ".join(filter(None, parts)) + "."
    return said + (f" {company(names)}." if names else "")


def period(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """July 2014 / September 2005 to July 2014, by the cameras' clocks."""
    if first is None or last is None:
        return ""
    begins, ends = f"{first:%B %Y}", f"{last:%B %Y}"
    return begins if begins == ends else f"{begins} to {ends}"


def role_words(line: ProjectLine) -> str:
    """Administrator, with 3 others / only you."""
    company = f"with {count_of(line.others, 'other')}" if line.others else "only you"
    return f"{ROLE_NAMES[line.role]}, {company}"


def next_words(line: ProjectLine) -> Step:
    """What waits in a project of the list; `is_main` is set in bold."""
    if line.photos == 0:
        return Step("Upload photos" if line.role == Role.admin else "No photos yet")
    if line.role == Role.viewer:
        return Step("You may look, not label")
    if line.round is not None:
        return Step(f"{line.round.left:,} left in round {line.round.number}", is_main=True)
    if line.job is not None:
        doing = "Finding animals" if line.job.kind == "ingest" else line.job.line
        return Step(", ".join(filter(None, [doing, duration(line.job.seconds_left)])))
    if line.waiting:
        return Step(f"{count_of(line.waiting, 'photo')} {'waits' if line.waiting == 1 else 'wait'}")
    return Step("Every crop has an answer" if line.answers else "No animals found yet")
