"""A folder is chosen in a real browser, looked at, sent, and listed; broken lines and stops; the same without script."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, expect
from sqlalchemy import func, select, update

from models.batch import Batch, BatchFile
from models.image import Image
from models.job import Job
from models.membership import Role
from tests import make
from tests.browser.conftest import sign_in
from tests.conftest import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """12 drawn photos of two cameras, one file that only looks like a photo, and what a computer leaves behind."""
    folder = tmp_path / "SD 4"
    for camera in ("Creek", "Ridge"):
        (folder / camera).mkdir(parents=True)
        for number in range(6):
            shade = (number * 30, 90, 200 if camera == "Creek" else 40)
            Picture.new("RGB", (320, 240), shade).save(folder / camera / f"IMG_{number:04}.JPG")
    (folder / "Ridge" / "broken.JPG").write_bytes(b"not a photo at all")
    (folder / "Ridge" / "Thumbs.db").write_bytes(b"x")
    return folder


@pytest.fixture
def batches(context: BrowserContext, sqlite_site: Site) -> str:
    """The address of the page Batches of a fresh project whose administrator is signed in."""
    with sqlite_site.database.writing() as session:
        admin = make.user(session, "Maria Quispe")
        project = make.project(session, (admin, Role.admin))
        sign_in(context, sqlite_site, make.token(session, admin))
        return f"{sqlite_site.address}/projects/{project.id}/batches"


def choose(page: Page, card: Path) -> None:
    page.locator("#folder").set_input_files(card)


def test_a_folder_is_shown_before_anything_is_saved_then_sent_and_the_broken_file_is_listed(
    page: Page, sqlite_site: Site, batches: str, card: Path, complaints: list[str]
) -> None:
    page.goto(batches)
    choose(page, card)
    expect(page.locator("[data-line]")).to_have_text("13 files. 2 cameras: Creek (6), Ridge (7).")
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(Batch)).all() == []
    page.get_by_role("button", name="Upload 13 files").click()
    expect(page.locator("h1")).to_have_text("SD 4")
    expect(page.get_by_text("0 of 12 photos looked through.")).to_be_visible()
    row = page.locator("tr", has_text="Ridge/broken.JPG").first
    expect(row).to_contain_text("Not a photo")
    expect(row).to_contain_text("neither a JPEG nor a PNG photo")
    with sqlite_site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 12
        assert session.scalars(select(Job)).one().total == 12
    refused_on_purpose(complaints)


def refused_on_purpose(complaints: list[str]) -> None:
    """Chromium reports every answer of 422 on its console; the refused file makes one. Anything else stays a complaint."""
    complaints[:] = [words for words in complaints if "422" not in words]


def test_a_lost_connection_is_said_and_the_upload_goes_on_by_itself(
    page: Page, sqlite_site: Site, batches: str, card: Path, complaints: list[str]
) -> None:
    cut = {"left": 4}

    def lose(route: Route) -> None:
        cut["left"] -= 1
        if cut["left"] >= 0:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/files?path=*", lose)
    page.goto(batches)
    choose(page, card)
    page.get_by_role("button", name="Upload 13 files").click()
    expect(page.get_by_text("No connection since")).to_be_visible()
    expect(page.locator("h1")).to_have_text("SD 4", timeout=20_000)
    with sqlite_site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 12
    complaints[:] = [words for words in complaints if "422" not in words and "ERR_CONNECTION_RESET" not in words]


def test_a_stopped_upload_goes_on_with_the_same_folder_and_sends_only_the_rest(
    page: Page, sqlite_site: Site, batches: str, card: Path, complaints: list[str]
) -> None:
    sent: list[str] = []
    held: list[Route] = []

    def hold_back(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) > 5:
            held.append(route)  # never answered
        else:
            route.continue_()

    page.route("**/files?path=*", hold_back)
    page.goto(batches)
    choose(page, card)
    page.get_by_role("button", name="Upload 13 files").click()
    expect(page.locator("[data-line]")).to_have_text("5 of 13 files are here.")
    page.get_by_role("button", name="Stop the upload").click()
    expect(page.get_by_text("Stopped. Choose the same folder again and the upload goes on.")).to_be_visible()

    for route in held:  # else the browser lets them through, now and then, when nobody holds them back any more
        with suppress(Error):
            route.abort()
    page.unroute_all(behavior="ignoreErrors")
    page.goto(batches)
    expect(page.get_by_text("5 of 13 files are here.")).to_be_visible()
    again: set[str] = set()
    page.on("request", lambda request: again.add(request.url) if request.method == "PUT" else None)
    choose(page, card)
    expect(page.get_by_text("The upload goes on: 5 files of this batch are here.")).to_be_visible()
    page.get_by_role("button", name="Upload 13 files").click()
    expect(page.get_by_text("0 of 12 photos looked through.")).to_be_visible()
    assert len(again) == 8
    with sqlite_site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Batch)) == 1
        assert session.scalar(select(func.count()).select_from(BatchFile)) == 13
    complaints[:] = [words for words in complaints if "ERR_FAILED" not in words]
    refused_on_purpose(complaints)


def test_a_dropped_folder_is_read_to_its_last_file(page: Page, batches: str) -> None:
    page.goto(batches)
    many = page.evaluate(DROP, 250)
    expect(page.locator("[data-line]")).to_have_text("250 files. 1 camera: Creek (250).")
    expect(page.locator("[data-name]")).to_have_text("SD 9")
    assert many == 250


# Browsers give the entries of a dropped folder a hundred at a time; a stand-in for what a hand would drop.
DROP = """
(count) => {
  const file = (name, path) => ({
    isDirectory: false, fullPath: path, file: (done) => done(new File([new Uint8Array([255, 216, 255])], name)),
  });
  const folder = (path, entries) => ({
    isDirectory: true, fullPath: path,
    createReader: () => { let at = 0; return { readEntries: (done) => done(entries.slice(at, (at += 100))) }; },
  });
  const photos = Array.from({ length: count }, (_, number) => file(`${number}.jpg`, `/SD 9/Creek/${number}.jpg`));
  const top = folder('/SD 9', [folder('/SD 9/Creek', photos), file('.DS_Store', '/SD 9/.DS_Store')]);
  const event = new Event('drop', { cancelable: true });
  event.dataTransfer = { items: [{ webkitGetAsEntry: () => top }] };
  document.getElementById('drop').dispatchEvent(event);
  return count;
}
"""


def test_signed_out_in_the_middle_says_so_and_keeps_the_folder(
    page: Page, batches: str, card: Path, complaints: list[str]
) -> None:
    page.route(
        "**/missing",
        lambda route: route.fulfill(
            status=401, content_type="application/json", body=json.dumps({"error": "Sign in first."})
        ),
    )
    page.goto(batches)
    choose(page, card)
    page.get_by_role("button", name="Upload 13 files").click()
    expect(page.get_by_text("Sign in first. Choose the same folder again and the upload goes on.")).to_be_visible()
    expect(page.get_by_role("button", name="Go on with the upload")).to_be_visible()
    expect(page.get_by_role("button", name="Pause the upload")).to_be_hidden()
    complaints[:] = [words for words in complaints if "401" not in words]


def test_the_page_of_a_batch_follows_the_worker_by_itself(
    page: Page, sqlite_site: Site, batches: str, card: Path
) -> None:
    (card / "Ridge" / "broken.JPG").unlink()
    page.goto(batches)
    choose(page, card)
    page.get_by_role("button", name="Upload 12 files").click()
    expect(page.get_by_text("0 of 12 photos looked through.")).to_be_visible()
    with sqlite_site.database.writing() as session:
        session.execute(update(Job).values(state="running", done=8))
        session.execute(update(Image).where(Image.path.startswith("Creek")).values(state="ready"))
    expect(page.get_by_text("6 of 12 photos looked through.")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Finding animals, 50%")).to_be_visible()
    with sqlite_site.database.writing() as session:
        session.execute(update(Job).values(state="done", done=12))
        session.execute(update(Image).values(state="ready"))
    expect(page.get_by_text("12 of 12 photos looked through.")).to_be_visible(timeout=10_000)
    expect(page.locator(".badge", has_text="Done")).to_be_visible()


def test_without_script_the_form_brings_the_folder_in(
    browser: Browser, sqlite_site: Site, batches: str, context: BrowserContext, card: Path
) -> None:
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(context.cookies(sqlite_site.address.replace("http://", "https://")))
    page = plain.new_page()
    page.goto(batches)
    choose(page, card)
    page.get_by_role("button", name="Upload the chosen folder").click()
    expect(page.locator("h1")).to_have_text("SD 4")
    expect(page.locator("tr", has_text="Ridge/broken.JPG").first).to_contain_text("Not a photo")
    with sqlite_site.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image)) == 12
        assert set(session.scalars(select(Image.path))) >= {"Creek/IMG_0000.JPG", "Ridge/IMG_0005.JPG"}
    plain.close()
