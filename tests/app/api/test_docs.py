"""The document, its page, and the examples of docs/api.md against a live server."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.batch import Batch, BatchFile
from models.job import DONE, Job
from models.label import Label
from tests.app.api.study import Study, client_of
from tests.app.api.test_matrix import ROUTES
from tests.app.api.test_writing import PHOTO
from tests.conftest import Site
from tests.test_architecture import ROOT

OURS = ("x-scope", "x-role")


def told(site: Site) -> dict[str, Any]:
    """The document, which everybody may read."""
    with client_of(site, None) as client:
        document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def example(language: str) -> str:
    """The code of docs/api.md in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```", (ROOT / "docs/api.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_document_has_every_route_with_words_a_scope_and_a_role(sqlite_house: Site) -> None:
    document = told(sqlite_house)
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    described = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }  # fmt: skip
    assert described == {(method, path) for method, path, _needs in ROUTES}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert len(operation["description"].split("Scope:")[0]) > 5 and all(name in operation for name in OURS)
            assert operation["security"] == [{"token": []}] and {"401", "403", "404"} <= operation["responses"].keys()
    ids = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_of_the_document_leads_somewhere(sqlite_house: Site) -> None:
    document = told(sqlite_house)
    schemas = document["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/([\w.-]+)", str(document))) <= set(schemas)
    assert all(
        schema.get("description") for name, schema in schemas.items() if "properties" in schema and "Listed" not in name
    )


def test_the_page_shows_every_route_and_shape_without_a_script(sqlite_house: Site) -> None:
    document = told(sqlite_house)
    with client_of(sqlite_house, None) as client:
        page = client.get("/docs")
    assert page.status_code == 200 and "<script" not in page.text
    for operations in document["paths"].values():
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in page.text
    named = set(re.findall(r'href="#([\w-]+)"', page.text))
    assert named <= set(re.findall(r'id="([\w-]+)"', page.text))


def test_the_python_example_runs(sqlite_study: Study, tmp_path: Path) -> None:
    said = run_example(sqlite_study, [sys.executable, "-c", example("python")], tmp_path)
    assert said.count(" here\n") == 3
    assert said.count("Ocelot saved.") == 2
    assert "6 animals in 11 rows" in said
    assert spoken(sqlite_study) == [(sqlite_study.people["admin"], False)] * 2


def has_r() -> bool:
    """R with the two packages of the example."""
    asked = ["Rscript", "-e", "library(httr2); library(jsonlite)"]
    return (
        shutil.which("Rscript") is not None and subprocess.run(asked, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not has_r(), reason="R with httr2 and jsonlite is not installed")
def test_the_r_example_runs(sqlite_study: Study, tmp_path: Path) -> None:
    script = tmp_path / "example.R"
    script.write_text(example("r"))
    said = run_example(sqlite_study, ["Rscript", str(script)], tmp_path)
    assert "Camera A Camera B" in said, said
    assert spoken(sqlite_study) == [(sqlite_study.people["admin"], True)]
    with sqlite_study.site.database.reading() as session:
        files = session.scalars(select(BatchFile.path).join(Batch).where(Batch.project_id == sqlite_study.project_id))
        assert sorted(files) == [f"Camera E/{number}.jpg" for number in range(3)]


def run_example(study: Study, command: list[str], tmp_path: Path) -> str:
    """What it prints, beside a worker that ends its jobs."""
    folder = tmp_path / "March 2026"
    for number in range(3):
        place = folder / "Camera E" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(PHOTO + bytes([number]))
    environment = os.environ | {
        "WATERHOLE_URL": study.site.address, "WATERHOLE_TOKEN": study.token("admin"),
        "WATERHOLE_PROJECT": str(study.project_id), "PHOTOS": str(folder),
    }  # fmt: skip
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while run.poll() is None:
            end_ingest(study)
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(0.2)
    finally:
        run.kill()
    said = run.stdout.read() if run.stdout else ""
    assert run.returncode == 0, said
    return said


def spoken(study: Study) -> list[tuple[int, bool]]:
    """(person, certain) of every answer."""
    with study.site.database.reading() as session:
        found = session.scalars(select(Label).where(Label.project_id == study.project_id).order_by(Label.id))
        return [(label.user_id, label.certain) for label in found]


def end_ingest(study: Study) -> None:
    """What the worker would do in the end."""
    with study.site.database.writing() as session:
        for job in session.scalars(select(Job).where(Job.project_id == study.project_id, Job.kind == "ingest")):
            job.state = DONE
