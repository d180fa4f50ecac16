"""The people of an installation: made, handed a link, disabled and let back in by its administrators only."""

from __future__ import annotations

import re

import httpx
from sqlalchemy import select

from models.audit import AuditEntry
from models.lease import Lease
from models.round import Pick, take
from models.user import User
from tests import make
from tests.app.accounts.test_sign_in import enter, is_in, token_in
from tests.conftest import Site


def admin_of(site: Site) -> str:
    """The token of an administrator of the installation."""
    with site.database.writing() as session:
        return make.token(session, make.user(session, is_admin=True))


def somebody(site: Site) -> tuple[int, str, str]:
    """Id, address and token of anybody else."""
    with site.database.writing() as session:
        who = make.user(session)
        return who.id, who.email, make.token(session, who)


def link_in(answer: httpx.Response) -> str:
    """The one-time link on a page, as a path."""
    found = re.search(r'value="http://127\.0\.0\.1:\d+(/(?:join|reset)/[\w-]+)"', answer.text)
    assert found, answer.text
    return found[1]


def test_an_account_is_made_and_its_link_is_shown_once(sqlite_site: Site) -> None:
    with sqlite_site.client(admin_of(sqlite_site), accept="text/html") as client:
        answer = client.post("/people", data={"email": " Ana@Example.org ", "name": "Ana Prieto"})
        assert answer.status_code == 200
        path = link_in(answer)
        assert answer.headers["cache-control"] == "no-store"
        listed = client.get("/people").text
        assert "Ana Prieto" in listed
        assert "has not joined" in listed
        assert path not in listed
    with sqlite_site.client(accept="text/html") as anybody:
        assert anybody.post(path, data={"password": "tall grass at dawn"}).status_code == 303
        assert enter(anybody, "ana@example.org", "tall grass at dawn").status_code == 303
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(User).where(User.email == "ana@example.org")).one().is_admin is False
        noted = [(entry.act, entry.details) for entry in session.scalars(select(AuditEntry))]
        assert noted[0] == ("account.made", {"email": "ana@example.org", "is_admin": False})
        assert path.split("/")[-1] not in str(noted)


def test_a_bad_account_stands_at_its_field(sqlite_site: Site) -> None:
    with sqlite_site.client(admin_of(sqlite_site), accept="text/html") as client:
        client.post("/people", data={"email": "ana@example.org", "name": "Ana"})
        for email, name, words in (
            ("nonsense", "Bo", "is not an address"),
            ("ana@example.org", "Bo", "There is already an account for ana@example.org"),
            ("bo@example.org", "", "Between 1 and 200 characters"),
            ("b\x00@example.org", "Bo", "is not an address"),
        ):
            answer = client.post("/people", data={"email": email, "name": name})
            assert answer.status_code == 422
            assert words in answer.text
            assert answer.text.count('aria-invalid="true"') == 1
    with sqlite_site.database.reading() as session:
        assert len(session.scalars(select(User)).all()) == 2


def test_only_an_administrator_of_the_installation_sees_or_changes_people(sqlite_site: Site) -> None:
    user_id, email, token = somebody(sqlite_site)
    acts = [f"/people/{user_id}/{act}" for act in ("link", "disable", "enable", "sign-out")]
    with sqlite_site.client(token) as client, sqlite_site.client() as nobody:
        for one, status in ((client, 403), (nobody, 401)):
            assert one.get("/people").status_code == status
            assert one.post("/people", data={"email": "b@example.org", "name": "B"}).status_code == status
            assert [one.post(act).status_code for act in acts] == [status] * 4
    with sqlite_site.database.reading() as session:
        assert [each.email for each in session.scalars(select(User))] == [email]


def test_disabling_somebody_is_felt_at_once_and_can_be_taken_back(sqlite_site: Site) -> None:
    user_id, email, token = somebody(sqlite_site)
    with sqlite_site.client(admin_of(sqlite_site), accept="text/html") as client:
        assert is_in(sqlite_site, token)
        assert client.post(f"/people/{user_id}/disable").status_code == 303
        assert not is_in(sqlite_site, token)
        assert "disabled" in client.get("/people").text
        assert client.post(f"/people/{user_id}/enable").status_code == 303
    assert not is_in(sqlite_site, token)  # the old sign-in stays ended
    with sqlite_site.client() as back:
        assert enter(back, email).status_code == 303


def test_a_disabled_persons_crops_go_to_others(sqlite_site: Site) -> None:
    user_id, _email, _token = somebody(sqlite_site)
    with sqlite_site.database.writing() as session:
        project = make.project(session)
        image = make.image(session, make.batch(session, project))
        make.round_of(session, project, [make.box(session, image)])
        take(session, project, user_id, 1)
        pick_id = session.scalars(select(Pick.id)).one()
    with sqlite_site.client(admin_of(sqlite_site)) as client:
        client.post(f"/people/{user_id}/disable")
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(Lease).where(Lease.pick_id == pick_id)).one().is_live is False


def test_nobody_disables_the_own_account(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        admin = make.user(session, is_admin=True)
        user_id, token = admin.id, make.token(session, admin)
    with sqlite_site.client(token, accept="text/html") as client:
        answer = client.post(f"/people/{user_id}/disable")
        assert answer.status_code == 409
        assert "You cannot disable your own account" in answer.text
    assert is_in(sqlite_site, token)


def test_a_reset_link_is_made_for_somebody_with_a_password(sqlite_site: Site) -> None:
    user_id, email, token = somebody(sqlite_site)
    with sqlite_site.client(admin_of(sqlite_site), accept="text/html") as client:
        path = link_in(client.post(f"/people/{user_id}/link"))
    assert path.startswith("/reset/")
    assert is_in(sqlite_site, token)  # until the link is used
    with sqlite_site.client() as client:
        assert token_in(client.post(path, data={"password": "tall grass at dawn"}))
        assert enter(client, email, "tall grass at dawn").status_code == 303
    assert not is_in(sqlite_site, token)


def test_signing_somebody_out_everywhere_leaves_the_password(sqlite_site: Site) -> None:
    user_id, email, token = somebody(sqlite_site)
    with sqlite_site.client(admin_of(sqlite_site)) as client:
        assert client.post(f"/people/{user_id}/sign-out").status_code == 303
        assert not is_in(sqlite_site, token)
        assert enter(client, email).status_code == 303


def test_people_are_found_by_a_part_of_the_name_or_the_address(site: Site) -> None:
    with site.database.writing() as session:
        make.user(session, "Jonas Weber")
        make.user(session, "Maria_Quispe")
    with site.client(admin_of(site), accept="text/html") as client:
        for find, seen in (
            ("WEBER", {"Jonas Weber"}),
            ("a_q", {"Maria_Quispe"}),
            ("%", set()),
            ("a\x00_q", {"Maria_Quispe"}),
        ):
            shown = client.get("/people", params={"find": find}).text
            assert {name for name in ("Jonas Weber", "Maria_Quispe") if f"<bdi>{name}</bdi>" in shown} == seen


def test_people_who_do_not_exist_are_not_found(site: Site) -> None:
    with site.client(admin_of(site)) as client:
        for user_id in (0, -1, 999_999, 2**31, 2**63, 10**30):
            assert client.post(f"/people/{user_id}/disable").status_code in (404, 422)
