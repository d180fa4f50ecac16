"""One's own account: name, colours, password, out of every browser."""

from __future__ import annotations

from markupsafe import escape

from models.user import User
from tests import make
from tests.app.accounts.test_sign_in import enter, is_in
from tests.conftest import Site

NEW = "another tall grass"


def signed_in(site: Site) -> tuple[int, str, str]:
    """Id, address and token of somebody."""
    with site.database.writing() as session:
        who = make.user(session)
        return who.id, who.email, make.token(session, who)


def test_a_name_is_text_whatever_it_is(sqlite_site: Site) -> None:
    user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.client(token, accept="text/html") as client:
        for name in ('<script>alert("1")</script>', "=1+1", "مها", "👩‍🌾", "{{ 7*7 }}"):
            assert client.post("/account/name", data={"name": name}).status_code == 303
            shown = client.get("/account").text
            assert "<script>alert" not in shown
            assert f"<bdi>{escape(name)}</bdi>" in shown
            with sqlite_site.database.reading() as session:
                assert session.get_one(User, user_id).name == name


def test_a_bad_name_stands_at_its_field_and_changes_nothing(sqlite_site: Site) -> None:
    user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.client(token, accept="text/html") as client:
        for name in ("", "   ", "x" * 201, "a\x00b", "a\x1bb"):
            answer = client.post("/account/name", data={"name": name})
            assert answer.status_code == 422
            assert 'aria-describedby="name-name-error name-name-help"' in answer.text
    with sqlite_site.database.reading() as session:
        assert session.get_one(User, user_id).name.startswith("Person")


def test_the_chosen_colours_are_on_every_page(sqlite_site: Site) -> None:
    _user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.client(token, accept="text/html") as client:
        assert "data-theme" not in client.get("/account").text
        assert client.post("/account/theme", data={"theme": "dark"}).status_code == 303
        assert 'data-theme="dark"' in client.get("/account").text
        assert client.post("/account/theme", data={"theme": '"><script>'}).status_code == 422
        assert 'data-theme="dark"' in client.get("/account").text


def test_a_new_password_needs_the_old_one_and_ends_the_other_sign_ins(sqlite_site: Site) -> None:
    _user_id, email, token = signed_in(sqlite_site)
    with sqlite_site.client() as elsewhere:
        other = enter(elsewhere, email).headers["set-cookie"].split("=", 1)[1].split(";")[0]
    with sqlite_site.client(token, accept="text/html") as client:
        wrong = client.post("/account/password", data={"old_password": "no", "password": NEW})
        assert wrong.status_code == 422
        assert "This is not your password. 4 tries are left." in wrong.text
        short = client.post("/account/password", data={"old_password": make.PASSWORD, "password": "short"})
        assert "10 to 1,000 characters" in short.text
        assert is_in(sqlite_site, other)
        right = client.post("/account/password", data={"old_password": make.PASSWORD, "password": NEW})
        assert right.status_code == 303
    renewed = right.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    assert not is_in(sqlite_site, other)
    assert not is_in(sqlite_site, token)
    assert is_in(sqlite_site, renewed)
    with sqlite_site.client() as client:
        assert enter(client, email).status_code == 422
        assert enter(client, email, NEW).status_code == 303


def test_the_old_password_cannot_be_guessed_there_either(sqlite_site: Site) -> None:
    _user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.client(token, accept="text/html") as client:
        for guess in range(5):
            client.post("/account/password", data={"old_password": f"guess {guess}", "password": NEW})
        answer = client.post("/account/password", data={"old_password": make.PASSWORD, "password": NEW})
    assert answer.status_code == 422
    assert "Too many tries." in answer.text


def test_signing_out_everywhere_ends_every_browser(sqlite_site: Site) -> None:
    user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.database.writing() as session:
        other = make.token(session, session.get_one(User, user_id))
    with sqlite_site.client(token) as client:
        assert client.post("/account/sign-out-everywhere").headers["clear-site-data"] == '"cache"'
    assert not is_in(sqlite_site, token)
    assert not is_in(sqlite_site, other)


def test_nobody_changes_an_account_without_being_signed_in(sqlite_site: Site) -> None:
    with sqlite_site.client() as client:
        for path in ("name", "theme", "password", "sign-out-everywhere"):
            assert client.post(f"/account/{path}", data={"name": "x", "old_password": "x"}).status_code == 401
        assert client.get("/account").status_code == 401


def test_a_script_keeps_keys_and_light_and_hears_what_is_wrong(sqlite_site: Site) -> None:
    user_id, _email, token = signed_in(sqlite_site)
    with sqlite_site.client(token) as client:
        assert client.post("/account/keys", data={}).json() == {}
        assert client.post("/account/light", data={"bright": "-100", "contrast": "40"}).json() == {}
        for wrong in ({"bright": "101"}, {"contrast": "-101"}, {"bright": "much"}, {"bright": "1e2"}):
            answer = client.post("/account/light", data=wrong)
            assert answer.status_code == 422
            assert answer.json()["error"].startswith(next(iter(wrong)))
        page = client.get("/account").text
        assert 'data-letters="off" data-bright="-100" data-contrast="40"' in page
    with sqlite_site.database.reading() as session:
        kept = session.get_one(User, user_id)
        assert (kept.letters, kept.bright, kept.contrast) == (False, -100, 40)
    with sqlite_site.client() as nobody:
        assert "data-letters" not in nobody.get("/sign-in").text
        assert nobody.post("/account/light", data={"bright": "1"}).status_code == 401
