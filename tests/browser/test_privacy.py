"""People on photos in a real Chromium: blurred from the first paint, shown to those with the right who ask, and recorded."""

from __future__ import annotations

import datetime as dt
import io
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select, update

import models.privacy
from models.audit import AuditEntry
from models.box import Box
from models.image import Image
from models.job import Job
from models.membership import Membership, Role
from models.species import Species
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import PHOTO, Desk
from tests.conftest import Site
from worker.jobs.bench import Bench
from worker.jobs.blurring import blur_photos

pytestmark = pytest.mark.browser
BLURRED = "A person. Blurred for you."
SHARP = 12  # mean difference of neighbouring pixels on the screen: noise has about 30, a blurred photo 1


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Iterator[Desk]:
    """A desk with three crops whose photos are full of detail."""
    made = make_desk(3)
    noise = Picture.fromarray(np.random.default_rng(3).integers(0, 256, (PHOTO[1], PHOTO[0], 3), dtype=np.uint8))
    with io.BytesIO() as file, made.site.database.reading() as session:
        noise.save(file, "JPEG")
        for box_id in made.boxes:
            sha256 = session.get_one(Image, session.get_one(Box, box_id).image_id).sha256
            store = made.site.store
            for path in (store.preview(sha256), store.thumbnail(sha256), store.crop(sha256, box_id)):
                store.write_cheaply(path, file.getvalue())
    yield made


def call_person(desk: Desk, place: int) -> None:
    """Somebody else says so."""
    with desk.site.database.writing() as session:
        box = session.get_one(Box, desk.boxes[place])
        box.settled_species_id = Species.of_kind(session, desk.project_id, "person").id


def worker(desk: Desk) -> None:
    """Blurs what is to be blurred."""
    blur_photos(Bench("test", desk.site.database, desk.site.store, networks=None), desk.project_id)  # type: ignore[arg-type]


def promote(desk: Desk, role: Role) -> None:
    """The one on the desk gets another role."""
    with desk.site.database.writing() as session:
        session.execute(update(Membership).where(Membership.project_id == desk.project_id).values(role=role.value))


def detail(shown: Locator) -> float:
    """How much neighbouring pixels differ on the screen, 0 to 255."""
    picture = np.asarray(Picture.open(io.BytesIO(shown.screenshot())).convert("L"), np.float64)
    return float(np.abs(np.diff(picture, axis=1)).mean())


def at(desk: Desk, place: int) -> str:
    """The address of one crop."""
    return f"{desk.address}?box={desk.boxes[place]}"


def test_before_any_script_runs_a_person_is_blurred_also_for_those_with_the_right(desk: Desk, browser: Browser) -> None:
    call_person(desk, 0)
    worker(desk)
    with desk.site.database.writing() as session:
        boss = make.user(session)
        Membership.grant(session, desk.project_id, boss.id, Role.admin)
        token = make.token(session, boss)
    scriptless = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    sign_in(scriptless, desk.site, token)
    page = scriptless.new_page()
    for address in (at(desk, 0), at(desk, 0).replace("/label?", "/review?")):
        page.goto(address)
        expect(page.get_by_text(BLURRED)).to_be_visible()
        expect(page.get_by_role("img", name=BLURRED).first).to_be_visible()
        picture = page.locator(".crop-view, .case-crop").first
        assert detail(picture) < SHARP
        page.get_by_role("button", name="Show (this is recorded)").click()
        expect(page.get_by_text("Shown to you. This was recorded.")).to_be_visible()
        assert detail(picture) > SHARP
    page.goto(at(desk, 1))
    assert detail(page.locator(".crop-view")) > SHARP, "another photo is as it was"
    scriptless.close()


def test_those_with_the_right_see_it_once_they_ask_and_that_is_recorded(desk: Desk, page: Page) -> None:
    promote(desk, Role.expert)
    call_person(desk, 0)
    worker(desk)
    page.goto(at(desk, 0))
    desk.ready(desk.boxes[0])
    expect(page.locator(".crop-corner")).to_have_text(BLURRED)
    canvas = page.locator(".crop-view canvas")
    assert detail(canvas) < SHARP
    page.get_by_role("button", name="Show (this is recorded)").click()
    expect(page.locator(".crop-corner")).to_have_text("Shown to you. This was recorded.")
    desk.ready(desk.boxes[0])
    assert detail(canvas) > SHARP
    expect(page.locator(".show-person")).to_be_hidden()
    with desk.site.database.reading() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.project_id == desk.project_id)).all()
        assert [(entry.act, entry.details["file"]) for entry in found] == [("photo.opened", "Camera A/IMG_0000.JPG")]
    page.goto(at(desk, 0))
    desk.ready(desk.boxes[0])
    assert detail(canvas) < SHARP, "the next visit is blurred at first paint again"
    page.keyboard.press("p")
    desk.saved()
    assert desk.names()[0] == "Person"


@pytest.mark.parametrize("at_page", ["label", "review"])
def test_an_opened_photo_is_blurred_again_when_its_time_is_over(
    desk: Desk, page: Page, monkeypatch: pytest.MonkeyPatch, at_page: str
) -> None:
    monkeypatch.setattr(models.privacy, "OPEN_FOR", dt.timedelta(seconds=4))
    promote(desk, Role.expert)
    call_person(desk, 0)
    worker(desk)
    page.goto(at(desk, 0).replace("/label?", f"/{at_page}?"))
    page.get_by_role("button", name="Show (this is recorded)").click()
    expect(page.get_by_text("Shown to you. This was recorded.").first).to_be_visible()
    expect(page.get_by_text(BLURRED).first).to_be_visible()
    assert "open=" not in page.url
    assert detail(page.locator(".crop-view canvas, .case-crop").first) < SHARP


def test_after_the_answer_person_no_picture_of_it_stays_sharp_until_it_is_taken_back(desk: Desk, page: Page) -> None:
    desk.open()
    canvas = page.locator(".crop-view canvas")
    assert detail(canvas) > SHARP
    expect(page.locator(".show-person")).to_have_count(0)
    page.keyboard.press("p")
    desk.ready(desk.boxes[1])
    desk.saved()
    last = page.locator(".last img")
    expect(last).to_have_attribute("src", f"/boxes/{desk.boxes[0]}/crop.jpg?blur={mark(last)}")
    assert detail(last) < SHARP
    page.keyboard.press("ArrowLeft")
    desk.ready(desk.boxes[0])
    expect(page.locator(".crop-corner")).to_have_text(BLURRED)
    expect(page.locator(".frame img")).to_have_attribute(
        "src", f"/images/{image_of(desk, 0)}/thumbnail.jpg?blur={mark(last)}"
    )
    for shown in (canvas, page.locator(".whole canvas"), page.locator(".frame img")):
        assert detail(shown) < SHARP
    page.keyboard.press("Control+z")
    expect(page.locator(".crop-corner")).to_have_text("Box 1 of 1 · detector 0.95")
    desk.ready(desk.boxes[0])
    desk.saved()
    assert detail(canvas) > SHARP
    expect(last).to_have_attribute("src", f"/boxes/{desk.boxes[0]}/crop.jpg")


def mark(picture: Locator) -> str:
    """What the address of a blurred picture ends with."""
    expect(picture).to_be_visible()
    return (picture.get_attribute("src") or "").partition("blur=")[2]


def image_of(desk: Desk, place: int) -> int:
    with desk.site.database.reading() as session:
        return session.get_one(Box, desk.boxes[place]).image_id


def test_a_crop_that_was_fetched_ahead_is_blurred_once_somebody_else_says_person(desk: Desk, page: Page) -> None:
    with page.expect_response(lambda answer: f"/images/{image_of(desk, 1)}/preview.jpg" in answer.url):
        desk.open()
    call_person(desk, 1)
    page.keyboard.press("1")
    desk.ready(desk.boxes[1])
    expect(page.locator(".crop-corner")).to_have_text(BLURRED)
    assert detail(page.locator(".crop-view canvas")) < SHARP
    page.keyboard.press("2")
    desk.saved()
    assert desk.names()[:2] == ["Jaguar", "Ocelot"], "a blurred crop can be answered"


def test_a_grey_picture_gives_way_to_the_blurred_one_once_the_worker_made_it(desk: Desk, page: Page) -> None:
    call_person(desk, 0)
    desk.open()
    whole = page.locator(".whole canvas")
    assert detail(whole) < 3
    worker(desk)
    until = time.monotonic() + 20
    while detail(whole) < SHARP and time.monotonic() < until:
        page.wait_for_timeout(200)
    assert detail(whole) > SHARP, "what lies beside the person is to be seen"
    assert detail(page.locator(".crop-view canvas")) < SHARP
    page.keyboard.press("1")
    desk.ready(desk.boxes[1])


def test_the_list_of_projects_and_the_queue_of_cases_show_nobody(desk: Desk, page: Page) -> None:
    promote(desk, Role.expert)
    call_person(desk, 0)
    worker(desk)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "image" else None)
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/review?box={desk.boxes[0]}")
    expect(page.get_by_text(BLURRED)).to_be_visible()
    page.goto(f"{desk.site.address}/projects")
    pictures = [
        address
        for address in asked
        if f"/images/{image_of(desk, 0)}/" in address or f"/boxes/{desk.boxes[0]}/" in address
    ]
    assert pictures
    assert all("?blur=" in address for address in pictures)


def test_the_real_worker_blurs_what_an_answer_calls_a_person(
    sqlite_site: Site, page: Page, context: BrowserContext, start_worker: Callable[[Site], object]
) -> None:
    desk = Desk(sqlite_site, page, context, 2, ("Jaguar",)).open()
    page.keyboard.press("p")
    desk.ready(desk.boxes[1])
    desk.saved()
    address = page.locator(".last img").get_attribute("src")
    kind = "async address => (await fetch(address)).headers.get('content-type')"
    assert str(page.evaluate(kind, address)).startswith("image/svg"), "grey until the worker is there"
    start_worker(sqlite_site)
    until = time.monotonic() + 120
    while page.evaluate(kind, address) != "image/jpeg" and time.monotonic() < until:
        time.sleep(0.5)
    assert page.evaluate(kind, address) == "image/jpeg"
    with sqlite_site.database.reading() as session:
        jobs = session.execute(select(Job.kind, Job.error).where(Job.kind == "blur")).all()
        assert jobs and {tuple(job) for job in jobs} == {
            ("blur", "")
        }  # a page that looked meanwhile may have asked again
