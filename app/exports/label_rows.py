"""waterhole_labels: every voice that was ever given, so that a package loses nothing of who said what (FORMATS 8).

Voices of a package of ours that was imported stand first, as they came; what that import made of them is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from app.cells import guard
from app.exports.clocks import utc
from app.exports.imported import VOICES, Imported
from app.exports.study import Study
from models.box import Box
from models.deployment import Deployment
from models.image import COUNTING, Image
from models.imported import Import, ImportRow
from models.label import Label
from models.user import User

# column -> its type in a data package
LABELS = (
    ("labelID", "integer"), ("boxID", "integer"), ("imageID", "integer"), ("filePath", "string"), ("who", "string"),
    ("role", "string"), ("kind", "string"), ("means", "string"), ("name", "string"), ("scientificName", "string"),
    ("certain", "boolean"), ("sex", "string"), ("lifeStage", "string"), ("behavior", "string"), ("takesBack", "integer"),
    ("settles", "boolean"), ("at", "datetime"), ("bboxX", "number"), ("bboxY", "number"), ("bboxWidth", "number"),
    ("bboxHeight", "number"), ("detectorScore", "number"), ("detectedAs", "string"),
)  # fmt: skip
CHUNK = 2000


Takes = Callable[[str, dt.datetime | None], bool]


def label_lines(study: Study, imported: Imported, takes: Takes) -> Iterator[list[str]]:
    """The cells of each label, oldest first. takes: whether the package has photos of this deployment and time."""
    yield from kept_lines(study, imported)
    told = told_again(study, imported)
    wanted = (
        select(Label, Box, Image.path, User.name, Image.taken_at, Deployment.name)
        .join(Box, Box.id == Label.box_id)
        .join(Image, Image.id == Box.image_id)
        .join(Deployment, Deployment.id == Image.deployment_id)
        .join(User, User.id == Label.user_id)
        .where(Label.project_id == study.project.id, Image.state.in_(COUNTING), Label.act_id.not_in(told))
        .order_by(Label.id)
        .limit(CHUNK)
    )
    rows = study.session.execute(wanted).all()
    while rows:
        for label, box, path, who, taken_at, deployment in rows:
            if (
                not takes(deployment, taken_at)
                or label.species_id in study.extreme
                or box.settled_species_id in study.extreme
            ):
                continue
            taxon = study.taxa.get(label.species_id or 0)
            yield [
                str(label.id), str(label.box_id), str(box.image_id), guard(path), guard(who), label.role, label.kind,
                taxon.species.kind if taxon else "", guard(taxon.species.name) if taxon else "",
                guard(taxon.species.scientific_name) if taxon else "", "true" if label.certain else "false", label.sex,
                label.life_stage, guard(label.behaviour), "" if label.takes_back_id is None else str(label.takes_back_id),
                "true" if box.settled_label_id == label.id else "false", utc(label.created_at), *outline(box),
            ]  # fmt: skip
        last = rows[-1][0].id
        rows = study.session.execute(wanted.where(Label.id > last)).all()


def outline(box: Box) -> list[str]:
    """Where it is, how sure the detector was (nothing where a person drew it), and what it took it for."""
    sides = (box.x_min, box.y_min, box.x_max - box.x_min, box.y_max - box.y_min)
    return [*(f"{side:.6f}" for side in sides), "" if box.drawn else f"{box.score:.4f}", box.kind]


def kept_lines(study: Study, imported: Imported) -> Iterator[list[str]]:
    """Voices that an import kept aside, with the numbers that they had, of photos that are still here."""
    there: dict[int, bool] = {}
    for row in imported.aside(ImportRow.place.startswith(VOICES), ImportRow.image_id.is_not(None)):
        image_id = row.image_id or 0
        if image_id not in there:
            there = {image_id: study.session.get_one(Image, image_id).state in COUNTING}
        cells: dict[str, Any] = row.record["details"]
        if (
            there[image_id]
            and imported.called(cells.get("scientificName", ""), cells.get("name", "")) not in study.extreme
        ):
            yield [guard(cells.get(column, "")) for column, _kind in LABELS]


def told_again(study: Study, imported: Imported) -> list[int]:
    """The acts of imports whose voices stand aside."""
    with_voices = select(ImportRow.import_id).where(
        ImportRow.import_id.in_(imported.ids), ImportRow.place.startswith(VOICES)
    )
    acts = select(Import.act_id).where(Import.id.in_(with_voices.distinct()), Import.act_id.is_not(None))
    return [each for each in study.session.scalars(acts) if each is not None] if imported.ids else []
