"""The pages: every batch with its figures, what waits, what broke and what it means, and files page by page."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from app.pages import bytes_in_words
from app.uploads.queries import BATCHES_A_PAGE, FILES_A_PAGE
from app.uploads.wording import trouble
from models.base import utc_now
from models.batch import QUARANTINED, REFUSED, Batch, BatchFile
from models.image import READY, Image
from models.job import RUNNING, Job
from models.membership import Membership, Role
from models.storage import Received
from tests import make
from tests.app.uploads.sending import Sending, jpeg, sending
from tests.conftest import Site

PAGE = {"accept": "text/html"}


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(sender: Sending, address: str) -> str:
    answer = sender.client.get(address, headers=PAGE)
    assert answer.status_code == 200
    return answer.text


def test_an_empty_project_says_how_to_begin(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        shown = text_of(page(sender, f"/projects/{sender.project_id}/batches"))
        assert "No batches yet. Drop a folder, or run waterhole import ." in shown


def test_the_list_says_how_many_came_how_many_twice_how_many_broke_and_how_far_the_worker_is(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        one = jpeg()
        for number in range(3):
            sender.put(f"{number}.jpg", one if number == 0 else jpeg())
        sender.put("copy.jpg", one)
        sender.put("notes.txt", b"words")
        sender.finish()
        with sqlite_site.database.writing() as session:
            session.execute(update(Image).where(Image.path == "0.jpg").values(state=READY))
            session.execute(update(Job).values(state=RUNNING, done=1))
        row = page(sender, f"/projects/{sender.project_id}/batches").split("<tbody>")[1]
        assert re.findall(r'<td class="n(?: [a-z ]*)?">([^<]*)<', row) == ["3", "1", "1", "1"]
        assert "Finding animals, 33%" in row
        shown = text_of(page(sender, sender.batch))
        assert "1 of 3 photos looked through." in shown


def test_a_batch_that_broke_off_waits_with_the_way_to_go_on(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        sender.begin("SD 4", files=1862, bytes=2_200_000_000)
        sender.put("1.jpg", jpeg())
        sender.put("zero.jpg", b"")
        with sqlite_site.database.writing() as session:
            session.execute(update(Image).values(created_at=utc_now().replace(year=2025)))
        shown = text_of(page(sender, f"/projects/{sender.project_id}/batches"))
        assert "2 of 1,862 files are here. The connection broke at" in shown
        assert "Choose the same folder again and the upload goes on" in shown
        assert "1 file could not be taken" in shown
        assert "Nothing to save. The camera opened it and never wrote." in shown
        assert "Waits for you" in shown


def test_finishing_without_the_rest_is_a_button_of_a_form(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        sender.put("1.jpg", jpeg())
        assert f'action="{sender.batch}/finish"' in page(sender, f"/projects/{sender.project_id}/batches")
        answer = sender.client.post(f"{sender.batch}/finish", headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, sender.batch)
        assert "Waits for the worker" in page(sender, sender.batch)


def test_a_viewer_sees_batches_and_no_drop_zone(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        with sqlite_site.database.writing() as session:
            user = make.user(session)
            Membership.grant(session, sender.project_id, user.id, Role.viewer)
            token = make.token(session, user)
        with sqlite_site.client(token, accept="text/html") as client:
            shown = client.get(f"/projects/{sender.project_id}/batches").text
            assert "SD 4" in shown
            assert "Drop a folder" not in shown
            assert "/finish" not in client.get(sender.batch).text


def test_files_come_page_by_page_and_none_is_shown_twice_or_left_out(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        names = [f"IMG_{number:04}.JPG" for number in range(2 * FILES_A_PAGE + 5)]
        with sqlite_site.database.writing() as session:
            batch = session.get_one(Batch, sender.batch_id)
            for number, name in enumerate(names):
                batch.receive(session, name, Received(f"{number:064x}", 10))
        seen: list[str] = []
        address: str | None = sender.batch
        while address:
            html = page(sender, address)
            seen += re.findall(r"<bdi>(IMG_\d+\.JPG)</bdi>", html)
            following = re.search(r'href="([^"]*after=[^"]*)"', html)
            address = following[1].replace("&amp;", "&") if following else None
        assert seen == names


def test_files_can_be_filtered_by_what_became_of_them(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        one = jpeg()
        sender.put("a.jpg", one)
        sender.put("b.jpg", one)
        sender.put("c.txt", b"words")
        sender.put("d.jpg", jpeg())
        with sqlite_site.database.writing() as session:
            session.execute(
                update(BatchFile).where(BatchFile.path == "d.jpg").values(state=QUARANTINED, reason="is damaged")
            )
        for state, name in [("here", "a.jpg"), ("twice", "b.jpg"), ("refused", "c.txt"), ("broken", "d.jpg")]:
            html = page(sender, f"{sender.batch}?state={state}").split('id="files"')[1]
            assert re.findall(r'<td class="file-name"><bdi>([^<]*)<', html) == [name]
        everything = page(sender, f"{sender.batch}?state=nonsense").split('id="files"')[1]
        assert len(re.findall(r'<td class="file-name">', everything)) == 4


def test_batches_come_page_by_page(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        with sqlite_site.database.writing() as session:
            for number in range(BATCHES_A_PAGE + 2):
                Batch.start(session, sender.project_id, f"card {number}", sender.user_id).finished_at = utc_now()
        first = page(sender, f"/projects/{sender.project_id}/batches")
        older = re.search(r'href="([^"]*before=\d+)"', first)
        assert older is not None
        assert re.findall(r"<bdi>(card \d+)</bdi>", page(sender, older[1])) == ["card 1", "card 0"]


def test_a_photo_that_was_here_first_in_another_batch_is_named_with_it(sqlite_site: Site) -> None:
    content = jpeg()
    with sending(sqlite_site) as sender:
        sender.put("A/1.jpg", content)
        first = sender.batch
        sender.begin("second card")
        sender.put("B/9.jpg", content)
        html = page(sender, sender.batch)
        assert f'The same photo as <bdi>A/1.jpg</bdi> in <a href="{first}"><bdi>SD 4</bdi></a>. It counts once.' in html


@pytest.mark.parametrize(
    ("state", "reason", "badge"),
    [
        (REFUSED, "the file is empty", "Empty file"),
        (REFUSED, "this is an MP4 or MOV video, neither a JPEG nor a PNG photo", "A video"),
        (REFUSED, "more than 100 megapixels", "Too large"),
        (REFUSED, "the file is larger than 200 MB", "Too large"),
        (REFUSED, "an animated PNG, not a photo", "Not a photo"),
        (QUARANTINED, "ends too early: the copy from the card was cut", "Cut off"),
        (QUARANTINED, "its picture data is damaged", "Damaged"),
        (QUARANTINED, "words that nobody foresaw", "Damaged"),
        (REFUSED, "", "Not a photo"),
    ],
)
def test_every_reason_has_a_name_and_a_meaning(state: str, reason: str, badge: str) -> None:
    found = trouble(state, reason)
    assert found.badge == badge
    assert found.meaning.strip()
    assert "{" not in found.meaning


def test_sizes_are_said_in_words() -> None:
    sizes = {
        0: "0 bytes",
        999: "999 bytes",
        34_000: "34 KB",
        1_100_000: "1.1 MB",
        212_000_000: "212 MB",
        2_200_000_000: "2.2 GB",
    }
    assert {count: bytes_in_words(count) for count in sizes} == sizes
