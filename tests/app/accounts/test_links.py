"""One-time links: they let in once, within a week, and whoever uses one is in."""

from __future__ import annotations

import datetime as dt
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from models.base import utc_now
from models.session import LINK_IS_SPENT, OneTimeLink
from models.user import User
from tests import make
from tests.app.accounts.test_sign_in import enter, is_in, token_in
from tests.conftest import Site

NEW = "another tall grass"


def link(site: Site, kind: str = "join", *, password: bool = False) -> tuple[str, str]:
    """Somebody's address, and the path of a new link."""
    with site.database.writing() as session:
        who = make.user(session)
        if not password:
            who.password_hash = None
        return who.email, f"/{kind}/{OneTimeLink.make(session, who, kind, by=None)}"


def test_a_join_link_sets_the_password_and_lets_in(site: Site) -> None:
    email, path = link(site)
    with site.client(accept="text/html") as client:
        shown = client.get(path)
        answer = client.post(path, data={"password": NEW})
        assert enter(client, email, NEW).status_code == 303
    assert shown.status_code == 200
    assert email in shown.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/projects")
    assert is_in(site, token_in(answer))


def test_a_link_works_once(sqlite_site: Site) -> None:
    email, path = link(sqlite_site)
    with sqlite_site.client(accept="text/html") as client:
        client.post(path, data={"password": NEW})
        for again in (client.get(path), client.post(path, data={"password": "a thief's password"})):
            assert again.status_code == 422
            assert LINK_IS_SPENT.rstrip(".") in again.text
        assert enter(client, email, "a thief's password").status_code == 422


def test_of_eight_who_use_a_link_at_the_same_moment_one_gets_in(site: Site) -> None:
    _email, path = link(site)
    with site.client() as client, ThreadPoolExecutor(8) as pool:
        sent = pool.map(lambda number: client.post(path, data={"password": f"{NEW} {number}"}).status_code, range(8))
        assert sorted(sent) == [303] + [422] * 7


def test_an_expired_link_says_whom_to_ask(sqlite_site: Site) -> None:
    _email, path = link(sqlite_site)
    with sqlite_site.database.writing() as session:
        session.scalars(select(OneTimeLink)).one().expires_at = utc_now() - dt.timedelta(seconds=1)
    with sqlite_site.client(accept="text/html") as client:
        assert "Ask your administrator for a new one" in client.get(path).text
        assert client.post(path, data={"password": NEW}).status_code == 422
        assert client.get("/join/never-was").status_code == 422


def test_looking_at_a_link_or_choosing_a_bad_password_does_not_use_it_up(sqlite_site: Site) -> None:
    _email, path = link(sqlite_site)
    with sqlite_site.client(accept="text/html") as client:
        short = client.post(path, data={"password": "short"})
        assert short.status_code == 422
        assert "10 to 1,000 characters" in short.text
        assert client.post(path).status_code == 422
        assert client.post(path, data={"password": "x" * 1001}).status_code == 422
        assert client.get(path).status_code == 200
        assert client.post(path, data={"password": NEW}).status_code == 303


def test_passwords_are_kept_to_the_last_letter(sqlite_site: Site) -> None:
    for password in (" leading space", "пароль слона 🐘", "x" * 1000, "x" * 73):
        email, path = link(sqlite_site)
        with sqlite_site.client() as client:
            client.post(path, data={"password": password})
            assert enter(client, email, password).status_code == 303
            assert enter(client, email, password[:-1]).status_code == 422
            assert enter(client, email, password + "x").status_code == 422


def test_a_reset_ends_the_old_password_and_every_sign_in_with_it(sqlite_site: Site) -> None:
    email, path = link(sqlite_site, "reset", password=True)
    with sqlite_site.client() as client:
        old = token_in(enter(client, email))
        client.post(path, data={"password": NEW})
        assert not is_in(sqlite_site, old)
        assert enter(client, email).status_code == 422
        assert enter(client, email, NEW).status_code == 303


def test_a_newer_link_ends_the_older_one(sqlite_site: Site) -> None:
    email, older = link(sqlite_site)
    with sqlite_site.database.writing() as session:
        OneTimeLink.make(session, session.scalars(select(User).where(User.email == email)).one(), "join", by=None)
    with sqlite_site.client() as client:
        assert client.get(older).status_code == 422


def test_a_disabled_persons_link_is_worth_nothing(sqlite_site: Site) -> None:
    email, path = link(sqlite_site)
    with sqlite_site.database.writing() as session:
        session.scalars(select(User).where(User.email == email)).one().disabled_at = utc_now()
    with sqlite_site.client() as client:
        assert client.post(path, data={"password": NEW}).status_code == 422


def test_no_log_line_has_a_token_or_a_password(
    sqlite_site: Site, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    email, path = link(sqlite_site)
    with sqlite_site.client() as client:
        client.post(path, data={"password": NEW}, headers={"origin": "http://evil.example"})
        client.post(path, data={"password": NEW})
        enter(client, email, "a wrong password")
    written = "".join(capfd.readouterr()) + "".join(
        record.getMessage() for record in caplog.records if record.name != "httpx"
    )
    assert "/join/..." in written
    for secret in (path.removeprefix("/join/"), NEW, "a wrong password"):
        assert secret not in written
