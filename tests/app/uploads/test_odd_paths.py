"""Names of files from outside are data: hostile ones are refused with words, odd ones are kept, none is ever opened (RELIABILITY
section 7, groups 45 to 58)."""

from __future__ import annotations

import pytest

from tests.app.uploads.sending import jpeg, sending
from tests.conftest import Site

HOSTILE = [
    "../../etc/passwd", "..\\..\\x.jpg", "/abs/x.jpg", "C:\\x.jpg", "c:x.jpg", "\\\\host\\share\\x.jpg", "file:///x",
    "a/../../x.jpg", "a/./x.jpg", "a//x.jpg", "a/", "", ".", "..", "~/x.jpg",
    "nul\x00.jpg", "line\r\nSet-Cookie: a=b.jpg", "tab\t.jpg", "esc\x1b[31m.jpg",
    "a" * 256, "a/" * 600 + "x.jpg", "\N{ELEPHANT}" * 255,
]  # fmt: skip
ODD = [
    "%2e%2e%2fx.jpg", "%252e%252e%252f.jpg", "a" * 251 + ".jpg", ".jpg.jpg"[1:], " .jpg", "dot.", "space ", "CON", "NUL.jpg",
    "COM1", "LPT1.jpg", "AUX", "\u202egpj.exe", "zero\u200bwidth.jpg", "\u0410.jpg", "IMG_1.JPG", "img_1.jpg", "a.jpg.html",
    "a.php.jpg", "a.jpg;.html", "a.JPEG", "no extension", "-rf.jpg", "$(id).jpg", "`id`", ";ls", "{{7*7}}", "%s%n",
    "=cmd|'/c calc'!A1.jpg", "#", "?", "&", "+", "d/" * 100 + "deep.jpg", "<img src=x onerror=alert(1)>.jpg",
]  # fmt: skip


def test_a_hostile_path_is_refused_with_words_and_nothing_is_written(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        for path in HOSTILE:
            answer = sender.put(path, jpeg())
            assert answer.status_code == 422, path
            assert answer.json()["error"].startswith("path: "), path
        assert sender.files() == {}
        assert sender.stored() == []


def test_an_odd_path_is_kept_as_data_and_shown_as_text(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        for path in ODD:
            answer = sender.put(path, jpeg())
            assert answer.status_code == 200, (path, answer.text)
        assert set(sender.files()) == set(ODD)
        root = sqlite_site.store.root
        assert all(len(path.name) == 64 for path in (root / "originals").glob("*/*"))
        shown = sender.client.get(sender.batch, headers={"accept": "text/html"}).text
        assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in shown
        assert "<img src=x" not in shown


def test_bytes_that_are_no_text_become_characters_that_can_be_shown(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        for query in (
            "%c0%ae%c0%ae/x.jpg",
            "%ff%fe.jpg",
        ):  # the first: two dots, as an overlong encoding would write them
            assert sender.client.put(f"{sender.batch}/files?path={query}", content=jpeg()).status_code == 200
        assert set(sender.files()) == {"\ufffd\ufffd\ufffd\ufffd/x.jpg", "\ufffd\ufffd.jpg"}


def test_one_name_in_two_spellings_of_unicode_is_one_path(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        sender.put("cafe\u0301.jpg", jpeg())
        assert list(sender.files()) == ["caf\u00e9.jpg"]
        assert sender.missing({"path": "cafe\u0301.jpg", "size": 2000})["known"] == 1


def test_a_folder_with_an_impossible_name_in_it_still_comes_in(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        answer = sender.missing({"path": "a\nb.jpg", "size": 5}, {"path": "fine.jpg", "size": 5})
        assert answer["needed"] == ["fine.jpg"]
        assert [refused["path"] for refused in answer["refused"]] == ["a\nb.jpg"]
        assert [state for state, _reason in sender.files().values()] == ["refused"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "a\x00b"])
def test_a_batch_without_a_proper_name_is_not_begun(sqlite_site: Site, name: str) -> None:
    with sending(sqlite_site, begin=False) as sender:
        body = {"name": name, "idempotency_key": "a-fresh-key"}
        answer = sender.client.post(f"/projects/{sender.project_id}/batches", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("name: ")
