"""Names that an import gave to photos as a whole, where no box of theirs carries them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from app.exports.study import Study
from models.image import ABSENT, Image
from models.imported import ImportedName


@dataclass(frozen=True, slots=True)
class WholeName:
    """kind: of a species. p: of a machine."""

    kind: str
    species_id: int
    count: int | None
    by_machine: bool
    who: str
    p: float | None


def whole_names(study: Study) -> dict[int, list[WholeName]]:
    """Photo id -> what an import says of it, of photos whose file is not here: there is no box that could be named instead."""
    rows = study.session.execute(
        select(
            ImportedName.image_id, ImportedName.species_id, ImportedName.count, ImportedName.by_machine, ImportedName.who,
            ImportedName.p, ImportedName.checkpoint_id,
        )
        .join(Image, Image.id == ImportedName.image_id)
        .where(
            ImportedName.project_id == study.project.id, ImportedName.box_id.is_(None), ImportedName.rank == 1,
            ImportedName.species_id.is_not(None), Image.state == ABSENT,
        )
        .order_by(ImportedName.id)
    )  # fmt: skip
    found: dict[int, list[WholeName]] = defaultdict(list)
    for row in rows:
        if row.species_id in study.extreme or row.species_id not in study.taxa:
            continue
        who = row.who or study.naming.checkpoint(row.checkpoint_id)
        kind = study.taxa[row.species_id].species.kind
        found[row.image_id].append(WholeName(kind, row.species_id, row[2], row.by_machine, who, row.p))
    return dict(found)
