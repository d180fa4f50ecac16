"""A project with drawn photos and an annotator at its label page: seeded rows, no worker."""

from __future__ import annotations

import datetime as dt
import io
import random

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import func, select

from app.security.sessions import COOKIE
from models.act import Act
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.image import CountCorrection, Image
from models.label import Label
from models.membership import Role
from models.predictions import write_part
from models.project import Project
from models.sequence import regroup
from models.species import TAXON, Species
from models.storage import Store
from tests import make
from tests.conftest import Site

PHOTO = (640, 480)


class Desk:
    """A signed-in annotator on the label page of a new project."""

    def __init__(self, site: Site, page: Page, context: BrowserContext, crops: int, names: tuple[str, ...]) -> None:
        """crops: how many photos with one box each the round asks about. names: the species list."""
        self.site, self.page = site, page
        with site.database.writing() as session:
            who = make.user(session)
            project = make.project(session, (who, Role.annotator))
            make.species(session, project, *names)
            batch = make.batch(session, project)
            self.boxes = [drawn(session, site.store, batch, number) for number in range(crops)]
            make.round_of(session, project, [session.get_one(Box, box_id) for box_id in self.boxes])
            self.project_id, token = project.id, make.token(session, who)
        sign_in(context, site, token)
        self.address = f"{site.address}/projects/{project.id}/label"

    def guess(self, *shares: float) -> None:
        """A classifier that says the same about every crop: one share a species, in the order of the list."""
        with self.site.database.writing() as session:
            project = session.get_one(Project, self.project_id)
            classes = [each.id for each in Species.open_in(session, project.id) if each.kind == TAXON]
            learnt = Checkpoint(
                project_id=project.id, kind=CLASSIFIER, name="fake", sha256="0" * 64, parent_id=project.embedder_id,
                label_count=2700, classes=classes,
            )  # fmt: skip
            session.add(learnt)
            session.flush()
            project.classifier_id = learnt.id
            folder = self.site.store.predictions(f"job-{learnt.id}")
            rows = np.array([shares] * len(self.boxes))
            write_part(self.site.store, folder, "all", np.array(self.boxes), rows, classes)
            learnt.predictions = self.site.store.relative(folder)

    def in_bursts(self, *sizes: int) -> Desk:
        """The photos in bursts of so many, a quarter of an hour apart."""
        times = [number for number, size in enumerate(sizes) for _ in range(size)]
        with self.site.database.writing() as session:
            for box_id, number in zip(self.boxes, times, strict=True):
                photo = session.get_one(Image, session.get_one(Box, box_id).image_id)
                photo.captured_at = photo.taken_at = dt.datetime(2026, 3, 1, 6, 15 * number, 0)
            regroup(session, photo.deployment_id, 60)
        return self

    def open(self) -> Desk:
        """Go there and wait for the first crop."""
        self.page.goto(self.address)
        self.ready(self.boxes[0])
        return self

    def ready(self, box_id: int) -> None:
        """The crop is on the screen."""
        stage = self.page.locator(".stage")
        expect(stage).to_have_attribute("data-box-id", str(box_id))
        expect(stage).to_have_attribute("data-state", "ready")

    def press(self, keys: str, first: int) -> None:
        """Answer crop after crop, each once it is shown. first: the place of the first one."""
        for place, key in enumerate(keys, start=first):
            self.ready(self.boxes[place])
            self.page.keyboard.press(key)

    def saved(self) -> None:
        """Everything is on the server."""
        expect(self.page.locator(".saved")).to_have_attribute("data-waiting", "0")
        expect(self.page.locator(".saved")).to_have_text("Saved")

    def names(self) -> list[str | None]:
        """What each box is called now."""
        wanted = select(Box.id, Species.name).outerjoin(Species, Species.id == Box.settled_species_id)
        with self.site.database.reading() as session:
            named = dict(session.execute(wanted.where(Box.project_id == self.project_id)).all())
        return [named[box_id] for box_id in self.boxes]

    def counts(self) -> list[tuple[str | None, int]]:
        """What was counted by hand and stands, oldest first."""
        here = select(Image.id).where(Image.project_id == self.project_id)
        with self.site.database.reading() as session:
            names = dict(session.execute(select(Species.id, Species.name)).all())
            rows = session.execute(CountCorrection.standing(CountCorrection.image_id.in_(here)))
            return [(names.get(species_id), number) for _image, species_id, number in rows]

    def count(self, table: type[Label] | type[Act]) -> int:
        """Rows of this project."""
        with self.site.database.reading() as session:
            return session.scalar(select(func.count()).where(table.project_id == self.project_id)) or 0


def drawn(session: make.Session, store: Store, batch: make.Batch, number: int) -> int:
    """A photo with an animal in a box, and its pictures in the store; the box's id."""
    place = {"x_min": 0.2, "y_min": 0.3, "x_max": 0.5, "y_max": 0.6}
    photo = make.image(session, batch, f"Camera A/IMG_{number:04}.JPG", width_px=PHOTO[0], height_px=PHOTO[1])
    box: int = make.box(session, photo, 0.95 - number / 1000, **place).id
    shades = random.Random(number)
    picture = Picture.new("RGB", PHOTO, (40, 60, 40))
    ImageDraw.Draw(picture).ellipse([128, 144, 320, 288], fill=(shades.randrange(100, 250), 120, 90))
    with io.BytesIO() as file:
        picture.save(file, "JPEG")
        for path in (store.preview(photo.sha256), store.thumbnail(photo.sha256), store.crop(photo.sha256, box)):
            store.write_cheaply(path, file.getvalue())
    return box


def sign_in(context: BrowserContext, site: Site, token: str) -> None:
    """Put a sign-in of make.token() into the profile, without the form."""
    context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": token,
                "url": site.address.replace("http://", "https://"),
                "secure": True,
                "httpOnly": True,
            }
        ]
    )
