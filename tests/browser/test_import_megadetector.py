"""A MegaDetector JSON instead of running a detector: photos go up, the file is read and taken, and crops can be labelled."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from models.box import Box
from models.checkpoint import Checkpoint
from models.image import Image
from models.membership import Role
from tests import fakes, make
from tests.browser.conftest import sign_in
from tests.conftest import Site

pytestmark = pytest.mark.browser
SQUARE = (20, 20, 60, 60)


def test_a_detections_file_takes_the_place_of_the_detector(
    page: Page,
    context: BrowserContext,
    sqlite_site: Site,
    tmp_path: Path,
    start_worker: Callable[[Site], subprocess.Popen[bytes]],
) -> None:
    folder = tmp_path / "SD 4"
    (folder / "Creek").mkdir(parents=True)
    for number in range(6):
        (folder / "Creek" / f"IMG_{number}.JPG").write_bytes(fakes.photo([("fox", SQUARE)], noise=number))
    box = [20 / 160, 20 / 120, 40 / 160, 40 / 120]
    found = [
        {"file": f"SD 4/Creek/IMG_{number}.JPG", "detections": [{"category": "1", "conf": 0.9, "bbox": box}]}
        for number in range(5)
    ]
    found.append({"file": "SD 4/Creek/IMG_5.JPG", "detections": [{"category": "1", "conf": 7, "bbox": box}]})
    found.append({"file": "SD 4/Ridge/IMG_0.JPG", "detections": []})
    results = tmp_path / "results.json"
    results.write_text(
        json.dumps(
            {
                "info": {"format_version": "1.6", "detector": "md_v5a.0.0.pt"},
                "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
                "images": found,
            }
        )
    )
    with sqlite_site.database.writing() as session:
        admin = make.user(session, "Maria Quispe")
        project = make.project(session, (admin, Role.admin), first_round=5, round_size=5)
        make.species(session, project, "Fox")
        sign_in(context, sqlite_site, make.token(session, admin))
        project_id = project.id
    page.goto(f"{sqlite_site.address}/projects/{project_id}/batches")
    page.locator("#folder").set_input_files(folder)
    page.get_by_label("Import detections instead").check()
    page.get_by_role("button", name="Upload 6 files").click()
    expect(page.get_by_text("The photos of SD 4 wait for their boxes.")).to_be_visible()
    page.get_by_label("File", exact=True).set_input_files(results)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    expect(page.get_by_text("5 new boxes")).to_be_visible()
    expect(page.get_by_text("5 photos that wait get their boxes from the file")).to_be_visible()
    row = page.locator("tr", has_text="images[5].detections[0]")
    expect(row).to_contain_text("conf")
    expect(row).to_contain_text("7 is no number from 0 to 1")
    page.get_by_role("link", name="Photos that the project lacks 1").click()
    expect(page.locator("tr", has_text="SD 4/Ridge/IMG_0.JPG")).to_be_visible()
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(Box)).all() == []
    start_worker(sqlite_site)
    page.get_by_role("button", name="Take the good rows").click()
    expect(page.get_by_role("heading", name="What was brought")).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Label", exact=True).click()
    for _ in range(60):
        if page.locator(".stage[data-box-id]").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    expect(page.locator(".stage")).to_have_attribute("data-state", "ready", timeout=60_000)
    with sqlite_site.database.reading() as session:
        names = set(session.scalars(select(Checkpoint.name).join(Box, Box.detector_id == Checkpoint.id)))
        assert names == {"md_v5a.0.0.pt"}
        states = dict(session.execute(select(Image.path, Image.state)).all())
        assert states["Creek/IMG_5.JPG"] == "waiting"
