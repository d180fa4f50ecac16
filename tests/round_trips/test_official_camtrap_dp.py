"""The official example of Camtrap DP in and out: valid by the standard's schemas, and equal cell by cell."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import frictionless
import pytest

from models.database import Database
from models.storage import Store
from tests.round_trips.trips import Place, members, rows_of

TABLES = {"deployments": "deploymentID", "media": "mediaID", "observations": "observationID"}


def same_moment(one: str, other: str) -> bool:
    return dt.datetime.fromisoformat(one) == dt.datetime.fromisoformat(other)


def same_number(one: str, other: str) -> bool:
    return abs(float(one) - float(other)) < 1e-6


# Columns whose cells may be written otherwise and mean the same.
SAME: dict[str, Callable[[str, str], bool]] = dict.fromkeys(
    ("deploymentStart", "deploymentEnd", "timestamp", "eventStart", "eventEnd", "classificationTimestamp"), same_moment
) | dict.fromkeys(
    ("latitude", "longitude", "cameraHeight", "cameraDepth", "detectionDistance", "bboxX", "bboxY", "bboxWidth", "bboxHeight",
     "classificationProbability"), same_number
)  # fmt: skip
SAME["favorite"] = lambda one, other: (one or "false") == (other or "false")


@pytest.fixture
def out(sqlite_database: Database, store: Store, shared_data: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """(what went in, what came out)."""
    folder = shared_data / "camera-trap" / "camtrap-dp-example"
    content = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    place = Place(sqlite_database, store)
    project_id, by = place.project()
    import_ = place.taken(project_id, by, content)
    assert place.bad_rows(import_.id) == []
    return content, members(place.written(project_id, "camtrap-dp"))


def test_every_row_and_column_comes_out_as_it_went_in(out: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    before, after = out
    figures = {}
    for name, key in TABLES.items():
        went, came = ({row[key]: row for row in rows_of(side[f"{name}.csv"])} for side in (before, after))
        assert set(went) == set(came)
        columns = list(next(iter(went.values())))
        assert columns == list(next(iter(came.values())))
        unlike = {}
        for column in columns:
            same = SAME.get(column)
            for id_, row in went.items():
                one, other = row[column], came[id_][column]
                if one != other and not (same and one and other and same(one, other)):
                    if column == "favorite" and SAME[column](one, other):
                        continue
                    unlike.setdefault(column, []).append((id_, one, other))
        assert unlike == {}, {column: (len(cells), cells[:2]) for column, cells in unlike.items()}
        figures[name] = (len(went), len(columns))
    assert figures == {"deployments": (4, 24), "media": (423, 11), "observations": (549, 28)}


def test_what_comes_out_is_valid_by_the_standards_own_schemas(
    out: tuple[dict[str, bytes], dict[str, bytes]], tmp_path: Path, shared_data: Path
) -> None:
    schemas = shared_data / "camera-trap" / "camtrap-dp-example" / "schemas"
    for name, content in out[1].items():
        (tmp_path / name).write_bytes(content)
    package = json.loads((tmp_path / "datapackage.json").read_text())
    for resource in package["resources"]:
        if isinstance(resource["schema"], str):
            resource["schema"] = json.loads((schemas / resource["schema"].rsplit("/", 1)[1]).read_text())
    del package["profile"]
    report = frictionless.Package.from_descriptor(package, basepath=str(tmp_path)).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])


def test_every_taxon_that_rows_name_is_listed_as_it_was(out: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    went, came = (
        {each["scientificName"]: each for each in json.loads(side["datapackage.json"])["taxonomic"]} for side in out
    )
    named = {row["scientificName"] for row in rows_of(out[0]["observations.csv"])} - {""}
    assert set(came) == named
    for name in named & set(went):
        assert went[name].items() <= came[name].items(), name


def test_nothing_of_it_is_lost(out: tuple[dict[str, bytes], dict[str, bytes]]) -> None:
    assert out[1]["what-was-lost.txt"].decode().splitlines() == []
