"""The list of projects and a new one."""

from __future__ import annotations

import uuid

import httpx
import pytest
import sqlalchemy as sa

from app.projects.overview import next_words, role_words
from app.projects.queries import projects_of
from models.audit import AuditEntry
from models.box import Box
from models.database import Database
from models.job import RUNNING
from models.membership import Membership, Role
from models.project import Project
from models.queue import ask
from models.round import Pick
from models.species import Species
from tests import make
from tests.app.exports.scene import say
from tests.conftest import Site
from tests.weights_files import weights_file


def form(**fields: str) -> dict[str, str]:
    return {"name": "Río Tambopata", "note": "", "species": "", "idempotency_key": uuid.uuid4().hex} | fields


@pytest.fixture
def admin_token(sqlite_site: Site) -> str:
    with sqlite_site.database.writing() as session:
        return make.token(session, make.user(session, "Maria Quispe", is_admin=True))


def test_a_line_says_what_is_there_and_what_waits(database: Database) -> None:
    with database.writing() as session:
        user, other = make.user(session), make.user(session)
        project = make.project(session, (user, Role.admin), (other, Role.annotator), name="b")
        batch = make.batch(session, project)
        photos = [make.image(session, batch, f"Cam {number}/1.jpg") for number in range(2)]
        make.image(session, batch, "Cam 0/2.jpg", state="waiting", captured_at=None)
        boxes = [make.box(session, photos[0]) for _ in range(4)]
        round_ = make.round_of(session, project, boxes)
        say(session, project.id, boxes[0], *make.species(session, project, "Jaguar"), user)
        session.query(Pick).filter_by(round_id=round_.id, box_id=boxes[0].id).one().state = "answered"
        make.project(session, (user, Role.viewer), name="A, empty")
        make.project(session, (other, Role.admin), name="not mine")
        session.flush()
        first, line = projects_of(session, user.id)
    assert (first.project.name, first.photos, first.cameras, first.cover_id) == ("A, empty", 0, 0, None)
    assert (role_words(first), next_words(first).words) == ("Viewer, only you", "No photos yet")
    assert (line.photos, line.waiting, line.cameras, line.answers) == (3, 1, 2, 1)
    assert role_words(line) == "Administrator, with 1 other"
    assert (line.round and (line.round.number, line.round.size, line.round.left)) == (1, 4, 3)
    assert (next_words(line).words, next_words(line).is_main) == ("3 left in round 1", True)
    assert line.cover_id == photos[0].id


def test_what_waits_follows_the_work(database: Database) -> None:
    with database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.admin))

        def words() -> str:
            session.flush()
            return next_words(projects_of(session, user.id)[0]).words

        assert words() == "Upload photos"
        photo = make.image(session, make.batch(session, project), state="waiting")
        assert words() == "1 photo waits"
        job = ask(session, "ingest", project.id, {}, total=100, line="Finding animals in card 1")
        job.state, job.done, job.rate_per_s = RUNNING, 40, 0.5
        assert words() == "Finding animals, about 2 minutes left"
        job.state, photo.state = "done", "ready"
        assert words() == "No animals found yet"
        say(session, project.id, make.box(session, photo), *make.species(session, project, "Jaguar"), user)
        assert words() == "Every crop has an answer"
        membership = Membership.of(session, project.id, user.id)
        assert membership is not None
        membership.role = Role.viewer.value
        assert words() == "You may look, not label"


def test_the_cover_is_the_surest_animal_and_never_a_photo_with_a_person(database: Database) -> None:
    with database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.admin))
        person = Species.of_kind(session, project.id, "person").id
        nothing = Species.of_kind(session, project.id, "not_animal").id
        batch = make.batch(session, project)
        for score, told in (
            (0.99, {"kind": "person"}),
            (0.98, {"settled_species_id": person}),
            (0.97, {"guess_species_id": person}),
        ):
            seen = make.image(session, batch)
            make.box(session, seen, score=1.0)
            make.box(session, seen, score=score, **told)
        make.box(session, make.image(session, batch), score=0.96, settled_species_id=nothing)
        wanted = make.image(session, batch)
        make.box(session, wanted, score=0.5)
        make.box(session, make.image(session, batch), score=0.4)
        assert projects_of(session, user.id)[0].cover_id == wanted.id


def test_the_list_asks_as_often_for_twenty_projects_as_for_one(sqlite_site: Site) -> None:
    asked: list[str] = []
    sa.event.listen(
        sqlite_site.database.engine, "before_cursor_execute", lambda *event: asked.append(event[2]), named=False
    )
    with sqlite_site.database.writing() as session:
        one, many = make.user(session), make.user(session)
        make.project(session, (one, Role.admin))
        for _ in range(20):
            make.project(session, (many, Role.admin))
        one_id, many_id = one.id, many.id
    counts = []
    for user_id in (one_id, many_id):
        with sqlite_site.database.reading() as session:
            asked.clear()
            projects_of(session, user_id)
            counts.append(len(asked))
    assert counts[0] == counts[1]


def test_somebody_without_a_project_is_told_what_to_do(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        token = make.token(session, make.user(session))
    with sqlite_site.client(token, accept="text/html") as client:
        text = client.get("/projects").text
        assert "You are not in a project yet. Make one, or ask an administrator to add you." in text
        assert "New project" not in text
        assert client.get("/projects/new").status_code == 403
        assert client.post("/projects", data=form()).status_code == 403
    with sqlite_site.database.reading() as session:
        assert session.query(Project).count() == 0


def test_a_new_project_has_its_maker_as_administrator_and_its_species(site: Site) -> None:
    with site.database.writing() as session:
        user = make.user(session, "Maria Quispe", is_admin=True)
        token, user_id = make.token(session, user), user.id
    with site.client(token, accept="text/html") as client:
        assert "Make the project" in client.get("/projects/new").text
        sent = form(note="Card of July", species="Jaguar; Panthera onca\r\n\r\nLowland paca\r\n jaguar \r\n")
        answer = client.post("/projects", data=sent)
        again = client.post("/projects", data=sent)
        page = client.get(answer.headers["location"]).text
    assert answer.status_code == again.status_code == 303
    assert answer.headers["location"] == again.headers["location"]
    assert "Card of July" in page
    with site.database.reading() as session:
        project = session.query(Project).one()
        assert answer.headers["location"] == f"/projects/{project.id}"
        assert Membership.require(session, project.id, user_id, Role.admin)
        assert project.strategy == "margin_spread"
        taxa = session.query(Species).filter_by(project_id=project.id, kind="taxon").order_by(Species.id)
        assert [(each.name, each.scientific_name, each.hotkey) for each in taxa] == [
            ("Jaguar", "Panthera onca", "1"), ("Lowland paca", "", "2"),
        ]  # fmt: skip
        assert session.query(AuditEntry).filter_by(project_id=project.id, act="project.started").count() == 1


def test_a_project_is_given_the_weights_that_are_chosen_for_it(sqlite_site: Site, admin_token: str) -> None:
    weights_file(sqlite_site.settings.weights, "resnet50", "embedder", about="wants a GPU")
    weights_file(sqlite_site.settings.weights, "large", "detector")
    (sqlite_site.settings.weights / "broken.safetensors").write_bytes(b"nothing")
    with sqlite_site.client(admin_token, accept="text/html") as client:
        shown = client.get("/projects/new").text
        assert '<option value="resnet50">resnet50 (wants a GPU)</option>' in shown and "broken" not in shown
        assert client.post("/projects", data=form(detector="large", embedder="resnet50")).status_code == 303
        refused = client.post("/projects", data=form(name="another", detector="resnet50"))
        assert refused.status_code == 422 and "is not among the weights of this installation" in refused.text
    with sqlite_site.database.reading() as session:
        assert [(each.detector, each.embedder) for each in session.query(Project)] == [("large", "resnet50")]


REFUSED = [
    ({"name": "  "}, "Between 1 and 200 characters"),
    ({"name": "taken"}, "There is already a project called taken"),
    ({"name": "a\0b"}, "a character that cannot be shown"),
    ({"species": "Jaguar\n" + "x" * 201}, "Line 2"),
    ({"note": "x" * 2001}, "At most 2,000 characters"),
    ({"idempotency_key": ""}, "idempotency_key"),
]


def test_a_form_that_cannot_be_taken_comes_back_with_what_was_typed(sqlite_site: Site, admin_token: str) -> None:
    with sqlite_site.database.writing() as session:
        make.project(session, name="taken")
    with sqlite_site.client(admin_token, accept="text/html") as client:
        for fields, said in REFUSED:
            answer = client.post("/projects", data=form(**({"species": "Ocelot"} | fields)))
            assert answer.status_code == 422, fields
            assert said in answer.text
            assert "Ocelot" in answer.text or "species" in fields
        assert client.post("/projects", data=form(name="another")).status_code == 303
    with sqlite_site.database.reading() as session:
        assert {project.name for project in session.query(Project)} == {"taken", "another"}


def test_names_are_text_and_never_markup(sqlite_site: Site, admin_token: str) -> None:
    with sqlite_site.client(admin_token, accept="text/html") as client:
        client.post("/projects", data=form(name="<script>alert(1)</script>", note="<img src=x>"))
        for address in ("/projects", "/projects/1"):
            text = client.get(address).text
            assert "<script>alert" not in text
            assert "<img src=x>" not in text
            assert "&lt;script&gt;" in text


def test_the_overview_of_a_new_project_says_the_three_steps(sqlite_site: Site, admin_token: str) -> None:
    with sqlite_site.client(admin_token, accept="text/html") as client:
        address = client.post("/projects", data=form()).headers["location"]
        text = client.get(address).text
    assert "Three steps until the first question." in text
    assert "No photos yet" in text
    assert "No worker is running: start one with" in text


def client_of(site: Site, role: Role | None, project_id: int) -> httpx.Client:
    with site.database.writing() as session:
        user = make.user(session)
        if role is not None:
            Membership.grant(session, project_id, user.id, role)
        return site.client(make.token(session, user), accept="text/html")


def test_only_members_see_the_overview(sqlite_site: Site) -> None:
    with sqlite_site.database.writing() as session:
        project = make.project(session, (make.user(session), Role.admin))
        box = make.box(session, make.image(session, make.batch(session, project)))
        make.round_of(session, project, [box])
        project_id = project.id
    address = f"/projects/{project_id}"
    with client_of(sqlite_site, None, project_id) as stranger:
        assert stranger.get(address).status_code == 404
        assert stranger.get("/projects/999999999999").status_code == 404
    with client_of(sqlite_site, Role.viewer, project_id) as viewer:
        text = viewer.get(address).text
        assert "You may look, not label." in text
        assert "Label round" not in text
    with client_of(sqlite_site, Role.annotator, project_id) as annotator:
        assert "Label round 1, 1 left" in annotator.get(address).text
    with sqlite_site.client(accept="text/html") as nobody:
        assert nobody.get(address).status_code == 303
    with sqlite_site.database.reading() as session:
        assert session.query(Box).count() == 1
