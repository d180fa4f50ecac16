"""Whole projects by chance: cameras, photos, boxes, voices, a classifier's names; and what is known of a project, to compare."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exports.naming import Naming
from app.exports.queries import boxes_of
from models.act import Act
from models.base import utc_now
from models.box import Box
from models.checkpoint import CLASSIFIER, DETECTOR, Checkpoint
from models.deployment import Deployment, ProblemPeriod
from models.image import COUNTING, QUARANTINED, READY, WAITING, CountCorrection, Image
from models.imported import ImportedName, ImportRow
from models.membership import Membership, Role
from models.observed import Observed
from models.project import Project
from models.sequence import regroup
from models.site import Site
from models.species import Species
from models.user import User
from tests import make
from tests.round_trips.trips import Place

keys = itertools.count(1)
START = dt.datetime(2026, 3, 27, 6)  # two days before clocks change in Europe
TAXA = (
    ("Jaguar", "Panthera onca", "species"), ("Red Fox", "Vulpes vulpes", "species"), ("Ocelot", "", "species"),
    ("=Kudu", "Tragelaphus strepsiceros", "species"), ("Ñandú común", "Rhea americana", "species"), ("Bird", "Aves", "class"),
    ("Cow, \"domestic\"", "Bos taurus", "species"), ("human hand", "", "group"),
)  # fmt: skip
PEOPLE = ("Ann", "=Bo", 'José "Pepe" O\'Neil')
CAMERAS = ("Cam 1", "=Cam", "'Cam", "a..b", ".hidden", 'Ä, "2"', "50% open", " blank ")
FILES = ("1.jpg", "a..b.JPG", "=2.jpg", "x%20y.jpg", "~3.png", 'ñ,".jpg', "4.jpeg ")
KINDS = ("person", "vehicle", "cannot_tell", "not_animal")
SHARES = st.integers(1, 450).map(lambda thousandths: thousandths / 1000)
WORDS = st.sampled_from(["", "plain", "=1+1", "two\nlines", 'ends with a quote"', "-", "a | b:c", "'quoted"])


@dataclass
class Said:
    """A voice. who: of PEOPLE. what: of the project's taxa, else one of KINDS."""

    who: int
    is_expert: bool
    what: int
    kind: str
    certain: bool
    sex: str
    life_stage: str
    behaviour: str


@dataclass
class Outlined:
    """A box. guess: of the project's taxa, with its probability."""

    place: tuple[float, float, float]
    score: float
    kind: str
    drawn: bool
    deleted: bool
    voices: list[Said]
    guess: tuple[int, float] | None


@dataclass
class Shot:
    """A photo. minute: after START; none: undated. figures: (taxon or none, count)."""

    camera: int
    file: str
    minute: int | None
    state: str
    has_size: bool
    method: str
    setup: str
    favorite: bool
    boxes: list[Outlined]
    figures: list[tuple[int | None, int]]


@dataclass
class Camera:
    """A deployment."""

    name: str
    site: str
    title: str
    place: tuple[float, float] | None
    uncertainty_m: int | None
    days: int | None
    zone: str
    camera: str
    comments: str
    problem: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Drawn:
    """A project."""

    taxa: list[tuple[str, str, str]]
    cameras: list[Camera]
    shots: list[Shot]
    count_above: float


POINT = st.tuples(st.integers(-8_999_999, 8_999_999), st.integers(-17_999_999, 17_999_999)).map(
    lambda both: (both[0] / 1e5, both[1] / 1e5)
)
CAMERA = st.builds(
    Camera, st.sampled_from(CAMERAS), st.sampled_from(["", "River", "=Hill"]), st.sampled_from(["", "By the river"]),
    st.sampled_from([True, True, True, False]).flatmap(lambda there: POINT if there else st.none()),
    st.none() | st.integers(1, 500),
    st.sampled_from([None, 0, 4, 5, 5, 5]), st.sampled_from(["", "America/Guyana", "Europe/Berlin"]),
    st.sampled_from(["", "320", "=7"]), WORDS, st.sampled_from(["", "not_working", "blocked"]),
    st.sampled_from([{}, {"cameraHeight": 1.3, "baitUse": False, "habitat": "=wet, \"old\" forest"}]),
)  # fmt: skip
VOICE = st.builds(
    Said, st.integers(0, 2), st.booleans(), st.integers(0, 7), st.sampled_from(["taxon", "taxon", "taxon", *KINDS]),
    st.booleans(), st.sampled_from(["", "female", "male"]), st.sampled_from(["", "adult", "juvenile"]),
    st.sampled_from(["", "eating", "=running"]),
)  # fmt: skip
BOX = st.builds(
    Outlined, st.tuples(SHARES, SHARES, SHARES), st.integers(5, 100).map(lambda hundredths: hundredths / 100),
    st.sampled_from(["animal", "animal", "person", "vehicle"]), st.booleans(), st.sampled_from([False, False, False, True]),
    st.lists(VOICE, max_size=3), st.none() | st.tuples(st.integers(0, 7), st.integers(1, 100).map(lambda p: p / 128)),
)  # fmt: skip
SHOT = st.builds(
    Shot, st.integers(0, 2), st.sampled_from(FILES), st.integers(0, 5 * 24 * 60) | st.integers(0, 5 * 24 * 60) | st.none(),
    st.sampled_from([READY, READY, READY, READY, READY, READY, WAITING, QUARANTINED]), st.booleans(),
    st.sampled_from(["", "activityDetection", "timeLapse"]), st.sampled_from(["", "", "setup", "calibration"]), st.booleans(),
    st.lists(BOX, max_size=3), st.lists(st.tuples(st.none() | st.integers(0, 7), st.integers(0, 9)), max_size=2),
)  # fmt: skip
PROJECTS = st.builds(
    Drawn, st.lists(st.sampled_from(TAXA), min_size=1, unique=True),
    st.lists(CAMERA, min_size=1, max_size=3, unique_by=lambda each: each.name), st.lists(SHOT, min_size=1, max_size=6),
    st.sampled_from([0.2, 0.5]),
)  # fmt: skip


def made(place: Place, drawn: Drawn) -> int:
    """The project of this plan."""
    project_id, _by = place.project(count_above=drawn.count_above, classify_above=0.1, zone="America/Guyana")
    with place.database.writing() as session:
        project = session.get_one(Project, project_id)
        people = [person(session, project, name) for name in PEOPLE]
        taxa = [
            Species.add(session, project_id, name, scientific_name=scientific, rank=rank)
            for name, scientific, rank in drawn.taxa
        ]
        detector = Checkpoint.known(session, DETECTOR, "our detector", "d" * 64, {})
        project.detector_id = detector.id
        stays = [stay_of(session, project, each) for each in drawn.cameras]
        batch = make.batch(session, project)
        said: dict[int, dict[int, float]] = {}
        used: Counter[str] = Counter()
        for shot in drawn.shots:
            stay = stays[shot.camera % len(stays)]
            path = f"{stay.name}/{shot.file}"
            used[path] += 1
            if used[path] == 1:
                shoot(session, project, batch, path, shot, people, taxa, said, detector.id)
        if said:
            classifier = Checkpoint(kind=CLASSIFIER, name="learn-1", sha256="c" * 64, project_id=project_id)
            session.add(classifier)
            session.flush()
            place.predicts(project_id, said, classifier.id)
            project.classifier_id = classifier.id
        session.flush()
        for stay in stays:
            regroup(session, stay.id, project.sequence_gap_s)
    return project_id


def person(session: Session, project: Project, name: str) -> User:
    user = make.user(session)
    user.name = name
    Membership.grant(session, project.id, user.id, Role.annotator)
    return user


def stay_of(session: Session, project: Project, camera: Camera) -> Deployment:
    stay = Deployment.of_folder(session, project.id, camera.name)
    if camera.site:
        site = Site.of_name(session, project.id, camera.site)
        site.title, stay.site_id = site.title or camera.title, site.id
    if camera.place:
        stay.latitude, stay.longitude = camera.place
        stay.uncertainty_m = camera.uncertainty_m
    if camera.days is not None:
        stay.starts_at, stay.ends_at = START, START + dt.timedelta(days=camera.days)
        if camera.problem:
            session.add(
                ProblemPeriod(
                    deployment_id=stay.id, kind=camera.problem, from_at=START, to_at=START + dt.timedelta(hours=5)
                )
            )
    stay.zone, stay.camera, stay.comments, stay.details = camera.zone, camera.camera, camera.comments, camera.details
    session.flush()
    return stay


def shoot(
    session: Session, project: Project, batch: Any, path: str, shot: Shot, people: list[User], taxa: list[Species],
    said: dict[int, dict[int, float]], detector_id: int,
) -> None:  # fmt: skip
    at = None if shot.minute is None else START + dt.timedelta(minutes=shot.minute)
    size = {"width_px": 1600, "height_px": 1200} if shot.has_size else {"width_px": None, "height_px": None}
    photo = make.image(
        session, batch, path, captured_at=at, state=shot.state, capture_method=shot.method, setup=shot.setup,
        favorite=shot.favorite, detector_id=detector_id if shot.state == READY else None,
        reason="cut short" if shot.state == QUARANTINED else "", **size,
    )  # fmt: skip
    if shot.state != READY:
        return
    for number, outlined in enumerate(shot.boxes):
        left, top, side = outlined.place
        place = {
            "x_min": left / 3 + number / 3,
            "y_min": top,
            "x_max": (left + side) / 3 + number / 3,
            "y_max": top + side,
        }
        score = 1.0 if outlined.drawn else outlined.score
        box = make.box(session, photo, score, kind=outlined.kind, drawn=outlined.drawn, **place)
        for voice in outlined.voices:
            speak(session, project, box, voice, people, taxa)
        if outlined.deleted:
            box.deleted_at, box.settled_species_id, box.settled_label_id = utc_now(), None, None
        if outlined.guess is not None:
            which, p = outlined.guess
            said[box.id] = {taxa[which % len(taxa)].id: p}
    for which, count in shot.figures:
        user = people[0]
        act, _fresh = Act.once(session, user.id, f"count-{next(keys):08}", "count", {}, project.id)
        species_id = None if which is None else taxa[which % len(taxa)].id
        session.add(
            CountCorrection(image_id=photo.id, species_id=species_id, count=count, user_id=user.id, act_id=act.id)
        )


def speak(session: Session, project: Project, box: Box, voice: Said, people: list[User], taxa: list[Species]) -> None:
    user = people[voice.who]
    act, _fresh = Act.once(session, user.id, f"voice-{next(keys):08}", "answer", {}, project.id)
    species = (
        taxa[voice.what % len(taxa)] if voice.kind == "taxon" else Species.of_kind(session, project.id, voice.kind)
    )
    box.answer(
        session, species, by=user.id, role=Role.expert if voice.is_expert else Role.annotator, act=act, certain=voice.certain,
        observed=Observed(voice.sex, voice.life_stage, voice.behaviour),
    )  # fmt: skip


def photos_of(place: Place, project_id: int) -> dict[str, dict[str, Any]]:
    """Every photo in which something counts, by path, with the boxes that count and the figures of people."""
    with place.database.reading() as session:
        project = session.get_one(Project, project_id)
        names = {
            each.id: (each.kind, each.name, each.scientific_name or (each.name if each.kind == "taxon" else ""))
            for each in session.scalars(select(Species).where(Species.project_id == project_id))
        }
        naming = Naming(session, place.store, project)
        spoken = voices_of_imports(session)
        found: dict[str, dict[str, Any]] = {}
        rows = session.execute(
            select(Image, Deployment.name)
            .join(Deployment, Deployment.id == Image.deployment_id)
            .where(Image.project_id == project_id, Image.state.in_(COUNTING))
        ).all()
        for image, camera in rows:
            figures = CountCorrection.standing(CountCorrection.image_id == image.id)
            newest = {species_id: count for _image, species_id, count in session.execute(figures)}
            boxes = []
            for row in session.execute(boxes_of(project, [image.id])):
                boxes.append(outlined_of(session, row, names, naming, spoken))
            found[image.path] = {
                "camera": camera, "at": image.taken_at, "method": image.capture_method, "setup": image.setup,
                "favorite": image.favorite, "size": (image.width_px, image.height_px),
                "boxes": sorted(boxes, key=str),
                "figures": sorted(((names[id_][1:] if id_ else None, count) for id_, count in newest.items()), key=str),
            }  # fmt: skip
        return found


def outlined_of(session: Session, row: Any, names: Any, naming: Naming, spoken: dict[int, Any]) -> tuple[Any, ...]:
    """A box: where, what it is called, who says so, how sure the detector was."""
    corners = tuple(round(side, 4) for side in (row.x_min, row.y_min, row.x_max, row.y_max))
    score = "drawn" if row.score == 1.0 else round(row.score, 3)
    if row.settled_species_id is not None:
        who, when = spoken.get(row.settled_label_id, (row.who, f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"))
        beside = (row.sex or "", row.life_stage or "", row.behaviour or "")
        return (corners, row.kind, score, "human", names[row.settled_species_id], who, when, row.certain, beside)
    guesses = naming.guesses([row.id], 1).get(row.id)
    if guesses:
        return (corners, row.kind, score, "predicted", names[guesses[0][0]][1], round(guesses[0][1], 3))
    theirs = session.scalars(
        select(ImportedName).where(ImportedName.box_id == row.id, ImportedName.p.is_not(None))
    ).first()
    if theirs is not None:
        named = names[theirs.species_id][1] if theirs.species_id else theirs.name  # a machine's name adds no species
        return (corners, row.kind, score, "predicted", named, round(theirs.p or 0, 3))
    return (corners, row.kind, score, "unnamed")


def voices_of_imports(session: Session) -> dict[int, tuple[str, str]]:
    """Label id -> (who, when), as the file says."""
    rows = session.scalars(select(ImportRow).where(ImportRow.is_taken))
    return {
        label_id: (row.record.get("who", ""), row.record.get("details", {}).get("classificationTimestamp", ""))
        for row in rows
        for label_id in row.taken.get("labels", [])
    }


def cameras_of(place: Place, project_id: int) -> dict[str, dict[str, Any]]:
    """Every camera that has a period and a place, by name."""
    with place.database.reading() as session:
        project = session.get_one(Project, project_id)
        sites = {each.id: each for each in session.scalars(select(Site).where(Site.project_id == project_id))}
        found = {}
        for stay in session.scalars(select(Deployment).where(Deployment.project_id == project_id)):
            site = sites.get(stay.site_id or 0)
            problems = session.scalars(select(ProblemPeriod).where(ProblemPeriod.deployment_id == stay.id))
            if None in (stay.latitude, stay.longitude, stay.starts_at, stay.ends_at):
                continue
            found[stay.name] = {
                "site": (site.name, site.title) if site else None,
                "place": (stay.latitude, stay.longitude, stay.uncertainty_m), "period": (stay.starts_at, stay.ends_at),
                "zone": stay.zone or project.zone, "camera": (stay.camera, stay.camera_model), "comments": stay.comments,
                "details": stay.details, "problems": sorted((each.kind, each.from_at, each.to_at) for each in problems),
            }  # fmt: skip
        return found


def everything(place: Place, project_id: int) -> list[str]:
    """The paths of all photos, whatever their state."""
    with place.database.reading() as session:
        return sorted(session.scalars(select(Image.path).where(Image.project_id == project_id)))
