"""A project that people have worked on, as a study whose answers are known: "what if we had used margin?"

Only what was named can be asked again, so a strategy's picks come from what another one chose before; the study says so.
Nothing is written, and a worker may go on beside it.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.box import Box
from models.database import Database
from models.errors import Invalid
from models.image import Image
from models.label import newest_label_id, snapshot
from models.project import Project
from models.species import Species
from models.storage import Store
from models.words import say
from worker.jobs.bench import Bench
from worker.jobs.networks import Networks
from worker.jobs.placing import find_placed, gathered
from worker.jobs.scene import told_names
from worker.simulation.studies import Draw, Study, held_out


def finished_study(database: Database, store: Store, project_id: int, draw: Draw) -> Study:
    """Every named crop of the project with its vector under the embedder in use. Raises Invalid where there are too few."""
    bench = Bench("simulate", database, store, Networks(store))
    with database.reading() as session:
        project = session.get_one(Project, project_id)
        said = snapshot(session, project_id, newest_label_id(session, project_id))
        names = told_names(session, project_id, said)
        species = dict(session.execute(select(Species.id, Species.name).where(Species.project_id == project_id)).all())
        name, embedder_id = project.name, project.embedder_id
        places = places_of(session, project_id)
    if embedder_id is None or len(set(names.values())) < 2:
        raise Invalid(f"{name}: " + say("fewer than two species were named so far; nothing can be simulated."))
    found, vectors = gathered(bench, find_placed(bench, project_id, embedder_id, Box.settled_species_id.is_not(None)))
    mine = np.array([box_id in names for box_id in found.box_ids.tolist()], bool)
    ids, vectors = found.box_ids[mine], vectors[mine]
    kinds, labels = np.unique([names[box_id] for box_id in ids.tolist()], return_inverse=True)
    where = np.array([places[box_id] for box_id in ids.tolist()], np.int64).reshape(len(ids), 2)
    measured = np.zeros(len(ids), bool)
    measured[held_out(labels, where[:, 0], where[:, 1], draw.test_share, np.random.default_rng(draw.seed))] = True
    order = np.argsort(measured, kind="stable")  # those that may be asked about come first
    pool = len(ids) - int(measured.sum())
    if not 0 < pool < len(ids):
        raise Invalid(
            f"{name}: "
            + say("%(count)s named crops are too few to ask about some and to measure on others.", count=len(ids))
        )
    return Study(
        name, tuple(species[kind] for kind in kinds.tolist()), labels[order].astype(np.int64), where[order, 0],
        where[order, 1], pool, vectors=vectors[order],
        said=(f"{len(ids):,} named crops of {name}: they were chosen by the project's own strategy, not at random",),
    )  # fmt: skip


def places_of(session: Session, project_id: int) -> dict[int, tuple[int, int]]:
    """Box id -> (deployment, sequence) of the boxes with a name; a photo without a sequence is its own."""
    rows = session.execute(
        select(Box.id, Image.deployment_id, Image.sequence_id, Image.id)
        .join(Image, Image.id == Box.image_id)
        .where(Box.project_id == project_id, Box.settled_species_id.is_not(None))
    )
    return {box_id: (deployment, sequence or -image_id) for box_id, deployment, sequence, image_id in rows}
