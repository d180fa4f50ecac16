"""The overview put together: the figures, the rounds, the one next thing to do, and the words between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from app.dependencies import Access, House
from app.now import Now, now_of
from app.pages import duration, month
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
from models.words import figure, mark, retold, say, say_many, translated

ROLE_NAMES = {
    "admin": mark("Administrator"),
    "expert": mark("Expert"),
    "annotator": mark("Annotator"),
    "viewer": mark("Viewer"),
}
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
    upload = Step(say("Upload photos"), f"{here}/batches") if access.may(Role.admin) else Step("")
    if not access.may(Role.annotator):
        return Step(say("You may look, not label."))
    if current is not None:
        return Step(
            say(
                "Label round %(number)s, %(left)s left",
                number=current.number,
                left=figure(current.left),
            ),
            f"{here}/label",
            is_main=True,
        )
    voices = voices_left(access.session, access.project.id, access.user.id)
    if voices:
        return Step(say("Give second voices, %(voices)s left", voices=figure(voices)), f"{here}/label", is_main=True)
    if now.job_id or counted.waiting:
        return upload
    return (
        Step(upload.words, upload.address, is_main=True) if upload.address else Step(say("Every crop has an answer."))
    )


def summary_of(counted: Figures, names: list[str]) -> str:
    """48,213 photos, 16 cameras, September 2005 to July 2014. Jonas Weber is labeling now."""
    parts = [
        say_many("%(num)s photo", "%(num)s photos", counted.photos),
        say_many("%(num)s camera", "%(num)s cameras", counted.cameras),
        period(counted.first_at, counted.last_at),
    ]
    said = ", ".join(filter(None, parts)) + "."
    return said + (f" {company(names)}." if names else "")


def period(first: dt.datetime | None, last: dt.datetime | None) -> str:
    """July 2014 / September 2005 to July 2014, by the cameras' clocks."""
    if first is None or last is None:
        return ""
    begins, ends = month(first), month(last)
    return begins if begins == ends else say("%(first)s to %(last)s", first=begins, last=ends)


def role_words(line: ProjectLine) -> str:
    """Administrator, with 3 others / only you."""
    role = translated(ROLE_NAMES[line.role])
    if not line.others:
        return say("%(role)s, only you", role=role)
    return say_many("%(role)s, with %(num)s other", "%(role)s, with %(num)s others", line.others, role=role)


def next_words(line: ProjectLine) -> Step:
    """What waits in a project of the list; `is_main` is set in bold."""
    if line.photos == 0:
        return Step(say("Upload photos") if line.role == Role.admin else say("No photos yet"))
    if line.role == Role.viewer:
        return Step(say("You may look, not label"))
    if line.round is not None:
        return Step(
            say("%(left)s left in round %(number)s", left=figure(line.round.left), number=line.round.number),
            is_main=True,
        )
    if line.job is not None:
        doing = say("Finding animals") if line.job.kind == "ingest" else retold(line.job.line)
        return Step(", ".join(filter(None, [doing, duration(line.job.seconds_left)])))
    if line.waiting:
        return Step(say_many("%(num)s photo waits", "%(num)s photos wait", line.waiting))
    return Step(say("Every crop has an answer") if line.answers else say("No animals found yet"))
