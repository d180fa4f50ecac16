"""The doors of the web server: cross-site writes, unknown pages, headers, strangers."""

from __future__ import annotations

from tests import make
from tests.conftest import Site


def test_a_write_from_another_site_is_refused(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        assert client.post("/sign-out", headers={"sec-fetch-site": "cross-site"}).status_code == 403
        assert client.post("/sign-out", headers={"origin": "http://evil.example"}).status_code == 403
        assert client.post("/sign-out", headers={"origin": "null"}).status_code == 403


def test_a_write_that_does_not_say_where_it_comes_from_is_refused(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        del client.headers["origin"]
        assert client.post("/sign-out").status_code == 403


def test_every_answer_forbids_foreign_scripts_and_frames(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        policy = client.get("/nowhere").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_another_host_name_is_not_answered(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400
        assert client.get("/healthz").json() == {"status": "ok"}


def test_a_stranger_who_asks_for_a_page_is_sent_to_sign_in(sqlite_site: Site) -> None:
    with sqlite_site.client(accept="text/html") as client:
        answer = client.get("/projects")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/projects"


def test_a_live_sign_in_is_let_in(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        token = make.token(session, make.user(session))
    with sqlite_site.client(token, accept="text/html") as client:
        assert client.get("/projects").status_code == 200
