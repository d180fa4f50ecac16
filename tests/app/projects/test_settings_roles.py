"""Who may do what on the pages of settings, members and species: every route, every kind of person."""

from __future__ import annotations

import re

from fastapi import FastAPI

from app.projects.settings_routes import router as settings_router
from app.species.routes import router as species_router
from models.checkpoint import DETECTOR, EMBEDDER, Checkpoint
from models.membership import Membership, Role
from models.queue import ask
from models.species import Species, Synonym
from tests import make
from tests.app.projects.actors import answered, around, expected
from tests.conftest import Site

ROUNDS = {"version": "1", "strategy": "k_center", "first_round": "1000", "round_size": "100"}
# method and path below /projects/{id}, form, the least role, what that role is answered
MATRIX = (
    ("GET", "/settings", {}, Role.viewer, 200),
    ("GET", "/settings?price=1&before=3", {}, Role.viewer, 200),
    ("POST", "/settings/detector", {"version": "1", "count_above": "0.9", "classify_above": "0.9"}, Role.admin, 303),
    ("POST", "/settings/rounds", ROUNDS, Role.admin, 303),
    ("POST", "/settings/people", {"version": "1", "consensus": "single", "gold_one_in": "30"}, Role.admin, 303),
    ("POST", "/settings/goal", {"version": "1", "target": "95", "label_budget": "5000"}, Role.admin, 303),
    ("POST", "/settings/events", {"version": "1", "burst_gap": "60", "event_gap": "30"}, Role.admin, 303),
    ("POST", "/settings/fields", {"version": "1"}, Role.admin, 303),
    ("POST", "/settings/privacy", {"version": "1", "opened_by": "expert"}, Role.admin, 303),
    ("POST", "/settings/networks/{network}", {"version": "1"}, Role.admin, 303),
    ("POST", "/settings/embedding", {"version": "1", "every": "1000", "loss": "triplet"}, Role.admin, 303),
    ("POST", "/settings/embedding/fine-tune", {}, Role.admin, 409),
    ("POST", "/settings/embedding/jobs/{job}/pause", {}, Role.admin, 303),
    ("POST", "/settings/embedding/jobs/{job}/go-on", {}, Role.admin, 303),
    ("POST", "/settings/embedding/jobs/{job}/stop", {}, Role.admin, 303),
    ("POST", "/settings/embedding/{embedder}/use", {"version": "1"}, Role.admin, 412),
    ("GET", "/settings/embedding/{embedder}/remove", {}, Role.admin, 200),
    ("POST", "/settings/embedding/{embedder}/remove", {}, Role.admin, 303),
    ("POST", "/settings/members", {"email": "{guest}@example.org", "role": "viewer"}, Role.admin, 200),
    ("POST", "/settings/members/{other}/role", {"role": "viewer"}, Role.admin, 303),
    ("GET", "/settings/members/{other}/remove", {}, Role.admin, 200),
    ("POST", "/settings/members/{other}/remove", {"name": "Other Member"}, Role.admin, 303),
    ("GET", "/species", {}, Role.viewer, 200),
    ("GET", "/species.json", {}, Role.viewer, 200),
    ("GET", "/species/list.csv", {}, Role.viewer, 200),
    ("GET", "/species/import", {}, Role.expert, 200),
    ("GET", "/species/{puma}/split", {}, Role.expert, 200),
    ("GET", "/species/{puma}/edit", {}, Role.expert, 200),
    ("POST", "/species", {"name": "new", "idempotency_key": "same-key-for-each"}, Role.annotator, 200),
    ("POST", "/species/list", {"names": "Jaguar"}, Role.expert, 303),
    ("POST", "/species/{puma}/rename", {"name": "Puma"}, Role.expert, 303),
    ("POST", "/species/{puma}/key", {"key": "Y"}, Role.expert, 303),
    ("POST", "/species/{puma}/give-key", {"key": "Y"}, Role.expert, 303),
    ("POST", "/species/{puma}/synonyms/{cougar}/remove", {}, Role.expert, 303),
    ("POST", "/species/{puma}/retire", {}, Role.expert, 303),
    ("POST", "/species/{puma}/bring-back", {}, Role.expert, 303),
)  # fmt: skip

# What these answer an expert is tested with their pages; here only that nobody else is let in.
BY_EXPERTS = (
    "/species/import", "/species/import/confirm", "/species/names", "/species/{puma}/ids", "/species/{puma}/ids/1/remove",
    "/species/{puma}/merge", "/species/{puma}/names", "/species/{puma}/names/1/remove", "/species/{puma}/parent",
    "/species/{puma}/sensitivity", "/species/{puma}/split", "/species/{puma}/split/1/undo", "/species/{puma}/unmerge",
)  # fmt: skip


def test_only_experts_change_the_tree(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        with sqlite_site.database.writing() as session:
            puma_id = Species.add(session, project_id, "Puma").id
        for path in BY_EXPERTS:
            wanted = expected(Role.expert, 0)
            for kind, client in clients.items():
                sent = {"file": ("list.csv", b"name\n")} if path == "/species/import" else None
                form = {"plan": "x", "name": "x", "register": "gbif", "value": "1", "into_id": "1", "sheet": "name"}
                answer = client.post(f"/projects/{project_id}{path.format(puma=puma_id)}", data=form, files=sent)
                if wanted[kind]:
                    assert answer.status_code == wanted[kind], (path, kind)
                else:
                    assert answer.status_code not in (401, 403), (path, kind)


def test_every_role_is_answered_as_it_should(site: Site) -> None:
    with around(site) as (project_id, clients):
        with site.database.writing() as session:
            other = make.user(session, "Other Member")
            Membership.grant(session, project_id, other.id, Role.annotator)
            puma = Species.add(session, project_id, "Puma")
            cougar = puma.add_synonym(session, "Cougar")
            network = Checkpoint.known(session, DETECTOR, "starter", "a" * 64, {})
            embedder = Checkpoint(project_id=project_id, kind=EMBEDDER, name="tuned", sha256="b" * 64)
            session.add(embedder)
            job = ask(session, "finetune", project_id, {})
            session.flush()
            ids: dict[str, object] = {
                "job": job.id,
                "embedder": embedder.id,
                "other": other.id,
                "puma": puma.id,
                "cougar": cougar.id,
                "network": network.id,
            }
        for method, path, form, least, status in MATRIX:
            for kind, client in clients.items():
                unlike = {"name": f"A new one of {kind}"} if path == "/species" else {}
                sent = {field: value.format(guest=f"guest.{kind}") for field, value in (form | unlike).items()}
                answer = client.request(method, f"/projects/{project_id}{path.format(**ids)}", data=sent)
                assert answer.status_code == expected(least, status)[kind], (method, path, kind, answer.text[:200])


def test_no_route_is_missing_in_the_matrix() -> None:
    app = FastAPI()
    app.include_router(settings_router)
    app.include_router(species_router)
    there = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    known = {(method, path.split("?")[0]) for method, path, *_rest in MATRIX} | {("POST", "/species/{puma}/synonyms")}
    known |= {("POST", path) for path in BY_EXPERTS}
    assert {(method, shape(path.removeprefix("/projects/{project_id}"))) for method, path in there} == {
        (method, shape(path)) for method, path in known
    }


def shape(path: str) -> str:
    """/species/{puma}/edit -> /species/{}/edit."""
    return re.sub(r"{\w+}|\b1\b", "{}", path)


def test_another_name_is_given_by_experts(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        with sqlite_site.database.writing() as session:
            puma_id = Species.add(session, project_id, "Puma").id
        path = f"/projects/{project_id}/species/{puma_id}/synonyms"
        for kind, status in expected(Role.expert, 303).items():
            assert clients[kind].post(path, data={"name": f"Cougar of {kind}"}).status_code == status
        with sqlite_site.database.reading() as session:
            assert session.query(Synonym).count() == 2


def test_a_viewer_reads_the_settings_without_a_form_or_an_address(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        clients["viewer"].headers["accept"] = "text/html"
        shown = clients["viewer"].get(f"/projects/{project_id}/settings").text
        assert "Save the" not in shown
        assert "example.org" not in shown
        assert shown.count('<fieldset class="read-only"') == shown.count(" disabled><legend") == 8


def test_a_site_of_another_project_opens_nothing_here(sqlite_site: Site) -> None:
    with around(sqlite_site) as (_project_id, clients):
        for path in ("/settings", "/species", "/species.json"):
            assert set(answered(clients, "GET", f"/projects/{2**63}{path}").values()) <= {401, 404}
            assert set(answered(clients, "GET", f"/projects/0{path}").values()) <= {401, 404}
