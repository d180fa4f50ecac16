"""Pictures: for members only, at once after the right is gone too; what caches may keep; what is not there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import update

from models.base import utc_now
from models.box import Box
from models.image import QUARANTINED, WAITING, Image
from models.membership import Membership, Role
from models.session import ABSOLUTE, IDLE, UserSession
from models.species import Species
from models.user import User
from tests import make
from tests.conftest import Site


@dataclass
class Gallery:
    """A project with one photo, one box and their pictures."""

    site: Site
    token: str
    user_id: int
    project_id: int
    image_id: int
    box_id: int

    @property
    def addresses(self) -> dict[str, bytes]:
        """Address -> the bytes that lie behind it."""
        return {
            f"/images/{self.image_id}/thumbnail.jpg": b"thumbnail",
            f"/images/{self.image_id}/preview.jpg": b"preview",
            f"/boxes/{self.box_id}/crop.jpg": b"crop",
        }

    def statuses(self, token: str | None) -> list[int]:
        with self.site.client(token) as client:
            return [client.get(address).status_code for address in self.addresses]


def gallery_of(site: Site) -> Gallery:
    with site.database.writing() as session:
        viewer = make.user(session)
        project = make.project(session, (viewer, Role.viewer))
        image = make.image(session, make.batch(session, project))
        box = make.box(session, image)
        made = Gallery(site, make.token(session, viewer), viewer.id, project.id, image.id, box.id)
        sha256 = image.sha256
    for path, content in zip(
        (site.store.thumbnail(sha256), site.store.preview(sha256), site.store.crop(sha256, made.box_id)),
        made.addresses.values(),
        strict=True,
    ):
        site.store.write_cheaply(path, content)
    return made


@pytest.fixture
def gallery(sqlite_site: Site) -> Iterator[Gallery]:
    yield gallery_of(sqlite_site)


def test_a_member_gets_the_bytes_and_the_browser_may_keep_them_for_a_day(site: Site) -> None:
    gallery = gallery_of(site)
    with site.client(gallery.token) as client:
        for address, content in gallery.addresses.items():
            answer = client.get(address)
            assert answer.content == content
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_else_gets_them(site: Site) -> None:
    gallery = gallery_of(site)
    with site.database.writing() as session:
        stranger, elsewhere = make.user(session), make.user(session)
        make.project(session, (elsewhere, Role.admin))
        site_admin = make.user(session, is_admin=True)
        tokens = [make.token(session, user) for user in (stranger, elsewhere, site_admin)]
    for token in tokens:
        assert gallery.statuses(token) == [404, 404, 404]
    assert gallery.statuses(None) == [401, 401, 401]
    assert gallery.statuses("tampered" + gallery.token) == [401, 401, 401]
    assert gallery.statuses("x" * 500) == [401, 401, 401]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_look(gallery: Gallery, role: Role) -> None:
    with gallery.site.database.writing() as session:
        member = make.user(session)
        Membership.grant(session, gallery.project_id, member.id, role)
        token = make.token(session, member)
    assert gallery.statuses(token) == [200, 200, 200]


def test_a_right_that_is_gone_is_gone_with_the_next_picture(gallery: Gallery) -> None:
    changes = {
        "signed out": update(UserSession).values(ended_at=utc_now()),
        "disabled": update(User).values(disabled_at=utc_now()),
        "idle for too long": update(UserSession).values(last_seen_at=utc_now() - IDLE - dt.timedelta(seconds=5)),
        "signed in for too long": update(UserSession).values(created_at=utc_now() - ABSOLUTE - dt.timedelta(seconds=5)),
    }
    back = [
        update(UserSession).values(ended_at=None, last_seen_at=utc_now(), created_at=utc_now()),
        update(User).values(disabled_at=None),
    ]
    for what, change in changes.items():
        assert gallery.statuses(gallery.token) == [200, 200, 200], what
        with gallery.site.database.writing() as session:
            session.execute(change)
        assert gallery.statuses(gallery.token) == [401, 401, 401], what
        with gallery.site.database.writing() as session:
            for repair in back:
                session.execute(repair)
    with gallery.site.database.writing() as session:
        found = Membership.of(session, gallery.project_id, gallery.user_id)
        assert found is not None
        found.remove(session)
    assert gallery.statuses(gallery.token) == [404, 404, 404]


def test_no_cache_keeps_a_photo_on_which_the_detector_saw_a_person(gallery: Gallery) -> None:
    with gallery.site.database.writing() as session:
        make.box(session, session.get_one(Image, gallery.image_id), score=0.06, kind="person")
    assert caching(gallery) == {"no-store"}


def test_no_cache_keeps_a_photo_on_which_somebody_named_a_person(gallery: Gallery) -> None:
    with gallery.site.database.writing() as session:
        box = session.get_one(Box, gallery.box_id)
        box.settled_species_id = Species.of_kind(session, gallery.project_id, "person").id
    assert caching(gallery) == {"no-store"}
    with gallery.site.database.writing() as session:
        session.get_one(Box, gallery.box_id).settled_species_id = Species.of_kind(
            session, gallery.project_id, "vehicle"
        ).id
    assert caching(gallery) == {"private, max-age=86400, immutable"}


def caching(gallery: Gallery) -> set[str]:
    with gallery.site.client(gallery.token) as client:
        return {client.get(address).headers["cache-control"] for address in gallery.addresses}


@pytest.mark.parametrize(
    ("state", "words"), [(WAITING, "Nobody has looked through this photo yet"), (QUARANTINED, "its file is damaged")]
)
def test_a_photo_without_pictures_says_why_and_the_answer_is_not_kept(gallery: Gallery, state: str, words: str) -> None:
    with gallery.site.database.writing() as session:
        image = make.image(session, make.batch(session, make.project(session)), state=state)
        Membership.grant(session, image.project_id, gallery.user_id, Role.viewer)
        image_id = image.id
    with gallery.site.client(gallery.token) as client:
        answer = client.get(f"/images/{image_id}/preview.jpg")
    assert answer.status_code == 404
    assert words in answer.json()["error"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("number", ["0", "99999", str(1 << 63), str(1 << 200), "-1", "1.5", "1%2f..%2f2"])
def test_a_picture_that_does_not_exist_is_not_there(gallery: Gallery, number: str) -> None:
    with gallery.site.client(gallery.token) as client:
        for address in (
            f"/images/{number}/thumbnail.jpg",
            f"/images/{number}/preview.jpg",
            f"/boxes/{number}/crop.jpg",
        ):
            assert client.get(address).status_code == 404, address


def test_originals_are_served_nowhere(gallery: Gallery) -> None:
    original = gallery.site.store.original("a" * 64)
    gallery.site.store.write_cheaply(original, b"\xff\xd8\xff the camera's position is in here")
    with gallery.site.client(gallery.token) as client:
        for address in (
            f"/images/{gallery.image_id}/original.jpg", f"/images/{gallery.image_id}", f"/originals/aa/{'a' * 64}",
            f"/static/../store/originals/aa/{'a' * 64}", f"/static/%2e%2e/store/originals/aa/{'a' * 64}",
        ):  # fmt: skip
            assert client.get(address).status_code in (404, 405), address


def test_pictures_are_read_only(gallery: Gallery) -> None:
    with gallery.site.client(gallery.token) as client:
        for address in gallery.addresses:
            assert client.head(address).status_code == 200
            assert client.post(address).status_code == 405
            assert client.delete(address).status_code == 405
