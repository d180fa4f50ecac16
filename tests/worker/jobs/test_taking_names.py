"""Names from foreign files: voices like any, never over a person's answer; they seed the classifier; the official example."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.exports.files import write_all
from app.imports.staging import bring, judge_rest
from models.batch import Batch
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.deployment import Deployment
from models.image import ABSENT, READY, CountCorrection, Image
from models.imported import TAKEN, UNDONE, Import, ImportedName, ImportRow
from models.invariants import examine
from models.label import Label
from models.note import Note
from models.project import Project
from models.round import ask_learn
from models.site import Site
from models.species import Species
from tests import fakes
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, say
from tests.worker.jobs.test_taking import PHOTOS, SIZE, hold, imported, look, share, state, take


def coco(annotations: list[dict[str, Any]], *, names: tuple[str, ...] = tuple(fakes.COLOURS)) -> bytes:
    """Photos and what people say of them; image_id is the path."""
    paths = list(dict.fromkeys(each["image_id"] for each in annotations))
    return json.dumps(
        {
            "images": [{"id": path, "file_name": path, "width": SIZE[0], "height": SIZE[1]} for path in paths],
            "categories": [
                {"id": 0, "name": "empty"},
                *({"id": n, "name": name} for n, name in enumerate(names, start=1)),
            ],
            "annotations": [{"id": number, **each} for number, each in enumerate(annotations)],
        }
    ).encode()


def about(path: str, name: str, corners: tuple[int, int, int, int] | None = None, **more: Any) -> dict[str, Any]:
    box = {"bbox_relative": share(corners)} if corners else {}
    category = 0 if name == "empty" else list(fakes.COLOURS).index(name) + 1
    return {"image_id": path, "category_id": category} | box | more


def names(scene: Scene) -> dict[int, str]:
    """Box -> settled name."""
    with scene.database.reading() as session:
        rows = select(Box.id, Species.name).join(Species, Species.id == Box.settled_species_id)
        return dict(session.execute(rows.where(Box.project_id == scene.project_id)).all())


def test_imported_names_teach_the_classifier(scene: Scene) -> None:
    colours = list(fakes.COLOURS)
    photos = {f"A/{n}.jpg": fakes.photo([(colours[n % 4], LEFT)], noise=n) for n in range(32)}
    hold(scene, photos)
    file = coco([about(f"A/{n}.jpg", colours[n % 4], LEFT) for n in range(24)])
    import_id = imported(scene, file)
    assert look(scene, import_id).counts["names"] == 24
    take(scene, import_id)
    assert scene.count(Label) == 24
    assert {scene.colour(box): names(scene)[box.id] for box in scene.all(select(Box))} == {
        each: each for each in colours
    }
    with scene.database.writing() as session:
        ask_learn(session, session.get_one(Project, scene.project_id), "test")
    scene.run_all()
    learnt = scene.all(
        select(Checkpoint).where(Checkpoint.kind == CLASSIFIER, Checkpoint.project_id == scene.project_id)
    )
    assert learnt and learnt[-1].label_count == 24
    label = scene.all(select(Label).limit(1))[0]
    assert (label.role, label.user_id) == ("annotator", scene.user_id)


def test_a_persons_answer_stays_and_the_files_name_is_kept_beside(scene: Scene) -> None:
    scene.bring({"A/1.jpg": fakes.photo([("fox", LEFT)], noise=1), "A/2.jpg": fakes.photo([("hare", LEFT)], noise=2)})
    scene.run_all()
    first, second = scene.all(select(Box).order_by(Box.id))
    with scene.database.writing() as session:
        say(session, scene, session.get_one(Box, first.id), "fox")
    import_id = imported(scene, coco([about("A/1.jpg", "boar", LEFT), about("A/2.jpg", "hare", LEFT)]))
    counts = look(scene, import_id).counts
    assert (counts["names"], counts["names_beside"], counts["boxes_new"]) == (1, 1, 0)
    take(scene, import_id)
    assert names(scene) == {first.id: "fox", second.id: "hare"}
    (beside,) = scene.all(select(ImportedName))
    assert (beside.name, beside.box_id, beside.by_machine) == ("boar", first.id, False)
    with scene.database.writing() as session:  # a person who answers afterwards outweighs the file
        say(session, scene, session.get_one(Box, second.id), "crane")
    assert names(scene)[second.id] == "crane"


def test_a_name_for_a_whole_photo(scene: Scene) -> None:
    scene.bring(
        {
            "A/one.jpg": fakes.photo([("fox", LEFT)], noise=1),
            "A/two.jpg": fakes.photo([("fox", LEFT), ("hare", RIGHT)], noise=2),
            "A/none.jpg": fakes.photo([], noise=3),
            "A/full.jpg": fakes.photo([("boar", LEFT)], noise=4),
        }
    )
    scene.run_all()
    file = coco(
        [
            about("A/one.jpg", "fox", count=3), about("A/two.jpg", "hare"), about("A/none.jpg", "crane", count=2),
            about("A/full.jpg", "empty"),
        ]
    )  # fmt: skip
    import_id = imported(scene, file)
    counts = look(scene, import_id).counts
    assert (counts["names"], counts["counts"], counts["looks"]) == (1, 2, 2)
    take(scene, import_id)
    with scene.database.reading() as session:
        paths = dict(session.execute(select(Image.id, Image.path)).all())
        species = dict(session.execute(select(Species.id, Species.name)).all())
        standing = session.execute(CountCorrection.standing()).all()
        said = {(paths[image_id], species[species_id], count) for image_id, species_id, count in standing if species_id}
        assert said == {("A/one.jpg", "fox", 3), ("A/none.jpg", "crane", 2)}
        flagged = session.scalars(
            select(Image.path).join(Box, Box.image_id == Image.id).join(Note, Note.box_id == Box.id)
        )
        assert set(flagged) == {"A/two.jpg", "A/full.jpg"}


def test_names_of_photos_that_wait_are_taken_once_they_were_looked_through(scene: Scene) -> None:
    batch_id = hold(scene, PHOTOS)
    import_id = imported(scene, coco([about("A/2.jpg", "boar")]))
    assert look(scene, import_id).counts["rows"]["later"] == 1
    take(scene, import_id)
    with scene.database.writing() as session:
        session.get_one(Batch, batch_id).finish(session, session.get_one(Project, scene.project_id))
    scene.run_all()
    assert scene.count(Label) == 0
    judge_rest(scene.database, scene.project_id, import_id)
    scene.run_all()
    assert look(scene, import_id).state == TAKEN
    assert list(names(scene).values()) == ["boar"]


def test_the_official_camtrap_dp_example(scene: Scene, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "camera-trap" / "camtrap-dp-example"
    scene.bring({f"media/{path.name}": path.read_bytes() for path in sorted((folder / "media").iterdir())})
    scene.run_all()
    tables = ("datapackage.json", "deployments.csv", "media.csv", "observations.csv")
    files = {name: io.BytesIO((folder / name).read_bytes()) for name in tables}
    import_id = bring(scene.database, scene.store, scene.project_id, scene.user_id, files)  # type: ignore[arg-type]
    dry = look(scene, import_id).counts
    assert (dry["photos_here"], dry["photos_absent"], dry["deployments_new"]) == (10, 413, 4)
    assert dry["rows"].get("bad", 0) == 0
    assert dry["rows"]["aside"] == 36 + 3  # events, and three EXIF cells that are no JSON
    assert scene.count(Image) == 10
    taken = take(scene, import_id)
    assert taken.state == TAKEN
    assert examine(scene.database, scene.store) == []
    states = list(state(scene).values())
    assert (states.count(READY), states.count(ABSENT)) == (10, 413)
    assert scene.count(Deployment, Deployment.latitude.is_not(None)) == 4
    assert scene.count(Site) == 4
    with scene.database.reading() as session:
        of = (
            select(Deployment.name, func.count())
            .join(Image, Image.deployment_id == Deployment.id)
            .group_by(Deployment.name)
        )
        media = dict(session.execute(of).all())
        assert sum(media.values()) == 423 and "media" not in media
        rows = select(func.count()).where(ImportRow.import_id == import_id, ImportRow.kind == "sighting")
        assert session.scalar(rows.where(ImportRow.place.like("observations%"))) == 549
        rank = session.scalars(select(Species.rank).where(Species.scientific_name == "Aves")).one()
        assert rank == "class"
    written = write_all(scene.database, scene.store, scene.project_id, tmp_path / "out")
    assert any(rows >= 423 for rows in written.values())
    assert scene.count(ImportedName, ImportedName.by_machine) == 20
    with scene.database.writing() as session:
        Import.of(session, scene.project_id, import_id).take_back(session)
    scene.run_all()
    assert look(scene, import_id).state == UNDONE
    assert scene.count(Image) == 10
    assert scene.count(CountCorrection) == 0
    assert examine(scene.database, scene.store) == []
