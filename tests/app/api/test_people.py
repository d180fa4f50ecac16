"""People on photos stay blurred for scripts of every role; annotators do not hear what they are still to be asked about."""

from __future__ import annotations

import pytest

from models.box import Box
from models.membership import Membership, Role
from models.project import Project
from models.user import User
from tests import make
from tests.app.api.study import Study, client_of, key, token_of
from tests.app.images.test_privacy import PERSON, part, pixels, street
from tests.conftest import Site


@pytest.mark.parametrize("role", list(Role))
def test_a_walker_is_blurred_for_everybody(sqlite_site: Site, role: Role) -> None:
    here = street(sqlite_site)
    with sqlite_site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, here.project_id, who.id, role)
        token = token_of(session, who)
    with client_of(sqlite_site, token) as client:
        sharp = pixels(client.get(f"/photos/{here.image_id}/preview.jpg").content)
        plain = client.get(f"/photos/{here.image_id}").json()
        assert plain["people"] == "" and "?" not in plain["preview"]
        here.call("person")
        grey = client.get(f"/photos/{here.image_id}/preview.jpg")
        assert grey.headers["content-type"] == "image/svg+xml" and "blur" in here.jobs()
        here.blur()
        photo = client.get(f"/photos/{here.image_id}").json()
        assert photo["people"] == "person" and "?blur=" in photo["preview"]
        for address in (photo["preview"], photo["thumbnail"], f"/api/v1/boxes/{here.walker_id}/crop.jpg"):
            picture = client.get(f"{sqlite_site.address}{address}")
            assert (picture.status_code, picture.headers["cache-control"]) == (200, "no-store")
            opened = client.get(f"{sqlite_site.address}{address.split('?')[0]}?open=1")
            assert opened.content == picture.content
        blurred = pixels(client.get(photo["preview"].removeprefix("/api/v1")).content)
    assert part(blurred, PERSON, 0.02).std() < 0.5 * part(sharp, PERSON, 0.02).std()


def test_hidden_photos_are_grey(sqlite_site: Site) -> None:
    here = street(sqlite_site)
    here.set(hides_unseen=True)
    with sqlite_site.database.writing() as session:
        who = make.user(session)
        Membership.grant(session, here.project_id, who.id, Role.admin)
        token = token_of(session, who)
    with client_of(sqlite_site, token) as client:
        assert client.get(f"/photos/{here.image_id}").json()["people"] == "hidden"
        for path in (f"/photos/{here.image_id}/thumbnail.jpg", f"/boxes/{here.animal_id}/crop.jpg"):
            assert client.get(path).headers["content-type"] == "image/svg+xml"


def test_an_annotator_does_not_hear_a_name_before_the_own_answer(study: Study) -> None:
    with study.site.database.writing() as session:
        session.get_one(Project, study.project_id).consensus = "two-of-three"
        second = make.user(session)
        Membership.grant(session, study.project_id, second.id, Role.annotator)
        token = token_of(session, session.get_one(User, second.id))
    box_id = study.boxes[0]
    with study.calling("annotator") as first, client_of(study.site, token) as client:
        assert (
            first.post(f"/boxes/{box_id}/labels", json={"species": "Ocelot", "idempotency_key": key()}).status_code
            == 200
        )
        assert first.get(f"/boxes/{box_id}").json()["waits_for"] == "voice"
        with study.site.database.writing() as session:
            session.get_one(Box, box_id).guess_species_id = study.species["Ocelot"]
        quiet = client.get(f"/boxes/{box_id}").json()
        assert (quiet["species_id"], quiet["waits_for"], quiet["guess"]) == (None, None, None)
        assert client.get(f"/boxes/{box_id}/labels").json()["items"] == []
        for query in ({"state": "waits"}, {"guess": study.species["Ocelot"]}):
            assert client.get(f"{study.here}/boxes", params=query).json()["items"] == []
        asked = [
            each for each in client.post(f"{study.here}/leases", json={}).json()["crops"] if each["box"]["id"] == box_id
        ]
        assert [(each["blind"], each["guesses"], each["box"]["species_id"]) for each in asked] == [(True, [], None)]
        assert (
            client.post(f"/boxes/{box_id}/labels", json={"species": "Ocelot", "idempotency_key": key()}).status_code
            == 200
        )
        assert client.get(f"/boxes/{box_id}").json()["species_id"] == study.species["Ocelot"]
        assert len(client.get(f"/boxes/{box_id}/labels").json()["items"]) == 2
