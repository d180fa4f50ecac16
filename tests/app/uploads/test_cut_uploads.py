"""What breaks on the way leaves nothing behind: a cut connection, wrong bytes, a full disk, a server killed in between."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from app.main import create_app
from app.security.sessions import COOKIE
from models.batch import Batch
from models.errors import Busy
from models.settings import Settings
from tests.app.uploads.sending import Sending, jpeg, sending
from tests.conftest import Site, free_port


def cut(sender: Sending, content: bytes, sent: int) -> None:
    """Send the first bytes of a PUT over a bare socket and hang up."""
    head = (
        f"PUT {sender.batch}/files?path=cut.jpg HTTP/1.1\r\nHost: 127.0.0.1:{sender.site.port}\r\n"
        f"Origin: {sender.site.address}\r\nCookie: {COOKIE}={sender.token}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", sender.site.port)) as line:
        line.sendall(head.encode() + content[:sent])
        assert until(lambda: sender.stored() != []), "the server began to take it in"


@contextlib.contextmanager
def second_server(settings: Settings) -> Iterator[str]:
    """Another server over the same house, with other settings."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=settings.port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{settings.port}"
    server.should_exit = True
    thread.join(10)


def until(happens: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.02)
    return happens()


@pytest.mark.parametrize("sent", [0, 3, 64 << 10, 3 << 20])
def test_a_cut_upload_leaves_nothing_and_the_file_can_be_sent_again(sqlite_site: Site, sent: int) -> None:
    content = jpeg(size=(3 << 20) + 1)
    with sending(sqlite_site) as sender:
        cut(sender, content, sent)
        assert until(lambda: sender.stored() == [])
        assert sender.files() == {}
        assert sender.put("cut.jpg", content).json()["state"] == "here"


def test_an_upload_under_way_is_seen_by_nobody(sqlite_site: Site) -> None:
    content = jpeg(size=3 << 20)
    with sending(sqlite_site) as sender:
        head = (
            f"PUT {sender.batch}/files?path=slow.jpg HTTP/1.1\r\nHost: 127.0.0.1:{sqlite_site.port}\r\n"
            f"Origin: {sqlite_site.address}\r\nCookie: {COOKIE}={sender.token}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", sqlite_site.port)) as line:
            line.sendall(head.encode() + content[: 2 << 20])
            assert until(lambda: len(sender.stored()) == 1)
            assert sender.stored()[0].startswith("staging/")
            assert sender.files() == {}
            # no session of the database is open meanwhile: somebody else's file is written at once
            assert sender.put("other.jpg", jpeg()).status_code == 200
            line.sendall(content[2 << 20 :])
            assert b"200 OK" in line.recv(1000)
        assert set(sender.files()) == {"other.jpg", "slow.jpg"}


def test_more_or_fewer_bytes_than_announced_are_not_kept(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        for announced in ("1999", "2001"):
            answer = sender.put("short.jpg", jpeg(), x_file_size=announced)
            assert answer.status_code == 422
            assert "Send it again" in answer.json()["error"]
        assert sender.files() == {}
        assert sender.stored() == []


def test_other_bytes_than_announced_are_not_kept(sqlite_site: Site) -> None:
    content = jpeg()
    with sending(sqlite_site) as sender:
        wrong = sender.put("a.jpg", content, x_content_sha256="0" * 64)
        assert (wrong.status_code, sender.files(), sender.stored()) == (422, {}, [])
        assert sender.put("a.jpg", content, x_content_sha256="no hash").status_code == 422
        right = sender.put("a.jpg", content, x_content_sha256=hashlib.sha256(content).hexdigest())
        assert right.json()["state"] == "here"


def test_an_empty_file_is_listed_as_empty(sqlite_site: Site) -> None:
    with sending(sqlite_site) as sender:
        assert sender.put("zero.jpg", b"").json() == {"state": "refused", "reason": "the file is empty"}
        assert sender.stored() == []


def test_a_body_without_an_announced_length_is_taken_whole(sqlite_site: Site) -> None:
    content = jpeg(size=200_000)
    pieces = (content[start : start + 7_000] for start in range(0, len(content), 7_000))
    with sending(sqlite_site) as sender:
        answer = sender.client.put(f"{sender.batch}/files", params={"path": "chunked.jpg"}, content=pieces)
        assert answer.json()["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_nearly_full_disk_takes_no_photos_but_goes_on_answering(sqlite_site: Site) -> None:
    settings = sqlite_site.settings.model_copy(update={"free_space_floor_mb": 1 << 40, "port": free_port()})
    with sending(sqlite_site) as sender, second_server(settings) as address:
        for _each in range(2):
            answer = sender.client.put(
                f"{address}{sender.batch}/files", params={"path": "a.jpg"}, content=jpeg(), headers={"origin": address}
            )
            assert answer.status_code == 507
            assert "The disk is nearly full" in answer.json()["error"]
        assert sender.client.get(f"{address}{sender.batch}", headers={"accept": "text/html"}).status_code == 200
        form = {"files": ("card/a.jpg", jpeg())}
        answer = sender.client.post(
            f"{address}/projects/{sender.project_id}/upload", files=form, headers={"origin": address}
        )
        assert answer.status_code == 507
        assert sender.stored() == []


def test_a_server_killed_between_file_and_row_leaves_a_file_that_harms_nobody(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = jpeg()
    with sending(sqlite_site) as sender:
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "receive", died)
            assert sender.put("a.jpg", content).status_code == 503
        assert sender.stored() == [hashlib.sha256(content).hexdigest()]
        assert sender.missing({"path": "a.jpg", "size": len(content)})["needed"] == ["a.jpg"]
        assert sender.put("a.jpg", content).json()["state"] == "here"
        assert len(sender.stored()) == 1


def died(*_args: object) -> None:
    raise Busy("the power went")
