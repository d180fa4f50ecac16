"""Members: let in, given another role, left out; and a project never stands without an administrator."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from models.audit import AuditEntry
from models.lease import Lease
from models.membership import Membership, Role
from models.project import Project
from models.round import Pick, take
from models.session import OneTimeLink
from models.user import User
from tests import make
from tests.conftest import Site


class Team:
    """A project with an administrator and an annotator."""

    def __init__(self, site: Site) -> None:
        """Everybody is signed in."""
        self.site = site
        with site.database.writing() as session:
            admin, other = make.user(session, "Maria Quispe"), make.user(session, "Jonas Weber")
            project = make.project(session, (admin, Role.admin), (other, Role.annotator))
            self.id, self.admin_id, self.other_id = project.id, admin.id, other.id
            self.admin = site.client(make.token(session, admin), accept="text/html")
            self.other = site.client(make.token(session, other), accept="text/html")
        self.path = f"/projects/{self.id}/settings/members"

    def roles(self) -> dict[int, str]:
        """Who has which role."""
        with self.site.database.reading() as session:
            rows = session.scalars(select(Membership).where(Membership.project_id == self.id))
            return {row.user_id: row.role for row in rows}

    def acts(self) -> list[tuple[str, dict[str, object]]]:
        """The history."""
        with self.site.database.reading() as session:
            return [(entry.act, entry.details) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_somebody_with_an_account_is_let_in(site: Site) -> None:
    team = Team(site)
    with site.database.writing() as session:
        guest_id = make.user(session, "Ana Prieto").id
    answer = team.admin.post(team.path, data={"email": "ANA.prieto@example.org ", "role": "expert"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/projects/{team.id}/settings?saved=members#members",
    )
    assert team.roles()[guest_id] == "expert"
    assert "Added Ana Prieto as expert" in team.admin.get(f"/projects/{team.id}/settings").text


def test_an_unknown_address_gets_an_account_and_a_link_that_is_shown_once(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    form = {"email": "ana@example.org", "role": "annotator", "name": "", "idempotency_key": "one-click-1"}
    answer = team.admin.post(team.path, data=form)
    assert answer.status_code == 200
    path = re.search(r'value="http://[\d.:]+(/join/[\w-]+)"', answer.text)
    assert path
    assert path[1] not in team.admin.get(f"/projects/{team.id}/settings").text
    with sqlite_site.client() as guest:
        joined = guest.post(path[1], data={"password": "tall grass at dawn"})
        guest.headers["cookie"] = joined.headers["set-cookie"].split(";")[0]
        assert guest.get(f"/projects/{team.id}/species.json").status_code == 200
        assert guest.post(team.path, data=form).status_code == 403
    assert path[1].removeprefix("/join/") not in str(team.acts())


def test_a_double_click_makes_one_account_whose_newest_link_works(site: Site) -> None:
    team = Team(site)
    form = {"email": "ana@example.org", "role": "viewer", "name": "Ana", "idempotency_key": "one-click-1"}
    links = [re.search(r"/join/[\w-]+", team.admin.post(team.path, data=form).text) for _ in range(2)]
    assert len(team.roles()) == 3
    assert [act for act, _details in team.acts()] == ["member.added"]
    with site.client() as guest:
        statuses = [guest.get(found[0]).status_code for found in links if found]
    assert statuses == [422, 200]


def test_nobody_gets_a_link_for_an_account_that_somebody_else_made(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    with sqlite_site.database.writing() as session:
        invited = make.user(session, "Invited Elsewhere", is_admin=True)
        invited.password_hash = None
    answer = team.admin.post(team.path, data={"email": "invited.elsewhere@example.org", "role": "viewer"})
    assert answer.status_code == 303
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(OneTimeLink)).all() == []


def test_what_cannot_be_let_in_stands_at_its_field(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    with sqlite_site.database.writing() as session:
        make.user(session, "Gone Away").disabled_at = make.utc_now()
    for form, field, words in (
        ({"email": "nonsense", "role": "viewer"}, "email", "is not an address"),
        ({"email": "", "role": "viewer"}, "email", "is not an address"),
        ({"email": "jonas.weber@example.org", "role": "admin"}, "email", "Jonas Weber is in the project already"),
        ({"email": "gone.away@example.org", "role": "viewer"}, "email", "is disabled"),
        ({"email": "b@example.org", "role": "owner"}, "role", "Choose administrator, expert, annotator or viewer"),
        ({"email": "b@example.org", "role": "viewer", "name": "x" * 201}, "name", "Between 1 and 200 characters"),
    ):
        answer = team.admin.post(team.path, data=form)
        assert answer.status_code == 422
        assert f'id="add-{field}-error"' in answer.text
        assert words in answer.text
    assert team.roles() == {team.admin_id: "admin", team.other_id: "annotator"}
    with sqlite_site.database.reading() as session:
        assert session.scalar(select(User).where(User.email == "b@example.org")) is None


def test_a_role_is_changed_and_felt_at_the_next_request(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    species = f"/projects/{team.id}/species"
    assert team.other.post(species, data={"name": "Puma"}).status_code == 303
    assert (
        team.admin.post(f"{team.path}/{team.other_id}/role", data={"role": "viewer", "was": "annotator"}).status_code
        == 303
    )
    assert team.other.post(species, data={"name": "Jaguar"}).status_code == 403
    shown = team.admin.get(f"/projects/{team.id}/settings").text
    assert "Changed the role of Jonas Weber" in shown
    assert "Role: <bdi>annotator</bdi> → <bdi>viewer</bdi>" in shown


def test_nobody_raises_the_own_role(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    for role in Role:
        with sqlite_site.database.writing() as session:
            Membership.grant(session, team.id, team.other_id, Role.expert)
        assert team.other.post(f"{team.path}/{team.other_id}/role", data={"role": role.value}).status_code == 403
    assert team.roles()[team.other_id] == "expert"


def test_who_saw_another_role_is_told(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    role = f"{team.path}/{team.other_id}/role"
    team.admin.post(role, data={"role": "expert", "was": "annotator"})
    answer = team.admin.post(role, data={"role": "viewer", "was": "annotator"})
    assert answer.status_code == 412
    assert "Somebody made Jonas Weber expert since you opened the page. Look again." in answer.text
    assert team.admin.post(role, data={"role": "expert", "was": "annotator"}).status_code == 303
    assert team.roles()[team.other_id] == "expert"


def test_the_last_administrator_stays_one(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    for act, form in (("role", {"role": "viewer"}), ("remove", {"name": "Maria Quispe"})):
        answer = team.admin.post(f"{team.path}/{team.admin_id}/{act}", data=form)
        assert answer.status_code == 409
        assert "A project needs an administrator. Make somebody else administrator first." in answer.text
    assert team.roles()[team.admin_id] == "admin"


def test_two_administrators_who_demote_each_other_leave_one(site: Site) -> None:
    team = Team(site)
    with site.database.writing() as session:
        Membership.grant(session, team.id, team.other_id, Role.admin)
    with ThreadPoolExecutor(2) as pool:
        demote = [(team.admin, team.other_id), (team.other, team.admin_id)]
        sent = list(pool.map(lambda who: who[0].post(f"{team.path}/{who[1]}/role", data={"role": "viewer"}), demote))
    assert sorted(answer.status_code for answer in sent) in ([303, 403], [303, 409])
    assert sorted(team.roles().values()) == ["admin", "viewer"]


def test_leaving_somebody_out_needs_the_name(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    remove = f"{team.path}/{team.other_id}/remove"
    assert "Type the name: Jonas Weber" in team.admin.get(remove).text
    for name in ("", "Jonas", "Maria Quispe"):
        answer = team.admin.post(remove, data={"name": name})
        assert answer.status_code == 422
        assert "Type Jonas Weber to leave this member out" in answer.text
    assert team.admin.post(remove, data={"name": "jonas  weber"}).status_code == 303
    assert team.other.get(f"/projects/{team.id}/settings").status_code == 404
    assert team.admin.post(remove, data={"name": "Jonas Weber"}).status_code == 404
    assert team.acts()[-1] == ("member.removed", {"name": "Jonas Weber", "role": "annotator"})


def test_what_was_said_stays_and_the_crops_on_the_desk_go_to_others(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    for act, form in (("role", {"role": "viewer"}), ("remove", {"name": "Jonas Weber"})):
        with sqlite_site.database.writing() as session:
            project = session.get_one(Project, team.id)
            image = make.image(session, make.batch(session, project))
            make.round_of(session, project, [make.box(session, image)])
            Membership.grant(session, team.id, team.other_id, Role.annotator)
            [(pick, lease)] = take(session, project, team.other_id, 1)
            pick.state = "open"
            lease_id = lease.id
        team.admin.post(f"{team.path}/{team.other_id}/{act}", data=form)
        with sqlite_site.database.writing() as session:
            assert not session.get_one(Lease, lease_id).is_live
            for pick in session.scalars(select(Pick)):
                pick.state = "answered"


def test_members_of_another_project_are_not_found_here(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    with sqlite_site.database.writing() as session:
        stranger = make.user(session)
        make.project(session, (stranger, Role.viewer))
        stranger_id = stranger.id
    for user_id in (stranger_id, 0, -1, 999_999, 2**63):
        assert team.admin.post(f"{team.path}/{user_id}/role", data={"role": "admin"}).status_code == 404
        assert team.admin.get(f"{team.path}/{user_id}/remove").status_code == 404


def test_fields_that_no_form_has_change_nothing(sqlite_site: Site) -> None:
    team = Team(sqlite_site)
    form = {
        "email": "ana@example.org",
        "role": "viewer",
        "is_admin": "true",
        "user_id": str(team.admin_id),
        "project_id": "7",
    }
    assert team.admin.post(team.path, data=form).status_code == 200
    with sqlite_site.database.reading() as session:
        assert session.scalars(select(User).where(User.email == "ana@example.org")).one().is_admin is False
    assert sorted(team.roles().values()) == ["admin", "annotator", "viewer"]
