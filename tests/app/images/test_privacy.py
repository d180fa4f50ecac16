"""People on photos: blurred on every route and for every role, sharp only for those with the right who opened it: recorded."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture
from sqlalchemy import select, update

from models.audit import AuditEntry
from models.base import utc_now
from models.box import Box
from models.checkpoint import DETECTOR, Checkpoint
from models.image import Image
from models.job import Job
from models.membership import Membership, Role
from models.privacy import Opening
from models.project import Project
from models.species import Species
from tests import make
from tests.app.test_every_route import every_route
from tests.conftest import Site
from tests.test_architecture import ROOT
from worker.images.crops import crop, to_jpeg
from worker.images.thumbnails import thumbnail_and_preview
from worker.jobs.bench import Bench
from worker.jobs.blurring import blur_photos

PERSON = {"x_min": 0.5, "y_min": 0.25, "x_max": 0.7, "y_max": 0.75}
ANIMAL = {"x_min": 0.05, "y_min": 0.1, "x_max": 0.3, "y_max": 0.6}
SIZE = (640, 480)
DAY = "private, max-age=86400, immutable"


@dataclass
class Street:
    """A project with one photo: an animal to the left, and to the right somebody walks."""

    site: Site
    project_id: int
    image_id: int
    animal_id: int
    walker_id: int

    @property
    def routes(self) -> list[str]:
        """Every address that shows the walker."""
        return [
            f"/images/{self.image_id}/thumbnail.jpg", f"/images/{self.image_id}/preview.jpg",
            f"/boxes/{self.walker_id}/crop.jpg",
        ]  # fmt: skip

    def member(self, role: Role) -> str:
        """The token of a new member."""
        with self.site.database.writing() as session:
            who = make.user(session)
            Membership.grant(session, self.project_id, who.id, role)
            return make.token(session, who)

    def call(self, kind: str | None) -> None:
        """Settle what the walker is called."""
        with self.site.database.writing() as session:
            box = session.get_one(Box, self.walker_id)
            box.settled_species_id = Species.of_kind(session, self.project_id, kind).id if kind else None

    def blur(self) -> int:
        """What the worker does."""
        bench = Bench("test", self.site.database, self.site.store, networks=None)
        return blur_photos(bench, self.project_id)

    def set(self, **columns: object) -> None:
        """Change the project's settings."""
        with self.site.database.writing() as session:
            session.execute(update(Project).where(Project.id == self.project_id).values(**columns))

    def jobs(self) -> list[str]:
        """What the worker was asked here."""
        with self.site.database.reading() as session:
            return list(session.scalars(select(Job.kind).where(Job.project_id == self.project_id)))


def street(site: Site) -> Street:
    with site.database.writing() as session:
        project = make.project(session)
        image = make.image(session, make.batch(session, project), width_px=SIZE[0], height_px=SIZE[1])
        animal, walker = make.box(session, image, **ANIMAL), make.box(session, image, **PERSON)
        made = Street(site, project.id, image.id, animal.id, walker.id)
        sha256 = image.sha256
    photo = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    small, large = thumbnail_and_preview(photo)
    site.store.write_cheaply(site.store.thumbnail(sha256), small)
    site.store.write_cheaply(site.store.preview(sha256), large)
    for box_id, place in ((made.animal_id, ANIMAL), (made.walker_id, PERSON)):
        site.store.write_cheaply(site.store.crop(sha256, box_id), to_jpeg(crop(photo, list(place.values()))))
    return made


def pixels(content: bytes) -> NDArray[np.float64]:
    """(h, w, 3), 0 to 255."""
    return np.asarray(Picture.open(io.BytesIO(content)).convert("RGB"), np.float64)


def part(picture: NDArray[np.float64], place: dict[str, float], margin: float = 0.0) -> NDArray[np.float64]:
    """The pixels of a box, widened."""
    height, width = picture.shape[:2]
    dx, dy = margin * (place["x_max"] - place["x_min"]), margin * (place["y_max"] - place["y_min"])
    rows = slice(int((place["y_min"] - dy) * height), int((place["y_max"] + dy) * height))
    return picture[rows, int((place["x_min"] - dx) * width) : int((place["x_max"] + dx) * width)]


def detail(picture: NDArray[np.float64]) -> float:
    """How much neighbouring pixels differ: about 85 in noise, 0 on a plain wall."""
    return float(np.abs(np.diff(picture, axis=1)).mean())


@pytest.mark.parametrize("role", list(Role))
def test_on_every_route_and_for_every_role_a_person_is_blurred_and_the_rest_is_as_it_was(
    site: Site, role: Role
) -> None:
    place = street(site)
    with site.client(place.member(role)) as client:
        sharp = {address: client.get(address) for address in place.routes}
        assert {answer.headers["cache-control"] for answer in sharp.values()} == {DAY}
        place.call("person")
        assert place.blur() == 1
        for address, before in sharp.items():
            answer = client.get(address)
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["cache-control"] == "no-store"
            was, now = pixels(before.content), pixels(answer.content)
            assert was.shape == now.shape
            if "crop" in address:
                assert detail(was) > 5 * detail(now)
                continue
            assert detail(part(was, PERSON)) > 20 > 5 > detail(part(now, PERSON, 0.1)), address
            assert np.abs(part(was, PERSON) - part(now, PERSON)).mean() > 20, address
            assert np.abs(part(was, ANIMAL) - part(now, ANIMAL)).mean() < 8, address
        other = client.get(f"/boxes/{place.animal_id}/crop.jpg")
        assert detail(pixels(other.content)) > 20, "the animal beside the person is still to be named"
        place.call("vehicle")
        for address, before in sharp.items():
            again = client.get(address)
            assert again.content == before.content, "the answer was taken back"
            assert again.headers["cache-control"] == DAY


def test_these_are_all_routes_that_serve_pictures(sqlite_site: Site, sqlite_url: str, tmp_path: Path) -> None:
    place = street(sqlite_site)
    paths = {path for _method, path in every_route(sqlite_url, tmp_path)}
    pictures = {path for path in paths if path.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif"))}
    shapes = {path.replace("{image_id:int}", "1").replace("{box_id:int}", "1") for path in pictures}
    assert shapes == {re.sub(r"\d+", "1", address) for address in place.routes}
    code = {path: path.read_text() for path in (ROOT / "app").rglob("*.py")}
    reads = {path: re.findall(r"store\.(?:thumbnail|preview|crop|original)\(", text) for path, text in code.items()}
    # the export of crops, whose own test looks for people on them (tests/app/exports/test_tools.py)
    exported = reads.pop(ROOT / "app" / "exports" / "crops.py")
    assert len(exported) == 1
    readers = [each for found in reads.values() for each in found]
    # each once for the pages and once for the API, whose tests look at the veil too
    assert len(readers) == 2 * len(pictures), "another route reads the store's pictures: let it ask for the veil too"


def test_until_the_worker_has_blurred_a_picture_a_grey_one_is_sent_and_the_worker_is_asked_once(site: Site) -> None:
    place = street(site)
    place.call("person")
    with site.client(place.member(Role.admin)) as client:
        for address in [*place.routes, f"/boxes/{place.animal_id}/crop.jpg"]:
            answer = client.get(address)
            assert answer.headers["content-type"].startswith("image/svg+xml")
            assert answer.headers["cache-control"] == "no-store"
            assert b"<image" not in answer.content
        assert 'width="640" height="480"' in client.get(place.routes[1]).text
        assert place.jobs() == ["blur"]
        place.blur()
        assert client.get(place.routes[0]).headers["content-type"] == "image/jpeg"


def test_a_detectors_person_is_blurred_without_any_answer_and_another_box_makes_other_pictures(
    sqlite_site: Site,
) -> None:
    place = street(sqlite_site)
    with sqlite_site.client(place.member(Role.viewer)) as client:
        with sqlite_site.database.writing() as session:
            session.get_one(Box, place.walker_id).kind = "person"
        place.blur()
        first = client.get(place.routes[1]).content
        assert detail(part(pixels(first), PERSON)) < 5 < 20 < detail(part(pixels(first), ANIMAL))
        with sqlite_site.database.writing() as session:
            make.box(session, session.get_one(Image, place.image_id), score=0.06, kind="person", **ANIMAL)
        assert client.get(place.routes[1]).headers["content-type"].startswith("image/svg"), (
            "the old picture is not enough"
        )
        assert (place.blur(), place.blur()) == (1, 0)
        assert detail(part(pixels(client.get(place.routes[1]).content), ANIMAL)) < 5
        kept = sqlite_site.store.blurred_ones(place.project_id, sha_of(place))
        assert len(list(kept.iterdir())) == 1, "where people were before is kept no longer"


def sha_of(place: Street) -> str:
    with place.site.database.reading() as session:
        return session.get_one(Image, place.image_id).sha256


def test_a_picture_that_cannot_be_opened_any_more_is_grey_and_is_not_asked_for_again(sqlite_site: Site) -> None:
    place = street(sqlite_site)
    place.call("person")
    sqlite_site.store.write_cheaply(sqlite_site.store.preview(sha_of(place)), b"\xff\xd8\xff broken")
    place.blur()
    with sqlite_site.client(place.member(Role.viewer)) as client:
        assert np.ptp(pixels(client.get(place.routes[1]).content)) < 4
    assert (place.jobs(), place.blur()) == ([], 0)


def opened(place: Street, client: object, **fields: object) -> object:
    return client.post(f"/images/{place.image_id}/open", data={"box": place.walker_id, "at": "label"} | fields)


@pytest.mark.parametrize(
    ("least", "may"),
    [
        ("admin", {Role.admin}),
        ("expert", {Role.admin, Role.expert}),
        ("annotator", {Role.admin, Role.expert, Role.annotator}),
    ],
)
def test_who_may_open_is_the_projects_choice(site: Site, least: str, may: set[Role]) -> None:
    place = street(site)
    place.call("person")
    place.blur()
    place.set(opened_by=least)
    for role in Role:
        with site.client(place.member(role)) as client:
            assert client.post(f"/images/{place.image_id}/open").status_code == (200 if role in may else 403), role
    with site.database.reading() as session:
        assert len(session.scalars(select(Opening)).all()) == len(may)


def test_opening_shows_one_photo_to_one_person_for_ten_minutes_and_is_recorded(site: Site) -> None:
    place = street(site)
    with site.client(place.member(Role.expert)) as client, site.client(place.member(Role.admin)) as other:
        sharp = {address: client.get(address).content for address in place.routes}
        place.call("person")
        place.blur()
        blurred = {address: client.get(address).content for address in place.routes}
        opening = client.post(f"/images/{place.image_id}/open").json()
        assert client.post(f"/images/{place.image_id}/open").json() == opening, "a second click is the same opening"
        for address in place.routes:
            assert client.get(address).content == blurred[address], (
                "at first paint also those with the right see nothing"
            )
            answer = client.get(f"{address}?open={opening['id']}")
            assert answer.content == sharp[address]
            assert answer.headers["cache-control"] == "no-store"
            for wrong in (
                other.get(f"{address}?open={opening['id']}"),
                client.get(f"{address}?open={opening['id'] + 1}"),
            ):
                assert wrong.content == blurred[address]
            for nonsense in ("x", "-1", "9" * 30, "1e3"):
                assert client.get(f"{address}?open={nonsense}").content == blurred[address]
        with site.database.reading() as session:
            entry = session.scalars(select(AuditEntry).where(AuditEntry.project_id == place.project_id)).one()
            row = session.scalars(select(Opening)).one()
            assert (entry.act, entry.user_id, entry.details["image"]) == ("photo.opened", row.user_id, place.image_id)
            assert row.ends_at - row.opened_at == dt.timedelta(minutes=10)
        with site.database.writing() as session:
            session.execute(update(Membership).where(Membership.user_id == row.user_id).values(role="annotator"))
        assert client.get(f"{place.routes[0]}?open={opening['id']}").content == blurred[place.routes[0]], (
            "no right any more"
        )
        with site.database.writing() as session:
            session.execute(update(Membership).where(Membership.user_id == row.user_id).values(role="expert"))
            session.execute(update(Opening).values(ends_at=utc_now() - dt.timedelta(seconds=1)))
        assert client.get(f"{place.routes[0]}?open={opening['id']}").content == blurred[place.routes[0]], (
            "its time is over"
        )


def test_where_nothing_is_blurred_there_is_nothing_to_open_or_to_record(site: Site) -> None:
    place = street(site)
    with site.client(place.member(Role.admin)) as client:
        assert client.post(f"/images/{place.image_id}/open").json() == {}
        client.headers["accept"] = "text/html"
        there = opened(place, client).headers["location"]
        assert there == f"/projects/{place.project_id}/label?box={place.walker_id}"
    with site.database.reading() as session:
        assert session.scalars(select(Opening)).all() == []
        assert session.scalars(select(AuditEntry)).all() == []


def test_strangers_cannot_open_and_learn_nothing(site: Site) -> None:
    place = street(site)
    with site.database.writing() as session:
        stranger = make.token(session, make.user(session, is_admin=True))
    with site.client(stranger) as client, site.client() as nobody:
        for image_id in (place.image_id, 99999, 0, 1 << 40):
            assert client.post(f"/images/{image_id}/open").status_code == 404
        assert nobody.post(f"/images/{place.image_id}/open").status_code == 401
        assert opened(place, client, at="elsewhere").status_code == 422


def test_the_form_leads_back_to_the_crop_and_shows_it(site: Site) -> None:
    place = street(site)
    place.call("person")
    place.blur()
    with site.client(place.member(Role.expert), accept="text/html") as client:
        label = client.get(f"/projects/{place.project_id}/label?box={place.walker_id}").text
        assert "A person. Blurred for you." in label
        assert "Show (this is recorded)" in label
        for at in ("label", "review"):
            there = opened(place, client, at=at).headers["location"]
            assert there.startswith(f"/projects/{place.project_id}/{at}?box={place.walker_id}&open=")
            shown = client.get(there).text
            assert f"/images/{place.image_id}/preview.jpg?open=" in shown
            assert "Shown to you. This was recorded." in shown
            assert f"/boxes/{place.walker_id}/crop.jpg?open=" in shown or at == "label"
    with site.client(place.member(Role.annotator), accept="text/html") as client:
        assert (
            "Show (this is recorded)"
            not in client.get(f"/projects/{place.project_id}/label?box={place.walker_id}").text
        )
        elsewhere = client.get(
            f"/projects/{place.project_id}/label?box={place.walker_id}&open={there.partition('open=')[2]}"
        ).text
        assert "?open=" not in elsewhere, "somebody else's opening"


def test_an_answer_blurs_and_undo_unblurs_and_the_addresses_follow(site: Site) -> None:
    place = street(site)
    with site.client(place.member(Role.annotator)) as client:

        def said(species: str, key: str) -> dict[str, object]:
            body = {"species": species, "idempotency_key": key}
            return client.post(f"/boxes/{place.walker_id}/labels", json=body).json()

        plain = said("Vehicle", "key-vehicle")
        assert plain["photos"] == [
            {
                "id": place.image_id,
                "preview": place.routes[1],
                "thumbnail": place.routes[0],
                "veil": "",
                "query": "",
                "open_s": 0,
            }
        ]
        told = said("Person", "key-person")
        (photo,) = told["photos"]
        assert photo["veil"] == "person"
        assert photo["preview"].startswith(f"{place.routes[1]}?blur=")
        assert str(told["picture"]).startswith(f"/boxes/{place.walker_id}/crop.jpg?blur=")
        assert client.get(place.routes[1]).headers["cache-control"] == "no-store", "also under the plain address"
        back = client.post(f"/projects/{place.project_id}/undo", json={"idempotency_key": "key-undo-it"}).json()
        assert (back["photos"], back["picture"]) == (plain["photos"], plain["picture"])
        assert client.get(place.routes[1]).headers["cache-control"] == DAY


def test_whole_photos_are_hidden_until_somebody_with_the_right_has_looked(site: Site) -> None:
    place = street(site)
    with site.database.writing() as session:
        blind = Checkpoint.known(session, DETECTOR, "blind", "1" * 64, {"classes": ["animal"]})
        session.get_one(Image, place.image_id).detector_id = blind.id
        knowing = Checkpoint.known(session, DETECTOR, "knowing", "2" * 64, {"classes": ["animal", "Person"]}).id
        recorded = Checkpoint.known(session, DETECTOR, "md", "3" * 64, {"source": "megadetector-json"}).id
    place.set(hides_unseen=True)

    def is_hidden() -> bool:
        answers = [expert.get(address) for address in place.routes]
        hidden = {answer.headers["content-type"].startswith("image/svg") for answer in answers}
        assert hidden == {answers[0].headers["cache-control"] == "no-store"}
        return hidden == {True}

    def say(client: object, key: str) -> None:
        client.post(f"/boxes/{place.animal_id}/labels", json={"species": "Vehicle", "idempotency_key": key})

    with site.client(place.member(Role.expert)) as expert, site.client(place.member(Role.annotator)) as annotator:
        assert is_hidden()
        opening = expert.post(f"/images/{place.image_id}/open").json()["id"]
        assert expert.get(f"{place.routes[1]}?open={opening}").headers["content-type"] == "image/jpeg"
        say(annotator, "key-annotator")
        assert is_hidden(), "who may not look has not looked"
        say(expert, "key-of-expert")
        assert not is_hidden()
        expert.post(f"/projects/{place.project_id}/undo", json={"idempotency_key": "key-undo-it"})
        assert is_hidden()
        for detector_id in (knowing, recorded):
            with site.database.writing() as session:
                session.get_one(Image, place.image_id).detector_id = detector_id
            assert not is_hidden(), "this detector knows people"
        assert place.jobs() == []


def test_the_history_tells_administrators_alone_who_opened_what(site: Site) -> None:
    place = street(site)
    place.call("person")
    with site.client(place.member(Role.expert), accept="text/html") as expert:
        opened(place, expert)
        for role in Role:
            with site.client(place.member(role), accept="text/html") as client:
                page = client.get(f"/projects/{place.project_id}/settings").text
                assert ("Opened a photo with people" in page) == (role is Role.admin), role


def test_the_settings_and_the_batch_page_say_what_holds(site: Site) -> None:
    place = street(site)
    with site.database.writing() as session:
        batch_id = session.get_one(Image, place.image_id).batch_id
        version = session.get_one(Project, place.project_id).version
        blind = Checkpoint.known(session, DETECTOR, "blind", "1" * 64, {"classes": ["animal"]})
        session.get_one(Image, place.image_id).detector_id = blind.id
    settings, batch = f"/projects/{place.project_id}/settings", f"/projects/{place.project_id}/batches/{batch_id}"
    with site.client(place.member(Role.admin), accept="text/html") as client:
        assert "blind does not know people: they are blurred once an answer says so" in client.get(batch).text
        wrong = client.post(f"{settings}/privacy", data={"version": version, "opened_by": "viewer"})
        assert wrong.status_code == 422
        saved = client.post(f"{settings}/privacy", data={"version": version, "opened_by": "admin", "hides_unseen": "1"})
        assert saved.headers["location"] == f"{settings}?saved=privacy#privacy"
        assert "blind does not know people: whole photos are hidden until somebody has looked" in client.get(batch).text
        page = client.get(settings).text
        assert "People are shown to: <bdi>expert</bdi> → <bdi>admin</bdi>" in page
        assert "<bdi>no</bdi> → <bdi>yes</bdi>" in page
    with site.client(place.member(Role.expert), accept="text/html") as client:
        assert client.post(f"{settings}/privacy", data={"version": version + 1}).status_code == 403
