"""Every page under a pseudo-translation: whatever a reader sees or hears is a message, but for what people themselves wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from playwright.sync_api import Browser, BrowserContext, Page, expect

from models.box import Box
from models.image import Image
from models.membership import Membership, Role
from models.project import Project
from models.queue import ask
from models.species import Species
from models.user import User
from tests import make
from tests.browser.conftest import sign_in
from tests.browser.desk import Desk
from tests.browser.test_review_page import disagree
from tests.conftest import Site, running_site
from tests.pseudo import CLOSES, OPENS, write_pseudo

SPECIES = ("Jaguar", "Ocelot", "Lowland tapir")
MONTHS = "|".join(Locale("de").months["format"]["wide"].values())
# What may stand outside of a message: what people wrote, names of files, networks, tables and strategies, units, dates.
OWN = [
    "Waterhole", "UTC", "KB", "MB", "GB", "JPEG", "starter", "fake", rf"(?:\d+\. )?(?:{MONTHS})(?: \d+)?", r"[\w.+-]+@[\w.-]+",
    r"[\w/-]+\.(?:csv|zip|jpg|JPG|json)", *SPECIES, "Camera A", "eating", "Panthera onca", "Deutsch", "English", "random",
    r"batch \d+",
    "Camtrap DP 1.0.2", "MegaDetector 1.6", "COCO Camera Traps", "Timelapse", "Wildlife Insights",
]  # fmt: skip
LOOK = """([opens, closes]) => {
  const found = [];
  let depth = 0;
  const outside = (text, start) => {
    let words = '', at = start;
    for (const letter of text) {
      if (letter === opens) at += 1;
      else if (letter === closes) at -= 1;
      else if (at === 0) words += letter;
    }
    return [words, at];
  };
  const own = 'script, style, noscript, code, kbd, bdi, textarea, [translate=no], .mono, .file-name';
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('script, style, noscript')) continue;
    const before = depth;
    const [words, after] = outside(node.data, depth);
    depth = after;
    if (!node.parentElement.closest(own) && words.trim()) found.push(words.trim());
  }
  for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const [words] = outside(element.getAttribute(name), 0);
      if (words.trim()) found.push(`${name}: ${words.trim()}`);
    }
  if (depth !== 0) found.push(`the brackets do not close: ${depth}`);
  return found;
}"""


@pytest.fixture(scope="module")
def pseudo_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live server whose German is the pseudo-translation."""
    home: Path = tmp_path_factory.mktemp("pseudo")
    write_pseudo(home / "locale")
    with running_site(f"sqlite:///{home / 'waterhole.sqlite'}", home) as site:
        yield site


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that asks for German."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", locale="de-DE")
    yield made
    made.close()


@pytest.fixture
def desk(pseudo_house: Site, page: Page, context: BrowserContext) -> Desk:
    """A project with a round, bursts, guesses, cases, broken files and a job; an administrator looks at it."""
    desk = Desk(pseudo_house, page, context, 6, SPECIES).in_bursts(4, 2)
    desk.guess(0.2, 0.7, 0.1)
    disagree(desk, desk.boxes[:2])
    with desk.site.database.writing() as session:
        who = make.user(session, is_admin=True)
        Membership.grant(session, desk.project_id, who.id, Role.admin)
        project = session.get_one(Project, desk.project_id)
        project.set_fields(True, True, "eating")
        batch = make.batch(session, project)
        batch.refuse(session, "Camera A/film.avi", 1000, "this is an AVI video, neither a JPEG nor a PNG photo")
        ask(session, "learn", project.id, {"reason": "full-1"}, line="Learning from your answers")
        token = make.token(session, who)
    sign_in(context, desk.site, token)
    return desk


def unsaid(page: Page, desk: Desk) -> list[str]:
    """What stands on the page outside of any message and is not people's own."""
    with desk.site.database.reading() as session:
        people = [user.name for user in session.query(User)] + [user.initials for user in session.query(User)]
        projects = [project.name for project in session.query(Project)]
    own = re.compile("|".join([*map(re.escape, sorted([*people, *projects], key=len, reverse=True)), *OWN]))
    left = [
        (words, own.sub("", re.sub("^(aria-label|title|placeholder|alt): ", "", words)))
        for words in page.evaluate(LOOK, [OPENS, CLOSES])
    ]
    return sorted({words for words, rest in left if re.search(r"[^\W\d_]{2,}", rest)})


def test_every_page_says_nothing_outside_of_messages(desk: Desk, page: Page) -> None:
    here = f"/projects/{desk.project_id}"
    with desk.site.database.reading() as session:
        species = session.query(Species).filter_by(project_id=desk.project_id).first()
        batch = session.get_one(Image, session.get_one(Box, desk.boxes[0]).image_id).batch_id
        person = session.query(Membership).filter_by(project_id=desk.project_id).first().user_id
    pages = [
        "/projects", "/projects/new", "/account", "/people", f"{here}/people/{person}",
        *(here + part for part in ("", "/label", "/grid", "/grid?sort=unsure", "/review", "/review?state=answered", "/batches")),
        f"{here}/batches/{batch}", f"{here}/species", f"{here}/species/{species.id}/edit",
        *(f"{here}/export?table={table}" for table in ("species.csv", "counts.csv")), f"{here}/settings?price=1",
        f"{here}/settings/members/{person}/remove",
    ]  # fmt: skip
    found: list[str] = []
    for address in pages:
        page.goto(desk.site.address + address)
        page.wait_for_load_state("networkidle")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        found += [f"{address}: {words}" for words in unsaid(page, desk)]
    assert "\n".join(found) == ""


def test_what_scripts_say_are_messages(desk: Desk, page: Page) -> None:
    """The sheet of keys, box mode, an answer and its undo; then the grid with a selection."""
    desk.open()
    found = []
    for key in ("?", "Escape", "b", "Escape", "e", "Escape", "1", "Control+z", "k", "Escape"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        found += [f"label, {key}: {words}" for words in unsaid(page, desk)]
    page.goto(f"{desk.site.address}/projects/{desk.project_id}/grid")
    page.wait_for_load_state("networkidle")
    for key in ("?", "Escape", "Space", "e", "1", "Control+z"):
        page.keyboard.press(key)
        page.wait_for_timeout(150)
        found += [f"grid, {key}: {words}" for words in unsaid(page, desk)]
    assert "\n".join(found) == ""


def test_the_doorway_an_empty_project_and_errors_are_messages(
    desk: Desk, page: Page, context: BrowserContext, complaints: list[str]
) -> None:
    with desk.site.database.writing() as session:
        who = make.user(session)
        empty = make.project(session, (who, Role.admin)).id
        token = make.token(session, who)
    sign_in(context, desk.site, token)
    found = []
    here = f"/projects/{empty}"
    for address in (
        here,
        f"{here}/label",
        f"{here}/grid",
        f"{here}/review",
        f"{here}/batches",
        f"{here}/export",
        "/projects/999999",
    ):
        page.goto(desk.site.address + address)
        page.wait_for_load_state("networkidle")
        found += [f"{address}: {words}" for words in unsaid(page, desk)]
    page.goto(desk.site.address + f"{here}/species")
    page.locator("#add-name").fill("Person")
    page.locator("#add button[type=submit]").click()
    found += [f"refused: {words}" for words in unsaid(page, desk)]
    context.clear_cookies()
    page.goto(f"{desk.site.address}/sign-in")
    found += [f"sign-in: {words}" for words in unsaid(page, desk)]
    complaints[:] = [each for each in complaints if "404" not in each and "422" not in each]
    assert "\n".join(found) == ""
