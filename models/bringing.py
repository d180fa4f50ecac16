"""Take the good rows of an import into the project: deployments first, then photo after photo, each whole in one transaction.

What is planned is planned anew under the writer's turn, since people go on answering meanwhile. An imported name is a label of
who brought the file, under the import's one act and in the role of an annotator: a voice like any, older than what people say
here afterwards, and never given where somebody has spoken. So it names a crop that had no name, an expert's word wins over it,
and a rule that wants two voices still asks for another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import Batch, absent_sha256, take_turn
from models.beside import ask_voices
from models.box import Box, settle
from models.checkpoint import CLASSIFIER, DETECTOR, Checkpoint
from models.deployment import Deployment, ProblemPeriod, folder_of
from models.errors import Invalid
from models.event import mark_cameras_of, mark_deployments
from models.image import ABSENT, SETUPS, CountCorrection, Image
from models.import_judging import FACTS, added, photos_here, rows_of, species_called
from models.import_matching import Finder
from models.import_plan import FIXED, BoxHere, PhotoHere, Plan, plan_photo
from models.import_records import HUMAN, DeploymentRecord, SightingRecord
from models.imported import ASIDE, DEPLOYMENT, GOOD, Import, ImportedName, ImportRow
from models.label import Label
from models.membership import Role
from models.note import COMMENT, FLAG, MOST_TEXT, Note
from models.observed import NOTHING, Observed, observed
from models.privacy import ask_blurs
from models.site import Site
from models.species import SPECIES, Species

MOST_ROWS = 500
PHOTOS = 50  # a transaction, about a tenth of a second on SQLite; fewer where they have many rows


@dataclass
class Brought:
    """What one transaction did. last: the photo after which the next one goes on."""

    rows: int = 0
    last: str = ""
    boxes_to_cut: int = 0  # new ones on photos that were looked through: a crop job makes their crops
    named_crops: int = 0


@dataclass
class Taking:
    """One transaction of an import."""

    session: Session
    import_: Import
    species: dict[tuple[str, str], Species] = field(default_factory=dict)
    checkpoints: dict[tuple[str, str], int] = field(default_factory=dict)
    stays: dict[str, int] = field(default_factory=dict)
    called: dict[str, int | None] = field(
        default_factory=dict
    )  # a kept name -> the species of this name, where there is one

    def deployments(self) -> int:
        """The next rows that describe deployments; how many rows."""
        wanted = self._good().where(ImportRow.kind == DEPLOYMENT).order_by(ImportRow.number).limit(MOST_ROWS // 4)
        rows = list(self.session.scalars(wanted))
        for row in rows:
            row.taken = fill(self.session, self.import_.project_id, DeploymentRecord.of(row.record))
            row.is_taken = True
        return len(rows)

    def photos(self, after: str = "") -> Brought:
        """The next photos behind this one, as many as fit; no rows: all are taken."""
        take_turn(self.session, self.import_.project_id)
        brought = Brought()
        paths = self._next_paths(after)
        if not paths:
            return brought
        brought.last = paths[-1]
        rows = rows_of(self.session, self.import_.id, paths)
        self._find_again(rows)
        here = photos_here(self.session, self.import_, [found[0].image_id for found in rows.values()])
        plans = [plan_photo(found, here_of(found[0], path, here)) for path, found in rows.items()]
        self._absent_photos(
            [(path, plan) for path, plan in zip(rows, plans, strict=True) if plan.photo.id is None], rows
        )
        for path, plan in zip(rows, plans, strict=True):
            self._photo_here(plan, rows[path])
        self._aside(rows)
        self._boxes(plans, brought)
        self._voices(plans, brought)
        for plan in plans:
            self._beside(plan)
        self.session.flush()
        mark_cameras_of(self.session, self.import_.project_id, [plan.photo.id for plan in plans if plan.photo.id])
        for found in rows.values():
            for row in found:
                row.is_taken = row.verdict == GOOD
                brought.rows += 1
        return brought

    # --- which ------------------------------------------------------------------------------------------------------------

    def _good(self) -> Any:
        return select(ImportRow).where(
            ImportRow.import_id == self.import_.id, ImportRow.verdict == GOOD, ~ImportRow.is_taken
        )

    def _next_paths(self, after: str) -> list[str]:
        counts = (
            select(ImportRow.photo, func.count())
            .where(ImportRow.import_id == self.import_.id, ImportRow.verdict == GOOD, ~ImportRow.is_taken)
            .where(ImportRow.kind != DEPLOYMENT, ImportRow.photo > after)
            .group_by(ImportRow.photo)
            .order_by(ImportRow.photo)
            .limit(PHOTOS)
        )
        paths: list[str] = []
        total = 0
        for path, count in self.session.execute(counts):
            total += count
            if paths and total > MOST_ROWS:
                break
            paths.append(path)
        return paths

    # --- photos -----------------------------------------------------------------------------------------------------------

    def _find_again(self, rows: Mapping[str, Sequence[ImportRow]]) -> None:
        """Photos that came, or that another import wrote down, since the dry run."""
        lacking = [path for path, found in rows.items() if found[0].image_id is None]
        if lacking:
            for path, match in Finder(self.session, self.import_.project_id).exact(lacking).items():
                for row in rows[path]:
                    row.image_id = match.image_id

    def _absent_photos(self, lacking: Sequence[tuple[str, Plan]], rows: Mapping[str, Sequence[ImportRow]]) -> None:
        """Photos that the project lacks are written down."""
        made = [(self._absent(path, plan, setup_of(rows[path])), path, plan) for path, plan in lacking]
        self.session.add_all([image for image, _path, _plan in made])
        self.session.flush()
        for image, path, plan in made:
            plan.photo.id = image.id
            rows[path][0].taken = {"image": image.id}
            for row in rows[path]:
                row.image_id = image.id

    def _aside(self, rows: Mapping[str, Sequence[ImportRow]]) -> None:
        """Rows that were kept aside know their photo too: exports give them back with it."""
        beside = select(ImportRow).where(ImportRow.import_id == self.import_.id, ImportRow.photo.in_(rows))
        for row in self.session.scalars(beside.where(ImportRow.verdict == ASIDE)):
            row.image_id = rows[row.photo][0].image_id

    def _photo_here(self, plan: Plan, rows: Sequence[ImportRow]) -> None:
        """One that is here may move to its deployment, or stops waiting for a detector."""
        if not (plan.moves or plan.is_given):
            return
        image = self.session.get_one(Image, plan.photo.id)
        if plan.moves:
            mark_deployments(self.session, self.import_.project_id, [image.deployment_id])
            rows[0].taken = rows[0].taken | {"moved_from": image.deployment_id}
            image.deployment_id, image.sequence_id = self._stay(plan.record.deployment), None
        if plan.is_given:
            rows[0].taken = rows[0].taken | {"given": image.id}
            image.job_id, image.shard = self.import_.job_id, None  # nobody else looks through it; the job hands it on

    def _stay(self, name: str) -> int:
        """The deployment of this name, made when it is new."""
        if name not in self.stays:
            self.stays[name] = Deployment.of_folder(self.session, self.import_.project_id, name).id
        return self.stays[name]

    def _absent(self, path: str, plan: Plan, setup: str) -> Image:
        record = plan.record
        name = record.deployment or folder_of(path, otherwise=self.import_.name)
        taken_at = dt.datetime.fromisoformat(record.taken_at) if record.taken_at else None
        return Image(
            project_id=self.import_.project_id, batch_id=self._batch_id(), path=path, size=0, state=ABSENT,
            deployment_id=self._stay(name[:255]),
            sha256=absent_sha256(self.import_.project_id, path), width_px=record.width_px, height_px=record.height_px,
            captured_at=taken_at, taken_at=taken_at, capture_method=record.capture_method, setup=record.setup or setup,
            favorite=record.favorite, details=record.details, processed_at=utc_now(),
            detector_id=self.detector_id() if record.is_looked else None,
            reason="named by an import; its file is not here",
        )  # fmt: skip

    def _batch_id(self) -> int:
        """The batch of the photos without a file."""
        if self.import_.batch_id is None:
            batch = Batch.start(self.session, self.import_.project_id, self.import_.name, self.import_.by_id)
            batch.finished_at = utc_now()
            self.import_.batch_id = batch.id
        return self.import_.batch_id

    # --- boxes ------------------------------------------------------------------------------------------------------------

    def _boxes(self, plans: Iterable[Plan], brought: Brought) -> None:
        made: list[tuple[Box, BoxHere]] = []
        with_new = [plan for plan in plans if plan.new_boxes]
        last = self._last_ordinals([plan.photo.id for plan in with_new])
        for plan in with_new:
            image_id = plan.photo.id
            assert image_id is not None
            for ordinal, here in enumerate(
                sorted(plan.new_boxes, key=score_of, reverse=True), start=last.get(image_id, 0) + 1
            ):
                made.append((self._box(image_id, ordinal, here), here))
            if plan.photo.state != ABSENT and not plan.is_given:
                brought.boxes_to_cut += sum(here.kind == "animal" for here in plan.new_boxes)
        self.session.add_all([box for box, _here in made])
        self.session.flush()
        for box, here in made:
            here.id = box.id
            assert here.row is not None
            note(here.row, "boxes", box.id)
        if any(here.kind == "person" for _box, here in made):
            ask_blurs(self.session, self.import_.project_id)

    def _last_ordinals(self, image_ids: Sequence[int | None]) -> dict[int, int]:
        wanted = select(Box.image_id, func.max(Box.ordinal)).where(Box.image_id.in_(image_ids)).group_by(Box.image_id)
        return dict(self.session.execute(wanted).all())

    def _box(self, image_id: int, ordinal: int, here: BoxHere) -> Box:
        x_min, y_min, x_max, y_max = here.corners
        assert here.sighting is not None
        by_person = here.sighting.said_by == HUMAN and here.sighting.score is None
        return Box(
            project_id=self.import_.project_id, image_id=image_id, ordinal=ordinal, x_min=x_min, y_min=y_min, x_max=x_max,
            y_max=y_max, score=score_of(here), kind=here.kind,
            detector_id=None if by_person else self.detector_id(),
        )  # fmt: skip

    def detector_id(self) -> int:
        """The detector that the file names, else the file itself."""
        return self.checkpoint(DETECTOR, self.import_.source.get("detector") or self.import_.name)

    def checkpoint(self, kind: str, name: str) -> int:
        """The row of the file's detector or classifier: weights that nobody has here, known by name and the file that says so."""
        if (kind, name) not in self.checkpoints:
            card = {"kind": kind, "source": self.import_.format} | (self.import_.source.get("card") or {})
            sha256 = self.import_.sha256
            self.checkpoints[kind, name] = Checkpoint.known(self.session, kind, name[:300], sha256, card).id
        return self.checkpoints[kind, name]

    # --- names ------------------------------------------------------------------------------------------------------------

    def _voices(self, plans: Iterable[Plan], brought: Brought) -> None:
        speaking = [here for plan in plans for here in plan.labels]
        if not speaking:
            return
        act = self.import_.act(self.session)
        ids = [here.id for here in speaking]
        found = self.session.scalars(select(Box).where(Box.id.in_(ids)).order_by(Box.id).with_for_update())
        boxes = {box.id: box for box in found}
        labels: list[tuple[Label, BoxHere]] = []
        for here in speaking:
            assert here.id is not None and here.voice is not None
            species = self.named(here.voice)
            box = boxes[here.id]
            said = box.voice(
                species, by=self.import_.by_id, role=Role.annotator, act=act, certain=not here.voice.unsure, round_id=None,
                guess=None, observed=observed_of(here.voice),
            )  # fmt: skip
            labels.append((said, here))
            brought.named_crops += box.embedder_id is not None
        self.session.add_all([label for label, _here in labels])
        self.session.flush()
        for label, here in labels:
            assert here.voice_row is not None
            note(here.voice_row, "labels", label.id)
        settle(self.session, list(boxes.values()))
        ask_voices(self.session, boxes.values())

    def named(self, sighting: SightingRecord) -> Species:
        """The answer that the sighting means; a new species where the project has none of this name."""
        key = (sighting.kind, sighting.called)
        if key not in self.species:
            self.species[key] = self._find_or_add(sighting)
        return self.species[key]

    def _find_or_add(self, sighting: SightingRecord) -> Species:
        project_id = self.import_.project_id
        if sighting.kind in FIXED:
            return Species.of_kind(self.session, project_id, FIXED[sighting.kind])
        found = species_called(self.session, project_id, sighting.called, sighting.scientific_name)
        if found is None:
            rank = self.import_.source.get("ranks", {}).get(sighting.scientific_name or sighting.called, SPECIES)
            found = Species.add(
                self.session, project_id, sighting.called, scientific_name=sighting.scientific_name, rank=rank
            )
        return found

    # --- beside -----------------------------------------------------------------------------------------------------------

    def _beside(self, plan: Plan) -> None:
        """Counts of the photo, names that are kept, crops that somebody has to look at."""
        image_id = plan.photo.id
        assert image_id is not None
        for kept in plan.names:
            by = self.checkpoint(CLASSIFIER, kept.who or self.import_.source.get("classifier") or self.import_.name)
            self.session.add(
                ImportedName(
                    project_id=self.import_.project_id, import_id=self.import_.id, image_id=image_id,
                    box_id=kept.box.id if kept.box else None, rank=kept.rank, name=kept.name[:200], p=kept.p, count=kept.count,
                    species_id=self._species_id(kept.name, kept.scientific_name), by_machine=kept.by_machine, reason=kept.reason,
                    checkpoint_id=by if kept.by_machine else None, who="" if kept.by_machine else kept.who[:200],
                )
            )  # fmt: skip
        for row, sighting in plan.counts:
            act = self.import_.act(self.session)
            is_blank = sighting.kind == "blank"
            count = CountCorrection(
                image_id=image_id, species_id=None if is_blank else self.named(sighting).id, user_id=self.import_.by_id,
                count=0 if is_blank else (1 if sighting.count is None else sighting.count), act_id=act.id,
            )  # fmt: skip
            self.session.add(count)
            self.session.flush()
            note(row, "counts", count.id)
        for _row, box, words in plan.flags:
            self._flag(box, words)

    def _species_id(self, name: str, scientific: str) -> int | None:
        if name not in self.called:
            found = species_called(self.session, self.import_.project_id, name, scientific)
            self.called[name] = found.id if found else None
        return self.called[name]

    def _flag(self, box: BoxHere, words: str) -> None:
        act = self.import_.act(self.session)
        about = {
            "project_id": self.import_.project_id,
            "box_id": box.id,
            "user_id": self.import_.by_id,
            "act_id": act.id,
        }
        self.session.add(Note(kind=FLAG, text="", **about))
        self.session.add(Note(kind=COMMENT, text=f"{self.import_.name}, {words}"[:MOST_TEXT], **about))


def here_of(row: ImportRow, path: str, here: dict[int, PhotoHere]) -> PhotoHere:
    """The photo as it is now; one that the project lacks may have been written down by an earlier row of the same path."""
    if row.image_id is not None and row.image_id in here:
        return here[row.image_id]
    return PhotoHere(None, ABSENT, deployment=folder_of(path, ""))


def setup_of(rows: Sequence[ImportRow]) -> str:
    """What rows say of a camera that is being set up or tried."""
    said = (row.record.get("details", {}).get("cameraSetupType", "") for row in rows)
    return next((each for each in said if each and each in SETUPS), "")


def fill(session: Session, project_id: int, record: DeploymentRecord) -> dict[str, Any]:
    """A new deployment, or the facts that nobody has said of one that is here. What was done, for who takes it back."""
    known = session.scalar(
        select(Deployment).where(Deployment.project_id == project_id, Deployment.name == record.name)
    )
    stay = known or Deployment.of_folder(session, project_id, record.name)
    names = added(stay, record)
    for name in names:
        if name == "site":
            stay.site_id = site_of(session, project_id, record).id
        elif name in FACTS:
            value = getattr(record, name)
            setattr(stay, name, dt.datetime.fromisoformat(value) if name in ("starts_at", "ends_at") else value)
    stay.details = record.details | stay.details
    stay.version += 1
    if known is None:
        session.add_all([problem_of(stay, *each) for each in record.problems])
    return {"deployment": stay.id, "filled": names, "is_new": known is None}


def problem_of(stay: Deployment, kind: str, start: str, end: str) -> ProblemPeriod:
    """A time in which the camera did not work."""
    return ProblemPeriod(
        deployment_id=stay.id, kind=kind, from_at=dt.datetime.fromisoformat(start), to_at=dt.datetime.fromisoformat(end)
    )


def site_of(session: Session, project_id: int, record: DeploymentRecord) -> Site:
    """The site, with the coordinates of its first deployment where it is new."""
    site = Site.of_name(session, project_id, record.site)
    site.title = site.title or record.site_title
    if site.latitude is None:
        site.latitude, site.longitude, site.uncertainty_m = record.latitude, record.longitude, record.uncertainty_m
    return site


def observed_of(sighting: SightingRecord) -> Observed:
    """What is said beside the name; a word that we do not know is left out (readers report it)."""
    try:
        return observed(sighting.sex, sighting.life_stage, sighting.behaviour)
    except Invalid:
        return NOTHING


def score_of(here: BoxHere) -> float:
    """The detector's; 1 where the file gives none, so that a box that it states counts."""
    assert here.sighting is not None
    return 1.0 if here.sighting.score is None else here.sighting.score


def note(row: ImportRow, what: str, made: int) -> None:
    """Write down on the row what it made. (A new dict: the column does not see changes inside.)"""
    row.taken = row.taken | {what: [*row.taken.get(what, []), made]}
