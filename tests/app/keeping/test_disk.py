"""The disk page: what was measured, by whom it may be seen, and what can go."""

from __future__ import annotations

from models.batch import Batch
from models.deletion import mark_batch
from models.disk import is_due, measure, measured
from tests import make
from tests.app.keeping.test_deleting import Farm
from tests.conftest import Site


def test_it_says_what_was_measured(site: Site) -> None:
    farm = Farm(site)
    with site.database.writing() as session:
        token = make.token(session, make.user(session, is_admin=True))
    with farm.client() as client:
        assert client.get("/disk").status_code == 403
        assert client.post("/disk/measure").status_code == 403
    with site.client(token, accept="text/html") as client:
        assert "Nobody has measured yet" in client.get("/disk").text
        found = measure(site.database, site.store, lambda: None)
        assert found.files["originals"] == 2 and found.bytes["originals"] == 130 and found.database > 0
        assert found.projects[farm.project_id] == [2, 130]
        assert measured(site.store) == found and not is_due(site.store)
        said = client.get("/disk").text
        assert "Tambopata" in said and "130 bytes" in said and "Nothing waits to go" in said
        client.post("/disk/measure")
        assert is_due(site.store)
        with site.database.writing() as session:
            mark_batch(session, session.get_one(Batch, farm.batch_id), None, "March", 7)
        assert "March" in client.get("/disk").text
