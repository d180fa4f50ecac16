"""The dry run: every row of an import gets its verdict and the import its figures, and nothing else is written.

In transactions of at most PHOTOS photos. It can be done again at any time, before anything was taken and afterwards for the rows
that waited.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.box import Box
from models.database import Database
from models.deployment import Deployment, folder_of
from models.image import ABSENT, WAITING, CountCorrection, Image
from models.import_matching import Finder
from models.import_plan import BoxHere, PhotoHere, Plan, plan_photo
from models.import_records import DeploymentRecord, SightingRecord
from models.imported import BAD, DEPLOYMENT, GOOD, KNOWN, LACKING, OPEN, PHOTO, Import, ImportRow
from models.project import Project
from models.site import Site
from models.species import Species

PHOTOS = 200
SHOWN = 60  # names of a list in the figures
FACTS = ("camera", "camera_model", "starts_at", "ends_at", "latitude", "longitude", "uncertainty_m", "comments", "zone")


def judge(database: Database, import_id: int) -> None:
    """Judge every row that is good or waits; then the figures."""
    figures = Figures()
    with database.writing() as session:
        judge_deployments(session, session.get_one(Import, import_id), figures)
    claimed: dict[int, str] = {}
    after = ""
    with database.reading() as session:
        import_ = session.get_one(Import, import_id)
        finder = Finder(session, import_.project_id)
        keeps_absent = bool(import_.options.get("absent"))
        while photos := next_photos(session, import_id, after):
            found = finder.find(photos)
            after = photos[-1]
            with database.writing() as writing:
                own = writing.get_one(Import, import_id)
                rows = rows_of(writing, import_id, photos)
                for path, here in rows.items():
                    match = found[path]
                    rivals = [claimed[match.image_id]] if match.image_id in claimed else []
                    place(here, match.image_id, [*match.rivals, *rivals], keeps_absent=keeps_absent)
                    if match.image_id is not None and not rivals:
                        claimed[match.image_id] = path
                judge_photos(writing, own, rows, figures)
    with database.writing() as session:
        own = session.get_one(Import, import_id)
        own.counts = own.counts | figures.told(session, own)


def place(rows: Sequence[ImportRow], image_id: int | None, rivals: Sequence[str], *, keeps_absent: bool) -> None:
    """Which photo the rows are about, or why they are about none. Of a photo that is described twice neither is used."""
    twice = [row for row in rows if row.kind == PHOTO][1:]
    for row in rows:
        row.image_id = image_id
        row.judge(GOOD)
        if rivals:
            row.judge(BAD, f"it fits more than one photo: {', '.join(rivals[:3])}", "file")
        elif twice:
            row.judge(BAD, f"the photo is described twice, also at {twice[0].place}; neither is used", "file")
        elif image_id is None and not keeps_absent:
            row.judge(LACKING, "the project has no photo of this name", "file")


def judge_photos(session: Session, import_: Import, rows: dict[str, list[ImportRow]], figures: Figures) -> None:
    """Plan each photo that is not out already, and count what the plan will do."""
    good = {path: found for path, found in rows.items() if found[0].verdict == GOOD}
    here = photos_here(session, import_, [found[0].image_id for found in good.values() if found[0].image_id])
    for path, found in good.items():
        image_id = found[0].image_id
        photo = here[image_id] if image_id is not None else PhotoHere(None, ABSENT, deployment=folder_of(path, ""))
        figures.add(plan_photo(found, photo))


def photos_here(session: Session, import_: Import, image_ids: Iterable[int | None]) -> dict[int, PhotoHere]:
    """What the project knows of these photos, in four questions."""
    ids = [image_id for image_id in image_ids if image_id is not None]
    project = session.get_one(Project, import_.project_id)
    deployment = select(Image.id, Image.state, Image.job_id, Deployment).join(
        Deployment, Deployment.id == Image.deployment_id
    )
    photos = {
        image_id: PhotoHere(
            image_id, state, is_busy=state == WAITING and job_id not in (None, import_.job_id), deployment=stay.name,
            may_move=is_guessed(stay),
        )
        for image_id, state, job_id, stay in session.execute(deployment.where(Image.id.in_(ids)))
    }  # fmt: skip
    boxes = select(Box).where(Box.image_id.in_(ids), Box.deleted_at.is_(None)).order_by(Box.ordinal)
    for box in session.scalars(boxes):
        has_voice = box.settled_label_id is not None or box.waits_for is not None
        counts = box.score >= project.count_above or box.settled_species_id is not None
        corners = (box.x_min, box.y_min, box.x_max, box.y_max)
        photos[box.image_id].boxes.append(BoxHere(corners, box.kind, box.id, counts, has_voice))
    for image_id, _species, _count in session.execute(CountCorrection.standing(CountCorrection.image_id.in_(ids))):
        photos[image_id].has_count = True
    return photos


def is_guessed(stay: Deployment) -> bool:
    """Whether the deployment is a folder's name and no more."""
    said = [getattr(stay, name) for name in FACTS]
    return stay.site_id is None and not stay.details and not any(value not in (None, "") for value in said)


def judge_deployments(session: Session, import_: Import, figures: Figures) -> None:
    """New, known with something that the file adds, or known altogether. Of one named twice the first counts."""
    known = {
        stay.name: stay
        for stay in session.scalars(select(Deployment).where(Deployment.project_id == import_.project_id))
    }
    named: set[str] = set()
    wanted = (
        select(ImportRow)
        .where(ImportRow.import_id == import_.id, ImportRow.kind == DEPLOYMENT, ImportRow.verdict.in_((GOOD, KNOWN)))
        .where(~ImportRow.is_taken)
        .order_by(ImportRow.number)
    )
    sites = set(session.scalars(select(Site.name).where(Site.project_id == import_.project_id)))
    for row in session.scalars(wanted):
        record = DeploymentRecord.of(row.record)
        if record.name in named:
            row.judge(BAD, "the deployment is named twice", "deployment")
            continue
        named.add(record.name)
        stay = known.get(record.name)
        if stay is None:
            figures.counts["deployments_new"] += 1
            figures.deployments.append(record.name)
        elif added(stay, record):
            figures.counts["deployments_filled"] += 1
        else:
            row.judge(KNOWN, "all of it is here already")
        if record.site and record.site not in sites:
            sites.add(record.site)
            figures.counts["sites_new"] += 1


def added(stay: Deployment, record: DeploymentRecord) -> list[str]:
    """The facts that the file has and nobody has said here: only those are filled in."""
    empty = [name for name in FACTS if getattr(stay, name) in (None, "") and getattr(record, name) not in (None, "")]
    return (
        empty
        + [name for name in record.details if name not in stay.details]
        + (["site"] if record.site and stay.site_id is None else [])
    )


def next_photos(session: Session, import_id: int, after: str) -> list[str]:
    """The next photos that rows are about, by path."""
    wanted = (
        select(ImportRow.photo)
        .distinct()
        .where(ImportRow.import_id == import_id, ImportRow.photo > after, ~ImportRow.is_taken)
        .where(ImportRow.kind != DEPLOYMENT, ImportRow.verdict.in_(OPEN))
        .order_by(ImportRow.photo)
        .limit(PHOTOS)
    )
    return list(session.scalars(wanted))


def rows_of(session: Session, import_id: int, photos: Sequence[str]) -> dict[str, list[ImportRow]]:
    """The rows of these photos that may still bring something, in the order of the file."""
    wanted = (
        select(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.photo.in_(photos), ~ImportRow.is_taken)
        .where(ImportRow.verdict.in_(OPEN))
        .order_by(ImportRow.number)
    )
    rows: dict[str, list[ImportRow]] = {}
    for row in session.scalars(wanted):
        rows.setdefault(row.photo, []).append(row)
    return rows


class Figures:
    """What the dry run says in numbers."""

    def __init__(self) -> None:
        """All at nothing."""
        self.counts: Counter[str] = Counter()
        self.deployments: list[str] = []
        self._names: dict[str, str] = {}  # called -> scientific name

    def add(self, plan: Plan) -> None:
        """One photo's plan."""
        self.counts["photos_here" if plan.photo.id else "photos_absent"] += 1
        self.counts["photos_given"] += plan.is_given
        self.counts["photos_moved"] += plan.moves
        self.counts["boxes_new"] += len(plan.new_boxes)
        self.counts["photos_with_boxes"] += bool(plan.new_boxes)
        self.counts["boxes_known"] += plan.known_boxes
        self.counts["names"] += len(plan.labels)
        self.counts["names_machine"] += sum(name.by_machine and name.rank == 1 for name in plan.names)
        self.counts["names_beside"] += sum(not name.by_machine for name in plan.names)
        self.counts["counts"] += len(plan.counts)
        self.counts["looks"] += len(plan.flags)
        for sighting in [*(box.voice for box in plan.labels), *(sighting for _row, sighting in plan.counts)]:
            if sighting is not None:
                self._remember(sighting)

    def _remember(self, sighting: SightingRecord) -> None:
        if sighting.called and len(self._names) < 10_000:
            self._names.setdefault(sighting.called, sighting.scientific_name)

    def told(self, session: Session, import_: Import) -> dict[str, object]:
        """For Import.counts, with the rows by verdict and the names that the project lacks."""
        new = [
            called
            for called, scientific in self._names.items()
            if species_called(session, import_.project_id, called, scientific) is None
        ]
        return dict(self.counts) | {
            "species_new": len(new), "species": sorted(new)[:SHOWN], "deployments": self.deployments[:SHOWN],
            "rows": verdicts(session, import_.id),
        }  # fmt: skip


def species_called(session: Session, project_id: int, called: str, scientific: str) -> Species | None:
    """The project's species of this name, else of this scientific name."""
    return Species.named(session, project_id, called) or (
        Species.named(session, project_id, scientific) if scientific and scientific != called else None
    )


def verdicts(session: Session, import_id: int) -> dict[str, int]:
    """How many rows are good, bad, aside, known, or wait."""
    wanted = select(ImportRow.verdict, func.count()).where(ImportRow.import_id == import_id)
    return dict(session.execute(wanted.group_by(ImportRow.verdict)).all())
