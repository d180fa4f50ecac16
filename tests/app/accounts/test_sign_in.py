"""Getting in: right and wrong, how often, from where, and what a token is worth afterwards."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select

from app.security.sessions import COOKIE
from models.base import utc_now
from models.session import ABSOLUTE, IDLE, UserSession, token_hash
from models.user import User
from tests import make
from tests.conftest import Site


def person(site: Site, name: str = "Maria Quispe") -> str:
    """An account; returns its address."""
    with site.database.writing() as session:
        return make.user(session, name).email


def enter(client: httpx.Client, email: str, password: str = make.PASSWORD, **more: str) -> httpx.Response:
    """Send the sign-in form."""
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def token_in(answer: httpx.Response) -> str:
    """The token of the cookie that an answer sets."""
    return answer.headers["set-cookie"].split(f"{COOKIE}=")[1].split(";")[0]


def is_in(site: Site, token: str) -> bool:
    """Whether a token opens a page."""
    with site.client(token, accept="text/html") as client:
        return client.get("/account").status_code == 200


def test_the_right_password_lets_in(site: Site) -> None:
    email = person(site)
    with site.client(accept="text/html") as client:
        answer = enter(client, email.upper())
    assert (answer.status_code, answer.headers["location"]) == (303, "/projects")
    assert is_in(site, token_in(answer))


def test_the_cookie_is_of_this_host_only_and_hidden_from_scripts(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        cookie = enter(client, person(sqlite_site)).headers["set-cookie"].lower()
    assert cookie.startswith("__host-")
    assert {"httponly", "secure", "path=/", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "domain=" not in cookie


def test_a_wrong_password_says_how_many_tries_are_left(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client(accept="text/html") as client:
        first, second = enter(client, email, "wrong"), enter(client, email, "wrong again")
    assert first.status_code == 422
    assert "Email and password do not belong together. 4 tries are left." in first.text
    assert 'aria-invalid="true" aria-describedby="sign-in-password-error"' in first.text
    assert f'value="{email}"' in first.text
    assert "wrong" not in first.text
    assert "3 tries are left." in second.text
    assert "set-cookie" not in second.headers


def test_an_unknown_person_is_told_the_same_as_a_known_one(site: Site) -> None:
    for email in ("nobody@example.org", "", "no address", "a\x00b@example.org", "x" * 5000, "=1+1@[::]"):
        with site.client(accept="text/html") as client:
            answer = enter(client, email)
        assert answer.status_code == 422
        assert "Email and password do not belong together. 4 tries are left." in answer.text


@pytest.mark.usefixtures("real_hashes")
def test_an_unknown_person_waits_as_long_as_a_known_one(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        known = [make.user(session).email for _ in range(5)]

    def seconds(email: str) -> float:
        began = time.perf_counter()
        enter(client, email, "wrong password")
        return time.perf_counter() - began

    with sqlite_site.client() as client:
        ratio = statistics.median(map(seconds, known)) / statistics.median(seconds(f"no.{email}") for email in known)
    assert 0.4 < ratio < 2.5  # without a hash for nobody it is above 5


def test_a_disabled_person_does_not_get_in_and_is_out_at_once(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client() as client:
        token = token_in(enter(client, email))
        with sqlite_site.database.writing() as session:
            session.scalars(select(User).where(User.email == email)).one().disabled_at = utc_now()
        assert not is_in(sqlite_site, token)
        assert enter(client, email).status_code == 422


def test_after_five_wrong_passwords_even_the_right_one_waits(sqlite_site: Site) -> None:
    email, other = person(sqlite_site), person(sqlite_site, "Jonas Weber")
    with sqlite_site.client(accept="text/html") as client:
        wrong = [enter(client, email, "wrong").status_code for _ in range(5)]
        answer = enter(client, email)
        assert wrong == [422] * 5
        assert answer.status_code == 429
        assert "Too many tries. Wait 10 minutes, or ask your administrator." in answer.text
        assert "set-cookie" not in answer.headers
        assert enter(client, other).status_code == 303


def test_another_address_still_gets_in(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
    headers = {"origin": sqlite_site.address, "accept": "application/json"}
    with (
        sqlite_site.client() as client,
        httpx.Client(base_url=sqlite_site.address, headers=headers, transport=elsewhere, timeout=30) as other,
    ):
        for _ in range(6):
            enter(client, email, "wrong")
        assert enter(client, email).status_code == 429
        assert enter(other, email).status_code == 303


def test_a_right_password_gives_the_tries_back(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client() as client:
        for _ in range(3):
            enter(client, email, "wrong")
        assert enter(client, email).status_code == 303
        assert "4 tries" in enter(client, email, "wrong").json()["error"]


def test_a_token_planted_before_the_sign_in_is_worth_nothing(sqlite_site: Site) -> None:
    email, planted = person(sqlite_site), "planted-by-somebody-else"
    with sqlite_site.client(planted) as client:
        given = token_in(enter(client, email))
    assert given != planted
    assert not is_in(sqlite_site, planted)
    assert is_in(sqlite_site, given)


def test_each_sign_in_has_its_own_token_and_ends_the_one_before_in_this_browser(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client() as client:
        first = token_in(enter(client, email))
    with sqlite_site.client(first) as client:
        second = token_in(enter(client, email))
    assert second != first
    assert is_in(sqlite_site, second)
    assert not is_in(sqlite_site, first)


def test_a_token_kept_after_signing_out_opens_nothing(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        who = make.user(session)
        token, elsewhere = make.token(session, who), make.token(session, who)
    with sqlite_site.client(token, accept="text/html") as client:
        answer = client.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert not is_in(sqlite_site, token)
    assert is_in(sqlite_site, elsewhere)


def test_signing_out_twice_does_no_harm(sqlite_site: Site) -> None:
    with sqlite_site.client("no-such-token") as client:
        assert client.post("/sign-out").status_code == 303


def test_a_sign_in_ends_when_idle_and_in_any_case_after_half_a_day(sqlite_site: Site) -> None:
    now, minute = dt.timedelta(), dt.timedelta(minutes=1)
    for created, seen, alive in (
        (now, now, True),
        (ABSOLUTE - minute, now, True),
        (ABSOLUTE + minute, now, False),
        (IDLE, IDLE - minute, True),
        (IDLE + minute, IDLE + minute, False),
    ):
        with sqlite_site.database.writing() as session:
            token = make.token(session, make.user(session))
            row = session.scalars(select(UserSession).where(UserSession.token_sha256 == token_hash(token))).one()
            row.created_at, row.last_seen_at = utc_now() - created, utc_now() - seen
        assert is_in(sqlite_site, token) is alive, (created, seen)


def test_after_signing_in_one_stays_on_this_site(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    for wanted, goes in (
        ("/projects/3/label?box=4", "/projects/3/label?box=4"),
        ("", "/projects"),
        ("//evil.example", "/projects"),
        ("/\\evil.example", "/projects"),
        ("/\t/evil.example", "/projects"),
        ("https://evil.example", "/projects"),
        ("evil.example", "/projects"),
        ("javascript:alert(1)", "/projects"),
        ("/a\r\nset-cookie: x=1", "/projects"),
    ):
        with sqlite_site.client(accept="text/html") as client:
            shown = client.get("/sign-in", params={"next": wanted}).text
            answer = enter(client, email, next=wanted)
        assert answer.headers["location"] == goes, wanted
        assert f'name="next" value="{goes}"' in shown


def test_somebody_who_is_in_is_not_asked_again(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        token = make.token(session, make.user(session))
    with sqlite_site.client(token, accept="text/html") as client:
        answer = client.get("/sign-in?next=/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")


def test_a_hundred_tries_at_the_same_moment_are_a_hundred_tries(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client() as client, ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda number: enter(client, email, f"guess {number}").status_code, range(20)))
    assert statuses.count(422) == 5
    assert statuses.count(429) == 15


def test_who_was_sent_to_sign_in_comes_back_to_the_very_page(sqlite_site: Site) -> None:
    email = person(sqlite_site)
    with sqlite_site.client(accept="text/html") as client:
        sent = client.get("/account?saved=name&x=%26").headers["location"]
        shown = client.get(sent).text
        answer = enter(client, email, next="/account?saved=name&x=%26")
    assert sent == "/sign-in?next=/account%3Fsaved%3Dname%26x%3D%2526"
    assert 'name="next" value="/account?saved=name&amp;x=%26"' in shown
    assert answer.headers["location"] == "/account?saved=name&x=%26"
