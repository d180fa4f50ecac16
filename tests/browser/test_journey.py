"""The whole loop as an ecologist goes it: real Chromium, real photos, the real worker with the starter networks."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from models.invariants import examine
from models.membership import Role
from models.project import Project
from models.round import Round
from tests import make
from tests.conftest import Site

PHOTOS_A_SOURCE = 24
SOURCES = ("camtrap-dp-example", "ena24-small", "animl/southwest", "animl/peru", "carpathians")
WORK_MS = 180_000  # the worker on two busy cores


def survey(shared: Path, folder: Path) -> int:
    """A folder of real photos, one sub-folder a source, and one broken file; how many good photos."""
    count = 0
    for source in SOURCES:
        for photo in sorted((shared / "camera-trap" / source).rglob("*.[jJ][pP][gG]"))[:PHOTOS_A_SOURCE]:
            target = folder / source.split("/")[-1] / photo.parent.name / photo.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo, target)
            count += 1
    shutil.copyfile(shared / "bad-files" / "trunc_jpeg_half.jpg", folder / "peru" / "cut.jpg")
    (folder / "peru" / "notes.txt").write_text("no photo")
    return count


def shown_box(page: Page) -> str:
    """The box on the stage, once its picture is drawn."""
    expect(page.locator(".stage")).to_have_attribute("data-state", "ready", timeout=WORK_MS)
    return page.locator(".stage").get_attribute("data-box-id") or ""


def press_and_wait(page: Page, key: str) -> str:
    """Press a key that answers; the box that comes next."""
    before = shown_box(page)
    page.keyboard.press(key)
    expect(page.locator(".stage")).not_to_have_attribute("data-box-id", before)
    return shown_box(page)


def read_table(page: Page, table: str) -> list[dict[str, str]]:
    """Download a table from the export page."""
    page.goto(page.url.split("/projects/")[0] + "/projects/1/export?table=" + table)
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {table}").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))


@pytest.mark.browser
@pytest.mark.photos
def test_from_a_folder_of_photos_to_two_tables(
    sqlite_site: Site,
    start_worker: Callable[[Site], subprocess.Popen[bytes]],
    shared_data: Path,
    tmp_path: Path,
    page: Page,
    complaints: list[str],
) -> None:
    site = sqlite_site
    with site.database.writing() as session:
        ann = make.user(session, "Ann Meadow")
        project = make.project(session, (ann, Role.admin), name="Five places", round_size=12, strategy="margin_spread")
        make.species(session, project, "Deer", "Cat", "Bird")
        email = ann.email
    start_worker(site)
    good = survey(shared_data, tmp_path / "Survey 2026")

    # Sign in.
    page.goto(f"{site.address}/projects")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(make.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Five places").first.click()

    # Upload the folder.
    page.get_by_role("link", name="Batches").click()
    page.wait_for_url("**/batches", wait_until="load")
    page.locator("#folder").set_input_files(tmp_path / "Survey 2026")
    page.get_by_role("button", name=re.compile("^Upload")).first.click()
    page.wait_for_url("**/batches/*", timeout=WORK_MS)  # where it leads once every file is here
    expect(page.locator("body")).to_contain_text("notes.txt")
    complaints[:] = [
        words for words in complaints if "422" not in words
    ]  # Chromium's own word for the refused text file

    # Wait for the worker, then label the whole first round by keyboard.
    with_crops = page.locator(".stage[data-state=ready]")
    for _attempt in range(60):
        page.goto(f"{site.address}/projects/1/label")
        if with_crops.count():
            break
        page.wait_for_timeout(2_000)
    with site.database.reading() as session:
        first = Round.unfinished(session, 1)[0]
        assert first.strategy == "random"
        size = first.size
    assert 3 <= size <= 100
    seen = [shown_box(page)]
    for number in range(size):
        seen.append(press_and_wait(page, "123"[number % 3]))  # never a wait: the next round is chosen ahead
    assert len(set(seen)) == size + 1
    expect(page.locator(".round")).to_contain_text("Round 2")
    expect(page.locator(".saved")).to_contain_text("Saved")
    with site.database.reading() as session:
        rounds = {each.number: each for each in session.query(Round).all()}
        assert rounds[1].state == "full"
        assert rounds[2].strategy == session.get_one(Project, 1).strategy == "margin_spread"

    # The classifier has learnt: it guesses, Enter accepts.
    expect(page.locator(".guess .p").first).to_contain_text("%", timeout=WORK_MS)
    accepted = shown_box(page)
    press_and_wait(page, "Enter")

    # Undo goes back to that crop and un-names it; answer it again as not an animal.
    page.keyboard.press("Control+z")
    expect(page.locator(".stage")).to_have_attribute("data-box-id", accepted)
    expect(page.locator(".last")).to_contain_text("taken back")
    press_and_wait(page, "x")
    expect(page.locator(".saved")).to_contain_text("Saved")

    # Both tables hold what was done.
    species = read_table(page, "species.csv")
    files = {row["file"] for row in species}
    assert len(files) == good + 1  # the cut photo is listed, the text file is no photo
    assert [row["species"] for row in species if row["file"].endswith("cut.jpg")] == ["failed"]
    human = [row for row in species if row["source"] == "human"]
    assert {row["species"] for row in human} - {"empty"} == {"Deer", "Cat", "Bird"}  # empty: its only box is no animal
    assert {row["who"] for row in human} == {"Ann Meadow"}
    assert any(row["source"] == "predicted" and row["probability"] for row in species)
    assert any(row["species"] == "empty" for row in species)
    counts = read_table(page, "counts.csv")
    assert len([row for row in counts if row["level"] == "image"]) == good + 1
    assert {row["level"] for row in counts} == {"image", "sequence", "event"}
    assert examine(site.database, site.store, deep=True) == []
