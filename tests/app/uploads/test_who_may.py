"""Who may look at batches and who may bring photos in; and a right that is taken away while the bytes come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from models.membership import Membership, Role
from tests import make
from tests.app.uploads.sending import Sending, jpeg, sending
from tests.app.uploads.test_cut_uploads import until
from tests.conftest import Site

ACTORS = ["nobody", "stranger", "viewer", "annotator", "expert", "admin", "admin elsewhere"]
LOOK = {
    "nobody": 401,
    "stranger": 404,
    "viewer": 200,
    "annotator": 200,
    "expert": 200,
    "admin": 200,
    "admin elsewhere": 404,
}
SEND = {
    "nobody": 401,
    "stranger": 404,
    "viewer": 403,
    "annotator": 403,
    "expert": 403,
    "admin": 200,
    "admin elsewhere": 404,
}


def token_of(site: Site, project_id: int, actor: str) -> str | None:
    if actor == "nobody":
        return None
    with site.database.writing() as session:
        user = make.user(session)
        if actor in list(Role):
            Membership.grant(session, project_id, user.id, Role(actor))
        if actor == "admin elsewhere":
            make.project(session, (user, Role.admin))
        return make.token(session, user)


def test_every_door_of_the_uploads_opens_for_the_right_people_only(sqlite_site: Site) -> None:
    with sending(sqlite_site) as owner:
        of_project = f"/projects/{owner.project_id}"
        for actor in ACTORS:
            with sqlite_site.client(token_of(sqlite_site, owner.project_id, actor)) as client:
                looks = [client.get(f"{of_project}/batches"), client.get(owner.batch)]
                new = {"name": "mine", "idempotency_key": "somebodys-key"}
                sends = [
                    client.post(f"{of_project}/batches", json=new),
                    client.post(f"{owner.batch}/missing", json=[]),
                    client.put(f"{owner.batch}/files", params={"path": f"{actor}.jpg"}, content=jpeg()),
                    client.post(f"{owner.batch}/finish"),
                ]
                form = client.post(
                    f"{of_project}/upload",
                    files={"files": (f"form {actor}.jpg", jpeg())},
                    data={"idempotency_key": f"form-of-{actor}"},
                )
            assert [answer.status_code for answer in looks] == [LOOK[actor]] * 2, actor
            assert [answer.status_code for answer in sends] == [SEND[actor]] * 4, actor
            assert form.status_code == (303 if SEND[actor] == 200 else SEND[actor]), actor
        assert set(owner.files()) == {"admin.jpg"}
        assert len(owner.stored()) == 2


def test_a_batch_of_another_project_is_not_there(sqlite_site: Site) -> None:
    with sending(sqlite_site) as one, sending(sqlite_site) as other:
        foreign = f"/projects/{other.project_id}/batches/{one.batch_id}"
        assert other.client.get(foreign).status_code == 404
        assert other.client.put(f"{foreign}/files", params={"path": "a.jpg"}, content=jpeg()).status_code == 404
        assert other.client.post(f"{foreign}/finish").status_code == 404
        for number in (0, 1 << 62, 1 << 63, 1 << 200):
            assert other.client.get(f"/projects/{other.project_id}/batches/{number}").status_code in (404, 422)


def demote(session: object, sender: Sending) -> None:
    membership = session.scalars(select(Membership).where(Membership.project_id == sender.project_id)).one()  # type: ignore[attr-defined]
    membership.role = Role.viewer.value


def leave(session: object, sender: Sending) -> None:
    session.delete(session.scalars(select(Membership).where(Membership.project_id == sender.project_id)).one())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("change", "status"), [(demote, 403), (leave, 404)])
def test_a_right_that_is_taken_away_while_the_bytes_come_keeps_the_file_out(
    sqlite_site: Site, change: Callable[[object, Sending], None], status: int
) -> None:
    with sending(sqlite_site) as sender:

        def pieces() -> object:
            yield jpeg(size=100_000)
            assert until(lambda: sender.stored() != [])
            with sqlite_site.database.writing() as session:
                change(session, sender)
            yield b"the end"

        answer = sender.client.put(f"{sender.batch}/files", params={"path": "late.jpg"}, content=pieces())  # type: ignore[arg-type]
        assert answer.status_code == status
        assert sender.files() == {}
        assert sender.images() == []
