"""waterhole_labels: every voice that was ever given, so that a package loses nothing of who said what (FORMATS 8)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from app.cells import guard
from app.exports.clocks import utc
from app.exports.study import Study
from models.box import Box
from models.image import COUNTING, Image
from models.label import Label
from models.user import User

# column -> its type in a data package
LABELS = (
    ("labelID", "integer"), ("boxID", "integer"), ("imageID", "integer"), ("filePath", "string"), ("who", "string"),
    ("role", "string"), ("kind", "string"), ("name", "string"), ("scientificName", "string"), ("certain", "boolean"),
    ("sex", "string"), ("lifeStage", "string"), ("behavior", "string"), ("takesBack", "integer"), ("settles", "boolean"),
    ("at", "datetime"),
)  # fmt: skip
CHUNK = 2000


def label_lines(study: Study) -> Iterator[list[str]]:
    """The cells of each label, oldest first."""
    wanted = (
        select(Label, Box.image_id, Box.settled_label_id, Box.settled_species_id, Image.path, User.name)
        .join(Box, Box.id == Label.box_id)
        .join(Image, Image.id == Box.image_id)
        .join(User, User.id == Label.user_id)
        .where(Label.project_id == study.project.id, Image.state.in_(COUNTING))
        .order_by(Label.id)
        .limit(CHUNK)
    )
    rows = study.session.execute(wanted).all()
    while rows:
        for label, image_id, settled_id, settled_species, path, who in rows:
            if label.species_id in study.extreme or settled_species in study.extreme:
                continue
            taxon = study.taxa.get(label.species_id or 0)
            yield [
                str(label.id), str(label.box_id), str(image_id), guard(path), guard(who), label.role, label.kind,
                guard(taxon.species.name) if taxon else "", guard(taxon.species.scientific_name) if taxon else "",
                "true" if label.certain else "false", label.sex, label.life_stage, guard(label.behaviour),
                "" if label.takes_back_id is None else str(label.takes_back_id),
                "true" if settled_id == label.id else "false", utc(label.created_at),
            ]  # fmt: skip
        last = rows[-1][0].id
        rows = study.session.execute(wanted.where(Label.id > last)).all()
