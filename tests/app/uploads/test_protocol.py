"""A script brings a folder in: begin, ask what is missing, send, finish; and again after the connection broke."""

from __future__ import annotations

import hashlib
import threading

from sqlalchemy import select

from models.batch import Batch
from models.job import Job
from models.settings import Settings
from tests.app.uploads.sending import jpeg, sending
from tests.conftest import Site


def asked(path: str, content: bytes) -> dict[str, object]:
    return {"path": path, "size": len(content)}


def test_a_folder_comes_in_and_its_bytes_are_kept_as_they_came(sqlite_site: Site) -> None:
    photos = {f"Camera {camera}/IMG_{number}.JPG": jpeg() for camera in "AB" for number in range(3)}
    with sending(sqlite_site) as sender:
        wanted = sender.missing(*(asked(path, content) for path, content in photos.items()))
        assert wanted["needed"] == list(photos)
        for path, content in photos.items():
            answer = sender.put(path, content)
            assert answer.status_code == 200
            assert answer.json() == {
                "state": "here", "reason": "", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)
            }  # fmt: skip
        there = sender.finish().json()["address"]
        assert there == sender.batch
        assert {image.path for image in sender.images()} == set(photos)
        for content in photos.values():
            assert sqlite_site.store.original(hashlib.sha256(content).hexdigest()).read_bytes() == content
        with sqlite_site.database.reading() as session:
            job = session.scalars(select(Job)).one()
            assert (job.kind, job.total, job.arguments["batch_id"]) == ("ingest", 6, sender.batch_id)


def test_finishing_asks_one_job_and_finishing_again_asks_none(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        sender.put("a.jpg", jpeg())
        assert sender.finish().status_code == 200
        assert sender.finish().status_code == 200
        with sqlite_site.database.reading() as session:
            assert len(session.scalars(select(Job)).all()) == 1


def test_a_resumed_upload_sends_only_what_is_missing(site: Site) -> None:
    photos = {f"IMG_{number}.JPG": jpeg() for number in range(4)}
    everything = [asked(path, content) for path, content in photos.items()]
    with sending(site) as sender:
        first = sender.begin("SD 7", files=4, bytes=8000)
        for path in ("IMG_0.JPG", "IMG_2.JPG"):
            sender.put(path, photos[path])
        sender.put("notes.txt", b"written in the field")
        again = sender.begin("SD 7", files=5, bytes=9000)
        assert again["id"] == first["id"]
        answer = sender.missing(*everything, asked("notes.txt", b"written in the field"))
        assert answer["needed"] == ["IMG_1.JPG", "IMG_3.JPG"]
        assert answer["known"] == 3
        changed = sender.missing({"path": "IMG_0.JPG", "size": 2001})
        assert changed["needed"] == ["IMG_0.JPG"]


def test_beginning_twice_under_one_key_is_beginning_once(sqlite_site: Site) -> None:
    with sending(sqlite_site, begin=False) as sender:
        one = sender.begin("SD 8", key="the-same-key")
        sender.finish()
        assert sender.begin("SD 8", key="the-same-key") == one
        assert sender.begin("SD 8", key="another-key")["id"] != one["id"]
        other = {"name": "SD 9", "idempotency_key": "the-same-key"}
        assert sender.client.post(f"/projects/{sender.project_id}/batches", json=other).status_code == 422


def test_an_unfinished_batch_of_somebody_else_is_not_gone_on_with(sqlite_site: Site) -> None:
    with sending(sqlite_site) as one:
        one.begin("DCIM")
        with sqlite_site.database.writing() as session:
            batch = Batch.start(session, one.project_id, "DCIM", by=None)
        assert one.begin("DCIM")["id"] == one.batch_id != batch.id


def test_bytes_that_the_project_has_are_recorded_by_their_hash_without_being_sent(site: Site) -> None:
    content = jpeg()
    digest = hashlib.sha256(content).hexdigest()
    with sending(site) as sender:
        sender.put("A/IMG_1.JPG", content)
        sender.begin("another card")
        answer = sender.missing(
            {"path": "B/IMG_9.JPG", "size": len(content), "sha256": digest},
            {"path": "B/IMG_10.JPG", "size": len(content), "sha256": "0" * 64},
        )
        assert answer["duplicates"] == 1
        assert answer["needed"] == ["B/IMG_10.JPG"]
        assert sender.files() == {"B/IMG_9.JPG": ("duplicate", "the same photo as A/IMG_1.JPG")}


def test_the_same_bytes_under_two_names_are_one_photo_and_a_duplicate(sqlite_site: Site) -> None:
    content = jpeg()
    with sending(sqlite_site) as sender:
        assert sender.put("A/IMG_1.JPG", content).json()["state"] == "here"
        assert sender.put("B/copy.JPG", content).json()["state"] == "duplicate"
        assert sender.put("A/IMG_1.JPG", content).json()["state"] == "here"
        assert len(sender.images()) == 1
        assert sender.files()["B/copy.JPG"] == ("duplicate", "the same photo as A/IMG_1.JPG")
        shown = sender.client.get(sender.batch, headers={"accept": "text/html"}).text
        assert "The same photo as <bdi>A/IMG_1.JPG</bdi>" in shown


def test_equal_names_in_two_folders_are_two_photos(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        sender.put("100MEDIA/IMG_0001.JPG", jpeg())
        sender.put("101MEDIA/IMG_0001.JPG", jpeg())
        assert [image.path for image in sender.images()] == ["100MEDIA/IMG_0001.JPG", "101MEDIA/IMG_0001.JPG"]


def test_eight_at_once_with_equal_bytes_make_one_photo(site: Site) -> None:
    content = jpeg()
    with sending(site) as sender:
        said: list[str] = []
        gate = threading.Barrier(8)

        def send(number: int) -> None:
            with site.client(sender.token) as client:
                gate.wait()
                answer = client.put(f"{sender.batch}/files", params={"path": f"{number}.jpg"}, content=content)
                said.append(answer.json().get("state", answer.text))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) == ["duplicate"] * 7 + ["here"]
        assert len(sender.images()) == 1
        assert len(sender.files()) == 8
        assert sender.stored() == [hashlib.sha256(content).hexdigest()]


def test_eight_at_once_with_one_name_and_other_bytes_lose_nothing(site: Site) -> None:
    with sending(site) as sender:
        statuses: list[int] = []

        def send(content: bytes) -> None:
            with site.client(sender.token) as client:
                statuses.append(
                    client.put(f"{sender.batch}/files", params={"path": "IMG.jpg"}, content=content).status_code
                )

        threads = [threading.Thread(target=send, args=(jpeg(),)) for _each in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 8
        assert len(sender.images()) == 8
        assert len(sender.files()) == 8
        assert "IMG.jpg (older, 1)" in sender.files()


def test_what_lies_on_cards_beside_photos_is_passed_over_without_a_word(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        side_files = (".DS_Store", "A/._IMG_0001.JPG", "A/Thumbs.db", "__MACOSX/A/x.jpg", "A/desktop.ini")
        answer = sender.missing(*({"path": path, "size": 5} for path in (*side_files, "A/IMG_0001.JPG")))
        assert answer["needed"] == ["A/IMG_0001.JPG"]
        assert answer["passed_over"] == len(side_files)
        assert sender.files() == {}


def test_a_question_about_too_many_files_is_refused(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        many = [{"path": f"{number}.jpg", "size": 1} for number in range(2001)]
        assert sender.client.post(f"{sender.batch}/missing", json=many).status_code == 422
        assert len(sender.missing(*many[:2000])["needed"]) == 2000


def test_a_video_is_refused_with_its_reason_and_the_batch_goes_on(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        video = b"RIFF\x00\x00\x00\x00AVI LIST" + b"\x00" * 300_000
        answer = sender.put("MOV_1.AVI", video)
        assert answer.status_code == 422
        assert answer.json() == {"state": "refused", "reason": "this is an AVI video, neither a JPEG nor a PNG photo"}
        assert sender.put("IMG_1.JPG", jpeg()).status_code == 200
        assert sender.files()["MOV_1.AVI"][0] == "refused"
        assert len(sender.stored()) == 1


def test_the_beginning_of_a_refused_file_is_enough_and_its_size_is_kept(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        head = b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100
        assert sender.put("big.mp4", head, x_file_size="5000000000").status_code == 413
        assert sender.put("clip.mp4", head, x_file_size="5000000").json()["state"] == "refused"
        assert sender.missing({"path": "clip.mp4", "size": 5_000_000})["known"] == 1


def test_a_file_over_the_limit_is_listed_and_nothing_of_it_is_kept(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        over = Settings(_env_file=None).max_photo_mb * (1 << 20) + 1
        answer = sender.put("pano.jpg", jpeg(), x_file_size=str(over))
        assert answer.status_code == 413
        assert sender.files()["pano.jpg"] == ("refused", "the file is larger than 200 MB")
        assert sender.stored() == []
